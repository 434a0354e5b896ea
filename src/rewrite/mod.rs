//! Pure rewriting engines: what the proxy changes in the bytes that pass through it.

pub mod css;
