//! How nodes come, go and change places: slots, links and what they cost.
//!
//! Links are always whole: who is a node's first child has it as parent, who is its next has it as previous.

use crate::protocol::page::Part;

use super::super::node::{Doctype, Document, Element, Kind, NONE, Node, NodeRef};
use super::super::{Changes, Name};
use super::addresses::LONGEST;
use super::operations::{attribute_cost, control_length, sheet_length};
use super::{Misfit, Slot, Tree};

impl Tree {
    /// A new node of the next id for a document, not yet anywhere.
    pub(super) fn create(&mut self, part: &Part, document: u32) -> Result<u32, Misfit> {
        if self.index.len() >= self.limits.nodes {
            return Err(Misfit::Limit("nodes of the page"));
        }
        let kind = match part {
            Part::Element { namespace, name, attributes } => {
                let count = attributes.len();
                if count > self.limits.attributes {
                    return Err(Misfit::Limit("attributes of an element"));
                }
                self.spend((count * count / 4) as u64)?;
                let mut held: Vec<(_, Box<str>)> = Vec::with_capacity(count);
                let mut length = name.len();
                for (name, value) in attributes {
                    // A name that comes twice counts once, like in a parser.
                    if held.iter().all(|(known, _): &(Name, _)| **known != **name) {
                        length += attribute_cost(name, value);
                        held.push((self.names.intern(name), value.clone()));
                    }
                }
                self.charge(length)?;
                let element = Element {
                    namespace: *namespace,
                    name: self.names.intern(name),
                    attributes: held,
                    state: None,
                    was_password: false,
                    base: self.base_index(document),
                };
                Kind::Element(Box::new(element))
            }
            Part::Text { data } => {
                self.charge(data.len())?;
                Kind::Text(data.clone())
            }
            Part::Comment { data } => {
                self.charge(data.len())?;
                Kind::Comment(data.clone())
            }
            Part::Doctype { name, public, system } => {
                self.charge(name.len() + public.len() + system.len())?;
                Kind::Doctype(Box::new(Doctype {
                    name: name.clone(),
                    public: public.clone(),
                    system: system.clone(),
                }))
            }
            Part::ShadowRoot => Kind::ShadowRoot,
            Part::Document { quirks, url } => {
                if url.len() > LONGEST {
                    return Err(Misfit::Limit("length of the address"));
                }
                self.charge(url.len())?;
                self.frames += 1;
                Kind::Document(Document::new(*quirks, url))
            }
            Part::Known { .. } | Part::Held { .. } | Part::End => return Err(Misfit::Nesting),
        };
        let id = self.next_id()?;
        let node = Node { id, parent: NONE, first: NONE, last: NONE, prev: NONE, next: NONE, kind };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.nodes[slot as usize] = node;
                slot
            }
            None => {
                if self.nodes.len() == self.nodes.capacity() {
                    // Twice as much would be unused for as long as the page lives.
                    self.nodes.reserve_exact(self.nodes.len() / 4 + 8);
                }
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        self.index.insert(id, Slot::of(slot));
        self.note_password(slot);
        Ok(slot)
    }

    /// Takes a known node elsewhere.
    pub(super) fn relocate(
        &mut self,
        slot: u32,
        parent: u32,
        next: u32,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let id = self.nodes[slot as usize].id;
        if matches!(self.nodes[slot as usize].kind, Kind::Document(_) | Kind::ShadowRoot) {
            return Err(Misfit::Kind(id));
        }
        if slot == next {
            return Err(Misfit::NotAChild(id));
        }
        let mut depth = 0;
        let mut at = parent;
        while at != NONE {
            if at == slot {
                return Err(Misfit::Cycle(id));
            }
            at = self.nodes[at as usize].parent;
            depth += 1;
        }
        self.spend(depth as u64)?;
        let old = self.nodes[slot as usize].parent;
        if old != parent && depth > self.depth(old)? + 1 {
            let mut deepest = 0;
            let mut steps = 0;
            let (mut at, mut below) = (slot, 0usize);
            loop {
                steps += 1;
                deepest = deepest.max(below);
                let node = &self.nodes[at as usize];
                if node.first != NONE {
                    (at, below) = (node.first, below + 1);
                    continue;
                }
                while at != slot && self.nodes[at as usize].next == NONE {
                    (at, below) = (self.nodes[at as usize].parent, below - 1);
                }
                if at == slot {
                    break;
                }
                at = self.nodes[at as usize].next;
            }
            self.spend(steps)?;
            if depth + deepest > self.limits.depth {
                return Err(Misfit::Limit("depth of the page"));
            }
        }
        changes.parents.push(self.nodes[old as usize].id);
        changes.parents.push(self.nodes[parent as usize].id);
        self.detach(slot);
        self.attach(slot, parent, next)
    }

