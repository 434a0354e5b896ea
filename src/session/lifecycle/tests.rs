//! Laws of a session's life, and its story step by step.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::session::clock::Clock;

const MINUTE: Duration = Duration::from_secs(60);

fn began() -> (Lifecycle, Instant) {
    let now = Instant::now();
    let mut life = Lifecycle::start(Timeouts::default(), now);
    life.on(Event::CustomerCame, now);
    (life, now)
}

fn joined() -> (Lifecycle, Instant) {
    let (mut life, now) = began();
    life.on(Event::AgentCame { name: "ann".into() }, now);
    (life, now)
}

fn in_write_mode() -> (Lifecycle, Instant) {
    let (mut life, now) = joined();
    life.on(Event::WriteRequested, now);
    life.on(Event::Answered { allow: true }, now);
    assert_eq!(life.mode().0, Mode::Write);
    (life, now)
}

/// Lets time pass as the session's task does: from deadline to deadline. Answers what was shown, and when.
fn pass(life: &mut Lifecycle, from: Instant, time: Duration) -> Vec<(u64, Status)> {
    let mut shown = Vec::new();
    while let Some(at) = life.deadline().filter(|at| *at <= from + time) {
        assert!(life.tick(at), "a deadline at which nothing happens");
        shown.push(((at - from).as_secs(), life.status(at)));
    }
    shown
}

#[test]
fn every_timeout_is_warned_of_and_then_strikes() {
    type Story = fn() -> (Lifecycle, Instant);
    let busy: Story = || {
        let (mut life, began) = joined();
        let mut now = began;
        while now < began + 238 * MINUTE {
            now += 20 * MINUTE;
            life.on(Event::Activity, now.min(began + 238 * MINUTE));
        }
        (life, began)
    };
    let cases: [(EndReason, u64, Story); 5] = [
        (EndReason::JoinTimeout, 20 * 60, began),
        (EndReason::IdleTimeout, 30 * 60, joined),
        (EndReason::MaxDuration, 240 * 60, busy),
        (EndReason::AwayTimeout, 5 * 60, || {
            let (mut life, now) = joined();
            life.on(Event::CustomerGone(AwayReason::Lost), now);
            (life, now)
        }),
        (EndReason::AgentTimeout, 3 * 60, || {
            let (mut life, now) = joined();
            life.on(Event::AgentGone(AwayReason::Left), now);
            (life, now)
        }),
    ];
    for (reason, after, story) in cases {
        let (mut life, began) = story();
        assert_eq!(life.status(began).ends_soon, None, "{reason:?}");
        let shown = pass(&mut life, began, Duration::from_secs(5 * 3600));
        let [(warned, warning), (ended, end)] = &shown[..] else { panic!("{reason:?}: {shown:?}") };
        assert_eq!((*warned, *ended), (after - 60, after), "{reason:?}");
        assert_eq!(warning.ends_soon, Some(EndsSoon { reason, seconds: 60 }));
        assert_eq!((end.ended, end.ends_soon), (Some(reason), None));
        assert_eq!(life.deadline(), None);
    }
}

#[test]
fn countdowns_run() {
    let (mut life, now) = joined();
    life.on(Event::CustomerGone(AwayReason::Left), now);
    let shown = life.status(now + Duration::from_millis(10_500));
    assert_eq!(shown.customer_away, Some(Absence { why: AwayReason::Left, seconds: 290 }));
    life.tick(now + 4 * MINUTE);
    let soon = |at| life.status(at).ends_soon.map(|soon| soon.seconds);
    assert_eq!((soon(now + 4 * MINUTE), soon(now + 4 * MINUTE + MINUTE / 2)), (Some(60), Some(30)));
}

#[test]
fn a_warning_is_taken_back_when_somebody_does_something() {
    let (mut life, now) = in_write_mode();
    life.tick(now + 29 * MINUTE + Duration::from_secs(1));
    let soon = |life: &Lifecycle| life.status(now).ends_soon.map(|soon| soon.reason);
    assert_eq!(soon(&life), Some(EndReason::IdleTimeout));
    assert!(life.on(Event::Activity, now + 29 * MINUTE + Duration::from_secs(2)));
    assert_eq!(soon(&life), None);
}

#[test]
fn write_mode_needs_a_request_and_the_customers_answer() {
    let (mut life, now) = began();
    life.on(Event::WriteRequested, now);
    assert!(!life.status(now).write_requested, "nobody is there to ask");
    life.on(Event::AgentCame { name: "ann".into() }, now);
    life.on(Event::Answered { allow: true }, now);
    assert_eq!(life.mode().0, Mode::Pointer, "nobody asked");
    life.on(Event::WriteRequested, now);
    life.on(Event::Answered { allow: false }, now);
    assert_eq!(life.mode(), (Mode::Pointer, ModeReason::Declined));
}

#[test]
fn write_mode_survives_a_link_but_not_a_lost_customer_who_is_asked_again() {
    let (mut life, now) = in_write_mode();
    let after = |seconds| now + Duration::from_secs(seconds);
    life.on(Event::CustomerGone(AwayReason::Left), now);
    life.on(Event::CustomerCame, after(3));
    assert_eq!(life.mode().0, Mode::Write);
    life.on(Event::CustomerGone(AwayReason::Left), after(10));
    assert!(life.tick(after(25)));
    assert_eq!(life.mode(), (Mode::Pointer, ModeReason::Interrupted));
    assert!(!life.status(after(25)).write_requested, "nobody is there to ask");
    life.on(Event::CustomerCame, after(30));
    assert!(life.status(after(30)).write_requested);
    life.on(Event::Answered { allow: false }, after(31));
    life.on(Event::CustomerGone(AwayReason::Left), after(32));
    life.tick(after(60));
    life.on(Event::CustomerCame, after(61));
    assert!(!life.status(after(61)).write_requested, "a no is not asked again");
}

