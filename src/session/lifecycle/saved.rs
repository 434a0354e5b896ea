//! What of a session's life outlives the server: enough to go on after a restart as if everybody had just lost
//! their connection. Times are those of the wall, since the next server has another clock.

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Lifecycle, State, Timeouts, Whereabouts};
use crate::protocol::session::{AwayReason, ModeReason};
use crate::protocol::{Mode, Phase};
use crate::session::clock::Clock;

/// A life on paper; times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    started: u64,
    paused: bool,
    /// The agent could type and click, or had asked to.
    wrote: bool,
    agent: Option<String>,
    customer_gone: Option<(u64, AwayReason)>,
    agent_gone: Option<(u64, AwayReason)>,
}

impl Lifecycle {
    /// For the store.
    pub fn save(&self, clock: &Clock) -> Saved {
        let gone = |who: Whereabouts| match who {
            Whereabouts::Away(since, why) => Some((clock.wall(since), why)),
            _ => None,
        };
        let state = &self.state;
        Saved {
            started: clock.wall(self.started),
            paused: state.paused,
            wrote: state.mode == Mode::Write || state.requested || state.again,
            agent: state.agent_name.clone(),
            customer_gone: gone(state.customer),
            agent_gone: gone(state.agent),
        }
    }

    /// A life that goes on under another server: nobody is connected yet. Who was there before has the full time to
    /// come back; who was away already stays away for as long as that. A limit that passed meanwhile strikes at once.
    pub fn restore(saved: Saved, timeouts: Timeouts, clock: &Clock, now: Instant) -> Lifecycle {
        let gone = |gone: Option<(u64, AwayReason)>| {
            let (since, why) = gone
                .map(|(since, why)| (clock.instant(since).min(now), why))
                .unwrap_or((now, AwayReason::Lost));
            Whereabouts::Away(since, why)
        };
        let reason = if saved.wrote { ModeReason::Interrupted } else { ModeReason::Initial };
        let started = clock.instant(saved.started).min(now);
        let state = State {
            phase: if saved.agent.is_some() { Phase::Active } else { Phase::Idle },
            mode: Mode::Pointer,
            reason,
            requested: false,
            again: saved.wrote,
            paused: saved.paused,
            customer: gone(saved.customer_gone),
            agent: if saved.agent.is_some() {
                gone(saved.agent_gone)
            } else {
                Whereabouts::Expected(started)
            },
            agent_name: saved.agent,
            watchers: Vec::new(),
            warned: None,
            ended: None,
        };
        Lifecycle { timeouts, started, active: now, state }
    }
}
