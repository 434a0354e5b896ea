//! Links that take somebody into one session without a login: a secret that is good once and for a short time.
//!
//! The server keeps digests of secrets only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::protocol::SessionId;
use crate::protocol::agent::Me;

/// Links that wait at one time.
const WAITING: usize = 100_000;

/// Makes links and takes them back. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Links {
    waiting: Arc<Mutex<HashMap<[u8; 32], Link>>>,
}

#[derive(Debug)]
struct Link {
    me: Me,
    session: SessionId,
    until: Instant,
}

impl Links {
    /// A secret that lets `me` into a session, once and not later than after `life`. None when too many wait.
    pub fn make(&self, me: Me, session: SessionId, life: Duration) -> Option<String> {
        let now = Instant::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, link| link.until > now);
        if waiting.len() >= WAITING {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>());
        waiting.insert(digest(&secret), Link { me, session, until: now + life });
        Some(secret)
    }

    /// Whom a secret lets in, and where. It is good no more.
    pub fn take(&self, secret: &str) -> Option<(Me, SessionId)> {
        let link = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest(secret))?;
        let in_time = link.until > Instant::now();
        in_time.then_some((link.me, link.session))
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::agent::Role;

    #[tokio::test(start_paused = true)]
    async fn a_link_is_good_once_and_for_its_time() {
        let links = Links::default();
        let ann = || Me { name: "ann".into(), role: Role::Agent };
        let id: SessionId = "7KQM9XD4R".parse().unwrap();
        let life = Duration::from_secs(300);
        let secret = links.make(ann(), id.clone(), life).unwrap();
        assert_eq!(links.take("something else"), None);
        assert_eq!(links.take(&secret), Some((ann(), id.clone())));
        assert_eq!(links.take(&secret), None);
        let secret = links.make(ann(), id, life).unwrap();
        tokio::time::advance(life).await;
        assert_eq!(links.take(&secret), None);
    }
}
