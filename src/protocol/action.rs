//! What an agent can ask to do in the customer's page, and why it is refused.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::NodeId;
use super::typing::{Piece, Spot, Typed};

/// Something an agent asks to do in Write mode. Aimed at nodes, never at coordinates alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Press on an element, at a place given as a fraction (0 to 1) of its border box.
    Click {
        /// The innermost element under the pointer.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
    },
    /// Change the text of a text field (`input`, `textarea`).
    Input {
        /// The field.
        node: NodeId,
        /// Names the text that was changed.
        base: u32,
        /// What became of it.
        change: Vec<Piece>,
        /// How.
        input: Typed,
    },
    /// Type in an editable element, where this is selected.
    Edit {
        /// Where the selection began.
        anchor: Spot,
        /// Where it ends: the caret.
        focus: Spot,
        /// What is done.
        input: Typed,
        /// What comes in.
        text: String,
    },
    /// Put the agent's caret here, or select from here to there, in a field or an editable element.
    Caret {
        /// Where the selection begins.
        anchor: Spot,
        /// Where it ends: the caret.
        focus: Spot,
    },
    /// Choose options of a `select`.
    Select {
        /// The `select`.
        node: NodeId,
        /// Indexes of the chosen options.
        indexes: Vec<u32>,
    },
    /// Press a key that types nothing.
    Key {
        /// The focused element.
        node: NodeId,
        /// Which.
        key: Key,
        /// With the shift key.
        shift: bool,
    },
    /// Scroll an element or the document to here, in CSS pixels.
    Scroll {
        /// The scroller.
        node: NodeId,
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
    },
    /// Go to a URL of the site.
    Navigate {
        /// Absolute, or relative to the page.
        url: String,
    },
    /// Back in the customer's history.
    Back,
    /// Forward in it.
    Forward,
    /// Load the page again.
    Refresh,
}

/// Keys that do something without typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[allow(missing_docs)]
pub enum Key {
    Enter,
    Escape,
    Tab,
    ArrowUp,
    ArrowDown,
    ArrowLeft,
    ArrowRight,
    Home,
    End,
    PageUp,
    PageDown,
}

/// Why an action was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Who watches does nothing.
    Watching,
    /// The session is in Pointer mode.
    PointerMode,
    /// The session is over, or has not begun.
    NotActive,
    /// The customer's browser is not connected.
    CustomerAway,
    /// The element is not on the page (any more).
    Gone,
    /// The element is masked or hidden: only the customer can use it.
    Private,
    /// The policy, or the page itself, does not let the agent use this element.
    Disabled,
    /// The address is not one of the site.
    OutsideSite,
    /// The element can not do that (text into a picture, say).
    NotPossible,
    /// Something else lies over the element.
    Covered,
    /// Only a real gesture of the customer may do that.
    NeedsCustomer,
    /// It would take the keyboard away from the customer, who is typing.
    CustomerTyping,
    /// The text has changed in a way that can not be followed: what was typed is to be made of the new one.
    Stale,
    /// More text than is taken at once.
    TooLong,
    /// Too many at once.
    TooMany,
}
