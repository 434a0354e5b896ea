//! The chunked transfer coding (RFC 9112, section 7.1) of responses, read strictly and without copying.
//!
//! Two readers must not find two ends: a size is hexadecimal digits alone, lines end with CR LF, and what a line or
//! the trailer may take is bounded.

use bytes::{Buf, Bytes, BytesMut};
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;

/// The longest line with a chunk's size and extensions, in bytes.
const LINE: usize = 1024;
/// The longest trailer.
const TRAILER: usize = 16 * 1024;
const TRAILER_FIELDS: usize = 64;

/// Where in the coding the next byte is.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// A line, or the trailer, of which not all has come.
    partial: BytesMut,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line end after a chunk.
    End,
    Trailer,
    Over,
}

impl Chunked {
    /// Whether all of the body, and what follows it, has been read.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Takes the next frame off what was read; `None` if more must be read first, or all is over.
    ///
    /// # Errors
    ///
    /// What is wrong with the coding.
    pub(super) fn next(&mut self, read: &mut Bytes) -> Result<Option<Frame<Bytes>>, &'static str> {
        while !self.is_over() {
            match self.state {
                State::Data(left) => {
                    let size = usize::try_from(left).unwrap_or(usize::MAX).min(read.len());
                    if size == 0 {
                        return Ok(None);
                    }
                    let left = left - size as u64;
                    self.state = if left == 0 { State::End } else { State::Data(left) };
                    return Ok(Some(Frame::data(read.split_to(size))));
                }
                State::Size => {
                    let Some(line) = self.line(read, LINE)? else { return Ok(None) };
                    self.state = match size(&line)? {
                        0 => State::Trailer,
                        size => State::Data(size),
                    };
                }
                State::End => {
                    let Some(line) = self.line(read, 2)? else { return Ok(None) };
                    if line != b"\r\n"[..] {
                        return Err("no line end after a chunk");
                    }
                    self.state = State::Size;
                }
                State::Trailer => {
                    // Lines are collected until the empty one; without any, that is the first.
                    let before = self.partial.len();
                    let Some(end) = memchr::memchr(b'\n', read) else {
                        self.keep(read, TRAILER)?;
                        return Ok(None);
                    };
                    let line = read.split_to(end + 1);
                    let starts_line = before == 0 || self.partial.ends_with(b"\n");
                    if starts_line && line == b"\r\n"[..] {
                        self.state = State::Over;
                        let fields = std::mem::take(&mut self.partial);
                        return if fields.is_empty() { Ok(None) } else { trailers(fields).map(Some) };
                    }
                    self.keep(&mut line.clone(), TRAILER)?;
                    if self.partial == b"\r\n"[..] {
                        // The empty line came in two pieces.
                        self.state = State::Over;
                        self.partial.clear();
                    } else if self.partial.ends_with(b"\n\r\n") {
                        let mut fields = std::mem::take(&mut self.partial);
                        fields.truncate(fields.len() - 2);
                        self.state = State::Over;
                        return trailers(fields).map(Some);
                    }
                }
                State::Over => {}
            }
        }
        Ok(None)
    }

    /// The next line with its end, of at most `limit` bytes.
    fn line(&mut self, read: &mut Bytes, limit: usize) -> Result<Option<Bytes>, &'static str> {
        let Some(end) = memchr::memchr(b'\n', &read[..read.len().min(limit)]) else {
            self.keep(read, limit)?;
            return Ok(None);
        };
        let line = read.split_to(end + 1);
        if self.partial.is_empty() {
            return Ok(Some(line));
        }
        self.keep(&mut line.clone(), limit)?;
        Ok(Some(self.partial.split().freeze()))
    }

    fn keep(&mut self, read: &mut Bytes, limit: usize) -> Result<(), &'static str> {
        if self.partial.len() + read.len() > limit {
            return Err("a line of the chunked coding is too long");
        }
        self.partial.extend_from_slice(read);
        read.advance(read.len());
        Ok(())
    }
}

/// The number that a chunk's line begins with; extensions are of no meaning here.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    let wrong = "size of a chunk";
    let line = line.strip_suffix(b"\r\n").ok_or(wrong)?;
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, extension) = line.split_at(end);
    if !matches!(extension.trim_ascii_start().first(), None | Some(b';')) || extension.contains(&b'\r') {
        return Err(wrong);
    }
    // At most sixteen digits: more could only be zeros before them, which nobody sends.
    if digits.is_empty() || digits.len() > 16 {
        return Err(wrong);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| wrong)?;
    u64::from_str_radix(digits, 16).map_err(|_| wrong)
}

