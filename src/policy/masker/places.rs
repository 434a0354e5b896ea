//! What the mirror has, and where: keeps it as the operations make it.
//!
//! A place counts only while all places above it are the ones it was written into. So taking a node out needs no
//! walk through what was in it, and what was moved out before is still known to be there.

use std::num::NonZeroU32;

use crate::dom::{Changes, IdMap, IdSet, NodeRef, Tree};
use crate::protocol::NodeId;
use crate::protocol::view::ViewOp;

use super::super::content::Lens;
use super::writing::{step, subtree};
use super::{Masker, Place, Turn};

impl Masker {
    /// Writes nodes that are new, moved or different to where they are now: parents before children, and
    /// siblings from the right, so that what a node goes before is always there.
    pub(super) fn replace(&mut self, tree: &Tree, changes: &Changes, resend: &IdSet, turn: &mut Turn) {
        let mut groups: IdMap<Vec<NodeId>> = IdMap::default();
        let mut pending = IdSet::default();
        for id in changes.inserted.iter().chain(&changes.moved).chain(resend) {
            if let Some(parent) = tree.get(*id).and_then(NodeRef::parent)
                && pending.insert(*id)
            {
                groups.entry(parent.id()).or_default().push(*id);
            }
        }
        let mut parents: Vec<NodeRef<'_>> = groups.keys().filter_map(|id| tree.get(*id)).collect();
        parents.sort_by_cached_key(|node| (node.depth(), node.id()));
        for parent in parents {
            for id in &groups[&parent.id()] {
                let mut run: Vec<NodeRef<'_>> = Vec::new();
                let mut at = tree.get(*id);
                while let Some(node) = at {
                    if pending.remove(&node.id()) {
                        run.push(node);
                    } else if self.verdict(node.id()).is_some_and(|verdict| verdict.in_view()) {
                        break;
                    }
                    at = node.next();
                }
                while let Some(node) = run.pop() {
                    self.put(node, parent, resend.contains(&node.id()), turn);
                }
            }
        }
    }

    /// Brings one node to its place, where the mirror does not have it there already.
    fn put(&mut self, node: NodeRef<'_>, parent: NodeRef<'_>, anew: bool, turn: &mut Turn) {
        let id = node.id();
        if turn.fresh.contains(&id) {
            return;
        }
        let Some(parent_serial) = self.alive(parent.id()) else { return self.vacate(id, turn) };
        if self.verdict(id).is_none_or(|verdict| !verdict.in_view()) {
            return self.vacate(id, turn);
        }
        let next = std::iter::successors(node.next(), |node| node.next())
            .find(|sibling| self.verdict(sibling.id()).is_some_and(|verdict| verdict.in_view()))
            .map(NodeRef::id);
        if !anew && self.alive(id).is_some() {
            turn.ops.push(ViewOp::Move { id, parent: parent.id(), next });
            if let Some(Place { serial, .. }) = self.nodes.get(&id).and_then(|state| state.place) {
                self.place(id, Place { serial, parent: parent.id(), parent_serial });
            }
            return;
        }
        // What the mirror still has elsewhere leaves first.
        for inner in node.with_descendants() {
            self.vacate(inner.id(), turn);
        }
        let mut lens = Lens::new(&self.names, &self.echoes);
        let parts = subtree(node, &self.nodes, &mut lens);
        turn.resources.append(&mut lens.resources);
        turn.ops.push(ViewOp::Insert { parent: parent.id(), next, parts });
        for written in self.occupy(node) {
            turn.fresh.insert(written);
            turn.written.push(written);
        }
    }

    /// The serial of a node's place, if the mirror has the node: its place and all places above are as they were written.
    pub(super) fn alive(&self, id: NodeId) -> Option<u32> {
        let own = self.nodes.get(&id)?.place?;
        let mut place = own;
        loop {
            if place.serial.get() == place.parent_serial {
                return Some(own.serial.get());
            }
            let above = self.nodes.get(&place.parent)?.place?;
            if above.serial.get() != place.parent_serial {
                return None;
            }
            place = above;
        }
    }

    /// Takes a node out of the mirror, if it is there.
    pub(super) fn vacate(&mut self, id: NodeId, turn: &mut Turn) {
        if self.alive(id).is_some() {
            turn.ops.push(ViewOp::Remove { id });
        }
        if let Some(state) = self.nodes.get_mut(&id) {
            state.place = None;
        }
    }

    fn place(&mut self, id: NodeId, place: Place) {
        if let Some(state) = self.nodes.get_mut(&id) {
            state.place = Some(place);
        }
    }

    /// Notes that the mirror has a node and all that is in view inside it, just written. Returns which.
    pub(super) fn occupy(&mut self, root: NodeRef<'_>) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut at = Some(root);
        while let Some(node) = at {
            let id = node.id();
            let verdict = self.verdict(id);
            let visible = verdict.is_some_and(|verdict| verdict.in_view());
            if visible {
                self.places += 1;
                let serial = NonZeroU32::MIN.saturating_add(self.places);
                let place = match node.parent() {
                    // The document: its own parent.
                    None => Place { serial, parent: id, parent_serial: serial.get() },
                    Some(parent) => {
                        let place = self.nodes.get(&parent.id()).and_then(|state| state.place);
                        let parent_serial = place.map_or(0, |place| place.serial.get());
                        Place { serial, parent: parent.id(), parent_serial }
                    }
                };
                self.place(id, place);
                out.push(id);
            }
            at = step(node, root, visible);
        }
        out
    }
}
