//! The tree itself: builds a page from operations and refuses those that do not fit.
//!
//! Ids follow from the operations alone (document 1, then every reported node in order), and are never used
//! again. After a refusal the tree is half changed and worthless: throw it away and ask for a snapshot.

mod arena;
mod insets;
mod passwords;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use url::Url;

use crate::protocol::attention::Selection;
use crate::protocol::page::{PageOp, Part, Quirks};
use crate::protocol::{Inset, NodeId};

use self::insets::{Lodging, Presence};
use super::names::Names;
use super::node::{Document, Element, Kind, NONE, Node, NodeRef, Sheet};
use super::{Changes, IdTable};

/// Bounds of one page.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes in the tree.
    pub nodes: usize,
    /// How many nodes a node may be in.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Bytes of texts, names and values together.
    pub text: usize,
    /// Steps that one batch may take; real batches take some per node.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { nodes: 200_000, depth: 512, attributes: 512, text: 64 << 20, work: 50_000_000 }
    }
}

/// Why an operation does not fit the page. Nothing of its content is in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The first operation of a document must say that it begins.
    #[error("the page has not begun")]
    NotBegun,
    /// A document begins once.
    #[error("the page begins a second time")]
    BegunTwice,
    /// There is no such node (any more).
    #[error("node {} is unknown", .0.0)]
    Unknown(NodeId),
    /// The node is of a kind that has no such thing.
    #[error("node {} can not have that", .0.0)]
    Kind(NodeId),
    /// The node before which something is inserted is not a child of the parent.
    #[error("node {} is not a child of the parent named with it", .0.0)]
    NotAChild(NodeId),
    /// A node can not go into itself.
    #[error("node {} would be inside itself", .0.0)]
    Cycle(NodeId),
    /// Ends do not pair with elements, or a subtree has no root.
    #[error("a subtree is not closed properly")]
    Nesting,
    /// A bound is exceeded.
    #[error("a limit is exceeded: {0}")]
    Limit(&'static str),
}

/// A customer's page.
#[derive(Debug)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    free: Vec<u32>,
    index: IdTable<Slot>,
    /// Whose operations are applied now.
    writer: Inset,
    /// The next number of the page's own nodes.
    next_id: u32,
    insets: BTreeMap<Inset, Lodging>,
    last_inset: Inset,
    names: Names,
    limits: Limits,
    text: usize,
    work: u64,
    begun: bool,
    /// Documents in frames.
    frames: usize,
    /// `base` elements of all documents, in the order in which they came.
    base_elements: Vec<u32>,
    bases: Vec<Option<Url>>,
    /// Names and ids of password fields.
    passwords: HashSet<Box<str>>,
    viewport: Option<(u32, u32, u32)>,
    presence: Presence,
}

/// A slot that leaves room for "none" beside it.
#[derive(Debug, Clone, Copy)]
struct Slot(NonZeroU32);

impl Slot {
    fn of(slot: u32) -> Slot {
        // Slots are fewer than nodes may be.
        Slot(NonZeroU32::MIN.saturating_add(slot))
    }

    fn get(self) -> u32 {
        self.0.get() - 1
    }
}

/// Slot of the document.
const ROOT: u32 = 0;
/// Base URLs that are remembered; new elements of a page that changes its address more often resolve against the
/// last one remembered.
const BASES: usize = 1_024;
/// Bytes of a URL that is worth resolving against.
const URL: usize = 8_192;
/// Bytes of what a browser says in a box of its own.
const NOTICE: usize = 16 << 10;
/// Bytes of a document's URL.
const LONGEST: usize = URL << 4;

