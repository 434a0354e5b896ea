//! URL patterns of policy files: `/checkout/**`, or with a host `https://shop.example.com/account*`.
//!
//! Matching looks at what servers treat alike as alike: escapes of harmless characters, doubled and
//! trailing slashes make no difference, so `/log%6Fut/` does not slip past a rule for `/logout`.

use url::Url;

/// Bytes of a pattern.
const LENGTH: usize = 2_048;
/// Bytes of an address that is compared; what is longer matches what `**` at the end of a pattern allows.
const ADDRESS: usize = 16_384;

/// A pattern. `*` stands for anything but `/`, `**` for anything; the query is ignored unless the pattern has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlPattern {
    /// `scheme://host[:port]`, if it was given.
    origin: Option<Vec<Glob>>,
    path: Vec<Glob>,
    query: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glob {
    Char(char),
    Star,
    StarStar,
}

/// Why a pattern is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub(super) enum BadPattern {
    #[error("a URL pattern starts with `/`, `http://` or `https://`")]
    Start,
    #[error("a URL pattern can not have a fragment: `#…` never reaches a server")]
    Fragment,
    #[error("a URL pattern can not contain spaces")]
    Space,
    #[error("a URL pattern of more than 2048 bytes")]
    Long,
}

impl UrlPattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Result<UrlPattern, BadPattern> {
        if text.len() > LENGTH {
            return Err(BadPattern::Long);
        }
        if text.contains('#') {
            return Err(BadPattern::Fragment);
        }
        if text.contains(char::is_whitespace) {
            return Err(BadPattern::Space);
        }
        let (origin, rest) = match text.split_once("://") {
            Some((scheme, rest)) if matches!(scheme, "http" | "https") => {
                let end = rest.find('/').unwrap_or(rest.len());
                let port = if scheme == "http" { ":80" } else { ":443" };
                let host = rest[..end].to_ascii_lowercase();
                let host = host.strip_suffix(port).unwrap_or(&host);
                if host.is_empty() {
                    return Err(BadPattern::Start);
                }
                (Some(globs(&format!("{scheme}://{host}"))), &rest[end..])
            }
            _ if text.starts_with('/') => (None, text),
            _ => return Err(BadPattern::Start),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (format!("{}?{query}", tidy(path)), true),
            None => (tidy(rest), false),
        };
        Ok(UrlPattern { origin, path: globs(&path), query })
    }

    /// Whether the pattern is for this URL.
    pub(super) fn matches(&self, url: &Url) -> bool {
        if let Some(origin) = &self.origin
            && !matches(origin, &url.origin().ascii_serialization())
        {
            return false;
        }
        let mut path = tidy(url.path());
        if self.query {
            path.push('?');
            path.push_str(url.query().unwrap_or(""));
        }
        let mut end = path.len().min(ADDRESS);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        matches(&self.path, &path[..end])
            // `/checkout/**` is about `/checkout` too.
            || (self.path.ends_with(&[Glob::Char('/'), Glob::StarStar])
                && matches(&self.path[..self.path.len() - 2], &path[..end]))
    }
}

fn globs(text: &str) -> Vec<Glob> {
    let mut out = Vec::new();
    for char in text.chars() {
        match (char, out.last()) {
            ('*', Some(Glob::StarStar)) => {}
            ('*', Some(Glob::Star)) => {
                out.pop();
                out.push(Glob::StarStar);
            }
            ('*', _) => out.push(Glob::Star),
            (char, _) => out.push(Glob::Char(char)),
        }
    }
    out
}

/// Every state of the pattern at once: time is the product of the lengths, whatever the stars.
fn matches(pattern: &[Glob], text: &str) -> bool {
    let mut states = vec![false; pattern.len() + 1];
    let skip = |states: &mut Vec<bool>| {
        for (at, glob) in pattern.iter().enumerate() {
            if states[at] && !matches!(glob, Glob::Char(_)) {
                states[at + 1] = true;
            }
        }
    };
    states[0] = true;
    skip(&mut states);
    for char in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, glob) in pattern.iter().enumerate().filter(|(at, _)| states[*at]) {
            match glob {
                Glob::Char(wanted) if *wanted == char => next[at + 1] = true,
                Glob::Star if char != '/' => next[at] = true,
                Glob::StarStar => next[at] = true,
                _ => {}
            }
        }
        skip(&mut next);
        states = next;
    }
    states[pattern.len()]
}

/// A path with unreserved characters unescaped, single slashes, and none at the end.
fn tidy(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(char) = rest.chars().next() {
        let at = bytes.len() - rest.len();
        let escaped = (char == '%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .map(char::from)
            .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | '~'));
        let (char, length) = match escaped {
            Some(char) => (char, 3),
            None => (char, char.len_utf8()),
        };
        if !(char == '/' && out.ends_with('/')) {
            out.push(char);
        }
        rest = &rest[length..];
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(pattern: &str, url: &str) -> bool {
        UrlPattern::parse(pattern).unwrap().matches(&Url::parse(url).unwrap())
    }

    #[test]
    fn stars_stay_in_a_segment_and_double_stars_do_not() {
        assert!(hits("/account*", "https://a.test/account-1"));
        assert!(!hits("/account*", "https://a.test/account/1"));
        assert!(hits("/a/**/z", "https://a.test/a/b/c/z"));
        assert!(hits("/checkout/**", "https://a.test/checkout/pay?x=1#y"));
        assert!(hits("/checkout/**", "https://a.test/checkout"));
        assert!(!hits("/checkout/**", "https://a.test/checkouts"));
        assert!(hits("/**", "https://a.test/"));
    }

    #[test]
    fn spelling_makes_no_difference() {
        for url in ["/logout", "/logout/", "//logout", "/log%6Fut", "/x/../logout", "/logout?now"] {
            assert!(hits("/logout", &format!("https://a.test{url}")), "{url}");
        }
        assert!(!hits("/logout", "https://a.test/Logout"));
    }

    #[test]
    fn hosts_are_compared_when_given() {
        assert!(hits("https://*.shop.test/a", "https://www.SHOP.test:443/a"));
        assert!(!hits("https://shop.test/a", "http://shop.test/a"));
        assert!(!hits("https://shop.test/a", "https://shop.test:8443/a"));
        assert!(hits("https://shop.test/", "https://shop.test"));
        assert!(hits("/find?q=*", "https://a.test/find?q=1"));
        assert!(!hits("/find?q=*", "https://a.test/find"));
    }

    #[test]
    fn nonsense_is_refused_and_many_stars_are_fast() {
        for text in ["", "checkout", "ftp://a/b", "/a#b", "/a b", "https:///x"] {
            assert!(UrlPattern::parse(text).is_err(), "{text}");
        }
        let pattern = "/".to_owned() + &"*a".repeat(500) + "b";
        assert!(!hits(&pattern, &format!("https://a.test/{}", "a".repeat(5_000))));
    }
}
