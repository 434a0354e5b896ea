//! Insets: documents of other hosts in frames of the page, each told by its own script.
//!
//! The page's script can not reach into them, and they not into the page: so who writes can name its own nodes only, an
//! inset keeps the origin that it came with, and what does not fit ends the inset and not the page.

use url::{Origin, Url};

use super::{Misfit, Slot, Tree};
use crate::dom::{Changes, NodeRef};
use crate::protocol::attention::{Attention, States};
use crate::protocol::page::{PageOp, Part, Quirks, TopLayer};
use crate::protocol::{Inset, NodeId};

/// What is known of one inset.
#[derive(Debug)]
pub(super) struct Lodging {
    next: u32,
    origin: Origin,
    presence: Presence,
}

/// What a document's script tells besides nodes: where the customer is in it.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) focus: Option<NodeId>,
    pub(super) top_layer: Vec<(NodeId, TopLayer)>,
    pub(super) attention: Attention,
}

impl Presence {
    fn forget(&mut self, gone: NodeId) {
        self.focus.take_if(|focus| *focus == gone);
        self.top_layer.retain(|(top, _)| *top != gone);
        self.attention.forget(gone);
    }
}

impl Tree {
    /// A document of another host begins in `frame`: `ops` are the first of its own. In place of what the frame showed.
    pub fn admit(
        &mut self,
        inset: Inset,
        frame: NodeId,
        url: &str,
        ops: &[PageOp],
    ) -> (Changes, Result<(), Misfit>) {
        let mut changes = Changes::default();
        self.work = self.limits.work;
        let begun = self.begin_inset(inset, frame, url, &mut changes);
        let done = begun.and_then(|()| self.written_by(inset, ops, &mut changes));
        self.settle_inset(inset, changes, done)
    }

    /// Applies one batch of an inset. After what does not fit the inset is gone, and the page is as whole as before.
    pub fn apply_inset(&mut self, inset: Inset, ops: &[PageOp]) -> (Changes, Result<(), Misfit>) {
        let mut changes = Changes::default();
        self.work = self.limits.work;
        let done = self.written_by(inset, ops, &mut changes);
        self.settle_inset(inset, changes, done)
    }

    /// Nobody tells of this inset any more.
    pub fn dismiss(&mut self, inset: Inset) -> Changes {
        self.work = self.limits.work;
        self.settle_inset(inset, Changes::default(), Err(Misfit::NotBegun)).0
    }

    /// Whether the document of an inset is in the page.
    pub fn has_inset(&self, inset: Inset) -> bool {
        self.insets.contains_key(&inset) && self.get(inset.document()).is_some()
    }

    /// The element that has the focus: in the inset that has it, if one does.
    pub fn focus(&self) -> Option<NodeId> {
        self.innermost(|presence| presence.focus)
    }

    /// The top layer, lowest first; that of an inset is above its frame, wherever that is.
    pub fn top_layer(&self) -> impl Iterator<Item = (NodeId, TopLayer)> {
        let insets = self.insets.values().map(|lodging| &lodging.presence);
        std::iter::once(&self.presence).chain(insets).flat_map(|presence| presence.top_layer.iter().copied())
    }

    /// What the customer points at and has selected, and what the browser shows over the page.
    pub fn attention(&self) -> Attention {
        let page = &self.presence.attention;
        if self.insets.is_empty() {
            return page.clone();
        }
        let state =
            |of: fn(&States) -> Option<NodeId>| self.innermost(|presence| of(&presence.attention.states));
        let focused = self.presence_of(self.presence.focus.map_or(Inset::PAGE, |_| self.inset_with_focus()));
        let inner = self.insets.values().map(|lodging| &lodging.presence.attention.states);
        let pointed = inner.clone().find_map(|states| states.pointed);
        let mut notices =
            self.insets.values().filter_map(|lodging| lodging.presence.attention.notice.as_ref());
        Attention {
            states: States {
                hover: state(|states| states.hover),
                // The agent's pointer is in one of them only, and nobody around that knows.
                pointed: pointed.or_else(|| state(|states| states.pointed)),
                active: state(|states| states.active),
                target: page.states.target,
                focused: focused.attention.states.focused,
                focus_visible: focused.attention.states.focus_visible,
                bounded: page.states.bounded || inner.clone().any(|states| states.bounded),
            },
            selection: focused.attention.selection,
            notice: page.notice.as_ref().or(notices.next_back()).cloned(),
            media: page.media,
            zoomed: page.zoomed,
        }
    }

    /// The document of who writes.
    pub(super) fn own_document(&self) -> Result<u32, Misfit> {
        self.slot(self.writer.document())
    }

    /// An inset stays at its origin: the rules of another one are not its own to choose.
    pub(super) fn check_origin(&self, url: &str) -> Result<(), Misfit> {
        let Some(lodging) = self.insets.get(&self.writer) else { return Ok(()) };
        let same = Url::parse(url).is_ok_and(|url| url.origin() == lodging.origin);
        if same { Ok(()) } else { Err(Misfit::Kind(self.writer.document())) }
    }

    pub(super) fn presence_mut(&mut self) -> &mut Presence {
        match self.insets.get_mut(&self.writer) {
            Some(lodging) => &mut lodging.presence,
            None => &mut self.presence,
        }
    }

