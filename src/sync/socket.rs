//! What every socket of ours has: limits, a heartbeat, a deadline for each write, and a reason at its end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::pace::Pace;
use crate::protocol::session::AwayReason;
use crate::protocol::{EndReason, Phase, Status};
use crate::session::{Closed, Sessions};

/// Bounds on one connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one message from a customer's browser (a whole page at most).
    pub customer_message: usize,
    /// Bytes of one message from an agent's browser.
    pub agent_message: usize,
    /// Messages a second from an agent's browser, on average over some seconds.
    pub agent_rate: u32,
    /// How often a browser is asked for a sign of life.
    pub heartbeat: Duration,
    /// How long it may take to give one, or to take in what is sent to it.
    pub patience: Duration,
    /// From when on a sign of life is slow. What an agent does needs one such round trip, and after a second people
    /// think that it did not work.
    pub slow: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            customer_message: 16 << 20,
            agent_message: 256 << 10,
            agent_rate: 200,
            heartbeat: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            slow: Duration::from_secs(1),
        }
    }
}

/// Bytes that are read at a time. There are two sockets in each session, and most of what comes is small.
pub(super) const READ_BUFFER: usize = 8 << 10;

/// How long a browser that was told of the end may still say something, and how long it may be quiet before that.
const LINGER: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_secs(1);

/// Close codes that browsers of ours know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseCode {
    Ended = 4001,
    Replaced = 4002,
    Protocol = 4003,
    LoginNeeded = 4004,
    Taken = 4005,
    Busy = 4006,
    /// Registered with IANA: come back soon.
    Restarting = 1012,
}

/// What a browser sent.
#[derive(Debug)]
pub(super) enum Received {
    Text(String),
    Binary(bytes::Bytes),
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    /// The browser is not there any more.
    Gone(AwayReason),
    /// What to tell it.
    Close(CloseCode, &'static str),
}

impl Finished {
    /// Nothing can be sent any more.
    pub(super) const LOST: Finished = Finished::Gone(AwayReason::Lost);

    /// Why who was connected is away now.
    pub(super) fn away(self) -> AwayReason {
        match self {
            Finished::Gone(why) => why,
            Finished::Close(..) => AwayReason::Lost,
        }
    }
}

/// It will be back, and the session with it.
pub(super) const RESTARTING: Finished = Finished::Close(CloseCode::Restarting, "the server is restarting");

pub(super) struct Sender {
    sink: SplitSink<WebSocket, Message>,
    patience: Duration,
    /// The last word is said before the server ends.
    _attendance: TaskTrackerToken,
}

pub(super) struct Receiver {
    stream: SplitStream<WebSocket>,
    limits: Limits,
    heard: Instant,
    asked: Instant,
    pace: Pace,
}

pub(super) fn split(socket: WebSocket, limits: Limits, sessions: &Sessions) -> (Sender, Receiver) {
    let (sink, stream) = socket.split();
    let now = Instant::now();
    let pace = Pace::new(limits.slow);
    let sender = Sender { sink, patience: limits.patience, _attendance: sessions.attendance() };
    (sender, Receiver { stream, limits, heard: now, asked: now, pace })
}

/// The connection is gone, or its browser takes nothing in.
#[derive(Debug)]
pub(super) struct Gone;

impl Sender {
    pub(super) async fn json(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    pub(super) async fn binary(&mut self, bytes: bytes::Bytes) -> Result<(), Gone> {
        self.send(Message::Binary(bytes)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Gone> {
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    /// Says the last word, and lets the browser take it in: closed with bytes unread, a socket says so with a reset, and that may
    /// overtake the word (RFC 6455, section 7.1.1).
    pub(super) async fn close(mut self, receiver: Receiver, finished: Finished) {
        if let Finished::Close(code, reason) = finished {
            let frame = CloseFrame { code: code as u16, reason: reason.into() };
            if self.send(Message::Close(Some(frame))).await.is_ok() {
                receiver.until_closed().await;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(self.patience, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// What became of waiting for a browser.
#[derive(Debug)]
pub(super) enum Heard {
    Message(Received),
    /// Time to ask for a sign of life.
    Due,
    /// From now on its answers are slow, or are not any more.
    Paced {
        /// Which.
        slow: bool,
    },
    /// It left, or gave no sign of life.
    Left(AwayReason),
    /// It sent something that is not allowed at all.
    Bad(&'static str),
}

impl Receiver {
    /// Waits for the next message. Dropping the future loses nothing, and no time either: however much is sent to a
    /// browser meanwhile, its silence is noticed.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            let Limits { heartbeat, patience, .. } = self.limits;
            let due = self.asked + heartbeat;
            match tokio::time::timeout_at(due, self.stream.next()).await {
                Err(_) if self.heard.elapsed() > heartbeat + patience => {
                    return Heard::Left(AwayReason::Lost);
                }
                Err(_) => {
                    self.asked = Instant::now();
                    if !self.pace.is_waiting() {
                        self.pace.asked(self.asked);
                        return Heard::Due;
                    }
                    if let Some(slow) = self.pace.waited(self.asked) {
                        return Heard::Paced { slow };
                    }
                }
                Ok(None) => return Heard::Left(AwayReason::Lost),
                Ok(Some(Err(error))) => return bad(error),
                Ok(Some(Ok(message))) => {
                    self.heard = Instant::now();
                    match message {
                        Message::Text(text) => {
                            return Heard::Message(Received::Text(text.as_str().to_owned()));
                        }
                        Message::Binary(bytes) => return Heard::Message(Received::Binary(bytes)),
                        // A browser says so when its page goes.
                        Message::Close(_) => return Heard::Left(AwayReason::Left),
                        Message::Pong(_) => {
                            if let Some(slow) = self.pace.answered(self.heard) {
                                return Heard::Paced { slow };
                            }
                        }
                        Message::Ping(_) => {}
                    }
                }
            }
        }
    }

    /// Takes in what still comes, until the browser has closed too or was given enough time.
    async fn until_closed(mut self) {
        let end = Instant::now() + LINGER;
        while let Ok(Some(Ok(_))) =
            tokio::time::timeout_at(end.min(Instant::now() + QUIET), self.stream.next()).await
        {}
    }
}

/// A message over the limit is worth a word; everything else at this level is a lost connection.
fn bad(error: axum::Error) -> Heard {
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") || text.contains("Space limit") {
        Heard::Bad("message too large")
    } else {
        Heard::Left(AwayReason::Lost)
    }
}

/// The session is over: the word for why goes with it, for a browser that was away when it ended.
pub(super) fn ended(why: Option<EndReason>) -> Finished {
    Finished::Close(CloseCode::Ended, why.map_or("no such session", EndReason::as_str))
}

/// A session that can not be joined is over, unless its server stops.
pub(super) fn gone(status: &Status) -> Finished {
    closing(if status.phase == Phase::Ended { Closed::Ended } else { Closed::Restarting }, status)
}

/// What a session's word for the end of a connection means to a browser.
pub(super) fn closing(why: Closed, status: &Status) -> Finished {
    match why {
        Closed::Ended => ended(status.ended),
        Closed::Replaced => Finished::Close(CloseCode::Replaced, "another connection took over"),
        Closed::Restarting => RESTARTING,
        Closed::Protocol(reason) => Finished::Close(CloseCode::Protocol, reason),
    }
}
