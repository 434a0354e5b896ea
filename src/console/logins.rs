//! Who is logged in to the console, and how often somebody may try.
//!
//! A login is a random secret in an `HttpOnly` cookie; the server keeps its digest and forgets it after
//! [`LIFETIME`]. Wrong passwords are limited per name and per address, wrong session IDs per agent.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, header};
use rand::RngExt as _;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::agents::Agents;
use crate::protocol::agent::{Login, Me};

/// How long a login holds: a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Logins that are remembered at one time.
const REMEMBERED: usize = 100_000;
/// Passwords that are checked at one time: each takes a core for some tens of milliseconds.
const CHECKS: usize = 2;
const COOKIE: &str = "tandem_agent";
/// Wrong tries in a row; after them one in [`TRY_EVERY`].
const TRIES: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const TRY_EVERY: Duration = Duration::from_secs(6);

pub(super) struct Logins {
    agents: Arc<Agents>,
    secure: bool,
    checks: Semaphore,
    by_name: DefaultKeyedRateLimiter<String>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    guesses: Mutex<HashMap<String, Guesses>>,
    known: Mutex<HashMap<[u8; 32], (Me, Instant)>>,
}

/// Wrong session IDs of one agent.
struct Guesses {
    left: u32,
    since: Instant,
}

pub(super) enum Denied {
    Wrong,
    /// Seconds to wait.
    TooMany(u32),
}

impl Logins {
    pub(super) fn new(agents: Agents, secure: bool) -> Logins {
        let quota = Quota::with_period(TRY_EVERY).expect("the period is not zero").allow_burst(TRIES);
        Logins {
            agents: Arc::new(agents),
            secure,
            checks: Semaphore::new(CHECKS),
            by_name: RateLimiter::keyed(quota),
            by_address: RateLimiter::keyed(quota),
            guesses: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Checks name and password. Answers who it is and the cookie to set.
    pub(super) async fn log_in(&self, address: IpAddr, login: Login) -> Result<(Me, String), Denied> {
        let now = DefaultClock::default().now();
        let wait = |until: governor::NotUntil<_>| Denied::TooMany(seconds(until.wait_time_from(now)));
        self.by_address.check_key(&address).map_err(wait)?;
        self.by_name.check_key(&login.username.chars().take(64).collect()).map_err(wait)?;
        let Ok(_turn) = self.checks.acquire().await else { return Err(Denied::TooMany(1)) };
        let (agents, name, password) = (self.agents.clone(), login.username.clone(), login.password);
        let check = tokio::task::spawn_blocking(move || agents.verify(&name, &password));
        let Ok(Some(role)) = check.await else {
            tracing::info!(%address, "a login was refused");
            return Err(Denied::Wrong);
        };
        let me = Me { name: login.username, role };
        let secret = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>());
        let mut known = lock(&self.known);
        known.retain(|_, (_, until)| *until > Instant::now());
        if known.len() >= REMEMBERED {
            return Err(Denied::TooMany(60));
        }
        known.insert(digest(&secret), (me.clone(), Instant::now() + LIFETIME));
        Ok((me, self.cookie(&secret, LIFETIME)))
    }

    /// Forgets a login. Answers the cookie that clears the browser's.
    pub(super) fn log_out(&self, headers: &HeaderMap) -> String {
        if let Some(secret) = secret(headers) {
            lock(&self.known).remove(&digest(secret));
        }
        self.cookie("", Duration::ZERO)
    }

    /// Who a request comes from.
    pub(super) fn who(&self, headers: &HeaderMap) -> Option<Me> {
        let known = lock(&self.known);
        let (me, until) = known.get(&digest(secret(headers)?))?;
        (*until > Instant::now()).then(|| me.clone())
    }

    /// Whether an agent may try another session ID, or how many seconds to wait.
    pub(super) fn may_guess(&self, me: &Me) -> Result<(), u32> {
        let guesses = lock(&self.guesses);
        match guesses.get(&me.name) {
            Some(guesses) if guesses.left == 0 && guesses.since.elapsed() < TRY_EVERY => {
                Err(seconds(TRY_EVERY.saturating_sub(guesses.since.elapsed())))
            }
            _ => Ok(()),
        }
    }

    /// An agent tried a session ID that leads nowhere.
    pub(super) fn guessed_wrong(&self, me: &Me) {
        let mut guesses = lock(&self.guesses);
        let now = Instant::now();
        let entry = guesses.entry(me.name.clone()).or_insert(Guesses { left: TRIES.get(), since: now });
        let earned = now.duration_since(entry.since).as_secs() / TRY_EVERY.as_secs();
        entry.left =
            (entry.left + u32::try_from(earned).unwrap_or(u32::MAX)).min(TRIES.get()).saturating_sub(1);
        entry.since = now;
    }

    fn cookie(&self, secret: &str, lifetime: Duration) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = lifetime.as_secs();
        format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }
}

fn secret(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == COOKIE).then_some(value))
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whole seconds, at least one.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one call that completes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
