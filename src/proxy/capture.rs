//! Copies of what the customer's own requests fetched, for the session to serve to the agent.
//!
//! The customer's response never waits for, and never fails because of, a copy.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use url::Url;

use super::membership::Member;

/// What the session layer has to do with the site's traffic.
pub trait Sharing: Send + Sync + 'static {
    /// Whether a request belongs to a session, by the customer's headers.
    fn member(&self, request: &HeaderMap) -> Option<Member>;

    /// Whether what a navigation brings may be saved as a file. Called with the customer's headers and the absolute
    /// public URL, for requests with a cookie of ours; waited for only when the answer is a file. None: it may.
    fn saving(&self, request: &HeaderMap, url: &Url) -> Option<BoxFuture<'static, bool>> {
        let _ = (request, url);
        None
    }

    /// The sink for this request's response, if the request belongs to a session and the session wants it.
    /// Called when the request arrives, with the customer's headers and the absolute public URL; only for
    /// requests with a cookie of ours that fetch an image, style, font or media file.
    fn open(&self, request: &HeaderMap, url: &Url) -> Option<Box<dyn Sink>>;
}

/// Takes one response's body while it streams to the customer. Dropped without [`Sink::end`], it is incomplete.
pub trait Sink: Send {
    /// The response is a plain 200 with this content type (empty if it has none) and length, if known.
    /// `false` refuses the copy.
    fn begin(&mut self, content_type: &str, length: Option<u64>) -> bool;
    /// The next piece. It must not block: it runs while the customer waits.
    fn data(&mut self, chunk: &Bytes);
    /// The body is complete.
    fn end(self: Box<Self>);
}

/// What a page's subresource request is for: the only ones that are copied.
const KINDS: [&str; 6] = ["image", "style", "font", "audio", "video", "track"];

/// The sink for a request, if there is to be one.
pub(super) fn open<B>(
    sharing: &dyn Sharing,
    request: &Request<B>,
    url: impl FnOnce() -> Url,
) -> Option<Box<dyn Sink>> {
    if request.method() != Method::GET || !is_subresource(request.headers()) {
        return None;
    }
    sharing.open(request.headers(), &url())
}

pub(super) fn is_subresource(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-dest") {
        Some(kind) => KINDS.contains(&kind),
        // Browsers send no `Sec-Fetch-*` to plain http hosts and old ones never do; `Accept` tells then.
        None => text("accept").is_some_and(|accept| {
            let first = accept.trim_start();
            ["image/", "text/css", "font/", "audio/", "video/"].iter().any(|kind| first.starts_with(kind))
        }),
    }
}

/// Of subresources, style sheets.
pub(super) fn is_style(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-dest") {
        Some(kind) => kind == "style",
        None => text("accept").is_some_and(|accept| accept.trim_start().starts_with("text/css")),
    }
}

/// Starts the copy, if the response can be copied: complete and not coded.
pub(super) fn begin<B>(mut sink: Box<dyn Sink>, response: &Response<B>) -> Option<Box<dyn Sink>> {
    let headers = response.headers();
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if response.status() != StatusCode::OK || !plain {
        return None;
    }
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    sink.begin(text(header::CONTENT_TYPE).unwrap_or_default(), length).then_some(sink)
}
