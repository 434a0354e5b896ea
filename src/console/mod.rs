//! The agents' HTTP: the console's pages, login, looking up a session, and the resources of a session by
//! capability. Everything but the login page needs a login; every answer carries strict headers.

mod admin;
pub mod agents;
mod answer;
mod headers;
mod logins;
mod ranges;
pub mod tokens;
mod tries;
mod waiting;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};

pub use self::admin::Reports;
use self::agents::Agents;
use self::answer::problem;
use self::headers::{CONSOLE, Documents, RESOURCE};
pub use self::logins::Pass;
use self::logins::{Denied, Logins, Scope};
use self::tokens::Tokens;
use crate::protocol::agent::{Admission, Login, Me, ProblemKind, Token};
use crate::protocol::{Phase, SessionId};
use crate::session::resources::Missing;
use crate::session::{Links, Lookup, Seat, Sessions};
use crate::store::{self, Store};

/// What the browser is given: built from `injector/src/agent`.
#[derive(Debug, Clone, Copy)]
pub struct Assets {
    /// The console's page.
    pub index: &'static str,
    /// The empty document that the mirror fills.
    pub mirror: &'static str,
    /// The console's script.
    pub script: &'static str,
    /// The console's style sheet.
    pub style: &'static str,
}

/// Who may come in, for how long, and where the console may be shown.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose tokens are believed; none: nobody's.
    pub tokens: Option<tokens::Settings>,
    /// Origins whose pages may show the console in a frame.
    pub ancestors: Vec<String>,
    /// How long a login holds.
    pub login_lifetime: Duration,
    /// Whether agents see which sessions wait, without being told an ID.
    pub list_waiting: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            tokens: None,
            ancestors: Vec::new(),
            // A working day.
            login_lifetime: Duration::from_secs(12 * 3600),
            list_waiting: false,
        }
    }
}

/// The agents' side of the server.
pub struct Console {
    sessions: Sessions,
    logins: Logins,
    documents: Documents,
    assets: Assets,
    reports: Reports,
    list_waiting: bool,
}

impl Console {
    /// `secure` says whether agents reach the console over TLS, so that the cookie is `Secure`.
    ///
    /// # Errors
    /// When the logins of an earlier server can not be read.
    pub fn new(
        sessions: Sessions,
        agents: Agents,
        store: Arc<Store>,
        settings: Settings,
        links: Links,
        (assets, reports): (Assets, Reports),
        secure: bool,
    ) -> Result<Arc<Console>, store::Error> {
        let tokens = settings.tokens.map(Tokens::new);
        let logins = Logins::new(agents, store, tokens, links, (secure, settings.login_lifetime))?;
        let documents = Documents::new(&settings.ancestors);
        let list_waiting = settings.list_waiting;
        Ok(Arc::new(Console { sessions, logins, documents, assets, reports, list_waiting }))
    }

    /// Who a request for a session comes from, if they are logged in and may do something in it.
    pub fn who(&self, headers: &HeaderMap, session: &SessionId) -> Option<Me> {
        self.logins.who(headers, Scope::Session(session))
    }

    /// The same, for a connection that stays open. Session IDs are tried in this way, too: no more often than in any
    /// other.
    ///
    /// # Errors
    /// Whether a login is needed, or patience.
    pub fn admit(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
        session: &SessionId,
    ) -> Result<Pass, ProblemKind> {
        let pass = self.logins.pass(headers, Scope::Session(session)).ok_or(ProblemKind::LoginNeeded)?;
        match self.logins.may_guess(&pass.me, address) {
            Ok(()) => Ok(pass),
            Err(_) => Err(ProblemKind::TooManyTries),
        }
    }

    /// Somebody who was admitted named a session that there is not.
    pub fn guessed_wrong(&self, me: &Me, address: IpAddr) {
        self.logins.guessed_wrong(me, address);
    }

    /// Another agents' file is in force. Answers how many logins ended by that.
    pub async fn adopt(&self, agents: Agents) -> usize {
        self.logins.adopt(agents).await
    }

    /// All routes of the console but the socket.
    pub fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(index))
            .route("/session/{id}", get(index))
            .route("/mirror", get(mirror))
            .route("/assets/agent.js", get(script))
            .route("/assets/agent.css", get(style))
            .route("/session/{id}/resource/{capability}", get(resource))
            .route("/console/login", post(login))
            .route("/console/token", post(token))
            .route("/console/logout", post(logout))
            .route("/console/me", get(me))
            .route("/console/session/{id}", get(session))
            .route("/console/waiting", get(waiting::list))
            .merge(admin::routes())
            .with_state(self.clone())
    }
}

async fn index(State(console): State<Arc<Console>>) -> Response {
    (console.documents.console.clone(), Html(console.assets.index)).into_response()
}

async fn mirror(State(console): State<Arc<Console>>) -> Response {
    (console.documents.mirror.clone(), Html(console.assets.mirror)).into_response()
}

async fn script(State(console): State<Arc<Console>>) -> Response {
    (CONSOLE, [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], console.assets.script)
        .into_response()
}

async fn style(State(console): State<Arc<Console>>) -> Response {
    (CONSOLE, [(header::CONTENT_TYPE, "text/css; charset=utf-8")], console.assets.style).into_response()
}

