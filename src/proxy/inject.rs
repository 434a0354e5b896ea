//! Which responses are pages that get the loader's tag, and what their headers say then.
//!
//! Only a page that a browser navigates to is touched: what scripts fetch stays byte for byte what it was.
//! A page that cannot take the tag (coded in two ways, sandboxed, an attachment) passes as it came. A changed
//! page is another representation, so its validators are ours: `W/"x"` becomes `W/"x-t1a2b3c4dw"`, and the
//! origin is asked about what it called `x`. RFC 9110, sections 8.8 and 13; RFC 9111, section 4.1.

use std::borrow::Cow;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use sha2::{Digest, Sha256};
use url::Url;

use crate::rewrite::charset::Reading;
use crate::rewrite::coding::{Coding, PageCoding};
use crate::rewrite::csp::{self, Effect, Line};
use crate::rewrite::prologue::Insertion;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
pub(super) const REPORT_ONLY: HeaderName = HeaderName::from_static("content-security-policy-report-only");

/// The smallest page that is worth coding, in bytes: below it nothing is won.
pub(super) const WORTH_CODING: u64 = 1024;

/// The tag, and what marks the validators of what was changed.
#[derive(Debug)]
pub(super) struct LoaderTag {
    text: String,
    /// Of what is navigated to, which carries the tag.
    pub(super) page: Mark,
    /// Of what is asked for in another way, which does not: a browser that has it must not take it for the page.
    pub(super) body: Mark,
}

impl LoaderTag {
    /// `None` if it is not one short ASCII script element. `way`: how pages are changed besides.
    pub(super) fn new(text: &str, way: &str) -> Option<Self> {
        let attributes = text.strip_prefix("<script ")?.strip_suffix("></script>")?;
        let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && !matches!(b, b'<' | b'>');
        if text.len() > 200 || !attributes.bytes().all(plain) {
            return None;
        }
        let (page, body) = (Mark::of(&format!("{text}{way}")), Mark::of(way));
        Some(LoaderTag { text: text.to_owned(), page, body })
    }

    fn with_nonce(&self, nonce: Option<&csp::Nonce>) -> Cow<'_, str> {
        match nonce {
            Some(nonce) => {
                let rest = self.text.strip_prefix("<script").unwrap_or_default();
                Cow::Owned(format!("<script nonce=\"{}\"{rest}", nonce.value))
            }
            None => Cow::Borrowed(&self.text),
        }
    }
}

/// What is added to the entity tags of what was changed in one way.
#[derive(Debug)]
pub(super) struct Mark(String);

