//! Who is logged in to the console, and how often somebody may try.
//!
//! A login is a random secret in an `HttpOnly` cookie; the server keeps its digest and forgets it after
//! [`LIFETIME`]. Wrong passwords are limited per name and per address, wrong session IDs per agent.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;
use http::{HeaderMap, header};
use rand::RngExt as _;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::agents::Agents;
use super::tries::Tries;
use crate::protocol::agent::{Login, Me};

/// How long a login holds: a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Logins that are remembered at one time.
const REMEMBERED: usize = 100_000;
/// Passwords that are checked at one time: each takes a core for some tens of milliseconds.
const CHECKS: usize = 2;
const COOKIE: &str = "tandem_agent";
pub(super) struct Logins {
    agents: Arc<Agents>,
    secure: bool,
    checks: Semaphore,
    by_name: Tries<String>,
    by_address: Tries<IpAddr>,
    guesses: Tries<String>,
    known: Mutex<HashMap<[u8; 32], (Me, Instant)>>,
}

pub(super) enum Denied {
    Wrong,
    /// Seconds to wait.
    TooMany(u32),
}

impl Logins {
    pub(super) fn new(agents: Agents, secure: bool) -> Logins {
        Logins {
            agents: Arc::new(agents),
            secure,
            checks: Semaphore::new(CHECKS),
            by_name: Tries::new(),
            by_address: Tries::new(),
            guesses: Tries::new(),
            known: Mutex::default(),
        }
    }

    /// Checks name and password. Answers who it is and the cookie to set.
    pub(super) async fn log_in(&self, address: IpAddr, login: Login) -> Result<(Me, String), Denied> {
        // Names are bounded before they are remembered.
        let name: String = login.username.chars().take(64).collect();
        let Ok(_turn) = self.checks.acquire().await else { return Err(Denied::TooMany(1)) };
        self.by_address.allow(&address).map_err(Denied::TooMany)?;
        self.by_name.allow(&name).map_err(Denied::TooMany)?;
        let (agents, username, password) = (self.agents.clone(), login.username.clone(), login.password);
        let check = tokio::task::spawn_blocking(move || agents.verify(&username, &password));
        let Ok(Some(role)) = check.await else {
            tracing::info!(%address, "a login was refused");
            self.by_address.wrong(address);
            self.by_name.wrong(name);
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
            lock(&self.known).remove(&digest(&secret));
        }
        self.cookie("", Duration::ZERO)
    }

    /// Who a request comes from.
    pub(super) fn who(&self, headers: &HeaderMap) -> Option<Me> {
        let known = lock(&self.known);
        let (me, until) = known.get(&digest(&secret(headers)?))?;
        (*until > Instant::now()).then(|| me.clone())
    }

    /// Whether an agent may try another session ID, or how many seconds to wait.
    pub(super) fn may_guess(&self, me: &Me) -> Result<(), u32> {
        self.guesses.allow(&me.name)
    }

    /// An agent tried a session ID that leads nowhere.
    pub(super) fn guessed_wrong(&self, me: &Me) {
        self.guesses.wrong(me.name.clone());
    }

    fn cookie(&self, secret: &str, lifetime: Duration) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = lifetime.as_secs();
        format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }
}

fn secret(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == COOKIE).map(|cookie| cookie.value().to_owned())
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one call that completes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
