//! HTML as the shop writes it: escaped text, and the headers that every answer carries.
//!
//! Whatever a customer typed goes through [`esc`] before it stands in a page, between tags or in a quoted
//! attribute; no page has an inline script or style, so the policy below allows none.

use std::fmt;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

/// Text that is safe between tags and inside quoted attributes.
pub(super) struct Escaped<'a>(&'a str);

/// Escapes `text` for HTML.
pub(super) fn esc(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// An HTML page. It may show what only this customer may see, so nobody keeps it without asking again.
pub(super) fn page(status: StatusCode, markup: String) -> Response {
    (status, [(CACHE_CONTROL, "private, no-cache")], Html(markup)).into_response()
}

/// `selected` for the option that is `chosen`, `checked` likewise.
pub(super) fn flag(name: &'static str, on: bool) -> &'static str {
    if on { name } else { "" }
}

/// Puts the shop's security headers on every answer.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

const POLICY: &str = "default-src 'self'; img-src 'self' data:; frame-src 'self' blob:; object-src 'none'; base-uri 'self'; \
                      form-action 'self'; frame-ancestors 'self'";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            esc(r#"<b id="x">'Tea' & é</b>"#).to_string(),
            "&lt;b id=&quot;x&quot;&gt;&#39;Tea&#39; &amp; é&lt;/b&gt;"
        );
    }

    proptest! {
        #[test]
        fn nothing_escaped_can_open_a_tag_or_close_a_quote(text in any::<String>()) {
            let escaped = esc(&text).to_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
            prop_assert_eq!(back.replace("&amp;", "&"), text);
        }
    }
}
