//! The WebSockets: what customers' and agents' browsers say to sessions and hear of them.
//!
//! A socket translates between frames and a session's words and keeps nothing itself: a lost connection loses
//! nothing but itself. Whatever does not fit the protocol closes the connection with a reason.

pub mod agent;
pub mod customer;
mod pace;
mod socket;

pub use socket::Limits;

use cookie::Cookie;
use http::{HeaderMap, header};
use url::Url;

/// The header that scripts of ours set on requests that change something; a form of another site can not.
pub const OURS: &str = "tandem";

/// Whether a request comes from a page of the host it is sent to: the check against requests forged by other
/// sites, for WebSocket upgrades and everything that changes state.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let (Some(origin), Some(host)) = (text(headers, header::ORIGIN), text(headers, header::HOST)) else {
        return false;
    };
    let Ok(origin) = Url::parse(origin) else { return false };
    let Some(name) = origin.host_str() else { return false };
    let authority = match origin.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    let host = host.strip_suffix(if origin.scheme() == "https" { ":443" } else { ":80" }).unwrap_or(host);
    authority.eq_ignore_ascii_case(host)
}

/// The value of one of the cookies of a request (RFC 6265 section 5.4).
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_pages_of_the_same_host_may_ask() {
        for (origin, host, same) in [
            ("https://shop.test", "shop.test", true),
            ("https://shop.test", "shop.test:443", true),
            ("http://shop.test:8080", "SHOP.test:8080", true),
            ("http://shop.test:8080", "shop.test", false),
            ("https://evil.test", "shop.test", false),
            ("https://shop.test.evil.test", "shop.test", false),
            ("null", "shop.test", false),
        ] {
            assert_eq!(
                is_same_origin(&headers(&[("origin", origin), ("host", host)])),
                same,
                "{origin} {host}"
            );
        }
        assert!(!is_same_origin(&headers(&[("host", "shop.test")])));
    }

    #[test]
    fn cookies_are_found_among_others() {
        let headers = headers(&[("cookie", "a=1; tandem=secret"), ("cookie", "xtandem=2")]);
        assert_eq!(cookie(&headers, "tandem").as_deref(), Some("secret"));
        assert_eq!(cookie(&headers, "b"), None);
    }
}
