//! The agent's socket, on the console's host. Who may open it is asked of the caller; what an agent may see
//! and do is the session's to say.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, StatusCode};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::is_same_origin;
use super::socket::{self, CloseCode, Finished, Heard, Received, closing, ended, gone};
use crate::protocol::agent::{FromAgent, Me, ToAgent};
use crate::protocol::{Phase, Position, SessionId};
use crate::session::{AgentLink, FeedItem, Handle, JoinError, Lookup, Sessions};

/// Knows who is let in.
pub trait Door: Send + Sync {
    /// Who a request for a session comes from, if they may do something in it.
    ///
    /// # Errors
    /// See [`Refused`].
    fn admit(&self, headers: &HeaderMap, address: IpAddr, id: &SessionId) -> Result<Guest, Refused>;
    /// They named a session that there is not.
    fn guessed_wrong(&self, me: &Me, address: IpAddr);
}

/// Somebody who is let in.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Who.
    pub me: Me,
    /// Cancelled when they are not welcome any more.
    pub revoked: CancellationToken,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nobody known.
    LoginNeeded,
    /// They named too many sessions that there are not.
    TooManyTries,
}

const LOGIN_NEEDED: Finished = Finished::Close(CloseCode::LoginNeeded, "log in first");

struct Agents {
    sessions: Sessions,
    limits: socket::Limits,
    door: Arc<dyn Door>,
}

/// The socket's route, for the console's host.
pub fn routes(sessions: Sessions, limits: socket::Limits, door: Arc<dyn Door>) -> Router {
    Router::new().route("/console/session/{id}/socket", get(connect)).with_state(Arc::new(Agents {
        sessions,
        limits,
        door,
    }))
}

async fn connect(
    State(agents): State<Arc<Agents>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let id = id.parse::<SessionId>().ok();
    let guest = id.as_ref().map(|id| agents.door.admit(&headers, address.ip(), id));
    let named = guest.zip(id);
    let limit = agents.limits.agent_message;
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(socket::READ_BUFFER)
        .on_upgrade(async move |socket| converse(socket, agents, address.ip(), named).await)
}

/// A connection's life: join, pass on what comes both ways, leave.
async fn converse(
    socket: WebSocket,
    agents: Arc<Agents>,
    address: IpAddr,
    named: Option<(Result<Guest, Refused>, SessionId)>,
) {
    let (mut sender, mut receiver) = socket::split(socket, agents.limits, &agents.sessions);
    let (guest, id) = match named {
        Some((Ok(guest), id)) => (guest, id),
        Some((Err(Refused::LoginNeeded), _)) => return sender.close(receiver, LOGIN_NEEDED).await,
        Some((Err(Refused::TooManyTries), _)) => {
            return sender.close(receiver, Finished::Close(CloseCode::Restarting, "too many tries")).await;
        }
        None => return sender.close(receiver, ended(None)).await,
    };
    let (handle, mut link) = match join(&agents, &guest.me, address, &id).await {
        Ok(joined) => joined,
        Err(finished) => return sender.close(receiver, finished).await,
    };
    let rate = RateLimiter::direct(
        Quota::per_second(NonZeroU32::new(agents.limits.agent_rate).unwrap_or(NonZeroU32::MIN)).allow_burst(
            NonZeroU32::new(agents.limits.agent_rate.saturating_mul(4)).unwrap_or(NonZeroU32::MIN),
        ),
    );
    let finished = tokio::select! {
        finished = exchange(&handle, &mut link, &mut sender, &mut receiver, &rate) => finished,
        () = guest.revoked.cancelled() => LOGIN_NEEDED,
    };
    handle.agent_left(link.connection, finished.away()).await;
    sender.close(receiver, finished).await;
}

async fn join(
    agents: &Agents,
    me: &Me,
    address: IpAddr,
    id: &SessionId,
) -> Result<(Handle, AgentLink), Finished> {
    let handle = match agents.sessions.find(id).await {
        Ok(Lookup::Live(handle)) => handle,
        Ok(_) if agents.sessions.are_stopping() => return Err(socket::RESTARTING),
        Ok(Lookup::Ended(reason)) => return Err(ended(Some(reason))),
        Ok(Lookup::Never) => {
            agents.door.guessed_wrong(me, address);
            return Err(ended(None));
        }
        // The store failed: the browser may try again.
        Err(_) => return Err(Finished::Close(CloseCode::Restarting, "try again")),
    };
    match handle.join_as_agent(me.name.clone(), me.role).await {
        Ok(link) => Ok((handle, link)),
        Err(JoinError::Ended) => Err(gone(&handle.status())),
        Err(JoinError::Busy) => Err(Finished::Close(CloseCode::Busy, "the agent is in another session")),
        Err(JoinError::NotYet) => Err(Finished::Close(CloseCode::Taken, "no agent has joined yet")),
        Err(JoinError::Full) => Err(Finished::Close(CloseCode::Taken, "too many watch")),
        Err(JoinError::Taken) => Err(Finished::Close(CloseCode::Taken, "another agent holds the session")),
    }
}

