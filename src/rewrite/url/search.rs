//! Finds the URLs of mapped hosts in text that is not parsed.
//!
//! The search goes for the byte of the host's name that is rarest in pages, so text that does not name it costs
//! next to nothing; what stands before and behind is looked at only there.

use super::{Entry, Table};

/// How the delimiters of a URL are written.
#[derive(Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The two slashes.
    slashes: &'static str,
    /// The colon: before the port as the first one says, after the scheme as any.
    colons: &'static [&'static str],
}

const SPELLINGS: [Spelling; 8] = [
    Spelling { slashes: "//", colons: &[":", "&#58;", "&#x3a;", "&colon;"] },
    // JSON, and scripts that care about `</script>`
    Spelling { slashes: "\\/\\/", colons: &[":"] },
    // a URL in the query of another
    Spelling { slashes: "%2F%2F", colons: &["%3A", ":"] },
    Spelling { slashes: "%252F%252F", colons: &["%253A"] },
    // template engines that trust nothing
    Spelling { slashes: "&#x2F;&#x2F;", colons: &[":", "&#x3a;"] },
    Spelling { slashes: "&#47;&#47;", colons: &[":", "&#58;"] },
    Spelling { slashes: "\\u002F\\u002F", colons: &[":", "\\u003a"] },
    Spelling { slashes: "\\x2F\\x2F", colons: &[":", "\\x3a"] },
];

const SCHEMES: [(&str, bool); 4] = [("https", true), ("http", false), ("wss", true), ("ws", false)];

/// More than what can stand before a host's name: the longest scheme, colon and slashes.
const BEFORE: usize = 32;

/// Letters and digits, the rarest in HTML first; what is not here is too common.
const RARE: &[u8] = b"qzjxkwvy7983645bg2f0u1mphdlcorsniate";

/// A URL of a mapped host.
#[derive(Debug, Clone, Copy)]
pub struct Found<'t> {
    /// Where its scheme begins, or its slashes if it has none.
    pub start: usize,
    /// Behind its authority.
    pub end: usize,
    /// Whether it has a scheme.
    pub absolute: bool,
    /// How it is written.
    pub spelling: &'static Spelling,
    entry: &'t Entry,
    scheme: Option<(&'static str, &'static str)>,
}

impl Found<'_> {
    /// What takes the place of `start..end`, in the same spelling.
    pub fn replacement(&self) -> String {
        let to = &self.entry.to;
        let (scheme, colon) = match self.scheme {
            None => ("", ""),
            Some(("ws" | "wss", colon)) => (if to.secure { "wss" } else { "ws" }, colon),
            Some((_, colon)) => (if to.secure { "https" } else { "http" }, colon),
        };
        format!("{scheme}{colon}{}{}", self.spelling.slashes, to.authority(self.spelling.colons[0]))
    }

    /// Whether it is written as in text: plain, or with entities.
    pub fn is_text(&self) -> bool {
        self.spelling.slashes == "//" || self.spelling.slashes.starts_with('&')
    }

    /// Whether it is written as a part of another URL.
    pub fn is_query(&self) -> bool {
        self.spelling.slashes.starts_with('%')
    }
}

/// What a host's name is followed by.
enum Tail {
    /// The authority is over here.
    Ends(usize),
    /// It is another one.
    Other,
    /// More text is needed.
    Open,
}

