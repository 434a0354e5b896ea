//! What only administrators see: how the server is set up and what it does, never what customers do.
//!
//! Whether somebody is an administrator is asked of the login for every request; a link or a token for one session
//! opens nothing here.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use http::HeaderMap;

use super::answer::problem;
use super::headers::CONSOLE;
use super::logins::Scope;
use super::{Console, index};
use crate::protocol::agent::{PolicyReport, ProblemKind, Role};

/// Where the answers come from.
#[derive(Clone)]
pub struct Reports {
    /// The policies in force and what became of changes to them.
    pub policy: Arc<dyn Fn() -> PolicyReport + Send + Sync>,
}

/// The pages are the console's; the answers are theirs.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/admin", routing::get(index)).route("/console/admin/policy", routing::get(policy))
}

async fn policy(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    match console.administrator(&headers) {
        Ok(()) => (CONSOLE, Json((console.reports.policy)())).into_response(),
        Err(kind) => problem(kind),
    }
}

impl Console {
    /// Whether a request comes from an administrator.
    fn administrator(&self, headers: &HeaderMap) -> Result<(), ProblemKind> {
        match self.logins.who(headers, Scope::Server) {
            Some(me) if me.role == Role::Admin => Ok(()),
            Some(_) => Err(ProblemKind::NotAllowed),
            None => Err(ProblemKind::LoginNeeded),
        }
    }
}
