//! The task of one session: takes one message at a time, so that everything about a session has one order.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use rand::RngExt as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::audience::{Audience, Audiences};
use super::diary::Diary;
use super::handle::{Command, Handle};
use super::history::Happening;
use super::lifecycle::{Event, Lifecycle};
use super::link::{AgentLink, Closed, CustomerLink, FeedItem, Hello, JoinError, Outgoing};
use super::page::{Page, Refused, Taken};
use super::record::{About, Record};
use super::registry::{Shared, short};
use super::repairs::Repairs;
use super::resources::{Resources, Want};
use super::seats::Seat;
use super::tabs::{Line, Tabs};
use crate::policy::{Masked, Policies, ResourceNames};
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
    let mut audiences = Audiences::new(names);
    if let Some(role) = role {
        audiences.of(role, &policies);
    }
    let agent = life.status(now).agent_name.map(|name| Agent { connection: 0, name, present: false });
    let mut session = Session {
        policies,
        diary,
        about,
        role,
        page: Page::new(shared.settings.page),
        id,
        shared,
        life,
        status,
        resources,
        audiences,
        tabs: Tabs::default(),
        agent,
        watchers: Vec::new(),
        customer_pointer: watch::Sender::new(None),
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
    audiences: Audiences,
    tabs: Tabs,
    agent: Option<Agent>,
    watchers: Vec<Watcher>,
    customer_pointer: watch::Sender<Option<Point>>,
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

struct Agent {
    connection: u64,
    name: String,
    present: bool,
}

struct Watcher {
    connection: u64,
    name: String,
    role: Role,
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
            let deadline = self.tabs.deadline().map_or(deadline, |at| at.min(deadline));
            let check = self.audiences.check_due();
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.farewell(Closed::Restarting);
                    return Fate::Suspended;
                }
                () = tokio::time::sleep_until(deadline) => {
                    let changed = self.life.tick(Instant::now());
                    self.follow(changed);
                    self.expire_tabs();
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
        self.audiences.check(self.page.tree(), Instant::now());
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::CustomerJoin { hello, reply } => self.customer_joins(hello, reply),
            Command::CustomerSays { connection, message } => self.customer_says(connection, message),
            Command::CustomerShows { connection, frame } => self.show(connection, frame),
            Command::CustomerLeft { connection, why } => self.customer_leaves(connection, why),
            Command::AgentJoin { name, role, reply } => {
                let _ = reply.send(match Seat::of(role) {
                    Seat::Agent => self.agent_joins(name, role),
                    Seat::Watcher => self.watcher_joins(name, role),
                });
            }
            Command::AgentSays { connection, message } => self.agent_says(connection, message),
            Command::AgentResync { connection, diverged, reply } => {
                self.shared.metrics.agent_resyncs.inc();
                if diverged {
                    tracing::error!("an agent's mirror was not what it should show; it is sent anew");
                    self.shared.metrics.divergences.mirror.inc();
                }
                if let Some(audience) = self.role_of(connection).and_then(|role| self.audiences.get(role)) {
                    let _ = reply.send(audience.join(self.page.tree()));
                }
            }
            Command::AgentLeft { connection, why } => self.agent_leaves(connection, why),
            Command::Attach { about, reply } => {
                self.diary.about(&about);
                self.about.send_replace(Arc::new(about));
                let _ = reply.send(());
            }
            Command::End { reason } => self.happens(Event::End(reason)),
        }
    }

    // The customer.

    fn customer_joins(&mut self, hello: Hello, reply: oneshot::Sender<CustomerLink>) {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let connection = self.next_connection();
        let pointer = watch::Sender::new(None);
        let link = CustomerLink {
            connection,
            messages,
            status: self.status.subscribe(),
            pointer: pointer.subscribe(),
        };
        if reply.send(link).is_err() {
            return;
        }
        for replaced in self.tabs.connect(hello.tab, Line { connection, outbox, pointer }) {
            let _ = replaced.outbox.try_send(Outgoing::Close(Closed::Replaced));
        }
        self.happens(Event::CustomerCame);
        self.publish();
        let patience = self.shared.settings.timeouts.away.as_secs().try_into().unwrap_or(u32::MAX);
        self.send_tab(connection, ToCustomer::Welcome { session_id: self.id.clone(), patience });
        let url = hello.url.filter(|_| !self.life.is_paused());
        if let Some(tab) = self.tabs.of(connection) {
            tab.url = url;
        }
        if hello.looking || !self.tabs.is_any_shown() {
            self.look(connection, hello.looking);
        }
        if self.tabs.is_current(connection) {
            self.share();
        }
        self.tell_tabs();
    }

    fn customer_leaves(&mut self, connection: u64, why: AwayReason) {
        if self.tabs.of(connection).is_none() {
            // Another connection took its place.
            return;
        }
        if self.tabs.disconnect(connection, Instant::now()) {
            self.leave_page();
        }
        if !self.tabs.any() {
            self.happens(Event::CustomerGone(why));
        }
    }

    /// Nobody answers for the page that was shown.
    fn leave_page(&mut self) {
        self.customer_pointer.send_replace(None);
        for (_, (connection, seq)) in std::mem::take(&mut self.pending) {
            self.answer(connection, seq, Some(Refusal::CustomerAway));
        }
    }

    /// The customer looks at this tab now. The one before stops to share.
    fn look(&mut self, connection: u64, seen: bool) {
        let before = self.tabs.current().and_then(|tab| tab.line.as_ref()).map(|line| line.connection);
        let another = self.tabs.look(connection);
        if let Some(tab) = self.tabs.of(connection) {
            tab.seen = seen;
        }
        if another {
            self.leave_page();
            if let Some(before) = before.filter(|before| *before != connection) {
                self.send_tab(before, ToCustomer::Rest);
            }
        }
    }

    /// Asks the tab that is looked at for its page, and for what agents still want of it.
    fn share(&mut self) {
        if self.life.phase() != Phase::Active || self.life.is_paused() {
            return;
        }
        self.ask_for_page(Extent::News);
        for want in self.resources.outstanding() {
            self.want(want);
        }
    }

    fn expire_tabs(&mut self) {
        let now = Instant::now();
        if self.tabs.deadline().is_some_and(|at| at <= now) {
            if let Some(next) = self.tabs.expire(now) {
                let seen = self.tabs.of(next).is_some_and(|tab| tab.seen);
                self.look(next, seen);
                self.share();
            }
            self.tell_tabs();
        }
    }

    fn customer_says(&mut self, connection: u64, message: FromCustomer) {
        if self.tabs.of(connection).is_none() {
            return;
        }
        let shown = self.tabs.is_current(connection) && !self.life.is_paused();
        match message {
            FromCustomer::Pointer { at } if shown => {
                self.customer_pointer.send_replace(Some(at));
                self.happens(Event::Activity);
            }
            FromCustomer::PointerLeft if shown => {
                self.customer_pointer.send_replace(None);
            }
            FromCustomer::Clicked { at } if shown => {
                self.tell_agents(ToAgent::Clicked { at });
                self.happens(Event::Activity);
            }
            FromCustomer::Looking { url } => self.looks_at(connection, url),
            FromCustomer::LookedAway => {
                if let Some(tab) = self.tabs.of(connection) {
                    tab.seen = false;
                }
                self.tell_tabs();
            }
            FromCustomer::Answer { allow } => self.happens(Event::Answered { allow }),
            FromCustomer::TakeBack => self.happens(Event::TakenBack),
            FromCustomer::Pause => {
                self.happens(Event::Paused);
                self.leave_page();
                self.page.forget();
                self.tabs.forget_places();
            }
            // The tab that is looked at says where it is, and is asked for its page then.
            FromCustomer::Resume => self.happens(Event::Resumed),
            FromCustomer::Exit => self.happens(Event::End(EndReason::CustomerExit)),
            FromCustomer::Acted { seq, refused } => {
                if let Some((connection, seq)) = self.pending.remove(&seq) {
                    self.answer(connection, seq, refused);
                }
            }
            FromCustomer::Typed { echoes } => self.typed(&echoes[..echoes.len().min(ECHOES)]),
            FromCustomer::Frame { url } if shown => self.frame(url),
            FromCustomer::Unavailable { want } => self.resources.unavailable(want),
            // What another tab does is not told. `Alive` is answered by the socket.
            FromCustomer::Pointer { .. }
            | FromCustomer::PointerLeft
            | FromCustomer::Clicked { .. }
            | FromCustomer::Frame { .. }
            | FromCustomer::Alive => {}
        }
    }

    fn looks_at(&mut self, connection: u64, url: String) {
        let knew = self.tabs.of(connection).is_some_and(|tab| tab.url.replace(url).is_some());
        let before = self.tabs.shown();
        self.look(connection, true);
        if self.tabs.shown() != before || !knew {
            self.share();
        }
        self.tell_tabs();
    }

    /// Takes a piece of the page in and passes on what agents may see of it.
    fn show(&mut self, connection: u64, frame: PageFrame) {
        if !self.tabs.is_current(connection) || self.life.is_paused() {
            // Sent before it was told to rest.
            return;
        }
        if self.audiences.is_empty() {
            return self.close_customer(Closed::Protocol("a page that nobody asked for"));
        }
        let mut diverged = false;
        let masked = match self.page.take(frame) {
            Ok(Taken::Late) => return,
            Ok(Taken::Snapshot) => self.audiences.begin(self.page.tree()),
            Ok(Taken::Patch(changes)) => {
                self.resources.retire_pictures(&changes.retired);
                diverged = changes.diverged;
                self.audiences.update(self.page.tree(), &changes)
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
        self.pass_on(masked);
        if let Some(masker) = self.role.and_then(|role| self.audiences.get(role)).map(Audience::masker) {
            self.diary.page(masker.location());
        }
        if self.audiences.titles(self.page.tree(), self.tabs.shown()) {
            self.tell_tabs();
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

    /// What each audience may load, and what is kept from the agent, which the customer is shown.
    fn pass_on(&mut self, masked: Vec<(Role, Masked)>) {
        for (_, masked) in &masked {
            self.resources.withdraw(&masked.withdrawn);
        }
        for (role, masked) in masked {
            self.resources.refer(masked.resources);
            if Some(role) == self.role && !(masked.marks.is_empty() && masked.cleared.is_empty()) {
                self.tell_customer(ToCustomer::Private { marks: masked.marks, cleared: masked.cleared });
            }
        }
    }

    /// Other policies are in force from now on: agents see the page anew, and the customer's browser is told what
    /// it has to keep. Where that is something else than before, it sends the page again, since it may have kept
    /// what is to be seen now.
    fn adopt(&mut self, policies: Arc<Policies>) {
        let before = std::mem::replace(&mut self.policies, policies.clone());
        let masked = self.audiences.adopt(policies, self.page.tree());
        self.pass_on(masked);
        let now = self.policies.clone();
        if self.page.tree().is_some()
            && let Some(tab) = self.tabs.current()
            && tab.frames.iter().chain(&tab.url).any(|url| before.withhold(url) != now.withhold(url))
        {
            self.ask_for_page(Extent::News);
        }
    }

    /// The page went to another URL by itself: other rules may hold for what its browser withholds.
    fn follow_location(&mut self) {
        let (Some(tree), Some(tab)) = (self.page.tree(), self.tabs.current()) else { return };
        let url = tab.url.get_or_insert_default();
        if tree.location() == url {
            return;
        }
        let before = self.policies.withhold(url);
        *url = tree.location().to_owned();
        if self.policies.withhold(url) != before {
            self.withhold();
        }
    }

    /// A frame shows something of this address. More addresses than [`FRAMES`] get no answer: what is in such a
    /// frame is not shared.
    fn frame(&mut self, url: String) {
        let Some(tab) = self.tabs.current() else { return };
        if tab.frames.contains(&url) || tab.frames.len() == FRAMES || url.len() > ADDRESS {
            return;
        }
        tab.frames.push(url);
        self.withhold();
    }

    /// Tells the customer's browser what must not leave it.
    fn withhold(&mut self) {
        let policies = self.policies.clone();
        let Some(tab) = self.tabs.current() else { return };
        let Some(url) = &tab.url else { return };
        let select = policies.withhold(url);
        let frames = tab.frames.iter();
        let frames = frames.map(|url| WithheldInFrame { url: url.clone(), select: policies.withhold(url) });
        let frames = frames.collect();
        let echoing = self.echoing();
        self.tell_customer(ToCustomer::Withhold { select, frames, echoing });
    }

    /// The customer's browser withholds something: what the page says of it elsewhere goes too.
    fn typed(&mut self, echoes: &[Echo]) {
        let masked = self.audiences.typed(self.page.tree(), echoes);
        self.pass_on(masked);
    }

    fn echoing(&self) -> Echoing {
        self.audiences.echoing()
    }

    fn misfit(&mut self) {
        let Some(tab) = self.tabs.current() else { return };
        tab.misfits += 1;
        let misfits = tab.misfits;
        self.shared.metrics.customer_resyncs.inc();
        if misfits > MISFITS {
            self.close_customer(Closed::Protocol("changes that do not fit the page"));
        } else {
            self.ask_for_page(Extent::All);
        }
    }

    /// Asks for the page as it is now. The rules for withholding first, so that they hold for the snapshot.
    fn ask_for_page(&mut self, extent: Extent) {
        // Without its address nobody knows what it has to keep: it says where it is first.
        if self.tabs.current().is_none_or(|tab| tab.url.is_none()) {
            return;
        }
        let key = matches!(extent, Extent::News).then(|| rand::rng().random());
        let (epoch, held) = self.page.expect(key);
        self.withhold();
        self.tell_customer(ToCustomer::Share { epoch, held });
    }

    fn want(&mut self, want: Want) {
        // What is wanted during a pause is asked for after it.
        if !self.life.is_paused() {
            self.tell_customer(ToCustomer::Want { want: want.number, url: want.url });
        }
    }

    fn tell_customer(&mut self, message: ToCustomer) {
        self.send_customer(Outgoing::Message(message));
    }

    fn send_customer(&mut self, item: Outgoing) {
        let Some(line) = self.tabs.current().and_then(|tab| tab.line.as_ref()) else { return };
        if line.outbox.try_send(item).is_err() {
            // It does not read, or is gone: it comes back and starts with a snapshot.
            let connection = line.connection;
            self.customer_leaves(connection, AwayReason::Lost);
        }
    }

    fn send_tab(&mut self, connection: u64, message: ToCustomer) {
        let Some(line) = self.tabs.of(connection).and_then(|tab| tab.line.as_ref()) else { return };
        if line.outbox.try_send(Outgoing::Message(message)).is_err() {
            self.customer_leaves(connection, AwayReason::Lost);
        }
    }

    fn close_customer(&mut self, why: Closed) {
        let Some(connection) =
            self.tabs.current().and_then(|tab| tab.line.as_ref()).map(|line| line.connection)
        else {
            return;
        };
        self.send_customer(Outgoing::Close(why));
        self.customer_leaves(connection, AwayReason::Lost);
    }

    // The agent.

    fn agent_joins(&mut self, name: String, role: Role) -> Result<AgentLink, JoinError> {
        if self.agent.as_ref().is_some_and(|agent| agent.name != name) {
            return Err(JoinError::Taken);
        }
        self.shared.seats.take(&name, &self.id)?;
        if let Some(agent) = self.agent.as_ref().filter(|agent| agent.present) {
            let why = FeedItem::Close { connection: agent.connection, why: Closed::Replaced };
            self.audiences.tell(why);
        }
        let (first, another) = (self.role.is_none(), self.role != Some(role));
        let link = self.seat(role);
        let connection = link.connection;
        self.agent = Some(Agent { connection, name: name.clone(), present: true });
        self.role = Some(role);
        self.diary.note(Happening::Joined { name: name.clone(), role });
        self.happens(Event::AgentCame { name });
        self.publish();
        if first || another {
            self.share();
        }
        if self.life.phase() == Phase::Ended { Err(JoinError::Ended) } else { Ok(link) }
    }

    /// Nothing is shared before an agent has come, as the customer was told.
    fn watcher_joins(&mut self, name: String, role: Role) -> Result<AgentLink, JoinError> {
        if self.life.phase() != Phase::Active {
            return Err(JoinError::NotYet);
        }
        if self.watchers.len() >= self.shared.settings.watchers {
            return Err(JoinError::Full);
        }
        let link = self.seat(role);
        self.diary.note(Happening::Joined { name: name.clone(), role });
        self.watchers.push(Watcher { connection: link.connection, name, role });
        self.count_watchers();
        Ok(link)
    }

    /// A connection that sees what this role may see.
    fn seat(&mut self, role: Role) -> AgentLink {
        let connection = self.next_connection();
        let (audience, told) = self.audiences.join(role, &self.policies, self.page.tree());
        let (view, feed) = audience.join(self.page.tree());
        let tabs = audience.tabs();
        if let Some(masked) = told {
            self.pass_on(vec![(role, masked)]);
        }
        self.tell_tabs();
        AgentLink {
            connection,
            patience: self.shared.settings.timeouts.agent,
            view,
            feed,
            status: self.status.subscribe(),
            pointer: self.customer_pointer.subscribe(),
            tabs,
        }
    }

    fn agent_leaves(&mut self, connection: u64, why: AwayReason) {
        if let Some(at) = self.watchers.iter().position(|watcher| watcher.connection == connection) {
            let Watcher { name, .. } = self.watchers.remove(at);
            self.diary.note(Happening::Left { name });
            return self.count_watchers();
        }
        if !self.is_agent(connection) {
            return;
        }
        if let Some(agent) = &mut self.agent {
            agent.present = false;
            self.shared.seats.leave(&agent.name, &self.id);
            self.diary.note(Happening::Left { name: agent.name.clone() });
        }
        self.point(None);
        self.happens(Event::AgentGone(why));
    }

    fn count_watchers(&mut self) {
        let mut by: Vec<String> = self.watchers.iter().map(|watcher| watcher.name.clone()).collect();
        by.sort_unstable();
        by.dedup();
        self.happens(Event::Watched { by });
    }

    /// Shows the agent's pointer in the tab that is looked at.
    fn point(&mut self, at: Option<Point>) {
        if let Some(line) = self.tabs.current().and_then(|tab| tab.line.as_ref()) {
            line.pointer.send_replace(at);
        }
    }

    fn tell_tabs(&mut self) {
        self.audiences.tell_tabs(&self.tabs);
    }

    fn agent_says(&mut self, connection: u64, message: FromAgent) {
        if !self.is_agent(connection) {
            // Who watches does nothing, and is told so where an answer is due.
            if let FromAgent::Act { seq, .. } = message {
                self.answer(connection, seq, Some(Refusal::Watching));
            }
            return;
        }
        match message {
            FromAgent::Pointer { at } => {
                self.point(Some(at));
                self.happens(Event::Activity);
            }
            FromAgent::PointerLeft => self.point(None),
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
        if self.tabs.current().is_none() {
            return Err(Refusal::CustomerAway);
        }
        if self.pending.len() >= ACTIONS {
            return Err(Refusal::TooMany);
        }
        let audience = self.role.and_then(|role| self.audiences.get(role));
        let (Some(tree), Some(audience)) = (self.page.tree(), audience) else {
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
        self.audiences.tell(FeedItem::One { connection, event });
    }

    fn tell_agents(&self, event: ToAgent) {
        self.audiences.tell(FeedItem::All(event));
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
        for line in self.tabs.iter().filter_map(|tab| tab.line.as_ref()) {
            let _ = line.outbox.try_send(Outgoing::Close(why));
        }
        let agents = self.agent.iter().map(|agent| agent.connection);
        for connection in agents.chain(self.watchers.iter().map(|watcher| watcher.connection)) {
            self.audiences.tell(FeedItem::Close { connection, why });
        }
    }

    /// As what a connection of the console is here.
    fn role_of(&self, connection: u64) -> Option<Role> {
        let watcher = self.watchers.iter().find(|watcher| watcher.connection == connection);
        watcher.map(|watcher| watcher.role).or(self.role.filter(|_| self.is_agent(connection)))
    }

    fn is_agent(&self, connection: u64) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.present && agent.connection == connection)
    }

    fn next_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }
}