impl Table {
    /// The URL that begins exactly here, plainly spelled; nothing comes after `text`.
    pub(super) fn at<'t>(&'t self, text: &[u8], start: usize) -> Option<Found<'t>> {
        let rest = text.get(start..)?;
        let scheme = SCHEMES
            .iter()
            .find(|(name, _)| starts_with(rest, name.as_bytes()) && rest.get(name.len()) == Some(&b':'));
        let slashes = start + scheme.map_or(0, |(name, _)| name.len() + 1);
        if !starts_with(text.get(slashes..)?, b"//") {
            return None;
        }
        let host = slashes + 2;
        let named = |entry: &&Entry| {
            text.get(host..).is_some_and(|rest| starts_with(rest, entry.from.host.as_bytes()))
        };
        self.entries.iter().filter(named).find_map(|entry| match entry.found(text, b' ', host, true) {
            Some(Ok(found)) => Some(found),
            _ => None,
        })
    }

    /// Adds all URLs of mapped hosts in `text` to `out`, in order. `last`: nothing comes after it. Else the answer
    /// is where something begins that may become one when more comes: search again from there. `before` is the byte
    /// before `text`, or a space at the very beginning.
    pub fn search<'t>(&'t self, before: u8, text: &[u8], last: bool, out: &mut Vec<Found<'t>>) -> usize {
        let mut open = if last { text.len() } else { self.beginning(text) };
        self.occurrences(text, |entry, host| match entry.found(text, before, host, last) {
            Some(Ok(found)) => out.push(found),
            Some(Err(start)) => open = open.min(start),
            None => {}
        });
        if self.entries.len() > 1 {
            out.sort_by_key(|found| found.start);
        }
        while out.last().is_some_and(|found| found.end > open) {
            out.pop();
        }
        open
    }

    /// Calls `at` wherever a host's name stands, in any case; hosts that share their rarest byte share the search.
    fn occurrences<'t>(&'t self, text: &[u8], mut at: impl FnMut(&'t Entry, usize)) {
        for (rare, sharing) in &self.rare {
            let mut hit = |hit: usize| {
                for entry in sharing.iter().map(|entry| &self.entries[*entry]) {
                    let Some(start) = hit.checked_sub(entry.rare) else { continue };
                    if text.get(start..).is_some_and(|rest| starts_with(rest, entry.from.host.as_bytes())) {
                        at(entry, start);
                    }
                }
            };
            let upper = rare.to_ascii_uppercase();
            if upper == *rare {
                memchr::memchr_iter(*rare, text).for_each(&mut hit);
            } else {
                memchr::memchr2_iter(*rare, upper, text).for_each(&mut hit);
            }
        }
    }

    /// Where the longest end of `text` begins that a URL of a mapped host may begin with.
    fn beginning(&self, text: &[u8]) -> usize {
        let longest = self.entries.iter().map(|entry| entry.from.host.len()).max().unwrap_or(0) + BEFORE;
        let from = text.len().saturating_sub(longest);
        let may = |start: &usize| {
            let rest = &text[*start..];
            matches!(rest[0], b'h' | b'H' | b'w' | b'W' | b':' | b'/' | b'\\' | b'%' | b'&')
                && self.may_become(rest)
        };
        (from..text.len()).find(may).unwrap_or(text.len())
    }

    /// Whether all of `text` is the beginning of a URL of a mapped host, up to its host's name.
    fn may_become(&self, text: &[u8]) -> bool {
        let schemes = SCHEMES.iter().map(|(name, _)| *name).chain([""]);
        schemes.into_iter().any(|scheme| match after(text, scheme) {
            After::Begins => true,
            After::Other => false,
            After::Rest(rest) => SPELLINGS.iter().any(|spelling| {
                // A colon stays with its slashes: what has another scheme is no URL of ours.
                let none = scheme.is_empty().then_some("");
                spelling.colons.iter().copied().chain(none).any(|colon| match after(rest, colon) {
                    After::Begins => true,
                    After::Other => false,
                    After::Rest(rest) => match after(rest, spelling.slashes) {
                        After::Begins => true,
                        After::Other => false,
                        After::Rest(rest) => self
                            .entries
                            .iter()
                            .any(|entry| matches!(after(rest, &entry.from.host), After::Begins)),
                    },
                })
            }),
        })
    }
}

