//! One node of a page and the ways from it to others.
//!
//! A [`NodeRef`] borrows the tree, so it can not outlive a change. All walks are loops: a page of any depth
//! is walked in constant stack.

use url::Url;

use crate::protocol::NodeId;
use crate::protocol::page::{Control, Namespace, Quirks};

use super::{Name, Tree};

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// A node in its slot; links are slots.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) parent: u32,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) prev: u32,
    pub(super) next: u32,
    pub(super) kind: Kind,
}

/// A page has as many of these as nodes: what few nodes have is behind a pointer.
const _: () = assert!(size_of::<Node>() <= 48 && size_of::<Element>() <= 56);

/// What a node is.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Kind {
    /// The page's; or a frame's, then it is a child of the element that shows it.
    Document(Box<Document>),
    Element(Box<Element>),
    Text(Box<str>),
    Comment(Box<str>),
    Doctype(Box<Doctype>),
    /// The first child of its host.
    ShadowRoot,
}

/// What a document type declaration says.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Doctype {
    pub name: Box<str>,
    pub public: Box<str>,
    pub system: Box<str>,
}

/// What only documents have.
#[derive(Debug)]
pub struct Document {
    pub(super) quirks: Quirks,
    pub(super) location: Box<str>,
    /// Against which relative URLs are resolved now.
    pub(super) base: Option<Url>,
    /// Its index among those that are remembered.
    pub(super) base_index: u32,
    pub(super) scroll: Option<(i32, i32)>,
}

impl Document {
    pub(super) fn new(quirks: Quirks, location: &str) -> Box<Document> {
        Box::new(Document { quirks, location: location.into(), base: None, base_index: 0, scroll: None })
    }

    /// Whether it is in quirks mode.
    pub fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Its URL as reported; empty before that.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The URL against which its relative URLs are resolved now.
    pub fn base(&self) -> Option<&Url> {
        self.base.as_ref()
    }
}

/// What only elements have.
#[derive(Debug)]
pub struct Element {
    pub(super) namespace: Namespace,
    pub(super) name: Name,
    pub(super) attributes: Vec<(Name, Box<str>)>,
    /// Most elements have nothing of it.
    pub(super) state: Option<Box<State>>,
    pub(super) was_password: bool,
    /// Index of the base URL that was in force when this element's URLs were resolved.
    pub(super) base: u32,
}

/// What no attribute of an element says, as its browser reported it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) control: Option<Control>,
    pub(super) size: Option<(u32, u32)>,
    pub(super) scroll: Option<(i32, i32)>,
    pub(super) source: Option<Box<str>>,
    pub(super) picture: Option<u32>,
    pub(super) sheet: Option<Box<Sheet>>,
}

/// What scripts have made of the sheet of an element.
#[derive(Debug, Default)]
pub struct Sheet {
    /// What it holds for, where the attribute does not say it.
    pub media: Option<Box<str>>,
    /// Its rules, where neither text nor address says them.
    pub css: Option<Box<str>>,
}

impl Element {
    pub(super) fn state_mut(&mut self) -> &mut State {
        self.state.get_or_insert_default()
    }

    /// Local name, as the browser has it (lower case for HTML).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// HTML, SVG or MathML.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Whether it is the HTML element of this local name.
    pub fn is_html(&self, name: &str) -> bool {
        self.namespace == Namespace::Html && *self.name == *name
    }

    /// Qualified names and values, in the order in which they were set.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&Name, &str)> {
        self.attributes.iter().map(|(name, value)| (name, &**value))
    }

    /// Whether it can show a document of its own.
    pub fn is_frame(&self) -> bool {
        ["iframe", "frame", "object", "embed"].iter().any(|name| self.is_html(name))
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// Whether an enumerated attribute has this value: ASCII case-insensitive, as HTML compares them.
    pub fn attribute_is(&self, name: &str, value: &str) -> bool {
        self.attribute(name).is_some_and(|held| held.eq_ignore_ascii_case(value))
    }

    /// The state of a form control, when it was reported.
    pub fn control(&self) -> Option<&Control> {
        self.state.as_ref()?.control.as_ref()
    }

    /// Width and height of the border box in CSS pixels, when it was reported.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.state.as_ref()?.size
    }

    /// The URL that an image shows, when its `src` does not say so.
    pub fn source(&self) -> Option<&str> {
        self.state.as_ref()?.source.as_deref()
    }

    /// The number of the picture that a `canvas` or `video` shows, when it was reported.
    pub fn picture(&self) -> Option<u32> {
        self.state.as_ref()?.picture
    }

    /// What scripts have made of its sheet.
    pub fn sheet(&self) -> Option<&Sheet> {
        self.state.as_ref()?.sheet.as_deref()
    }

    /// Whether it shows what no attribute tells, so that only a picture can be had of it.
    pub fn is_pictured(&self) -> bool {
        self.is_html("canvas") || self.is_html("video")
    }

    /// Whether this is, or ever was, an `input` of type `password`.
    pub fn was_password(&self) -> bool {
        self.was_password
    }
}

/// A node of a tree that does not change meanwhile.
#[derive(Clone, Copy)]
pub struct NodeRef<'a> {
    pub(super) tree: &'a Tree,
    pub(super) slot: u32,
}

impl std::fmt::Debug for NodeRef<'_> {
    /// Says which node it is, never what is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {}", self.id().0)
    }
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot
    }
}

