//! Counts, for each rule in force, how often it matched in sessions: elements that it selected, pages on which sharing
//! paused, addresses that were asked for.
//!
//! A count says that a rule does something, never what it matched.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;

use super::Metrics;

/// The counters of all rules, by their number.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rules: Vec<(AtomicU64, &'static str)>,
    /// By rule, those that outlive these policies.
    lasting: OnceLock<Vec<Counter>>,
}

impl Tally {
    /// For rules of these kinds.
    pub(super) fn new(kinds: Vec<&'static str>) -> Tally {
        let rules = kinds.into_iter().map(|kind| (AtomicU64::default(), kind)).collect();
        Tally { rules, lasting: OnceLock::new() }
    }

    /// Counts for those who run the server too, from now on.
    pub(super) fn count_for(&self, metrics: &Metrics) {
        let counters = || self.rules.iter().map(|(_, kind)| metrics.of_kind(kind)).collect();
        self.lasting.get_or_init(counters);
    }

    /// The rule matched once more.
    pub(super) fn add(&self, rule: usize) {
        if let Some((count, _)) = self.rules.get(rule) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(counter) = self.lasting.get().and_then(|counters| counters.get(rule)) {
            counter.inc();
        }
    }

    pub(super) fn of(&self, rule: usize) -> u64 {
        self.rules.get(rule).map_or(0, |(count, _)| count.load(Ordering::Relaxed))
    }
}
