//! The sessions that somebody can join without being told an ID: where the settings list them.
//!
//! Agents see those that wait for one, those who watch see those that have one. What a session is about is there to
//! choose by; of its page nothing, since nothing is shared before an agent has joined.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::Console;
use super::admin::seconds_since;
use super::answer::problem;
use super::headers::CONSOLE;
use super::logins::Scope;
use crate::protocol::Phase;
use crate::protocol::admin::{Waiting, WaitingSession};
use crate::protocol::agent::{ProblemKind, Role};
use crate::session::{Handle, Seat};

/// Sessions that one answer lists.
const MOST: usize = 100;

pub(super) async fn list(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    if console.logins.who(&headers, Scope::Name).is_none() {
        return problem(ProblemKind::LoginNeeded);
    }
    // Who came for one session has no choice.
    let all = console.logins.who(&headers, Scope::Server).map(|me| console.waiting(me.role));
    (CONSOLE, Json(all.unwrap_or(Waiting { sessions: None }))).into_response()
}

impl Console {
    fn waiting(&self, role: Role) -> Waiting {
        if !self.list_waiting {
            return Waiting { sessions: None };
        }
        let phase = match Seat::of(role) {
            Seat::Agent => Phase::Idle,
            Seat::Watcher => Phase::Active,
        };
        let mut handles = self.sessions.all();
        handles.retain(|handle| handle.status().phase == phase);
        handles.sort_unstable_by_key(Handle::started);
        Waiting { sessions: Some(handles.iter().take(MOST).map(waiting).collect()) }
    }
}

fn waiting(handle: &Handle) -> WaitingSession {
    let about = handle.about();
    WaitingSession {
        session_id: handle.id().clone(),
        age: seconds_since(handle.started()),
        agent_name: handle.status().agent_name,
        interaction_id: about.interaction.clone(),
        metadata: about.metadata.clone(),
    }
}
