//! Who is logged in to the console, and how often somebody may try.
//!
//! A login is a random secret in an `HttpOnly` cookie; the server keeps its digest, also over a restart, and forgets
//! it after a time, at a logout, when an administrator ends it, and when its agent is changed in the agents' file or gone
//! from it: then what it has open closes, too. One that a token or a link opened may hold for a single session and for
//! nothing else. Wrong passwords are limited per name and per address, wrong session IDs per agent and per address,
//! wrong tokens per address.

use std::collections::{BTreeMap, HashMap};
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
use tokio_util::sync::CancellationToken;

use super::agents::Agents;
use super::tokens::{Admitted, Tokens};
use super::tries::{Patience, Tries};
use crate::protocol::SessionId;
use crate::protocol::agent::{Login, Me, Role};
use crate::session::Links;
use crate::store::{self, Store};

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

/// Somebody who is let in.
#[derive(Debug, Clone)]
pub struct Pass {
    /// Who.
    pub me: Me,
    /// Cancelled when the login ends before its time: whatever it has open closes.
    pub revoked: CancellationToken,
}

pub(super) struct Logins {
    agents: Mutex<Arc<Agents>>,
    lifetime: Duration,
    tokens: Option<Tokens>,
    links: Links,
    secure: bool,
    checks: Semaphore,
    by_name: Tries<String>,
    by_address: Tries<IpAddr>,
    guesses: Tries<String>,
    guesses_by_address: Tries<IpAddr>,
    known: Mutex<HashMap<[u8; 32], Known>>,
    store: Arc<Store>,
}

struct Known {
    pass: Pass,
    /// The one session that it is for.
    only: Option<SessionId>,
    until: Instant,
    /// Of the agent in the file, where a password opened it.
    mark: Option<String>,
}

