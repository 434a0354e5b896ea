//! What a customer's browser says of its page: binary frames of operations, read here and written by
//! `injector/src/customer`.
//!
//! A frame is `epoch, seq, operation…`, after the text of its strings. An epoch is one document; its first frame (seq 0) starts
//! with [`PageOp::Begin`] and builds the whole page: a snapshot. The frames after it are patches. Node ids are
//! implicit: nodes are numbered in the order in which they are written, from 2 on.

use super::NodeId;
use super::attention::{Notice, Selection, States, Zoomed};
use super::wire::{Malformed, Reader, inflate};

/// One message of the page stream.
#[derive(Debug, Clone, PartialEq)]
pub struct PageFrame {
    /// Which document of the connection this is about; given by the server when it asks for a snapshot.
    pub epoch: u32,
    /// Counts the frames of an epoch from 0.
    pub seq: u32,
    /// What changed, in order.
    pub ops: Vec<PageOp>,
}

/// One change of the page. The number is the tag on the wire.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum PageOp {
    /// 1: new nodes, before `next` (or last) in `parent`.
    Insert { parent: NodeId, next: Option<NodeId>, parts: Vec<Part> },
    /// 2: a known node goes elsewhere, with everything in it.
    Move { id: NodeId, parent: NodeId, next: Option<NodeId> },
    /// 3: a node is gone, with everything in it.
    Remove { id: NodeId },
    /// 4: an attribute has this value now. `name` is the qualified name.
    SetAttribute { id: NodeId, name: Box<str>, value: Box<str> },
    /// 5: an attribute is gone.
    RemoveAttribute { id: NodeId, name: Box<str> },
    /// 6: a text or comment has this content now.
    Text { id: NodeId, data: Box<str> },
    /// 7: a form control is in this state now.
    Control { id: NodeId, state: Control },
    /// 8: an element (or the document) is scrolled to here, in CSS pixels.
    Scroll { id: NodeId, x: i32, y: i32 },
    /// 9: the size of the viewport in CSS pixels (without scroll bars), device pixels per CSS pixel in percent.
    Viewport { width: u32, height: u32, ratio: u32 },
    /// 10: the document's URL.
    Location { url: Box<str> },
    /// 11: which element has the focus.
    Focus { id: Option<NodeId> },
    /// 12: what is in the top layer, lowest first.
    TopLayer { entries: Vec<(NodeId, TopLayer)> },
    /// 13: the size of an element's border box in CSS pixels, reported for those that the server asked to measure.
    Box { id: NodeId, width: u32, height: u32 },
    /// 14: the URL that an image shows now, where its `src` does not say so.
    Source { id: NodeId, url: Box<str> },
    /// 15: a new document; always first in a snapshot and nowhere else.
    Begin { quirks: Quirks },
    /// 32: the URL of the document in a frame.
    Address { id: NodeId, url: Box<str> },
    /// 64: what a `canvas` or `video` shows now: the picture of this number, which the browser has brought;
    /// none where it can not be read.
    Picture { id: NodeId, number: Option<u32> },
    /// 30: what the sender has from `from` on, `count` nodes in document order, as a digest; changes nothing.
    Check { from: NodeId, count: u32, digest: u32 },
    /// 65: what scripts have made of the sheet of a `style` or `link`: the media that it holds for (`not all`: none), and
    /// its rules; none where the element still says it.
    Sheet { id: NodeId, media: Option<Box<str>>, css: Option<Box<str>> },
    /// 66: see [`States`].
    States { states: States },
    /// 67: see [`Selection`].
    Selection { selection: Option<Selection> },
    /// 68: see [`Notice`].
    Notice { notice: Option<Notice> },
    /// 69: which media features the customer's browser has, as bits that only the browsers' code reads.
    Media { features: u32 },
    /// 70: see [`Zoomed`].
    Zoom { zoomed: Option<Zoomed> },
}

/// A piece of a subtree in document order. `Element`, `ShadowRoot` and `Document` are closed by an `End` (kind 0).
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Part {
    /// Kind 1 (HTML), 17 (SVG), 33 (MathML): local name, attributes, then children up to `End`.
    Element { namespace: Namespace, name: Box<str>, attributes: Vec<(Box<str>, Box<str>)> },
    /// Kind 2.
    Text { data: Box<str> },
    /// Kind 3.
    Comment { data: Box<str> },
    /// Kind 4: name, public id, system id.
    Doctype { name: Box<str>, public: Box<str>, system: Box<str> },
    /// Kind 5: a shadow root; the first child of its host, then its own children up to `End`.
    ShadowRoot,
    /// Kind 6: a node that is known already and has moved here, with everything in it.
    Known { id: NodeId },
    /// Kind 7: the document that a frame shows; the first child of the frame's element, with its own children up to `End`.
    Document { quirks: Quirks, url: Box<str> },
    /// Kind 9, in snapshots only: a subtree that the server said it holds, by its place in what was said.
    Held { index: u32 },
    /// Kind 0.
    End,
}

