//! What an agent can ask to do in the customer's page, and why it is refused.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::typing::{Piece, Spot, Typed};
use super::{NodeId, Point};

/// Something an agent asks to do in Write mode. Aimed at nodes, never at coordinates alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Press and let go on an element, at a place given as a fraction (0 to 1) of its border box.
    Click {
        /// The innermost element under the pointer.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
        /// Which one it is of clicks in quick succession: with the second, a double click is told too.
        #[serde(default = "once")]
        count: u8,
        /// Keys that are held.
        #[serde(default)]
        modifiers: Modifiers,
    },
    /// Ask the page for its menu: a press of the second button.
    Menu {
        /// As for a click.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
    },
    /// Point at an element.
    Hover {
        /// As for a click.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
    },
    /// Point at nothing any more.
    Leave,
    /// Press on an element and hold: what follows is a drag.
    Press {
        /// As for a click.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
        /// Keys that are held.
        #[serde(default)]
        modifiers: Modifiers,
    },
    /// Move what is held.
    Drag {
        /// The innermost element under the pointer.
        node: NodeId,
        /// Where: what is dragged lies under the pointer and moves with it, so that a place in it would be none.
        at: Point,
        /// Keys that are held.
        #[serde(default)]
        modifiers: Modifiers,
    },
    /// Let go of what is held.
    Drop {
        /// As for a drag.
        node: NodeId,
        /// Where.
        at: Point,
        /// Keys that are held.
        #[serde(default)]
        modifiers: Modifiers,
    },
    /// Let go of what is held, nowhere.
    LetGo,
    /// Turn the wheel over an element. Scrolling is an action of its own.
    Wheel {
        /// As for a click.
        node: NodeId,
        /// Fraction of the width.
        x: f32,
        /// Fraction of the height.
        y: f32,
        /// To the right, in CSS pixels.
        dx: f32,
        /// Down.
        dy: f32,
        /// Keys that are held.
        #[serde(default)]
        modifiers: Modifiers,
    },
    /// Show the customer that they are to press this themselves.
    Ask {
        /// What.
        node: NodeId,
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
        /// Where it is on the keyboard, as `KeyboardEvent.code` has it.
        #[serde(default)]
        code: KeyCode,
        /// Keys that are held with it.
        #[serde(default)]
        modifiers: Modifiers,
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

impl Action {
    /// Whether it is aimed at something of the page.
    pub fn is_aimed(&self) -> bool {
        use Action::{Back, Forward, Leave, LetGo, Navigate, Refresh};
        !matches!(self, Back | Forward | Leave | LetGo | Navigate { .. } | Refresh)
    }
}

/// A click that does not say so is the first.
fn once() -> u8 {
    1
}

/// Keys that are held while something else is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct Modifiers {
    pub alt: bool,
    pub ctrl: bool,
    pub meta: bool,
    pub shift: bool,
}

/// A key, as `KeyboardEvent.key` has it: one character, or one of [`KEYS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Key(String);

/// Keys that have a name. What a browser or a system keeps for itself is not among them.
pub const KEYS: [&str; 26] = [
    "Enter",
    "Escape",
    "Tab",
    "ArrowUp",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "Delete",
    "Backspace",
    "Insert",
    "F1",
    "F2",
    "F3",
    "F4",
    "F5",
    "F6",
    "F7",
    "F8",
    "F9",
    "F10",
    "F11",
    "F12",
];

impl Key {
    /// Its name, or its character.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Key, &'static str> {
        let mut characters = name.chars();
        let one = characters.next().filter(|_| characters.next().is_none());
        match one.is_some_and(|character| !character.is_control()) || KEYS.contains(&name.as_str()) {
            true => Ok(Key(name)),
            false => Err("an unknown key"),
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0
    }
}

/// The place of a key on the keyboard: some ASCII letters and digits, or nothing where it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct KeyCode(String);

impl TryFrom<String> for KeyCode {
    type Error = &'static str;

    fn try_from(code: String) -> Result<KeyCode, &'static str> {
        let known = code.len() <= 20 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if known { Ok(KeyCode(code)) } else { Err("an unknown place of a key") }
    }
}

impl From<KeyCode> for String {
    fn from(code: KeyCode) -> String {
        code.0
    }
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
    /// Back or Forward leads off the site, or to where nobody knows.
    Nowhere,
    /// The element can not do that (text into a picture, say).
    NotPossible,
    /// Something else lies over the element.
    Covered,
    /// Only a real gesture of the customer may do that; they are shown where.
    NeedsCustomer,
    /// It would take the keyboard away from the customer, who is typing.
    CustomerTyping,
    /// The text has changed in a way that can not be followed: what was typed is to be made of the new one.
    Stale,
    /// More text than is taken at once.
    TooLong,
    /// The page has no menu of its own there.
    NoMenu,
    /// The page made something of its own of it.
    Prevented,
    /// Too many at once.
    TooMany,
}
