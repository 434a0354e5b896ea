//! Cookies of mapped hosts: for the public name what they were for the origin's own.
//!
//! Only attributes that would make a browser refuse the cookie are changed, and only when they would; name, value
//! and all else stay byte for byte. Before an `http` name that stands for an `https` one, `Secure` and what
//! depends on it are left out, and the prefixes `__Host-` and `__Secure-` are hidden behind another one, which
//! [`revealed`] takes away again. RFC 6265bis, sections 4.1.2, 4.1.3 and 5.7.

use std::borrow::Cow;

use super::url::{CookieDomain, Mapping};

/// Hides the prefixes that a browser honours only over TLS.
const HIDDEN: &[u8] = b"insecure";
const PREFIXES: [&[u8]; 2] = [b"__Host-", b"__Secure-"];

/// Who sets a cookie, and who hands it on.
#[derive(Debug, Clone, Copy)]
pub struct Setter<'a> {
    /// All hosts of the website.
    pub mapping: &'a Mapping,
    /// The host that sets it, by the origin's name.
    pub host: &'a str,
    /// Whether browsers reach it over TLS.
    pub secure: bool,
}

impl Setter<'_> {
    /// The value of a `Set-Cookie` line for the browser.
    pub fn public<'c>(&self, line: &'c [u8]) -> Cow<'c, [u8]> {
        let mut parts = line.split(|b| *b == b';');
        let pair = parts.next().unwrap_or_default();
        let hide = !self.secure && has_prefix(pair.trim_ascii_start());
        let mut changed = hide;
        let mut out = if hide { [HIDDEN, pair.trim_ascii_start()].concat() } else { pair.to_vec() };
        for part in parts {
            let (name, value) = match part.iter().position(|b| *b == b'=') {
                Some(at) => (part[..at].trim_ascii(), part[at + 1..].trim_ascii()),
                None => (part.trim_ascii(), &b""[..]),
            };
            let is = |expected: &str| name.eq_ignore_ascii_case(expected.as_bytes());
            let needs_tls =
                is("secure") || is("partitioned") || is("samesite") && value.eq_ignore_ascii_case(b"none");
            if needs_tls && !self.secure {
                changed = true;
                continue;
            }
            if is("domain") && !value.is_empty() {
                let domain = std::str::from_utf8(value).unwrap_or_default();
                match self.mapping.cookie_domain(self.host, domain) {
                    CookieDomain::Shared(domain) => {
                        out.extend_from_slice(b"; Domain=");
                        out.extend_from_slice(domain.as_bytes());
                        changed = true;
                        continue;
                    }
                    CookieDomain::HostOnly => {
                        changed = true;
                        continue;
                    }
                    CookieDomain::Foreign => {}
                }
            }
            out.push(b';');
            out.extend_from_slice(part);
        }
        if changed { Cow::Owned(out) } else { Cow::Borrowed(line) }
    }
}

/// A `Cookie` line with the names that the origin gave its cookies.
pub fn revealed(line: &[u8]) -> Option<Vec<u8>> {
    let hidden = |pair: &[u8]| pair.strip_prefix(HIDDEN).is_some_and(has_prefix);
    let pairs = || line.split(|b| *b == b';');
    if !pairs().any(|pair| hidden(pair.trim_ascii_start())) {
        return None;
    }
    let shown: Vec<&[u8]> = pairs()
        .map(|pair| {
            let start = pair.len() - pair.trim_ascii_start().len();
            // The space before it was the browser's; one is enough.
            if hidden(&pair[start..]) { &pair[start + HIDDEN.len()..] } else { pair.trim_ascii() }
        })
        .collect();
    Some(shown.join(&b"; "[..]))
}

