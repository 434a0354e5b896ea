//! Who may use the API: keys by their SHA-256, each with its rights and its rate.
//!
//! A key itself is in no file and no log of the server; comparing takes as long for a wrong key as for a right one.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::AUTHORIZATION;
use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::Api;
use super::problem::Problem;

/// Something that a key may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// List and read sessions and their history.
    Read,
    /// Say which interaction a session belongs to, and its metadata.
    Attach,
    /// End sessions and interactions.
    End,
    /// Make links that let agents in.
    Invite,
}

impl Right {
    /// All of them: what a key may do when nothing else is said.
    pub const ALL: [Right; 4] = [Right::Read, Right::Attach, Right::End, Right::Invite];

    /// The word of the settings.
    pub fn from_word(word: &str) -> Option<Right> {
        Some(match word {
            "read" => Right::Read,
            "attach" => Right::Attach,
            "end" => Right::End,
            "invite" => Right::Invite,
            _ => return None,
        })
    }
}

/// A key, as the settings have it.
#[derive(Debug, Clone)]
pub struct Key {
    /// For the log.
    pub name: String,
    /// Of the key itself.
    pub sha256: [u8; 32],
    /// What it is good for.
    pub rights: Vec<Right>,
    /// Requests in a second; twice as many at once.
    pub rate: NonZeroU32,
}

/// All keys.
pub(super) struct Keys(Vec<Arc<Known>>);

struct Known {
    key: Key,
    rate: DefaultDirectRateLimiter,
}

impl Keys {
    pub(super) fn new(keys: Vec<Key>) -> Keys {
        let known = |key: Key| {
            let quota = Quota::per_second(key.rate).allow_burst(key.rate.saturating_add(key.rate.get()));
            Arc::new(Known { rate: RateLimiter::direct(quota), key })
        };
        Keys(keys.into_iter().map(known).collect())
    }

    fn find(&self, key: &str) -> Option<&Arc<Known>> {
        let digest = Sha256::digest(key.as_bytes());
        // All are compared: how long it takes says nothing.
        let right = |known: &Arc<Known>| bool::from(known.key.sha256.ct_eq(&digest));
        self.0.iter().fold(None, |found, known| if right(known) { Some(known) } else { found })
    }
}

/// The key of a request, which is known and has not asked too often.
pub(super) struct Caller(Arc<Known>);

impl Caller {
    /// Goes on only with this right.
    pub(super) fn needs(&self, right: Right) -> Result<(), Problem> {
        if self.0.key.rights.contains(&right) { Ok(()) } else { Err(Problem::NotAllowed) }
    }

    /// For the log.
    pub(super) fn name(&self) -> &str {
        &self.0.key.name
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Caller, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, key) = header.and_then(|value| value.split_once(' ')).ok_or(Problem::KeyNeeded)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::KeyNeeded);
        }
        let known = api.keys.find(key.trim()).ok_or(Problem::KeyNeeded)?;
        match known.rate.check() {
            Ok(()) => Ok(Caller(known.clone())),
            Err(wait) => {
                let wait = wait.wait_time_from(DefaultClock::default().now());
                Err(Problem::TooOften { seconds: wait.as_secs() + 1 })
            }
        }
    }
}
