//! The integration tests: real sockets on the loopback, one binary.
#![allow(missing_docs, clippy::unwrap_used)]

mod proxy;