impl Mark {
    fn of(way: &str) -> Mark {
        // How things are changed is part of it: raise the number with the rules.
        let digest = Sha256::digest(format!("3 {way}").as_bytes());
        Mark(digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The entity tag of what was changed.
    fn marked(&self, etag: &str) -> Option<String> {
        let (kind, opaque) = match etag.strip_prefix("W/") {
            Some(rest) => ('w', rest),
            None => ('s', etag),
        };
        let opaque = opaque.strip_prefix('"')?.strip_suffix('"')?;
        Some(format!("W/\"{opaque}-t{}{kind}\"", self.0))
    }

    /// Whether this is an entity tag of ours, by any mark.
    pub(super) fn is_marked(&self, etag: &str) -> bool {
        let mark = etag.strip_suffix('"').and_then(|etag| etag.rsplit_once("-t"));
        mark.is_some_and(|(_, mark)| mark.len() == self.0.len() + 1 && mark.ends_with(['w', 's']))
    }

    /// What the origin calls what has this entity tag, if it has this very mark.
    pub(super) fn unmarked(&self, etag: &str) -> Option<String> {
        let opaque = etag.strip_prefix("W/").unwrap_or(etag).strip_prefix('"')?.strip_suffix('"')?;
        let (opaque, mark) = opaque.rsplit_once("-t")?;
        let kind = mark.strip_prefix(self.0.as_str())?;
        match kind {
            "w" => Some(format!("W/\"{opaque}\"")),
            "s" => Some(format!("\"{opaque}\"")),
            _ => None,
        }
    }
}

/// Whether a browser asks for something to show as a page or frame.
pub(super) fn is_navigation<B>(request: &Request<B>) -> bool {
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
        return false;
    }
    let headers = request.headers();
    let accepts_html = || {
        super::headers::tokens(headers, &header::ACCEPT).any(|range| {
            range.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
        })
    };
    match headers.get(SEC_FETCH_DEST).map(HeaderValue::as_bytes) {
        Some(b"document" | b"iframe" | b"frame") => return true,
        // What a service worker that was handed a navigation asks for in its place. Scripts and downloads
        // have the same destination, but not this header.
        Some(b"empty") => return headers.contains_key(header::UPGRADE_INSECURE_REQUESTS) && accepts_html(),
        Some(_) => return false,
        None => {}
    }
    // Browsers send no `Sec-Fetch-*` to plain http hosts, and old ones never do.
    let by_script = ["x-requested-with", "hx-request", "turbo-frame", "x-pjax"];
    accepts_html() && !by_script.iter().any(|name| headers.contains_key(*name))
}

/// Makes the origin send a page that can take the tag: whole, not coded, and judged by the origin's own
/// validators.
pub(super) fn ask(headers: &mut HeaderMap, tag: &LoaderTag) {
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.remove(header::RANGE);
    headers.remove(header::IF_RANGE);
    // Our pages have no date, so this one is of a page without the tag.
    headers.remove(header::IF_MODIFIED_SINCE);
    if headers.contains_key(header::IF_NONE_MATCH) {
        let known: Vec<String> = entity_tags(headers, &header::IF_NONE_MATCH)
            .iter()
            .filter_map(|etag| tag.page.unmarked(etag))
            .collect();
        headers.remove(header::IF_NONE_MATCH);
        if let Ok(value) = HeaderValue::from_str(&known.join(", "))
            && !known.is_empty()
        {
            headers.insert(header::IF_NONE_MATCH, value);
        }
    }
}

/// The entity tags of a list, which may hold commas inside their quotes.
pub(super) fn entity_tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let mut tags = Vec::new();
    for line in headers.get_all(name).iter().filter_map(|value| value.to_str().ok()) {
        let mut rest = line;
        while let Some(open) = rest.find('"') {
            let Some(length) = rest[open + 1..].find('"') else { break };
            let weak = rest[..open].ends_with("W/");
            let quoted = &rest[open..open + length + 2];
            tags.push(format!("{}{quoted}", if weak { "W/" } else { "" }));
            rest = &rest[open + length + 2..];
        }
    }
    tags
}

/// The coding that the browser wants its pages in.
pub(super) fn accepted(headers: &HeaderMap) -> Option<PageCoding> {
    PageCoding::accepted(super::headers::tokens(headers, &header::ACCEPT_ENCODING))
}

/// Makes a page's policies admit the loader, which it is to get. `None` if they leave it no way to work.
pub(super) fn admit(
    headers: &mut HeaderMap,
    page: &Url,
    tag: &LoaderTag,
    reading: Reading,
) -> Option<Insertion> {
    let (changes, nonce) = policies(headers, || page.clone()).ok()?;
    replace(headers, changes);
    if nonce.as_ref().is_some_and(|nonce| !nonce.reused) {
        // A 304 could not bring the nonce of the page in the browser's cache.
        headers.remove(header::ETAG);
    }
    Some(Insertion::new(&tag.with_nonce(nonce.as_ref()), reading == Reading::Iso2022Jp))
}

/// The policies of a response.
pub(super) fn policy_lines(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = |name: HeaderName| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines(header::CONTENT_SECURITY_POLICY).chain(lines(REPORT_ONLY))
}

pub(super) fn is_no_transform(directive: &str) -> bool {
    directive.eq_ignore_ascii_case("no-transform")
}

