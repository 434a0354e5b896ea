//! Documents of other hosts in frames, in a session's task: invited by the page, told by their own scripts, masked like all
//! of the page, and gone with their connection.

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use url::Url;

use super::Session;
use crate::dom::{Changes, NodeRef};
use crate::policy::Permit;
use crate::protocol::customer::{ECHOES, FromCustomer, PrivateMark, ToCustomer, WithheldInFrame};
use crate::protocol::page::{PageFrame, PageOp};
use crate::protocol::{Action, Inset, NodeId, Refusal};
use crate::session::insets::Guest;
use crate::session::lifecycle::Event;
use crate::session::link::{Closed, CustomerLink, Outgoing};
use crate::session::resources::Want;

/// Messages that wait for one of them before it is given up.
const OUTBOX: usize = 256;
/// Addresses in frames of one of them, and bytes of one address.
const FRAMES: usize = 16;
const ADDRESS: usize = 8_192;

/// The words for what does not fit: the document may come again.
const AGAIN: Closed = Closed::Protocol("changes that do not fit the frame");

impl Session {
    /// What a frame shows may come. Who asks has told the frame.
    pub(super) fn invite(&mut self, connection: u64, frame: NodeId) {
        let asker = self.insets.of(connection).map_or(Inset::PAGE, |guest| guest.inset);
        let known = self.page.tree().and_then(|tree| tree.get(frame)).and_then(NodeRef::element);
        if frame.inset() != asker || known.is_none_or(|element| !element.is_frame()) {
            return;
        }
        let pass = self.insets.invite(frame, Instant::now());
        let ticket = ToCustomer::Ticket { frame, ticket: format!("{}.{pass}", self.site_name) };
        self.tell(asker, ticket);
    }

    pub(super) fn inset_joins(&mut self, pass: &str, url: Url, reply: oneshot::Sender<Option<CustomerLink>>) {
        let known = if self.life.is_paused() { None } else { self.insets.accept(pass, Instant::now()) };
        let Some((frame, inset)) = known.filter(|_| url.as_str().len() <= ADDRESS) else {
            let _ = reply.send(None);
            return;
        };
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let connection = self.next_connection();
        let (status, pointer) = (self.status.subscribe(), watch::Sender::new(None).subscribe());
        if reply.send(Some(CustomerLink { connection, messages, status, pointer })).is_err() {
            return;
        }
        // One document at a time.
        let before: Vec<u64> =
            self.insets.iter().filter(|guest| guest.frame == frame).map(|guest| guest.connection).collect();
        before.into_iter().for_each(|connection| self.close_inset(connection, Closed::Replaced));
        self.resources.let_bring(pass, &url.origin().ascii_serialization());
        let (pass, frames, acts) = (pass.to_owned(), Vec::new(), Vec::new());
        self.insets.add(Guest { connection, inset, frame, url, pass, outbox, frames, next: 0, acts });
        self.withhold_in(inset);
        self.tell(inset, ToCustomer::ShareInset { first: inset.document() });
    }

    pub(super) fn show_inset(&mut self, connection: u64, frame: PageFrame) {
        let Some(guest) = self.insets.of(connection) else { return };
        if frame.epoch != 0 || frame.seq != guest.next {
            return self.close_inset(connection, Closed::Protocol("frames of the page out of order"));
        }
        guest.next += 1;
        // The page does not hear what the customer does in there.
        let done = |op: &PageOp| {
            matches!(op, PageOp::States { .. } | PageOp::Control { .. } | PageOp::Scroll { .. })
        };
        let active = frame.seq > 0 && frame.ops.iter().any(done);
        let begin = (frame.seq == 0).then(|| (guest.frame, guest.url.to_string()));
        let begin = begin.as_ref().map(|(frame, url)| (*frame, url.as_str()));
        let inset = guest.inset;
        let Some((changes, done)) = self.page.take_inset(inset, begin, &frame.ops) else { return };
        self.show_changes(&changes);
        if let Err(misfit) = done {
            // The page may have taken the frame away meanwhile.
            tracing::debug!(%misfit, "the document of a frame has gone");
            return self.close_inset(connection, AGAIN);
        }
        if changes.diverged {
            tracing::error!("the copy of a frame's document was not what the customer has");
            self.shared.metrics.divergences.server.inc();
            return self.close_inset(connection, AGAIN);
        }
        self.follow_inset(inset);
        if active {
            self.happens(Event::Activity);
        }
    }

