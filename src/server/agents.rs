//! Puts a changed agents' file in force while the server runs: who was taken out of it, or has another password or
//! role, is logged out at once.
//!
//! A file that can not be read, or has mistakes, changes nothing but the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::console::Console;
use crate::console::agents::{Agents, Error};

/// How often the file is looked at. A change is taken once two looks in a row agree.
const LOOK: Duration = Duration::from_millis(500);

/// Follows the file until dropped.
pub(super) async fn follow(file: PathBuf, console: Arc<Console>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut known, mut before) = (None, None);
    loop {
        looks.tick().await;
        let at = file.clone();
        let Ok(seen) = tokio::task::spawn_blocking(move || stamp(&at)).await else { continue };
        // At the first look, too: it may have changed since it was read.
        // A file that is gone is more likely being saved, or lost by mistake, than meant to log everybody out.
        if seen.is_some() && seen != known && seen == before {
            let at = file.clone();
            if let Ok(read) = tokio::task::spawn_blocking(move || Agents::read(&at)).await {
                put_in_force(read, &console).await;
            }
            known.clone_from(&seen);
        }
        before = seen;
    }
}

async fn put_in_force(read: Result<Agents, Error>, console: &Console) {
    match read {
        Ok(agents) => match console.adopt(agents).await {
            0 => {}
            logins => tracing::info!(logins, "logins ended, because the agents' file has changed"),
        },
        Err(error) => {
            tracing::error!(%error, "the changed agents' file is broken; the one before stays in force")
        }
    }
}

/// What a change can be seen by; none when there is no file.
fn stamp(file: &Path) -> Option<Vec<u8>> {
    std::fs::read(file).ok()
}
