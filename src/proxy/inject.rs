//! Which responses are pages that get the loader's tag, and what their headers say then.
//!
//! Only a page that a browser navigates to is touched: what scripts fetch stays byte for byte what it was.
//! A page that cannot take the tag (coded in two ways, UTF-16, sandboxed, an attachment) passes as it came. A changed
//! page is another representation, so its validators are ours: `W/"x"` becomes `W/"x-t1a2b3c4dw"`, and the
//! origin is asked about what it called `x`. RFC 9110, sections 8.8 and 13; RFC 9111, section 4.1.

use std::borrow::Cow;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::page::Plan;
use crate::rewrite::coding::{Coding, PageCoding};
use crate::rewrite::csp::{self, Effect, Line};
use crate::rewrite::prologue::Insertion;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const REPORT_ONLY: HeaderName = HeaderName::from_static("content-security-policy-report-only");

/// Digests of the body that the browser does not get.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// The smallest page that is worth coding, in bytes: below it nothing is won.
const WORTH_CODING: u64 = 1024;

/// Codings in which an ASCII tag is not ASCII, or its place cannot be found byte by byte.
const STRANGE_CHARSETS: [&str; 6] = ["utf-16", "utf-32", "utf-7", "ucs-2", "iso-2022", "hz-gb"];

/// The tag, and what marks the validators of pages that carry it.
#[derive(Debug)]
pub(super) struct LoaderTag {
    text: String,
    version: String,
}

impl LoaderTag {
    /// `None` if it is not one short ASCII script element.
    pub(super) fn new(text: &str) -> Option<Self> {
        let attributes = text.strip_prefix("<script ")?.strip_suffix("></script>")?;
        let plain = |b: u8| (b == b' ' || b.is_ascii_graphic()) && !matches!(b, b'<' | b'>');
        if text.len() > 200 || !attributes.bytes().all(plain) {
            return None;
        }
        // How pages are changed is part of the version: raise the number with the rules.
        let digest = Sha256::digest(format!("1 {text}").as_bytes());
        let version = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Some(LoaderTag { text: text.to_owned(), version })
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

    /// The entity tag of the page with our tag.
    fn marked(&self, etag: &str) -> Option<String> {
        let (kind, opaque) = match etag.strip_prefix("W/") {
            Some(rest) => ('w', rest),
            None => ('s', etag),
        };
        let opaque = opaque.strip_prefix('"')?.strip_suffix('"')?;
        Some(format!("W/\"{opaque}-t{}{kind}\"", self.version))
    }

    /// What the origin calls the page with this entity tag, if it carries this very tag.
    fn unmarked(&self, etag: &str) -> Option<String> {
        let opaque = etag.strip_prefix("W/").unwrap_or(etag).strip_prefix('"')?.strip_suffix('"')?;
        let (opaque, mark) = opaque.rsplit_once("-t")?;
        let kind = mark.strip_prefix(self.version.as_str())?;
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
    if let Some(dest) = headers.get(SEC_FETCH_DEST) {
        return matches!(dest.as_bytes(), b"document" | b"iframe" | b"frame");
    }
    // Browsers send no `Sec-Fetch-*` to plain http hosts, and old ones never do.
    let by_script = ["x-requested-with", "hx-request", "turbo-frame", "x-pjax"];
    let accepts_html = super::headers::tokens(headers, &header::ACCEPT).any(|range| {
        range.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
    });
    accepts_html && !by_script.iter().any(|name| headers.contains_key(*name))
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
            .filter_map(|etag| tag.unmarked(etag))
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
fn entity_tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
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

/// Decides about the response to a navigation and sets its headers. `Some` must be applied to its body.
///
/// The origin was asked for a page that is not coded, and may have coded it all the same. The browser gets it
/// in a coding of ours that it accepts, unless the origin forbids that (RFC 9110, section 7.7).
pub(super) fn decide<B>(
    response: &mut Response<B>,
    page: impl FnOnce() -> Url,
    tag: &LoaderTag,
    accepted: Option<PageCoding>,
) -> Option<Plan> {
    if response.status() == StatusCode::NOT_MODIFIED {
        not_modified(response.headers_mut(), page, tag);
        return None;
    }
    if !is_page(response.status(), response.headers()) {
        return None;
    }
    let Ok(from) = coding(response.headers()) else { return None };
    let headers = response.headers_mut();
    let nonce = match policies(headers, page) {
        Ok((changes, nonce)) => {
            replace(headers, changes);
            nonce
        }
        Err(csp::Sandboxed) => return None,
    };
    let insertion = Insertion::new(&tag.with_nonce(nonce.as_ref()));
    let length = length(headers);
    let large = from.is_some() || length.is_none_or(|length| length >= WORTH_CODING);
    let mut to = None;
    if large && !super::headers::tokens(headers, &header::CACHE_CONTROL).any(is_no_transform) {
        to = accepted;
        vary_by(headers, "Accept-Encoding");
    }
    headers.remove(header::CONTENT_ENCODING);
    if let Some(coding) = to {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    match length {
        Some(length) if from.is_none() && to.is_none() => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length + insertion.added()));
        }
        _ => {
            headers.remove(header::CONTENT_LENGTH);
        }
    }
    mark_validators(headers, tag);
    if nonce.is_some_and(|nonce| !nonce.reused) {
        // A 304 could not bring the nonce of the page in the browser's cache.
        headers.remove(header::ETAG);
    }
    headers.remove(header::ACCEPT_RANGES);
    headers.remove(header::TRAILER);
    for digest in &DIGESTS {
        headers.remove(digest);
    }
    Some(Plan { insertion, from, to })
}

fn is_no_transform(directive: &str) -> bool {
    directive.eq_ignore_ascii_case("no-transform")
}

/// The coding of a page. Two at once are an error: nobody sends that.
fn coding(headers: &HeaderMap) -> Result<Option<Coding>, ()> {
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
    if !is_html(response.headers()) {
        return;
    }
    vary_by(response.headers_mut(), "Sec-Fetch-Dest");
}

fn vary_by(headers: &mut HeaderMap, field: &'static str) {
    let named = super::headers::tokens(headers, &header::VARY)
        .any(|name| name == "*" || name.eq_ignore_ascii_case(field));
    if !named {
        headers.append(header::VARY, HeaderValue::from_static(field));
    }
}

fn is_page(status: StatusCode, headers: &HeaderMap) -> bool {
    let answers = match status.as_u16() {
        204..=206 => false,
        200..=299 | 400..=599 => true,
        _ => false,
    };
    let attachment = headers.get_all(header::CONTENT_DISPOSITION).iter().any(|value| {
        value
            .as_bytes()
            .trim_ascii_start()
            .get(..10)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"attachment"))
    });
    answers && !attachment && !headers.contains_key(header::CONTENT_RANGE) && is_html(headers)
}