    pub(super) fn inset_says(&mut self, connection: u64, message: FromCustomer) {
        let Some(guest) = self.insets.of(connection) else { return };
        match message {
            FromCustomer::Frame { url } => {
                let known = guest.frames.contains(&url) || guest.frames.len() == FRAMES;
                if known || url.len() > ADDRESS {
                    return;
                }
                guest.frames.push(url);
                let inset = guest.inset;
                self.withhold_in(inset);
            }
            FromCustomer::Invite { frame, .. } => self.invite(connection, frame),
            FromCustomer::Acted { seq, refused, at } => {
                // Of its own acts only, and of a place in itself.
                let Some(known) = guest.acts.iter().position(|act| *act == seq) else { return };
                guest.acts.swap_remove(known);
                let inset = guest.inset;
                self.acted(seq, refused, at.filter(|place| place.node.inset() == inset));
            }
            FromCustomer::Stopped { reason } => self.stopped(reason),
            FromCustomer::Typed { echoes } => {
                self.typed(&echoes[..echoes.len().min(ECHOES)]);
                self.withhold();
            }
            FromCustomer::Gesture => self.doing.customer(),
            FromCustomer::Pointer { at } => {
                let document = guest.inset.document();
                if self.audiences.uncover(document) {
                    self.customer_points(document, Some(at));
                }
            }
            FromCustomer::PointerLeft => {
                let document = guest.inset.document();
                self.customer_points(document, None);
            }
            FromCustomer::Clicked { at } => {
                let document = guest.inset.document();
                if self.audiences.uncover(document) {
                    self.customer_clicks(document, at);
                }
            }
            FromCustomer::Unavailable { want } if self.resources.may_bring(&guest.pass, Some(want)) => {
                let inset = guest.inset;
                self.ask_another(want, inset);
            }
            // What only the page in the window can say.
            _ => {}
        }
    }

    /// Its connection is gone, and with it what the agent sees of it.
    pub(super) fn inset_leaves(&mut self, connection: u64) {
        let Some(guest) = self.insets.remove(connection) else { return };
        self.lose(&guest);
        if let Some(changes) = self.page.dismiss(guest.inset) {
            self.show_changes(&changes);
        }
    }

    /// The page that they are in is not shared any more, or is told anew.
    pub(super) fn close_insets(&mut self) {
        for guest in self.insets.clear() {
            let _ = guest.outbox.try_send(Outgoing::Close(Closed::Replaced));
            self.lose(&guest);
        }
    }

    /// What is kept from the agent, to who has it.
    pub(super) fn tell_private(&mut self, marks: Vec<PrivateMark>, cleared: Vec<NodeId>) {
        let insets: Vec<Inset> = self.insets.iter().map(|guest| guest.inset).collect();
        for inset in insets.into_iter().chain([Inset::PAGE]) {
            let marks: Vec<_> = marks.iter().filter(|mark| mark.node.inset() == inset).cloned().collect();
            let cleared: Vec<_> = cleared.iter().filter(|node| node.inset() == inset).copied().collect();
            if !(marks.is_empty() && cleared.is_empty()) {
                self.tell(inset, ToCustomer::Private { marks, cleared });
            }
        }
    }

    /// Asks who is at its origin; or else the page has it, as far as anybody has.
    pub(super) fn ask_who_has(&mut self, want: Want) {
        let inset = self.next_at(&want.url, Inset::PAGE).unwrap_or(Inset::PAGE);
        self.tell(inset, ToCustomer::Want { want: want.number, url: want.url });
    }

    /// This one has not what is wanted. Where its policy lets nobody fetch, another one may show it all the same.
    fn ask_another(&mut self, number: u32, not: Inset) {
        let wanted = self.resources.outstanding().into_iter().find(|want| want.number == number);
        match wanted.and_then(|want| Some((self.next_at(&want.url, not)?, want))) {
            Some((inset, want)) => self.tell(inset, ToCustomer::Want { want: number, url: want.url }),
            None => self.resources.unavailable(number),
        }
    }

    /// The first inset after this one at the origin of an address, unless that is the page's own.
    fn next_at(&self, url: &str, after: Inset) -> Option<Inset> {
        let origin_of = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        let origin = origin_of(url);
        let page = self.page.tree().and_then(|tree| origin_of(tree.location()));
        let at = self.insets.iter().filter(|guest| origin != page && Some(guest.url.origin()) == origin);
        at.map(|guest| guest.inset).filter(|inset| *inset > after).min()
    }

    /// To who has the element that it is aimed at; what ends what the pointer does, to where that is.
    pub(super) fn send_act(&mut self, seq: u32, permit: Permit) {
        let action = permit.action();
        let inset = match action {
            Action::Leave | Action::LetGo => self.insets.pointed(),
            _ => target(action).map_or(Inset::PAGE, NodeId::inset),
        };
        let points = matches!(
            action,
            Action::Click { .. }
                | Action::Menu { .. }
                | Action::Hover { .. }
                | Action::Press { .. }
                | Action::Wheel { .. }
        );
        if points && let Some(before) = self.insets.point(inset) {
            // Only one of them knows that it is there now.
            let seq = self.next_act();
            self.send_permit(before, seq, Permit::leave());
        }
        self.send_permit(inset, seq, permit);
    }

