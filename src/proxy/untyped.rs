//! Answers that do not say what they are: a browser looks at their first bytes, and so must who asks whether they
//! are pages.
//!
//! Only for a navigation, and only then, the head waits for the first bytes of the body.

use std::future::poll_fn;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http::{HeaderMap, HeaderValue, Response};

use super::error::Failure;
use super::pool::Arriving;
use crate::rewrite::sniff;

/// Types that say nothing (MIME Sniffing, section 7).
const NOTHING: [&[u8]; 3] = [b"unknown/unknown", b"application/unknown", b"*/*"];

/// What came of a body before its head went out.
#[derive(Debug, Default)]
pub(super) struct Start {
    pub(super) bytes: Bytes,
    /// Whether it is the beginning of a page.
    pub(super) is_page: bool,
}

/// Whether browsers tell what a response is by its first bytes, and may take it for a page.
pub(super) fn is_untyped(headers: &HeaderMap) -> bool {
    let says_nothing = match headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) {
        None => true,
        Some(kind) => NOTHING.iter().any(|nothing| kind.trim_ascii().eq_ignore_ascii_case(nothing)),
    };
    says_nothing && !is_nosniff(headers)
}

fn is_nosniff(headers: &HeaderMap) -> bool {
    let first = super::headers::tokens(headers, &header::X_CONTENT_TYPE_OPTIONS).next();
    first.is_some_and(|word| word.eq_ignore_ascii_case("nosniff"))
}

/// Reads as much of an untyped body as is needed to tell, each piece within `silence`.
pub(super) async fn start(response: &mut Response<Arriving>, silence: Duration) -> Result<Start, Failure> {
    let mut start = BytesMut::new();
    loop {
        let body = response.body_mut();
        let over = body.is_over();
        if let Some(is_page) = sniff::is_page(&start, over) {
            return Ok(Start { bytes: start.freeze(), is_page });
        }
        let frame = tokio::time::timeout(silence, poll_fn(|cx| body.poll_frame(cx)));
        match frame.await.map_err(|_| Failure::Silent)? {
            None => {
                return Ok(Start {
                    is_page: sniff::is_page(&start, true) == Some(true),
                    bytes: start.freeze(),
                });
            }
            Some(Err(_)) => return Err(Failure::BadResponse("broke off")),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    start.extend_from_slice(&data);
                }
            }
        }
    }
}
