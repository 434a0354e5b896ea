//! The life of a session as a pure state machine: events and the time go in, the [`Status`] that both screens
//! show comes out. Exactly one end, with one reason, and nothing after it.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::session::{EndsSoon, ModeReason, Presence};
use crate::protocol::{EndReason, Mode, Phase, Status};

/// How long a session waits for whom. Each has its setting in `[session]`.
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

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The customer's browser connected.
    CustomerCame,
    /// Its connection is gone.
    CustomerLost,
    /// The agent's browser connected.
    AgentCame {
        /// To show to the customer.
        name: String,
    },
    /// Its connection is gone.
    AgentLost,
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
    /// Somebody moved, clicked or typed.
    Activity,
    /// Somebody or something ends it.
    End(EndReason),
}

/// Where a session is in its life.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    status: Status,
    timeouts: Timeouts,
    started: Instant,
    active: Instant,
    customer_gone: Option<Instant>,
    agent_gone: Option<Instant>,
}

impl Lifecycle {
    /// A session that a customer has just started.
    pub fn start(timeouts: Timeouts, now: Instant) -> Lifecycle {
        Lifecycle {
            status: Status {
                phase: Phase::Idle,
                mode: Mode::Pointer,
                mode_reason: ModeReason::Initial,
                write_requested: false,
                customer: Presence::Expected,
                agent: Presence::Expected,
                agent_name: None,
                ends_soon: None,
                ended: None,
            },
            timeouts,
            started: now,
            active: now,
            customer_gone: Some(now),
            agent_gone: None,
        }
    }

    /// What both screens show.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes an event in. Answers whether the status changed. Whatever comes after the end changes nothing.
    pub fn on(&mut self, event: Event, now: Instant) -> bool {
        self.tick(now);
        if self.status.phase == Phase::Ended {
            return false;
        }
        let before = self.status.clone();
        match event {
            Event::CustomerCame => {
                self.status.customer = Presence::Present;
                self.customer_gone = None;
            }
            Event::CustomerLost => {
                self.status.customer = Presence::Away;
                self.customer_gone = Some(now);
            }
            Event::AgentCame { name } => {
                self.status.phase = Phase::Active;
                self.status.agent = Presence::Present;
                self.status.agent_name = Some(name);
                self.agent_gone = None;
            }
            Event::AgentLost => {
                self.status.agent = Presence::Away;
                self.agent_gone = Some(now);
                self.interrupt();
            }
            Event::WriteRequested => {
                self.status.write_requested =
                    self.status.phase == Phase::Active && self.status.mode == Mode::Pointer;
            }
            Event::Answered { allow } if self.status.write_requested => {
                self.status.write_requested = false;
                (self.status.mode, self.status.mode_reason) = if allow {
                    (Mode::Write, ModeReason::Allowed)
                } else {
                    (Mode::Pointer, ModeReason::Declined)
                };
            }
            Event::TakenBack if self.status.mode == Mode::Write => self.pointer(ModeReason::TakenBack),
            Event::GivenBack if self.status.mode == Mode::Write => self.pointer(ModeReason::GivenBack),
            Event::GivenBack => self.status.write_requested = false,
            Event::Answered { .. } | Event::TakenBack | Event::Activity => {}
            Event::End(reason) => self.end(reason),
        }
        self.active = now;
        self.warn(now);
        self.tick(now);
        before != self.status
    }

    /// Lets time pass. Answers whether the status changed.
    pub fn tick(&mut self, now: Instant) -> bool {
        let before = self.status.clone();
        while let Some((at, due)) = self.due().filter(|(at, _)| *at <= now) {
            match due {
                Due::Warning => self.warn(at.max(now)),
                Due::Interruption => self.interrupt(),
                Due::End(reason) => self.end(reason),
            }
        }
        before != self.status
    }

    /// When [`Lifecycle::tick`] will next have something to do; none after the end.
    pub fn deadline(&self) -> Option<Instant> {
        self.due().map(|(at, _)| at)
    }

