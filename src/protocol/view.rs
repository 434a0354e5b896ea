//! What an agent may see of a page: the operations that the masker writes and the agent's mirror reads.
//!
//! The tags are those of [`super::page`]. Nodes carry their ids, because an agent is not told of every
//! node. A frame is `epoch, seq, operation…`, after the text of its strings; the first frame of an epoch starts with
//! [`ViewOp::Begin`] and builds the whole view, so that nothing before it is needed.

use super::NodeId;
use super::attention::{Notice, Selection, States, Zoomed};
use super::page::{Checked, Namespace, Quirks, TopLayer, Validity};
use super::wire::Writer;

/// One change of a view.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ViewOp {
    /// 1: new nodes, before `next` (or last) in `parent`. An id that the mirror has already is replaced.
    Insert { parent: NodeId, next: Option<NodeId>, parts: Vec<ViewPart> },
    /// 2
    Move { id: NodeId, parent: NodeId, next: Option<NodeId> },
    /// 3
    Remove { id: NodeId },
    /// 4
    SetAttribute { id: NodeId, name: Box<str>, value: Box<str> },
    /// 5
    RemoveAttribute { id: NodeId, name: Box<str> },
    /// 6
    Text { id: NodeId, data: Box<str> },
    /// 7
    Control { id: NodeId, state: ViewControl },
    /// 8
    Scroll { id: NodeId, x: i32, y: i32 },
    /// 9
    Viewport { width: u32, height: u32, ratio: u32 },
    /// 10
    Location { url: Box<str> },
    /// 11
    Focus { id: Option<NodeId> },
    /// 12
    TopLayer { entries: Vec<(NodeId, TopLayer)> },
    /// 13
    Box { id: NodeId, width: u32, height: u32 },
    /// 15
    Begin { quirks: Quirks },
    /// 64: where the picture of a `canvas` or `video` is to be had; none: it can not be read, or not yet.
    Picture { id: NodeId, url: Option<Box<str>> },
    /// 30: the digest of the whole view as it is now; changes nothing.
    Check { digest: u32 },
    /// 65: the rules that a `link` has in place of those behind its address.
    Sheet { id: NodeId, css: Option<Box<str>> },
    /// 66
    States { states: States },
    /// 67
    Selection { selection: Option<Selection> },
    /// 68
    Notice { notice: Option<Notice> },
    /// 69
    Media { features: u32 },
    /// 70
    Zoom { zoomed: Option<Zoomed> },
}

/// A piece of a subtree in document order; kinds as in [`super::page::Part`], each followed by its id.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ViewPart {
    /// Kind, id, marks, local name, attributes, children up to `End`.
    Element {
        id: NodeId,
        marks: Marks,
        namespace: Namespace,
        name: Box<str>,
        attributes: Vec<(Box<str>, Box<str>)>,
    },
    Text {
        id: NodeId,
        data: Box<str>,
    },
    Comment {
        id: NodeId,
    },
    Doctype {
        id: NodeId,
        name: Box<str>,
        public: Box<str>,
        system: Box<str>,
    },
    ShadowRoot {
        id: NodeId,
    },
    /// Of a frame. Its URL is not the mirror's business.
    Document {
        id: NodeId,
        quirks: Quirks,
    },
    End,
}

/// What the agent's mirror must say about an element. A byte on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// 1: its content is masked.
    pub masked: bool,
    /// 2: it is a grey box.
    pub hidden: bool,
    /// 4: an agent can not use it.
    pub disabled: bool,
    /// 8: what it shows can not be mirrored (a frame, a plug-in, a drawing): a box that says so.
    pub placeholder: bool,
}

/// The state of a form control as far as an agent may see it; a masked value arrives as bullets.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs)]
pub struct ViewControl {
    pub value: Option<Box<str>>,
    pub checked: Option<Checked>,
    pub selected: Option<Vec<u32>>,
    pub validity: Option<Validity>,
}

/// Writes a frame of `ops`. Only [`crate::policy`] can make the operations of a view and so its frames.
pub fn encode(epoch: u32, seq: u32, ops: &[ViewOp]) -> Vec<u8> {
    let mut out = Writer::new();
    out.uint(epoch);
    out.uint(seq);
    for op in ops {
        operation(&mut out, op);
    }
    out.finish()
}

