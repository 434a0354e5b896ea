//! The task of one session: takes one message at a time, so that everything about a session has one order.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use rand::RngExt as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::audience::Audience;
use super::diary::Diary;
use super::handle::{Command, Handle};
use super::history::Happening;
use super::lifecycle::{Event, Lifecycle};
use super::link::{AgentLink, Closed, CustomerLink, FeedItem, JoinError, Outgoing};
use super::page::{Page, Refused, Taken};
use super::record::{About, Record};
use super::registry::{Shared, short};
use super::repairs::Repairs;
use super::resources::{Resources, Want};
use crate::policy::{Masked, Masker, Policies, ResourceNames};
use crate::protocol::agent::{FromAgent, Role, ToAgent};
use crate::protocol::customer::{ECHOES, Echo, Echoing, FromCustomer, ToCustomer, WithheldInFrame};
use crate::protocol::page::PageFrame;
use crate::protocol::session::AwayReason;
use crate::protocol::{Action, EndReason, Mode, Phase, Point, Refusal, SessionId, Status};

/// Nodes that are worked on right where the message comes in: some milliseconds at most.
const LIGHT: usize = 2_000;
/// Messages that wait for a session's task before who sends them has to wait.
const INBOX: usize = 64;
/// Messages that wait for a customer's socket before it is given up.
const OUTBOX: usize = 256;
/// Resources that may be asked of the customer's browser at one time.
const WANTS: usize = 128;
/// Actions that may be under way at one time.
const ACTIONS: usize = 64;
/// Addresses in frames of one page, and bytes of one of them.
const FRAMES: usize = 64;
const ADDRESS: usize = 8_192;
/// Snapshots that a connection may need because its patches did not fit, before it is closed.
const MISFITS: u32 = 5;

/// What a session begins with.
pub(super) enum Seed {
    /// A customer has just started it.
    New { about: About },
    /// An earlier server had it.
    Restored { record: Record, about: About },
}

/// What becomes of a session's task.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// The session is over.
    Ended(EndReason),
    /// The server stops; the session is in the store.
    Suspended,
}

/// Makes a session: the way to it, and its task, which answers what became of it.
pub(super) fn session(
    id: SessionId,
    names: ResourceNames,
    site_name: Arc<str>,
    seed: Seed,
    shared: Arc<Shared>,
) -> (Handle, impl Future<Output = Fate> + Send) {
    let (inbox, commands) = mpsc::channel(INBOX);
    let (wants, wanted) = mpsc::channel(WANTS);
    let (now, timeouts) = (Instant::now(), shared.settings.timeouts);
    let mut diary = Diary::new(id.clone(), shared.clone());
    let (life, role, about) = match seed {
        Seed::New { about } => {
            diary.note(Happening::Started);
            (Lifecycle::start(timeouts, now), None, about)
        }
        Seed::Restored { record, about } => {
            diary.note(Happening::Restarted);
            (Lifecycle::restore(record.life, timeouts, &shared.clock, now), record.role, about)
        }
    };
    let status = watch::Sender::new(life.status(now));
    let resources = Resources::new(shared.settings.resources, names.clone(), wants);
    let about = watch::Sender::new(Arc::new(about));
    let handle = Handle {
        id: id.clone(),
        inbox,
        resources: resources.clone(),
        status: status.subscribe(),
        about: about.subscribe(),
        started: shared.clock.wall(life.started()),
        site_name,
    };
    let mut news = shared.policies.subscribe();
    let policies = news.borrow_and_update().clone();
    let audience = role.map(|role| Audience::new(Masker::new(policies.clone(), role, names.clone())));
    let agent = life.status(now).agent_name.map(|name| Agent { connection: 0, name, present: false });
    let mut session = Session {
        policies,
        diary,
        about,
        role,
        page: Page::new(shared.settings.page),
        id,
        names,
        shared,
        life,
        status,
        resources,
        audience,
        customer: None,
        agent,
        customer_pointer: watch::Sender::new(None),
        agent_pointer: watch::Sender::new(None),
        pending: HashMap::new(),
        acts: 0,
        connections: 0,
        repairs: Repairs::default(),
    };
    session.write_down();
    let said = session.about.borrow().clone();
    if *said != About::default() {
        session.diary.about(&said);
    }
    (handle, session.run(commands, wanted, news))
}

