//! The page in a session's task: taken in, masked for each audience, asked for anew when it is not what it should be.

use std::sync::Arc;

use rand::RngExt as _;
use tokio::time::Instant;

use super::Session;
use crate::dom::Misfit;
use crate::policy::{Masked, Neighbours, Policies};
use crate::protocol::Phase;
use crate::protocol::agent::Role;
use crate::protocol::customer::{Echo, Echoing, ToCustomer, WithheldInFrame};
use crate::protocol::page::PageFrame;
use crate::session::audience::Audience;
use crate::session::history;
use crate::session::link::{Closed, TOO_LARGE};
use crate::session::page::{Refused, Taken};
use crate::session::resources::Want;

/// Addresses in frames of one page, and bytes of one of them.
const FRAMES: usize = 64;
const ADDRESS: usize = 8_192;
/// Snapshots that a connection may need because its patches did not fit, before it is closed.
const MISFITS: u32 = 5;

/// How much of a page is asked for.
pub(super) enum Extent {
    /// What the server does not hold yet.
    News,
    All,
}

impl Session {
    /// Asks the tab that is looked at for its page, and for what agents still want of it.
    pub(super) fn share(&mut self) {
        if self.life.phase() != Phase::Active || self.life.is_paused() {
            return;
        }
        self.ask_for_page(Extent::News);
        self.resources.ask_anew();
        for want in self.resources.outstanding() {
            self.want(want);
        }
    }

    /// Takes a piece of the page in and passes on what agents may see of it.
    pub(super) fn show(&mut self, connection: u64, frame: PageFrame) {
        if self.insets.of(connection).is_some() {
            return self.show_inset(connection, frame);
        }
        if !self.tabs.is_current(connection) || self.life.is_paused() {
            // Sent before it was told to rest.
            return;
        }
        if self.audiences.is_empty() {
            return self.close_customer(Closed::Protocol("a page that nobody asked for"));
        }
        let (mut diverged, whole) = (false, frame.seq == 0);
        let masked = match self.page.take(frame) {
            Ok(Taken::Late) => return,
            Ok(Taken::Snapshot) => self.audiences.begin(self.page.tree()),
            Ok(Taken::Patch(changes)) => {
                self.resources.retire_pictures(&changes.retired);
                diverged = changes.diverged;
                self.audiences.update(self.page.tree(), &changes)
            }
            Err(Refused::Misfit(Misfit::Limit(limit))) if whole => {
                tracing::warn!(limit, "a page is not shared: it is over a limit");
                return self.close_customer(Closed::Protocol(TOO_LARGE));
            }
            Err(Refused::Misfit(misfit)) => {
                tracing::warn!(%misfit, "a patch did not fit; asking for the whole page");
                return self.misfit();
            }
            Err(Refused::NotHeld) => {
                tracing::warn!("a snapshot named what is not held; asking for the whole page");
                return self.misfit();
            }
            Err(refused @ Refused::OutOfOrder) => {
                tracing::warn!(error = %refused, "closing the customer's connection");
                return self.close_customer(Closed::Protocol("frames of the page out of order"));
            }
        };
        self.pass_on(masked);
        if let Some(masker) = self.role.and_then(|role| self.audiences.get(role)).map(Audience::masker) {
            let location = masker.location();
            self.diary.page(location);
            let address = history::address(location);
            self.shown.send_if_modified(|shown| {
                let new = shown.as_deref() != address.as_deref();
                if new {
                    *shown = address.map(Arc::from);
                }
                new
            });
        }
        self.tell_private_page();
        if self.audiences.titles(self.page.tree(), self.tabs.shown()) {
            self.tell_tabs();
        }
        self.follow_location();
        if diverged {
            self.repair();
        }
    }

    /// Tells the customer that the agent sees nothing of the page, or sees it again.
    fn tell_private_page(&mut self) {
        let audience = self.role.and_then(|role| self.audiences.get(role));
        let Some(on) = audience.map(|audience| audience.masker().is_paused()) else { return };
        if let Some(tab) = self.tabs.current()
            && tab.private != on
        {
            tab.private = on;
            self.tell_customer(ToCustomer::PrivatePage { on });
        }
    }

    /// Our copy is not the customer's page: what differs is asked for anew.
    fn repair(&mut self) {
        tracing::error!("the copy of a page was not what the customer has");
        if self.repairs.due(Instant::now()) {
            self.shared.metrics.divergences.server.inc();
            self.ask_for_page(Extent::News);
        }
    }

