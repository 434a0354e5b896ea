//! Who really asks: the address of the browser, also behind load balancers and CDNs that the settings name.
//!
//! `X-Forwarded-*` is believed only from a trusted proxy, and of `X-Forwarded-For` only as far as trusted
//! proxies wrote it, read from its end: whatever a browser wrote itself stands before that.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies before this one.
#[derive(Debug, Clone, Default)]
pub(super) struct Trusted(Vec<IpNet>);

impl Trusted {
    pub(super) fn new(networks: Vec<IpNet>) -> Trusted {
        Trusted(networks)
    }

    /// Whether what this peer says about the browser is believed.
    pub(super) fn believes(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }

    /// The browser's address: the last one that no trusted proxy has. Its port is known only of a peer.
    pub(super) fn browser(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.believes(peer.ip()) {
            return peer;
        }
        let mut nearest = peer;
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            let Ok(line) = line.to_str() else { return nearest };
            for entry in line.rsplit(',').map(str::trim).filter(|entry| !entry.is_empty()) {
                // What can not be read ends what can be known.
                let Some(address) = address(entry) else { return nearest };
                nearest = SocketAddr::new(address, 0);
                if !self.believes(address) {
                    return nearest;
                }
            }
        }
        nearest
    }
}

/// An address as proxies write it: bare, or with a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address =
        bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn browser(peer: &str, lines: &[&'static str]) -> String {
        let trusted = Trusted::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        trusted.browser(SocketAddr::new(peer.parse().unwrap(), 1234), &headers).ip().to_string()
    }

    #[test]
    fn the_browser_is_the_last_who_is_not_trusted() {
        for (expected, peer, lines) in [
            ("192.0.2.1", "192.0.2.1", &["198.51.100.7"][..]),
            ("198.51.100.7", "10.0.0.1", &["198.51.100.7"]),
            ("198.51.100.7", "10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"]),
            ("198.51.100.7", "10.0.0.1", &["6.6.6.6", "198.51.100.7", "10.0.0.2"]),
            ("198.51.100.7", "::ffff:10.0.0.1", &["198.51.100.7:4711"]),
            ("2001:db8::1", "fd00::1", &["[2001:db8::1]:4711"]),
            ("2001:db8::1", "fd00::1", &["2001:db8::1"]),
            ("10.0.0.1", "10.0.0.1", &[]),
            ("10.0.0.9", "10.0.0.1", &["10.0.0.9"]),
            ("10.0.0.2", "10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"]),
            ("10.0.0.1", "10.0.0.1", &["198.51.100.7, <script>"]),
            ("10.0.0.1", "10.0.0.1", &[", ,"]),
        ] {
            assert_eq!(browser(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn nobody_is_trusted_by_default() {
        assert!(!Trusted::default().believes(IpAddr::from([127, 0, 0, 1])));
    }
}
