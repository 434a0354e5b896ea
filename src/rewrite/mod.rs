//! Pure rewriting engines: what the proxy changes in the bytes that pass through it.
//!
//! Nothing here knows sockets, HTTP messages or time: bytes (or header values) in, bytes out, so that each
//! engine can be tested, fuzzed and measured alone. None of them panics on any input, and all of them hold a
//! bounded amount of it.

pub mod charset;
pub mod coding;
pub mod cookie;
pub mod csp;
pub mod css;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod html;
pub mod links;
pub mod prologue;
pub mod sniff;
pub mod url;
