//! The tabs in which a customer has the site open, and which of them is looked at: only that one is shared.
//!
//! A tab that loads its next page is gone for a moment and keeps its place. Knows connections by number only.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::link::Outgoing;
use crate::policy::Neighbours;
use crate::protocol::Point;

/// Tabs of one customer at a time; the one that was looked at longest ago gives way.
const MOST: usize = 32;
/// How long a tab without a connection keeps its place.
const LOADING: Duration = Duration::from_secs(5);

/// All tabs of a customer.
#[derive(Default)]
pub(super) struct Tabs {
    tabs: Vec<Tab>,
    /// The number of the tab that is looked at.
    current: u32,
    numbers: u32,
    looks: u64,
}

/// One of them.
pub(super) struct Tab {
    /// By which its browser knows it over page loads.
    key: String,
    /// By which agents know it.
    pub(super) number: u32,
    pub(super) line: Option<Line>,
    gone: Option<Instant>,
    /// Counts up with every look; 0: it was never looked at.
    looked: u64,
    /// Whether it is on the customer's screen.
    pub(super) seen: bool,
    /// Where the page is, for the rules of what its browser withholds. Unknown while the customer pauses.
    pub(super) url: Option<String>,
    /// The same of its frames.
    pub(super) frames: Vec<String>,
    /// Where Back and Forward lead from here.
    pub(super) near: Neighbours,
    pub(super) misfits: u32,
    /// Whether its browser was told that the agent sees nothing of the page.
    pub(super) private: bool,
}

/// The way to a tab's browser.
pub(super) struct Line {
    pub(super) connection: u64,
    pub(super) outbox: mpsc::Sender<Outgoing>,
    pub(super) pointer: watch::Sender<Option<Point>>,
    /// Whether its answers take long.
    pub(super) slow: bool,
}

impl Tabs {
    /// A tab connects. Answers the lines that it takes the place of.
    pub(super) fn connect(&mut self, key: String, line: Line) -> Vec<Line> {
        let mut replaced = Vec::new();
        if let Some(tab) = self.tabs.iter_mut().find(|tab| tab.key == key) {
            replaced.extend(tab.line.replace(line));
            (tab.gone, tab.misfits, tab.seen, tab.private) = (None, 0, false, false);
            tab.frames.clear();
            tab.near = Neighbours::default();
            return replaced;
        }
        if self.tabs.len() >= MOST {
            let current = self.current;
            let others = self.tabs.iter().enumerate().filter(|(_, tab)| tab.number != current);
            if let Some((at, _)) = others.min_by_key(|(_, tab)| (tab.line.is_some(), tab.looked)) {
                replaced.extend(self.tabs.remove(at).line);
            }
        }
        self.numbers += 1;
        self.tabs.push(Tab {
            key,
            number: self.numbers,
            line: Some(line),
            gone: None,
            looked: 0,
            seen: false,
            url: None,
            frames: Vec::new(),
            near: Neighbours::default(),
            misfits: 0,
            private: false,
        });
        replaced
    }

    /// A connection is gone. Answers whether it was the one of the tab that is looked at.
    pub(super) fn disconnect(&mut self, connection: u64, now: Instant) -> bool {
        let current = self.current;
        let Some(tab) = self.of(connection) else { return false };
        (tab.line, tab.gone) = (None, Some(now));
        tab.number == current
    }

    /// The customer looks at the tab of this connection. Answers whether it was another one before.
    pub(super) fn look(&mut self, connection: u64) -> bool {
        self.looks += 1;
        let looks = self.looks;
        let Some(tab) = self.of(connection) else { return false };
        (tab.looked, tab.seen) = (looks, true);
        let number = tab.number;
        std::mem::replace(&mut self.current, number) != number
    }

    /// The tab of a connection.
    pub(super) fn of(&mut self, connection: u64) -> Option<&mut Tab> {
        let mine = |line: &Line| line.connection == connection;
        self.tabs.iter_mut().find(|tab| tab.line.as_ref().is_some_and(mine))
    }

    /// The tab that is looked at, while it is connected.
    pub(super) fn current(&mut self) -> Option<&mut Tab> {
        let current = self.current;
        self.tabs.iter_mut().find(|tab| tab.number == current && tab.line.is_some())
    }

    /// Whether the tab of this connection is the one that is looked at.
    pub(super) fn is_current(&mut self, connection: u64) -> bool {
        let current = self.current;
        self.of(connection).is_some_and(|tab| tab.number == current)
    }

    /// Whether the line to the tab that is looked at is slow.
    pub(super) fn is_slow(&self) -> bool {
        let line = |tab: &Tab| tab.number == self.current && tab.line.as_ref().is_some_and(|line| line.slow);
        self.tabs.iter().any(line)
    }

