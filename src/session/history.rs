//! What happened in a session, for those who look it up later: who came and went, on which pages, in which mode,
//! and how it ended. Never content; addresses as the agent saw them, without query and fragment.

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::protocol::agent::Role;
use crate::protocol::session::{AwayReason, ModeReason};
use crate::protocol::{EndReason, Mode};
use crate::store;

/// Entries of one session; what happens after them is not noted, but for its end.
pub(super) const ENTRIES: usize = 2_000;
/// Characters of an address.
const LONGEST: usize = 500;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// The customer started it.
    Started,
    /// Somebody of the console came, for the first time or again.
    Joined {
        /// Who.
        name: String,
        /// As what.
        role: Role,
    },
    /// Their connection is gone.
    Left {
        /// Who.
        name: String,
    },
    /// The customer came back.
    CustomerBack,
    /// The customer's connection is gone.
    CustomerAway {
        /// Why.
        why: AwayReason,
    },
    /// The customer showed this page.
    Page {
        /// Without query and fragment.
        url: String,
    },
    /// Pointer or Write.
    Mode {
        /// Which.
        mode: Mode,
        /// Why.
        reason: ModeReason,
    },
    /// The customer paused sharing.
    Paused,
    /// And went on.
    Resumed,
    /// The server was started again.
    Restarted,
    /// The end.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

impl Entry {
    pub(super) fn to_event(&self) -> store::Event {
        store::Event { at: self.at, event: serde_json::to_vec(&self.happening).unwrap_or_default() }
    }

    /// None for what a newer version noted.
    pub(super) fn from_event(event: &store::Event) -> Option<Entry> {
        Some(Entry { at: event.at, happening: serde_json::from_slice(&event.event).ok()? })
    }
}

/// An address as it is noted: what people can be told by (query, fragment, name and password) stays out.
pub(super) fn page(location: &str) -> Option<Happening> {
    address(location).map(|url| Happening::Page { url })
}

/// The address alone.
pub(super) fn address(location: &str) -> Option<String> {
    let mut url = Url::parse(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(String::from(url).chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_noted_without_what_tells_people_apart() {
        let noted = |location| match page(location) {
            Some(Happening::Page { url }) => url,
            other => panic!("{other:?}"),
        };
        assert_eq!(noted("https://ada:secret@shop.test/basket?mail=ada#me"), "https://shop.test/basket");
        assert!(noted(&format!("https://shop.test/{}", "x".repeat(5_000))).len() == LONGEST);
        assert_eq!(page("data:text/html,secret"), None);
    }

    #[test]
    fn what_was_noted_is_read_again() {
        let reason = EndReason::AgentExit;
        let entry = Entry { at: 7, happening: Happening::Ended { reason } };
        assert_eq!(Entry::from_event(&entry.to_event()), Some(entry));
        assert_eq!(Entry::from_event(&store::Event { at: 7, event: b"{\"what\":\"new\"}".to_vec() }), None);
    }
}
