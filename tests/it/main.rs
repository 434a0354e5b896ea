//! The integration tests: real loopback sockets, port 0, deadlines on what is observed.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod access;
mod admin;
mod api;
mod bodies;
mod chaos;
mod cli;
mod coding;
mod corpus;
mod floors;
mod frames;
mod harness;
mod hints;
mod http2;
mod in_step;
mod insets;
mod limits;
mod mapped;
mod monitoring;
mod pages;
mod policies;
mod privacy;
mod process;
mod proxy;
mod raw;
mod requests;
mod restarts;
mod resting;
mod robust;
mod sessions;
mod site;
mod smuggling;
mod streams;
mod tabs;
mod timeouts;
mod tls;
mod tokens;
mod watching;
mod writing;