    /// The number of the tab that is looked at.
    pub(super) fn shown(&self) -> u32 {
        self.current
    }

    /// Whether the tab that was looked at last is still open, as far as that is known.
    pub(super) fn is_any_shown(&self) -> bool {
        self.tabs.iter().any(|tab| tab.number == self.current)
    }

    /// Nobody says where pages are during a pause, and where they were says nothing about after it.
    pub(super) fn forget_places(&mut self) {
        for tab in &mut self.tabs {
            tab.url = None;
            tab.frames.clear();
            tab.near = Neighbours::default();
        }
    }

    /// All of them, in the order in which they were opened.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tab> {
        self.tabs.iter()
    }

    /// Whether any tab is connected.
    pub(super) fn any(&self) -> bool {
        self.tabs.iter().any(|tab| tab.line.is_some())
    }

    /// When [`Tabs::expire`] will next have something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let alone = !self.any();
        // The last one stays to be seen until the customer is back or the session ends.
        let going = self.tabs.iter().filter(|tab| !(alone && tab.number == self.current));
        going.filter_map(|tab| tab.gone).min().map(|gone| gone + LOADING)
    }

    /// Forgets tabs that were closed. Answers the connection of the one to look at instead, if that one was closed.
    pub(super) fn expire(&mut self, now: Instant) -> Option<u64> {
        let (alone, current) = (!self.any(), self.current);
        self.tabs.retain(|tab| {
            (alone && tab.number == current) || tab.gone.is_none_or(|gone| gone + LOADING > now)
        });
        if self.is_any_shown() {
            return None;
        }
        let next =
            self.tabs.iter().filter(|tab| tab.line.is_some()).max_by_key(|tab| (tab.seen, tab.looked))?;
        next.line.as_ref().map(|line| line.connection)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(connection: u64) -> Line {
        Line { connection, outbox: mpsc::channel(1).0, pointer: watch::Sender::new(None), slow: false }
    }

    #[test]
    fn a_page_load_keeps_the_tab_and_a_closed_tab_leaves_the_other_one() {
        let now = Instant::now();
        let mut tabs = Tabs::default();
        tabs.connect("a".into(), line(1));
        assert!(tabs.look(1));
        tabs.connect("b".into(), line(2));
        assert_eq!(tabs.shown(), 1, "a tab that was only opened is not looked at");
        assert!(tabs.disconnect(1, now));
        assert!(tabs.connect("a".into(), line(3)).is_empty());
        assert!(!tabs.look(3), "the same tab");
        assert_eq!((tabs.deadline(), tabs.iter().count()), (None, 2));

        tabs.disconnect(3, now);
        assert_eq!(tabs.expire(now), None, "it may be loading");
        assert_eq!(tabs.deadline(), Some(now + LOADING));
        assert_eq!(tabs.expire(now + LOADING), Some(2));
        assert!(tabs.look(2));
        assert_eq!((tabs.shown(), tabs.iter().count()), (2, 1));
        tabs.disconnect(2, now);
        assert_eq!(tabs.deadline(), None, "the last one stays");
    }

    #[test]
    fn a_second_connection_of_a_tab_takes_the_place_of_the_first() {
        let mut tabs = Tabs::default();
        tabs.connect("a".into(), line(1));
        let replaced = tabs.connect("a".into(), line(2));
        assert_eq!(replaced.iter().map(|line| line.connection).collect::<Vec<_>>(), [1]);
        assert!(!tabs.disconnect(1, Instant::now()), "late word of the first");
        assert!(tabs.any());
    }

    proptest! {
        #[test]
        fn there_are_never_too_many_and_the_one_looked_at_stays(program in prop::collection::vec((0u8..4, 0u64..60, 0u64..9), 0..200)) {
            let (mut now, mut tabs, mut connection) = (Instant::now(), Tabs::default(), 0);
            for (step, which, seconds) in program {
                now += Duration::from_secs(seconds);
                match step {
                    0 => {
                        connection += 1;
                        tabs.connect(format!("{which}"), line(connection));
                    }
                    1 => {
                        tabs.disconnect(which, now);
                    }
                    2 => {
                        let known = tabs.of(which).map(|tab| tab.number);
                        tabs.look(which);
                        if let Some(number) = known { prop_assert_eq!(tabs.shown(), number); }
                    }
                    _ => {
                        if let Some(next) = tabs.expire(now) { tabs.look(next); }
                        prop_assert!(tabs.deadline().is_none_or(|at| at > now));
                        let here = |tab: &Tab| tab.number == tabs.shown();
                        prop_assert!(tabs.shown() == 0 || !tabs.any() || tabs.iter().any(here));
                    }
                }
                prop_assert!(tabs.iter().count() <= MOST);
            }
        }
    }
}
