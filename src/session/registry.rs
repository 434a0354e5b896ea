//! All sessions that live on this server, by ID and by the customer's key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::actor;
use super::handle::Handle;
use super::key::{CustomerKey, KeyDigest};
use super::metrics::Metrics;
use super::{lifecycle, resources};
use crate::dom;
use crate::policy::{Policies, ResourceNames};
use crate::protocol::{EndReason, SessionId};
use crate::store::{self, Known, Store};

/// What holds for every session.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a session waits for whom.
    pub timeouts: lifecycle::Timeouts,
    /// Bounds on a session's images, styles and fonts.
    pub resources: resources::Limits,
    /// Bounds on the copy of a page.
    pub page: dom::Limits,
    /// Sessions at one time.
    pub sessions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeouts: Default::default(),
            resources: Default::default(),
            page: Default::default(),
            sessions: 10_000,
        }
    }
}

/// Starts sessions and finds them.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) policies: watch::Sender<Arc<Policies>>,
    pub(super) store: Arc<Store>,
    pub(super) metrics: Metrics,
    pub(super) stop: CancellationToken,
    tasks: TaskTracker,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    by_id: HashMap<SessionId, Handle>,
    by_key: HashMap<KeyDigest, SessionId>,
}

/// What an ID leads to.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// A session that lives.
    Live(Handle),
    /// One that ended.
    Ended,
    /// Nothing, ever.
    Never,
}

/// Why a session can not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The limit `session.max_sessions` is reached.
    #[error("too many sessions at one time")]
    TooMany,
    /// The server is about to stop.
    #[error("the server is stopping")]
    Stopping,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Sessions {
    /// A door to no sessions yet. Sessions run on `tasks` and end when `stop` is cancelled.
    pub fn new(
        settings: Settings,
        policies: Arc<Policies>,
        store: Arc<Store>,
        metrics: Metrics,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Sessions {
        Sessions {
            shared: Arc::new(Shared {
                settings,
                policies: watch::Sender::new(policies),
                store,
                metrics,
                stop,
                tasks,
                live: Mutex::default(),
            }),
        }
    }

    /// Puts other policies in force, for the sessions that live and for those to come.
    pub fn adopt(&self, policies: Arc<Policies>) {
        self.shared.policies.send_replace(policies);
    }

    /// Starts a session for a customer.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(&self) -> Result<(Handle, CustomerKey), StartError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(StartError::Stopping);
        }
        if shared.live().by_id.len() >= shared.settings.sessions {
            return Err(StartError::TooMany);
        }
        let id = self.unused_id().await?;
        let key = CustomerKey::random();
        let names = ResourceNames::new(rand::rng().random(), format!("/session/{id}/resource/"));
        let (handle, run) = actor::session(id.clone(), names, shared.clone());
        let mut live = shared.live();
        live.by_id.insert(id.clone(), handle.clone());
        live.by_key.insert(key.digest(), id.clone());
        drop(live);
        shared.metrics.began();
        let guard =
            Removal { shared: shared.clone(), id: id.clone(), key: key.digest(), reason: EndReason::Error };
        shared.tasks.spawn(async move {
            let mut guard = guard;
            guard.reason = run.await;
        });
        tracing::info!(session = %short(&id), "session started");
        Ok((handle, key))
    }

    /// An ID that no session ever had.
    async fn unused_id(&self) -> Result<SessionId, StartError> {
        loop {
            let id = SessionId::from_digits(std::array::from_fn(|_| {
                rand::rng().random_range(0..SessionId::radix())
            }));
            let (store, text) = (self.shared.store.clone(), id.to_string());
            if off_the_reactor(move || store.claim(&text)).await? {
                return Ok(id);
            }
        }
    }

    /// What an ID leads to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, id: &SessionId) -> Result<Lookup, store::Error> {
        if let Some(handle) = self.shared.live().by_id.get(id) {
            return Ok(Lookup::Live(handle.clone()));
        }
        let (store, text) = (self.shared.store.clone(), id.to_string());
        Ok(match off_the_reactor(move || store.known(&text)).await? {
            Known::Never => Lookup::Never,
            Known::Open | Known::Ended(_) => Lookup::Ended,
        })
    }

    /// The session that a customer's browser belongs to.
    pub fn of_customer(&self, key: &CustomerKey) -> Option<Handle> {
        let live = self.shared.live();
        live.by_key.get(&key.digest()).and_then(|id| live.by_id.get(id)).cloned()
    }

    /// How many sessions live.
    pub fn count(&self) -> usize {
        self.shared.live().by_id.len()
    }
}

impl Shared {
    fn live(&self) -> MutexGuard<'_, Live> {
        // Both maps change together and nothing between can panic.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a session off the lists when its task is over, also when that panicked.
struct Removal {
    shared: Arc<Shared>,
    id: SessionId,
    key: KeyDigest,
    reason: EndReason,
}

impl Drop for Removal {
    fn drop(&mut self) {
        let mut live = self.shared.live();
        live.by_id.remove(&self.id);
        live.by_key.remove(&self.key);
        drop(live);
        self.shared.metrics.ended(self.reason);
        tracing::info!(session = %short(&self.id), reason = self.reason.as_str(), "session ended");
        let (store, id, reason) = (self.shared.store.clone(), self.id.to_string(), self.reason.as_str());
        let record = move || {
            if let Err(error) = store.end(&id, reason) {
                tracing::error!(%error, "the end of a session was not recorded");
            }
        };
        self.shared.tasks.spawn_blocking(record);
    }
}

/// What the log calls a session: enough to tell sessions apart, too little to join one.
fn short(id: &SessionId) -> String {
    id.to_string().chars().take(3).collect()
}

async fn off_the_reactor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, store::Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(store::Error::Poisoned))
}
