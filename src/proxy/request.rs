//! What is let in: a request that can be read in one way only, for a site that the settings name.
//!
//! hyper guards the framing. Here is what it leaves open: who is addressed, which targets and codings are allowed, that
//! there is one length only, and who may speak for other headers (RFC 9110, RFC 9112 sections 3 and 6).

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};
use url::Url;

use super::error::Failure;
use super::{Proxy, Route};

/// Everything of ours on the site's host lives below this path.
pub(super) const OWN: &str = "/.tandem/";

/// Headers that no `Connection` may name: whoever has them removed on the way changes what the request is.
const PROTECTED: [&str; 16] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "cookie",
    "authorization",
    "origin",
    "referer",
    "range",
    "forwarded",
    "via",
    "expect",
    "sec-fetch-dest",
    "sec-fetch-site",
    "sec-fetch-mode",
];

/// Host and port that a browser addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authority<'t> {
    host: &'t str,
    /// Of a site's own address always known; else the scheme's default is meant.
    port: Option<u16>,
}

impl PartialEq for Authority<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port == other.port
    }
}

impl<'t> Authority<'t> {
    /// Of a site's public address.
    pub(super) fn of(url: &'t Url) -> Option<Self> {
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"))?;
        Some(Authority { host, port: url.port_or_known_default() })
    }

    /// RFC 3986, section 3.2, without user information, and with only such characters as real names have: it
    /// becomes part of headers and URLs.
    fn parse(text: &'t str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (&text[..address.len() + 2], after)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (host, after) = text.split_at(end);
                let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
                if host.is_empty() || host.len() > 253 || !host.bytes().all(legal) {
                    return None;
                }
                (host, after)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Authority { host, port })
    }

    fn addresses(self, site: &Route) -> bool {
        let port = self.port.or_else(|| default_port(site.public.scheme()));
        Authority::of(&site.public) == Some(Authority { port, ..self })
    }
}

impl std::fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(80 | 443) | None => f.write_str(self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whom an admitted request is for.
#[derive(Debug)]
pub(super) struct Target<'p> {
    pub(super) route: &'p Route,
    /// As the browser wrote it, or as its absolute target said.
    pub(super) host: HeaderValue,
    path: Option<PathAndQuery>,
}

impl Target<'_> {
    /// The address as the browser sees it. Few requests need it, and parsing costs more than all that every
    /// request needs.
    pub(super) fn url(&self) -> Url {
        let path = self.path.as_ref().map_or("/", PathAndQuery::as_str);
        let host = self.host.to_str().unwrap_or_default();
        let text = format!("{}://{host}{}", self.route.public.scheme(), if path == "*" { "/" } else { path });
        // A host that `url` does not take (a number too large for an address) can only reach a single site.
        Url::parse(&text).unwrap_or_else(|_| self.route.public.clone())
    }
}

/// Lets a request in, with its target in origin form, or says why not.
pub(super) fn admit<'p, B>(proxy: &'p Proxy, request: &mut Request<B>) -> Result<Target<'p>, Failure> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > proxy.limits.url) {
        return Err(Failure::LongUrl);
    }
    if request.headers().len() > proxy.limits.headers {
        return Err(Failure::ManyHeaders);
    }
    check_framing(request)?;
    let named = check_target(request)?;
    let host = check_host(request, named)?;
    check_nominations(request.headers())?;
    let route = match proxy.routes.as_slice() {
        [only] => only,
        several => {
            let authority = host.as_ref().map(authority).transpose()?.ok_or(Failure::UnknownSite)?;
            several.iter().find(|site| authority.addresses(site)).ok_or(Failure::UnknownSite)?
        }
    };
    let host = host.or_else(|| super::mapped::host_of(&route.public));
    let host = host.unwrap_or_else(|| HeaderValue::from_static("localhost"));
    Ok(Target { route, host, path: request.uri().path_and_query().cloned() })
}

/// Gives an HTTP/2 request the fields that one of HTTP/1.1 would have, for all who read them: its cookies in one
/// line (RFC 9113, section 8.2.3), and a `Host` where only `:authority` names it (section 8.3.1).
pub(super) fn in_terms_of_http1<B>(request: &mut Request<B>) {
    if request.version() != Version::HTTP_2 {
        return;
    }
    let authority = request.uri().authority().and_then(|name| HeaderValue::from_str(name.as_str()).ok());
    let headers = request.headers_mut();
    if let Some(authority) = authority {
        headers.entry(header::HOST).or_insert(authority);
    }
    if headers.get_all(header::COOKIE).iter().nth(1).is_some() {
        let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
            headers.insert(header::COOKIE, whole);
        }
    }
}

