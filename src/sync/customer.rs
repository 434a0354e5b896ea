//! The customer's side, under `/.tandem/` on the site's own host: start a session, the socket, the bytes of
//! resources that the server asked for. The customer's key in an `HttpOnly` cookie is what opens the last two.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use url::Url;

use super::socket::{self, CloseCode, Finished, Heard, Received, closing, ended, gone};
use super::{OURS, cookie, is_same_origin};
use crate::protocol::customer::{Act, ActTag, FromCustomer, Start, Started, ToCustomer};
use crate::protocol::page::{self, PageFrame};
use crate::protocol::wire::{LARGE, Malformed};
use crate::protocol::{Action, EndReason, Phase};
use crate::session::{
    About, CustomerKey, CustomerLink, Handle, Hello, Outgoing, Sessions, StartError, TOO_LARGE,
};

/// Bytes of what a session is said to be about.
const ABOUT: usize = 256 << 10;
/// The name of the cookie that holds the customer's key.
pub const COOKIE: &str = "tandem";

/// Characters of a tab's name that count.
const TAB: usize = 64;

/// Addresses that are remembered before those that started nothing lately are forgotten.
const ADDRESSES: usize = 10_000;

/// What the customer's side is run with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bounds on a connection.
    pub socket: socket::Limits,
    /// Bounds on a page frame.
    pub page: page::Limits,
    /// Bytes of a resource that a browser may bring.
    pub resource: usize,
    /// Sessions that one address may start in a minute.
    pub starts: NonZeroU32,
    /// Whether browsers reach the site over TLS, so that the cookie is `Secure`.
    pub secure: bool,
    /// The domain of the cookie, where a session holds on several hosts; none: only on the host that it began on.
    pub domain: Option<String>,
}

struct Customers {
    sessions: Sessions,
    settings: Settings,
    starts: DefaultKeyedRateLimiter<std::net::IpAddr>,
}

/// The routes, to be put under `/.tandem`.
pub fn routes(sessions: Sessions, mut settings: Settings) -> Router {
    // Deflated or not, a frame may be as large as a message.
    settings.page.inflated = settings.socket.customer_message;
    let starts = RateLimiter::keyed(Quota::per_minute(settings.starts));
    let limit = DefaultBodyLimit::max(settings.resource);
    Router::new()
        .route("/session", post(start).layer(DefaultBodyLimit::max(ABOUT)))
        .route("/session/socket", get(connect))
        .route("/session/inset", get(connect_inset))
        .route("/session/resource", post(bring).layer(limit))
        .route("/session/picture", post(take_picture).layer(limit))
        .with_state(Arc::new(Customers { sessions, settings, starts }))
}

/// The session that a request of a customer's browser belongs to.
pub fn session_of(sessions: &Sessions, headers: &HeaderMap) -> Option<Handle> {
    sessions.of_customer(&key_of(headers)?)
}

