//! The headers that keep the console's pages to themselves, and the check that a request is the console's own.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

type Headers<const N: usize> = [(HeaderName, &'static str); N];

/// Of the console's own pages and answers: nothing runs or loads but what is ours, nobody frames them.
pub(super) const CONSOLE: Headers<7> = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-cache"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// Of the document that shows the customer's page: no script runs there, nothing of the site loads there.
pub(super) const MIRROR: Headers<5> = [
    (
        CONTENT_SECURITY_POLICY,
        "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline' 'self'; img-src 'self' data:; \
         font-src 'self' data:; media-src 'self'; form-action 'none'; frame-src 'none'; base-uri 'none'; \
         frame-ancestors 'self'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-cache"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// Of an image, style, font or medium of the site: shown as that and nothing else, even when opened by itself.
pub(super) const RESOURCE: Headers<5> = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "private, no-cache"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// The headers of the two documents, which a contact centre's own pages may show in a frame where the settings
/// name them.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) console: HeaderMap,
    pub(super) mirror: HeaderMap,
}

impl Documents {
    /// `ancestors` are origins such as `https://crm.example`.
    pub(super) fn new(ancestors: &[String]) -> Documents {
        let (mut console, mut mirror) = (map(CONSOLE), map(MIRROR));
        if !ancestors.is_empty() {
            console.remove(X_FRAME_OPTIONS);
            let who = format!("frame-ancestors 'self' {}", ancestors.join(" "));
            for (headers, nobody_else) in
                [(&mut console, "frame-ancestors 'none'"), (&mut mirror, "frame-ancestors 'self'")]
            {
                let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
                let policy = policy.unwrap_or_default().replace(nobody_else, &who);
                // Origins that the settings have checked make a header; anything else would frame nothing.
                if let Ok(policy) = HeaderValue::from_str(&policy) {
                    headers.insert(CONTENT_SECURITY_POLICY, policy);
                }
            }
        }
        Documents { console, mirror }
    }
}

fn map<const N: usize>(headers: Headers<N>) -> HeaderMap {
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// Whether a request that changes something was made by a script of the console: a form or a page of another
/// site can not set the header, and names another origin where it names one.
pub(super) fn is_ours(headers: &HeaderMap) -> bool {
    headers.contains_key("tandem")
        && headers.get("sec-fetch-site").is_none_or(|site| site.as_bytes() == b"same-origin")
}