impl Tree {
    /// An empty page; takes [`PageOp::Begin`] first.
    pub fn new(limits: Limits) -> Tree {
        let document = Node {
            id: NodeId::DOCUMENT,
            parent: NONE,
            first: NONE,
            last: NONE,
            prev: NONE,
            next: NONE,
            kind: Kind::Document(Document::new(Quirks::No, "")),
        };
        let mut index = IdTable::default();
        index.insert(NodeId::DOCUMENT, Slot::of(ROOT));
        Tree {
            nodes: vec![document],
            free: Vec::new(),
            index,
            writer: Inset::PAGE,
            next_id: 2,
            insets: BTreeMap::new(),
            last_inset: Inset::PAGE,
            names: Names::default(),
            limits,
            text: 0,
            work: 0,
            begun: false,
            frames: 0,
            base_elements: Vec::new(),
            bases: vec![None],
            passwords: HashSet::new(),
            viewport: None,
            presence: Presence::default(),
        }
    }

    /// Applies one batch, in order. On an error the tree is of no more use.
    pub fn apply(&mut self, ops: &[PageOp]) -> Result<Changes, Misfit> {
        let mut changes = Changes::default();
        self.work = self.limits.work;
        if !self.begun {
            if !matches!(ops.first(), Some(PageOp::Begin { .. })) {
                return Err(Misfit::NotBegun);
            }
            // Nodes resolve their URLs when they come, so the address must be known before them.
            if let Some(PageOp::Location { url }) =
                ops.iter().find(|op| matches!(op, PageOp::Location { .. }))
            {
                self.locate(ROOT, url, &mut changes)?;
            }
            let parts =
                ops.iter().map(|op| if let PageOp::Insert { parts, .. } = op { nodes(parts) } else { 0 });
            self.nodes.reserve_exact(parts.sum::<usize>().min(self.limits.nodes));
        }
        self.operations(ops, &mut changes)?;
        Ok(changes)
    }

    fn operations(&mut self, ops: &[PageOp], changes: &mut Changes) -> Result<(), Misfit> {
        let mut left = Vec::new();
        for op in ops {
            self.spend(1)?;
            if let PageOp::Remove { id } = op {
                let removed = self.get(*id).filter(|node| node.element().is_some_and(Element::was_password));
                left.extend(removed.and_then(NodeRef::parent).map(NodeRef::id));
            }
            self.operation(op, changes)?;
        }
        self.succeed_passwords(&left, changes);
        Ok(())
    }

