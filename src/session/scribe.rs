//! Writes down what has to outlive the server: of each session the newest record and everything that happened, many
//! sessions in one transaction. Sessions never wait for it, except for the word that they have ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::protocol::{EndReason, SessionId};
use crate::store::{self, Note, Store};

/// How long to wait before what could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What waits to be written. Bounded by the number of sessions, each of which notes a bounded number of things.
pub(super) struct Scribe {
    store: Arc<Store>,
    waiting: Mutex<HashMap<SessionId, Note>>,
    some: Notify,
    /// Whoever writes holds it, so that nothing is written of a session after its end.
    turn: tokio::sync::Mutex<()>,
}

impl Scribe {
    pub(super) fn new(store: Arc<Store>) -> Scribe {
        Scribe { store, waiting: Mutex::default(), some: Notify::new(), turn: Default::default() }
    }

    /// Adds to what is to be written of a session.
    pub(super) fn note(&self, id: &SessionId, note: Note) {
        add(self.lock().entry(id.clone()).or_default(), note);
        self.some.notify_one();
    }

    /// Writes what is noted, until dropped.
    pub(super) async fn run(&self) {
        loop {
            self.some.notified().await;
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "what sessions noted could not be written; trying again");
                tokio::time::sleep(AGAIN).await;
                self.some.notify_one();
            }
        }
    }

    /// Writes what is noted until now.
    pub(super) async fn flush(&self) -> Result<(), store::Error> {
        let _turn = self.turn.lock().await;
        let waiting = std::mem::take(&mut *self.lock());
        if waiting.is_empty() {
            return Ok(());
        }
        let notes: Arc<Vec<_>> =
            Arc::new(waiting.into_iter().map(|(id, note)| (id.to_string(), note)).collect());
        let (store, written) = (self.store.clone(), notes.clone());
        let done = off_the_reactor(move || store.note(&written)).await;
        if done.is_err() {
            let mut waiting = self.lock();
            for (id, note) in notes.iter() {
                let Ok(id) = id.parse::<SessionId>() else { continue };
                let newer = waiting.remove(&id);
                let mut note = note.clone();
                newer.into_iter().for_each(|newer| add(&mut note, newer));
                waiting.insert(id, note);
            }
        }
        done
    }

    /// Records the end of a session, together with what is still to be written of it.
    pub(super) async fn end(&self, id: &SessionId, reason: EndReason, last: Note) {
        let _turn = self.turn.lock().await;
        let ending = self.ending(id, reason, last);
        let _ = off_the_reactor(move || {
            ending();
            Ok(())
        })
        .await;
    }

    /// The same for a session whose task died, to be done where nobody waits.
    pub(super) fn ending(
        &self,
        id: &SessionId,
        reason: EndReason,
        last: Note,
    ) -> impl FnOnce() + Send + 'static {
        let mut note = self.lock().remove(id).unwrap_or_default();
        add(&mut note, last);
        let (store, id) = (self.store.clone(), id.to_string());
        move || {
            if let Err(error) = store.end(&id, reason.as_str(), &note) {
                tracing::error!(%error, "the end of a session was not recorded");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Note>> {
        // Every change under the lock is complete before anything that could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newer one's word counts; what happened is kept in order.
fn add(note: &mut Note, newer: Note) {
    note.record = newer.record.or(note.record.take());
    note.about = newer.about.or(note.about.take());
    note.events.extend(newer.events);
}

/// Runs what waits for the disk where nobody waits for it.
pub(super) async fn off_the_reactor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(store::Error::Poisoned))
}