fn trailers(fields: BytesMut) -> Result<Frame<Bytes>, &'static str> {
    let wrong = "trailer";
    let mut slots = [httparse::EMPTY_HEADER; TRAILER_FIELDS];
    // The empty line that ends them is not among them.
    let text = [&fields[..], b"\r\n"].concat();
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&text, &mut slots) else {
        return Err(wrong);
    };
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| wrong)?;
        headers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| wrong)?);
    }
    Ok(Frame::trailers(headers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    /// Data, trailer, and what is left over.
    type Body = (Vec<u8>, Option<HeaderMap>, Vec<u8>);

    /// What a reader gets that is given the bytes in these pieces.
    fn read(pieces: &[&[u8]]) -> Result<Option<Body>, &'static str> {
        let (mut chunked, mut data, mut trailer) = (Chunked::default(), Vec::new(), None);
        let mut left = Vec::new();
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(frame) = chunked.next(&mut piece)? {
                match frame.into_data() {
                    Ok(bytes) => data.extend_from_slice(&bytes),
                    Err(frame) => trailer = frame.into_trailers().ok(),
                }
            }
            left.extend_from_slice(&piece);
        }
        Ok(chunked.is_over().then_some((data, trailer, left)))
    }

    fn bytes(pieces: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
        read(pieces).unwrap().map(|(data, _, left)| (data, left))
    }

    #[test]
    fn reads_what_the_coding_says() {
        for (coded, data, left) in [
            ("0\r\n\r\n", "", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc", ""),
            ("3;a=b\r\nabc\r\n2 ; c\r\nde\r\n0\r\n\r\nHTTP", "abcde", "HTTP"),
            ("000A\r\n0123456789\r\n00\r\n\r\n", "0123456789", ""),
            ("1\r\n\n\r\n0\r\n\r\n", "\n", ""),
        ] {
            let whole = bytes(&[coded.as_bytes()]);
            assert_eq!(whole, Some((data.into(), left.into())), "{coded:?}");
            let each: Vec<&[u8]> = coded.as_bytes().chunks(1).collect();
            assert_eq!(bytes(&each), whole, "{coded:?} byte by byte");
        }
    }

    #[test]
    fn a_trailer_is_passed_on() {
        let coded = b"1\r\na\r\n0\r\nDigest: x\r\nOther: y\r\n\r\nrest";
        for size in 1..=coded.len() {
            let pieces: Vec<&[u8]> = coded.chunks(size).collect();
            let (data, trailer, left) = read(&pieces).unwrap().unwrap();
            let trailer = trailer.unwrap();
            assert_eq!((&data[..], &left[..]), (&b"a"[..], &b"rest"[..]));
            assert_eq!(
                (trailer.len(), &trailer["digest"], &trailer["other"]),
                (2, &"x".parse().unwrap(), &"y".parse().unwrap())
            );
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let long_line = format!("1;{}\r\n", "x".repeat(2 * LINE));
        let long_trailer = format!("0\r\n{}\r\n", "A: b\r\n".repeat(TRAILER));
        for coded in [
            "\r\n",
            "x\r\n",
            "+1\r\na\r\n",
            "0x1\r\na\r\n",
            "-1\r\n",
            "1\na\n",
            "1 2\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "10000000000000000\r\n",
            "1\r\nax\r\n",
            "1;a\rb\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\n x: y\r\n\r\n",
            &long_line,
            &long_trailer,
        ] {
            assert!(read(&[coded.as_bytes()]).is_err(), "{coded:?}");
            let each: Vec<&[u8]> = coded.as_bytes().chunks(1).collect();
            assert!(read(&each).is_err(), "{coded:?} byte by byte");
        }
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn cuts_never_matter(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cuts in prop::collection::vec(0usize..300, 0..6),
        ) {
            let mut coded = Vec::new();
            for chunk in &chunks {
                coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
            }
            coded.extend_from_slice(b"0\r\n\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(coded.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&coded[from..cut]);
                from = cut;
            }
            pieces.push(&coded[from..]);
            prop_assert_eq!(bytes(&pieces), Some((chunks.concat(), Vec::new())));
        }

        #[test]
        fn nothing_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "0", "1", "a", "F", "\r", "\n", "\r\n", ";", " ", "x: y", "0\r\n", "\r\n\r\n",
        ]), 0..24)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            let whole = pieces.concat();
            prop_assert_eq!(read(&pieces).is_ok(), read(&[&whole]).is_ok());
        }
    }
}
