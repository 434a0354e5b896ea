//! What a connection gets of a session: the ends of the channels that lead to one browser.
//!
//! The channel fits the data: the page is a bounded ring (who falls behind gets a fresh view), status and
//! pointers are `watch` (only the newest counts), messages for one customer a bounded queue (who does not
//! read is disconnected, and starts again with a snapshot).

use std::time::Duration;

use std::sync::{Arc, Weak};

use tokio::sync::{broadcast, mpsc, watch};

use crate::policy::{EncodedView, Permit};
use crate::protocol::agent::{Answer, Tab, ToAgent};
use crate::protocol::customer::ToCustomer;
use crate::protocol::{Point, Position, Status};

/// What a tab of the customer's browser says when it connects.
#[derive(Debug, Clone)]
pub struct Hello {
    /// By which the browser knows the tab over page loads.
    pub tab: String,
    /// Where its page is, unless the customer has paused sharing.
    pub url: Option<String>,
    /// Whether the customer looks at it.
    pub looking: bool,
}

/// For the customer's socket.
#[derive(Debug)]
pub struct CustomerLink {
    /// Names this connection in calls of [`super::Handle`].
    pub connection: u64,
    /// In order, each exactly once. Closed by the session when another connection takes over.
    pub messages: mpsc::Receiver<Outgoing>,
    /// How the session stands.
    pub status: watch::Receiver<Status>,
    /// The agent's pointer.
    pub pointer: watch::Receiver<Option<Point>>,
}

/// Something for the customer's browser.
#[derive(Debug)]
pub enum Outgoing {
    /// A message.
    Message(ToCustomer),
    /// Do this in the page. Only the guard makes a permit.
    Act {
        /// For the answer.
        seq: u32,
        /// What, and that it is allowed.
        permit: Permit,
    },
    /// Close the connection.
    Close(Closed),
}

/// For an agent's socket.
#[derive(Debug)]
pub struct AgentLink {
    /// Names this connection in calls of [`super::Handle`].
    pub connection: u64,
    /// For how long the session waits for an agent who is away.
    pub patience: Duration,
    /// The view as it is now, when there is a page; `feed` continues it exactly.
    pub view: Option<EncodedView>,
    /// Everything after it.
    pub feed: broadcast::Receiver<FeedItem>,
    /// How the session stands.
    pub status: watch::Receiver<Status>,
    /// The customer's pointer.
    pub pointer: watch::Receiver<Option<Position>>,
    /// The customer's tabs.
    pub tabs: watch::Receiver<Vec<Tab>>,
}

/// For a socket that missed something.
#[derive(Debug)]
pub struct Fresh {
    /// The view as it is now, when there is a page; `feed` continues it exactly.
    pub view: Option<EncodedView>,
    /// Everything after it.
    pub feed: broadcast::Receiver<FeedItem>,
    /// The last answers to the agent, which may be among what was missed.
    pub answers: Vec<Answer>,
}

/// Something for agents' browsers, in order. Small: a ring of them is kept for each role.
#[derive(Debug, Clone)]
pub enum FeedItem {
    /// A piece of the page, masked and encoded once for all who watch. Gone for those who are too far behind.
    View(Weak<EncodedView>),
    /// For everybody.
    All(Arc<ToAgent>),
    /// For one connection.
    One {
        /// Which.
        connection: u64,
        /// What.
        event: Arc<ToAgent>,
    },
    /// Close one connection.
    Close {
        /// Which.
        connection: u64,
        /// Why.
        why: Closed,
    },
}

/// Why a session closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The session is over.
    Ended,
    /// Another connection of the same person took its place.
    Replaced,
    /// The server stops, and the session goes on when it is started again.
    Restarting,
    /// The browser sent what does not fit: the words go into the close frame.
    Protocol(&'static str),
}

/// The words for a page that is over a limit: its browser tells the customer so and does not try again.
pub const TOO_LARGE: &str = "page too large";

/// Why an agent can not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Over.
    #[error("the session has ended")]
    Ended,
    /// Another agent holds it.
    #[error("another agent holds the session")]
    Taken,
    /// The agent works in as many sessions as one may.
    #[error("the agent is in another session")]
    Busy,
    /// Nobody can watch before an agent has come.
    #[error("no agent has joined the session yet")]
    NotYet,
    /// As many watch as may.
    #[error("too many watch the session")]
    Full,
}
