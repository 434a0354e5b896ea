//! What mapped hosts change in the heads of messages, both ways.
//!
//! The origin server sees itself: its own name in `Host`, `Origin`, `Referer` and in the query, so that what it
//! compares is what it knows. The browser sees public names only. What a URL has in its own query is changed on
//! the way to the origin, but not on the way to the browser: a provider of logins is asked with the address that
//! is registered with it, and one that is not mapped is asked exactly what it would be asked without the proxy.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, Request, Response};
use url::Url;

use super::inject::REPORT_ONLY;
use crate::rewrite::cookie::{self, Setter};
use crate::rewrite::csp;
use crate::rewrite::url::{Mapping, Pair};

/// Headers that are a URL.
const URLS: [HeaderName; 4] = [
    header::LOCATION,
    header::CONTENT_LOCATION,
    HeaderName::from_static("sourcemap"),
    HeaderName::from_static("x-sourcemap"),
];

/// Headers with origins of websites, or `*`, or `null`, between commas.
const ORIGINS: [HeaderName; 2] =
    [header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName::from_static("timing-allow-origin")];

/// Headers with URLs among other things, and the byte that stands before each.
const AMONG_OTHERS: [(HeaderName, &[u8]); 5] = [
    (header::LINK, b"<"),
    (HeaderName::from_static("reporting-endpoints"), b"\""),
    (HeaderName::from_static("report-to"), b"\""),
    (HeaderName::from_static("speculation-rules"), b"\""),
    (HeaderName::from_static("permissions-policy"), b"\""),
];

const POLICIES: [HeaderName; 2] = [header::CONTENT_SECURITY_POLICY, REPORT_ONLY];

/// Headers of requests that are a URL, or contain some.
const ASKED: [HeaderName; 3] = [header::ORIGIN, header::REFERER, HeaderName::from_static("destination")];

/// Which bodies are mapped besides HTML and CSS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bodies {
    /// JSON, also in pages.
    pub json: bool,
    /// Scripts, also in pages.
    pub javascript: bool,
}

/// A site that stands under another name than its origin server's.
#[derive(Debug)]
pub(super) struct Mapped {
    /// All mapped hosts of the website.
    pub(super) mapping: Arc<Mapping>,
    pub(super) bodies: Bodies,
    /// What the origin calls itself.
    name: Url,
    /// The same, as `Host`.
    pub(super) host: HeaderValue,
    /// Whether browsers reach it over TLS.
    secure: bool,
}

impl Mapped {
    /// `others` are the mapped hosts beside this one. None if the name is no host's.
    pub(super) fn new(own: Pair, others: &[Pair], bodies: Bodies) -> Option<Mapped> {
        let host = host_of(&own.origin)?;
        let secure = own.public.scheme() == "https";
        let name = own.origin.clone();
        // Of two names of one host, its own is the one that its pages lead to.
        let pairs: Vec<Pair> = std::iter::once(own).chain(others.iter().cloned()).collect();
        Some(Mapped { mapping: Arc::new(Mapping::new(&pairs)), bodies, name, host, secure })
    }

    /// The scheme that the origin believes to be reached by.
    pub(super) fn scheme(&self) -> &'static str {
        if self.name.scheme() == "https" { "https" } else { "http" }
    }

    /// Makes a browser's request one for the origin under its own name.
    pub(super) fn request<B>(&self, request: &mut Request<B>) {
        let table = self.mapping.to_origin();
        let everywhere = |text: &[u8]| table.everywhere(text);
        if let Some(uri) = mapped_query(request.uri(), everywhere) {
            *request.uri_mut() = uri;
        }
        let headers = request.headers_mut();
        for name in ASKED {
            each(headers, &name, everywhere);
        }
        if !self.secure {
            each(headers, &header::COOKIE, cookie::revealed);
        }
    }

    /// Makes the origin's response one of the public host.
    pub(super) fn response<B>(&self, response: &mut Response<B>) {
        let headers = response.headers_mut();
        let table = self.mapping.to_public();
        let text = |value: &[u8], map: &dyn Fn(&str) -> Option<String>| {
            map(std::str::from_utf8(value).ok()?).map(String::into_bytes)
        };
        for name in URLS {
            each(headers, &name, |value| text(value, &|url| table.url(url)));
        }
        each(headers, &header::REFRESH, |value| text(value, &|refresh| table.refresh(refresh)));
        for name in ORIGINS {
            each(headers, &name, |value| table.following(b", ", value));
        }
        for (name, before) in AMONG_OTHERS {
            each(headers, &name, |value| table.following(before, value));
        }
        for name in POLICIES {
            each(headers, &name, |value| text(value, &|policy| csp::mapped(policy, table, self.secure)));
        }
        // A promise about names below the origin's own must not be one about those below the public one.
        each(headers, &header::STRICT_TRANSPORT_SECURITY, |value| text(value, &own_name_only));
        let host = self.name.host_str().unwrap_or_default();
        let setter = Setter { mapping: &self.mapping, host, secure: self.secure };
        each(headers, &header::SET_COOKIE, |line| match setter.public(line) {
            Cow::Owned(line) => Some(line),
            Cow::Borrowed(_) => None,
        });
    }
}

