//! The customer's side of a session's task: tabs come and go, one is looked at, and what it says happens.

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::Session;
use crate::policy::Neighbours;
use crate::protocol::agent::ToAgent;
use crate::protocol::customer::{ECHOES, FromCustomer, ToCustomer};
use crate::protocol::session::AwayReason;
use crate::protocol::{EndReason, NodeId, Point, Position, Refusal};
use crate::session::lifecycle::Event;
use crate::session::link::{Closed, CustomerLink, Hello, Outgoing};
use crate::session::tabs::Line;

/// Messages that wait for a customer's socket before it is given up.
const OUTBOX: usize = 256;

impl Session {
    pub(super) fn customer_joins(&mut self, hello: Hello, reply: oneshot::Sender<CustomerLink>) {
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let connection = self.next_connection();
        let pointer = watch::Sender::new(None);
        let link = CustomerLink {
            connection,
            messages,
            status: self.status.subscribe(),
            pointer: pointer.subscribe(),
        };
        if reply.send(link).is_err() {
            return;
        }
        for replaced in self.tabs.connect(hello.tab, Line { connection, outbox, pointer, slow: false }) {
            let _ = replaced.outbox.try_send(Outgoing::Close(Closed::Replaced));
        }
        self.happens(Event::CustomerCame);
        self.publish();
        let patience = self.shared.settings.timeouts.away.as_secs().try_into().unwrap_or(u32::MAX);
        self.send_tab(connection, ToCustomer::Welcome { session_id: self.id.clone(), patience });
        let url = hello.url.filter(|_| !self.life.is_paused());
        if let Some(tab) = self.tabs.of(connection) {
            tab.url = url;
        }
        if hello.looking || !self.tabs.is_any_shown() {
            self.look(connection, hello.looking);
        }
        if self.tabs.is_current(connection) {
            self.share();
        }
        self.tell_tabs();
    }

    pub(super) fn customer_leaves(&mut self, connection: u64, why: AwayReason) {
        if self.insets.of(connection).is_some() {
            return self.inset_leaves(connection);
        }
        if self.tabs.of(connection).is_none() {
            // Another connection took its place.
            return;
        }
        if self.tabs.disconnect(connection, Instant::now()) {
            self.leave_page();
        }
        if !self.tabs.any() {
            self.happens(Event::CustomerGone(why));
        }
    }

    /// Nobody answers for the page that was shown.
    pub(super) fn leave_page(&mut self) {
        self.close_insets();
        self.customer_pointer.send_replace(None);
        for (_, (connection, seq)) in std::mem::take(&mut self.pending) {
            self.answer(connection, seq, Refusal::CustomerAway);
        }
    }

    /// The customer looks at this tab now. The one before stops to share.
    pub(super) fn look(&mut self, connection: u64, seen: bool) {
        let before = self.tabs.current().and_then(|tab| tab.line.as_ref()).map(|line| line.connection);
        let another = self.tabs.look(connection);
        if let Some(tab) = self.tabs.of(connection) {
            tab.seen = seen;
        }
        if another {
            self.leave_page();
            if let Some(before) = before.filter(|before| *before != connection) {
                self.send_tab(before, ToCustomer::Rest);
            }
            if self.status.borrow().customer_slow != self.tabs.is_slow() {
                self.publish();
            }
        }
    }

    pub(super) fn expire_tabs(&mut self) {
        let now = Instant::now();
        if self.tabs.deadline().is_some_and(|at| at <= now) {
            if let Some(next) = self.tabs.expire(now) {
                let seen = self.tabs.of(next).is_some_and(|tab| tab.seen);
                self.look(next, seen);
                self.share();
            }
            self.tell_tabs();
        }
    }

