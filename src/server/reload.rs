//! Puts changed policy files in force while the server runs.
//!
//! A change that is not a complete and correct policy changes nothing but the log: the last good policies stay
//! in force. The folder is looked at, not listened to, which works on every kind of file system.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::policy::{Diagnostic, Metrics, Policies, Stamp};
use crate::session::Sessions;

/// How often the folder is looked at. A change is taken once two looks in a row agree, so that a file is not
/// read while it is being written: in force within two and a half of these, well within a second.
const LOOK: Duration = Duration::from_millis(250);

/// What became of changes to the policy files since the server started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloads {
    /// Changes that are, or were, in force.
    pub taken: u64,
    /// Changes that were not taken.
    pub broken: u64,
    /// When the last change was taken.
    pub since: Option<Instant>,
    /// What is wrong with the files as they are now; empty when they are in force.
    pub errors: Vec<Diagnostic>,
}

/// Follows the folder until dropped. `known`: what it looked like when the policies in force were read.
pub(super) async fn follow(
    folder: PathBuf,
    mut known: Stamp,
    sessions: Sessions,
    metrics: Metrics,
    told: watch::Sender<Reloads>,
) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changing: Option<Stamp> = None;
    loop {
        looks.tick().await;
        let at = folder.clone();
        let Ok(seen) = tokio::task::spawn_blocking(move || Stamp::of(&at)).await else { continue };
        if seen == known {
            changing = None;
        } else if changing.as_ref() != Some(&seen) {
            changing = Some(seen);
        } else {
            let at = folder.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || read(&at, &seen)).await else { continue };
            match read {
                Read::Changing => changing = None,
                Read::Broken(errors, stamp) => {
                    for error in &errors {
                        tracing::error!("{error}");
                    }
                    tracing::error!(
                        errors = errors.len(),
                        "changed policies are broken; those before stay in force"
                    );
                    metrics.refused();
                    told.send_modify(|reloads| {
                        reloads.broken += 1;
                        reloads.errors = errors;
                    });
                    known = stamp;
                }
                Read::Good(policies, stamp) => {
                    tracing::info!(rules = policies.len(), "changed policies are in force");
                    policies.count_for(&metrics);
                    metrics.taken();
                    metrics.in_force(policies.len());
                    sessions.adopt(Arc::new(policies));
                    told.send_modify(|reloads| {
                        reloads.taken += 1;
                        reloads.since = Some(Instant::now());
                        reloads.errors.clear();
                    });
                    known = stamp;
                }
            }
        }
    }
}

enum Read {
    /// Written to meanwhile: look again.
    Changing,
    Broken(Vec<Diagnostic>, Stamp),
    Good(Policies, Stamp),
}

fn read(folder: &Path, seen: &Stamp) -> Read {
    let policies = Policies::load(folder);
    if Stamp::of(folder) != *seen {
        return Read::Changing;
    }
    match policies {
        // More likely a folder that was unmounted or emptied by mistake than one meant to allow everything.
        Ok(_) if seen.is_bare() => {
            let folder = folder.display().to_string();
            Read::Broken(vec![Diagnostic::whole(&folder, "there are no policy files any more")], seen.clone())
        }
        Ok(policies) => Read::Good(policies, seen.clone()),
        Err(errors) => Read::Broken(errors, seen.clone()),
    }
}
