//! How long somebody is waited for: for a while, and longer only for those who make progress at a decent pace.
//!
//! Time spent waiting uses patience up, bytes that pass bring it back, never beyond what it was at first. So a
//! peer that stops is given up after that time, and so is one that lets a byte pass now and then; time in which
//! nobody waits for it costs a peer nothing.

use std::time::Duration;

use tokio::time::Instant;

/// Patience with one peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// At first and at most.
    full: Duration,
    /// What one byte brings back; `None`: any progress brings back all.
    byte: Option<Duration>,
    left: Duration,
    since: Option<Instant>,
}

impl Patience {
    /// With a peer that may stop for `full`, and lets at least `pace` bytes pass in a second, on average.
    pub(super) fn new(full: Duration, pace: Option<u32>) -> Patience {
        let byte = pace.map(|pace| Duration::from_secs(1) / pace.max(1));
        Patience { full, byte, left: full, since: None }
    }

    /// Nothing passes at this moment. Returns until when that may go on.
    pub(super) fn wait(&mut self) -> Instant {
        *self.since.get_or_insert_with(Instant::now) + self.left
    }

    /// Until when it may go on, if nothing passes.
    pub(super) fn until(&self) -> Option<Instant> {
        self.since.map(|since| since + self.left)
    }

    /// So many bytes passed.
    pub(super) fn progress(&mut self, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.left = match self.byte {
            None => self.full,
            Some(byte) => {
                let gained = byte.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
                self.left.saturating_add(gained).min(self.full)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Duration = Duration::from_secs(60);

    /// How often a peer that lets `bytes` pass every `pause` is waited for, up to a thousand times.
    async fn endured(pace: Option<u32>, bytes: usize, pause: Duration) -> usize {
        let mut patience = Patience::new(FULL, pace);
        for count in 0..1000 {
            if patience.wait() < Instant::now() + pause {
                return count;
            }
            tokio::time::advance(pause).await;
            patience.progress(bytes);
        }
        1000
    }

    #[tokio::test(start_paused = true)]
    async fn slow_is_fine_and_too_slow_is_not() {
        let second = Duration::from_secs(1);
        assert_eq!(endured(Some(100), 1000, 10 * second).await, 1000, "at the pace");
        assert_eq!(endured(Some(100), 1, second).await, 60, "a byte now and then");
        assert_eq!(endured(Some(100), 0, 61 * second).await, 0, "stopped");
        assert_eq!(endured(None, 1, 59 * second).await, 1000, "any progress is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_costs_nothing() {
        let mut patience = Patience::new(FULL, Some(100));
        patience.progress(1);
        tokio::time::advance(10 * FULL).await;
        assert_eq!(patience.until(), None);
        assert_eq!(patience.wait(), Instant::now() + FULL);
    }
}
