//! Whether the other side of an HTTP/2 connection is still there: one that says nothing for long is asked.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep};

/// How often a silent connection is asked (RFC 9113, section 6.7).
pub(super) const EVERY: Duration = Duration::from_secs(30);
/// And how long it may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// When something last came on a connection.
#[derive(Debug)]
pub(super) struct Heard {
    born: Instant,
    /// In milliseconds since then; 0: never.
    last: AtomicU64,
}

impl Heard {
    pub(super) fn new() -> Heard {
        Heard { born: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Something comes.
    pub(super) fn now(&self) {
        let since = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since.max(1), Ordering::Relaxed);
    }

    /// Whether anything ever came.
    pub(super) fn anything(&self) -> bool {
        self.last.load(Ordering::Relaxed) > 0
    }

    fn last(&self) -> Instant {
        self.born + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

pub(super) struct Life {
    pings: PingPong,
    timer: Pin<Box<Sleep>>,
    asked: bool,
}

impl Life {
    pub(super) fn new(pings: PingPong) -> Life {
        Life { pings, timer: Box::pin(tokio::time::sleep(EVERY)), asked: false }
    }

    /// Ready when nobody is there.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, heard: &Heard) -> Poll<()> {
        loop {
            if self.asked && self.pings.poll_pong(cx).is_ready() {
                self.asked = false;
                self.timer.as_mut().reset(Instant::now() + EVERY);
            }
            ready!(self.timer.as_mut().poll(cx));
            if self.asked {
                return Poll::Ready(());
            }
            let now = Instant::now();
            let due = heard.last() + EVERY;
            if due > now {
                self.timer.as_mut().reset(due);
                continue;
            }
            // An error: the connection is ending anyway.
            self.asked = self.pings.send_ping(Ping::opaque()).is_ok();
            self.timer.as_mut().reset(now + if self.asked { PATIENCE } else { EVERY });
        }
    }
}
