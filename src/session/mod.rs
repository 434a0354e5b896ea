//! Sessions: each is one task that owns its page, its mode and its end. No sockets, no HTTP here.
//!
//! [`Sessions`] is the door: it starts sessions, and finds them by the ID that is read aloud or by the key
//! that only the customer's browser holds. What the edges get is a [`Handle`]: it turns calls into messages
//! to the session's task, so that every change of a session has one place and one order.

mod actor;
mod audience;
mod clock;
mod diary;
mod doing;
mod handle;
pub mod history;
mod insets;
mod key;
pub mod lifecycle;
pub mod link;
mod links;
mod metrics;
mod page;
mod record;
mod registry;
mod repairs;
pub mod resources;
mod ring;
mod scribe;
mod seats;
mod tabs;

pub use handle::Handle;
pub use key::CustomerKey;
pub use link::{AgentLink, Closed, CustomerLink, FeedItem, Fresh, Hello, JoinError, Outgoing, TOO_LARGE};
pub use links::Links;
pub use metrics::Metrics;
pub use record::{About, TooMuch};
pub use registry::{Lookup, Past, Sessions, Settings, StartError};
pub use seats::Seat;
