//! What reached the shop: the last requests with their form fields, for the tests and for the curious.
//!
//! Bounded by count and by text, whatever is sent. Fields that hold passwords or tokens are kept as `***`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::Shop;

/// One request as it reached the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Counts the requests of this shop from 1; never reused.
    pub number: u64,
    /// The method, as sent.
    pub method: String,
    /// Path and query, as sent; cut at 2,000 bytes.
    pub path: String,
    /// The status that the shop answered.
    pub status: u16,
    /// The fields of a form that was posted, in order; passwords and tokens as `***`. Empty when there was none.
    pub form: Vec<(String, String)>,
}

/// A form that was posted, in the order of its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Form {
        let fields = form_urlencoded::parse(body).take(MAX_FIELDS);
        Form(fields.map(|(name, value)| (cut(&name, MAX_NAME), cut(&value, MAX_VALUE))).collect())
    }

    /// The first value of a field without the space around it; empty when it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default().trim()
    }

    /// The first value of a field, just as it was sent.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field, as a `select multiple` sends them.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn without_secrets(self) -> Vec<(String, String)> {
        let secret = |name: &str| name.contains("password") || name == "csrf";
        let fields = self.0.into_iter();
        fields.map(|(name, value)| if secret(&name) { (name, "***".into()) } else { (name, value) }).collect()
    }
}

/// The bounded log.
#[derive(Default)]
pub(super) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    kept: VecDeque<Request>,
    bytes: usize,
    last: u64,
}

impl Log {
    /// The requests numbered above `number`, oldest first.
    pub(super) fn since(&self, number: u64) -> Vec<Request> {
        self.entries().kept.iter().filter(|request| request.number > number).cloned().collect()
    }

    fn add(&self, method: &Method, path: &str, status: StatusCode, form: Form) {
        let (method, path, form) = (method.to_string(), cut(path, MAX_PATH), form.without_secrets());
        let mut entries = self.entries();
        entries.last += 1;
        let request = Request { number: entries.last, method, path, status: status.as_u16(), form };
        entries.bytes += weight(&request);
        entries.kept.push_back(request);
        while entries.kept.len() > MAX_REQUESTS || entries.bytes > MAX_BYTES {
            let Some(oldest) = entries.kept.pop_front() else { break };
            entries.bytes -= weight(&oldest);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a posted form once, for the handlers and for the log, and writes down how the request was answered.
pub(super) async fn record(
    State(shop): State<Shop>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let method = parts.method.clone();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let (form, body) = match read_form(&parts.headers, &method, body).await {
        Ok(read) => read,
        Err(refusal) => {
            shop.0.log.add(&method, &path, refusal, Form::default());
            return refusal.into_response();
        }
    };
    parts.extensions.insert(form.clone());
    let response = next.run(axum::extract::Request::from_parts(parts, body)).await;
    shop.0.log.add(&method, &path, response.status(), form);
    response
}

async fn read_form(headers: &HeaderMap, method: &Method, body: Body) -> Result<(Form, Body), StatusCode> {
    if method != Method::POST {
        return Ok((Form::default(), body));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BODY) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_form = kind.starts_with(b"application/x-www-form-urlencoded");
    let form = if is_form { Form::parse(&bytes) } else { Form::default() };
    Ok((form, Body::from(bytes)))
}

/// `?since=NUMBER` leaves out what a test has already seen.
#[derive(Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    since: u64,
}

/// `GET /__log`: the log as JSON, for peers on this machine only. Not logged itself.
pub(super) async fn show(
    State(shop): State<Shop>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Query(Since { since }): Query<Since>,
) -> Response {
    // A proxy on this machine is a loopback peer for everybody it serves; what it says about them counts too.
    let local = peer.is_some_and(|peer| peer.0.0.ip().to_canonical().is_loopback());
    let on_behalf_of_another = headers.get_all("x-forwarded-for").iter().any(|value| {
        let hops = value.to_str().unwrap_or("unreadable").split(',');
        hops.into_iter().any(|hop| !hop.trim().parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()))
    });
    if !local || on_behalf_of_another {
        return (StatusCode::FORBIDDEN, "The log is for this machine only.\n").into_response();
    }
    Json(shop.0.log.since(since)).into_response()
}

fn weight(request: &Request) -> usize {
    let fields: usize = request.form.iter().map(|(name, value)| name.len() + value.len() + FIELD_COST).sum();
    request.path.len() + request.method.len() + fields
}

/// The first `limit` bytes of `text`, or a little less: never half a character.
fn cut(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].to_owned()
}

const MAX_REQUESTS: usize = 10_000;
const MAX_BYTES: usize = 16 << 20;
const MAX_PATH: usize = 2_000;
const MAX_NAME: usize = 100;
const MAX_VALUE: usize = 4_000;
const MAX_FIELDS: usize = 64;

/// A form of this shop is a few hundred bytes.
const MAX_BODY: usize = 64 << 10;

/// What a field costs beside its text: two `String`s.
const FIELD_COST: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_the_last_ten_thousand() {
        let log = Log::default();
        for n in 0..MAX_REQUESTS + 5 {
            log.add(&Method::GET, &format!("/{n}"), StatusCode::OK, Form::default());
        }
        let kept = log.since(0);
        assert_eq!(kept.len(), MAX_REQUESTS);
        assert_eq!(kept[0].path, "/5");
        assert_eq!(log.since(10_003).len(), 2);
    }

    #[test]
    fn the_log_is_bounded_in_bytes_too() {
        let log = Log::default();
        let body = format!("a={}&b={}", "x".repeat(9_000), "é".repeat(9_000));
        for _ in 0..5_000 {
            log.add(&Method::POST, &"/p".repeat(5_000), StatusCode::OK, Form::parse(body.as_bytes()));
        }
        let entries = log.entries();
        assert!(entries.bytes <= MAX_BYTES);
        assert_eq!(entries.bytes, entries.kept.iter().map(weight).sum::<usize>());
        assert!(entries.kept.len() > 1_000, "the budget holds more than {}", entries.kept.len());
    }

    #[test]
    fn passwords_and_tokens_are_not_kept() {
        let form = Form::parse(b"email=a%40b&password=hunter2&new-password=x&csrf=t&color=red&color=blue");
        assert_eq!(form.all("color").collect::<Vec<_>>(), ["red", "blue"]);
        let kept = format!("{:?}", form.without_secrets());
        assert!(
            kept.contains("a@b")
                && !kept.contains("hunter2")
                && !kept.contains("\"x\"")
                && !kept.contains("\"t\"")
        );
    }
}
