//! How often a page is repaired because its copy was found to be another one.
//!
//! A repair costs a snapshot. If it does not help, the next one waits longer: a fault of ours must not become a storm.

use std::time::Duration;

use tokio::time::Instant;

/// The first wait, and the longest.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(300)];

/// The repairs of one page.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// When the last one was, and how long the next has to wait from then on.
    last: Option<(Instant, Duration)>,
}

impl Repairs {
    /// Whether to repair now what was found at `now`.
    pub(super) fn due(&mut self, now: Instant) -> bool {
        let wait = match self.last {
            None => WAITS[0],
            Some((last, wait)) if now < last + wait => return false,
            // It held for long: this is another fault.
            Some((last, _)) if now > last + WAITS[1] => WAITS[0],
            Some((_, wait)) => (wait * 2).min(WAITS[1]),
        };
        self.last = Some((now, wait));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_that_does_not_help_is_not_made_again_and_again() {
        let start = Instant::now();
        let mut repairs = Repairs::default();
        let made = (0..3600).filter(|second| repairs.due(start + Duration::from_secs(*second))).count();
        assert!((5..25).contains(&made), "{made}");
        assert!(repairs.due(start + Duration::from_secs(5000)), "a fault of another day is repaired at once");
        assert!(!repairs.due(start + Duration::from_secs(5000)));
    }
}
