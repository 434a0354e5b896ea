//! Two clocks as one: the steady one that timeouts go by, and the one on the wall, which a restart survives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// What the wall showed at some instant. Read once, so that a wall clock that is set does not move timeouts.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    instant: Instant,
    wall: u64,
}

impl Clock {
    /// Reads both.
    pub fn now() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        Clock { instant: Instant::now(), wall }
    }

    /// Milliseconds since 1970 at `instant`.
    pub fn wall(&self, instant: Instant) -> u64 {
        match instant.checked_duration_since(self.instant) {
            Some(after) => self.wall.saturating_add(millis(after)),
            None => self.wall.saturating_sub(millis(self.instant - instant)),
        }
    }

    /// The instant of so many milliseconds since 1970. What is too far away to be an instant is now.
    pub fn instant(&self, wall: u64) -> Instant {
        let away = Duration::from_millis(wall.abs_diff(self.wall));
        let instant =
            if wall >= self.wall { self.instant.checked_add(away) } else { self.instant.checked_sub(away) };
        instant.unwrap_or(self.instant)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree() {
        let clock = Clock::now();
        for wall in [clock.wall, clock.wall - 5_000, clock.wall + 5_000] {
            assert_eq!(clock.wall(clock.instant(wall)), wall);
        }
        // A store can say anything.
        assert!(clock.instant(u64::MAX) >= clock.instant && clock.instant(0) <= clock.instant);
    }
}
