//! What only administrators see and do: how the server is set up and what it does, the sessions that live, the agents.
//! Of what customers do, an address as the agent sees it, and nothing else.
//!
//! Whether somebody is an administrator is asked of the login for every request; a link or a token for one session
//! opens nothing here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use http::{HeaderMap, StatusCode};

use super::answer::problem;
use super::headers::{self, CONSOLE};
use super::logins::Scope;
use super::{Console, index};
use crate::protocol::admin::{
    AgentEntry, AgentList, HealthReport, LiveSession, LiveSessions, LogOut, PolicyReport,
};
use crate::protocol::agent::{Me, ProblemKind, Role};
use crate::protocol::{EndReason, SessionId};
use crate::session::{Handle, Lookup};

/// Sessions that one answer lists.
const MOST: usize = 500;

/// Where the answers come from.
#[derive(Clone)]
pub struct Reports {
    /// The policies in force and what became of changes to them.
    pub policy: Arc<dyn Fn() -> PolicyReport + Send + Sync>,
    /// How the server is.
    pub health: Arc<dyn Fn() -> HealthReport + Send + Sync>,
}

/// The pages are the console's; the answers are theirs.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/admin", routing::get(index))
        .route("/admin/{page}", routing::get(index))
        .route("/console/admin/policy", routing::get(policy))
        .route("/console/admin/health", routing::get(health))
        .route("/console/admin/sessions", routing::get(sessions))
        .route("/console/admin/session/{id}/end", routing::post(end))
        .route("/console/admin/agents", routing::get(agents))
        .route("/console/admin/logout", routing::post(log_out))
}

async fn policy(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    console.tell(&headers, |console| (console.reports.policy)())
}

async fn health(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    console.tell(&headers, |console| (console.reports.health)())
}

async fn sessions(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    console.tell(&headers, Console::live_sessions)
}

async fn agents(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    console.tell(&headers, Console::agent_list)
}

/// Ends a session for both, with the reason `administrator`. One that has ended stays as it is.
async fn end(State(console): State<Arc<Console>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let me = match console.changer(&headers) {
        Ok(me) => me,
        Err(kind) => return problem(kind),
    };
    let Ok(id) = id.parse::<SessionId>() else { return problem(ProblemKind::NoSuchSession) };
    match console.sessions.find(&id).await {
        Ok(Lookup::Live(handle)) => {
            tracing::info!(administrator = me.name, "a session is ended in the console");
            handle.end(EndReason::Administrator).await;
            (StatusCode::NO_CONTENT, CONSOLE).into_response()
        }
        Ok(Lookup::Ended(_)) => problem(ProblemKind::SessionEnded),
        Ok(Lookup::Never) => problem(ProblemKind::NoSuchSession),
        Err(error) => {
            tracing::error!(%error, "a session could not be looked up");
            problem(ProblemKind::Unavailable)
        }
    }
}

/// Ends all logins of a name; what they have open closes.
async fn log_out(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    body: Result<Json<LogOut>, JsonRejection>,
) -> Response {
    let me = match console.changer(&headers) {
        Ok(me) => me,
        Err(kind) => return problem(kind),
    };
    let Ok(Json(LogOut { name })) = body else { return problem(ProblemKind::BadRequest) };
    let logins = console.logins.revoke(&name).await;
    tracing::info!(administrator = me.name, agent = name, logins, "logins are ended in the console");
    (StatusCode::NO_CONTENT, CONSOLE).into_response()
}

impl Console {
    /// An answer for administrators.
    fn tell<T: serde::Serialize>(&self, headers: &HeaderMap, answer: impl FnOnce(&Console) -> T) -> Response {
        match self.administrator(headers) {
            Ok(_) => (CONSOLE, Json(answer(self))).into_response(),
            Err(kind) => problem(kind),
        }
    }

    /// The administrator that a request comes from.
    fn administrator(&self, headers: &HeaderMap) -> Result<Me, ProblemKind> {
        match self.logins.who(headers, Scope::Server) {
            Some(me) if me.role == Role::Admin => Ok(me),
            Some(_) => Err(ProblemKind::NotAllowed),
            None => Err(ProblemKind::LoginNeeded),
        }
    }

    /// The same, of a request that changes something: made by the console itself.
    fn changer(&self, headers: &HeaderMap) -> Result<Me, ProblemKind> {
        if !headers::is_ours(headers) {
            return Err(ProblemKind::NotAllowed);
        }
        self.administrator(headers)
    }

    fn live_sessions(&self) -> LiveSessions {
        let mut handles = self.sessions.all();
        let count = u32::try_from(handles.len()).unwrap_or(u32::MAX);
        handles.sort_unstable_by_key(|handle| (std::cmp::Reverse(handle.started()), handle.id().to_string()));
        LiveSessions { sessions: handles.iter().take(MOST).map(live).collect(), count }
    }

    fn agent_list(&self) -> AgentList {
        let mut all: BTreeMap<String, AgentEntry> = BTreeMap::new();
        let entry = |name: &str, role, filed| AgentEntry {
            name: name.to_owned(),
            role,
            filed,
            logins: 0,
            sessions: Vec::new(),
        };
        for (name, role) in self.logins.agents().iter() {
            all.insert(name.to_owned(), entry(name, role, true));
        }
        for (name, (role, logins)) in self.logins.count() {
            all.entry(name.clone()).or_insert_with(|| entry(&name, role, false)).logins = logins;
        }
        for handle in self.sessions.all() {
            let status = handle.status();
            for name in status.agent_name.iter().chain(&status.watchers) {
                if let Some(agent) = all.get_mut(name) {
                    agent.sessions.push(handle.id().clone());
                }
            }
        }
        AgentList { agents: all.into_values().collect() }
    }
}

fn live(handle: &Handle) -> LiveSession {
    let (status, about) = (handle.status(), handle.about());
    LiveSession {
        session_id: handle.id().clone(),
        phase: status.phase,
        mode: status.mode,
        paused: status.paused,
        customer: status.customer,
        agent: status.agent,
        agent_name: status.agent_name,
        watchers: status.watchers,
        age: seconds_since(handle.started()),
        page: handle.address().map(|address| address.to_string()),
        interaction_id: about.interaction.clone(),
    }
}

/// Seconds since a time in milliseconds since 1970.
pub(super) fn seconds_since(at: u64) -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u32::try_from(now.saturating_sub(u128::from(at)) / 1000).unwrap_or(u32::MAX)
}
