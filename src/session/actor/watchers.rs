//! Those who watch a session and do nothing in it.

use super::{Session, Watcher};
use crate::protocol::Phase;
use crate::protocol::agent::Role;
use crate::session::history::Happening;
use crate::session::lifecycle::Event;
use crate::session::link::{AgentLink, JoinError};

impl Session {
    /// Nothing is shared before an agent has come, as the customer was told.
    pub(super) fn watcher_joins(&mut self, name: String, role: Role) -> Result<AgentLink, JoinError> {
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

    pub(super) fn count_watchers(&mut self) {
        let mut by: Vec<String> = self.watchers.iter().map(|watcher| watcher.name.clone()).collect();
        by.sort_unstable();
        by.dedup();
        self.happens(Event::Watched { by });
    }

    /// As what a connection of the console is here.
    pub(super) fn role_of(&self, connection: u64) -> Option<Role> {
        let watcher = self.watchers.iter().find(|watcher| watcher.connection == connection);
        watcher.map(|watcher| watcher.role).or(self.role.filter(|_| self.is_agent(connection)))
    }
}
