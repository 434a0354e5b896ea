//! Which bodies are changed on their way to the browser, and what their headers say then.
//!
//! Pages that a browser navigates to get the loader; of mapped hosts, URLs are mapped in HTML, style sheets, and what
//! else the site's settings name. Everything else passes byte for byte: also a style sheet or a script that a page
//! pins by its hash ([`Pins`]), for a browser refuses it when it has changed. A changed body is another
//! representation: its length, its coding and its validators are ours (see [`super::inject`]).

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use url::Url;

use super::capture;
use super::inject::{self, LoaderTag};
use super::mapped::Mapped;
use super::page::Plan;
use crate::rewrite::charset::Reading;
use crate::rewrite::coding::{Coding, PageCoding};
use crate::rewrite::csp;
use crate::rewrite::links::{Language, Scripts, Task};

/// How many addresses of pinned content are remembered.
const PINS: usize = 10_000;

/// What is known of an exchange before its response comes.
pub(super) struct Wish<'r> {
    /// Whether a page is asked for.
    pub(super) navigation: bool,
    /// Whether a body that does not say what it is begins as a page does.
    pub(super) sniffed: bool,
    /// The coding that the browser wants.
    pub(super) accepted: Option<PageCoding>,
    /// The address, as the browser sees it.
    pub(super) url: &'r dyn Fn() -> Url,
    pub(super) tag: &'r LoaderTag,
    /// Of a mapped host whose answer may be changed.
    pub(super) mapped: Option<&'r Mapped>,
    /// The browser asked about a body that was changed.
    pub(super) known: bool,
    pub(super) pins: &'r Pins,
}

/// Whether the answer to this request may have URLs to be mapped: not if it asks for a picture, a font, a sound, a
/// film, or for a part of something.
pub(super) fn may_be_mapped<B>(request: &Request<B>) -> bool {
    let media = capture::is_subresource(request.headers()) && !capture::is_style(request.headers());
    !media && !request.headers().contains_key(header::RANGE)
}

/// Makes the origin send a body that can be mapped: in no coding that we do not know, and judged by the origin's own
/// validators. True if the browser has one that was changed. Coded it may be, for most of what may be mapped is not.
pub(super) fn ask(headers: &mut HeaderMap, tag: &LoaderTag) -> bool {
    let codings = super::headers::tokens(headers, &header::ACCEPT_ENCODING);
    let known = codings
        .filter(|coding| coding.split(';').next().is_some_and(|name| Coding::named(name.trim()).is_some()));
    let known = HeaderValue::from_str(&known.collect::<Vec<_>>().join(", ")).ok();
    let known = known.filter(|known| !known.is_empty());
    headers.insert(header::ACCEPT_ENCODING, known.unwrap_or(HeaderValue::from_static("identity")));
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    let mut known = false;
    let tags: Vec<String> = inject::entity_tags(headers, &header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|etag| match tag.body.unmarked(&etag) {
            Some(original) => {
                known = true;
                Some(original)
            }
            // Of a body that was changed in another way.
            None if tag.body.is_marked(&etag) => None,
            None => Some(etag),
        })
        .collect();
    headers.remove(header::IF_NONE_MATCH);
    if let Ok(value) = HeaderValue::from_str(&tags.join(", "))
        && !tags.is_empty()
    {
        headers.insert(header::IF_NONE_MATCH, value);
    }
    known
}