    /// What happens next by itself, and when.
    fn due(&self) -> Option<(Instant, Due)> {
        let (end, reason) = self.timeout()?;
        let gone =
            self.customer_gone.filter(|_| self.status.mode == Mode::Write || self.status.write_requested);
        let interruption = gone.map(|gone| (gone + self.timeouts.navigation, Due::Interruption));
        let unwarned = self.status.ends_soon.is_none_or(|soon| soon.reason != reason);
        let warning = unwarned.then(|| (self.warned(end), Due::Warning));
        let end = Some((end, Due::End(reason)));
        [warning, interruption, end].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When both are told that the session will end at `end`.
    fn warned(&self, end: Instant) -> Instant {
        end.checked_sub(self.timeouts.warning).unwrap_or(self.started).max(self.started)
    }

    /// Says, or takes back, that the end is near.
    fn warn(&mut self, now: Instant) {
        let soon = self.timeout().filter(|(end, _)| self.warned(*end) <= now);
        let seconds = |end: Instant| u32::try_from(end.duration_since(now).as_secs()).unwrap_or(u32::MAX);
        match (soon, self.status.ends_soon) {
            (Some((_, reason)), Some(said)) if said.reason == reason => {}
            (soon, _) => {
                self.status.ends_soon = soon.map(|(end, reason)| EndsSoon { reason, seconds: seconds(end) })
            }
        }
    }

    /// Which timeout would end the session next, and when.
    fn timeout(&self) -> Option<(Instant, EndReason)> {
        let limits = &self.timeouts;
        let away = self.customer_gone.map(|gone| (gone + limits.away, EndReason::AwayTimeout));
        let max = Some((self.started + limits.max, EndReason::MaxDuration));
        let ends = match self.status.phase {
            Phase::Ended => return None,
            Phase::Idle => [Some((self.started + limits.join, EndReason::JoinTimeout)), away, max, None],
            Phase::Active => [
                self.agent_gone.map(|gone| (gone + limits.agent, EndReason::AgentTimeout)),
                away,
                max,
                Some((self.active + limits.idle, EndReason::IdleTimeout)),
            ],
        };
        ends.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn interrupt(&mut self) {
        self.status.write_requested = false;
        if self.status.mode == Mode::Write {
            self.pointer(ModeReason::Interrupted);
        }
    }

    fn pointer(&mut self, reason: ModeReason) {
        self.status.mode = Mode::Pointer;
        self.status.mode_reason = reason;
    }

    fn end(&mut self, reason: EndReason) {
        self.interrupt();
        self.status.phase = Phase::Ended;
        self.status.ends_soon = None;
        self.status.ended = Some(reason);
    }
}

enum Due {
    Warning,
    Interruption,
    End(EndReason),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn began() -> (Lifecycle, Instant) {
        let now = Instant::now();
        let mut life = Lifecycle::start(Timeouts::default(), now);
        life.on(Event::CustomerCame, now);
        (life, now)
    }

    fn in_write_mode() -> (Lifecycle, Instant) {
        let (mut life, now) = began();
        life.on(Event::AgentCame { name: "ann".into() }, now);
        life.on(Event::WriteRequested, now);
        life.on(Event::Answered { allow: true }, now);
        assert_eq!(life.status().mode, Mode::Write);
        (life, now)
    }

    #[test]
    fn nobody_joins_and_it_ends() {
        let (mut life, now) = began();
        assert!(!life.tick(now + Duration::from_secs(19 * 60 - 1)));
        assert!(life.tick(now + Duration::from_secs(19 * 60)), "a warning first");
        assert_eq!(life.status().ends_soon, Some(EndsSoon { reason: EndReason::JoinTimeout, seconds: 60 }));
        assert!(!life.tick(now + Duration::from_secs(20 * 60 - 1)));
        assert!(life.tick(now + Duration::from_secs(20 * 60)));
        assert_eq!(life.status().ended, Some(EndReason::JoinTimeout));
        assert_eq!(life.deadline(), None);
    }

    #[test]
    fn a_warning_is_taken_back_when_somebody_does_something() {
        let (mut life, now) = in_write_mode();
        life.tick(now + Duration::from_secs(29 * 60 + 1));
        assert_eq!(life.status().ends_soon.map(|soon| soon.reason), Some(EndReason::IdleTimeout));
        assert!(life.on(Event::Activity, now + Duration::from_secs(29 * 60 + 2)));
        assert_eq!(life.status().ends_soon, None);
    }

    #[test]
    fn write_mode_needs_a_request_and_the_customers_answer() {
        let (mut life, now) = began();
        life.on(Event::WriteRequested, now);
        assert!(!life.status().write_requested, "nobody is there to ask");
        life.on(Event::AgentCame { name: "ann".into() }, now);
        life.on(Event::Answered { allow: true }, now);
        assert_eq!(life.status().mode, Mode::Pointer, "nobody asked");
        life.on(Event::WriteRequested, now);
        life.on(Event::Answered { allow: false }, now);
        assert_eq!((life.status().mode, life.status().mode_reason), (Mode::Pointer, ModeReason::Declined));
    }

    #[test]
    fn write_mode_survives_a_link_but_not_a_lost_customer() {
        let (mut life, now) = in_write_mode();
        life.on(Event::CustomerLost, now);
        life.on(Event::CustomerCame, now + Duration::from_secs(3));
        assert_eq!(life.status().mode, Mode::Write);
        life.on(Event::CustomerLost, now + Duration::from_secs(10));
        assert!(life.tick(now + Duration::from_secs(25)));
        assert_eq!((life.status().mode, life.status().mode_reason), (Mode::Pointer, ModeReason::Interrupted));
    }

    #[test]
    fn write_mode_does_not_survive_a_lost_agent() {
        let (mut life, now) = in_write_mode();
        life.on(Event::AgentLost, now);
        assert_eq!((life.status().mode, life.status().mode_reason), (Mode::Pointer, ModeReason::Interrupted));
        assert!(life.tick(now + Duration::from_secs(180)));
        assert_eq!(life.status().ended, Some(EndReason::AgentTimeout));
    }

    #[test]
    fn somebody_who_comes_too_late_finds_it_ended() {
        let (mut life, now) = began();
        assert!(!life.on(Event::AgentCame { name: "ann".into() }, now + Duration::from_secs(3600)));
        assert_eq!(life.status().ended, Some(EndReason::JoinTimeout));
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::CustomerCame),
            Just(Event::CustomerLost),
            Just(Event::AgentCame { name: "ann".into() }),
            Just(Event::AgentLost),
            Just(Event::WriteRequested),
            any::<bool>().prop_map(|allow| Event::Answered { allow }),
            Just(Event::TakenBack),
            Just(Event::GivenBack),
            Just(Event::Activity),
            Just(Event::End(EndReason::CustomerExit)),
            Just(Event::End(EndReason::AgentExit)),
        ]
    }

    proptest! {
        #[test]
        fn one_end_and_no_writing_without_consent(program in prop::collection::vec((any_event(), 0u64..400), 0..60)) {
            let mut now = Instant::now();
            let mut life = Lifecycle::start(Timeouts::default(), now);
            let mut ended = None;
            for (event, seconds) in program {
                now += Duration::from_secs(seconds);
                let asked = life.status().write_requested;
                let was = life.status().mode;
                let allowed = event == Event::Answered { allow: true };
                life.on(event, now);
                let status = life.status();
                if status.mode == Mode::Write && was == Mode::Pointer {
                    prop_assert!(asked && allowed);
                }
                if status.mode == Mode::Write {
                    prop_assert!(status.phase == Phase::Active && status.agent == Presence::Present);
                }
                prop_assert_eq!(status.phase == Phase::Ended, status.ended.is_some());
                if ended.is_some() {
                    prop_assert_eq!(status.ended, ended);
                }
                ended = status.ended;
                prop_assert_eq!(life.deadline().is_none(), ended.is_some());
                prop_assert!(life.deadline().is_none_or(|at| at > now));
            }
        }
    }
}
