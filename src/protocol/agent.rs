//! Text messages between an agent's browser and the server.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::typing::Place;
use super::{Action, Point, Refusal, SessionId, Status};

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
        /// In the customer's viewport.
        at: Point,
    },
    /// The customer's pointer left the page.
    PointerLeft,
    /// The customer clicked here.
    Clicked {
        /// In the customer's viewport.
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

/// The answer to `GET /console/admin/policy`, for administrators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// The rules in force.
    pub files: Vec<PolicyFile>,
    /// Live sessions.
    pub sessions: u32,
    /// Since when they are in force: seconds ago.
    pub age: u32,
    /// Changes of the files that were taken since the server started.
    pub taken: u32,
    /// Changes that were not taken because of mistakes.
    pub broken: u32,
    /// What is wrong with the files as they are now. Empty when they are in force.
    pub errors: Vec<PolicyError>,
    /// What is in force but hardly meant.
    pub warnings: Vec<PolicyError>,
}

/// A policy file in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyFile {
    /// Its name.
    pub file: String,
    /// The sites that it is for; empty: all.
    pub sites: Vec<String>,
    /// The pages that it is for; empty: all.
    pub urls: Vec<String>,
    /// The roles that it is for; empty: everybody.
    pub roles: Vec<String>,
    /// Whether it masks everything that is not shown.
    pub masked_by_default: bool,
    /// Whether it loosens earlier files.
    pub overrides: bool,
    /// In the order of the lines.
    pub rules: Vec<PolicyRule>,
}

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// Where it begins, counted from 1.
    pub line: u32,
    /// `mask`, `hide`, `show`, `reveal`, `control`, `navigate` or `pause`.
    pub kind: String,
    /// Its selector, or its addresses.
    pub what: String,
    /// What else it says.
    pub about: Option<String>,
    /// How often it matched in sessions since it is in force: elements, paused pages, addresses asked for.
    pub matched: u32,
}

/// A mistake in a policy file, or something hardly meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PolicyError {
    /// The file.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The same with an excerpt and a hint, as `tandem policy check` prints it.
    pub text: String,
}
