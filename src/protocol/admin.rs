//! What the console's server tells of the server as a whole: to administrators, and of waiting sessions to agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::Role;
use super::session::Presence;
use super::{Mode, Phase, SessionId};

/// The answer to `GET /console/admin/sessions`: those that live, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LiveSessions {
    /// So many at most; see `count`.
    pub sessions: Vec<LiveSession>,
    /// How many there are.
    pub count: u32,
}

/// A session that lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LiveSession {
    /// Its ID.
    pub session_id: SessionId,
    /// Idle or active.
    pub phase: Phase,
    /// Pointer or Write.
    pub mode: Mode,
    /// Whether the customer has paused sharing.
    pub paused: bool,
    /// The customer's browser.
    pub customer: Presence,
    /// The agent's browser.
    pub agent: Presence,
    /// The agent's display name, once there is one.
    pub agent_name: Option<String>,
    /// Those who watch.
    pub watchers: Vec<String>,
    /// Seconds since it was started.
    pub age: u32,
    /// The address of the customer's page, as the agent may see it, without query and fragment.
    pub page: Option<String>,
    /// The chat or call that it belongs to.
    pub interaction_id: Option<String>,
}

/// The answer to `GET /console/waiting`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Waiting {
    /// Those that somebody of this role can join, the oldest first; none where the settings do not list them.
    pub sessions: Option<Vec<WaitingSession>>,
}

/// A session that waits for an agent, or that can be watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WaitingSession {
    /// Its ID.
    pub session_id: SessionId,
    /// Seconds since it was started.
    pub age: u32,
    /// Who holds it, where it is to be watched.
    pub agent_name: Option<String>,
    /// The chat or call that it belongs to.
    pub interaction_id: Option<String>,
    /// What else was attached to it.
    pub metadata: BTreeMap<String, String>,
}

/// The answer to `GET /console/admin/agents`: everybody who may log in with a password, or is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentList {
    /// By name.
    pub agents: Vec<AgentEntry>,
}

/// Somebody of the console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AgentEntry {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether the agents' file has them; others came with a token or a link.
    pub filed: bool,
    /// Logins that hold now.
    pub logins: u32,
    /// The sessions that they hold or watch.
    pub sessions: Vec<SessionId>,
}

/// The body of `POST /console/admin/logout`: ends all logins of a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LogOut {
    /// Whose.
    pub name: String,
}

/// The answer to `GET /console/admin/health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// Of Tandem.
    pub version: String,
    /// Seconds since the server was started.
    pub age: u32,
    /// Whether it takes no more work and soon stops.
    pub stopping: bool,
    /// Sessions that live, and how many there may be.
    pub sessions: u32,
    /// How many there may be.
    pub session_limit: u32,
    /// Memory that the process has, in KiB, where the system says so.
    pub memory: Option<u32>,
    /// Whether the policy files, as they are now, have mistakes.
    pub policies_broken: bool,
    /// Fresh views for agents who fell behind.
    pub agent_resyncs: u32,
    /// Whole pages that were asked for because a change did not fit.
    pub customer_resyncs: u32,
    /// Copies of a page that were found to differ from it, and were repaired.
    pub divergences: u32,
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
