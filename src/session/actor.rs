//! The task of one session: takes one message at a time, so that everything about a session has one order.

mod actions;
mod agent;
mod apart;
mod customer;
mod insets;
mod page;
mod watchers;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::audience::Audiences;
use super::diary::Diary;
use super::doing::Doing;
use super::handle::{Command, Handle};
use super::history::Happening;
use super::insets::Insets;
use super::lifecycle::{Event, Lifecycle};
use super::link::{Closed, FeedItem, Outgoing};
use super::page::Page;
use super::record::{About, Record};
use super::registry::Shared;
use super::repairs::Repairs;
use super::resources::{Resources, Want};
use super::seats::Seat;
use super::tabs::Tabs;
use crate::policy::{Policies, ResourceNames};
use crate::protocol::agent::{Answer, Role};
use crate::protocol::{EndReason, Position, SessionId, Status};

/// Messages that wait for a session's task before who sends them has to wait.
const INBOX: usize = 64;
/// Resources that may be asked of the customer's browser at one time.
const WANTS: usize = 128;

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
    let shown = watch::Sender::new(None);
    let handle = Handle {
        id: id.clone(),
        inbox,
        resources: resources.clone(),
        status: status.subscribe(),
        about: about.subscribe(),
        shown: shown.subscribe(),
        started: shared.clock.wall(life.started()),
        site_name: site_name.clone(),
    };
    let mut news = shared.policies.subscribe();
    let policies = news.borrow_and_update().clone();
    let mut audiences = Audiences::new(names);
    if let Some(role) = role {
        audiences.of(role, &policies);
    }
    let agent = life.status(now).agent_name.map(|name| Agent { present: false, ..Agent::new(0, name) });
    let mut session = Session {
        policies,
        diary,
        about,
        shown,
        role,
        page: Page::new(shared.settings.page),
        id,
        site_name,
        shared,
        life,
        status,
        resources,
        audiences,
        tabs: Tabs::default(),
        insets: Insets::default(),
        agent,
        watchers: Vec::new(),
        customer_pointer: watch::Sender::new(None),
        pending: HashMap::new(),
        acts: 0,
        doing: Doing::default(),
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
    site_name: Arc<str>,
    shared: Arc<Shared>,
    policies: Arc<Policies>,
    diary: Diary,
    about: watch::Sender<Arc<About>>,
    /// The address of the page, as far as those who run the server may know it.
    shown: watch::Sender<Option<Arc<str>>>,
    /// As what the agent joined.
    role: Option<Role>,
    life: Lifecycle,
    status: watch::Sender<Status>,
    resources: Arc<Resources>,
    page: Page,
    audiences: Audiences,
    tabs: Tabs,
    insets: Insets,
    agent: Option<Agent>,
    watchers: Vec<Watcher>,
    customer_pointer: watch::Sender<Option<Position>>,
    /// Our number of an action that is under way → whose it is and its number there.
    pending: HashMap<u32, (u64, u32)>,
    acts: u32,
    doing: Doing,
    connections: u64,
    repairs: Repairs,
}

struct Agent {
    connection: u64,
    name: String,
    present: bool,
    slow: bool,
    /// The last answers to their actions.
    answers: VecDeque<Answer>,
}

impl Agent {
    fn new(connection: u64, name: String) -> Agent {
        Agent { connection, name, present: true, slow: false, answers: VecDeque::new() }
    }
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
                    if command.weight() > apart::LIGHT || (command.is_about_page() && self.is_heavy()) {
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

    fn take(&mut self, command: Command) {
        match command {
            Command::CustomerJoin { hello, reply } => self.customer_joins(hello, reply),
            Command::InsetJoin { ticket, url, reply } => self.inset_joins(&ticket, url, reply),
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
                if let Some(fresh) = self.fresh(connection) {
                    let _ = reply.send(fresh);
                }
            }
            Command::AgentLeft { connection, why } => self.agent_leaves(connection, why),
            Command::Paced { connection, slow } => self.paced(connection, slow),
            Command::Attach { about, reply } => {
                self.diary.about(&about);
                self.about.send_replace(Arc::new(about));
                let _ = reply.send(());
            }
            Command::Saves { url, reply } => {
                let _ = reply.send(self.saves(&url));
            }
            Command::End { reason } => self.happens(Event::End(reason)),
        }
    }

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
        let mut status = self.life.status(Instant::now());
        status.customer_slow = self.tabs.is_slow();
        status.agent_slow = self.agent.as_ref().is_some_and(|agent| agent.present && agent.slow);
        self.status.send_replace(status);
    }

    /// How fast a line is says nothing about whether somebody is there: no limit depends on it.
    fn paced(&mut self, connection: u64, slow: bool) {
        if let Some(line) = self.tabs.of(connection).and_then(|tab| tab.line.as_mut()) {
            line.slow = slow;
        } else if let Some(agent) = self.agent.as_mut().filter(|agent| agent.connection == connection) {
            agent.slow = slow;
        } else {
            return;
        }
        self.publish();
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

    fn next_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }
}
