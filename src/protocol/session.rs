//! Words about a session that both sides, the log and the integration API share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Letters and digits that can not be confused when read aloud: no 0 O 1 I L U.
const ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
const LENGTH: usize = 9;

/// The short code that a customer reads out. Kept without separators, in upper case; shown in groups of three.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(into = "String", try_from = "String")]
#[ts(type = "string")]
pub struct SessionId([u8; LENGTH]);

/// A text that is no session ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session ID has nine letters and digits, like 7KQ-M9X-D4R")]
pub struct NotASessionId;

impl SessionId {
    /// Makes an ID of nine numbers below 30 each.
    pub fn from_digits(digits: [u8; LENGTH]) -> SessionId {
        SessionId(digits.map(|digit| ALPHABET[usize::from(digit) % ALPHABET.len()]))
    }

    /// How many different symbols an ID is made of.
    pub const fn radix() -> u8 {
        ALPHABET.len() as u8
    }
}

impl FromStr for SessionId {
    type Err = NotASessionId;

    /// Accepts any case, with or without separators (spaces, dashes, dots).
    fn from_str(text: &str) -> Result<SessionId, NotASessionId> {
        if text.len() > 64 {
            return Err(NotASessionId);
        }
        let mut id = [0; LENGTH];
        let mut length = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'.' | b'_' | b'\t')) {
            let byte = byte.to_ascii_uppercase();
            if length == LENGTH || !ALPHABET.contains(&byte) {
                return Err(NotASessionId);
            }
            id[length] = byte;
            length += 1;
        }
        if length == LENGTH { Ok(SessionId(id)) } else { Err(NotASessionId) }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index % 3 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", *byte as char)?;
        }
        Ok(())
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for SessionId {
    type Error = NotASessionId;

    fn try_from(text: String) -> Result<SessionId, NotASessionId> {
        text.parse()
    }
}

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// No agent has come yet; nothing is shared.
    Idle,
    /// An agent sees the page.
    Active,
    /// Over, for good.
    Ended,
}

/// What an agent may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Look and point.
    Pointer,
    /// Also type, click and navigate.
    Write,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum EndReason {
    CustomerExit,
    AgentExit,
    JoinTimeout,
    AwayTimeout,
    AgentTimeout,
    IdleTimeout,
    MaxDuration,
    InteractionEnded,
    Administrator,
    ServerShutdown,
    Error,
}

impl EndReason {
    /// The reason that a word stands for, where it is one.
    pub fn from_word(word: &str) -> Option<EndReason> {
        let word = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
        EndReason::deserialize(word).ok()
    }

    /// The word used in the log, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            EndReason::CustomerExit => "customer_exit",
            EndReason::AgentExit => "agent_exit",
            EndReason::JoinTimeout => "join_timeout",
            EndReason::AwayTimeout => "away_timeout",
            EndReason::AgentTimeout => "agent_timeout",
            EndReason::IdleTimeout => "idle_timeout",
            EndReason::MaxDuration => "max_duration",
            EndReason::InteractionEnded => "interaction_ended",
            EndReason::Administrator => "administrator",
            EndReason::ServerShutdown => "server_shutdown",
            EndReason::Error => "error",
        }
    }
}

/// Why the mode is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ModeReason {
    /// A session starts in Pointer mode.
    Initial,
    Allowed,
    Declined,
    TakenBack,
    GivenBack,
    /// Somebody's connection was lost; the customer is asked again.
    Interrupted,
    /// The customer paused sharing; asked again when it goes on.
    Paused,
}

/// Whether somebody's browser is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Presence {
    /// Has not come yet.
    Expected,
    Present,
    Away,
}

/// Why somebody is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AwayReason {
    /// Their browser left: closed, or gone to a page that is no part of this.
    Left,
    /// Nothing is heard of their browser: no network, a laptop asleep, a server that was restarted.
    Lost,
}

/// An absence that ends the session when it lasts too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Absence {
    /// Why.
    pub why: AwayReason,
    /// Seconds from this message on until the session ends because of it.
    pub seconds: u32,
}

/// Everything both screens show about a session; sent whole whenever a part of it changes, so that nobody's is ever stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Idle, active or ended.
    pub phase: Phase,
    /// Pointer or Write.
    pub mode: Mode,
    /// Why.
    pub mode_reason: ModeReason,
    /// Whether the agent asked for Write mode and the customer has not answered.
    pub write_requested: bool,
    /// Whether the customer has paused sharing: nothing of the page leaves the customer's browser.
    pub paused: bool,
    /// The customer's browser.
    pub customer: Presence,
    /// While it is away.
    pub customer_away: Option<Absence>,
    /// The way to it and back takes so long that people notice.
    pub customer_slow: bool,
    /// The agent's browser.
    pub agent: Presence,
    /// While it is away.
    pub agent_away: Option<Absence>,
    /// The way to it and back takes so long that people notice.
    pub agent_slow: bool,
    /// The agent's display name, once there is one.
    pub agent_name: Option<String>,
    /// The display names of those who watch beside the agent, each once.
    pub watchers: Vec<String>,
    /// That it is about to end by itself, if nobody does anything about it.
    pub ends_soon: Option<EndsSoon>,
    /// Why it ended, once it has.
    pub ended: Option<EndReason>,
}

/// A warning before a timeout strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EndsSoon {
    /// Which timeout.
    pub reason: EndReason,
    /// Seconds from this message on.
    pub seconds: u32,
}