/// The coding of a page. Two at once are an error: nobody sends that.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, ()> {
    let mut codings = super::headers::tokens(headers, &header::CONTENT_ENCODING)
        .filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(None),
        (Some(coding), None) => Coding::named(coding).map(Some).ok_or(()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// A page depends on who asks for it: also where it is not changed, as for a script's `fetch`.
pub(super) fn vary<B>(response: &mut Response<B>) {
    if !super::change::is_html(response.headers()) && !super::untyped::is_untyped(response.headers()) {
        return;
    }
    vary_by(response.headers_mut(), "Sec-Fetch-Dest");
    vary_by(response.headers_mut(), "Upgrade-Insecure-Requests");
}

pub(super) fn vary_by(headers: &mut HeaderMap, field: &'static str) {
    let named = super::headers::tokens(headers, &header::VARY)
        .any(|name| name == "*" || name.eq_ignore_ascii_case(field));
    if !named {
        headers.append(header::VARY, HeaderValue::from_static(field));
    }
}

pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

pub(super) fn mark_validators(headers: &mut HeaderMap, mark: &Mark) {
    headers.remove(header::LAST_MODIFIED);
    if let Some(etag) = headers.remove(header::ETAG)
        && let Some(marked) = etag.to_str().ok().and_then(|etag| mark.marked(etag))
        && let Ok(value) = HeaderValue::from_str(&marked)
    {
        headers.insert(header::ETAG, value);
    }
}

/// A 304 updates the headers of the page in the browser's cache, so they must be those of that page.
pub(super) fn not_modified(headers: &mut HeaderMap, page: impl FnOnce() -> Url, tag: &LoaderTag) {
    if headers.contains_key(header::VARY) {
        // RFC 9110, section 15.4.5: the one of the page, which ours is part of.
        vary_by(headers, "Accept-Encoding");
    }
    mark_validators(headers, &tag.page);
    match policies(headers, page) {
        Ok((changes, None)) => replace(headers, changes),
        // The nonce of the stored tag stands in the stored policy.
        Ok((_, Some(_))) => {
            headers.remove(header::CONTENT_SECURITY_POLICY);
            headers.remove(REPORT_ONLY);
        }
        Err(csp::Sandboxed) => {}
    }
}

/// New values for the lines of both policy headers.
struct Changes {
    enforced: Vec<HeaderValue>,
    reported: Vec<HeaderValue>,
}

fn policies(
    headers: &HeaderMap,
    page: impl FnOnce() -> Url,
) -> Result<(Option<Changes>, Option<csp::Nonce>), csp::Sandboxed> {
    let of = |name: &HeaderName, effect| -> Vec<(&HeaderValue, Effect)> {
        headers.get_all(name).iter().map(|value| (value, effect)).collect()
    };
    let mut values = of(&header::CONTENT_SECURITY_POLICY, Effect::Enforce);
    let enforced = values.len();
    values.extend(of(&REPORT_ONLY, Effect::Report));
    if values.is_empty() {
        return Ok((None, None));
    }
    // A line that is not ASCII stays as it is; it counts as empty here.
    let lines: Vec<Line<'_>> = values
        .iter()
        .map(|(value, effect)| Line { value: value.to_str().unwrap_or_default(), effect: *effect })
        .collect();
    let admission = csp::admit(&lines, &page(), || format!("{:032x}", rand::random::<u128>()))?;
    let mut new = admission.lines.iter().zip(&values).map(|(line, (old, _))| match line {
        Cow::Owned(text) => HeaderValue::from_str(text).unwrap_or_else(|_| (*old).clone()),
        Cow::Borrowed(_) => (*old).clone(),
    });
    let enforced = new.by_ref().take(enforced).collect();
    let reported = new.collect();
    Ok((Some(Changes { enforced, reported }), admission.nonce))
}

fn replace(headers: &mut HeaderMap, changes: Option<Changes>) {
    let Some(Changes { enforced, reported }) = changes else { return };
    for (name, values) in [(header::CONTENT_SECURITY_POLICY, enforced), (REPORT_ONLY, reported)] {
        headers.remove(&name);
        for value in values {
            headers.append(&name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "<script src=\"/.tandem/loader.js\"></script>";

    fn tag() -> LoaderTag {
        LoaderTag::new(TAG, "").unwrap()
    }

    #[test]
    fn takes_one_short_script_element() {
        for bad in
            ["", "<p>", "<script>x</script>", "<script src=é></script>", "<script a></script><p></script>"]
        {
            assert!(LoaderTag::new(bad, "").is_none(), "{bad}");
        }
        assert!(LoaderTag::new(&format!("<script src={}></script>", "x".repeat(200)), "").is_none());
    }

    #[test]
    fn the_origin_is_asked_about_its_own_entity_tags() {
        let tag = tag();
        for original in ["\"abc\"", "W/\"a,b-t\"", "\"\""] {
            let marked = tag.page.marked(original).unwrap();
            assert_eq!(tag.page.unmarked(&marked).as_deref(), Some(original));
        }
        let mut headers = HeaderMap::new();
        let list = format!("\"raw\", {}, W/\"x-t00000000w\"", tag.page.marked("\"a,b\"").unwrap());
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(&list).unwrap());
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_MODIFIED_SINCE, HeaderValue::from_static("x"));
        ask(&mut headers, &tag);
        assert_eq!(headers[header::IF_NONE_MATCH], "\"a,b\"");
        assert_eq!(headers[header::ACCEPT_ENCODING], "identity");
        assert_eq!(headers.len(), 2);

        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"raw\""));
        ask(&mut headers, &tag);
        assert!(!headers.contains_key(header::IF_NONE_MATCH), "a page without the tag is not what we have");
    }

    #[test]
    fn navigations_are_told_from_fetches() {
        for (expected, lines) in [
            (true, vec![("sec-fetch-dest", "document")]),
            (true, vec![("sec-fetch-dest", "iframe"), ("accept", "*/*")]),
            (false, vec![("sec-fetch-dest", "empty"), ("accept", "text/html")]),
            (false, vec![("sec-fetch-dest", "image")]),
            (
                false,
                vec![
                    ("sec-fetch-dest", "object"),
                    ("upgrade-insecure-requests", "1"),
                    ("accept", "text/html"),
                ],
            ),
            (
                false,
                vec![
                    ("sec-fetch-dest", "embed"),
                    ("upgrade-insecure-requests", "1"),
                    ("accept", "text/html"),
                ],
            ),
            // A page through a service worker; a download; a prefetch; a fetch.
            (
                true,
                vec![
                    ("sec-fetch-dest", "empty"),
                    ("upgrade-insecure-requests", "1"),
                    ("accept", "text/html"),
                ],
            ),
            (
                false,
                vec![("sec-fetch-dest", "empty"), ("sec-fetch-mode", "navigate"), ("accept", "text/html")],
            ),
            (false, vec![("sec-fetch-dest", "empty"), ("sec-purpose", "prefetch"), ("accept", "text/html")]),
            (false, vec![("sec-fetch-dest", "empty"), ("upgrade-insecure-requests", "1"), ("accept", "*/*")]),
            (true, vec![("sec-fetch-dest", "document"), ("sec-purpose", "prefetch;prerender")]),
            (true, vec![("accept", "application/xml, text/html;q=0.9")]),
            (false, vec![("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")]),
            (false, vec![("accept", "*/*")]),
            (false, vec![]),
        ] {
            let mut request = Request::get("/");
            for (name, value) in &lines {
                request = request.header(*name, *value);
            }
            assert_eq!(is_navigation(&request.body(()).unwrap()), expected, "{lines:?}");
        }
        assert!(!is_navigation(&Request::put("/").header("sec-fetch-dest", "document").body(()).unwrap()));
    }
}