fn operation(out: &mut Writer, op: &ViewOp) {
    match op {
        ViewOp::Insert { parent, next, parts } => {
            out.byte(1);
            node(out, Some(*parent));
            node(out, *next);
            parts.iter().for_each(|part| write_part(out, part));
        }
        ViewOp::Move { id, parent, next } => {
            out.byte(2);
            node(out, Some(*id));
            node(out, Some(*parent));
            node(out, *next);
        }
        ViewOp::Remove { id } => {
            out.byte(3);
            node(out, Some(*id));
        }
        ViewOp::SetAttribute { id, name, value } => {
            out.byte(4);
            node(out, Some(*id));
            out.string(name);
            out.string(value);
        }
        ViewOp::RemoveAttribute { id, name } => {
            out.byte(5);
            node(out, Some(*id));
            out.string(name);
        }
        ViewOp::Text { id, data } => {
            out.byte(6);
            node(out, Some(*id));
            out.string(data);
        }
        ViewOp::Control { id, state } => {
            out.byte(7);
            node(out, Some(*id));
            control(out, state);
        }
        ViewOp::Scroll { id, x, y } => {
            out.byte(8);
            node(out, Some(*id));
            out.int(*x);
            out.int(*y);
        }
        ViewOp::Viewport { width, height, ratio } => {
            out.byte(9);
            out.uint(*width);
            out.uint(*height);
            out.uint(*ratio);
        }
        ViewOp::Location { url } => {
            out.byte(10);
            out.string(url);
        }
        ViewOp::Focus { id } => {
            out.byte(11);
            node(out, *id);
        }
        ViewOp::TopLayer { entries } => {
            out.byte(12);
            out.uint(entries.len() as u32);
            for (id, kind) in entries {
                node(out, Some(*id));
                out.byte(match kind {
                    TopLayer::Modal => 0,
                    TopLayer::Popover => 1,
                    TopLayer::Fullscreen => 2,
                });
            }
        }
        ViewOp::Box { id, width, height } => {
            out.byte(13);
            node(out, Some(*id));
            out.uint(*width);
            out.uint(*height);
        }
        ViewOp::Begin { quirks } => {
            out.byte(15);
            out.byte(u8::from(*quirks == Quirks::Yes));
        }
        ViewOp::Picture { id, url } => {
            out.byte(64);
            node(out, Some(*id));
            out.string(url.as_deref().unwrap_or_default());
        }
        ViewOp::Check { digest } => {
            out.byte(30);
            out.uint(*digest);
        }
        ViewOp::Sheet { id, css } => {
            out.byte(65);
            node(out, Some(*id));
            out.byte(u8::from(css.is_some()));
            if let Some(css) = css {
                out.string(css);
            }
        }
        ViewOp::States { states } => {
            out.byte(66);
            states.write(out);
        }
        ViewOp::Selection { selection } => {
            out.byte(67);
            Selection::write(selection.as_ref(), out);
        }
        ViewOp::Notice { notice } => {
            out.byte(68);
            Notice::write(notice.as_ref(), out);
        }
        ViewOp::Media { features } => {
            out.byte(69);
            out.uint(*features);
        }
        ViewOp::Zoom { zoomed } => {
            out.byte(70);
            Zoomed::write(*zoomed, out);
        }
    }
}

fn write_part(out: &mut Writer, part: &ViewPart) {
    match part {
        ViewPart::Element { id, marks, namespace, name, attributes } => {
            out.byte(match namespace {
                Namespace::Html => 1,
                Namespace::Svg => 17,
                Namespace::MathMl => 33,
            });
            node(out, Some(*id));
            out.byte(
                u8::from(marks.masked)
                    | u8::from(marks.hidden) << 1
                    | u8::from(marks.disabled) << 2
                    | u8::from(marks.placeholder) << 3,
            );
            out.string(name);
            out.uint(attributes.len() as u32);
            for (name, value) in attributes {
                out.string(name);
                out.string(value);
            }
        }
        ViewPart::Text { id, data } => {
            out.byte(2);
            node(out, Some(*id));
            out.text(data);
        }
        ViewPart::Comment { id } => {
            out.byte(3);
            node(out, Some(*id));
        }
        ViewPart::Doctype { id, name, public, system } => {
            out.byte(4);
            node(out, Some(*id));
            out.string(name);
            out.string(public);
            out.string(system);
        }
        ViewPart::ShadowRoot { id } => {
            out.byte(5);
            node(out, Some(*id));
        }
        ViewPart::Document { id, quirks } => {
            out.byte(7);
            node(out, Some(*id));
            out.byte(u8::from(*quirks == Quirks::Yes));
        }
        ViewPart::End => out.byte(0),
    }
}

/// Flags as in [`super::page`]: 1 value, 4 checkedness, 8 checked, 16 indeterminate, 32 selected options, 64 validity.
fn control(out: &mut Writer, state: &ViewControl) {
    let mut flags = 0;
    if state.value.is_some() {
        flags |= 1;
    }
    if let Some(Checked { on, indeterminate }) = state.checked {
        flags |= 4 | u8::from(on) << 3 | u8::from(indeterminate) << 4;
    }
    if state.selected.is_some() {
        flags |= 32;
    }
    if state.validity.is_some() {
        flags |= 64;
    }
    out.byte(flags);
    if let Some(value) = &state.value {
        out.string(value);
    }
    if let Some(selected) = &state.selected {
        out.uint(selected.len() as u32);
        selected.iter().for_each(|index| out.uint(*index));
    }
    if let Some(Validity(bits)) = state.validity {
        out.byte(bits);
    }
}

fn node(out: &mut Writer, id: Option<NodeId>) {
    out.uint(id.map_or(0, |id| id.0));
}
