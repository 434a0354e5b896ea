//! Which headers travel: hop-by-hop ones end here, forwarding ones are ours, our own stay with us.
//!
//! RFC 9110, sections 7.6.1 (Connection), 7.6.3 (Via) and 7.8 (Upgrade). What the browser claims about
//! who it is (`X-Forwarded-*`, `Forwarded`) is dropped, unless a trusted proxy says it; nothing else of what the two sides say is changed.

use std::net::SocketAddr;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::error::Failure;
use super::request::Target;
use super::trust::Trusted;

/// Headers that end at every hop, nominated or not.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Credentials and questions for proxies; we are none that asks.
const PROXY: [HeaderName; 3] = [
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-authentication-info"),
];

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
    peer: SocketAddr,
    trusted: &Trusted,
    pseudonym: &str,
) -> Result<(), Failure> {
    if tokens(headers, &header::VIA).any(|hop| hop.split_ascii_whitespace().nth(1) == Some(pseudonym)) {
        return Err(Failure::Loop);
    }
    strip_hop_by_hop(headers, |_| true);
    if !framed {
        // Said again in our own name: hyper would otherwise take a GET to have no body.
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // hyper answers it itself as soon as the body is wanted.
    headers.remove(header::EXPECT);
    let believed = trusted.believes(peer.ip());
    strip_claims(headers, believed);
    strip_own_cookies(headers);

    headers.insert(header::HOST, target.host.clone());
    // What a trusted proxy said comes from nearer to the browser.
    if !headers.contains_key("x-forwarded-host") {
        headers.insert("x-forwarded-host", target.host.clone());
    }
    if !headers.contains_key("x-forwarded-proto") {
        let scheme = if target.route.public.scheme() == "https" { "https" } else { "http" };
        headers.insert("x-forwarded-proto", HeaderValue::from_static(scheme));
    }
    // One line: many servers read only the first.
    let address = peer.ip().to_canonical().to_string();
    let mut way: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    way.push(address.as_bytes());
    if let Ok(way) = HeaderValue::from_bytes(&way.join(&b", "[..])) {
        headers.insert("x-forwarded-for", way);
    }
    if let Ok(via) = HeaderValue::from_str(&format!("1.1 {pseudonym}")) {
        headers.append(header::VIA, via);
    }
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
    strip_hop_by_hop(headers, |name| {
        !matches!(
            *name,
            header::CONTENT_LENGTH | header::CONTENT_TYPE | header::CONTENT_ENCODING | header::SET_COOKIE
        )
    });
    // Another way to the origin, past this proxy.
    headers.remove(header::ALT_SVC);
    Ok(())
}

/// Removes what `Connection` names, as far as `may` allows, and what is always of this hop.
fn strip_hop_by_hop(headers: &mut HeaderMap, may: impl Fn(&HeaderName) -> bool) {
    if headers.contains_key(header::CONNECTION) {
        let nominated: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .filter(|name| may(name))
            .collect();
        for name in nominated {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP.iter().chain(&PROXY) {
        headers.remove(name);
    }
}

/// What only a proxy may say, what is ours, and names that CGI-like servers take for others (`X_Real_IP`).
/// A proxy that is believed may speak; but `Forwarded` would not name us, and contradict what we add.
fn strip_claims(headers: &mut HeaderMap, believed: bool) {
    let claimed = |name: &HeaderName| {
        let name = name.as_str();
        let of_proxies = name.starts_with("x-forwarded-") || name == "x-real-ip";
        name.contains('_') || name.starts_with("tandem-") || name == "forwarded" || of_proxies && !believed
    };
    let names: Vec<HeaderName> = headers.keys().filter(|name| claimed(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Our cookies are nobody else's: `tandem` and `tandem-*` are taken out, the others stay byte for byte.
fn strip_own_cookies(headers: &mut HeaderMap) {
    let own = |pair: &[u8]| {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
        name == b"tandem" || name.starts_with(b"tandem-")
    };
    let has_own = |value: &HeaderValue| value.as_bytes().split(|b| *b == b';').any(own);
    if !headers.get_all(header::COOKIE).iter().any(has_own) {
        return;
    }
    let lines: Vec<HeaderValue> = headers.get_all(header::COOKIE).iter().cloned().collect();
    headers.remove(header::COOKIE);
    for line in lines {
        if !has_own(&line) {
            headers.append(header::COOKIE, line);
            continue;
        }
        let kept: Vec<&[u8]> = line.as_bytes().split(|b| *b == b';').filter(|pair| !own(pair)).collect();
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
        strip_hop_by_hop(&mut map, |_| true);
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
        strip_claims(&mut map, false);
        assert_eq!(map, headers(&[("x-own", "kept")]));
        strip_claims(&mut believed, true);
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