async fn login(
    State(console): State<Arc<Console>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Login>, JsonRejection>,
) -> Response {
    if !headers::is_ours(&headers) {
        return problem(ProblemKind::NotAllowed);
    }
    let Ok(Json(login)) = body else { return problem(ProblemKind::BadRequest) };
    match console.logins.log_in(address.ip(), login).await {
        Ok((me, cookie)) => (CONSOLE, [(header::SET_COOKIE, cookie)], Json(me)).into_response(),
        Err(Denied::Wrong) => problem(ProblemKind::WrongLogin),
        Err(Denied::TooMany(wait)) => answer::later(wait),
    }
}

/// Lets an agent in whom another system vouches for.
async fn token(
    State(console): State<Arc<Console>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Token>, JsonRejection>,
) -> Response {
    if !headers::is_ours(&headers) {
        return problem(ProblemKind::NotAllowed);
    }
    let Ok(Json(Token { token })) = body else { return problem(ProblemKind::BadRequest) };
    match console.logins.admit(address.ip(), &token).await {
        Ok((admitted, cookie)) => {
            let admission = Admission { me: admitted.me, session_id: admitted.session };
            (CONSOLE, [(header::SET_COOKIE, cookie)], Json(admission)).into_response()
        }
        Err(Denied::Wrong) => problem(ProblemKind::WrongToken),
        Err(Denied::TooMany(wait)) => answer::later(wait),
    }
}

async fn logout(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    if !headers::is_ours(&headers) {
        return problem(ProblemKind::NotAllowed);
    }
    let cookies = console.logins.log_out(&headers).await.map(|cookie| (header::SET_COOKIE, cookie));
    (StatusCode::NO_CONTENT, CONSOLE, AppendHeaders(cookies)).into_response()
}

async fn me(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    match console.logins.who(&headers, Scope::Name) {
        Some(me) => (CONSOLE, Json(me)).into_response(),
        None => problem(ProblemKind::LoginNeeded),
    }
}

/// Whether an agent can join a session: the answer to an ID as it was typed. Wrong ones are counted.
async fn session(
    State(console): State<Arc<Console>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(me) = console.logins.who(&headers, Scope::Name) else {
        return problem(ProblemKind::LoginNeeded);
    };
    if let Err(wait) = console.logins.may_guess(&me, address.ip()) {
        return answer::later(wait);
    }
    let wrong = |kind| {
        console.logins.guessed_wrong(&me, address.ip());
        problem(kind)
    };
    let Ok(id) = id.parse::<SessionId>() else { return wrong(ProblemKind::NoSuchSession) };
    let Some(me) = console.who(&headers, &id) else { return wrong(ProblemKind::NotAllowed) };
    match console.sessions.find(&id).await {
        Ok(Lookup::Live(handle)) => {
            let status = handle.status();
            let watches = Seat::of(me.role) == Seat::Watcher;
            let taken = status.agent_name.as_ref().is_some_and(|name| *name != me.name);
            match status.phase {
                Phase::Ended => problem(ProblemKind::SessionEnded),
                Phase::Idle if watches => problem(ProblemKind::NothingToWatch),
                _ if !watches && taken => problem(ProblemKind::SessionTaken),
                _ if !watches && console.sessions.may_join(&me.name, &id).is_err() => {
                    problem(ProblemKind::AgentBusy)
                }
                _ => (CONSOLE, Json(serde_json::json!({ "sessionId": id }))).into_response(),
            }
        }
        Ok(Lookup::Ended(_)) => wrong(ProblemKind::SessionEnded),
        Ok(Lookup::Never) => wrong(ProblemKind::NoSuchSession),
        Err(error) => {
            tracing::error!(%error, "a session could not be looked up");
            problem(ProblemKind::Unavailable)
        }
    }
}

/// A resource by its capability. Who asks must also hold the session, or watch it.
async fn resource(
    State(console): State<Arc<Console>>,
    Path((id, capability)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse::<SessionId>() else { return StatusCode::NOT_FOUND.into_response() };
    let Some(me) = console.who(&headers, &id) else { return StatusCode::UNAUTHORIZED.into_response() };
    // Whether there is a session that one is not in is not told here, where nobody counts tries.
    let Some(handle) = console.sessions.living(&id).filter(|handle| handle.admits(&me.name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match handle.resources().show(&capability).await {
        Ok(resource) => {
            let known = headers
                .get(header::IF_NONE_MATCH)
                .is_some_and(|tag| tag.as_bytes() == resource.etag.as_bytes());
            let etag = [(header::ETAG, resource.etag.clone())];
            if known {
                return (StatusCode::NOT_MODIFIED, RESOURCE, etag).into_response();
            }
            let kind = [(header::CONTENT_TYPE, resource.content_type.clone())];
            let length = resource.bytes.len();
            let ranges = [(header::ACCEPT_RANGES, "bytes")];
            match ranges::wanted(&headers, &resource.etag, length) {
                None => (RESOURCE, etag, kind, ranges, resource.bytes.clone()).into_response(),
                Some((from, to)) => {
                    let part = resource.bytes.slice(from..=to);
                    let range = [(header::CONTENT_RANGE, format!("bytes {from}-{to}/{length}"))];
                    (StatusCode::PARTIAL_CONTENT, RESOURCE, etag, kind, ranges, range, part).into_response()
                }
            }
        }
        Err(Missing::Unknown | Missing::Unavailable) => (StatusCode::NOT_FOUND, RESOURCE).into_response(),
        Err(Missing::Late) => (StatusCode::GATEWAY_TIMEOUT, RESOURCE).into_response(),
    }
}