/// One length, one coding, and no expectation that is not known.
pub(super) fn check_framing<B>(request: &Request<B>) -> Result<(), Failure> {
    let headers = request.headers();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next()
        && (codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Err(Failure::Malformed("transfer coding other than chunked"));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Failure::Malformed("two lengths"));
    }
    if headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        return Err(Failure::Malformed("two lengths"));
    }
    match headers.get(header::EXPECT) {
        Some(expect) if !expect.as_bytes().eq_ignore_ascii_case(b"100-continue") => Err(Failure::Expectation),
        _ => Ok(()),
    }
}

/// RFC 9112, section 3.2. The authority of an absolute target is returned; the target becomes origin form.
fn check_target<B>(request: &mut Request<B>) -> Result<Option<HeaderValue>, Failure> {
    match *request.method() {
        Method::CONNECT | Method::TRACE => return Err(Failure::Method),
        _ => {}
    }
    let uri = request.uri();
    let asterisk = uri.path() == "*";
    if asterisk && request.method() != Method::OPTIONS {
        return Err(Failure::Malformed("target * without OPTIONS"));
    }
    let bare_authority = uri.path().is_empty() && uri.authority().is_some();
    if !(asterisk || bare_authority || uri.path().starts_with('/')) {
        return Err(Failure::Malformed("target"));
    }
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => Ok(None),
        (Some("http" | "https"), Some(authority)) => {
            let named =
                HeaderValue::from_str(authority.as_str()).map_err(|_| Failure::Malformed("target"))?;
            let path = match uri.path_and_query() {
                // `*` over HTTP/2, which says the authority beside it.
                Some(path) if asterisk || path.as_str().starts_with('/') => path.clone(),
                // `http://host` and `http://host?query`
                Some(path) => PathAndQuery::try_from(format!("/{}", path.as_str()))
                    .map_err(|_| Failure::Malformed("target"))?,
                None => PathAndQuery::from_static("/"),
            };
            *request.uri_mut() = Uri::from(path);
            Ok(Some(named))
        }
        _ => Err(Failure::Malformed("target in authority form")),
    }
}

/// RFC 9112, section 3.2: exactly one valid Host; an absolute target takes its place.
fn check_host<B>(request: &Request<B>, named: Option<HeaderValue>) -> Result<Option<HeaderValue>, Failure> {
    let mut lines = request.headers().get_all(header::HOST).iter();
    let (line, second) = (lines.next(), lines.next());
    if second.is_some() {
        return Err(Failure::Malformed("more than one Host"));
    }
    match line {
        Some(value) => authority(value).map(drop)?,
        // HTTP/2 has a field of its own for it.
        None if request.version() == Version::HTTP_2 && named.is_some() => {}
        None if request.version() >= Version::HTTP_11 => return Err(Failure::Malformed("no Host")),
        None => {}
    }
    if request.version() == Version::HTTP_2
        && let (Some(line), Some(named)) = (line, &named)
        && authority(line)? != authority(named)?
    {
        // RFC 9113, section 8.3.1: they must not differ, and servers differ in which they believe.
        return Err(Failure::Malformed("Host is not :authority"));
    }
    if let Some(named) = &named {
        authority(named)?;
    }
    Ok(named.or_else(|| line.cloned()))
}

fn authority(host: &HeaderValue) -> Result<Authority<'_>, Failure> {
    host.to_str().ok().and_then(Authority::parse).ok_or(Failure::Malformed("Host"))
}

fn check_nominations(headers: &HeaderMap) -> Result<(), Failure> {
    for name in super::headers::tokens(headers, &header::CONNECTION) {
        let begins =
            |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if PROTECTED.iter().any(|protected| name.eq_ignore_ascii_case(protected))
            || begins("x-forwarded-")
            || begins("tandem-")
        {
            return Err(Failure::Malformed("Connection names a header that it may not"));
        }
    }
    Ok(())
}

