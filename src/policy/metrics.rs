//! What policies count, for those who run the server: rules in force, what they match, what became of changes.
//!
//! Labels are words of policy files only: no selector, no address, nothing of a page.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// One word.
type Label = [(&'static str, &'static str); 1];

/// The counters of all policies that are in force one after the other. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    rules: Gauge,
    matches: Family<Label, Counter>,
    reloads: Family<Label, Counter>,
    broken: Gauge,
}

impl Metrics {
    /// Counters that `registry` shows as `policy_…`.
    pub fn register(registry: &mut Registry) -> Metrics {
        let all = Metrics::default();
        let of = registry.sub_registry_with_prefix("policy");
        of.register("rules", "Rules in force", all.rules.clone());
        of.register("matches", "How often rules matched in sessions, by kind of rule", all.matches.clone());
        of.register("reloads", "Changes of the policy files, by what became of them", all.reloads.clone());
        of.register("broken", "1 while the policy files are not those in force", all.broken.clone());
        // Nothing has happened yet, which is something else than not being counted.
        for result in ["taken", "broken"] {
            drop(all.reloads.get_or_create(&[("result", result)]));
        }
        all
    }

    /// So many rules are in force, and they are those of the files.
    pub fn in_force(&self, rules: usize) {
        self.rules.set(i64::try_from(rules).unwrap_or(i64::MAX));
        self.broken.set(0);
    }

    /// A change was taken.
    pub fn taken(&self) {
        self.reloads.get_or_create(&[("result", "taken")]).inc();
    }

    /// A change was not taken.
    pub fn refused(&self) {
        self.reloads.get_or_create(&[("result", "broken")]).inc();
        self.broken.set(1);
    }

    /// What rules of a kind count with.
    pub(super) fn of_kind(&self, kind: &'static str) -> Counter {
        self.matches.get_or_create(&[("kind", kind)]).clone()
    }
}
