//! What administrators are told of the server: the policies in force, and what became of changes to them.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Reloads;
use crate::console::Reports;
use crate::policy::Diagnostic;
use crate::protocol::agent::{PolicyError, PolicyReport};
use crate::session::Sessions;

/// Diagnostics of one kind that are told.
const MOST: usize = 50;

pub(super) fn reports(sessions: Sessions, reloads: watch::Receiver<Reloads>) -> Reports {
    let started = Instant::now();
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
    Reports { policy: Arc::new(policy) }
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