/// Of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Namespace {
    Html,
    Svg,
    MathMl,
}

/// What a form control holds. Only what its kind has is present.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Control {
    /// The current value, or that there is one which the browser did not tell.
    pub value: Option<Value>,
    /// Of a checkbox or radio button.
    pub checked: Option<Checked>,
    /// Indexes of the selected options, rising.
    pub selected: Option<Vec<u32>>,
    /// What the browser thinks of it.
    pub validity: Option<Validity>,
}

/// Of a control: 1 `:invalid`, 2 `:valid`, 4 `:user-invalid`, 8 `:user-valid`, 16 `:autofill`,
/// 32 something is typed that makes no value: half a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity(pub u8);

/// The value of a text-like control.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Told(Box<str>),
    /// Withheld in the customer's browser: only how many characters there are (8 for every password that is not empty).
    Withheld {
        length: u32,
    },
}

/// The state of a checkbox or radio button: what it shows may hide whether it is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Checked {
    pub on: bool,
    pub indeterminate: bool,
}

impl From<bool> for Checked {
    fn from(on: bool) -> Checked {
        Checked { on, indeterminate: false }
    }
}

/// How an element came to the top layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TopLayer {
    Modal,
    Popover,
    Fullscreen,
}

/// `Document.compatMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Quirks {
    No,
    Yes,
}

/// Bounds on one frame; the tree has bounds of its own.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Depth of one subtree.
    pub depth: usize,
    /// Nodes in one frame.
    pub nodes: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Operations in one frame.
    pub operations: usize,
    /// Nodes in one [`PageOp::Check`].
    pub check: u32,
    /// Bytes of one frame that travels deflated.
    pub inflated: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth: 512,
            nodes: 200_000,
            attributes: 512,
            operations: 200_000,
            check: 200_000,
            inflated: 16 << 20,
        }
    }
}

impl PageFrame {
    /// About how much work it is: operations and pieces of subtrees.
    pub fn weight(&self) -> usize {
        let pieces = |op: &PageOp| match op {
            PageOp::Insert { parts, .. } => parts.len(),
            _ => 1,
        };
        self.ops.iter().map(pieces).sum()
    }

    /// Reads one frame. Checks the format and `limits`, not whether the operations fit a page.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<PageFrame, Malformed> {
        let bytes = inflate(bytes, limits.inflated)?;
        let mut reader = Reader::new(&bytes)?;
        let (epoch, seq) = (reader.uint()?, reader.uint()?);
        let mut ops = Vec::new();
        let mut nodes = limits.nodes;
        while !reader.at_end()? {
            if ops.len() == limits.operations {
                return Err(Malformed::Limit("operations in a frame"));
            }
            ops.push(operation(&mut reader, limits, &mut nodes)?);
        }
        Ok(PageFrame { epoch, seq, ops })
    }
}

fn operation(reader: &mut Reader<'_>, limits: &Limits, nodes: &mut usize) -> Result<PageOp, Malformed> {
    Ok(match reader.byte()? {
        1 => {
            let (parent, next) = (node(reader)?, node_or_none(reader)?);
            PageOp::Insert { parent, next, parts: subtree(reader, limits, nodes)? }
        }
        2 => PageOp::Move { id: node(reader)?, parent: node(reader)?, next: node_or_none(reader)? },
        3 => PageOp::Remove { id: node(reader)? },
        4 => PageOp::SetAttribute { id: node(reader)?, name: string(reader)?, value: string(reader)? },
        5 => PageOp::RemoveAttribute { id: node(reader)?, name: string(reader)? },
        6 => PageOp::Text { id: node(reader)?, data: string(reader)? },
        7 => PageOp::Control { id: node(reader)?, state: control(reader)? },
        8 => PageOp::Scroll { id: node(reader)?, x: reader.int()?, y: reader.int()? },
        9 => PageOp::Viewport { width: reader.uint()?, height: reader.uint()?, ratio: reader.uint()? },
        10 => PageOp::Location { url: string(reader)? },
        11 => PageOp::Focus { id: node_or_none(reader)? },
        12 => {
            let count = reader.uint()?;
            if count > 256 {
                return Err(Malformed::Limit("elements in the top layer"));
            }
            let mut entries = Vec::with_capacity(count as usize);
            for _ in 0..count {
                let id = node(reader)?;
                let kind = match reader.byte()? {
                    0 => TopLayer::Modal,
                    1 => TopLayer::Popover,
                    _ => TopLayer::Fullscreen,
                };
                entries.push((id, kind));
            }
            PageOp::TopLayer { entries }
        }
        13 => PageOp::Box { id: node(reader)?, width: reader.uint()?, height: reader.uint()? },
        14 => PageOp::Source { id: node(reader)?, url: string(reader)? },
        15 => PageOp::Begin { quirks: quirks(reader)? },
        32 => PageOp::Address { id: node(reader)?, url: string(reader)? },
        64 => {
            let (id, number) = (node(reader)?, reader.uint()?);
            PageOp::Picture { id, number: (number > 0).then_some(number) }
        }
        30 => {
            let (from, count, digest) = (node(reader)?, reader.uint()?, reader.uint()?);
            if count > limits.check {
                return Err(Malformed::Limit("nodes in a check"));
            }
            PageOp::Check { from, count, digest }
        }
        65 => PageOp::Sheet { id: node(reader)?, media: text_or_none(reader)?, css: text_or_none(reader)? },
        66 => PageOp::States { states: States::read(reader)? },
        67 => PageOp::Selection { selection: Selection::read(reader)? },
        68 => PageOp::Notice { notice: Notice::read(reader)? },
        69 => PageOp::Media { features: reader.uint()? },
        70 => PageOp::Zoom { zoomed: Zoomed::read(reader)? },
        _ => return Err(Malformed::Kind),
    })
}

