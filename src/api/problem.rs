//! The one table that turns what went wrong into an answer (RFC 9457).

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::session::TooMuch;
use crate::store;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("a key of the API is needed: Authorization: Bearer …")]
    KeyNeeded,
    #[error("this key has no right to do that")]
    NotAllowed,
    #[error("too many requests with this key")]
    TooOften { seconds: u64 },
    #[error("no session has this ID")]
    NoSuchSession,
    #[error("the session has ended")]
    SessionEnded,
    #[error("there is nothing at this address")]
    NoSuchRoute,
    #[error("this address takes other methods")]
    NoSuchMethod,
    #[error("{0}")]
    Path(#[from] PathRejection),
    #[error("{0}")]
    Query(#[from] QueryRejection),
    #[error("{0}")]
    Body(#[from] JsonRejection),
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    #[error("{0}")]
    Wrong(&'static str),
    #[error("the server can not do that now")]
    Unavailable,
}

/// RFC 9457 section 3.1.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDetails {
    /// The same for all problems of a kind.
    title: &'static str,
    /// As in the status line.
    status: u16,
    /// What is wrong, in a sentence.
    detail: String,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Problem::KeyNeeded => StatusCode::UNAUTHORIZED,
            Problem::NotAllowed => StatusCode::FORBIDDEN,
            Problem::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::NoSuchSession | Problem::NoSuchRoute | Problem::Path(_) => StatusCode::NOT_FOUND,
            Problem::SessionEnded => StatusCode::CONFLICT,
            Problem::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Query(_) | Problem::Wrong(_) => StatusCode::BAD_REQUEST,
            Problem::TooMuch(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Body(rejection) => rejection.status(),
            Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        tracing::error!(%error, "the API could not use the store");
        Problem::Unavailable
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let details = ProblemDetails {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
        };
        let mut response = (status, Json(details)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Problem::KeyNeeded => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Problem::TooOften { seconds } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}

pub(super) async fn no_such_route() -> Problem {
    Problem::NoSuchRoute
}

pub(super) async fn no_such_method() -> Problem {
    Problem::NoSuchMethod
}
