//! URL patterns of policy files: `/checkout/**`, with a host `https://shop.example.com/account*`, or a table in the
//! syntax of the web's `URLPattern`.
//!
//! Matching looks at what servers treat alike as alike: escapes of harmless characters, doubled and
//! trailing slashes make no difference, so `/log%6Fut/` does not slip past a rule for `/logout`. Time is bounded
//! by the lengths, whatever a pattern says: regular expressions never go back.

use std::sync::Arc;

use url::Url;
use urlpattern::regexp::RegExp;
use urlpattern::{Error, RegexSyntax, UrlPatternInit, UrlPatternMatchInput};

/// Bytes of a pattern.
const LENGTH: usize = 2_048;
/// Bytes of an address that is compared; what is longer matches what `**` at the end of a pattern allows.
const ADDRESS: usize = 16_384;
/// Bytes of a compiled regular expression.
const COMPILED: usize = 256 << 10;

/// A pattern for pages.
#[derive(Debug, Clone)]
pub(super) struct UrlPattern {
    /// As it was written.
    text: String,
    syntax: Syntax,
}

#[derive(Debug, Clone)]
enum Syntax {
    /// `*` stands for anything but `/`, `**` for anything; the query is ignored unless the pattern has one.
    Globs {
        origin: Option<Vec<Glob>>,
        path: Vec<Glob>,
        query: bool,
    },
    Web(Arc<urlpattern::UrlPattern<Bounded>>),
}

/// A regular expression in a `URLPattern`: of bounded size, and linear in time.
#[derive(Debug)]
struct Bounded(regex::Regex);

impl RegExp for Bounded {
    fn syntax() -> RegexSyntax {
        RegexSyntax::Rust
    }

    fn parse(pattern: &str, _flags: &str, _force_eval: bool) -> Result<Bounded, ()> {
        let built = regex::RegexBuilder::new(pattern).size_limit(COMPILED).dfa_size_limit(COMPILED).build();
        built.map(Bounded).map_err(drop)
    }

    /// Without the groups: nobody asks for them, and finding them takes longer.
    fn matches<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        self.0.is_match(text).then(Vec::new)
    }

    fn pattern_string(&self) -> &str {
        self.0.as_str()
    }
}

/// A pattern for sites: `https://*.example.com`.
#[derive(Debug, Clone)]
pub(super) struct SitePattern {
    text: String,
    origin: Vec<Glob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glob {
    Char(char),
    Star,
    StarStar,
}

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub(super) enum BadPattern {
    #[error("a URL pattern starts with `/`, `http://` or `https://`")]
    Start,
    #[error("a URL pattern can not have a fragment")]
    Fragment(usize),
    #[error("a URL pattern can not contain spaces")]
    Space(usize),
    #[error("`{name}` has no meaning here")]
    Name { at: usize, name: String },
    #[error("a URL pattern of more than {LENGTH} bytes")]
    Long,
    #[error("a site is a scheme and a host, and has no path")]
    SitePath(usize),
    #[error("a site starts with `http://` or `https://`")]
    SiteStart,
    #[error("not a URLPattern: {what}")]
    Web { at: Option<usize>, what: String },
}

impl BadPattern {
    /// The byte of the pattern from which on it is wrong, where that is known.
    pub(super) fn at(&self) -> usize {
        match self {
            BadPattern::Fragment(at) | BadPattern::Space(at) | BadPattern::SitePath(at) => *at,
            BadPattern::Name { at, .. } => *at,
            BadPattern::Web { at, .. } => at.unwrap_or(0),
            BadPattern::Start | BadPattern::Long | BadPattern::SiteStart => 0,
        }
    }

    /// What to write instead.
    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            BadPattern::Start => {
                "write `/checkout/**` for a path, `https://shop.example.com/**` for a whole address".into()
            }
            BadPattern::Fragment(_) => {
                "for pages that go by it write a table: `{ hash = \"/account/*\" }`".into()
            }
            BadPattern::Space(_) => "in addresses a space is `%20`".into(),
            BadPattern::Name { name, .. } => {
                format!("write `*`, or a table in URLPattern syntax: `{{ pathname = \"…{name}…\" }}`")
            }
            BadPattern::SitePath(_) => "paths belong into `urls`".into(),
            BadPattern::SiteStart => "write `https://shop.example.com` or `https://*.example.com`".into(),
            BadPattern::Long | BadPattern::Web { .. } => return None,
        })
    }
}

/// The parts of a `URLPattern` that a table can name.
pub(super) const PARTS: [&str; 7] = ["pattern", "protocol", "hostname", "port", "pathname", "search", "hash"];

