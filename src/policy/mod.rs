//! What an agent may see and do: policy files, the masker that makes views, the guard that checks actions.
//!
//! Fails closed, and by type: a [`ViewPatch`] comes only from a [`Masker`], an [`EncodedView`] only from a
//! `ViewPatch`, a [`Permit`] only from [`Masker::permit`]. Nothing outside this module can make one.
//!
//! Precedence, from the strongest: the ground that no file changes (passwords, hidden inputs, the site's own
//! `data-tandem`), then `hide`, then `mask`, then `show`; what holds for an element holds for everything in it.

mod content;
mod diagnostic;
mod echo;
mod folder;
mod guard;
mod listing;
mod masker;
mod metrics;
mod pattern;
mod preview;
mod reader;
mod resource;
mod rules;
mod schema;
mod sense;
mod tally;
mod travel;
mod verdict;
mod view;

pub use diagnostic::{Diagnostic, nearest};
pub use folder::Stamp;
pub use guard::{Neighbours, Permit};
pub use masker::{Masked, Masker};
pub use metrics::Metrics;
pub use preview::{Matched, Preview};
pub use resource::{PICTURE, Resource, ResourceNames, picture};
pub use rules::Policies;
pub use schema::schema;
pub use view::{EncodedView, ViewPatch};

#[cfg(test)]
mod tests;