/// The session whose resources a request may bring: by the customer's cookie, or by the ticket of an inset, whose
/// browser sends no cookie from within another site's page.
fn bringing(customers: &Customers, headers: &HeaderMap, want: Option<u32>) -> Option<Handle> {
    let ticket = headers.get(OURS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match ticket.split_once('.') {
        Some((name, pass)) => {
            customers.sessions.of_site_name(name).filter(|handle| handle.resources().may_bring(pass, want))
        }
        None => session_of(&customers.sessions, headers),
    }
}

/// The key that a customer's browser sends, of a session or not.
pub fn key_of(headers: &HeaderMap) -> Option<CustomerKey> {
    Some(CustomerKey::from_cookie(&cookie(headers, COOKIE)?))
}

async fn start(
    State(customers): State<Arc<Customers>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !headers.contains_key(OURS) || !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(about) = about(&body) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    if let Some(handle) = session_of(&customers.sessions, &headers) {
        return Json(Started { session_id: handle.id().clone() }).into_response();
    }
    if customers.starts.len() >= ADDRESSES {
        customers.starts.retain_recent();
    }
    if customers.starts.check_key(&address.ip()).is_err() {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    match customers.sessions.start(about).await {
        Ok((handle, key)) => {
            let secure = if customers.settings.secure { "; Secure" } else { "" };
            let domain = customers.settings.domain.as_ref().map(|domain| format!("; Domain={domain}"));
            let domain = domain.unwrap_or_default();
            let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax{secure}{domain}", key.reveal());
            let started = Started { session_id: handle.id().clone() };
            (StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(started)).into_response()
        }
        Err(error @ (StartError::TooMany | StartError::Stopping)) => {
            tracing::warn!(%error, "no session was started");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(error @ StartError::Store(_)) => {
            tracing::error!(%error, "no session was started");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the session is about, as the site's own script says. Nothing is fine; None for what makes no sense or is
/// too much.
fn about(body: &[u8]) -> Option<About> {
    if body.is_empty() {
        return Some(About::default());
    }
    let Start { interaction_id, metadata } = serde_json::from_slice(body).ok()?;
    let about = About { interaction: interaction_id, metadata };
    about.check().is_ok().then_some(about)
}

#[derive(Deserialize)]
struct Brought {
    want: u32,
}

async fn bring(
    State(customers): State<Arc<Customers>>,
    Query(brought): Query<Brought>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !headers.contains_key(OURS) || !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN;
    }
    let Some(handle) = bringing(&customers, &headers, Some(brought.want)) else {
        return StatusCode::GONE;
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if handle.resources().bring(brought.want, kind, body) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

/// A picture of a drawing or film; the answer is its number, for the frame of the page that shows it.
async fn take_picture(
    State(customers): State<Arc<Customers>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<u32>, StatusCode> {
    if !headers.contains_key(OURS) || !is_same_origin(&headers) {
        return Err(StatusCode::FORBIDDEN);
    }
    let handle = bringing(&customers, &headers, None).ok_or(StatusCode::GONE)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    handle.resources().take_picture(kind, body).map(Json).ok_or(StatusCode::UNPROCESSABLE_ENTITY)
}

#[derive(Deserialize)]
struct Shown {
    /// The URL of the page, for the rules of what its browser withholds; not told while the customer pauses.
    url: Option<String>,
    /// By which the browser knows the tab.
    #[serde(default)]
    tab: String,
    /// Whether the customer looks at it: 1.
    #[serde(default)]
    looking: u8,
}

async fn connect(
    State(customers): State<Arc<Customers>>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let handle = session_of(&customers.sessions, &headers);
    let end = match (&handle, cookie(&headers, COOKIE)) {
        (None, Some(key)) => customers.sessions.end_of(&CustomerKey::from_cookie(&key)).await,
        _ => None,
    };
    let tab = shown.tab.chars().take(TAB).collect();
    let hello = Hello { tab, url: shown.url, looking: shown.looking == 1 };
    let limit = customers.settings.socket.customer_message;
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(socket::READ_BUFFER)
        .on_upgrade(async move |socket| converse(socket, handle.ok_or(end), hello, customers).await)
}

#[derive(Deserialize)]
struct Inset {
    /// Which the page that has the frame was given.
    ticket: String,
    /// Of the document.
    url: Url,
}

/// A document of another host in a frame of a customer's page. What it says and hears goes past that page, whose scripts
/// must not be able to look into the frame.
async fn connect_inset(
    State(customers): State<Arc<Customers>>,
    Query(Inset { ticket, url }): Query<Inset>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|origin| Url::parse(origin.to_str().ok()?).ok());
    let Some(origin) = origin.filter(|_| is_same_origin(&headers)) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let found = ticket.split_once('.').and_then(|(name, pass)| {
        customers.sessions.of_site_name(name).map(|handle| (handle, pass.to_owned()))
    });
    let limit = customers.settings.socket.customer_message;
    upgrade.max_message_size(limit).max_frame_size(limit).read_buffer_size(socket::READ_BUFFER).on_upgrade(
        async move |socket| {
            let (mut sender, mut receiver) =
                socket::split(socket, customers.settings.socket, &customers.sessions);
            let Some((handle, pass)) = found else { return sender.close(receiver, ended(None)).await };
            let Some(mut link) = handle.join_as_inset(pass, origin, url).await else {
                return sender.close(receiver, ended(None)).await;
            };
            let limits = &customers.settings.page;
            let finished = exchange(&handle, &mut link, &mut sender, &mut receiver, limits).await;
            handle.customer_left(link.connection, finished.away()).await;
            sender.close(receiver, finished).await;
        },
    )
}

/// A connection's life: join, pass on what comes both ways, leave.
async fn converse(
    socket: WebSocket,
    handle: Result<Handle, Option<EndReason>>,
    hello: Hello,
    customers: Arc<Customers>,
) {
    let Customers { sessions, settings, .. } = &*customers;
    let (mut sender, mut receiver) = socket::split(socket, settings.socket, sessions);
    let handle = match handle {
        Ok(handle) => handle,
        Err(None) if sessions.are_stopping() => return sender.close(receiver, socket::RESTARTING).await,
        Err(end) => return sender.close(receiver, ended(end)).await,
    };
    let Some(mut link) = handle.join_as_customer(hello).await else {
        return sender.close(receiver, gone(&handle.status())).await;
    };
    let finished = exchange(&handle, &mut link, &mut sender, &mut receiver, &settings.page).await;
    handle.customer_left(link.connection, finished.away()).await;
    sender.close(receiver, finished).await;
}

async fn exchange(
    handle: &Handle,
    link: &mut CustomerLink,
    sender: &mut socket::Sender,
    receiver: &mut socket::Receiver,
    limits: &page::Limits,
) -> Finished {
    link.status.mark_changed();
    loop {
        let sent = tokio::select! {
            biased;
            outgoing = link.messages.recv() => match outgoing {
                Some(Outgoing::Message(message)) => sender.json(&message).await,
                Some(Outgoing::Act { seq, permit }) => {
                    let (submit, action) = (permit.submits(), permit.action());
                    let to = permit.to().map(str::to_owned);
                    sender.json(&Act::<&Action> { kind: ActTag::Act, seq, submit, to, action }).await
                }
                Some(Outgoing::Close(why)) => {
                    // What the end was is in the status.
                    let status = link.status.borrow().clone();
                    let _ = sender.json(&ToCustomer::Status { status }).await;
                    return closing(why, &link.status.borrow());
                }
                None => return Finished::LOST,
            },
            Ok(()) = link.status.changed() => {
                let status = link.status.borrow_and_update().clone();
                let (over, finished) = (status.phase == Phase::Ended, ended(status.ended));
                let sent = sender.json(&ToCustomer::Status { status }).await;
                if over {
                    return finished;
                }
                sent
            }
            Ok(()) = link.pointer.changed() => {
                let pointer = *link.pointer.borrow_and_update();
                let message = pointer.map_or(ToCustomer::PointerLeft, |at| ToCustomer::Pointer { at });
                sender.json(&message).await
            }
            heard = receiver.next() => match heard {
                Heard::Message(Received::Binary(bytes)) => match decode(bytes, limits).await {
                    Ok(frame) => {
                        handle.customer_shows(link.connection, frame).await;
                        Ok(())
                    }
                    Err(error) => {
                        tracing::warn!(%error, "closing a customer's connection");
                        let large = matches!(error, Malformed::Limit(_));
                        return Finished::Close(
                            CloseCode::Protocol,
                            if large { TOO_LARGE } else { "a malformed frame" },
                        );
                    }
                },
                Heard::Message(Received::Text(text)) => match serde_json::from_str::<FromCustomer>(&text) {
                    Ok(FromCustomer::Alive) => sender.json(&ToCustomer::Alive).await,
                    Ok(message) => {
                        handle.customer_says(link.connection, message).await;
                        Ok(())
                    }
                    Err(_) => return Finished::Close(CloseCode::Protocol, "a malformed message"),
                },
                Heard::Due => sender.ping().await,
                Heard::Paced { slow } => {
                    handle.paced(link.connection, slow).await;
                    Ok(())
                }
                Heard::Left(why) => return Finished::Gone(why),
                Heard::Bad(reason) => return Finished::Close(CloseCode::Protocol, reason),
            },
        };
        if sent.is_err() {
            return Finished::LOST;
        }
    }
}

/// Reads a frame; a large one on a thread where nobody waits for the next turn.
async fn decode(bytes: Bytes, limits: &page::Limits) -> Result<PageFrame, Malformed> {
    if bytes.len() < LARGE {
        return PageFrame::decode(&bytes, limits);
    }
    let limits = *limits;
    // Cut off only by the server's stop.
    tokio::task::spawn_blocking(move || PageFrame::decode(&bytes, &limits))
        .await
        .unwrap_or(Err(Malformed::Truncated))
}
