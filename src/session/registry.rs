//! All sessions that live on this server, by ID and by the customer's key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::actor::{self, Fate, Seed};
use super::clock::Clock;
use super::handle::Handle;
use super::key::{CustomerKey, KeyDigest};
use super::lifecycle::Lifecycle;
use super::metrics::Metrics;
use super::record::{About, Record};
use super::scribe::{Scribe, off_the_reactor};
use super::seats::Seats;
use super::{JoinError, history, lifecycle, resources};
use crate::dom;
use crate::policy::{Policies, ResourceNames};
use crate::protocol::{EndReason, SessionId, Status};
use crate::store::{self, Known, Note, Store};

/// How often old history is looked for.
const FORGETTING: Duration = Duration::from_secs(3600);

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
    /// Sessions in which one agent may work at a time.
    pub per_agent: usize,
    /// Connections that may watch one session beside its agent.
    pub watchers: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeouts: Default::default(),
            resources: Default::default(),
            page: Default::default(),
            sessions: 10_000,
            per_agent: 1,
            watchers: 8,
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
    pub(super) clock: Clock,
    pub(super) scribe: Scribe,
    pub(super) metrics: Metrics,
    pub(super) seats: Seats,
    pub(super) stop: CancellationToken,
    /// Who may do long work at the same time.
    pub(super) apart: Arc<Semaphore>,
    store: Arc<Store>,
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
    /// One that ended, and why.
    Ended(EndReason),
    /// Nothing, ever.
    Never,
}

