//! Who may sit where: what a role does in a session, and in how many sessions an agent works at a time. The one
//! place where roles are told apart.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::link::JoinError;
use crate::protocol::SessionId;
use crate::protocol::agent::Role;

/// What somebody of the console does in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Holds it: points, asks for Write mode, ends it.
    Agent,
    /// Sees what the role may see, and does nothing.
    Watcher,
}

impl Seat {
    /// The seat of a role.
    pub fn of(role: Role) -> Seat {
        match role {
            Role::Agent | Role::Admin => Seat::Agent,
            Role::Supervisor => Seat::Watcher,
        }
    }
}

/// In which sessions agents are now.
#[derive(Debug)]
pub(super) struct Seats {
    each: usize,
    taken: Mutex<HashMap<String, Vec<SessionId>>>,
}

impl Seats {
    /// `each`: sessions in which one agent may work at a time.
    pub(super) fn new(each: usize) -> Seats {
        Seats { each, taken: Mutex::default() }
    }

    /// Whether an agent may work in this session too.
    pub(super) fn check(&self, name: &str, session: &SessionId) -> Result<(), JoinError> {
        let taken = self.lock();
        let others = taken.get(name).into_iter().flatten().filter(|other| *other != session);
        if others.count() < self.each { Ok(()) } else { Err(JoinError::Busy) }
    }

    /// An agent comes to a session.
    pub(super) fn take(&self, name: &str, session: &SessionId) -> Result<(), JoinError> {
        self.check(name, session)?;
        let mut taken = self.lock();
        let mine = taken.entry(name.to_owned()).or_default();
        if !mine.contains(session) {
            mine.push(session.clone());
        }
        Ok(())
    }

    /// An agent goes, or the session ends.
    pub(super) fn leave(&self, name: &str, session: &SessionId) {
        let mut taken = self.lock();
        let Some(mine) = taken.get_mut(name) else { return };
        mine.retain(|other| other != session);
        if mine.is_empty() {
            taken.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<SessionId>>> {
        // Every change under the lock is complete before anything that could panic.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
