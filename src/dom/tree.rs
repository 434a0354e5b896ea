//! The tree itself: builds a page from operations and refuses those that do not fit.
//!
//! Ids follow from the operations alone (document 1, then every reported node in order), and are never used
//! again. After a refusal the tree is half changed and worthless: throw it away and ask for a snapshot.

mod addresses;
mod arena;
mod insets;
mod operations;
mod passwords;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use url::Url;

use crate::protocol::page::{PageOp, Part, Quirks};
use crate::protocol::{Inset, NodeId};

use self::insets::{Lodging, Presence};
use super::names::Names;
use super::node::{Document, Element, Kind, NONE, Node, NodeRef};
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
