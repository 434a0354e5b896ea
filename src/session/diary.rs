//! One session's part of what is written down: its newest record, and what happened in it, bounded.

use std::sync::Arc;

use tokio::time::Instant;

use super::history::{self, ENTRIES, Entry, Happening};
use super::record::{About, Record};
use super::registry::Shared;
use crate::protocol::session::{AwayReason, ModeReason, Presence};
use crate::protocol::{EndReason, Mode, SessionId, Status};
use crate::store::Note;

/// Notes only what is new.
pub(super) struct Diary {
    id: SessionId,
    shared: Arc<Shared>,
    entries: usize,
    last: Option<Record>,
    page: Option<Happening>,
    seen: Seen,
    away: Option<(Instant, AwayReason)>,
}

/// What of the status was noted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    mode: (Mode, ModeReason),
    paused: bool,
    customer: Presence,
}

impl Diary {
    pub(super) fn new(id: SessionId, shared: Arc<Shared>) -> Diary {
        let seen =
            Seen { mode: (Mode::Pointer, ModeReason::Initial), paused: false, customer: Presence::Expected };
        Diary { id, shared, entries: 0, last: None, page: None, seen, away: None }
    }

    /// Something happened.
    pub(super) fn note(&mut self, happening: Happening) {
        if self.entries >= ENTRIES {
            return;
        }
        self.note_at(Instant::now(), happening);
    }

    fn note_at(&mut self, at: Instant, happening: Happening) {
        self.entries += 1;
        let events = vec![self.entry(at, happening).to_event()];
        self.shared.scribe.note(&self.id, Note { events, ..Note::default() });
    }

    /// The customer shows a page, as the agent sees its address.
    pub(super) fn page(&mut self, location: &str) {
        let page = history::page(location);
        if page.is_some() && page != self.page {
            self.page.clone_from(&page);
            page.into_iter().for_each(|page| self.note(page));
        }
    }

    /// How the session stands now, for both screens and for the next server.
    pub(super) fn record(&mut self, status: &Status, record: Record) {
        let now = Seen {
            mode: (status.mode, status.mode_reason),
            paused: status.paused,
            customer: status.customer,
        };
        let before = std::mem::replace(&mut self.seen, now);
        if before.customer != now.customer {
            self.absence(status);
        }
        if before.paused != now.paused {
            self.note(if now.paused { Happening::Paused } else { Happening::Resumed });
        }
        if before.mode != now.mode {
            self.note(Happening::Mode { mode: status.mode, reason: status.mode_reason });
        }
        if self.last.as_ref() != Some(&record) {
            let bytes = record.to_bytes();
            self.last = Some(record);
            self.shared.scribe.note(&self.id, Note { record: Some(bytes), ..Note::default() });
        }
    }

    /// A customer who loads the next page was not away.
    fn absence(&mut self, status: &Status) {
        let now = Instant::now();
        match (status.customer_away, self.away.take()) {
            (Some(away), _) => self.away = Some((now, away.why)),
            (None, Some((since, why))) if now - since > self.shared.settings.timeouts.navigation => {
                self.note_at(since, Happening::CustomerAway { why });
                self.note(Happening::CustomerBack);
            }
            (None, _) => {}
        }
    }

    /// What the session is about.
    pub(super) fn about(&self, about: &About) {
        self.shared.scribe.note(&self.id, Note { about: Some(about.to_bytes()), ..Note::default() });
    }

    /// The end, which is always noted. Returns once it is written down.
    pub(super) async fn end(&self, reason: EndReason) {
        let events = vec![self.entry(Instant::now(), Happening::Ended { reason }).to_event()];
        self.shared.scribe.end(&self.id, reason, Note { events, ..Note::default() }).await;
    }

    fn entry(&self, at: Instant, happening: Happening) -> Entry {
        Entry { at: self.shared.clock.wall(at), happening }
    }
}