/// Decides about a response and sets its headers. `Some` must be applied to its body.
pub(super) fn decide<B>(response: &mut Response<B>, wish: &Wish<'_>) -> Option<Plan> {
    if response.status() == StatusCode::NOT_MODIFIED {
        if wish.navigation {
            inject::not_modified(response.headers_mut(), wish.url, wish.tag);
        } else if wish.known {
            inject::mark_validators(response.headers_mut(), &wish.tag.body);
        }
        return None;
    }
    let (status, headers) = (response.status(), response.headers_mut());
    if !is_whole(status, headers) {
        return None;
    }
    let content = if wish.sniffed { Content::page() } else { Content::of(headers)? };
    let reading = Reading::declared(content.charset.as_deref());
    if reading == Reading::Nothing {
        return None;
    }
    let from = inject::coding(headers).ok()?;
    let url = (wish.url)();
    let mut insertion = None;
    if wish.navigation && content.kind == "text/html" {
        insertion = inject::admit(headers, &url, wish.tag, reading);
    }
    let language = match &insertion {
        Some(_) => Language::Html,
        None => wish.mapped.and_then(|mapped| content.language(mapped, wish.pins, &url))?,
    };
    let to = recoded(headers, from.is_some(), wish);
    let task = Task {
        language,
        iso_2022_jp: reading == Reading::Iso2022Jp,
        mapping: wish.mapped.map(|mapped| mapped.mapping.clone()),
        scripts: Scripts {
            json: wish.mapped.is_some_and(|mapped| mapped.bodies.json),
            javascript: wish.mapped.is_some_and(|mapped| mapped.bodies.javascript),
            pinned: csp::pins(inject::policy_lines(headers)),
        },
        url,
        admits_us: insertion.is_some(),
    };
    Some(Plan { insertion, task, reading, from, to })
}

/// The headers of a body whose length, bytes and coding are ours. The answer is the coding.
fn recoded(headers: &mut HeaderMap, coded: bool, wish: &Wish<'_>) -> Option<PageCoding> {
    let large = coded || inject::length(headers).is_none_or(|length| length >= inject::WORTH_CODING);
    let mut to = None;
    if large && !super::headers::tokens(headers, &header::CACHE_CONTROL).any(inject::is_no_transform) {
        to = wish.accepted;
        inject::vary_by(headers, "Accept-Encoding");
    }
    headers.remove(header::CONTENT_ENCODING);
    if let Some(coding) = to {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    let mark = if wish.navigation { &wish.tag.page } else { &wish.tag.body };
    inject::mark_validators(headers, mark);
    headers.remove(header::ACCEPT_RANGES);
    headers.remove(header::TRAILER);
    // Not known before the last byte: what is mapped or adapted may be longer or shorter.
    headers.remove(header::CONTENT_LENGTH);
    for digest in &DIGESTS {
        headers.remove(digest);
    }
    to
}

/// Digests of the body that the browser does not get.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether a response has a body that is a whole document to be shown.
fn is_whole(status: StatusCode, headers: &HeaderMap) -> bool {
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
    answers && !attachment && !headers.contains_key(header::CONTENT_RANGE)
}

/// What a body is, by its `Content-Type`.
struct Content {
    /// Type and subtype, in lower case.
    kind: String,
    charset: Option<String>,
}

impl Content {
    fn page() -> Content {
        Content { kind: "text/html".to_owned(), charset: None }
    }

    /// None if there is none, or more than one.
    fn of(headers: &HeaderMap) -> Option<Content> {
        let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return None };
        let text = line.to_str().ok()?.to_ascii_lowercase();
        let (kind, parameters) = text.split_once(';').unwrap_or((&text, ""));
        let charset = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
        let charset = charset.map(|charset| charset.trim_matches(['"', '\'', ' ']).to_owned());
        Some(Content { kind: kind.trim().to_owned(), charset })
    }

    /// As what it is mapped, if it is.
    fn language(&self, mapped: &Mapped, pins: &Pins, url: &Url) -> Option<Language> {
        let pinned = || pins.contain(url);
        match self.kind.as_str() {
            "text/html" => Some(Language::Html),
            "image/svg+xml" | "application/xhtml+xml" => Some(Language::Xml),
            "text/css" => (!pinned()).then_some(Language::Css),
            kind if kind.ends_with("javascript") || kind.ends_with("ecmascript") => {
                (mapped.bodies.javascript && !pinned()).then_some(Language::JavaScript)
            }
            kind if kind.ends_with("/json") || kind.ends_with("+json") => {
                mapped.bodies.json.then_some(Language::Json)
            }
            _ => None,
        }
    }
}

/// Whether a response is HTML, however it came about.
pub(super) fn is_html(headers: &HeaderMap) -> bool {
    // Most responses are not: this is asked of each.
    let begins = |value: &HeaderValue| {
        value
            .as_bytes()
            .trim_ascii_start()
            .get(..9)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"))
    };
    headers.get(header::CONTENT_TYPE).is_some_and(begins)
        && Content::of(headers).is_some_and(|content| content.kind == "text/html")
}

