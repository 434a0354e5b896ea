//! Whether a browser answers slowly, told from how long it takes to answer a ping. Pure: the time is passed in.
//!
//! What people are told is calm: one answer that is late or in time changes nothing, two in a row do.

use std::time::Duration;

use tokio::time::Instant;

/// Answers in a row that say the contrary of what was told before it is told.
const CONVINCING: u8 = 2;

#[derive(Debug)]
pub(super) struct Pace {
    limit: Duration,
    /// Since when an answer is waited for.
    waiting: Option<Instant>,
    slow: bool,
    contrary: u8,
}

impl Pace {
    /// `limit`: an answer that takes longer is slow.
    pub(super) fn new(limit: Duration) -> Pace {
        Pace { limit, waiting: None, slow: false, contrary: 0 }
    }

    /// Whether a ping is still to be answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// A ping goes out.
    pub(super) fn asked(&mut self, now: Instant) {
        self.waiting = Some(now);
    }

    /// It was answered. Answers whether the line is slow, if that is news.
    pub(super) fn answered(&mut self, now: Instant) -> Option<bool> {
        // An answer that nobody asked for says nothing.
        let asked = self.waiting.take()?;
        self.found(now - asked > self.limit)
    }

    /// It was not answered until now. Answers the same.
    pub(super) fn waited(&mut self, now: Instant) -> Option<bool> {
        self.waiting.filter(|asked| now - *asked > self.limit).and_then(|_| self.found(true))
    }

    fn found(&mut self, slow: bool) -> Option<bool> {
        self.contrary = if slow == self.slow { 0 } else { self.contrary + 1 };
        if self.contrary < CONVINCING {
            return None;
        }
        (self.slow, self.contrary) = (slow, 0);
        Some(slow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    #[test]
    fn two_in_a_row_are_news() {
        let (mut pace, mut now) = (Pace::new(LIMIT), Instant::now());
        let mut answer = |millis| {
            pace.asked(now);
            now += Duration::from_millis(millis);
            pace.answered(now)
        };
        let told = [20, 1_500, 20, 1_500, 1_001, 1_500, 20, 1_500, 20, 1_000, 20].map(&mut answer);
        let news: Vec<_> =
            told.iter().enumerate().filter_map(|(at, told)| told.map(|slow| (at, slow))).collect();
        assert_eq!(news, [(4, true), (9, false)]);
    }

    #[test]
    fn an_answer_that_does_not_come_is_slow_too() {
        let (mut pace, now) = (Pace::new(LIMIT), Instant::now());
        assert_eq!(pace.answered(now), None, "nobody asked");
        pace.asked(now);
        assert_eq!(pace.waited(now + LIMIT), None);
        assert_eq!(pace.waited(now + 5 * LIMIT), None);
        assert!(pace.is_waiting());
        assert_eq!(pace.answered(now + 6 * LIMIT), Some(true));
        assert!(!pace.is_waiting());
    }
}
