//! Tandem: a reverse proxy that lets a customer and a support agent share one web page.
//!
//! The floors, top to bottom. A module uses only floors below its own; siblings on one floor do
//! not know each other (`tests/it/floors.rs` keeps it):
//!
//! ```text
//! 5  cli · server · config · demo     settings, start, stop, and the demo shop
//! 4  proxy · sync · console · api     the edges: site HTTP, WebSockets, agents' HTTP, other systems
//! 3  session                          one task per session; no sockets, no HTTP
//! 2  policy · fetch                   pure: what may be seen and done; one document by HTTP
//! 1  dom · rewrite · store · tls      pure engines; store = ids and bytes only; tls = certificates;
//!    · wording                        wording = what people read, in their language
//! 0  protocol                         plain words both sides speak
//! ```

pub mod api;
pub mod cli;
pub mod config;
pub mod console;
pub mod demo;
pub mod dom;
pub mod fetch;
pub mod policy;
pub mod protocol;
pub mod proxy;
pub mod rewrite;
pub mod server;
pub mod session;
pub mod store;
pub mod sync;
pub mod tls;
pub mod wording;
