//! How the URLs of mapped hosts are mapped, both ways: the one place that knows.
//!
//! A mapped host is known to its origin server by one name and to browsers by another. What is mapped is the
//! scheme and the authority of a URL; path, query and fragment stay byte for byte. So the round trip is exact:
//! what became public and comes back is what it was, whatever is between.
//!
//! URLs are found as they are written in HTML, CSS, JSON and query strings: `https://host`, `//host`,
//! `https:\/\/host`, `https%3A%2F%2Fhost`, with entities for `:` and `/`, in upper or lower case. A host is one
//! only if nothing of a longer name or of user information follows: `//host.evil` and `//host@evil` are others.

mod search;
#[cfg(test)]
mod tests;

use url::Url;

pub use self::search::{Found, Spelling};

/// A host of a website: what its origin server calls it, and what browsers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// `http` or `https`, host and port, as the origin server names itself.
    pub origin: Url,
    /// The same, as browsers reach it.
    pub public: Url,
}

/// All mapped hosts of a website.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    to_public: Table,
    to_origin: Table,
}

impl Mapping {
    /// Where two pairs share a name, the first one counts.
    pub fn new(pairs: &[Pair]) -> Mapping {
        let sides: Vec<(Side, Side)> = pairs
            .iter()
            .filter_map(|pair| Some((Side::of(&pair.origin)?, Side::of(&pair.public)?)))
            .collect();
        Mapping {
            to_public: Table::new(sides.iter().map(|(origin, public)| (origin.clone(), public.clone()))),
            to_origin: Table::new(sides.iter().map(|(origin, public)| (public.clone(), origin.clone()))),
        }
    }

    /// What the origin servers say → what browsers are told.
    pub fn to_public(&self) -> &Table {
        &self.to_public
    }

    /// What browsers say → what the origin servers are told.
    pub fn to_origin(&self) -> &Table {
        &self.to_origin
    }

    /// Where a cookie for `domain`, set by the host `origin`, belongs in public. All mapped hosts that it was for
    /// must get it, so it is for the domain that their public names share.
    pub fn cookie_domain(&self, origin: &str, domain: &str) -> CookieDomain {
        let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
        if !is_within(origin, &domain) {
            return CookieDomain::Foreign;
        }
        let mut publics =
            self.to_public.entries.iter().filter(|e| is_within(&e.from.host, &domain)).map(|e| &*e.to.host);
        let Some(first) = publics.next() else { return CookieDomain::Foreign };
        match publics.try_fold(first, shared_domain) {
            Some(shared) if can_have_cookies(shared) => CookieDomain::Shared(shared.to_owned()),
            _ => CookieDomain::HostOnly,
        }
    }
}

/// The domain that all public names share, if browsers let them have cookies for it.
pub fn shared_public_domain(pairs: &[Pair]) -> Option<String> {
    let mut hosts = pairs.iter().filter_map(|pair| pair.public.host_str());
    let first = hosts.next()?;
    let shared = hosts.try_fold(first, shared_domain)?;
    can_have_cookies(shared).then(|| shared.to_ascii_lowercase())
}

/// What becomes of a cookie's `Domain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieDomain {
    /// It becomes this one.
    Shared(String),
    /// No domain is shared by all whom it was for: it is left out.
    HostOnly,
    /// The host may not set it; a browser refuses it, then as now.
    Foreign,
}

/// The mapping in one direction.
#[derive(Debug, Clone, Default)]
pub struct Table {
    entries: Vec<Entry>,
    /// The bytes that are searched for, and the entries whose hosts' names they are the rarest of.
    rare: Vec<(u8, Vec<usize>)>,
}

impl Table {
    fn new(pairs: impl Iterator<Item = (Side, Side)>) -> Table {
        let mut table = Table::default();
        for (from, to) in pairs {
            if !table.entries.iter().any(|entry| entry.from.host == from.host && entry.from.port == from.port)
            {
                let rare = search::rarest(from.host.as_bytes());
                let (byte, entry) = (from.host.as_bytes()[rare], table.entries.len());
                match table.rare.iter_mut().find(|(other, _)| *other == byte) {
                    Some((_, sharing)) => sharing.push(entry),
                    None => table.rare.push((byte, vec![entry])),
                }
                table.entries.push(Entry { rare, from, to });
            }
        }
        table
    }

    /// Whether there is nothing to map.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The URL with its scheme and authority mapped, if it is an absolute or a protocol-relative one of a mapped
    /// host. What is in its query stays as it is. White space before it is kept.
    pub fn url(&self, text: &str) -> Option<String> {
        let start = text.len() - text.trim_start().len();
        let found = self.at(text.as_bytes(), start)?;
        Some(format!("{}{}{}", &text[..start], found.replacement(), &text[found.end..]))
    }

