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
/// first reported, and never used again within an epoch; 1 is the document itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The document, the root of every page; it exists before the first operation.
    pub const DOCUMENT: NodeId = NodeId(1);
}

/// A position in the customer's viewport, in CSS pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Point {
    /// Pixels to the right.
    pub x: f32,
    /// Pixels down.
    pub y: f32,
}

#[cfg(test)]
mod tests;
