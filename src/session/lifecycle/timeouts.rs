//! How long a session waits for whom; each has its setting in `[session]`.

use std::time::Duration;

/// How long a session waits for whom.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// No agent came.
    pub join: Duration,
    /// The customer left, or lost the network.
    pub away: Duration,
    /// The agent's connection is gone.
    pub agent: Duration,
    /// Nobody did anything.
    pub idle: Duration,
    /// However busy.
    pub max: Duration,
    /// How long before one of these ends a session both screens say so.
    pub warning: Duration,
    /// A customer who goes from page to page is gone for a moment; after this long it counts as an interruption, and
    /// Write mode falls back to Pointer mode.
    pub navigation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            join: Duration::from_secs(20 * 60),
            away: Duration::from_secs(5 * 60),
            agent: Duration::from_secs(3 * 60),
            idle: Duration::from_secs(30 * 60),
            max: Duration::from_secs(4 * 3600),
            warning: Duration::from_secs(60),
            navigation: Duration::from_secs(15),
        }
    }
}
