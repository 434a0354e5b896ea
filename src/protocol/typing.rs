//! How text is changed by an agent, while the customer may be changing the same one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::NodeId;

/// A piece of a change of a text, in UTF-16 units: a positive number keeps so many, a negative one takes them away, a
/// string comes in. What is behind the last piece stays. `injector/src/text/change.ts` says what changes do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum Piece {
    /// Units that stay, or go.
    Count(i32),
    /// What comes in.
    Insert(String),
}

/// A place in an editable element, as the agent had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// A text, or an element.
    pub node: NodeId,
    /// UTF-16 units in a text, shared nodes in an element.
    pub offset: u32,
    /// Names the text that the offset is reckoned in; 0 in an element.
    pub base: u32,
}

/// A place on the page as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A text, an element, or a field.
    pub node: NodeId,
    /// UTF-16 units in a text or in the value of a field, shared nodes in an element.
    pub offset: u32,
}

/// What was done to a text: as `InputEvent.inputType` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum Typed {
    InsertText,
    InsertParagraph,
    InsertLineBreak,
    InsertFromPaste,
    InsertFromDrop,
    DeleteContentBackward,
    DeleteContentForward,
    DeleteWordBackward,
    DeleteWordForward,
    DeleteSoftLineBackward,
    DeleteSoftLineForward,
    DeleteByCut,
    FormatBold,
    FormatItalic,
    FormatUnderline,
    HistoryUndo,
    HistoryRedo,
}