impl UrlPattern {
    /// Reads a pattern written as a string.
    pub(super) fn parse(text: &str) -> Result<UrlPattern, BadPattern> {
        if text.len() > LENGTH {
            return Err(BadPattern::Long);
        }
        if let Some(at) = text.find('#') {
            return Err(BadPattern::Fragment(at));
        }
        if let Some(at) = text.find(char::is_whitespace) {
            return Err(BadPattern::Space(at));
        }
        let (origin, rest) = match text.split_once("://") {
            Some((scheme, rest)) if matches!(scheme, "http" | "https") => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(origin(scheme, &rest[..end]).ok_or(BadPattern::Start)?), &rest[end..])
            }
            _ if text.starts_with('/') => (None, text),
            _ => return Err(BadPattern::Start),
        };
        // No address has braces, and few have a segment that starts with a colon: what is meant is a `URLPattern`.
        let start = text.len() - rest.len();
        let names = ["/:", "{", "}"].iter().filter_map(|sign| rest.find(sign)).min();
        if let Some(at) = names.map(|at| at + usize::from(rest[at..].starts_with('/'))) {
            let name = rest[at..].split(['/', '?']).next().unwrap_or_default().to_owned();
            return Err(BadPattern::Name { at: start + at, name });
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (format!("{}?{query}", tidy(path)), true),
            None => (tidy(rest), false),
        };
        Ok(UrlPattern { text: text.to_owned(), syntax: Syntax::Globs { origin, path: globs(&path), query } })
    }

    /// Reads a `URLPattern` (<https://urlpattern.spec.whatwg.org>): its parts by name, `pattern` for all in one string.
    pub(super) fn web(parts: &[(&str, &str)]) -> Result<UrlPattern, BadPattern> {
        let shown: Vec<String> = parts.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
        if shown.iter().map(String::len).sum::<usize>() > LENGTH {
            return Err(BadPattern::Long);
        }
        let mut init = UrlPatternInit::default();
        for (name, value) in parts {
            let value = Some((*value).to_owned());
            match *name {
                "protocol" => init.protocol = value,
                "hostname" => init.hostname = value,
                "port" => init.port = value,
                "pathname" => init.pathname = value,
                "search" => init.search = value,
                "hash" => init.hash = value,
                // Alone: the reader sees to it.
                _ => init = constructor(value.as_deref().unwrap_or_default()).map_err(explain)?,
            }
        }
        let pattern = urlpattern::UrlPattern::parse(init, Default::default()).map_err(explain)?;
        Ok(UrlPattern { text: format!("{{ {} }}", shown.join(", ")), syntax: Syntax::Web(Arc::new(pattern)) })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it stands for one path, and not for all that look alike.
    pub(super) fn names_one(&self) -> bool {
        match &self.syntax {
            Syntax::Globs { path, .. } => path.iter().all(|glob| matches!(glob, Glob::Char(_))),
            Syntax::Web(_) => false,
        }
    }

    /// Whether it has regular expressions, which take memory.
    pub(super) fn is_heavy(&self) -> bool {
        matches!(&self.syntax, Syntax::Web(pattern) if pattern.has_regexp_groups())
    }

    /// Whether the pattern is for this URL.
    pub(super) fn matches(&self, url: &Url) -> bool {
        match &self.syntax {
            Syntax::Globs { origin, path, query } => {
                origin.as_ref().is_none_or(|origin| matches(origin, &url.origin().ascii_serialization()))
                    && globs_match(path, *query, url)
            }
            Syntax::Web(pattern) => {
                let test = |url: &Url| {
                    // No rule is about a path as long as that; in doubt it is this one.
                    url.path().len() > ADDRESS
                        || pattern.test(UrlPatternMatchInput::Url(url.clone())).unwrap_or(false)
                };
                let mut whole = url.clone();
                if url.as_str().len() > 2 * ADDRESS {
                    whole.set_query(None);
                    whole.set_fragment(None);
                }
                let mut plain = whole.clone();
                plain.set_path(&tidy(url.path()));
                test(&whole) || (plain != whole && test(&plain))
            }
        }
    }
}

