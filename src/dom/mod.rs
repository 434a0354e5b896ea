//! The server's copy of a customer's page: a bounded tree built from what the customer's browser reports,
//! and CSS selectors over it.
//!
//! Nothing here decides what anybody may see. A [`Tree`] takes only operations that fit it: whatever a
//! browser sends, it neither panics, nor recurses, nor grows beyond its [`Limits`].

mod changes;
mod digest;
mod effort;
mod fingerprint;
pub mod forms;
mod html;
mod index;
mod matching;
mod names;
mod node;
mod selector;
mod shape;
mod table;
mod tree;

pub use changes::Changes;
pub use digest::Digest;
pub use fingerprint::Held;
pub use index::SelectorIndex;
pub use matching::Matcher;
pub use names::{IdMap, IdSet, Name};
pub use node::{Ancestors, Children, Descendants, Doctype, Document, Element, Kind, NodeRef};
pub use selector::{BadSelector, Needs, Selector};
pub use shape::Shape;
pub use table::IdTable;
pub use tree::{Limits, Misfit, Tree};

#[cfg(test)]
mod tests;
