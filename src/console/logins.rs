//! Who is logged in to the console, and how often somebody may try.
//!
//! A login is a random secret in an `HttpOnly` cookie; the server keeps its digest, also over a restart, and forgets
//! it after [`LIFETIME`]. One that a token or a link opened may hold for a single session and for nothing else. Wrong
//! passwords are limited per name and per address, wrong session IDs per agent, wrong tokens per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::Cookie;
use http::{HeaderMap, header};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::agents::Agents;
use super::tokens::{Admitted, Tokens};
use super::tries::Tries;
use crate::protocol::SessionId;
use crate::protocol::agent::{Login, Me};
use crate::session::Links;
use crate::store::{self, Store};

/// How long a login holds: a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Logins that are remembered at one time.
const REMEMBERED: usize = 100_000;
/// Passwords that are checked at one time: each takes a core for some tens of milliseconds.
const CHECKS: usize = 2;
/// Of somebody who logged in with a password.
const COOKIE: &str = "tandem_agent";
/// Of somebody whom a token or a link let in, perhaps within a page of another site: a cookie of its own, so that it
/// takes no other login's place.
const EMBEDDED: &str = "tandem_embedded";

/// What somebody asks to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// To be known, and nothing else.
    Name,
    /// Something in one session.
    Session(&'a SessionId),
    /// Something about the server as a whole.
    Server,
}

pub(super) struct Logins {
    agents: Arc<Agents>,
    tokens: Option<Tokens>,
    links: Links,
    secure: bool,
    checks: Semaphore,
    by_name: Tries<String>,
    by_address: Tries<IpAddr>,
    guesses: Tries<String>,
    known: Mutex<HashMap<[u8; 32], Known>>,
    store: Arc<Store>,
}

struct Known {
    me: Me,
    /// The one session that it is for.
    only: Option<SessionId>,
    until: Instant,
}

/// A login as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Written {
    me: Me,
    only: Option<SessionId>,
    /// It was opened with a password: who is in the agents' file no more is not let in any more.
    password: bool,
}

pub(super) enum Denied {
    Wrong,
    /// Seconds to wait.
    TooMany(u32),
}

impl Logins {
    /// With the logins that an earlier server left, of those who may still log in, and with the role that they have now.
    pub(super) fn new(
        agents: Agents,
        store: Arc<Store>,
        tokens: Option<Tokens>,
        links: Links,
        secure: bool,
    ) -> Result<Logins, store::Error> {
        let (now, wall) = (Instant::now(), wall());
        let known = store.logins()?.into_iter().filter_map(|login| {
            let left = Duration::from_secs(login.until.saturating_sub(wall).try_into().ok()?).min(LIFETIME);
            let Written { mut me, only, password } = serde_json::from_slice(&login.who).ok()?;
            if password {
                me.role = agents.role(&me.name)?;
            }
            Some((login.digest, Known { me, only, until: now + left }))
        });
        Ok(Logins {
            known: Mutex::new(known.collect()),
            store,
            agents: Arc::new(agents),
            tokens,
            links,
            secure,
            checks: Semaphore::new(CHECKS),
            by_name: Tries::new(),
            by_address: Tries::new(),
            guesses: Tries::new(),
        })
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
        let secret = self.remember(Written { me: me.clone(), only: None, password: true }).await?;
        Ok((me, self.cookie(&secret, LIFETIME)))
    }

    /// Lets somebody in with a token that a contact centre signed, or with the secret of a link.
    pub(super) async fn admit(&self, address: IpAddr, token: &str) -> Result<(Admitted, String), Denied> {
        self.by_address.allow(&address).map_err(Denied::TooMany)?;
        let admitted = match (self.links.take(token), &self.tokens) {
            (Some((me, session)), _) => Some(Admitted { me, session: Some(session) }),
            (None, Some(tokens)) => match tokens.admit(token).await {
                Ok(admitted) => Some(admitted),
                Err(error) => {
                    tracing::info!(%address, %error, "a token was refused");
                    None
                }
            },
            (None, None) => None,
        };
        let Some(admitted) = admitted else {
            self.by_address.wrong(address);
            return Err(Denied::Wrong);
        };
        let secret = self
            .remember(Written { me: admitted.me.clone(), only: admitted.session.clone(), password: false })
            .await?;
        Ok((admitted, self.embedded_cookie(&secret, LIFETIME)))
    }

    /// Remembers a login. Answers its secret.
    async fn remember(&self, login: Written) -> Result<String, Denied> {
        let secret = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>());
        let (digest, now) = (digest(&secret), Instant::now());
        let who = serde_json::to_vec(&login).unwrap_or_default();
        {
            let mut known = lock(&self.known);
            known.retain(|_, login| login.until > now);
            if known.len() >= REMEMBERED {
                return Err(Denied::TooMany(60));
            }
            known.insert(digest, Known { me: login.me, only: login.only, until: now + LIFETIME });
        }
        let until = wall().saturating_add(LIFETIME.as_secs() as i64);
        let login = store::Login { digest, who, until };
        self.write_down("a login", move |store| store.add_login(&login)).await;
        Ok(secret)
    }

    /// A login that is not written down holds until the server is restarted.
    async fn write_down(
        &self,
        what: &str,
        write: impl FnOnce(&Store) -> Result<(), store::Error> + Send + 'static,
    ) {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || write(&store)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "{what} was not written down"),
            Err(error) => tracing::error!(%error, "{what} was not written down"),
        }
    }

    /// Forgets the logins of a browser. Answers the cookies that clear its own.
    pub(super) async fn log_out(&self, headers: &HeaderMap) -> [String; 2] {
        for secret in secrets(headers) {
            let digest = digest(&secret);
            if lock(&self.known).remove(&digest).is_some() {
                self.write_down("a logout", move |store| store.remove_login(&digest)).await;
            }
        }
        [self.cookie("", Duration::ZERO), self.embedded_cookie("", Duration::ZERO)]
    }

    /// Who a request comes from, if they may do what they ask for.
    pub(super) fn who(&self, headers: &HeaderMap, scope: Scope<'_>) -> Option<Me> {
        let (known, now) = (lock(&self.known), Instant::now());
        let fits = |login: &&Known| {
            login.until > now
                && match (scope, &login.only) {
                    (Scope::Name, _) | (_, None) => true,
                    (Scope::Session(asked), Some(only)) => asked == only,
                    (Scope::Server, Some(_)) => false,
                }
        };
        let mut logins = secrets(headers).filter_map(|secret| known.get(&digest(&secret)));
        logins.find(fits).map(|login| login.me.clone())
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

    /// Within a page of another site only a partitioned cookie is kept, and only over TLS.
    fn embedded_cookie(&self, secret: &str, lifetime: Duration) -> String {
        let site = if self.secure { "SameSite=None; Secure; Partitioned" } else { "SameSite=Lax" };
        let age = lifetime.as_secs();
        format!("{EMBEDDED}={secret}; Path=/; Max-Age={age}; HttpOnly; {site}")
    }
}

/// The secrets that a browser holds, the narrower one first.
fn secrets(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let of = |name: &'static str| {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let cookies = lines.flat_map(Cookie::split_parse).flatten();
        cookies.filter(move |cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    };
    of(EMBEDDED).chain(of(COOKIE)).take(4)
}

/// Seconds since 1970.
fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one call that completes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
