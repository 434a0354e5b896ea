//! The documents of other hosts in frames of the page that is shared: who is invited, and who has come.
//!
//! A ticket is good for one frame of one epoch, once, and not for long. All of it ends with the epoch.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use super::link::Outgoing;
use crate::protocol::{Inset, NodeId};

/// Insets at one time, and tickets that nobody has used yet; the oldest ticket gives way.
const MOST: usize = 32;
/// How long a ticket is good.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of one epoch.
#[derive(Default)]
pub(super) struct Insets {
    invited: VecDeque<Invitation>,
    all: Vec<Guest>,
    last: u32,
    /// Where the agent's pointer is.
    pointed: Option<Inset>,
}

struct Invitation {
    pass: String,
    frame: NodeId,
    until: Instant,
}

/// One that has come.
pub(super) struct Guest {
    pub(super) connection: u64,
    pub(super) inset: Inset,
    /// Where it is shown.
    pub(super) frame: NodeId,
    pub(super) url: Url,
    /// The ticket's secret.
    pub(super) pass: String,
    pub(super) outbox: mpsc::Sender<Outgoing>,
    /// Addresses in frames that its own script can reach.
    pub(super) frames: Vec<String>,
    /// The number of the next piece of it.
    pub(super) next: u32,
    /// Our numbers of actions that are under way in it.
    pub(super) acts: Vec<u32>,
}

impl Insets {
    /// A secret for what is shown in a frame.
    pub(super) fn invite(&mut self, frame: NodeId, now: Instant) -> String {
        let pass = URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>());
        self.invited.retain(|invitation| invitation.until > now && invitation.frame != frame);
        if self.invited.len() >= MOST {
            self.invited.pop_front();
        }
        self.invited.push_back(Invitation { pass: pass.clone(), frame, until: now + PATIENCE });
        pass
    }

    /// The frame that a secret is for, and the number of what comes to be there. Never again for the same secret.
    pub(super) fn accept(&mut self, pass: &str, now: Instant) -> Option<(NodeId, Inset)> {
        let at = self.invited.iter().position(|invitation| invitation.pass == pass)?;
        let invitation = self.invited.remove(at)?;
        if invitation.until <= now || self.all.len() >= MOST || self.last >= Inset::MOST {
            return None;
        }
        self.last += 1;
        Some((invitation.frame, Inset(self.last)))
    }

    pub(super) fn add(&mut self, guest: Guest) {
        self.all.push(guest);
    }

    /// The one of this connection.
    pub(super) fn of(&mut self, connection: u64) -> Option<&mut Guest> {
        self.all.iter_mut().find(|guest| guest.connection == connection)
    }

    /// The one of this number.
    pub(super) fn numbered(&mut self, inset: Inset) -> Option<&mut Guest> {
        self.all.iter_mut().find(|guest| guest.inset == inset)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Guest> {
        self.all.iter()
    }

    /// The addresses of all their documents.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.all.iter().flat_map(|guest| guest.frames.iter().map(String::as_str).chain([guest.url.as_str()]))
    }

    /// The one in which the agent's pointer is, or the page.
    pub(super) fn pointed(&self) -> Inset {
        self.pointed.unwrap_or(Inset::PAGE)
    }

    /// The agent's pointer goes to this one, or the page. Where it was, if that was elsewhere.
    pub(super) fn point(&mut self, inset: Inset) -> Option<Inset> {
        self.pointed.replace(inset).filter(|before| *before != inset)
    }

    pub(super) fn remove(&mut self, connection: u64) -> Option<Guest> {
        let at = self.all.iter().position(|guest| guest.connection == connection)?;
        let guest = self.all.swap_remove(at);
        self.pointed.take_if(|pointed| *pointed == guest.inset);
        Some(guest)
    }

    /// The epoch is over: whom to tell.
    pub(super) fn clear(&mut self) -> Vec<Guest> {
        self.invited.clear();
        self.last = 0;
        self.pointed = None;
        std::mem::take(&mut self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_one_frame_once_and_not_for_long() {
        let (mut insets, now) = (Insets::default(), Instant::now());
        let (one, other) = (insets.invite(NodeId(3), now), insets.invite(NodeId(4), now));
        assert_eq!(insets.accept("something", now), None);
        assert_eq!(insets.accept(&other, now), Some((NodeId(4), Inset(1))));
        assert_eq!(insets.accept(&other, now), None, "a second time");
        assert_eq!(insets.accept(&one, now + PATIENCE), None, "too late");
        let old = insets.invite(NodeId(3), now);
        let new = insets.invite(NodeId(3), now);
        assert_eq!(insets.accept(&old, now), None, "there is a newer one for the frame");
        let passes: Vec<String> = (10..10 + MOST as u32).map(|id| insets.invite(NodeId(id), now)).collect();
        assert_eq!(insets.accept(&new, now), None, "it gave way");
        assert_eq!(insets.accept(&passes[0], now), Some((NodeId(10), Inset(2))));
        assert!(insets.clear().is_empty());
        assert_eq!(insets.accept(&passes[1], now), None, "the epoch is over");
    }
}