    pub(super) fn customer_says(&mut self, connection: u64, message: FromCustomer) {
        if self.insets.of(connection).is_some() {
            return self.inset_says(connection, message);
        }
        if self.tabs.of(connection).is_none() {
            return;
        }
        let shown = self.tabs.is_current(connection) && !self.life.is_paused();
        match message {
            FromCustomer::Pointer { at } if shown => self.customer_points(NodeId::DOCUMENT, Some(at)),
            FromCustomer::PointerLeft if shown => self.customer_points(NodeId::DOCUMENT, None),
            FromCustomer::Clicked { at } if shown => self.customer_clicks(NodeId::DOCUMENT, at),
            FromCustomer::Looking { url } => self.looks_at(connection, url),
            FromCustomer::LookedAway => {
                if let Some(tab) = self.tabs.of(connection) {
                    tab.seen = false;
                }
                self.tell_tabs();
            }
            FromCustomer::Answer { allow } => self.happens(Event::Answered { allow }),
            FromCustomer::TakeBack => self.happens(Event::TakenBack),
            FromCustomer::Pause => {
                self.happens(Event::Paused);
                self.leave_page();
                self.page.forget();
                self.shown.send_replace(None);
                self.tabs.forget_places();
            }
            // The tab that is looked at says where it is, and is asked for its page then.
            FromCustomer::Resume => self.happens(Event::Resumed),
            FromCustomer::Exit => self.happens(Event::End(EndReason::CustomerExit)),
            FromCustomer::Acted { seq, refused, at } => self.acted(seq, refused, at),
            FromCustomer::Stopped { reason } if shown => self.stopped(reason),
            FromCustomer::Typed { echoes } => self.typed(&echoes[..echoes.len().min(ECHOES)]),
            FromCustomer::Frame { url } if shown => self.frame(url),
            FromCustomer::Invite { epoch, frame } if shown && self.page.is_told(epoch) => {
                self.invite(connection, frame);
            }
            FromCustomer::Neighbours { back, forward } if shown => self.near(Neighbours { back, forward }),
            FromCustomer::Gesture => self.doing.customer(),
            FromCustomer::Unavailable { want } => self.resources.unavailable(want),
            // What another tab does is not told. `Alive` is answered by the socket.
            FromCustomer::Pointer { .. }
            | FromCustomer::PointerLeft
            | FromCustomer::Clicked { .. }
            | FromCustomer::Frame { .. }
            | FromCustomer::Invite { .. }
            | FromCustomer::Stopped { .. }
            | FromCustomer::Neighbours { .. }
            | FromCustomer::Alive => {}
        }
    }

    /// The customer's pointer is in the viewport of this document, or has left it.
    pub(super) fn customer_points(&mut self, within: NodeId, at: Option<Point>) {
        if let Some(at) = at {
            self.customer_pointer.send_replace(Some(Position { within, at }));
            return self.happens(Event::Activity);
        }
        self.customer_pointer.send_if_modified(|now| {
            // Or else it has gone on to another document, which has said so.
            let here = now.is_none_or(|position| position.within == within);
            if here {
                *now = None;
            }
            here
        });
    }

    /// The customer has clicked there.
    pub(super) fn customer_clicks(&mut self, within: NodeId, at: Point) {
        self.doing.customer();
        self.tell_agents(ToAgent::Clicked { within, at });
        self.happens(Event::Activity);
    }

    fn looks_at(&mut self, connection: u64, url: String) {
        let knew = self.tabs.of(connection).is_some_and(|tab| tab.url.replace(url).is_some());
        let before = self.tabs.shown();
        self.look(connection, true);
        if self.tabs.shown() != before || !knew {
            self.share();
        }
        self.tell_tabs();
    }

    pub(super) fn tell_customer(&mut self, message: ToCustomer) {
        self.send_customer(Outgoing::Message(message));
    }

    pub(super) fn send_customer(&mut self, item: Outgoing) {
        let Some(line) = self.tabs.current().and_then(|tab| tab.line.as_ref()) else { return };
        if line.outbox.try_send(item).is_err() {
            // It does not read, or is gone: it comes back and starts with a snapshot.
            let connection = line.connection;
            self.customer_leaves(connection, AwayReason::Lost);
        }
    }

    pub(super) fn send_tab(&mut self, connection: u64, message: ToCustomer) {
        let Some(line) = self.tabs.of(connection).and_then(|tab| tab.line.as_ref()) else { return };
        if line.outbox.try_send(Outgoing::Message(message)).is_err() {
            self.customer_leaves(connection, AwayReason::Lost);
        }
    }

    pub(super) fn close_customer(&mut self, why: Closed) {
        let Some(connection) =
            self.tabs.current().and_then(|tab| tab.line.as_ref()).map(|line| line.connection)
        else {
            return;
        };
        self.send_customer(Outgoing::Close(why));
        self.customer_leaves(connection, AwayReason::Lost);
    }
}