impl SitePattern {
    /// Reads scheme, host and port; `*` stands for one or more labels of the host.
    pub(super) fn parse(text: &str) -> Result<SitePattern, BadPattern> {
        if text.len() > LENGTH {
            return Err(BadPattern::Long);
        }
        let (scheme, host) = text.split_once("://").ok_or(BadPattern::SiteStart)?;
        if !matches!(scheme, "http" | "https") {
            return Err(BadPattern::SiteStart);
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if let Some(at) = host.find(['/', '?', '#', ' ']) {
            return Err(BadPattern::SitePath(scheme.len() + 3 + at));
        }
        let origin = origin(scheme, host).ok_or(BadPattern::SiteStart)?;
        Ok(SitePattern { text: text.to_owned(), origin })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the page of this URL is one of the site.
    pub(super) fn matches(&self, url: &Url) -> bool {
        matches(&self.origin, &url.origin().ascii_serialization())
    }
}

fn origin(scheme: &str, host: &str) -> Option<Vec<Glob>> {
    let port = if scheme == "http" { ":80" } else { ":443" };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(port).unwrap_or(&host);
    (!host.is_empty()).then(|| globs(&format!("{scheme}://{host}")))
}

fn globs_match(path: &[Glob], query: bool, url: &Url) -> bool {
    let mut address = tidy(url.path());
    if query {
        address.push('?');
        address.push_str(url.query().unwrap_or(""));
    }
    let mut end = address.len().min(ADDRESS);
    while !address.is_char_boundary(end) {
        end -= 1;
    }
    matches(path, &address[..end])
        // `/checkout/**` is about `/checkout` too.
        || (path.ends_with(&[Glob::Char('/'), Glob::StarStar])
            && matches(&path[..path.len() - 2], &address[..end]))
}

/// A path, or a whole address.
fn constructor(text: &str) -> Result<UrlPatternInit, Error> {
    if !text.starts_with('/') {
        return UrlPatternInit::parse_constructor_string::<Bounded>(text, None);
    }
    let whole =
        UrlPatternInit::parse_constructor_string::<Bounded>(&format!("https://site.invalid{text}"), None)?;
    Ok(UrlPatternInit { protocol: None, hostname: None, port: None, ..whole })
}

fn explain(error: Error) -> BadPattern {
    let at = match &error {
        Error::Tokenizer(_, at) => Some(*at),
        _ => None,
    };
    let what = match &error {
        Error::RegExp(()) => "the regular expression in it can not be read, or is too large".to_owned(),
        Error::BaseUrlRequired => "it starts with `/`, or with a scheme".to_owned(),
        Error::Tokenizer(what, _) => what.to_string(),
        other => other.to_string(),
    };
    BadPattern::Web { at, what }
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

    fn web(parts: &[(&str, &str)], url: &str) -> bool {
        UrlPattern::web(parts).unwrap().matches(&Url::parse(url).unwrap())
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

    #[test]
    fn a_table_is_a_pattern_of_the_web() {
        let order = [("pathname", "/orders/:id(\\d+)/:part?")];
        assert!(web(&order, "https://a.test/orders/12"));
        assert!(web(&order, "https://a.test/orders/12/items?x=1#y"));
        assert!(!web(&order, "https://a.test/orders/new"));
        assert!(web(&order, "https://a.test//orders/%31%32/"), "spelling makes no difference");
        assert!(web(&[("hash", "/account/*")], "https://a.test/app#/account/cards"));
        assert!(!web(&[("hash", "/account/*")], "https://a.test/app#/help"));
        assert!(web(&[("search", "*step=:n*")], "https://a.test/form?step=2"));
        assert!(web(&[("hostname", "{*.}?shop.test"), ("protocol", "http{s}?")], "http://www.shop.test/"));
        assert!(!web(&[("hostname", "{*.}?shop.test")], "http://workshop.test/"));
        assert!(web(&[("pattern", "/books/:id/:page?")], "https://a.test/books/1/2"));
        assert!(web(&[("pattern", "https://*.shop.test/books/*")], "https://www.shop.test/books/1"));
        assert!(!web(&[("pattern", "https://*.shop.test/books/*")], "https://shop.test/books/1"));
    }

    #[test]
    fn what_is_no_pattern_of_the_web_says_so() {
        for parts in
            [("pathname", "/a/(["), ("pathname", "/a/:"), ("pathname", "/{a"), ("pattern", "books/*")]
        {
            let error = UrlPattern::web(&[parts]).expect_err(parts.1).to_string();
            assert!(error.starts_with("not a URLPattern: "), "{error}");
        }
        for text in ["/a/:id", "/a{b}"] {
            assert!(UrlPattern::parse(text).unwrap_err().hint().unwrap().contains("pathname"), "{text}");
        }
        assert!(hits("/wiki/File:A_(1)", "https://a.test/wiki/File:A_(1)"));
    }

    #[test]
    fn regular_expressions_take_no_more_time_than_their_text() {
        let started = std::time::SystemTime::now();
        let address = format!("https://a.test/{}", "a".repeat(16_000));
        assert!(!web(&[("pathname", "/(a|a)*b"), ("search", "")], &address));
        assert!(!web(&[("pathname", "/((?:(?:a*)*)*)b")], &address));
        assert!(started.elapsed().unwrap().as_secs() < 5);
    }

    #[test]
    fn a_site_is_its_origin() {
        let is = |site: &str, url: &str| SitePattern::parse(site).unwrap().matches(&Url::parse(url).unwrap());
        assert!(
            is("https://shop.test", "https://shop.test/a/b")
                && is("https://shop.test:443/", "https://SHOP.test")
        );
        assert!(
            is("https://*.shop.test", "https://a.b.shop.test/x")
                && !is("https://*.shop.test", "https://shop.test/x")
        );
        assert!(
            !is("https://shop.test", "https://shop.test.evil.test/")
                && !is("https://shop.test", "http://shop.test/")
        );
        for text in ["shop.test", "ftp://a", "https://", "https://a/b", "https://a?x"] {
            assert!(SitePattern::parse(text).unwrap_err().hint().is_some(), "{text}");
        }
    }
}
