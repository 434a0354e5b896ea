//! What the store keeps of a session, so that the next server can go on with it: how it stands, who holds it,
//! what it is about. Nothing of the page, and no secret but a hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lifecycle::Saved;
use crate::protocol::agent::Role;

/// Changes with what is in it: a record of another version is not gone on with.
const VERSION: u32 = 1;

/// A session on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// How it stands.
    pub(super) life: Saved,
    /// As what the agent joined.
    pub(super) role: Option<Role>,
}

impl Record {
    pub(super) fn new(life: Saved, role: Option<Role>) -> Record {
        Record { version: VERSION, life, role }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Numbers, names and flags: there is nothing that can not be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Record> {
        serde_json::from_slice::<Record>(bytes).ok().filter(|record| record.version == VERSION)
    }
}

/// What a session is about, for the systems of a contact centre.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The chat or call that it belongs to.
    pub interaction: Option<String>,
    /// Whatever else those systems want to find again.
    pub metadata: BTreeMap<String, String>,
}

/// It is larger than what a session may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an interaction has at most {LONGEST} characters, metadata at most {ENTRIES} entries of at most {LONGEST} each"
)]
pub struct TooMuch;

/// Characters of a text.
const LONGEST: usize = 500;
/// Entries of metadata.
const ENTRIES: usize = 50;

impl About {
    /// Whether a session may carry it.
    ///
    /// # Errors
    /// When it is too large.
    pub fn check(&self) -> Result<(), TooMuch> {
        let fits = |text: &String| text.chars().count() <= LONGEST;
        let all = self.interaction.iter().chain(self.metadata.keys()).chain(self.metadata.values()).all(fits);
        if all && self.metadata.len() <= ENTRIES { Ok(()) } else { Err(TooMuch) }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<About> {
        serde_json::from_slice(bytes).ok()
    }
}