#[test]
fn write_mode_does_not_survive_a_lost_agent() {
    let (mut life, now) = in_write_mode();
    life.on(Event::AgentGone(AwayReason::Lost), now);
    assert_eq!(life.mode(), (Mode::Pointer, ModeReason::Interrupted));
    life.on(Event::AgentCame { name: "ann".into() }, now + MINUTE);
    assert!(life.status(now + MINUTE).write_requested, "the customer is asked again");
    life.on(Event::GivenBack, now + MINUTE);
    assert!(!life.status(now + MINUTE).write_requested);
}

#[test]
fn a_pause_ends_write_mode_and_asks_again_afterwards() {
    let (mut life, now) = in_write_mode();
    life.on(Event::Paused, now);
    assert_eq!(life.mode(), (Mode::Pointer, ModeReason::Paused));
    life.on(Event::WriteRequested, now);
    assert!(!life.status(now).write_requested, "there is nothing to write on");
    life.on(Event::Resumed, now);
    assert!(life.status(now).write_requested);
}

#[test]
fn somebody_who_comes_too_late_finds_it_ended() {
    let (mut life, now) = began();
    assert!(life.on(Event::AgentCame { name: "ann".into() }, now + 60 * MINUTE));
    assert_eq!(life.ended(), Some(EndReason::JoinTimeout));
    assert_eq!(life.status(now).agent_name, None);
}

#[test]
fn a_restart_is_as_if_everybody_had_lost_the_connection() {
    let clock = Clock::now();
    let (life, now) = in_write_mode();
    let later = now + 10 * MINUTE;
    let mut again = Lifecycle::restore(life.save(&clock), Timeouts::default(), &clock, later);
    let status = again.status(later);
    assert_eq!((status.phase, status.mode), (Phase::Active, Mode::Pointer));
    assert_eq!(status.customer_away, Some(Absence { why: AwayReason::Lost, seconds: 300 }));
    assert_eq!(status.agent_away, Some(Absence { why: AwayReason::Lost, seconds: 180 }));
    again.on(Event::CustomerCame, later);
    again.on(Event::AgentCame { name: "ann".into() }, later);
    assert!(again.status(later).write_requested, "asked again");

    let (mut gone, now) = joined();
    gone.on(Event::CustomerGone(AwayReason::Left), now);
    let mut again = Lifecycle::restore(gone.save(&clock), Timeouts::default(), &clock, now + 6 * MINUTE);
    assert!(again.tick(now + 6 * MINUTE), "was away before, and for too long");
    assert_eq!(again.ended(), Some(EndReason::AwayTimeout));
}

fn any_event() -> impl Strategy<Value = Event> {
    let why = prop_oneof![Just(AwayReason::Left), Just(AwayReason::Lost)];
    prop_oneof![
        Just(Event::CustomerCame),
        why.clone().prop_map(Event::CustomerGone),
        Just(Event::AgentCame { name: "ann".into() }),
        why.prop_map(Event::AgentGone),
        Just(Event::Watched { by: vec!["sue".into()] }),
        Just(Event::WriteRequested),
        any::<bool>().prop_map(|allow| Event::Answered { allow }),
        Just(Event::TakenBack),
        Just(Event::GivenBack),
        Just(Event::Paused),
        Just(Event::Resumed),
        Just(Event::Activity),
        Just(Event::End(EndReason::CustomerExit)),
        Just(Event::End(EndReason::AgentExit)),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Event(Event),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![15 => any_event().prop_map(Step::Event), 1 => Just(Step::Restart)]
}

proptest! {
    #[test]
    fn one_end_and_no_writing_without_consent(program in prop::collection::vec((any_step(), 0u64..400), 0..60)) {
        let clock = Clock::now();
        let mut now = Instant::now();
        let mut life = Lifecycle::start(Timeouts::default(), now);
        let mut ended = None;
        for (step, seconds) in program {
            now += Duration::from_secs(seconds);
            let before = life.status(now);
            let allowed = matches!(step, Step::Event(Event::Answered { allow: true }));
            match step {
                Step::Event(event) => {
                    let changed = life.on(event, now);
                    let (mut was, mut is) = (before.clone(), life.status(now));
                    // Seconds run without anybody being told.
                    for status in [&mut was, &mut is] {
                        status.ends_soon = status.ends_soon.map(|soon| EndsSoon { seconds: 0, ..soon });
                        for away in [&mut status.customer_away, &mut status.agent_away] {
                            *away = away.map(|away| Absence { seconds: 0, ..away });
                        }
                    }
                    prop_assert!(changed || was == is, "a change that nobody is told of");
                }
                // An ended session is not in the store any more.
                Step::Restart if ended.is_none() => {
                    life = Lifecycle::restore(life.save(&clock), Timeouts::default(), &clock, now);
                    life.tick(now);
                }
                Step::Restart => {}
            }
            let status = life.status(now);
            if status.mode == Mode::Write {
                prop_assert!(before.mode == Mode::Write || (before.write_requested && allowed));
                prop_assert!(status.phase == Phase::Active && status.agent == Presence::Present && !status.paused);
            }
            prop_assert!(!(status.mode == Mode::Write && status.write_requested));
            prop_assert_eq!(status.phase == Phase::Ended, status.ended.is_some());
            prop_assert_eq!(status.customer_away.is_some(), status.customer == Presence::Away && ended.is_none() && status.ended.is_none());
            if ended.is_some() {
                prop_assert_eq!(status.ended, ended);
            }
            ended = status.ended;
            prop_assert_eq!(life.deadline().is_none(), ended.is_some());
            prop_assert!(life.deadline().is_none_or(|at| at > now));
        }
    }
}
