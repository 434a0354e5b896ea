//! The agent's side of a session's task: who joins gets a seat, and what the one in it says happens.

use std::sync::Arc;

use super::{Agent, Session, Watcher};
use crate::protocol::agent::{Answer, FromAgent, Role, ToAgent};
use crate::protocol::customer::ToCustomer;
use crate::protocol::session::AwayReason;
use crate::protocol::{EndReason, Phase, Point, Refusal};
use crate::session::history::Happening;
use crate::session::lifecycle::Event;
use crate::session::link::{AgentLink, Closed, FeedItem, Fresh, JoinError};

impl Session {
    pub(super) fn agent_joins(&mut self, name: String, role: Role) -> Result<AgentLink, JoinError> {
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
        self.agent = Some(Agent::new(connection, name.clone()));
        self.role = Some(role);
        self.diary.note(Happening::Joined { name: name.clone(), role });
        self.happens(Event::AgentCame { name });
        self.publish();
        if first || another {
            self.share();
        }
        if self.life.phase() == Phase::Ended { Err(JoinError::Ended) } else { Ok(link) }
    }

    /// A connection that sees what this role may see.
    pub(super) fn seat(&mut self, role: Role) -> AgentLink {
        let connection = self.next_connection();
        if let Some(masked) = self.audiences.join(role, &self.policies, self.page.tree()) {
            self.pass_on(vec![(role, masked)]);
        }
        let audience = self.audiences.of(role, &self.policies);
        let (view, feed) = audience.join(self.page.tree());
        let tabs = audience.tabs();
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

    /// Everything anew for a connection that missed something.
    pub(super) fn fresh(&self, connection: u64) -> Option<Fresh> {
        let audience = self.role_of(connection).and_then(|role| self.audiences.get(role))?;
        let (view, feed) = audience.join(self.page.tree());
        let agent = self.agent.as_ref().filter(|agent| agent.connection == connection);
        let answers = agent.into_iter().flat_map(|agent| &agent.answers);
        let answers = answers.map(|answer| Answer { at: self.seen(answer.at), ..answer.clone() }).collect();
        Some(Fresh { view, feed, answers })
    }

    pub(super) fn agent_leaves(&mut self, connection: u64, why: AwayReason) {
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

    pub(super) fn agent_says(&mut self, connection: u64, message: FromAgent) {
        if !self.is_agent(connection) {
            // Who watches does nothing, and is told so where an answer is due.
            if let FromAgent::Act { seq, .. } = message {
                self.answer(connection, seq, Refusal::Watching);
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
            FromAgent::Act { seq, epoch, action } => {
                self.happens(Event::Activity);
                if let Err(refusal) = self.act(connection, seq, epoch, action) {
                    self.answer(connection, seq, refusal);
                }
            }
            FromAgent::Exit => self.happens(Event::End(EndReason::AgentExit)),
            // The socket turns it into `AgentResync`, which has an answer, or answers by itself.
            FromAgent::Resync { .. } | FromAgent::Alive => {}
        }
    }

    /// Shows the agent's pointer in the tab that is looked at.
    pub(super) fn point(&mut self, at: Option<Point>) {
        if let Some(line) = self.tabs.current().and_then(|tab| tab.line.as_ref()) {
            line.pointer.send_replace(at);
        }
    }

    pub(super) fn tell_tabs(&mut self) {
        self.audiences.tell_tabs(&self.tabs);
    }

    pub(super) fn tell_agents(&self, event: ToAgent) {
        self.audiences.tell(FeedItem::All(Arc::new(event)));
    }

    pub(super) fn is_agent(&self, connection: u64) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.present && agent.connection == connection)
    }
}
