//! Which headers travel: hop-by-hop ones end here, forwarding ones are ours, our own stay with us.
//!
//! RFC 9110, sections 7.6.1 (Connection), 7.6.3 (Via) and 7.8 (Upgrade). What the browser claims about
//! who it is (`X-Forwarded-*`, `Forwarded`) is dropped, unless a trusted proxy says it; nothing else of what the two sides say is changed.

use http::header::{self, Entry, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::error::Failure;
use super::exchange::Peer;
use super::request::Target;
use super::trust::Trusted;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Marks this very process in `Via`, to recognise a request that comes back.
#[derive(Debug)]
pub(super) struct Via {
    pseudonym: String,
    line: HeaderValue,
}

impl Via {
    pub(super) fn new(process: u64) -> Via {
        let pseudonym = format!("tandem-{process:016x}");
        let line = HeaderValue::from_str(&format!("1.1 {pseudonym}"));
        Via { pseudonym, line: line.unwrap_or_else(|_| HeaderValue::from_static("1.1 tandem")) }
    }

    fn was_here(&self, headers: &HeaderMap) -> bool {
        tokens(headers, &header::VIA)
            .any(|hop| hop.split_ascii_whitespace().nth(1) == Some(self.pseudonym.as_str()))
    }
}

/// The members of a comma-separated header, over all its lines.
pub(super) fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// Makes the browser's headers those of the request to the origin. `framed`: it has no body, or says how long
/// it is.
pub(super) fn to_origin(
    headers: &mut HeaderMap,
    target: &Target<'_>,
    framed: bool,
    peer: &Peer,
    trusted: &Trusted,
    via: &Via,
) -> Result<(), Failure> {
    if via.was_here(headers) {
        return Err(Failure::Loop);
    }
    strip_nominated(headers, |_| true);
    let believed = trusted.believes(peer.address.ip());
    // hyper answers `Expect` itself as soon as the body is wanted.
    strip(headers, |name| is_hop_by_hop(name) || is_claim(name, believed) || name == "expect");
    if !framed {
        // Said again in our own name: hyper would otherwise take a GET to have no body.
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    strip_own_cookies(headers);

    let (host, scheme) = match &target.route.mapped {
        // An origin under its own name must not learn of another by any header.
        Some(mapped) => {
            headers.remove(FORWARDED_HOST);
            headers.remove(FORWARDED_PROTO);
            (&mapped.host, mapped.scheme())
        }
        None => (&target.host, if target.route.public.scheme() == "https" { "https" } else { "http" }),
    };
    headers.insert(header::HOST, host.clone());
    // What a trusted proxy said comes from nearer to the browser.
    headers.entry(FORWARDED_HOST).or_insert_with(|| host.clone());
    headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static(scheme));
    match headers.entry(FORWARDED_FOR) {
        Entry::Vacant(way) => {
            way.insert(peer.said.clone());
        }
        // One line: many servers read only the first.
        Entry::Occupied(mut way) => {
            let hops: Vec<&[u8]> = way.iter().chain([&peer.said]).map(HeaderValue::as_bytes).collect();
            if let Ok(hops) = HeaderValue::from_bytes(&hops.join(&b", "[..])) {
                way.insert(hops);
            }
        }
    }
    headers.append(header::VIA, via.line.clone());
    Ok(())
}

/// Makes the origin's response one that can be passed on, with its headers.
pub(super) fn to_browser<B>(response: &mut Response<B>) -> Result<(), Failure> {
    *response.version_mut() = http::Version::HTTP_11;
    let status = response.status();
    let headers = response.headers_mut();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(Failure::BadResponse("transfer coding"));
        }
        // RFC 9112, section 6.3: the coding wins, and the length must not go on.
        headers.remove(header::CONTENT_LENGTH);
    }
    if status == StatusCode::NOT_MODIFIED || status == StatusCode::NO_CONTENT {
        // Allowed in a 304, but of no use, and hyper does not send it.
        headers.remove(header::CONTENT_LENGTH);
    }
    strip_nominated(headers, |name| {
        !matches!(
            *name,
            header::CONTENT_LENGTH | header::CONTENT_TYPE | header::CONTENT_ENCODING | header::SET_COOKIE
        )
    });
    // `Alt-Svc` is another way to the origin, past this proxy.
    strip(headers, |name| is_hop_by_hop(name) || name == "alt-svc");
    Ok(())
}

/// Makes the origin's interim response (1xx) one that can be passed on. It has no body (RFC 9110, section 15.2).
pub(super) fn before_response(headers: &mut HeaderMap) {
    strip_nominated(headers, |_| true);
    strip(headers, |name| is_hop_by_hop(name) || matches!(name, "alt-svc" | "content-length"));
}