    /// The origin (RFC 6454: scheme, host and port, nothing else), mapped.
    pub fn origin(&self, text: &str) -> Option<String> {
        let found = self.at(text.as_bytes(), 0)?;
        (found.end == text.len() && !text.starts_with('/')).then(|| found.replacement())
    }

    /// The value of a `Refresh` (HTML, "shared declarative refresh steps") with its URL mapped.
    pub fn refresh(&self, text: &str) -> Option<String> {
        let after_time = text.find([';', ','])? + 1;
        let mut at = after_time + spaces(&text[after_time..]);
        if let Some(key) = text.get(at..at + 3).filter(|key| key.eq_ignore_ascii_case("url")) {
            let equals = at + key.len() + spaces(&text[at + key.len()..]);
            if text[equals..].starts_with('=') {
                at = equals + 1 + spaces(&text[equals + 1..]);
            }
        }
        at += usize::from(text[at..].starts_with(['"', '\'']));
        Some(format!("{}{}", &text[..at], self.url(&text[at..])?))
    }

    /// `text` with every URL of a mapped host mapped, in every spelling, wherever it stands.
    pub fn everywhere(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.where_allowed(text, |_| true)
    }

    /// `text` with every URL of a mapped host mapped that follows one of these bytes, or begins it.
    pub fn following(&self, delimiters: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        self.where_allowed(text, |start| start.checked_sub(1).is_none_or(|at| delimiters.contains(&text[at])))
    }

    fn where_allowed(&self, text: &[u8], allowed: impl Fn(usize) -> bool) -> Option<Vec<u8>> {
        let mut found = Vec::new();
        self.search(b' ', text, true, &mut found);
        found.retain(|one| allowed(one.start));
        (!found.is_empty()).then(|| replaced(text, &found))
    }

    /// What a pattern of hosts (`*.example.com`) stands for: the mapped names of all that it covers, each as scheme
    /// and authority.
    pub fn covered(&self, suffix: &str) -> impl Iterator<Item = String> {
        let suffix = suffix.to_ascii_lowercase();
        let covered = move |host: &str| host.len() > suffix.len() && is_within(host, &suffix);
        self.entries.iter().filter(move |entry| covered(&entry.from.host)).map(|entry| entry.to.origin())
    }
}

/// `text` with these URLs mapped.
pub(super) fn replaced(text: &[u8], found: &[Found<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 32 * found.len());
    let mut at = 0;
    for one in found {
        out.extend_from_slice(&text[at..one.start]);
        out.extend_from_slice(one.replacement().as_bytes());
        at = one.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_whitespace()).len()
}

/// One host's two names, in one direction.
#[derive(Debug, Clone)]
struct Entry {
    from: Side,
    to: Side,
    /// Where in the host's name the byte is that is rarest in pages.
    rare: usize,
}

/// A host under one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Side {
    secure: bool,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

impl Side {
    fn of(url: &Url) -> Option<Side> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = url.host_str()?.to_ascii_lowercase();
        Some(Side { secure, host, port: url.port_or_known_default()? })
    }

    fn has_default_port(&self) -> bool {
        self.port == default_port(self.secure)
    }

    fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority(":"))
    }

    fn authority(&self, colon: &str) -> String {
        if self.has_default_port() { self.host.clone() } else { format!("{}{colon}{}", self.host, self.port) }
    }

    /// Whether a URL with this port, or none, names this host. Without a port the scheme does not matter: sites
    /// write `http:` and mean the page that redirects to `https:`. Neither does it with one, for a port speaks
    /// one of them only.
    fn is_named(&self, secure: Option<bool>, port: Option<u16>) -> bool {
        match port {
            None => self.has_default_port(),
            Some(port) => {
                port == self.port
                    || self.has_default_port() && secure.is_some_and(|secure| port == default_port(secure))
            }
        }
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Whether `host` is `domain` or below it.
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The longest domain that both are, or are below.
fn shared_domain<'h>(one: &'h str, other: &str) -> Option<&'h str> {
    let mut rest = one;
    loop {
        if is_within(other, rest) {
            return Some(rest);
        }
        rest = rest.split_once('.')?.1;
    }
}

/// Whether browsers let a host set cookies for this domain. They ask the Public Suffix List; here `com` and `co.uk`
/// are told by their shape.
fn can_have_cookies(domain: &str) -> bool {
    let address = domain.starts_with('[') || domain.parse::<std::net::Ipv4Addr>().is_ok();
    let labels: Vec<&str> = domain.split('.').collect();
    let registry = matches!(labels[..], [second, top] if top.len() == 2 && second.len() <= 3);
    !address && labels.len() > 1 && !registry
}
