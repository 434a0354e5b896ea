//! Text messages between an agent's browser and the server.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::typing::Place;
use super::{Action, NodeId, Point, Refusal, SessionId, Status};

/// From an agent's browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FromAgent {
    /// The pointer is here now.
    Pointer {
        /// In the customer's viewport.
        at: Point,
    },
    /// The pointer left the page.
    PointerLeft,
    /// The agent clicked here, to show something (any mode).
    Clicked {
        /// In the customer's viewport.
        at: Point,
    },
    /// Ask the customer for Write mode.
    RequestWrite,
    /// Give Write mode back.
    GiveBack,
    /// Do this in the customer's page.
    Act {
        /// Counts the actions of a connection from 1; the answer carries it.
        seq: u32,
        /// Of the view that the agent has: it numbers the nodes.
        epoch: u32,
        /// What to do.
        action: Action,
    },
    /// The mirror lost its place: send the whole view again.
    Resync {
        /// It had followed every change and yet is not what the server says it should be.
        #[serde(default)]
        diverged: bool,
    },
    /// The agent ends the session.
    Exit,
    /// Nothing was heard for a while: say something.
    Alive,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Answer {
    /// Which action.
    pub seq: u32,
    /// Why it was not done.
    pub reason: Option<Refusal>,
    /// After an edit: where the agent's caret is now, if they see the place.
    pub at: Option<Place>,
}

/// To an agent's browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ToAgent {
    /// First message on a connection.
    Welcome {
        /// The session.
        session_id: SessionId,
        /// Seconds for which the session waits for this browser when it is away.
        patience: u32,
    },
    /// How the session stands now.
    Status {
        /// All of it.
        status: Status,
    },
    /// The customer's pointer.
    Pointer {
        /// In the viewport of this document: of the page, or of an inset.
        within: NodeId,
        /// Where.
        at: Point,
    },
    /// The customer's pointer left the page.
    PointerLeft,
    /// The customer clicked here.
    Clicked {
        /// As for the pointer.
        within: NodeId,
        /// Where.
        at: Point,
    },
    /// The customer's browser has done what was asked; what it changed was sent before.
    Done {
        /// Which action.
        seq: u32,
        /// After an edit: where the agent's caret is now, if they see the place.
        at: Option<Place>,
    },
    /// It was not done.
    Refused {
        /// Which action.
        seq: u32,
        /// Why.
        reason: Refusal,
    },
    /// After a view that was sent again, which may stand in the place of answers: the last ones once more.
    Answers {
        /// In the order in which they were given.
        answers: Vec<Answer>,
    },
    /// The answer to the same.
    Alive,
    /// The customer's tabs, all of them.
    Tabs {
        /// In the order in which they were opened.
        tabs: Vec<Tab>,
    },
}

/// A tab in which the customer has the site open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Tab {
    /// Names it for as long as it is open.
    pub id: u32,
    /// As it was when it was last shown, masked; none when the customer has not looked at it yet.
    pub title: Option<String>,
    /// Whether it is the one that is shown.
    pub shown: bool,
    /// Whether it is on the customer's screen.
    pub seen: bool,
}

/// The body of `POST /console/login`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Login {
    /// As in the agents' file.
    pub username: String,
    /// Never logged.
    pub password: String,
}

/// The answer to `POST /console/login` and `GET /console/me`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Me {
    /// The agent's name.
    pub name: String,
    /// What the agent may do.
    pub role: Role,
}

/// The body of `POST /console/token`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Token {
    /// A signed token, or the secret of a join link. Never logged.
    pub token: String,
}

/// The answer to `POST /console/token`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Admission {
    /// Whom it lets in.
    pub me: Me,
    /// The one session that it is for, if it is for one.
    pub session_id: Option<SessionId>,
}

/// Of somebody who logs in to the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Helps customers.
    Agent,
    /// Watches.
    Supervisor,
    /// Runs the server.
    Admin,
}

/// Why the console's server said no; the body of an answer of status 4xx.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What.
    pub error: ProblemKind,
    /// Seconds to wait before the next try, where that helps.
    pub retry_after: Option<u32>,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Name or password is wrong.
    WrongLogin,
    /// The token or link is not in order, expired, or used.
    WrongToken,
    /// Not logged in (any more).
    LoginNeeded,
    /// Too many tries.
    TooManyTries,
    /// No session has this ID.
    NoSuchSession,
    /// The session with this ID has ended.
    SessionEnded,
    /// Another agent holds the session.
    SessionTaken,
    /// The agent works in another session.
    AgentBusy,
    /// No agent has joined: there is nothing to watch yet.
    NothingToWatch,
    /// The role does not allow it.
    NotAllowed,
    /// The request makes no sense.
    BadRequest,
    /// The server is stopping.
    Unavailable,
}