    /// Puts a loose node before `next`, or last.
    pub(super) fn attach(&mut self, slot: u32, parent: u32, next: u32) -> Result<(), Misfit> {
        let fits = match (&self.nodes[slot as usize].kind, &self.nodes[parent as usize].kind) {
            (Kind::ShadowRoot, Kind::Element(_)) => self.nodes[parent as usize].first == NONE,
            // One at a time, before all else.
            (Kind::Document(_), Kind::Element(element)) => {
                element.is_frame() && self.nodes[parent as usize].first == next
            }
            (Kind::ShadowRoot | Kind::Document(_), _) => false,
            (Kind::Doctype(_), parent) => matches!(parent, Kind::Document(_)),
            (Kind::Text(_), Kind::Document(_)) => false,
            (_, Kind::Document(_) | Kind::Element(_) | Kind::ShadowRoot) => true,
            _ => false,
        };
        if !fits
            || (next != NONE
                && matches!(self.nodes[next as usize].kind, Kind::ShadowRoot | Kind::Document(_)))
        {
            return Err(Misfit::Kind(self.nodes[parent as usize].id));
        }
        let prev =
            if next == NONE { self.nodes[parent as usize].last } else { self.nodes[next as usize].prev };
        let node = &mut self.nodes[slot as usize];
        (node.parent, node.prev, node.next) = (parent, prev, next);
        match prev {
            NONE => self.nodes[parent as usize].first = slot,
            _ => self.nodes[prev as usize].next = slot,
        }
        match next {
            NONE => self.nodes[parent as usize].last = slot,
            _ => self.nodes[next as usize].prev = slot,
        }
        Ok(())
    }

    pub(super) fn detach(&mut self, slot: u32) {
        let node = &mut self.nodes[slot as usize];
        let (parent, prev, next) = (node.parent, node.prev, node.next);
        (node.parent, node.prev, node.next) = (NONE, NONE, NONE);
        match prev {
            NONE => self.nodes[parent as usize].first = next,
            _ => self.nodes[prev as usize].next = next,
        }
        match next {
            NONE => self.nodes[parent as usize].last = prev,
            _ => self.nodes[next as usize].prev = prev,
        }
    }

    /// Forgets a loose node that was in a document, and everything in it.
    pub(super) fn release(&mut self, root: u32, document: u32, changes: &mut Changes) -> Result<(), Misfit> {
        let slots: Vec<u32> =
            NodeRef { tree: self, slot: root }.with_descendants().map(|node| node.slot).collect();
        self.spend(slots.len() as u64)?;
        let watched = self.base_elements.len() + self.watched();
        self.spend(slots.len() as u64 * watched as u64)?;
        for slot in slots {
            let node = &mut self.nodes[slot as usize];
            let id = node.id;
            self.text -= text_length(&node.kind);
            self.frames -= usize::from(matches!(node.kind, Kind::Document(_)));
            if let Kind::Element(element) = &node.kind {
                changes.retired.extend(element.picture());
            }
            node.kind = Kind::ShadowRoot;
            node.first = NONE;
            self.index.remove(&id);
            self.free.push(slot);
            changes.removed.push(id);
            if let Some(at) = self.base_elements.iter().position(|base| *base == slot) {
                self.base_elements.remove(at);
                self.rebase(document)?;
            }
            self.forget(id);
        }
        Ok(())
    }
}

fn text_length(kind: &Kind) -> usize {
    match kind {
        Kind::ShadowRoot => 0,
        Kind::Document(document) => document.location.len(),
        Kind::Text(data) | Kind::Comment(data) => data.len(),
        Kind::Doctype(doctype) => doctype.name.len() + doctype.public.len() + doctype.system.len(),
        Kind::Element(element) => {
            element.name.len()
                + element.attributes.iter().map(|(name, value)| attribute_cost(name, value)).sum::<usize>()
                + element.control().map_or(0, control_length)
                + element.source().map_or(0, str::len)
                + element.sheet().map_or(0, sheet_length)
        }
    }
}
