//! Connections without a task, kept for the next request without a body.
//!
//! Last in, first out, as in the pool. What the origin closes meanwhile is noticed when its turn comes, and by
//! [`Wires::sweep`] at the latest.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::wire::Wire;

#[derive(Debug)]
pub(super) struct Wires {
    keep_alive: Duration,
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// In the order in which they came.
    idle: VecDeque<(Wire, Instant)>,
    closed: bool,
}

impl Wires {
    pub(super) fn new(keep_alive: Duration, capacity: usize) -> Wires {
        Wires { keep_alive, capacity, kept: Mutex::default() }
    }

    /// One that the origin has not closed, as far as is known.
    pub(super) fn take(&self) -> Option<Wire> {
        loop {
            let (mut wire, since) = self.kept().idle.pop_back()?;
            if since.elapsed() < self.keep_alive && wire.is_quiet() {
                return Some(wire);
            }
        }
    }

    pub(super) fn keep(&self, wire: Wire) {
        let mut kept = self.kept();
        if kept.closed || self.capacity == 0 {
            return;
        }
        if kept.idle.len() >= self.capacity {
            kept.idle.pop_front();
        }
        kept.idle.push_back((wire, Instant::now()));
    }

    /// Closes what has been idle for too long.
    pub(super) fn sweep(&self) {
        let mut kept = self.kept();
        while kept.idle.front().is_some_and(|(_, since)| since.elapsed() >= self.keep_alive) {
            kept.idle.pop_front();
        }
    }

    /// Closes all, and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.idle.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