fn has_prefix(pair: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| pair.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::super::fuzz::cases;
    use super::super::url::Pair;
    use super::*;

    fn mapping() -> Mapping {
        let pair = |origin: &str, public: &str| Pair {
            origin: Url::parse(origin).unwrap(),
            public: Url::parse(public).unwrap(),
        };
        Mapping::new(&[
            pair("https://www.shop.example", "https://www.cb.test"),
            pair("https://id.shop.example", "https://id.cb.test"),
        ])
    }

    fn public(line: &str, secure: bool) -> String {
        let mapping = mapping();
        let setter = Setter { mapping: &mapping, host: "www.shop.example", secure };
        String::from_utf8(setter.public(line.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn only_what_a_browser_would_refuse_is_changed() {
        for (line, expected) in [
            ("a=b", "a=b"),
            ("a=\"b;c=d\"; Path=/", "a=\"b;c=d\"; Path=/"),
            ("a=b;domain=www.shop.example;HttpOnly", "a=b; Domain=www.cb.test;HttpOnly"),
            ("a=b; Domain=.shop.example; Path=/x", "a=b; Domain=cb.test; Path=/x"),
            ("a=b; Domain=elsewhere.example", "a=b; Domain=elsewhere.example"),
            ("a=b; Domain=", "a=b; Domain="),
            ("__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"),
            ("a=b; Secure; SameSite=None; Partitioned", "a=b; Secure; SameSite=None; Partitioned"),
        ] {
            assert_eq!(public(line, true), expected);
        }
    }

    #[test]
    fn without_tls_nothing_asks_for_it() {
        for (line, expected) in [
            ("a=b; Secure; SameSite=None; Path=/", "a=b; Path=/"),
            ("a=b; secure ;SameSite=Lax; Partitioned", "a=b;SameSite=Lax"),
            ("__Host-a=b; Secure; Path=/", "insecure__Host-a=b; Path=/"),
            ("__secure-a=b; Secure", "insecure__secure-a=b"),
            ("a__Host-=b", "a__Host-=b"),
        ] {
            assert_eq!(public(line, false), expected);
        }
    }

    #[test]
    fn hidden_names_come_back() {
        let shown = |line: &str| revealed(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
        assert_eq!(shown("a=1; insecure__Host-b=2; c=3").unwrap(), "a=1; __Host-b=2; c=3");
        assert_eq!(shown("insecure__secure-b=2").unwrap(), "__secure-b=2");
        assert_eq!(shown("a=1; insecure=2; insecure-x=3"), None);
    }

    fn line() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "__Host-",
            "__Secure-",
            "__host-",
            "insecure",
            "a",
            "b",
            "=",
            ";",
            "; ",
            "\"",
            " ",
            ",",
            "\t",
            "Secure",
            "secure",
            "Partitioned",
            "SameSite=None",
            "samesite = none",
            "SameSite=Lax",
            "Path=/",
            "Max-Age=0",
            "HttpOnly",
            "Domain=",
            "domain=.shop.example",
            "Domain=www.shop.example",
            "Domain=evil.example",
            "Domain=example",
            "\u{e9}",
        ]);
        prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
    }

    fn attributes(line: &str) -> Vec<String> {
        line.split(';').skip(1).map(|part| part.replace([' ', '\t'], "").to_ascii_lowercase()).collect()
    }

    proptest! {
        #![proptest_config(cases(1000))]

        #[test]
        fn the_origin_gets_back_what_it_set(line in line(), secure in any::<bool>()) {
            let out = public(&line, secure);
            let pair = |line: &str| line.split(';').next().unwrap_or_default().trim().to_owned();
            let (set, kept) = (pair(&line), pair(&out));
            // Who calls a cookie by our mark has it taken for one.
            prop_assume!(!set.starts_with("insecure"));
            let sent = format!("x=1; {kept}");
            let got = revealed(sent.as_bytes()).unwrap_or(sent.into_bytes());
            prop_assert_eq!(String::from_utf8(got).unwrap(), format!("x=1; {set}"));
            let needs_tls = |part: &str| {
                part == "samesite=none" || matches!(part.split('=').next(), Some("secure" | "partitioned"))
            };
            let rest = |line: &str| {
                let ours = |part: &String| part.starts_with("domain=") || !secure && needs_tls(part);
                attributes(line).into_iter().filter(|part| !ours(part)).collect::<Vec<_>>()
            };
            prop_assert_eq!(rest(&out), rest(&line));
            for part in attributes(&out) {
                prop_assert!(secure || !needs_tls(&part), "{}", out);
                prop_assert!(!["domain=.shop.example", "domain=www.shop.example"].contains(&part.as_str()), "{}", out);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let mapping = mapping();
            for secure in [true, false] {
                Setter { mapping: &mapping, host: "www.shop.example", secure }.public(&line);
            }
            revealed(&line);
        }
    }
}