/// A host and its port as they stand in `Host`.
pub(super) fn host_of(url: &Url) -> Option<HeaderValue> {
    let host = url.host_str()?;
    let text = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    HeaderValue::from_str(&text).ok()
}

/// Changes every line of a header for which `map` has something else.
fn each(headers: &mut HeaderMap, name: &HeaderName, map: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let header::Entry::Occupied(mut lines) = headers.entry(name) else { return };
    for line in lines.iter_mut() {
        // A replacement has no byte that a header may not have, unless the line had it.
        if let Some(value) = map(line.as_bytes()).and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            *line = value;
        }
    }
}

/// The path is passed on as it came; in the query, a browser's script may have put its own address.
fn mapped_query(uri: &Uri, map: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Uri> {
    let query = map(uri.query()?.as_bytes())?;
    let target = [uri.path().as_bytes(), b"?", &query].concat();
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(target)).ok().map(Uri::from)
}

fn own_name_only(value: &str) -> Option<String> {
    let directives = || value.split(';').map(str::trim);
    let about_others = |directive: &&str| {
        directive.eq_ignore_ascii_case("includesubdomains") || directive.eq_ignore_ascii_case("preload")
    };
    directives()
        .any(|directive| about_others(&directive))
        .then(|| directives().filter(|directive| !about_others(directive)).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    fn mapped(public: &str) -> Mapped {
        let pair = |origin: &str, public: &str| Pair {
            origin: Url::parse(origin).unwrap(),
            public: Url::parse(public).unwrap(),
        };
        let other = pair("https://id.o.example", "https://id.cb.test");
        Mapped::new(pair("https://www.o.example", public), &[other], Bodies::default()).unwrap()
    }

    #[test]
    fn the_browser_sees_public_names() {
        let mapped = mapped("https://www.cb.test");
        for (name, value, expected) in [
            (
                "location",
                "https://id.o.example/a?back=https%3A%2F%2Fwww.o.example",
                "https://id.cb.test/a?back=https%3A%2F%2Fwww.o.example",
            ),
            (
                "location",
                "https://elsewhere.example/?u=https://www.o.example",
                "https://elsewhere.example/?u=https://www.o.example",
            ),
            ("location", "//www.o.example/x", "//www.cb.test/x"),
            ("location", "/x", "/x"),
            ("content-location", "http://www.o.example/x", "https://www.cb.test/x"),
            ("refresh", "0; url=https://www.o.example/", "0; url=https://www.cb.test/"),
            (
                "link",
                "<https://www.o.example/a>; rel=preload, </b>; x=\"https://www.o.example\"",
                "<https://www.cb.test/a>; rel=preload, </b>; x=\"https://www.o.example\"",
            ),
            ("access-control-allow-origin", "https://id.o.example", "https://id.cb.test"),
            ("access-control-allow-origin", "*", "*"),
            (
                "timing-allow-origin",
                "https://a.example, https://www.o.example",
                "https://a.example, https://www.cb.test",
            ),
            ("reporting-endpoints", "a=\"https://www.o.example/r\"", "a=\"https://www.cb.test/r\""),
            (
                "report-to",
                r#"{"endpoints":[{"url":"https:\/\/www.o.example\/r"}]}"#,
                r#"{"endpoints":[{"url":"https:\/\/www.cb.test\/r"}]}"#,
            ),
            ("content-security-policy", "img-src https://id.o.example", "img-src https://id.cb.test"),
            ("content-security-policy-report-only", "img-src id.o.example", "img-src id.cb.test"),
            ("strict-transport-security", "max-age=1; includeSubDomains; preload", "max-age=1"),
            ("strict-transport-security", "max-age=1", "max-age=1"),
            ("set-cookie", "a=b; Domain=o.example; Secure", "a=b; Domain=cb.test; Secure"),
        ] {
            let mut response = Response::builder().header(name, value).body(()).unwrap();
            mapped.response(&mut response);
            assert_eq!(response.headers()[name], expected);
        }
    }

    #[test]
    fn every_cookie_keeps_its_own_line() {
        let mut response = Response::builder()
            .header("set-cookie", "a=1; Secure")
            .header("set-cookie", "__Host-b=2; Secure")
            .body(())
            .unwrap();
        mapped("http://www.cb.test").response(&mut response);
        let lines: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(lines, ["a=1", "insecure__Host-b=2"]);
    }

    #[test]
    fn the_origin_sees_itself() {
        let mapped = mapped("http://www.cb.test:8080");
        let mut request =
            Request::get("/a//..%2F?u=http%3A%2F%2Fwww.cb.test%3A8080%2Fcb&v=https://id.cb.test")
                .header("origin", "http://www.cb.test:8080")
                .header("referer", "http://www.cb.test:8080/x?y=https%3A%2F%2Fid.cb.test")
                .header("cookie", "a=1; insecure__Host-b=2")
                .body(())
                .unwrap();
        mapped.request(&mut request);
        assert_eq!(request.uri(), "/a//..%2F?u=https%3A%2F%2Fwww.o.example%2Fcb&v=https://id.o.example");
        let headers = request.headers();
        assert_eq!(headers["origin"], "https://www.o.example");
        assert_eq!(headers["referer"], "https://www.o.example/x?y=https%3A%2F%2Fid.o.example");
        assert_eq!(headers["cookie"], "a=1; __Host-b=2");
        for origin in ["null", "https://elsewhere.example"] {
            let mut request = Request::get("/").header("origin", origin).body(()).unwrap();
            mapped.request(&mut request);
            assert_eq!(request.headers()["origin"], origin);
        }
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        let parts = prop::sample::select(vec![
            &b"https://www.o.example"[..],
            b"//id.o.example",
            b"https:\\/\\/www.o.example",
            b"https%3A%2F%2Fwww.o.example",
            b"http:",
            b"www.o.example",
            b"o.example",
            b".evil",
            b"@",
            b":443",
            b"/",
            b"<",
            b">",
            b"\"",
            b"; ",
            b", ",
            b" ",
            b"url=",
            b"0;",
            b"'self'",
            b"script-src",
            b"report-uri",
            b"*.",
            b"Domain=",
            b"includeSubDomains",
            b"max-age=1",
            b"a",
            b"=",
            b"?",
            b"{",
            b"}",
            b"\xe9",
            b"%",
        ]);
        prop::collection::vec(parts, 0..16).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn only_hosts_change_in_headers(value in value()) {
            let bare = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).replace("https", "http").replace(":443", "");
                text.replace("www.cb.test", "www.o.example").replace("id.cb.test", "id.o.example")
            };
            let names = URLS.into_iter().chain(ORIGINS).chain(AMONG_OTHERS.into_iter().map(|(name, _)| name));
            for name in names.chain([header::REFRESH]) {
                let mut response = Response::builder().header(&name, &value[..]).body(()).unwrap();
                mapped("https://www.cb.test").response(&mut response);
                prop_assert_eq!(bare(response.headers()[&name].as_bytes()), bare(&value), "{}", name);
            }
            // Of these, more may change; there stays one of them, whatever it is.
            for name in POLICIES.into_iter().chain([header::SET_COOKIE, header::STRICT_TRANSPORT_SECURITY]) {
                let mut response = Response::builder().header(&name, &value[..]).body(()).unwrap();
                mapped("http://www.cb.test:8080").response(&mut response);
                prop_assert_eq!(response.headers().get_all(name).iter().count(), 1);
            }
        }

        #[test]
        fn what_the_browser_was_told_comes_back_as_it_was(rest in "([/?#][ -~]{0,30})?") {
            for (site, other) in [("https://www.o.example", false), ("https://id.o.example", true)] {
                let mapped = mapped("http://www.cb.test:8080");
                let url = format!("{site}{rest}");
                let mut response = Response::builder().header("location", &url).body(()).unwrap();
                mapped.response(&mut response);
                let told = response.headers()["location"].to_str().unwrap().to_owned();
                prop_assert!(told.starts_with(if other { "https://id.cb.test" } else { "http://www.cb.test:8080" }), "{}", told);
                let mut request = Request::get("/").header("referer", told).body(()).unwrap();
                mapped.request(&mut request);
                prop_assert_eq!(request.headers()["referer"].to_str().unwrap(), url);
            }
        }
    }
}
