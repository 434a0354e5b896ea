//! The one table that turns what went wrong into what a browser of the console is told.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use super::headers::CONSOLE;
use crate::protocol::agent::{Problem, ProblemKind};

/// An answer that says what is wrong.
pub(super) fn problem(error: ProblemKind) -> Response {
    let status = match error {
        ProblemKind::WrongLogin | ProblemKind::WrongToken | ProblemKind::LoginNeeded => {
            StatusCode::UNAUTHORIZED
        }
        ProblemKind::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
        ProblemKind::NoSuchSession => StatusCode::NOT_FOUND,
        ProblemKind::SessionEnded => StatusCode::GONE,
        ProblemKind::SessionTaken | ProblemKind::AgentBusy | ProblemKind::NothingToWatch => {
            StatusCode::CONFLICT
        }
        ProblemKind::NotAllowed => StatusCode::FORBIDDEN,
        ProblemKind::BadRequest => StatusCode::BAD_REQUEST,
        ProblemKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, CONSOLE, Json(Problem { error, retry_after: None })).into_response()
}

/// Too many tries: come again after so many seconds.
pub(super) fn later(seconds: u32) -> Response {
    let problem = Problem { error: ProblemKind::TooManyTries, retry_after: Some(seconds) };
    let wait = [(header::RETRY_AFTER, seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, CONSOLE, wait, Json(problem)).into_response()
}