struct Session {
    id: SessionId,
    names: ResourceNames,
    shared: Arc<Shared>,
    policies: Arc<Policies>,
    diary: Diary,
    about: watch::Sender<Arc<About>>,
    /// As what the agent joined.
    role: Option<Role>,
    life: Lifecycle,
    status: watch::Sender<Status>,
    resources: Arc<Resources>,
    page: Page,
    audience: Option<Audience>,
    customer: Option<Customer>,
    agent: Option<Agent>,
    customer_pointer: watch::Sender<Option<Point>>,
    agent_pointer: watch::Sender<Option<Point>>,
    /// Our number of an action that is under way → whose it is and its number there.
    pending: HashMap<u32, (u64, u32)>,
    acts: u32,
    connections: u64,
    repairs: Repairs,
}

/// How much of a page is asked for.
enum Extent {
    /// What the server does not hold yet.
    News,
    All,
}

struct Customer {
    connection: u64,
    outbox: mpsc::Sender<Outgoing>,
    /// Where the page is, for the rules of what its browser withholds.
    url: String,
    /// The same of its frames.
    frames: Vec<String>,
    misfits: u32,
}

struct Agent {
    connection: u64,
    name: String,
    present: bool,
}

impl Session {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut wanted: mpsc::Receiver<Want>,
        mut news: watch::Receiver<Arc<Policies>>,
    ) -> Fate {
        let stop = self.shared.stop.clone();
        loop {
            if let Some(reason) = self.life.ended() {
                // First for the store: what both were told to be over never goes on.
                self.diary.end(reason).await;
                self.publish();
                self.farewell(Closed::Ended);
                return Fate::Ended(reason);
            }
            let deadline = self.life.deadline().unwrap_or_else(Instant::now);
            let check = self.audience.as_ref().and_then(Audience::check_due);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.farewell(Closed::Restarting);
                    return Fate::Suspended;
                }
                () = tokio::time::sleep_until(deadline) => {
                    let changed = self.life.tick(Instant::now());
                    self.follow(changed);
                }
                // Before anything more is shown under the old ones.
                Ok(()) = news.changed() => {
                    let policies = news.borrow_and_update().clone();
                    if self.is_heavy() {
                        self = self.apart(|session| session.adopt(policies)).await;
                    } else {
                        self.adopt(policies);
                    }
                }
                Some(command) = commands.recv() => {
                    if command.weight() > LIGHT || (command.is_about_page() && self.is_heavy()) {
                        self = self.apart(|session| session.take(command)).await;
                    } else {
                        self.take(command);
                    }
                }
                // After all that has come: mirrors are to be compared with the newest.
                () = tokio::time::sleep_until(check.unwrap_or(deadline)), if check.is_some() => {
                    if self.is_heavy() {
                        self = self.apart(Session::check).await;
                    } else {
                        self.check();
                    }
                }
                Some(want) = wanted.recv() => self.want(want),
            }
        }
    }

    /// Whether work on the whole page takes long enough to be in other sessions' way.
    fn is_heavy(&self) -> bool {
        self.page.tree().is_some_and(|tree| tree.len() > LIGHT)
    }

    /// Does long work on a thread where nobody waits for the next turn. The session does nothing else meanwhile, so
    /// that the order stays; only so many sessions do it at a time.
    async fn apart(mut self, work: impl FnOnce(&mut Session) + Send + 'static) -> Session {
        // The semaphore is never closed; without a permit there would only be more at a time.
        let permit = self.shared.apart.clone().acquire_owned().await;
        let span = tracing::Span::current();
        let worked = tokio::task::spawn_blocking(move || {
            span.in_scope(|| work(&mut self));
            drop(permit);
            self
        });
        match worked.await {
            Ok(session) => session,
            // A panic ends this session, as it does on its own task.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn check(&mut self) {
        if let Some(audience) = &mut self.audience {
            audience.check(self.page.tree());
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::CustomerJoin { url, reply } => self.customer_joins(url, reply),
            Command::CustomerSays { connection, message } if self.is_customer(connection) => {
                self.customer_says(message);
            }
            Command::CustomerShows { connection, frame } if self.is_customer(connection) => self.show(frame),
            Command::CustomerLeft { connection, why } if self.is_customer(connection) => {
                self.customer_leaves(why)
            }
            Command::AgentJoin { name, role, reply } => {
                let _ = reply.send(self.agent_joins(name, role));
            }
            Command::AgentSays { connection, message } if self.is_agent(connection) => {
                self.agent_says(connection, message);
            }
            Command::AgentResync { diverged, reply } => {
                self.shared.metrics.agent_resyncs.inc();
                if diverged {
                    tracing::error!("an agent's mirror was not what it should show; it is sent anew");
                    self.shared.metrics.divergences.mirror.inc();
                }
                if let Some(audience) = &self.audience {
                    let _ = reply.send(audience.join(self.page.tree()));
                }
            }
            Command::AgentLeft { connection, why } if self.is_agent(connection) => self.agent_leaves(why),
            Command::Attach { about, reply } => {
                self.diary.about(&about);
                self.about.send_replace(Arc::new(about));
                let _ = reply.send(());
            }
            Command::End { reason } => self.happens(Event::End(reason)),
            // From a connection whose place another one took.
            Command::CustomerSays { .. }
            | Command::CustomerShows { .. }
            | Command::CustomerLeft { .. }
            | Command::AgentSays { .. }
            | Command::AgentLeft { .. } => {}
        }
    }

    // The customer.

    fn customer_joins(&mut self, url: String, reply: oneshot::Sender<CustomerLink>) {
        self.close_customer(Closed::Replaced);
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let connection = self.next_connection();
        let link = CustomerLink {
            connection,
            messages,
            status: self.status.subscribe(),
            pointer: self.agent_pointer.subscribe(),
        };
        if reply.send(link).is_err() {
            return;
        }
        self.customer = Some(Customer { connection, outbox, url, frames: Vec::new(), misfits: 0 });
        self.happens(Event::CustomerCame);
        self.publish();
        let patience = self.shared.settings.timeouts.away.as_secs().try_into().unwrap_or(u32::MAX);
        self.tell_customer(ToCustomer::Welcome { session_id: self.id.clone(), patience });
        if self.life.phase() == Phase::Active {
            self.ask_for_page(Extent::News);
            for want in self.resources.outstanding() {
                self.want(want);
            }
        }
    }

    fn customer_leaves(&mut self, why: AwayReason) {
        self.customer = None;
        self.customer_pointer.send_replace(None);
        for (_, (connection, seq)) in std::mem::take(&mut self.pending) {
            self.answer(connection, seq, Some(Refusal::CustomerAway));
        }
        self.happens(Event::CustomerGone(why));
    }

    fn customer_says(&mut self, message: FromCustomer) {
        match message {
            FromCustomer::Pointer { at } => {
                self.customer_pointer.send_replace(Some(at));
                self.happens(Event::Activity);
            }
            FromCustomer::PointerLeft => {
                self.customer_pointer.send_replace(None);
            }
            FromCustomer::Clicked { at } => {
                self.tell_agents(ToAgent::Clicked { at });
                self.happens(Event::Activity);
            }
            FromCustomer::Answer { allow } => self.happens(Event::Answered { allow }),
            FromCustomer::TakeBack => self.happens(Event::TakenBack),
            FromCustomer::Exit => self.happens(Event::End(EndReason::CustomerExit)),
            FromCustomer::Acted { seq, refused } => {
                if let Some((connection, seq)) = self.pending.remove(&seq) {
                    self.answer(connection, seq, refused);
                }
            }
            FromCustomer::Typed { echoes } => self.typed(&echoes[..echoes.len().min(ECHOES)]),
            FromCustomer::Frame { url } => self.frame(url),
            FromCustomer::Unavailable { want } => self.resources.unavailable(want),
            // The socket answers by itself.
            FromCustomer::Alive => {}
        }
    }

    /// Takes a piece of the page in and passes on what agents may see of it.
    fn show(&mut self, frame: PageFrame) {
        let Some(audience) = &mut self.audience else {
            return self.close_customer(Closed::Protocol("a page that nobody asked for"));
        };
        let mut diverged = false;
        let masked = match self.page.take(frame) {
            Ok(Taken::Late) => return,
            Ok(Taken::Snapshot) => self.page.tree().map(|tree| audience.begin(tree)),
            Ok(Taken::Patch(changes)) => {
                self.resources.retire_pictures(&changes.retired);
                diverged = changes.diverged;
                self.page.tree().map(|tree| audience.update(tree, &changes))
            }
            Err(Refused::Misfit(misfit)) => {
                tracing::warn!(%misfit, "a patch did not fit; asking for the whole page");
                return self.misfit();
            }
            Err(Refused::NotHeld) => {
                tracing::warn!("a snapshot named what is not held; asking for the whole page");
                return self.misfit();
            }
            Err(refused @ Refused::OutOfOrder) => {
                tracing::warn!(error = %refused, "closing the customer's connection");
                return self.close_customer(Closed::Protocol("frames of the page out of order"));
            }
        };
        if let Some(masked) = masked {
            self.pass_on(masked);
        }
        if let Some(audience) = &self.audience {
            self.diary.page(audience.masker().location());
        }
        self.follow_location();
        if diverged {
            self.repair();
        }
    }

    /// Our copy is not the customer's page: what differs is asked for anew.
    fn repair(&mut self) {
        tracing::error!("the copy of a page was not what the customer has");
        if self.repairs.due(Instant::now()) {
            self.shared.metrics.divergences.server.inc();
            self.ask_for_page(Extent::News);
        }
    }

    fn pass_on(&mut self, masked: Masked) {
        self.resources.refer(masked.resources);
        if !masked.marks.is_empty() || !masked.cleared.is_empty() {
            self.tell_customer(ToCustomer::Private { marks: masked.marks, cleared: masked.cleared });
        }
    }

    /// Other policies are in force from now on: agents see the page anew, and the customer's browser is told what
    /// it has to keep. Where that is something else than before, it sends the page again, since it may have kept
    /// what is to be seen now.
    fn adopt(&mut self, policies: Arc<Policies>) {
        let before = std::mem::replace(&mut self.policies, policies.clone());
        let Some(audience) = &mut self.audience else { return };
        if let Some(masked) = audience.adopt(policies, self.page.tree()) {
            self.resources.withdraw(&masked.withdrawn);
            self.pass_on(masked);
        }
        if let Some(Customer { url, frames, .. }) = &self.customer
            && frames.iter().chain([url]).any(|url| before.withhold(url) != self.policies.withhold(url))
        {
            self.ask_for_page(Extent::News);
        }
    }

    /// The page went to another URL by itself: other rules may hold for what its browser withholds.
    fn follow_location(&mut self) {
        let (Some(tree), Some(customer)) = (self.page.tree(), &mut self.customer) else { return };
        if tree.location() == customer.url {
            return;
        }
        let before = self.policies.withhold(&customer.url);
        customer.url = tree.location().to_owned();
        if self.policies.withhold(&customer.url) != before {
            self.withhold();
        }
    }

    /// A frame shows something of this address. More addresses than [`FRAMES`] get no answer: what is in such a
    /// frame is not shared.
    fn frame(&mut self, url: String) {
        let Some(customer) = &mut self.customer else { return };
        if customer.frames.contains(&url) || customer.frames.len() == FRAMES || url.len() > ADDRESS {
            return;
        }
        customer.frames.push(url);
        self.withhold();
    }

    /// Tells the customer's browser what must not leave it.
    fn withhold(&mut self) {
        let Some(customer) = &self.customer else { return };
        let select = self.policies.withhold(&customer.url);
        let frames = customer
            .frames
            .iter()
            .map(|url| WithheldInFrame { url: url.clone(), select: self.policies.withhold(url) });
        let frames = frames.collect();
        let echoing = self.echoing();
        self.tell_customer(ToCustomer::Withhold { select, frames, echoing });
    }

    /// The customer's browser withholds something: what the page says of it elsewhere goes too.
    fn typed(&mut self, echoes: &[Echo]) {
        if let Some(audience) = &mut self.audience {
            let masked = audience.typed(self.page.tree(), echoes);
            self.pass_on(masked);
        }
    }

    fn echoing(&self) -> Echoing {
        self.audience.as_ref().map(|audience| audience.masker().echoes()).unwrap_or_default()
    }

    fn misfit(&mut self) {
        let Some(customer) = &mut self.customer else { return };
        customer.misfits += 1;
        self.shared.metrics.customer_resyncs.inc();
        if customer.misfits > MISFITS {
            self.close_customer(Closed::Protocol("changes that do not fit the page"));
        } else {
            self.ask_for_page(Extent::All);
        }
    }

    /// Asks for the page as it is now. The rules for withholding first, so that they hold for the snapshot.
    fn ask_for_page(&mut self, extent: Extent) {
        if self.customer.is_none() {
            return;
        }
        let key = matches!(extent, Extent::News).then(|| rand::rng().random());
        let (epoch, held) = self.page.expect(key);
        self.withhold();
        self.tell_customer(ToCustomer::Share { epoch, held });
    }

    fn want(&mut self, want: Want) {
        self.tell_customer(ToCustomer::Want { want: want.number, url: want.url });
    }

    fn tell_customer(&mut self, message: ToCustomer) {
        self.send_customer(Outgoing::Message(message));
    }

    fn send_customer(&mut self, item: Outgoing) {
        let Some(customer) = &self.customer else { return };
        if customer.outbox.try_send(item).is_err() {
            // It does not read, or is gone: it comes back and starts with a snapshot.
            self.customer_leaves(AwayReason::Lost);
        }
    }

    fn close_customer(&mut self, why: Closed) {
        if self.customer.is_some() {
            self.send_customer(Outgoing::Close(why));
            if self.customer.is_some() {
                self.customer_leaves(AwayReason::Lost);
            }
        }
    }

    // The agent.

    fn agent_joins(&mut self, name: String, role: Role) -> Result<AgentLink, JoinError> {
        if let Some(agent) = &self.agent {
            if agent.name != name {
                return Err(JoinError::Taken);
            }
            let why = FeedItem::Close { connection: agent.connection, why: Closed::Replaced };
            self.audience.iter().for_each(|audience| audience.tell(why.clone()));
        }
        let connection = self.next_connection();
        let first = self.audience.is_none();
        let audience = self.audience.get_or_insert_with(|| {
            Audience::new(Masker::new(self.policies.clone(), role, self.names.clone()))
        });
        let (view, feed) = audience.join(self.page.tree());
        let link = AgentLink {
            connection,
            patience: self.shared.settings.timeouts.agent,
            view,
            feed,
            status: self.status.subscribe(),
            pointer: self.customer_pointer.subscribe(),
        };
        self.agent = Some(Agent { connection, name: name.clone(), present: true });
        self.role = Some(role);
        self.diary.note(Happening::Joined { name: name.clone(), role });
        self.happens(Event::AgentCame { name });
        self.publish();
        if first {
            self.ask_for_page(Extent::News);
        }
        if self.life.phase() == Phase::Ended { Err(JoinError::Ended) } else { Ok(link) }
    }

    fn agent_leaves(&mut self, why: AwayReason) {
        if let Some(agent) = &mut self.agent {
            agent.present = false;
            self.diary.note(Happening::Left { name: agent.name.clone() });
        }
        self.agent_pointer.send_replace(None);
        self.happens(Event::AgentGone(why));
    }

    fn agent_says(&mut self, connection: u64, message: FromAgent) {
        match message {
            FromAgent::Pointer { at } => {
                self.agent_pointer.send_replace(Some(at));
                self.happens(Event::Activity);
            }
            FromAgent::PointerLeft => {
                self.agent_pointer.send_replace(None);
            }
            FromAgent::Clicked { at } => {
                self.tell_customer(ToCustomer::Clicked { at });
                self.happens(Event::Activity);
            }
            FromAgent::RequestWrite => self.happens(Event::WriteRequested),
            FromAgent::GiveBack => self.happens(Event::GivenBack),
            FromAgent::Act { seq, action } => {
                self.happens(Event::Activity);
                if let Err(refusal) = self.act(connection, seq, action) {
                    self.answer(connection, seq, Some(refusal));
                }
            }
            FromAgent::Exit => self.happens(Event::End(EndReason::AgentExit)),
            // The socket turns it into `AgentResync`, which has an answer, or answers by itself.
            FromAgent::Resync { .. } | FromAgent::Alive => {}
        }
    }

    /// The one way by which anything is done in a customer's page.
    fn act(&mut self, connection: u64, seq: u32, action: Action) -> Result<(), Refusal> {
        if self.life.phase() != Phase::Active {
            return Err(Refusal::NotActive);
        }
        if self.life.mode().0 != Mode::Write {
            return Err(Refusal::PointerMode);
        }
        if self.customer.is_none() {
            return Err(Refusal::CustomerAway);
        }
        if self.pending.len() >= ACTIONS {
            return Err(Refusal::TooMany);
        }
        let (Some(tree), Some(audience)) = (self.page.tree(), &self.audience) else {
            return Err(Refusal::CustomerAway);
        };
        let permit = audience.masker().permit(tree, action)?;
        self.acts = self.acts.wrapping_add(1);
        self.pending.insert(self.acts, (connection, seq));
        self.send_customer(Outgoing::Act { seq: self.acts, permit });
        Ok(())
    }

    fn answer(&self, connection: u64, seq: u32, refused: Option<Refusal>) {
        let event = match refused {
            None => ToAgent::Done { seq },
            Some(reason) => {
                tracing::info!(session = %short(&self.id), ?reason, "an agent's action was refused");
                self.shared.metrics.refused(reason);
                ToAgent::Refused { seq, reason }
            }
        };
        if let Some(audience) = &self.audience {
            audience.tell(FeedItem::One { connection, event });
        }
    }

    fn tell_agents(&self, event: ToAgent) {
        if let Some(audience) = &self.audience {
            audience.tell(FeedItem::All(event));
        }
    }

    // Both.

    fn happens(&mut self, event: Event) {
        let changed = self.life.on(event, Instant::now());
        self.follow(changed);
    }

    /// After everything that may have changed how the session stands. An end is told once it is written down.
    fn follow(&mut self, changed: bool) {
        if changed && self.life.ended().is_none() {
            self.write_down();
            self.publish();
        }
    }

    fn write_down(&mut self) {
        let record = Record::new(self.life.save(&self.shared.clock), self.role);
        self.diary.record(&self.life.status(Instant::now()), record);
    }

    fn publish(&self) {
        self.status.send_replace(self.life.status(Instant::now()));
    }

    /// Sockets see the end in the status, which they always read; this only hurries those that wait elsewhere.
    fn farewell(&mut self, why: Closed) {
        if let Some(customer) = &self.customer {
            let _ = customer.outbox.try_send(Outgoing::Close(why));
        }
        if let (Some(audience), Some(agent)) = (&self.audience, &self.agent) {
            audience.tell(FeedItem::Close { connection: agent.connection, why });
        }
    }

    fn is_customer(&self, connection: u64) -> bool {
        self.customer.as_ref().is_some_and(|customer| customer.connection == connection)
    }

    fn is_agent(&self, connection: u64) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.present && agent.connection == connection)
    }

    fn next_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }
}
