//! What of a page is in no node: where the customer's pointer and caret are, and what the browser itself
//! shows over the page.
//!
//! All of it is small, replaced as a whole, and belongs to one moment: a late joiner gets only the newest.

use super::NodeId;
use super::wire::{Malformed, Reader, Writer};

/// Which elements are in states that CSS can ask for and no attribute tells: always the innermost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct States {
    /// The customer's pointer is over it.
    pub hover: Option<NodeId>,
    /// The agent's pointer is over it, in Write mode.
    pub pointed: Option<NodeId>,
    /// It is being pressed.
    pub active: Option<NodeId>,
    /// The fragment of the address names it.
    pub target: Option<NodeId>,
    /// The window has the focus too (`:focus`): else another one has, or a dialog of the browser.
    pub focused: bool,
    /// The focus is to be seen (`:focus-visible`).
    pub focus_visible: bool,
    /// What is around an element of the top layer is not in the states of what is in it: some browsers hold it so.
    pub bounded: bool,
}

/// Selected text, or the caret where both ends are the same. Offsets count UTF-16 units in a text, nodes in an
/// element, and UTF-16 units of the value in a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: (NodeId, u32),
    /// Where it ends: the caret.
    pub focus: (NodeId, u32),
}

/// What a browser shows that is no part of the page. The number is the tag on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NoticeKind {
    /// `alert`.
    Alert = 1,
    /// `confirm`.
    Confirm = 2,
    /// `prompt`.
    Prompt = 3,
    /// The print dialog.
    Print = 4,
    /// Whether to leave a page that is not saved.
    Leave = 5,
    /// The bubble that says what is wrong with a control.
    Invalid = 6,
    /// The list, calendar or palette of a control, which is open.
    Choosing = 7,
}

/// See [`NoticeKind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// The control that it belongs to.
    pub at: Option<NodeId>,
    /// What it says.
    pub text: Box<str>,
}

/// The part of the viewport that is on the customer's screen, in CSS pixels: they have zoomed in with two fingers, or a keyboard
/// lies over the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Zoomed {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Attention {
    pub states: States,
    pub selection: Option<Selection>,
    pub notice: Option<Notice>,
    pub media: Option<u32>,
    pub zoomed: Option<Zoomed>,
}

impl Attention {
    /// A node is gone.
    pub fn forget(&mut self, gone: NodeId) {
        self.states = self.states.map(|id| (id != gone).then_some(id));
        self.selection = self.selection.filter(|it| it.anchor.0 != gone && it.focus.0 != gone);
        if self.notice.as_ref().is_some_and(|notice| notice.at == Some(gone)) {
            self.notice = None;
        }
    }
}

impl States {
    /// The same, with each element replaced, or left out.
    pub fn map(self, each: impl Fn(NodeId) -> Option<NodeId>) -> States {
        let each = |id: Option<NodeId>| id.and_then(&each);
        States {
            hover: each(self.hover),
            pointed: each(self.pointed),
            active: each(self.active),
            target: each(self.target),
            ..self
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<States, Malformed> {
        let [hover, pointed] = [some_node(reader)?, some_node(reader)?];
        let [active, target] = [some_node(reader)?, some_node(reader)?];
        let bits = reader.byte()?;
        let [focus_visible, bounded, focused] = [1, 2, 4].map(|bit| bits & bit != 0);
        Ok(States { hover, pointed, active, target, focused, focus_visible, bounded })
    }

    pub(super) fn write(&self, out: &mut Writer) {
        for id in [self.hover, self.pointed, self.active, self.target] {
            out.uint(id.map_or(0, |id| id.0));
        }
        let bits = [self.focus_visible, self.bounded, self.focused];
        out.byte(bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
    }
}

impl Selection {
    /// Anchor and its offset, focus and its offset; an anchor of 0 and nothing else where nothing is selected.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Selection>, Malformed> {
        let Some(anchor) = some_node(reader)? else { return Ok(None) };
        let anchor = (anchor, reader.uint()?);
        let focus = (some_node(reader)?.ok_or(Malformed::Kind)?, reader.uint()?);
        Ok(Some(Selection { anchor, focus }))
    }

    pub(super) fn write(selection: Option<&Selection>, out: &mut Writer) {
        let Some(Selection { anchor, focus }) = selection else { return out.uint(0) };
        for (node, offset) in [anchor, focus] {
            out.uint(node.0);
            out.uint(*offset);
        }
    }
}

impl Notice {
    /// Kind (0: there is none, and nothing follows), control, text.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Notice>, Malformed> {
        use NoticeKind::*;
        let kind = match reader.byte()? {
            0 => return Ok(None),
            1 => Alert,
            2 => Confirm,
            3 => Prompt,
            4 => Print,
            5 => Leave,
            6 => Invalid,
            7 => Choosing,
            _ => return Err(Malformed::Kind),
        };
        Ok(Some(Notice { kind, at: some_node(reader)?, text: reader.string()?.into() }))
    }

    pub(super) fn write(notice: Option<&Notice>, out: &mut Writer) {
        let Some(notice) = notice else { return out.byte(0) };
        out.byte(notice.kind as u8);
        out.uint(notice.at.map_or(0, |id| id.0));
        out.string(&notice.text);
    }
}

impl Zoomed {
    /// Width (0: all of it is on the screen, and nothing follows), height, x, y.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Zoomed>, Malformed> {
        let width = reader.uint()?;
        if width == 0 {
            return Ok(None);
        }
        let (height, x, y) = (reader.uint()?, reader.uint()?, reader.uint()?);
        Ok(Some(Zoomed { x, y, width, height }))
    }

    pub(super) fn write(zoomed: Option<Zoomed>, out: &mut Writer) {
        let Some(Zoomed { x, y, width, height }) = zoomed else { return out.uint(0) };
        [width, height, x, y].into_iter().for_each(|length| out.uint(length));
    }
}

fn some_node(reader: &mut Reader<'_>) -> Result<Option<NodeId>, Malformed> {
    Ok(match reader.uint()? {
        0 => None,
        id => Some(NodeId(id)),
    })
}