    /// What each audience sees and may load, and what is kept from the agent, which the customer is shown.
    pub(super) fn pass_on(&mut self, mut masked: Vec<(Role, Masked)>) {
        self.audiences.show(&self.resources, &mut masked);
        for (role, masked) in masked {
            if Some(role) == self.role && !(masked.marks.is_empty() && masked.cleared.is_empty()) {
                self.tell_private(masked.marks, masked.cleared);
            }
        }
    }

    /// Other policies are in force from now on: agents see the page anew, and the customer's browser is told what
    /// it has to keep. Where that is something else than before, it sends the page again, since it may have kept
    /// what is to be seen now.
    pub(super) fn adopt(&mut self, policies: Arc<Policies>) {
        let before = std::mem::replace(&mut self.policies, policies.clone());
        let masked = self.audiences.adopt(policies, self.page.tree());
        self.pass_on(masked);
        self.tell_private_page();
        let now = self.policies.clone();
        if self.page.tree().is_some()
            && let Some(tab) = self.tabs.current()
            && tab
                .frames
                .iter()
                .chain(&tab.url)
                .map(String::as_str)
                .chain(self.insets.addresses())
                .any(|url| before.withhold(url) != now.withhold(url))
        {
            self.ask_for_page(Extent::News);
        }
    }

    /// The page went to another URL by itself: other rules may hold for what its browser withholds.
    fn follow_location(&mut self) {
        let (Some(tree), Some(tab)) = (self.page.tree(), self.tabs.current()) else { return };
        let url = tab.url.get_or_insert_default();
        if tree.location() == url {
            return;
        }
        let before = self.policies.withhold(url);
        *url = tree.location().to_owned();
        if self.policies.withhold(url) != before {
            self.withhold();
        }
    }

    /// A frame shows something of this address. More addresses than [`FRAMES`] get no answer: what is in such a
    /// frame is not shared.
    pub(super) fn frame(&mut self, url: String) {
        let Some(tab) = self.tabs.current() else { return };
        if tab.frames.contains(&url) || tab.frames.len() == FRAMES || url.len() > ADDRESS {
            return;
        }
        tab.frames.push(url);
        self.withhold();
    }

    /// Where the history of the tab that is looked at leads.
    pub(super) fn near(&mut self, mut near: Neighbours) {
        for url in [&mut near.back, &mut near.forward] {
            url.take_if(|url| url.len() > ADDRESS);
        }
        if let Some(tab) = self.tabs.current() {
            tab.near = near;
        }
    }

    /// Tells the customer's browser what must not leave it.
    pub(super) fn withhold(&mut self) {
        let policies = self.policies.clone();
        let Some(tab) = self.tabs.current() else { return };
        let Some(url) = &tab.url else { return };
        let select = policies.withhold(url);
        let frames = tab.frames.iter();
        let frames = frames.map(|url| WithheldInFrame { url: url.clone(), select: policies.withhold(url) });
        let frames = frames.collect();
        let echoing = self.echoing();
        self.tell_customer(ToCustomer::Withhold { select, frames, echoing });
    }

    /// The customer's browser withholds something: what the page says of it elsewhere goes too.
    pub(super) fn typed(&mut self, echoes: &[Echo]) {
        let masked = self.audiences.typed(self.page.tree(), echoes);
        self.pass_on(masked);
        // Each browser's part of the page may repeat what was typed in another one.
        self.withhold_in_insets();
    }

    pub(super) fn echoing(&self) -> Echoing {
        self.audiences.echoing()
    }

    fn misfit(&mut self) {
        let Some(tab) = self.tabs.current() else { return };
        tab.misfits += 1;
        let misfits = tab.misfits;
        self.shared.metrics.customer_resyncs.inc();
        if misfits > MISFITS {
            self.close_customer(Closed::Protocol("changes that do not fit the page"));
        } else {
            self.ask_for_page(Extent::All);
        }
    }

    /// Asks for the page as it is now. The rules for withholding first, so that they hold for the snapshot.
    pub(super) fn ask_for_page(&mut self, extent: Extent) {
        // Without its address nobody knows what it has to keep: it says where it is first.
        if self.tabs.current().is_none_or(|tab| tab.url.is_none()) {
            return;
        }
        self.close_insets();
        let key = matches!(extent, Extent::News).then(|| rand::rng().random());
        let (epoch, held) = self.page.expect(key);
        self.withhold();
        self.tell_customer(ToCustomer::Share { epoch, held });
    }

    pub(super) fn want(&mut self, want: Want) {
        // What is wanted during a pause is asked for after it.
        if !self.life.is_paused() {
            self.ask_who_has(want);
        }
    }

    pub(super) fn check(&mut self) {
        self.audiences.check(self.page.tree(), Instant::now());
    }
}
