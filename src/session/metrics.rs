//! What sessions count, for those who run the server: how many there are, how they end, what goes wrong in them.
//!
//! Nothing here names a session, a customer or an agent: labels are words of the protocol only.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::protocol::{EndReason, Refusal};

/// One reason, as a label: the word that the protocol has for it.
type Reason = [(&'static str, String); 1];

/// The counters of all sessions. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub(super) active: Gauge,
    started: Counter,
    ended: Family<Reason, Counter>,
    refused: Family<Reason, Counter>,
    pub(super) agent_resyncs: Counter,
    pub(super) customer_resyncs: Counter,
    pub(super) divergences: Divergences,
}

/// Copies of a page that were found to be another page than the one they are made from, and repaired: should stay 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Divergences {
    /// The server's copy and the customer's page.
    pub(super) server: Counter,
    /// An agent's mirror and its view.
    pub(super) mirror: Counter,
}

/// How often something had to be shown anew.
#[derive(Debug, Clone, Copy)]
pub struct Repaired {
    /// Fresh views for agents who fell behind.
    pub agent_resyncs: u64,
    /// Whole pages that were asked for because a change did not fit.
    pub customer_resyncs: u64,
    /// Copies that were not what they should be.
    pub divergences: u64,
}

impl Metrics {
    /// How often something had to be shown anew since the server started.
    pub fn repaired(&self) -> Repaired {
        Repaired {
            agent_resyncs: self.agent_resyncs.get(),
            customer_resyncs: self.customer_resyncs.get(),
            divergences: self.divergences.server.get() + self.divergences.mirror.get(),
        }
    }

    /// Counters that `registry` shows as `session_…`.
    pub fn register(registry: &mut Registry) -> Metrics {
        let metrics = Metrics::default();
        let registry = registry.sub_registry_with_prefix("session");
        registry.register("active", "Sessions that live", metrics.active.clone());
        registry.register("started", "Sessions that were started", metrics.started.clone());
        registry.register("ended", "Sessions that ended, by reason", metrics.ended.clone());
        registry.register(
            "actions_refused",
            "Actions of agents that were refused, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "agent_resyncs",
            "Fresh views for agents who fell behind",
            metrics.agent_resyncs.clone(),
        );
        registry.register(
            "customer_resyncs",
            "Whole pages that were asked for because a change did not fit",
            metrics.customer_resyncs.clone(),
        );
        registry.register(
            "server_divergences",
            "Copies of a page on the server that were found not to be the customer's page, and repaired",
            metrics.divergences.server.clone(),
        );
        registry.register(
            "mirror_divergences",
            "Mirrors of agents that were found not to be what they should show, and repaired",
            metrics.divergences.mirror.clone(),
        );
        metrics
    }

    pub(super) fn started(&self) {
        self.started.inc();
    }

    /// The server stops; the session goes on under the next one.
    pub(super) fn suspended(&self) {
        self.active.dec();
    }

    pub(super) fn ended(&self, reason: EndReason) {
        self.active.dec();
        self.ended.get_or_create(&label(reason)).inc();
    }

    pub(super) fn refused(&self, reason: Refusal) {
        self.refused.get_or_create(&label(reason)).inc();
    }
}

fn label(reason: impl Serialize) -> Reason {
    let word = serde_json::to_value(reason).ok().and_then(|word| word.as_str().map(str::to_owned));
    [("reason", word.unwrap_or_default())]
}
