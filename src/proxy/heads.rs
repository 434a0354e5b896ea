//! Notices requests of HTTP/1 that say twice where they end, by two lengths or by a length and a coding: hyper hides
//! that, and others might believe the other one (RFC 9112, section 6.3).
//!
//! The bytes are hyper's to read and to judge. Here they are only followed as far as is needed to know where heads
//! begin; what is malformed ends the connection in hyper, whatever is made of it here.

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";

/// How much of a line is looked at if it comes in pieces: more than a name, and a length or a size.
const LINE: usize = 64;

/// The requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Heads {
    next: Next,
    /// Bytes of a body, or of one chunk of it, that are passed over until then.
    skip: u64,
    /// A line's beginning that has come.
    begun: Vec<u8>,
    length: Option<u64>,
    coded: bool,
    /// There were two lengths.
    again: bool,
    /// A line of the head has come.
    in_head: bool,
    /// Heads that have come whole.
    count: u64,
}

/// What the next line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Head,
    ChunkSize,
    Trailer,
}

impl Heads {
    /// Bytes have come. The answer is which request it is, counted from one, that says it twice.
    pub(super) fn came(&mut self, mut bytes: &[u8]) -> Option<u64> {
        let mut doubled = None;
        loop {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                let room = LINE.saturating_sub(self.begun.len());
                self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
                return doubled;
            };
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.begun.is_empty() {
                self.line(line, &mut doubled);
            } else {
                let mut whole = std::mem::take(&mut self.begun);
                let room = LINE.saturating_sub(whole.len());
                whole.extend_from_slice(&line[..line.len().min(room)]);
                self.line(&whole, &mut doubled);
            }
            bytes = rest;
        }
    }

    fn line(&mut self, line: &[u8], doubled: &mut Option<u64>) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.next {
            Next::Head if !line.is_empty() => {
                self.in_head = true;
                match line.first().map(u8::to_ascii_lowercase) {
                    Some(b'c') => {
                        if let Some(length) = value(line, LENGTH) {
                            self.again |= self.length.replace(number::<10>(length)).is_some();
                        }
                    }
                    Some(b't') => self.coded |= value(line, CODING).is_some(),
                    _ => {}
                }
            }
            // Empty lines before a request count for nothing.
            Next::Head if !self.in_head => {}
            Next::Head => {
                self.count += 1;
                self.in_head = false;
                let (length, coded) = (self.length.take(), std::mem::take(&mut self.coded));
                if std::mem::take(&mut self.again) || coded && length.is_some() {
                    doubled.get_or_insert(self.count);
                }
                match coded {
                    true => self.next = Next::ChunkSize,
                    false => self.skip = length.unwrap_or(0),
                }
            }
            Next::ChunkSize => match number::<16>(line) {
                0 => self.next = Next::Trailer,
                size => self.skip = size.saturating_add(2),
            },
            Next::Trailer if line.is_empty() => self.next = Next::Head,
            Next::Trailer => {}
        }
    }
}

/// What stands behind `name` and a colon.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let rest = line
        .get(..name.len())
        .filter(|start| start.eq_ignore_ascii_case(name))
        .map(|_| &line[name.len()..])?;
    rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii)
}

/// The number that `text` begins with.
fn number<const BASE: u32>(text: &[u8]) -> u64 {
    let digits = text.iter().map_while(|byte| char::from(*byte).to_digit(BASE));
    digits.fold(0u64, |number, digit| number.saturating_mul(u64::from(BASE)).saturating_add(u64::from(digit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    const BOTH: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\ncontent-LENGTH: 4\r\n\r\n";

    fn doubled(text: &str) -> Option<u64> {
        Heads::default().came(text.as_bytes())
    }

    #[test]
    fn two_ends_of_one_request_are_noticed() {
        assert_eq!(doubled(BOTH), Some(1));
        assert_eq!(doubled("\r\n\r\nPOST / HTTP/1.1\nContent-Length : 4\nTransfer-Encoding:x\n\n"), Some(1));
        assert_eq!(doubled("POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n"), Some(1));
        for before in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nPOST",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\n\r\n\r\n\r\n0\r\nA: b\r\n\r\n",
        ] {
            assert_eq!(doubled(&format!("{before}{BOTH}")), Some(2), "{before}");
        }
    }

    #[test]
    fn what_is_in_bodies_or_in_two_heads_is_not() {
        for text in [
            &format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{BOTH}", BOTH.len()),
            &format!(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{BOTH}\r\n0\r\n\r\n",
                BOTH.len()
            ),
            "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nA: Content-Length: 0\r\nTransfer-Encoding-X: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding",
        ] {
            assert_eq!(doubled(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn cuts_never_matter(
            parts in prop::collection::vec(prop::sample::select(vec![
                BOTH, "GET / HTTP/1.1\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "\n", "3\r\nabc\r\n",
                "0\r\n", "abc", "Cookie: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
            ]), 0..20),
            cuts in prop::collection::vec(1usize..40, 1..20),
        ) {
            let text = parts.concat();
            let (mut heads, mut rest, mut found) = (Heads::default(), text.as_bytes(), None);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                found = found.or(heads.came(piece));
                rest = after;
            }
            prop_assert_eq!(found, doubled(&text));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Heads::default().came(&bytes);
        }
    }
}