    /// The node of this id.
    pub fn get(&self, id: NodeId) -> Option<NodeRef<'_>> {
        self.index.get(&id).map(|slot| NodeRef { tree: self, slot: slot.get() })
    }

    /// The document.
    pub fn document(&self) -> NodeRef<'_> {
        NodeRef { tree: self, slot: ROOT }
    }

    /// How many nodes there are, the document included.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is nothing but the document.
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// Whether the page is in quirks mode.
    pub fn quirks(&self) -> Quirks {
        self.document().as_document().map_or(Quirks::No, Document::quirks)
    }

    /// The page's URL as reported; empty before that.
    pub fn location(&self) -> &str {
        self.document().as_document().map_or("", Document::location)
    }

    /// The URL against which the page's relative URLs are resolved now.
    pub fn base(&self) -> Option<&Url> {
        self.document().as_document().and_then(Document::base)
    }

    /// Whether there is a document in a frame.
    pub fn has_frames(&self) -> bool {
        self.frames > 0
    }

    /// Width, height, and device pixels per CSS pixel in percent.
    pub fn viewport(&self) -> Option<(u32, u32, u32)> {
        self.viewport
    }

    pub(super) fn base_at(&self, index: u32) -> Option<&Url> {
        self.bases.get(index as usize).and_then(Option::as_ref)
    }

    fn operation(&mut self, op: &PageOp, changes: &mut Changes) -> Result<(), Misfit> {
        match op {
            PageOp::Begin { quirks } => {
                match self.writer {
                    Inset::PAGE if self.begun => return Err(Misfit::BegunTwice),
                    Inset::PAGE => (self.begun, changes.begun) = (true, true),
                    _ => {}
                }
                let document = self.own_document()?;
                self.document_mut(document)?.quirks = *quirks;
            }
            PageOp::Insert { parent, next, parts } => self.insert(*parent, *next, parts, changes)?,
            PageOp::Move { id, parent, next } => {
                let (slot, parent) = (self.slot(*id)?, self.slot(*parent)?);
                let next = self.child_of(parent, *next)?;
                self.relocate(slot, parent, next, changes)?;
                changes.moved.push(*id);
            }
            PageOp::Remove { id } => {
                let slot = self.slot(*id)?;
                if *id == self.writer.document() {
                    return Err(Misfit::Kind(*id));
                }
                let parent = self.nodes[slot as usize].parent;
                changes.parents.push(self.nodes[parent as usize].id);
                let document = self.document_of(parent)?;
                self.detach(slot);
                self.release(slot, document, changes)?;
            }
            PageOp::SetAttribute { id, name, value } => self.set_attribute(*id, name, value, changes)?,
            PageOp::RemoveAttribute { id, name } => {
                let slot = self.slot(*id)?;
                let element = self.element(slot)?;
                if let Some(at) = element.attributes.iter().position(|(known, _)| **known == **name) {
                    let (name, value) = element.attributes.remove(at);
                    self.text -= attribute_cost(&name, &value);
                    self.attribute_changed(slot, &name, changes)?;
                    changes.attributes.push((*id, name));
                }
            }
            PageOp::Text { id, data } => {
                let slot = self.slot(*id)?;
                self.charge(data.len())?;
                match &mut self.nodes[slot as usize].kind {
                    Kind::Text(held) | Kind::Comment(held) => {
                        self.text -= held.len();
                        *held = data.clone();
                    }
                    _ => return Err(Misfit::Kind(*id)),
                }
                changes.texts.push(*id);
            }
            PageOp::Control { id, state } => {
                let slot = self.slot(*id)?;
                let before = self.element(slot)?.control().map_or(0, control_length);
                self.charge(control_length(state))?;
                self.text -= before;
                self.element(slot)?.state_mut().control = Some(state.clone());
                changes.controls.push(*id);
            }
            PageOp::Scroll { id, x, y } => {
                let slot = self.slot(*id)?;
                let node = &mut self.nodes[slot as usize];
                match &mut node.kind {
                    Kind::Document(document) => document.scroll = Some((*x, *y)),
                    Kind::Element(element) => element.state_mut().scroll = Some((*x, *y)),
                    _ => return Err(Misfit::Kind(*id)),
                }
                changes.scrolls.push(*id);
            }
            // The size of an inset is that of its frame.
            PageOp::Viewport { .. } if self.writer != Inset::PAGE => {}
            PageOp::Viewport { width, height, ratio } => self.viewport = Some((*width, *height, *ratio)),
            PageOp::Location { url } => {
                let document = self.own_document()?;
                self.check_origin(url)?;
                self.locate(document, url, changes)?;
            }
            PageOp::Address { id, .. } if *id == self.writer.document() => return Err(Misfit::Kind(*id)),
            PageOp::Address { id, url } => {
                let slot = self.slot(*id)?;
                self.locate(slot, url, changes)?;
            }
            PageOp::Focus { id } => {
                if let Some(id) = id {
                    self.slot(*id)?;
                }
                self.presence_mut().focus = *id;
            }
            PageOp::TopLayer { entries } => {
                for (id, _) in entries {
                    let slot = self.slot(*id)?;
                    self.element(slot)?;
                }
                self.presence_mut().top_layer.clone_from(entries);
            }
            PageOp::Box { id, width, height } => {
                let slot = self.slot(*id)?;
                self.element(slot)?.state_mut().size = Some((*width, *height));
                changes.boxes.push(*id);
            }
            PageOp::Check { from, count, digest } => {
                self.spend(u64::from(*count))?;
                let ours = (from.inset() == self.writer).then(|| self.digest(*from, *count)).flatten();
                changes.diverged |= ours != Some(*digest);
            }
            PageOp::Source { id, url } => {
                let slot = self.slot(*id)?;
                self.charge(url.len())?;
                let state = self.element(slot)?.state_mut();
                let before = state.source.replace(url.clone()).map_or(0, |url| url.len());
                self.text -= before;
                self.resolve_anew(slot, changes)?;
                changes.sources.push(*id);
            }
            PageOp::Picture { id, number } => {
                let slot = self.slot(*id)?;
                let element = self.element(slot)?;
                if !element.is_pictured() {
                    return Err(Misfit::Kind(*id));
                }
                changes.retired.extend(std::mem::replace(&mut element.state_mut().picture, *number));
                changes.pictures.push(*id);
            }
            PageOp::Sheet { id, media, css } => {
                let slot = self.slot(*id)?;
                let element = self.element(slot)?;
                if !element.is_html("link") && !element.name().eq_ignore_ascii_case("style") {
                    return Err(Misfit::Kind(*id));
                }
                let sheet = Sheet { media: media.clone(), css: css.clone() };
                let grown = sheet_length(&sheet);
                let said = media.is_some() || css.is_some();
                let before = std::mem::replace(&mut element.state_mut().sheet, said.then(|| Box::new(sheet)));
                self.text -= before.as_deref().map_or(0, sheet_length);
                self.charge(grown)?;
                changes.sheets.push(*id);
            }
            PageOp::States { states } => {
                for id in [states.hover, states.pointed, states.active, states.target].into_iter().flatten() {
                    self.slot(id)?;
                }
                self.presence_mut().attention.states = *states;
            }
            PageOp::Selection { selection } => {
                if let Some(Selection { anchor, focus }) = selection {
                    self.slot(anchor.0)?;
                    self.slot(focus.0)?;
                }
                self.presence_mut().attention.selection = *selection;
            }
            PageOp::Notice { notice } => {
                if let Some(notice) = notice {
                    if notice.text.len() > NOTICE {
                        return Err(Misfit::Limit("length of a notice"));
                    }
                    notice.at.map(|at| self.slot(at)).transpose()?;
                }
                self.presence_mut().attention.notice.clone_from(notice);
            }
            PageOp::Media { features } => self.presence_mut().attention.media = Some(*features),
            PageOp::Zoom { zoomed } => self.presence_mut().attention.zoomed = *zoomed,
        }
        Ok(())
    }

    fn insert(
        &mut self,
        parent: NodeId,
        next: Option<NodeId>,
        parts: &[Part],
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let mut parent = self.slot(parent)?;
        let mut next = self.child_of(parent, next)?;
        let outermost = parent;
        let mut document = self.document_of(parent)?;
        let mut depth = self.depth(parent)?;
        let mut root = true;
        for part in parts {
            self.spend(1)?;
            if matches!(part, Part::End) {
                if parent == outermost {
                    return Err(Misfit::Nesting);
                }
                let left = parent;
                parent = self.nodes[left as usize].parent;
                if left == document {
                    document = self.document_of(parent)?;
                }
                depth -= 1;
                continue;
            }
            if !std::mem::take(&mut root) && parent == outermost {
                return Err(Misfit::Nesting);
            }
            let before = std::mem::replace(&mut next, NONE);
            if let Part::Known { id } = part {
                let slot = self.slot(*id)?;
                self.relocate(slot, parent, before, changes)?;
                changes.moved.push(*id);
                continue;
            }
            if depth + 1 > self.limits.depth {
                return Err(Misfit::Limit("depth of the page"));
            }
            if matches!(part, Part::Document { .. }) {
                self.make_room(parent, changes)?;
            }
            let slot = self.create(part, document)?;
            self.attach(slot, parent, before)?;
            let id = self.nodes[slot as usize].id;
            if parent == outermost {
                changes.inserted.push(id);
                changes.parents.push(self.nodes[parent as usize].id);
            }
            if let Part::Document { .. } = part {
                document = slot;
                self.rebase(document)?;
            }
            if matches!(part, Part::Element { .. } | Part::ShadowRoot | Part::Document { .. }) {
                if self.element(slot).is_ok_and(|element| element.is_html("base")) {
                    self.base_elements.push(slot);
                    self.rebase(document)?;
                }
                parent = slot;
                depth += 1;
            }
        }
        if root || parent != outermost {
            return Err(Misfit::Nesting);
        }
        Ok(())
    }

    fn set_attribute(
        &mut self,
        id: NodeId,
        name: &str,
        value: &str,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let name = self.names.intern(name);
        let limit = self.limits.attributes;
        let count = self.element(slot)?.attributes.len();
        self.spend(count as u64)?;
        self.charge(value.len())?;
        let element = self.element(slot)?;
        let grown = match element.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => {
                let before = held.len();
                *held = value.into();
                self.text -= before;
                0
            }
            None if count >= limit => {
                return Err(Misfit::Limit("attributes of an element"));
            }
            None => {
                element.attributes.push((name.clone(), value.into()));
                attribute_cost(&name, "")
            }
        };
        self.charge(grown)?;
        self.attribute_changed(slot, &name, changes)?;
        changes.attributes.push((id, name));
        Ok(())
    }

    fn attribute_changed(&mut self, slot: u32, name: &str, changes: &mut Changes) -> Result<(), Misfit> {
        self.spend(self.base_elements.len() as u64)?;
        if name == "href" && self.base_elements.contains(&slot) {
            let document = self.document_of(slot)?;
            self.rebase(document)?;
        }
        self.resolve_anew(slot, changes)?;
        self.note_password(slot);
        let element = self.element(slot)?;
        // What an image shows is told anew after this.
        if matches!(name, "src" | "srcset") {
            let source = element.state.as_mut().and_then(|state| state.source.take());
            let before = source.map_or(0, |url| url.len());
            self.text -= before;
        }
        Ok(())
    }

    /// An element that changes takes part in what the base URL is now, with all its URLs; a sheet that is
    /// already read does not.
    fn resolve_anew(&mut self, slot: u32, changes: &mut Changes) -> Result<(), Misfit> {
        let document = self.document_of(slot)?;
        let base = self.base_index(document);
        let id = self.nodes[slot as usize].id;
        let element = self.element(slot)?;
        if element.base == base || element.name.eq_ignore_ascii_case("style") {
            return Ok(());
        }
        element.base = base;
        changes.attributes.extend(element.attributes.iter().map(|(name, _)| (id, name.clone())));
        if element.source().is_some() {
            changes.sources.push(id);
        }
        let count = element.attributes.len();
        self.spend(count as u64)
    }

    fn locate(&mut self, document: u32, url: &str, changes: &mut Changes) -> Result<(), Misfit> {
        if url.len() > LONGEST {
            return Err(Misfit::Limit("length of the address"));
        }
        self.charge(url.len())?;
        let id = self.nodes[document as usize].id;
        let before = std::mem::replace(&mut self.document_mut(document)?.location, url.into());
        self.text -= before.len();
        match document {
            _ if *before == *url => {}
            ROOT => changes.location = true,
            _ => changes.addresses.push(id),
        }
        self.rebase(document)
    }

    /// HTML, "document base URL": the first `base` with `href`, against the document's own URL. A document
    /// without one (`about:srcdoc`, say) has that of the document it is in: "fallback base URL".
    fn rebase(&mut self, document: u32) -> Result<(), Misfit> {
        let walk = if self.frames > 0 { self.limits.depth } else { 1 };
        self.spend(1 + (self.base_elements.len() * walk) as u64)?;
        let above = match self.nodes[document as usize].parent {
            NONE => None,
            parent => Some(self.document_of(parent)?),
        };
        let node = NodeRef { tree: self, slot: document };
        let Some(held) = node.as_document() else { return Ok(()) };
        let own = (held.location.len() <= URL).then(|| Url::parse(&held.location).ok()).flatten();
        let outer = above.and_then(|slot| NodeRef { tree: self, slot }.as_document());
        let own = match outer {
            Some(outer) => own.filter(|url| !url.cannot_be_a_base()).or_else(|| outer.base.clone()),
            None => own,
        };
        let named =
            self.base_elements.iter().map(|slot| NodeRef { tree: self, slot: *slot }).find_map(|base| {
                let href = base.element()?.attribute("href")?;
                (base.document() == node).then_some(href)
            });
        let base = match named.filter(|href| href.len() <= URL) {
            Some(href) => Url::options().base_url(own.as_ref()).parse(href).ok().or(own),
            None => own,
        };
        let known = [Some(held), outer].into_iter().flatten().find(|held| held.base == base);
        let index = match known.map(|held| held.base_index) {
            Some(index) if self.bases[index as usize] == base => index,
            _ if self.bases.len() < BASES => self.bases.len() as u32,
            _ => held.base_index,
        };
        if index as usize == self.bases.len() {
            self.bases.push(base.clone());
        }
        let held = self.document_mut(document)?;
        (held.base, held.base_index) = (base, index);
        Ok(())
    }

    fn base_index(&self, document: u32) -> u32 {
        NodeRef { tree: self, slot: document }.as_document().map_or(0, |document| document.base_index)
    }

    /// The document that a node is in, or is.
    fn document_of(&mut self, slot: u32) -> Result<u32, Misfit> {
        if self.frames == 0 {
            return Ok(ROOT);
        }
        let mut steps = 0;
        let mut at = slot;
        while at != NONE && !matches!(self.nodes[at as usize].kind, Kind::Document(_)) {
            at = self.nodes[at as usize].parent;
            steps += 1;
        }
        self.spend(steps)?;
        Ok(if at == NONE { ROOT } else { at })
    }

    fn document_mut(&mut self, slot: u32) -> Result<&mut Document, Misfit> {
        let node = &mut self.nodes[slot as usize];
        match &mut node.kind {
            Kind::Document(document) => Ok(document),
            _ => Err(Misfit::Kind(node.id)),
        }
    }

    /// Who writes knows its own nodes and no others.
    fn slot(&self, id: NodeId) -> Result<u32, Misfit> {
        if id.inset() != self.writer {
            return Err(Misfit::Unknown(id));
        }
        self.index.get(&id).map(|slot| slot.get()).ok_or(Misfit::Unknown(id))
    }

    fn child_of(&self, parent: u32, next: Option<NodeId>) -> Result<u32, Misfit> {
        let Some(next) = next else { return Ok(NONE) };
        let slot = self.slot(next)?;
        if self.nodes[slot as usize].parent == parent { Ok(slot) } else { Err(Misfit::NotAChild(next)) }
    }

    fn element(&mut self, slot: u32) -> Result<&mut Element, Misfit> {
        let node = &mut self.nodes[slot as usize];
        match &mut node.kind {
            Kind::Element(element) => Ok(element),
            _ => Err(Misfit::Kind(node.id)),
        }
    }

    fn depth(&mut self, slot: u32) -> Result<usize, Misfit> {
        let depth = NodeRef { tree: self, slot }.depth();
        self.spend(depth as u64)?;
        Ok(depth)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Misfit> {
        self.text += bytes;
        if self.text > self.limits.text { Err(Misfit::Limit("text of the page")) } else { Ok(()) }
    }

    fn spend(&mut self, steps: u64) -> Result<(), Misfit> {
        self.work = self.work.checked_sub(steps).ok_or(Misfit::Limit("work for one batch"))?;
        Ok(())
    }
}

/// How many nodes these parts make at most.
fn nodes(parts: &[Part]) -> usize {
    parts.iter().filter(|part| !matches!(part, Part::End)).count()
}

/// What an attribute counts in the limit of text: its place in memory too, so that many empty ones are not free.
fn attribute_cost(name: &str, value: &str) -> usize {
    name.len() + value.len() + 40
}

fn sheet_length(sheet: &Sheet) -> usize {
    [&sheet.media, &sheet.css].into_iter().flatten().map(|text| text.len()).sum()
}

fn control_length(control: &crate::protocol::page::Control) -> usize {
    let value = match &control.value {
        Some(crate::protocol::page::Value::Told(text)) => text.len(),
        _ => 0,
    };
    value + control.selected.as_ref().map_or(0, |selected| 4 * selected.len())
}
