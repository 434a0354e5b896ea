//! The words that browsers and server say to each other, and nothing else: plain values, no behaviour.
//!
//! Two kinds of message travel on a WebSocket. Binary frames carry pages: [`page`] is what a customer's
//! browser claims, [`view`] is what an agent may see after masking; [`wire`] is their common alphabet.
//! Text frames carry JSON: [`customer`] and [`agent`] have one enum for each direction. Rust is the
//! source; the TypeScript types are rendered from here and a test fails when they are stale.

pub mod action;
pub mod admin;
pub mod agent;
pub mod attention;
pub mod customer;
pub mod page;
pub mod session;
pub mod typing;
pub mod view;
pub mod wire;
mod words;

pub use action::{Action, Key, KeyCode, Modifiers, Refusal};
pub use session::{EndReason, Mode, Phase, SessionId, Status};
pub use words::WORDS;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A node of the customer's page. Numbered by the customer's browser in the order in which nodes are
/// first reported, and never used again within an epoch; 1 is the document itself. Nodes of an [`Inset`] are numbered by
/// themselves, in a range of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The document, the root of every page; it exists before the first operation.
    pub const DOCUMENT: NodeId = NodeId(1);

    /// Whose node it is.
    pub fn inset(self) -> Inset {
        match self.0.checked_sub(INSETS) {
            Some(beyond) => Inset(1 + beyond / PER_INSET),
            None => Inset::PAGE,
        }
    }
}

/// The first number that no node of the page itself has, and how many each inset may use up.
const INSETS: u32 = 1 << 31;
const PER_INSET: u32 = 1 << 22;

/// A document of another host of the site, in a frame of the page: its browser tells it by itself. Insets are counted from 1
/// on within an epoch; 0 stands for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inset(pub u32);

impl Inset {
    /// No inset: the page itself, with all documents that its own script can reach.
    pub const PAGE: Inset = Inset(0);
    /// So many there may be in an epoch, one after the other.
    pub const MOST: u32 = INSETS / PER_INSET;

    /// The number of its document.
    pub fn document(self) -> NodeId {
        match self.0 {
            0 => NodeId::DOCUMENT,
            number => NodeId(INSETS + (number - 1).min(Inset::MOST - 1) * PER_INSET),
        }
    }
}

/// A position in a viewport, in CSS pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Point {
    /// Pixels to the right.
    pub x: f32,
    /// Pixels down.
    pub y: f32,
}

/// Where somebody points: in the viewport of a document whose script tells of itself, since nobody else may know where in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// The document of the page, or of an inset.
    pub within: NodeId,
    /// In its viewport.
    pub at: Point,
}

#[cfg(test)]
mod tests;