impl<'a> NodeRef<'a> {
    fn node(self) -> &'a Node {
        &self.tree.nodes[self.slot as usize]
    }

    fn at(self, slot: u32) -> Option<NodeRef<'a>> {
        (slot != NONE).then_some(NodeRef { tree: self.tree, slot })
    }

    /// The tree that it is in.
    pub fn tree(self) -> &'a Tree {
        self.tree
    }

    /// Its id.
    pub fn id(self) -> NodeId {
        self.node().id
    }

    /// What it is.
    pub fn kind(self) -> &'a Kind {
        &self.node().kind
    }

    /// The element that it is.
    pub fn element(self) -> Option<&'a Element> {
        match &self.node().kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The document that it is.
    pub fn as_document(self) -> Option<&'a Document> {
        match &self.node().kind {
            Kind::Document(document) => Some(document),
            _ => None,
        }
    }

    /// The document that this element shows, being a frame.
    pub fn frame_document(self) -> Option<NodeRef<'a>> {
        self.first_child().filter(|child| self.element().is_some() && child.as_document().is_some())
    }

    /// Where it is scrolled to, when it was reported.
    pub fn scroll(self) -> Option<(i32, i32)> {
        match &self.node().kind {
            Kind::Document(document) => document.scroll,
            Kind::Element(element) => element.state.as_ref()?.scroll,
            _ => None,
        }
    }

    /// The node that it is in; of a shadow root, its host.
    pub fn parent(self) -> Option<NodeRef<'a>> {
        self.at(self.node().parent)
    }

    /// Its first child; a shadow root or a frame's document comes before all others.
    pub fn first_child(self) -> Option<NodeRef<'a>> {
        self.at(self.node().first)
    }

    /// Its first child that is told by the same script: not the document of an inset.
    pub fn own_child(self) -> Option<NodeRef<'a>> {
        let first = self.first_child()?;
        if first.id().inset() == self.id().inset() { Some(first) } else { first.next() }
    }

    /// Its last child.
    pub fn last_child(self) -> Option<NodeRef<'a>> {
        self.at(self.node().last)
    }

    /// The child of its parent before it.
    pub fn previous(self) -> Option<NodeRef<'a>> {
        self.at(self.node().prev)
    }

    /// The child of its parent after it.
    pub fn next(self) -> Option<NodeRef<'a>> {
        self.at(self.node().next)
    }

    /// Its children, shadow root included.
    pub fn children(self) -> Children<'a> {
        Children(self.first_child())
    }

    /// Itself and everything it is in, innermost first, through shadow roots and hosts, and through frames.
    pub fn with_ancestors(self) -> Ancestors<'a> {
        Ancestors(Some(self))
    }

    /// Itself and everything it is in, innermost first, up to the document that it belongs to.
    pub fn in_document(self) -> impl Iterator<Item = NodeRef<'a>> {
        self.with_ancestors().take_while(|node| node.as_document().is_none())
    }

    /// The document that it belongs to; of a document, itself.
    pub fn document(self) -> NodeRef<'a> {
        let found = self.with_ancestors().find(|node| node.as_document().is_some());
        found.unwrap_or_else(|| self.tree.document())
    }

    /// Itself and everything in it in document order, shadow trees and frames included.
    pub fn with_descendants(self) -> Descendants<'a> {
        Descendants { root: self, next: Some(self) }
    }

    /// The document or shadow root whose tree it is in.
    pub fn tree_root(self) -> NodeRef<'a> {
        self.with_ancestors()
            .find(|node| matches!(node.kind(), Kind::Document(_) | Kind::ShadowRoot))
            .unwrap_or(self)
    }

    /// How many nodes it is in.
    pub fn depth(self) -> usize {
        self.with_ancestors().count() - 1
    }

    /// The URL against which its relative URLs are resolved: the one of when they were set, since a page that
    /// changes its address does not load its pictures again.
    pub fn base(self) -> Option<&'a Url> {
        self.tree.base_at(self.element().map_or(0, |element| element.base))
    }
}

/// See [`NodeRef::children`].
#[derive(Debug)]
pub struct Children<'a>(Option<NodeRef<'a>>);

impl<'a> Iterator for Children<'a> {
    type Item = NodeRef<'a>;

    fn next(&mut self) -> Option<NodeRef<'a>> {
        let node = self.0?;
        self.0 = node.next();
        Some(node)
    }
}

/// See [`NodeRef::with_ancestors`].
#[derive(Debug)]
pub struct Ancestors<'a>(Option<NodeRef<'a>>);

impl<'a> Iterator for Ancestors<'a> {
    type Item = NodeRef<'a>;

    fn next(&mut self) -> Option<NodeRef<'a>> {
        let node = self.0?;
        self.0 = node.parent();
        Some(node)
    }
}

/// See [`NodeRef::with_descendants`].
#[derive(Debug)]
pub struct Descendants<'a> {
    root: NodeRef<'a>,
    next: Option<NodeRef<'a>>,
}

impl<'a> Iterator for Descendants<'a> {
    type Item = NodeRef<'a>;

    fn next(&mut self) -> Option<NodeRef<'a>> {
        let node = self.next?;
        self.next = node.first_child().or_else(|| {
            let mut from = node;
            while from != self.root {
                if let Some(sibling) = from.next() {
                    return Some(sibling);
                }
                from = from.parent()?;
            }
            None
        });
        Some(node)
    }
}