impl Entry {
    /// The URL whose host's name begins at `host`, or where it begins if more text is needed to tell.
    fn found<'t>(
        &'t self,
        text: &[u8],
        first: u8,
        host: usize,
        last: bool,
    ) -> Option<Result<Found<'t>, usize>> {
        let before = &text[..host];
        let spelling = SPELLINGS.iter().find(|s| ends_with(before, s.slashes.as_bytes()))?;
        let slashes = host - spelling.slashes.len();
        let before = &text[..slashes];
        let colon = spelling.colons.iter().find(|colon| ends_with(before, colon.as_bytes()));
        let mut start = slashes;
        let mut scheme = None;
        let mut secure = None;
        if let Some(colon) = colon {
            let before = &text[..slashes - colon.len()];
            let (name, safe) = SCHEMES.iter().find(|(name, _)| {
                let longer = before.len().checked_sub(name.len() + 1).map_or(first, |at| before[at]);
                // In a query it may be the end of an escape: `%3Dhttps%3A%2F%2F`.
                ends_with(before, name.as_bytes())
                    && (!longer.is_ascii_alphanumeric() || spelling.slashes.starts_with('%'))
            })?;
            start -= colon.len() + name.len();
            (scheme, secure) = (Some((*name, *colon)), Some(*safe));
        }
        match self.tail(text, host + self.from.host.len(), spelling, secure, last) {
            Tail::Ends(end) => {
                Some(Ok(Found { start, end, absolute: scheme.is_some(), spelling, entry: self, scheme }))
            }
            Tail::Other => None,
            Tail::Open => Some(Err(start)),
        }
    }

    fn tail(&self, text: &[u8], at: usize, spelling: &Spelling, secure: Option<bool>, last: bool) -> Tail {
        let colon = spelling.colons[0];
        let rest = &text[at..];
        let (mut end, mut port) = (at, None);
        match after(rest, colon) {
            After::Begins if !last => return Tail::Open,
            After::Rest(rest) => {
                let digits = rest.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
                if digits == rest.len() && !last {
                    return Tail::Open;
                }
                let text = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
                if digits > 0 {
                    let Ok(number) = text.parse::<u16>() else { return Tail::Other };
                    port = Some(number);
                    end = at + colon.len() + digits;
                } else {
                    // A password, or a colon that is not part of the URL.
                    return Tail::Other;
                }
            }
            After::Begins | After::Other => {}
        }
        if !self.from.is_named(secure, port) {
            return Tail::Other;
        }
        match ends_here(&text[end..], spelling) {
            Some(true) => Tail::Ends(end),
            Some(false) => Tail::Other,
            None if last => Tail::Ends(end),
            None => Tail::Open,
        }
    }
}

/// Whether a host's name is over before `rest`; None if `rest` is too short to tell.
fn ends_here(rest: &[u8], spelling: &Spelling) -> Option<bool> {
    let byte = *rest.first()?;
    let part_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@:~".contains(&byte) || byte >= 0x80;
    match (byte, spelling.slashes) {
        (b'%', "%2F%2F") => Some(!part_of_name(hex(rest.get(1..3)?)?)),
        (b'%', "%252F%252F") => Some(rest.get(1..3)? == b"25" && !part_of_name(hex(rest.get(3..5)?)?)),
        (b'%', _) => Some(false),
        // In a query, an entity or a next parameter; else an entity.
        (b'&', "%2F%2F" | "%252F%252F") => Some(true),
        (b'&', _) => Some(!starts_with(rest, b"&#") || *rest.get(2)? != b'4' || *rest.get(3)? == b'7'),
        (byte, _) => Some(!part_of_name(byte)),
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    // What is no escape ends a name.
    Some(std::str::from_utf8(digits).ok().and_then(|d| u8::from_str_radix(d, 16).ok()).unwrap_or(0))
}

enum After<'a> {
    /// The text begins with it; the rest.
    Rest(&'a [u8]),
    /// The text ends within it.
    Begins,
    Other,
}

fn after<'a>(text: &'a [u8], prefix: &str) -> After<'a> {
    let prefix = prefix.as_bytes();
    let common = text.len().min(prefix.len());
    if !text[..common].eq_ignore_ascii_case(&prefix[..common]) {
        After::Other
    } else if common == prefix.len() {
        After::Rest(&text[common..])
    } else {
        After::Begins
    }
}

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn ends_with(text: &[u8], suffix: &[u8]) -> bool {
    text.len() >= suffix.len() && text[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

/// The place of the byte that is rarest in pages.
pub(super) fn rarest(host: &[u8]) -> usize {
    let rank = |byte: &u8| RARE.iter().position(|rare| rare == byte).unwrap_or(RARE.len());
    (0..host.len()).min_by_key(|at| rank(&host[*at])).unwrap_or(0)
}
