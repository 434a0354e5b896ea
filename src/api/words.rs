//! What the API says and is told, in JSON. Words of sessions are those of the protocol.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::protocol::agent::Role;
use crate::protocol::session::Presence;
use crate::protocol::{EndReason, Mode, Phase, SessionId};
use crate::session::history;

/// A session, as it stands or as it ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// The ID that the customer reads out.
    #[schema(value_type = String, example = "7KQ-M9X-D4R")]
    pub(super) session_id: SessionId,
    /// What the site's server is told as `Tandem-Session`.
    pub(super) site_name: Option<String>,
    pub(super) phase: Phase,
    pub(super) mode: Mode,
    /// Whether the customer has paused sharing.
    pub(super) paused: bool,
    /// The customer's browser.
    pub(super) customer: Presence,
    /// The agent's browser.
    pub(super) agent: Presence,
    /// The agent's display name.
    pub(super) agent_name: Option<String>,
    /// Display names of those who watch beside the agent.
    pub(super) watchers: Vec<String>,
    /// The chat or call that it belongs to.
    pub(super) interaction_id: Option<String>,
    /// What was attached to it.
    pub(super) metadata: BTreeMap<String, String>,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub(super) started_at: String,
    /// RFC 3339; once it has ended.
    #[schema(format = DateTime)]
    pub(super) ended_at: Option<String>,
    /// Why it ended, once it has.
    pub(super) end_reason: Option<EndReason>,
}

/// Sessions in the order of their IDs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionList {
    pub(super) sessions: Vec<Session>,
    /// For `after`, to go on; absent at the end of the list.
    pub(super) next: Option<String>,
}

/// Which sessions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct Which {
    /// Only those that belong to this chat or call.
    pub(super) interaction_id: Option<String>,
    /// Only those in this phase: `idle` (wait for an agent) or `active`.
    pub(super) phase: Option<Phase>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<usize>,
    /// `next` of an earlier answer.
    pub(super) after: Option<String>,
}

/// A JSON object. A list of the same values is none, though serde would take it.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = serde_json::Map::deserialize(deserializer)?;
        T::deserialize(serde_json::Value::Object(object)).map(Object).map_err(D::Error::custom)
    }
}

/// A whole number, which JSON may also write as `300.0`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    let small = |number: f64| number.fract() == 0.0 && (0.0..1e15).contains(&number);
    let whole = number.as_u64().or_else(|| number.as_f64().filter(|it| small(*it)).map(|it| it as u64));
    whole.map(Some).ok_or_else(|| D::Error::custom("must be a whole number from 0"))
}

/// What to change of a session. What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Change {
    /// The chat or call that it belongs to.
    #[schema(max_length = 500)]
    pub(super) interaction_id: Option<String>,
    /// Takes the place of what was attached before: at most 50 entries of at most 500 characters.
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

/// Whom a link lets in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Invitation {
    /// The name that the customer is shown.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub(super) name: String,
    /// As what; `agent` when nothing is said.
    pub(super) role: Option<Invited>,
    /// Seconds until the link is good no more.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 3600, default = 300)]
    pub(super) expires_in: Option<u64>,
}

/// As what a link lets somebody in. Nobody becomes an administrator by a link.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Invited {
    /// Helps the customer.
    Agent,
    /// Watches.
    Supervisor,
}

impl From<Invited> for Role {
    fn from(invited: Invited) -> Role {
        match invited {
            Invited::Agent => Role::Agent,
            Invited::Supervisor => Role::Supervisor,
        }
    }
}

/// A link that lets an agent into one session, once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    /// To open in the agent's browser, or in a frame of a page that the settings name.
    pub(super) url: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub(super) expires_at: String,
}

/// The sessions that were ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ended {
    #[schema(value_type = Vec<String>)]
    pub(super) session_ids: Vec<SessionId>,
}

/// What happened in a session, in order. Never content.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    pub(super) entries: Vec<Entry>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub(super) at: String,
    #[serde(flatten)]
    pub(super) what: history::Happening,
}

/// Milliseconds since 1970, as RFC 3339 has it.
pub(super) fn time(millis: u64) -> String {
    // Later than RFC 3339 can say is nobody's time.
    const LATEST: u64 = 253_402_300_799_000;
    let at: SystemTime = UNIX_EPOCH + Duration::from_millis(millis.min(LATEST));
    humantime::format_rfc3339_millis(at).to_string()
}