    fn send_permit(&mut self, inset: Inset, seq: u32, permit: Permit) {
        if let Some(guest) = self.insets.numbered(inset) {
            guest.acts.push(seq);
        }
        self.send(inset, Outgoing::Act { seq, permit });
    }

    /// What must not leave the browser is another now, or more of what was typed is known.
    pub(super) fn withhold_in_insets(&mut self) {
        let insets: Vec<Inset> = self.insets.iter().map(|guest| guest.inset).collect();
        insets.into_iter().for_each(|inset| self.withhold_in(inset));
    }

    /// Tells an inset what must not leave it: by its own address and those of all documents around it.
    fn withhold_in(&mut self, inset: Inset) {
        let (policies, echoing) = (self.policies.clone(), self.echoing());
        let kept = |frame: NodeId| {
            let audience = self.role.and_then(|role| self.audiences.get(role));
            audience.is_none_or(|audience| audience.masker().keeps(frame))
        };
        let Some(tree) = self.page.tree() else { return };
        let Some(guest) = self.insets.iter().find(|guest| guest.inset == inset) else { return };
        let around = tree.get(guest.frame).into_iter().flat_map(NodeRef::with_ancestors);
        let around = around.filter_map(|node| node.as_document().map(|document| document.location()));
        let mut select: Vec<String> =
            [guest.url.as_str()].into_iter().chain(around).flat_map(|url| policies.withhold(url)).collect();
        if kept(guest.frame) {
            select.push("*".into());
        }
        select.sort_unstable();
        select.dedup();
        let frames = guest.frames.iter();
        let frames = frames.map(|url| WithheldInFrame { url: url.clone(), select: policies.withhold(url) });
        let frames = frames.collect();
        self.tell(inset, ToCustomer::Withhold { select, frames, echoing });
    }

    /// It went to another address by itself: other rules may hold there.
    fn follow_inset(&mut self, inset: Inset) {
        let Some(tree) = self.page.tree() else { return };
        let document = tree.get(inset.document()).and_then(NodeRef::as_document);
        let now = document.and_then(|document| Url::parse(document.location()).ok());
        let Some(guest) = self.insets.numbered(inset) else { return };
        if let Some(url) = now.filter(|url| *url != guest.url) {
            guest.url = url;
            self.withhold_in(inset);
        }
    }

    fn show_changes(&mut self, changes: &Changes) {
        self.resources.retire_pictures(&changes.retired);
        let masked = self.audiences.update(self.page.tree(), changes);
        self.pass_on(masked);
    }

    fn tell(&mut self, inset: Inset, message: ToCustomer) {
        self.send(inset, Outgoing::Message(message));
    }

    fn send(&mut self, inset: Inset, item: Outgoing) {
        if inset == Inset::PAGE {
            return self.send_customer(item);
        }
        let Some(guest) = self.insets.numbered(inset) else { return };
        if guest.outbox.try_send(item).is_err() {
            let connection = guest.connection;
            self.inset_leaves(connection);
        }
    }

    fn close_inset(&mut self, connection: u64, why: Closed) {
        let Some(guest) = self.insets.of(connection) else { return };
        let _ = guest.outbox.try_send(Outgoing::Close(why));
        self.inset_leaves(connection);
    }

    /// Nobody answers for it any more.
    fn lose(&mut self, guest: &Guest) {
        self.resources.let_bring_no_more(&guest.pass);
        self.customer_points(guest.inset.document(), None);
        for seq in &guest.acts {
            self.acted(*seq, Some(Refusal::CustomerAway), None);
        }
    }
}

/// The node that an action is aimed at.
fn target(action: &Action) -> Option<NodeId> {
    match action {
        Action::Click { node, .. }
        | Action::Menu { node, .. }
        | Action::Hover { node, .. }
        | Action::Press { node, .. }
        | Action::Drag { node, .. }
        | Action::Drop { node, .. }
        | Action::Wheel { node, .. }
        | Action::Ask { node }
        | Action::Input { node, .. }
        | Action::Select { node, .. }
        | Action::Key { node, .. }
        | Action::Scroll { node, .. } => Some(*node),
        Action::Edit { focus, .. } | Action::Caret { focus, .. } => Some(focus.node),
        Action::Leave
        | Action::LetGo
        | Action::Navigate { .. }
        | Action::Back
        | Action::Forward
        | Action::Refresh => None,
    }
}
