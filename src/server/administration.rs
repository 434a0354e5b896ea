//! What administrators are told of the server: the policies in force, and what became of changes to them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Reloads;
use crate::console::Reports;
use crate::policy::Diagnostic;
use crate::protocol::admin::{HealthReport, PolicyError, PolicyReport};
use crate::session::Sessions;

/// Diagnostics of one kind that are told.
const MOST: usize = 50;

pub(super) fn reports(
    sessions: Sessions,
    reloads: watch::Receiver<Reloads>,
    leaving: CancellationToken,
) -> Reports {
    let started = Instant::now();
    let (all, changes) = (sessions.clone(), reloads.clone());
    let health = move || {
        let repaired = all.metrics().repaired();
        HealthReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            age: small(started.elapsed().as_secs()),
            stopping: leaving.is_cancelled(),
            sessions: small(all.count() as u64),
            session_limit: small(all.limit() as u64),
            memory: resident(),
            policies_broken: !changes.borrow().errors.is_empty(),
            agent_resyncs: small(repaired.agent_resyncs),
            customer_resyncs: small(repaired.customer_resyncs),
            divergences: small(repaired.divergences),
        }
    };
    let policy = move || {
        let (policies, reloads) = (sessions.policies(), reloads.borrow().clone());
        let age = reloads.since.unwrap_or(started).elapsed().as_secs();
        PolicyReport {
            files: policies.listing(),
            sessions: small(sessions.count() as u64),
            age: small(age),
            taken: small(reloads.taken),
            broken: small(reloads.broken),
            errors: told(&reloads.errors),
            warnings: told(policies.warnings()),
        }
    };
    Reports { policy: Arc::new(policy), health: Arc::new(health) }
}

/// Memory that the process has, in KiB; Linux alone says it in a file.
fn resident() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn told(diagnostics: &[Diagnostic]) -> Vec<PolicyError> {
    let told = diagnostics.iter().take(MOST).map(|diagnostic| {
        let (line, column) = diagnostic.position();
        PolicyError {
            file: diagnostic.file().to_owned(),
            line: small(line as u64),
            column: small(column as u64),
            message: diagnostic.message().to_owned(),
            text: diagnostic.to_string(),
        }
    });
    told.collect()
}

/// A browser reads numbers of the protocol in 32 bits.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