/// Takes out what HTTP/2 has no place for, of a response that may not be the origin's.
pub(super) fn end_here(headers: &mut HeaderMap) {
    strip_nominated(headers, |_| true);
    strip(headers, |name| is_hop_by_hop(name) && !name.starts_with("proxy-auth"));
}

/// Removes what `Connection` names, as far as `may` allows.
fn strip_nominated(headers: &mut HeaderMap, may: impl Fn(&HeaderName) -> bool) {
    let nominated: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        // By far the most frequent one, and no header's business.
        .filter(|name| !name.eq_ignore_ascii_case("keep-alive"))
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .filter(|name| may(name))
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

/// Removes what is `unwanted`. A look at each name is cheaper than asking for every name there might be.
fn strip(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Headers that end at every hop, nominated or not; also credentials and questions for proxies, as we are none
/// that asks.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-authentication-info"
    )
}

/// What only a proxy may say, what is ours, and names that CGI-like servers take for others (`X_Real_IP`).
/// A proxy that is believed may speak; but `Forwarded` would not name us, and contradict what we add.
fn is_claim(name: &str, believed: bool) -> bool {
    let of_proxies = || name.starts_with("x-forwarded-") || name == "x-real-ip";
    name == "forwarded"
        || name.starts_with("tandem-")
        || name.as_bytes().contains(&b'_')
        || (!believed && of_proxies())
}

/// Whether a customer of ours asks: `tandem` and `tandem-*` are our cookies and nobody else's.
pub(super) fn has_own_cookie(headers: &HeaderMap) -> bool {
    headers.get_all(header::COOKIE).iter().any(names_own_cookie)
}

fn names_own_cookie(line: &HeaderValue) -> bool {
    line.as_bytes().split(|b| *b == b';').any(is_own_cookie)
}

fn is_own_cookie(pair: &[u8]) -> bool {
    let Some(rest) = pair.trim_ascii_start().strip_prefix(b"tandem") else { return false };
    matches!(rest.trim_ascii_start().first(), None | Some(b'=')) || rest.starts_with(b"-")
}

/// Our cookies are taken out, the others stay byte for byte.
fn strip_own_cookies(headers: &mut HeaderMap) {
    if !has_own_cookie(headers) {
        return;
    }
    let lines: Vec<HeaderValue> = headers.get_all(header::COOKIE).iter().cloned().collect();
    headers.remove(header::COOKIE);
    for line in lines {
        if !names_own_cookie(&line) {
            headers.append(header::COOKIE, line);
            continue;
        }
        let kept: Vec<&[u8]> =
            line.as_bytes().split(|b| *b == b';').filter(|pair| !is_own_cookie(pair)).collect();
        if let Ok(value) = HeaderValue::from_bytes(kept.join(&b';').trim_ascii())
            && !value.is_empty()
        {
            headers.append(header::COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn hop_by_hop_headers_end_here() {
        let mut map = headers(&[
            ("connection", "close, X-One"),
            ("connection", "x-two"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "x"),
        ]);
        strip_nominated(&mut map, |_| true);
        strip(&mut map, is_hop_by_hop);
        assert_eq!(map, headers(&[("x-three", "3")]));
    }

    #[test]
    fn own_cookies_stay_with_us() {
        for (line, kept) in [
            ("a=1; tandem=x; b=2", Some("a=1; b=2")),
            ("tandem=x", None),
            ("tandem-session=x; a=1", Some("a=1")),
            ("a=\"q;r\";tandem=1", Some("a=\"q;r\"")),
            ("tandemic=1; xtandem=2", Some("tandemic=1; xtandem=2")),
        ] {
            let mut map = headers(&[("cookie", line)]);
            strip_own_cookies(&mut map);
            assert_eq!(map.get("cookie").map(|value| value.to_str().unwrap()), kept, "{line}");
        }
    }

    #[test]
    fn claims_are_dropped() {
        let mut map = headers(&[
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-prefix", "/"),
            ("forwarded", "for=1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x_real_ip", "1.2.3.4"),
            ("tandem-role", "admin"),
            ("x-own", "kept"),
        ]);
        let mut believed = map.clone();
        strip(&mut map, |name| is_claim(name, false));
        assert_eq!(map, headers(&[("x-own", "kept")]));
        strip(&mut believed, |name| is_claim(name, true));
        let mut kept: Vec<_> = believed.keys().map(HeaderName::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["x-forwarded-for", "x-forwarded-prefix", "x-own", "x-real-ip"]);
    }

    #[test]
    fn a_response_has_one_framing() {
        let mut response = Response::new(());
        *response.headers_mut() = headers(&[("transfer-encoding", "chunked"), ("content-length", "5")]);
        to_browser(&mut response).unwrap();
        assert!(response.headers().is_empty());
        *response.headers_mut() = headers(&[("transfer-encoding", "gzip, chunked")]);
        assert!(to_browser(&mut response).is_err());
    }
}
