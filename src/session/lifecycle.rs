//! The life of a session as a pure state machine: events and the time go in, the [`Status`] that both screens
//! show comes out. Exactly one end, with one reason, and nothing after it.

mod saved;
mod timeouts;

#[cfg(test)]
mod tests;

pub use saved::Saved;
pub use timeouts::Timeouts;

use tokio::time::Instant;

use crate::protocol::session::{Absence, AwayReason, EndsSoon, ModeReason, Presence};
use crate::protocol::{EndReason, Mode, Phase, Status};

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The customer's browser connected.
    CustomerCame,
    /// Its last connection is gone.
    CustomerGone(AwayReason),
    /// The agent's browser connected.
    AgentCame {
        /// To show to the customer.
        name: String,
    },
    /// Its connection is gone.
    AgentGone(AwayReason),
    /// These watch beside the agent now.
    Watched {
        /// Their display names, each once.
        by: Vec<String>,
    },
    /// The agent asks for Write mode.
    WriteRequested,
    /// The customer's answer.
    Answered {
        /// Whether the agent may type and click.
        allow: bool,
    },
    /// The customer takes control back.
    TakenBack,
    /// The agent gives it back.
    GivenBack,
    /// The customer pauses sharing.
    Paused,
    /// The customer goes on sharing.
    Resumed,
    /// Somebody moved, clicked or typed.
    Activity,
    /// Somebody or something ends it.
    End(EndReason),
}

/// Where a session is in its life.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    timeouts: Timeouts,
    started: Instant,
    active: Instant,
    state: State,
}

/// What both screens show, with points in time in place of seconds to go.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    phase: Phase,
    mode: Mode,
    reason: ModeReason,
    requested: bool,
    /// Write mode was interrupted: the customer is asked again as soon as everybody is back.
    again: bool,
    paused: bool,
    customer: Whereabouts,
    agent: Whereabouts,
    agent_name: Option<String>,
    watchers: Vec<String>,
    warned: Option<EndReason>,
    ended: Option<EndReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    /// Was never here; expected since.
    Expected(Instant),
    Present,
    Away(Instant, AwayReason),
}

impl Lifecycle {
    /// A session that a customer has just started.
    pub fn start(timeouts: Timeouts, now: Instant) -> Lifecycle {
        let state = State {
            phase: Phase::Idle,
            mode: Mode::Pointer,
            reason: ModeReason::Initial,
            requested: false,
            again: false,
            paused: false,
            customer: Whereabouts::Expected(now),
            agent: Whereabouts::Expected(now),
            agent_name: None,
            watchers: Vec::new(),
            warned: None,
            ended: None,
        };
        Lifecycle { timeouts, started: now, active: now, state }
    }

    /// When the customer started the session.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// What both screens show at this moment, but for how fast their lines are.
    pub fn status(&self, now: Instant) -> Status {
        let state = &self.state;
        let seconds = |end: Instant| {
            // Rounded up, so that nothing ends before its countdown does.
            let left = end.saturating_duration_since(now);
            u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
        };
        let away = |who: Whereabouts, limit| match who {
            Whereabouts::Away(since, why) if state.phase != Phase::Ended => {
                Some(Absence { why, seconds: seconds(since + limit) })
            }
            _ => None,
        };
        let soon = self.timeout().filter(|(_, reason)| state.warned == Some(*reason));
        Status {
            phase: state.phase,
            mode: state.mode,
            mode_reason: state.reason,
            write_requested: state.requested,
            paused: state.paused,
            customer: state.customer.presence(),
            customer_away: away(state.customer, self.timeouts.away),
            customer_slow: false,
            agent: state.agent.presence(),
            agent_away: away(state.agent, self.timeouts.agent),
            agent_slow: false,
            agent_name: state.agent_name.clone(),
            watchers: state.watchers.clone(),
            ends_soon: soon.map(|(end, reason)| EndsSoon { reason, seconds: seconds(end) }),
            ended: state.ended,
        }
    }

    /// Idle, active or ended.
    pub fn phase(&self) -> Phase {
        self.state.phase
    }

    /// Pointer or Write, and why.
    pub fn mode(&self) -> (Mode, ModeReason) {
        (self.state.mode, self.state.reason)
    }

    /// Whether the customer has paused sharing.
    pub fn is_paused(&self) -> bool {
        self.state.paused
    }

    /// Why it ended, once it has.
    pub fn ended(&self) -> Option<EndReason> {
        self.state.ended
    }

    /// Takes an event in. Answers whether the status changed. Whatever comes after the end changes nothing.
    pub fn on(&mut self, event: Event, now: Instant) -> bool {
        let passed = self.tick(now);
        if self.state.phase == Phase::Ended {
            return passed;
        }
        self.active = now;
        // By far the most frequent, and mostly without effect.
        if event == Event::Activity && self.state.warned.is_none() {
            return passed;
        }
        let before = self.state.clone();
        self.change(event, now);
        self.ask_again();
        self.warn(now);
        self.tick(now);
        passed || before != self.state
    }