/// What is known of a session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Milliseconds since 1970.
    pub started: u64,
    /// Milliseconds since 1970.
    pub ended: u64,
    /// Why.
    pub reason: EndReason,
    /// As last said; forgotten with its history.
    pub about: About,
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
    /// A door to no sessions yet. Sessions run on `tasks`; when `stop` is cancelled they stay in the store, for the
    /// next server to go on with.
    pub fn new(
        settings: Settings,
        policies: Arc<Policies>,
        store: Arc<Store>,
        metrics: Metrics,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Sessions {
        let shared = Arc::new(Shared {
            seats: Seats::new(settings.per_agent),
            settings,
            policies: watch::Sender::new(policies),
            clock: Clock::now(),
            metrics,
            scribe: Scribe::new(store.clone()),
            store,
            stop,
            apart: Arc::new(Semaphore::new(threads())),
            tasks,
            live: Mutex::default(),
        });
        let (scribe, stop) = (shared.clone(), shared.stop.clone());
        shared.tasks.spawn(async move { stop.run_until_cancelled(scribe.scribe.run()).await });
        Sessions { shared }
    }

    /// Puts other policies in force, for the sessions that live and for those to come.
    pub fn adopt(&self, policies: Arc<Policies>) {
        self.shared.policies.send_replace(policies);
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<Policies> {
        self.shared.policies.borrow().clone()
    }

    /// Goes on with the sessions that an earlier server left open. Answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn restore(&self) -> Result<usize, store::Error> {
        let store = self.shared.store.clone();
        let open = off_the_reactor(move || store.open_sessions()).await?;
        let mut restored = 0;
        for session in open {
            let Ok(id) = session.id.parse::<SessionId>() else { continue };
            let key = KeyDigest::from_bytes(&session.key);
            let record = session.record.as_deref().and_then(Record::from_bytes);
            let (Some(key), Some(record)) = (key, record) else {
                // Of a version that noted less.
                self.shared.scribe.end(&id, EndReason::ServerShutdown, Note::default()).await;
                continue;
            };
            let about = session.about.as_deref().and_then(About::from_bytes).unwrap_or_default();
            self.launch(id, key, Seed::Restored { record, about });
            restored += 1;
        }
        Ok(restored)
    }

    /// Starts a session for a customer.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(&self, about: About) -> Result<(Handle, CustomerKey), StartError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(StartError::Stopping);
        }
        if shared.live().by_id.len() >= shared.settings.sessions {
            return Err(StartError::TooMany);
        }
        let key = CustomerKey::random();
        let id = self.unused_id(key.digest()).await?;
        let handle = self.launch(id.clone(), key.digest(), Seed::New { about });
        shared.metrics.started();
        tracing::info!(session = %short(&id), "session started");
        Ok((handle, key))
    }

    fn launch(&self, id: SessionId, key: KeyDigest, seed: Seed) -> Handle {
        let shared = &self.shared;
        let names = ResourceNames::new(key.derive("resources"), format!("/session/{id}/resource/"));
        let site_name = key.site_name().into();
        let (handle, run) = actor::session(id.clone(), names, site_name, seed, shared.clone());
        let mut live = shared.live();
        live.by_id.insert(id.clone(), handle.clone());
        live.by_key.insert(key, id.clone());
        drop(live);
        shared.metrics.active.inc();
        let status = handle.status.clone();
        let guard = Removal { shared: shared.clone(), id, key, status, fate: None };
        shared.tasks.spawn(async move {
            let mut guard = guard;
            guard.fate = Some(run.await);
        });
        handle
    }

    /// An ID that no session ever had, taken for the customer of this key.
    async fn unused_id(&self, key: KeyDigest) -> Result<SessionId, StartError> {
        let life = Lifecycle::start(self.shared.settings.timeouts, Instant::now());
        let record = Record::new(life.save(&self.shared.clock), None).to_bytes();
        loop {
            let id = SessionId::from_digits(std::array::from_fn(|_| {
                rand::rng().random_range(0..SessionId::radix())
            }));
            let (store, text, record) = (self.shared.store.clone(), id.to_string(), record.clone());
            if off_the_reactor(move || store.claim(&text, key.as_bytes(), &record)).await? {
                return Ok(id);
            }
        }
    }

    /// Writes down what is still to be written: the last thing before a server ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn flush(&self) -> Result<(), store::Error> {
        self.shared.scribe.flush().await
    }

    /// What happened in a session, in order; empty when it was forgotten or never was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self, id: &SessionId) -> Result<Vec<history::Entry>, store::Error> {
        self.flush().await?;
        let (store, id) = (self.shared.store.clone(), id.to_string());
        let events = off_the_reactor(move || store.events(&id)).await?;
        Ok(events.iter().filter_map(history::Entry::from_event).collect())
    }

    /// Forgets what happened more than `age` ago, again and again until dropped.
    pub async fn forget(&self, age: Duration) {
        let mut rounds = tokio::time::interval(FORGETTING);
        loop {
            rounds.tick().await;
            let before = self.shared.clock.wall(Instant::now()) / 1000;
            let before = i64::try_from(before.saturating_sub(age.as_secs())).unwrap_or(0);
            let store = self.shared.store.clone();
            match off_the_reactor(move || store.forget(before)).await {
                Ok(0) => {}
                Ok(events) => tracing::info!(events, "old history was forgotten"),
                Err(error) => tracing::error!(%error, "old history could not be forgotten"),
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
            // In the store and not here: its task died, or is about to write down its end.
            Known::Open => Lookup::Ended(EndReason::Error),
            Known::Ended(reason) => Lookup::Ended(EndReason::from_word(&reason).unwrap_or(EndReason::Error)),
        })
    }

    /// The session of an ID, if it lives here.
    pub fn living(&self, id: &SessionId) -> Option<Handle> {
        self.shared.live().by_id.get(id).cloned()
    }

    /// Every session that lives.
    pub fn all(&self) -> Vec<Handle> {
        self.shared.live().by_id.values().cloned().collect()
    }

    /// A session that has ended, as far as it is still known. None when it lives or never was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn past(&self, id: &SessionId) -> Result<Option<Past>, store::Error> {
        let (store, text) = (self.shared.store.clone(), id.to_string());
        let Some(past) = off_the_reactor(move || store.past(&text)).await? else { return Ok(None) };
        let millis = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        Ok(Some(Past {
            started: millis(past.started),
            ended: millis(past.ended),
            reason: EndReason::from_word(&past.reason).unwrap_or(EndReason::Error),
            about: past.about.as_deref().and_then(About::from_bytes).unwrap_or_default(),
        }))
    }

    /// The session that a customer's browser belongs to.
    pub fn of_customer(&self, key: &CustomerKey) -> Option<Handle> {
        let live = self.shared.live();
        live.by_key.get(&key.digest()).and_then(|id| live.by_id.get(id)).cloned()
    }

    /// The session that the site's server knows by this name.
    pub fn of_site_name(&self, name: &str) -> Option<Handle> {
        let live = self.shared.live();
        live.by_id.values().find(|handle| handle.site_name() == name).cloned()
    }

    /// Whether an agent who may work in so many sessions may join this one too.
    ///
    /// # Errors
    /// [`JoinError::Busy`].
    pub fn may_join(&self, name: &str, id: &SessionId) -> Result<(), JoinError> {
        self.shared.seats.check(name, id)
    }

    /// Why the session that a customer's browser belonged to ended. None when it is not known, or lives.
    pub async fn end_of(&self, key: &CustomerKey) -> Option<EndReason> {
        let (store, key) = (self.shared.store.clone(), key.digest());
        let reason = off_the_reactor(move || store.end_of(key.as_bytes())).await;
        reason
            .inspect_err(|error| tracing::error!(%error, "an end could not be looked up"))
            .ok()?
            .as_deref()
            .and_then(EndReason::from_word)
    }

    /// Whether the server stops: those whose session is not found are to come back.
    pub fn are_stopping(&self) -> bool {
        self.shared.stop.is_cancelled()
    }

    /// A stop waits for who holds this, that they can say so.
    pub fn attendance(&self) -> TaskTrackerToken {
        self.shared.tasks.token()
    }

    /// How many may live.
    pub fn limit(&self) -> usize {
        self.shared.settings.sessions
    }

    /// What they count.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// How many sessions live.
    pub fn count(&self) -> usize {
        self.shared.live().by_id.len()
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// As many as there are processors.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
    status: watch::Receiver<Status>,
    fate: Option<Fate>,
}

impl Drop for Removal {
    fn drop(&mut self) {
        let mut live = self.shared.live();
        live.by_id.remove(&self.id);
        live.by_key.remove(&self.key);
        drop(live);
        if let Some(name) = self.status.borrow().agent_name.as_deref() {
            self.shared.seats.leave(name, &self.id);
        }
        match self.fate {
            Some(Fate::Suspended) => self.shared.metrics.suspended(),
            Some(Fate::Ended(reason)) => {
                self.shared.metrics.ended(reason);
                tracing::info!(session = %short(&self.id), reason = reason.as_str(), "session ended");
            }
            None => {
                tracing::error!(session = %short(&self.id), "a session's task died");
                let reason = EndReason::Error;
                self.shared.metrics.ended(reason);
                self.shared.tasks.spawn_blocking(self.shared.scribe.ending(
                    &self.id,
                    reason,
                    Note::default(),
                ));
            }
        }
    }
}

/// What the log calls a session: enough to tell sessions apart, too little to join one.
pub(super) fn short(id: &SessionId) -> String {
    id.to_string().chars().take(3).collect()
}
