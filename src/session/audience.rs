//! Those who watch a session in one role: one masker, one ring of encoded views, however many connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::Instant;

use super::link::FeedItem;
use super::ring::Ring;
use crate::dom::{Changes, Tree};
use crate::policy::{EncodedView, Masked, Masker, Policies, ViewPatch};
use crate::protocol::customer::Echo;

/// How long after a change mirrors are told what they should be by now. What does not change is not told again.
const CHECK: Duration = Duration::from_secs(1);

/// Masks once and tells all.
pub(super) struct Audience {
    masker: Masker,
    ring: Ring,
    epoch: u32,
    seq: u32,
    /// When to tell it.
    check: Option<Instant>,
}

impl Audience {
    pub(super) fn new(masker: Masker) -> Audience {
        Audience { masker, ring: Ring::new(), epoch: 0, seq: 0, check: None }
    }

    pub(super) fn masker(&self) -> &Masker {
        &self.masker
    }

    /// The view as it is now and the feed that continues it: one turn, nothing between them.
    pub(super) fn join(&self, tree: Option<&Tree>) -> (Option<EncodedView>, broadcast::Receiver<FeedItem>) {
        let view = tree.map(|tree| self.masker.snapshot(tree).encode(self.epoch, self.seq));
        (view, self.ring.subscribe())
    }

    /// A new document.
    pub(super) fn begin(&mut self, tree: &Tree) -> Masked {
        self.epoch += 1;
        self.seq = 0;
        let masked = self.masker.view(tree);
        self.send(&masked.patch);
        masked
    }

    /// Other policies are in force: a fresh view of the same document.
    pub(super) fn adopt(&mut self, policies: Arc<Policies>, tree: Option<&Tree>) -> Option<Masked> {
        let Some(tree) = tree else {
            self.masker.expect_under(policies);
            return None;
        };
        self.epoch += 1;
        self.seq = 0;
        let masked = self.masker.adopt(policies, tree);
        self.send(&masked.patch);
        Some(masked)
    }

    /// The document changed.
    pub(super) fn update(&mut self, tree: &Tree, changes: &Changes) -> Masked {
        let masked = self.masker.update(tree, changes);
        self.follow(masked)
    }

    fn follow(&mut self, masked: Masked) -> Masked {
        if !masked.patch.is_empty() {
            self.seq += 1;
            self.send(&masked.patch);
        }
        masked
    }

    /// The customer's browser withholds values of these hashes.
    pub(super) fn typed(&mut self, tree: Option<&Tree>, echoes: &[Echo]) -> Masked {
        let masked = self.masker.typed(tree, echoes);
        self.follow(masked)
    }

    /// When [`Audience::check`] is due.
    pub(super) fn check_due(&self) -> Option<Instant> {
        self.check
    }

    /// Tells mirrors what they should be.
    pub(super) fn check(&mut self, tree: Option<&Tree>) {
        if let Some(tree) = tree {
            self.seq += 1;
            let check = self.masker.check(tree);
            self.send(&check);
        }
        self.check = None;
        self.ring.trim();
    }

    fn send(&mut self, patch: &ViewPatch) {
        self.check.get_or_insert_with(|| Instant::now() + CHECK);
        self.ring.show(patch.encode(self.epoch, self.seq));
    }

    /// Says something to those who watch now; nobody may be there.
    pub(super) fn tell(&self, item: FeedItem) {
        self.ring.tell(item);
    }
}