    fn change(&mut self, event: Event, now: Instant) {
        let state = &mut self.state;
        match event {
            Event::CustomerCame => state.customer = Whereabouts::Present,
            Event::CustomerGone(why) => state.customer = Whereabouts::Away(now, why),
            Event::AgentCame { name } => {
                state.phase = Phase::Active;
                state.agent = Whereabouts::Present;
                state.agent_name = Some(name);
            }
            Event::AgentGone(why) => {
                state.agent = Whereabouts::Away(now, why);
                state.interrupt(ModeReason::Interrupted);
            }
            Event::Watched { by } => state.watchers = by,
            Event::WriteRequested => state.requested = state.may_write() && state.mode == Mode::Pointer,
            Event::Answered { allow } if state.requested => {
                state.requested = false;
                if allow {
                    (state.mode, state.reason) = (Mode::Write, ModeReason::Allowed);
                } else {
                    state.pointer(ModeReason::Declined);
                }
            }
            Event::TakenBack if state.mode == Mode::Write => state.pointer(ModeReason::TakenBack),
            Event::GivenBack if state.mode == Mode::Write => state.pointer(ModeReason::GivenBack),
            Event::GivenBack => (state.requested, state.again) = (false, false),
            Event::Paused => {
                state.paused = true;
                state.interrupt(ModeReason::Paused);
            }
            Event::Resumed => state.paused = false,
            Event::Answered { .. } | Event::TakenBack | Event::Activity => {}
            Event::End(reason) => state.end(reason),
        }
    }

    /// Lets time pass. Answers whether the status changed.
    pub fn tick(&mut self, now: Instant) -> bool {
        let mut changed = false;
        while let Some((_, due)) = self.due().filter(|(at, _)| *at <= now) {
            changed = true;
            match due {
                Due::Warning => self.warn(now),
                Due::Interruption => self.state.interrupt(ModeReason::Interrupted),
                Due::End(reason) => self.state.end(reason),
            }
        }
        changed
    }

    /// When [`Lifecycle::tick`] will next have something to do; none after the end.
    pub fn deadline(&self) -> Option<Instant> {
        self.due().map(|(at, _)| at)
    }

    /// What happens next by itself, and when.
    fn due(&self) -> Option<(Instant, Due)> {
        let (end, reason) = self.timeout()?;
        let writes = self.state.mode == Mode::Write || self.state.requested;
        let gone = self.state.customer.gone().filter(|_| writes);
        let interruption = gone.map(|gone| (gone + self.timeouts.navigation, Due::Interruption));
        let warning = (self.state.warned != Some(reason)).then(|| (self.warned(end), Due::Warning));
        let end = Some((end, Due::End(reason)));
        // Of two at the same time, the first one in this order.
        [warning, interruption, end].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When both are told that the session will end at `end`.
    fn warned(&self, end: Instant) -> Instant {
        end.checked_sub(self.timeouts.warning).unwrap_or(self.started).max(self.started)
    }

    /// Says, or takes back, that the end is near.
    fn warn(&mut self, now: Instant) {
        let soon = self.timeout().filter(|(end, _)| self.warned(*end) <= now);
        self.state.warned = soon.map(|(_, reason)| reason);
    }

    /// Which timeout would end the session next, and when.
    fn timeout(&self) -> Option<(Instant, EndReason)> {
        let limits = &self.timeouts;
        let away = self.state.customer.gone().map(|gone| (gone + limits.away, EndReason::AwayTimeout));
        let max = Some((self.started + limits.max, EndReason::MaxDuration));
        let ends = match self.state.phase {
            Phase::Ended => return None,
            Phase::Idle => [Some((self.started + limits.join, EndReason::JoinTimeout)), away, max, None],
            Phase::Active => [
                self.state.agent.gone().map(|gone| (gone + limits.agent, EndReason::AgentTimeout)),
                away,
                max,
                Some((self.active + limits.idle, EndReason::IdleTimeout)),
            ],
        };
        ends.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Everybody is back after Write mode was interrupted: the customer decides anew.
    fn ask_again(&mut self) {
        let state = &mut self.state;
        if state.again && state.may_write() && state.customer == Whereabouts::Present {
            (state.again, state.requested) = (false, true);
        }
    }
}

impl State {
    fn may_write(&self) -> bool {
        self.phase == Phase::Active && self.agent == Whereabouts::Present && !self.paused
    }

    fn interrupt(&mut self, reason: ModeReason) {
        self.again |= self.mode == Mode::Write || self.requested;
        self.requested = false;
        if self.mode == Mode::Write {
            (self.mode, self.reason) = (Mode::Pointer, reason);
        }
    }

    fn pointer(&mut self, reason: ModeReason) {
        (self.mode, self.reason, self.again) = (Mode::Pointer, reason, false);
    }

    fn end(&mut self, reason: EndReason) {
        self.interrupt(ModeReason::Interrupted);
        self.phase = Phase::Ended;
        self.warned = None;
        self.watchers.clear();
        self.ended = Some(reason);
    }
}

impl Whereabouts {
    fn presence(self) -> Presence {
        match self {
            Whereabouts::Expected(_) => Presence::Expected,
            Whereabouts::Present => Presence::Present,
            Whereabouts::Away(..) => Presence::Away,
        }
    }

    fn gone(self) -> Option<Instant> {
        match self {
            Whereabouts::Present => None,
            Whereabouts::Expected(since) | Whereabouts::Away(since, _) => Some(since),
        }
    }
}

enum Due {
    Warning,
    Interruption,
    End(EndReason),
}