/// A login as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Written {
    me: Me,
    only: Option<SessionId>,
    /// It was opened with a password: who is in the agents' file no more, or is another one there, is not let in.
    password: bool,
    /// [`Agents::mark`] at that time.
    #[serde(default)]
    mark: Option<String>,
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
        (secure, lifetime): (bool, Duration),
    ) -> Result<Logins, store::Error> {
        let (now, wall) = (Instant::now(), wall());
        let known = store.logins()?.into_iter().filter_map(|login| {
            let left = Duration::from_secs(login.until.saturating_sub(wall).try_into().ok()?).min(lifetime);
            let Written { mut me, only, password, mark } = serde_json::from_slice(&login.who).ok()?;
            let mark = mark.or_else(|| agents.mark(&me.name).filter(|_| password));
            if password {
                me.role = agents.role(&me.name)?;
                if mark != agents.mark(&me.name) {
                    return None;
                }
            }
            let pass = Pass { me, revoked: CancellationToken::new() };
            Some((login.digest, Known { pass, only, until: now + left, mark }))
        });
        Ok(Logins {
            known: Mutex::new(known.collect()),
            store,
            agents: Mutex::new(Arc::new(agents)),
            lifetime,
            tokens,
            links,
            secure,
            checks: Semaphore::new(CHECKS),
            by_name: Tries::new(Patience::PERSON),
            by_address: Tries::new(Patience::PERSON),
            guesses: Tries::new(Patience::PERSON),
            guesses_by_address: Tries::new(Patience::CROWD),
        })
    }

    /// Checks name and password. Answers who it is and the cookie to set.
    pub(super) async fn log_in(&self, address: IpAddr, login: Login) -> Result<(Me, String), Denied> {
        // Names are bounded before they are remembered.
        let name: String = login.username.chars().take(64).collect();
        let Ok(_turn) = self.checks.acquire().await else { return Err(Denied::TooMany(1)) };
        self.by_address.allow(&address).map_err(Denied::TooMany)?;
        self.by_name.allow(&name).map_err(Denied::TooMany)?;
        let (agents, username, password) = (self.agents(), login.username.clone(), login.password);
        let check = tokio::task::spawn_blocking(move || {
            Some((agents.verify(&username, &password)?, agents.mark(&username)))
        });
        let Ok(Some((role, mark))) = check.await else {
            tracing::info!(%address, "a login was refused");
            self.by_address.wrong(address);
            self.by_name.wrong(name);
            return Err(Denied::Wrong);
        };
        let me = Me { name: login.username, role };
        let secret = self.remember(Written { me: me.clone(), only: None, password: true, mark }).await?;
        Ok((me, self.cookie(&secret, self.lifetime)))
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
        let (me, only) = (admitted.me.clone(), admitted.session.clone());
        let secret = self.remember(Written { me, only, password: false, mark: None }).await?;
        Ok((admitted, self.embedded_cookie(&secret, self.lifetime)))
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
            // The file may have changed since the password was checked.
            if login.password && self.agents().mark(&login.me.name) != login.mark {
                return Err(Denied::Wrong);
            }
            let pass = Pass { me: login.me, revoked: CancellationToken::new() };
            let until = now + self.lifetime;
            known.insert(digest, Known { pass, only: login.only, until, mark: login.mark });
        }
        let until = wall().saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX));
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
            let known = lock(&self.known).remove(&digest);
            if let Some(login) = known {
                login.pass.revoked.cancel();
                self.write_down("a logout", move |store| store.remove_login(&digest)).await;
            }
        }
        [self.cookie("", Duration::ZERO), self.embedded_cookie("", Duration::ZERO)]
    }

    /// Who a request comes from, if they may do what they ask for.
    pub(super) fn who(&self, headers: &HeaderMap, scope: Scope<'_>) -> Option<Me> {
        self.pass(headers, scope).map(|pass| pass.me)
    }

    /// The same, for something that stays open.
    pub(super) fn pass(&self, headers: &HeaderMap, scope: Scope<'_>) -> Option<Pass> {
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
        logins.find(fits).map(|login| login.pass.clone())
    }

    /// Whether an agent may try another session ID, or how many seconds to wait.
    pub(super) fn may_guess(&self, me: &Me, address: IpAddr) -> Result<(), u32> {
        self.guesses.allow(&me.name).and_then(|()| self.guesses_by_address.allow(&address))
    }

    /// An agent tried a session ID that leads nowhere.
    pub(super) fn guessed_wrong(&self, me: &Me, address: IpAddr) {
        self.guesses.wrong(me.name.clone());
        self.guesses_by_address.wrong(address);
    }

    /// Everybody in the agents' file.
    pub(super) fn agents(&self) -> Arc<Agents> {
        lock(&self.agents).clone()
    }

    /// How many logins of each name hold now.
    pub(super) fn count(&self) -> BTreeMap<String, (Role, u32)> {
        let (mut names, now) = (BTreeMap::new(), Instant::now());
        for login in lock(&self.known).values().filter(|login| login.until > now) {
            let Me { name, role } = &login.pass.me;
            names.entry(name.clone()).or_insert((*role, 0)).1 += 1;
        }
        names
    }

    /// Another agents' file is in force. Answers how many logins ended: of those who are gone from it, or have another
    /// password or role.
    pub(super) async fn adopt(&self, agents: Agents) -> usize {
        let agents = Arc::new(agents);
        *lock(&self.agents) = agents.clone();
        self.revoke_where(|login| login.mark.is_some() && agents.mark(&login.pass.me.name) != login.mark)
            .await
    }

    /// Ends all logins of a name. Answers how many.
    pub(super) async fn revoke(&self, name: &str) -> usize {
        self.revoke_where(|login| login.pass.me.name == name).await
    }

    async fn revoke_where(&self, which: impl Fn(&Known) -> bool) -> usize {
        let mut gone = Vec::new();
        lock(&self.known).retain(|digest, login| {
            let stays = !which(login);
            if !stays {
                login.pass.revoked.cancel();
                gone.push(*digest);
            }
            stays
        });
        let count = gone.len();
        if count > 0 {
            self.write_down("the end of a login", move |store| {
                gone.iter().try_for_each(|digest| store.remove_login(digest))
            })
            .await;
        }
        count
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