/// The addresses of what pages load with `integrity`. They are learned from each page as it passes, before the browser
/// can ask for what it names. The oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Pins {
    pub(super) fn add(&self, url: &str) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = hash(url);
        if !remembered.known.insert(hash) {
            return;
        }
        remembered.order.push_back(hash);
        if remembered.order.len() > PINS
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.known.remove(&oldest);
        }
    }

    fn contain(&self, url: &Url) -> bool {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.known.contains(&hash(url.as_str()))
    }
}

fn hash(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.split('#').next().unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "<script src=\"/.tandem/loader.js\"></script>";

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

    /// The plan for a navigation's answer.
    fn page_of(response: &mut Response<()>, accepted: Option<PageCoding>) -> Option<Plan> {
        let tag = LoaderTag::new(TAG, "").unwrap();
        let pins = Pins::default();
        let wish = Wish {
            navigation: true,
            sniffed: false,
            accepted,
            url: &page,
            tag: &tag,
            mapped: None,
            known: false,
            pins: &pins,
        };
        decide(response, &wish)
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
            let plan = page_of(&mut answer, Some(PageCoding::Zstd)).unwrap();
            let headers = answer.headers();
            assert_eq!(plan.to.map(PageCoding::name), expected, "{lines:?}");
            assert_eq!(headers.get("content-encoding").map(|value| value.to_str().unwrap()), expected);
            assert_eq!(headers.contains_key("vary"), varies, "{lines:?}");
        }
    }

    #[test]
    fn what_may_be_mapped_is_asked_for_in_codings_that_are_known() {
        for (accepted, asked) in [
            ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
            ("sdch, gzip;q=0.5, *", "gzip;q=0.5"),
            ("compress", "identity"),
            ("", "identity"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            ask(&mut headers, &LoaderTag::new(TAG, "").unwrap());
            assert_eq!(headers[header::ACCEPT_ENCODING], asked);
        }
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
            (true, 200, vec![("content-type", "text/html; charset=\"UTF-16LE\"")]),
            (false, 200, vec![("content-type", "text/html; charset=hz-gb-2312")]),
            (false, 200, vec![html, ("content-security-policy", "sandbox allow-forms")]),
        ] {
            let mut response = response(status, &lines);
            assert_eq!(page_of(&mut response, None).is_some(), expected, "{status} {lines:?}");
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
        let plan = page_of(&mut response, None).unwrap();
        inject::vary(&mut response);
        let headers = response.headers();
        assert!(plan.insertion.is_some() && !headers.contains_key("content-length"));
        assert!(headers["etag"].to_str().unwrap().starts_with("W/\"abc-t"));
        for gone in ["last-modified", "accept-ranges", "content-digest"] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
        let vary: Vec<_> = headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["Cookie", "Sec-Fetch-Dest", "Upgrade-Insecure-Requests"]);
    }

    #[test]
    fn a_304_speaks_of_the_page_with_the_tag() {
        let mut answer =
            response(304, &[("etag", "\"abc\""), ("content-security-policy", "script-src 'none'")]);
        assert!(page_of(&mut answer, None).is_none());
        assert!(answer.headers()["etag"].to_str().unwrap().starts_with("W/\"abc-t"));
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("/.tandem/loader.js"));
        let nonce = "script-src 'strict-dynamic' 'nonce-abc'";
        let mut answer = response(304, &[("content-security-policy", nonce)]);
        page_of(&mut answer, None);
        assert!(!answer.headers().contains_key("content-security-policy"));
    }

    #[test]
    fn the_tag_carries_the_nonce() {
        let lines = [("content-type", "text/html"), ("content-security-policy", "script-src 'nonce-abc'")];
        let mut insertion = page_of(&mut response(200, &lines), None).unwrap().insertion.unwrap();
        let mut out = Vec::new();
        insertion.finish(&mut |piece| out.extend_from_slice(&piece));
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.trim_end(), "<script nonce=\"abc\" src=\"/.tandem/loader.js\"></script>");
    }
}
