//! Long work of a session, where no other session waits for it.

use super::Session;

/// Nodes that are worked on right where the message comes in: some milliseconds at most.
pub(super) const LIGHT: usize = 2_000;

impl Session {
    /// Whether work on the whole page takes long enough to be in other sessions' way.
    pub(super) fn is_heavy(&self) -> bool {
        self.page.tree().is_some_and(|tree| tree.len() > LIGHT)
    }

    /// Does long work on a thread where nobody waits for the next turn. The session does nothing else meanwhile, so
    /// that the order stays; only so many sessions do it at a time.
    pub(super) async fn apart(mut self, work: impl FnOnce(&mut Session) + Send + 'static) -> Session {
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
}
