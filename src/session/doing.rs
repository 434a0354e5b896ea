//! Whether what happens in the customer's page is the agent's doing: who pressed something last counts.
//!
//! Only that tells a file that an agent's click brings from one that the customer wants.

use std::time::Duration;

use tokio::time::Instant;

/// How long after an action its effects are the agent's doing: a page may ask its server first.
const LASTS: Duration = Duration::from_secs(10);

/// The agent's last action, while nobody else has done anything.
#[derive(Debug, Default)]
pub(super) struct Doing(Option<(Action, Instant)>);

/// Whose action, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) connection: u64,
    pub(super) seq: u32,
}

impl Doing {
    /// The agent does something.
    pub(super) fn agent(&mut self, action: Action, now: Instant) {
        self.0 = Some((action, now));
    }

    /// The customer does something.
    pub(super) fn customer(&mut self) {
        self.0 = None;
    }

    /// The action that is the cause of what happens now.
    pub(super) fn cause(&self, now: Instant) -> Option<Action> {
        self.0.filter(|(_, since)| now < *since + LASTS).map(|(action, _)| action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_the_agents_until_the_customer_does_something_or_time_has_passed() {
        let (mut doing, now) = (Doing::default(), Instant::now());
        let action = Action { connection: 1, seq: 2 };
        assert_eq!(doing.cause(now), None);
        doing.agent(action, now);
        assert_eq!(doing.cause(now + LASTS / 2), Some(action));
        assert_eq!(doing.cause(now + LASTS), None);
        doing.customer();
        assert_eq!(doing.cause(now), None);
    }
}