/// The console's address for a link with a session ID: `?tandem=SESSION-ID` on a page, or
/// `/.tandem/join/SESSION-ID`.
pub(super) fn console_link<B>(
    request: &Request<B>,
    url: impl FnOnce() -> Url,
    console: &Url,
) -> Option<HeaderValue> {
    if request.method() != Method::GET {
        return None;
    }
    let id = match request.uri().path().strip_prefix(OWN) {
        Some(own) => session_id(own.strip_prefix("join/")?)?,
        None => {
            // Most requests have no query of this kind: look before parsing.
            request.uri().query().filter(|query| query.contains("tandem="))?;
            if !super::inject::is_navigation(request) {
                return None;
            }
            session_id(&url().query_pairs().find(|(name, _)| name == "tandem")?.1)?
        }
    };
    let mut link = console.clone();
    link.set_path(&format!("{}/session/{id}", console.path().trim_end_matches('/')));
    link.set_query(None);
    link.set_fragment(None);
    HeaderValue::from_str(link.as_str()).ok()
}

/// A path as the log may have it: of ours only the kind, for what follows may be a session ID or a capability.
pub(super) fn loggable(path: &str) -> &str {
    match path.strip_prefix(OWN).and_then(|rest| rest.find('/')) {
        Some(end) => &path[..OWN.len() + end],
        None => path,
    }
}

/// Nine letters or digits, however they are separated; anything else is the site's own business.
fn session_id(text: &str) -> Option<String> {
    let separator = |c: char| matches!(c, '-' | ' ' | '_' | '+');
    let id: String = text.replace("%20", " ").chars().filter(|c| !separator(*c)).take(10).collect();
    (id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric()))
        .then(|| format!("{}-{}-{}", &id[..3], &id[3..6], &id[6..]).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_as_they_are_written() {
        let authority = |host, port| Some(Authority { host, port });
        assert_eq!(Authority::parse("Shop.Example"), authority("shop.example", None));
        assert_eq!(Authority::parse("shop.example:8080"), authority("shop.example", Some(8080)));
        assert_eq!(Authority::parse("[::1]:80"), authority("[::1]", Some(80)));
        assert_eq!(Authority::parse("a:"), authority("a", None));
        for bad in [
            "", ":80", "a b", "a@b", "a/b", "a:b", "a:99999", "[::1", "[x]", "[::1]x", "a,b", "a:1:2", "a?b",
            "é",
        ] {
            assert_eq!(Authority::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn links_lead_to_the_console_only() {
        let console = Url::parse("https://console.example/agents/?x=1#y").unwrap();
        let link = |target: &str| {
            let request = Request::get(target).header("sec-fetch-dest", "document").body(()).unwrap();
            let url = Url::parse(&format!("http://shop{target}")).unwrap();
            console_link(&request, || url, &console).map(|value| value.to_str().unwrap().to_owned())
        };
        let expected = Some("https://console.example/agents/session/7KQ-M9X-D4R".to_owned());
        for target in [
            "/?tandem=7KQ-M9X-D4R",
            "/a/b?c=d&tandem=7kqm9xd4r",
            "/?tandem=7KQ%20M9X+D4R",
            "/.tandem/join/7kq-m9x-d4r",
            "/.tandem/join/7KQM9XD4R",
        ] {
            assert_eq!(link(target), expected, "{target}");
        }
        for target in [
            "/",
            "/?tandem=",
            "/?tandem=//evil.example",
            "/?tandem=7KQM9XD4R7",
            "/?tandem=7KQM9XD4/",
            "/?xtandem=7KQM9XD4R",
            "/.tandem/join/../../x",
            "/.tandem/join/",
            "/.tandem/loader.js?tandem=7KQM9XD4R",
        ] {
            assert_eq!(link(target), None, "{target}");
        }
    }

    #[test]
    fn no_session_id_reaches_the_log() {
        for (path, logged) in [
            ("/.tandem/join/7KQM9XD4R", "/.tandem/join"),
            ("/.tandem/loader.js", "/.tandem/loader.js"),
            ("/a/b", "/a/b"),
        ] {
            assert_eq!(loggable(path), logged);
        }
    }

    #[test]
    fn only_a_page_load_follows_a_link() {
        let console = Url::parse("https://console.example/").unwrap();
        let request = Request::get("/?tandem=7KQM9XD4R").header("sec-fetch-dest", "empty").body(()).unwrap();
        let url = Url::parse("http://shop/?tandem=7KQM9XD4R").unwrap();
        assert_eq!(console_link(&request, || url, &console), None);
    }
}