async fn exchange(
    handle: &Handle,
    link: &mut AgentLink,
    sender: &mut socket::Sender,
    receiver: &mut socket::Receiver,
    rate: &DefaultDirectRateLimiter,
) -> Finished {
    link.status.mark_changed();
    link.tabs.mark_changed();
    let patience = link.patience.as_secs().try_into().unwrap_or(u32::MAX);
    if sender.json(&ToAgent::Welcome { session_id: handle.id().clone(), patience }).await.is_err() {
        return Finished::LOST;
    }
    if let Some(view) = link.view.take()
        && sender.binary(view.bytes().clone()).await.is_err()
    {
        return Finished::LOST;
    }
    loop {
        let sent = tokio::select! {
            biased;
            Ok(()) = link.status.changed() => {
                let status = link.status.borrow_and_update().clone();
                let (over, finished) = (status.phase == Phase::Ended, ended(status.ended));
                let sent = sender.json(&ToAgent::Status { status }).await;
                if over {
                    return finished;
                }
                sent
            }
            item = link.feed.recv() => match item {
                Ok(FeedItem::View(view)) => match view.upgrade() {
                    Some(view) => sender.binary(view.bytes().clone()).await,
                    None => resync(handle, link, sender, false).await,
                },
                Ok(FeedItem::All(event)) => sender.json(&*event).await,
                Ok(FeedItem::One { connection, event }) if connection == link.connection => sender.json(&*event).await,
                Ok(FeedItem::Close { connection, why }) if connection == link.connection => {
                    let status = link.status.borrow().clone();
                    let _ = sender.json(&ToAgent::Status { status }).await;
                    return closing(why, &link.status.borrow());
                }
                Ok(FeedItem::One { .. } | FeedItem::Close { .. }) => Ok(()),
                Err(RecvError::Lagged(_)) => resync(handle, link, sender, false).await,
                // The session's task is over; whether the session is, the status says.
                Err(RecvError::Closed) => return gone(&link.status.borrow()),
            },
            Ok(()) = link.tabs.changed() => {
                let tabs = link.tabs.borrow_and_update().clone();
                sender.json(&ToAgent::Tabs { tabs }).await
            }
            Ok(()) = link.pointer.changed() => {
                let pointer = *link.pointer.borrow_and_update();
                let message = pointer.map_or(ToAgent::PointerLeft, |Position { within, at }| ToAgent::Pointer { within, at });
                sender.json(&message).await
            }
            heard = receiver.next() => match heard {
                Heard::Message(_) if rate.check().is_err() => {
                    return Finished::Close(CloseCode::Protocol, "too many messages");
                }
                Heard::Message(Received::Text(text)) => match serde_json::from_str::<FromAgent>(&text) {
                    Ok(FromAgent::Alive) => sender.json(&ToAgent::Alive).await,
                    Ok(FromAgent::Resync { diverged }) => resync(handle, link, sender, diverged).await,
                    Ok(message) => {
                        handle.agent_says(link.connection, message).await;
                        Ok(())
                    }
                    Err(_) => return Finished::Close(CloseCode::Protocol, "a malformed message"),
                },
                Heard::Message(Received::Binary(_)) => return Finished::Close(CloseCode::Protocol, "an unexpected message"),
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

/// A fresh view in place of what was missed.
async fn resync(
    handle: &Handle,
    link: &mut AgentLink,
    sender: &mut socket::Sender,
    diverged: bool,
) -> Result<(), socket::Gone> {
    let Some(fresh) = handle.resync(link.connection, diverged).await else { return Ok(()) };
    link.feed = fresh.feed;
    if let Some(view) = fresh.view {
        sender.binary(view.bytes().clone()).await?;
    }
    sender.json(&ToAgent::Answers { answers: fresh.answers }).await
}