fn is_html(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let Ok(text) = line.to_str() else { return false };
    if !text.trim_start().get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html")) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    let (kind, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let strange = parameters
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("charset="))
        .any(|charset| STRANGE_CHARSETS.iter().any(|prefix| charset.trim_matches('"').starts_with(prefix)));
    kind.trim() == "text/html" && !strange
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn mark_validators(headers: &mut HeaderMap, tag: &LoaderTag) {
    headers.remove(header::LAST_MODIFIED);
    if let Some(etag) = headers.remove(header::ETAG)
        && let Some(marked) = etag.to_str().ok().and_then(|etag| tag.marked(etag))
        && let Ok(value) = HeaderValue::from_str(&marked)
    {
        headers.insert(header::ETAG, value);
    }
}

/// A 304 updates the headers of the page in the browser's cache, so they must be those of that page.
fn not_modified(headers: &mut HeaderMap, page: impl FnOnce() -> Url, tag: &LoaderTag) {
    if headers.contains_key(header::VARY) {
        // RFC 9110, section 15.4.5: the one of the page, which ours is part of.
        vary_by(headers, "Accept-Encoding");
    }
    mark_validators(headers, tag);
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
        LoaderTag::new(TAG).unwrap()
    }

    fn page() -> Url {
        Url::parse("https://shop.example/").unwrap()
    }

    fn response(status: u16, lines: &[(&'static str, &'static str)]) -> Response<()> {
        let mut response = Response::builder().status(status);
        for (name, value) in lines {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap()
    }

    #[test]
    fn a_page_is_coded_when_it_is_worth_it_and_allowed() {
        let html = ("content-type", "text/html");
        let (small, forbidden) = (("content-length", "500"), ("cache-control", "private, No-Transform"));
        for (expected, varies, lines) in [
            (Some("zstd"), true, vec![html]),
            (Some("zstd"), true, vec![html, ("content-length", "5000")]),
            (None, false, vec![html, small]),
            (Some("zstd"), true, vec![html, small, ("content-encoding", "br")]),
            (None, false, vec![html, forbidden]),
            (None, false, vec![html, forbidden, ("content-encoding", "br")]),
        ] {
            let mut answer = response(200, &lines);
            let plan = decide(&mut answer, page, &tag(), Some(PageCoding::Zstd)).unwrap();
            let headers = answer.headers();
            assert_eq!(plan.to.map(PageCoding::name), expected, "{lines:?}");
            assert_eq!(headers.get("content-encoding").map(|value| value.to_str().unwrap()), expected);
            assert_eq!(headers.contains_key("content-length"), lines == [html, small], "{lines:?}");
            assert_eq!(headers.contains_key("vary"), varies, "{lines:?}");
        }
    }

    #[test]
    fn takes_one_short_script_element() {
        for bad in
            ["", "<p>", "<script>x</script>", "<script src=é></script>", "<script a></script><p></script>"]
        {
            assert!(LoaderTag::new(bad).is_none(), "{bad}");
        }
        assert!(LoaderTag::new(&format!("<script src={}></script>", "x".repeat(200))).is_none());
    }

    #[test]
    fn only_pages_get_the_tag() {
        let html = ("content-type", "text/html; charset=utf-8");
        for (expected, status, lines) in [
            (true, 200, vec![html]),
            (true, 404, vec![html]),
            (true, 500, vec![("content-type", "TEXT/HTML")]),
            (true, 200, vec![html, ("content-encoding", "identity")]),
            (true, 200, vec![html, ("content-disposition", "inline")]),
            (false, 206, vec![html]),
            (false, 204, vec![html]),
            (false, 304, vec![html]),
            (false, 302, vec![html]),
            (false, 200, vec![]),
            (false, 200, vec![("content-type", "text/htmlx")]),
            (false, 200, vec![("content-type", "application/json")]),
            (false, 200, vec![html, html]),
            (true, 200, vec![html, ("content-encoding", "gzip")]),
            (false, 200, vec![html, ("content-encoding", "compress")]),
            (false, 200, vec![html, ("content-encoding", "gzip, br")]),
            (false, 200, vec![html, ("content-encoding", "gzip"), ("content-encoding", "gzip")]),
            (false, 200, vec![html, ("content-disposition", "Attachment; filename=x")]),
            (false, 200, vec![("content-type", "text/html; charset=\"UTF-16LE\"")]),
            (false, 200, vec![html, ("content-security-policy", "sandbox allow-forms")]),
        ] {
            let mut response = response(status, &lines);
            assert_eq!(decide(&mut response, page, &tag(), None).is_some(), expected, "{status} {lines:?}");
        }
    }

    #[test]
    fn a_page_is_another_representation() {
        let mut response = response(
            200,
            &[
                ("content-type", "text/html"),
                ("content-length", "100"),
                ("etag", "\"abc\""),
                ("last-modified", "Tue, 01 Jan 2030 00:00:00 GMT"),
                ("accept-ranges", "bytes"),
                ("content-digest", "x"),
                ("vary", "Cookie"),
            ],
        );
        let plan = decide(&mut response, page, &tag(), None).unwrap();
        vary(&mut response);
        let headers = response.headers();
        assert_eq!(headers["content-length"], (100 + plan.insertion.added()).to_string().as_str());
        assert!(headers["etag"].to_str().unwrap().starts_with("W/\"abc-t"));
        for gone in ["last-modified", "accept-ranges", "content-digest"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        let vary: Vec<_> = headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["Cookie", "Sec-Fetch-Dest"]);
    }

    #[test]
    fn the_origin_is_asked_about_its_own_entity_tags() {
        let tag = tag();
        for original in ["\"abc\"", "W/\"a,b-t\"", "\"\""] {
            let marked = tag.marked(original).unwrap();
            assert_eq!(tag.unmarked(&marked).as_deref(), Some(original));
        }
        let mut headers = HeaderMap::new();
        let list = format!("\"raw\", {}, W/\"x-t00000000w\"", tag.marked("\"a,b\"").unwrap());
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
    fn a_304_speaks_of_the_page_with_the_tag() {
        let mut answer =
            response(304, &[("etag", "\"abc\""), ("content-security-policy", "script-src 'none'")]);
        assert!(decide(&mut answer, page, &tag(), None).is_none());
        assert!(answer.headers()["etag"].to_str().unwrap().starts_with("W/\"abc-t"));
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("/.tandem/loader.js"));
        let nonce = "script-src 'strict-dynamic' 'nonce-abc'";
        let mut answer = response(304, &[("content-security-policy", nonce)]);
        decide(&mut answer, page, &tag(), None);
        assert!(!answer.headers().contains_key("content-security-policy"));
    }

    #[test]
    fn the_tag_carries_the_nonce() {
        let lines = [("content-type", "text/html"), ("content-security-policy", "script-src 'nonce-abc'")];
        let mut insertion = decide(&mut response(200, &lines), page, &tag(), None).unwrap().insertion;
        let mut out = Vec::new();
        insertion.finish(&mut |piece| out.extend_from_slice(&piece));
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.trim_end(), "<script nonce=\"abc\" src=\"/.tandem/loader.js\"></script>");
    }

    #[test]
    fn navigations_are_told_from_fetches() {
        for (expected, lines) in [
            (true, vec![("sec-fetch-dest", "document")]),
            (true, vec![("sec-fetch-dest", "iframe"), ("accept", "*/*")]),
            (false, vec![("sec-fetch-dest", "empty"), ("accept", "text/html")]),
            (false, vec![("sec-fetch-dest", "image")]),
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