    /// The number of the next node of who writes.
    pub(super) fn next_id(&mut self) -> Result<NodeId, Misfit> {
        let next = match self.insets.get_mut(&self.writer) {
            Some(lodging) => &mut lodging.next,
            None => &mut self.next_id,
        };
        let id = NodeId(*next);
        *next = next.checked_add(1).ok_or(Misfit::Limit("node ids"))?;
        if id.inset() == self.writer { Ok(id) } else { Err(Misfit::Limit("node ids")) }
    }

    /// How many places a node that goes is looked for in.
    pub(super) fn watched(&self) -> usize {
        self.top_layer().count() + self.insets.len()
    }

    /// A node is gone; the document of an inset takes the inset along.
    pub(super) fn forget(&mut self, gone: NodeId) {
        match gone.inset() {
            Inset::PAGE => self.presence.forget(gone),
            inset if inset.document() == gone => {
                self.insets.remove(&inset);
            }
            inset => {
                if let Some(lodging) = self.insets.get_mut(&inset) {
                    lodging.presence.forget(gone);
                }
            }
        }
    }

    /// A frame that is to show another document shows no inset any more: who told of that may not know yet.
    pub(super) fn make_room(&mut self, frame: u32, changes: &mut Changes) -> Result<(), Misfit> {
        let shown = NodeRef { tree: self, slot: frame }.frame_document().map(NodeRef::id);
        let Some(inset) = shown.map(NodeId::inset).filter(|inset| *inset != self.writer) else {
            return Ok(());
        };
        if inset == Inset::PAGE { Ok(()) } else { self.evict(inset, changes) }
    }

    fn begin_inset(
        &mut self,
        inset: Inset,
        frame: NodeId,
        url: &str,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        if inset <= self.last_inset || inset.0 > Inset::MOST {
            return Err(Misfit::BegunTwice);
        }
        let origin = Url::parse(url).map_err(|_| Misfit::Kind(frame))?.origin();
        let slot = self.index.get(&frame).copied().map(Slot::get).ok_or(Misfit::Unknown(frame))?;
        if self.element(slot)?.is_frame() && self.depth(slot)? + 1 < self.limits.depth {
            let shown = NodeRef { tree: self, slot }.frame_document().map(NodeRef::id);
            // What the page's own script tells of a frame is newer: it would not tell, if it could not reach it.
            if shown.is_some_and(|shown| shown.inset() == frame.inset()) {
                return Err(Misfit::Kind(frame));
            }
            self.last_inset = inset;
            self.writer = inset;
            self.make_room(slot, changes)?;
            let presence = Presence::default();
            self.insets.insert(inset, Lodging { next: inset.document().0, origin, presence });
            let first = NodeRef { tree: self, slot }.first_child().map_or(super::NONE, |child| child.slot);
            let document = self.document_of(slot)?;
            let part = Part::Document { quirks: Quirks::No, url: url.into() };
            let new = self.create(&part, document)?;
            self.attach(new, slot, first)?;
            changes.inserted.push(inset.document());
            changes.parents.push(frame);
            return self.rebase(new);
        }
        Err(Misfit::Kind(frame))
    }

    fn written_by(&mut self, inset: Inset, ops: &[PageOp], changes: &mut Changes) -> Result<(), Misfit> {
        if !self.has_inset(inset) {
            return Err(Misfit::NotBegun);
        }
        self.writer = inset;
        self.operations(ops, changes)
    }

    /// Back to the page; an inset that did not fit goes.
    fn settle_inset(
        &mut self,
        inset: Inset,
        mut changes: Changes,
        done: Result<(), Misfit>,
    ) -> (Changes, Result<(), Misfit>) {
        self.writer = Inset::PAGE;
        if done.is_err() {
            self.work = self.limits.work;
            // What is left to spend is more than any page takes to go.
            let _ = self.evict(inset, &mut changes);
        }
        (changes, done)
    }

    fn evict(&mut self, inset: Inset, changes: &mut Changes) -> Result<(), Misfit> {
        if let Some(slot) = self.index.get(&inset.document()).copied().map(Slot::get) {
            let parent = self.nodes[slot as usize].parent;
            changes.parents.push(self.nodes[parent as usize].id);
            let document = self.document_of(parent)?;
            self.detach(slot);
            self.release(slot, document, changes)?;
        }
        self.insets.remove(&inset);
        Ok(())
    }

    fn presence_of(&self, inset: Inset) -> &Presence {
        self.insets.get(&inset).map_or(&self.presence, |lodging| &lodging.presence)
    }

    /// What the page says of itself; where that is a frame with an inset, what the inset says.
    fn innermost(&self, of: impl Fn(&Presence) -> Option<NodeId>) -> Option<NodeId> {
        let mut at = of(&self.presence)?;
        while let Some(inner) = self.inset_in(at).and_then(|inset| of(self.presence_of(inset))) {
            at = inner;
        }
        Some(at)
    }

    /// The inset, or the page, in which the focus is.
    fn inset_with_focus(&self) -> Inset {
        let focus = self.focus();
        let inner = focus.and_then(|focus| self.inset_in(focus));
        inner.or(focus.map(NodeId::inset)).unwrap_or(Inset::PAGE)
    }

    /// The inset that a frame shows.
    fn inset_in(&self, frame: NodeId) -> Option<Inset> {
        let inset = self.get(frame)?.frame_document()?.id().inset();
        (inset > frame.inset() && self.insets.contains_key(&inset)).then_some(inset)
    }
}

#[cfg(test)]
mod tests;