/// Reads one node with everything in it.
fn subtree(reader: &mut Reader<'_>, limits: &Limits, nodes: &mut usize) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    loop {
        let kind = reader.byte()?;
        if kind == 0 {
            depth = depth.checked_sub(1).ok_or(Malformed::Nesting)?;
            parts.push(Part::End);
        } else {
            *nodes = nodes.checked_sub(1).ok_or(Malformed::Limit("nodes in a frame"))?;
            parts.push(match kind {
                1 => element(reader, Namespace::Html, limits)?,
                17 => element(reader, Namespace::Svg, limits)?,
                33 => element(reader, Namespace::MathMl, limits)?,
                2 => Part::Text { data: reader.text()?.into() },
                3 => Part::Comment { data: string(reader)? },
                4 => {
                    Part::Doctype { name: string(reader)?, public: string(reader)?, system: string(reader)? }
                }
                5 if depth > 0 => Part::ShadowRoot,
                6 => Part::Known { id: node(reader)? },
                7 => Part::Document { quirks: quirks(reader)?, url: string(reader)? },
                9 => Part::Held { index: reader.uint()? },
                _ => return Err(Malformed::Kind),
            });
            if matches!(parts.last(), Some(Part::Element { .. } | Part::ShadowRoot | Part::Document { .. })) {
                depth += 1;
                if depth > limits.depth {
                    return Err(Malformed::Limit("depth of the page"));
                }
            }
        }
        if depth == 0 {
            return Ok(parts);
        }
    }
}

fn element(reader: &mut Reader<'_>, namespace: Namespace, limits: &Limits) -> Result<Part, Malformed> {
    let name = string(reader)?;
    let count = reader.uint()? as usize;
    if count > limits.attributes {
        return Err(Malformed::Limit("attributes of an element"));
    }
    let mut attributes = Vec::with_capacity(count);
    for _ in 0..count {
        attributes.push((string(reader)?, string(reader)?));
    }
    Ok(Part::Element { namespace, name, attributes })
}

/// Flags: 1 value, 2 value withheld, 4 checkedness, 8 checked, 16 indeterminate, 32 selected options, 64 validity.
fn control(reader: &mut Reader<'_>) -> Result<Control, Malformed> {
    let flags = reader.byte()?;
    if flags & 0x80 != 0 {
        return Err(Malformed::Kind);
    }
    let value = match flags & 3 {
        0 => None,
        1 => Some(Value::Told(string(reader)?)),
        2 => Some(Value::Withheld { length: reader.uint()? }),
        _ => return Err(Malformed::Kind),
    };
    let checked = (flags & 4 != 0).then_some(Checked { on: flags & 8 != 0, indeterminate: flags & 16 != 0 });
    let selected = if flags & 32 == 0 {
        None
    } else {
        let count = reader.uint()?;
        if count > 10_000 {
            return Err(Malformed::Limit("selected options"));
        }
        let mut indexes = Vec::with_capacity(count as usize);
        for _ in 0..count {
            indexes.push(reader.uint()?);
        }
        Some(indexes)
    };
    let validity = if flags & 64 == 0 { None } else { Some(Validity(reader.byte()?)) };
    Ok(Control { value, checked, selected, validity })
}

fn quirks(reader: &mut Reader<'_>) -> Result<Quirks, Malformed> {
    Ok(if reader.byte()? == 0 { Quirks::No } else { Quirks::Yes })
}

fn node(reader: &mut Reader<'_>) -> Result<NodeId, Malformed> {
    match reader.uint()? {
        0 => Err(Malformed::Kind),
        id => Ok(NodeId(id)),
    }
}

fn node_or_none(reader: &mut Reader<'_>) -> Result<Option<NodeId>, Malformed> {
    Ok(match reader.uint()? {
        0 => None,
        id => Some(NodeId(id)),
    })
}

/// A byte, and where it is not 0 a string.
fn text_or_none(reader: &mut Reader<'_>) -> Result<Option<Box<str>>, Malformed> {
    Ok(if reader.byte()? == 0 { None } else { Some(string(reader)?) })
}

fn string(reader: &mut Reader<'_>) -> Result<Box<str>, Malformed> {
    reader.string().map(Into::into)
}
