//! Counts, for each rule in force, how often it matched in sessions: elements that it selected, pages on which sharing
//! paused, addresses that were asked for.
//!
//! A count says that a rule does something, never what it matched.

use std::sync::atomic::{AtomicU64, Ordering};

/// One counter for each rule, by its number.
#[derive(Debug, Default)]
pub(super) struct Tally(Vec<AtomicU64>);

impl Tally {
    pub(super) fn new(rules: usize) -> Tally {
        Tally(std::iter::repeat_with(AtomicU64::default).take(rules).collect())
    }

    /// The rule matched once more.
    pub(super) fn add(&self, rule: usize) {
        if let Some(count) = self.0.get(rule) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All together.
    pub(super) fn all(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn of(&self, rule: usize) -> u64 {
        self.0.get(rule).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
