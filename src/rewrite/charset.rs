//! Encodings in which a byte is not what it seems.
//!
//! In nearly all encodings of the web, a byte below 0x40 stands for itself: markup and URLs can be found without
//! decoding, whatever the letters between them are. Two families are different. ISO-2022-JP switches by escapes to
//! pairs of bytes that look like ASCII: [`Iso2022Jp`] shows a text with those pairs blanked out. UTF-16 has two
//! bytes for everything: [`Utf16`] turns it into UTF-8 and back.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use encoding_rs::{CoderResult, Encoding};

/// How a document has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Markup stands for itself.
    Plain,
    /// Unless it is within an escape.
    Iso2022Jp,
    /// Two bytes for each, the more significant one first or not.
    Utf16(Order),
    /// A browser shows nothing of it.
    Nothing,
}

/// Which byte of two comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The more significant one.
    Big,
    /// The less significant one.
    Little,
}

impl Reading {
    /// By the `charset` of the `Content-Type`; one that no browser knows says nothing.
    pub fn declared(charset: Option<&str>) -> Reading {
        let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes()));
        match encoding {
            Some(encoding) if encoding == encoding_rs::UTF_16BE => Reading::Utf16(Order::Big),
            Some(encoding) if encoding == encoding_rs::UTF_16LE => Reading::Utf16(Order::Little),
            Some(encoding) if encoding == encoding_rs::REPLACEMENT => Reading::Nothing,
            Some(encoding) if encoding == encoding_rs::ISO_2022_JP => Reading::Iso2022Jp,
            // No other encoding has these escapes, and pages without a charset may turn out to have this one.
            None => Reading::Iso2022Jp,
            Some(_) => Reading::Plain,
        }
    }

    /// With the first bytes of the document: a mark there wins. None if more of it is needed.
    pub fn marked(self, start: &[u8], last: bool) -> Option<Reading> {
        match start {
            [0xFE, 0xFF, ..] => Some(Reading::Utf16(Order::Big)),
            [0xFF, 0xFE, ..] => Some(Reading::Utf16(Order::Little)),
            [0xEF, 0xBB, 0xBF, ..] => Some(Reading::Plain),
            [] | [0xFE | 0xFF | 0xEF] | [0xEF, 0xBB] if !last => None,
            _ => Some(self),
        }
    }
}

/// A place in a text in ISO-2022-JP (Encoding standard, section 12.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Iso2022Jp {
    set: Set,
    escape: Escape,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Set {
    #[default]
    Ascii,
    Other,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    Single,
    Double,
}

impl Iso2022Jp {
    /// The text that follows, of the same length, with all that is not ASCII blanked out.
    pub fn view<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if *self == Iso2022Jp::default() && memchr::memchr(0x1B, text).is_none() {
            return Cow::Borrowed(text);
        }
        let mut place = *self;
        Cow::Owned(text.iter().map(|byte| if place.step(*byte) { *byte } else { 0x80 }).collect())
    }

    /// Moves on by this text.
    pub fn feed(&mut self, text: &[u8]) {
        if *self == Iso2022Jp::default() && memchr::memchr(0x1B, text).is_none() {
            return;
        }
        for byte in text {
            self.step(*byte);
        }
    }

    /// Whether the byte is one of ASCII.
    fn step(&mut self, byte: u8) -> bool {
        let (escape, set) = match (self.escape, byte) {
            (_, 0x1B) => (Escape::Begun, None),
            (Escape::Begun, b'(') => (Escape::Single, None),
            (Escape::Begun, b'$') => (Escape::Double, None),
            // Roman has a yen and an overline in two places; both are of no interest here.
            (Escape::Single, b'B' | b'J') => (Escape::None, Some(Set::Ascii)),
            (Escape::Single, b'I') | (Escape::Double, b'@' | b'B') => (Escape::None, Some(Set::Other)),
            _ => (Escape::None, None),
        };
        let within = self.escape != Escape::None || escape != Escape::None;
        self.escape = escape;
        if let Some(set) = set {
            self.set = set;
        }
        !within && self.set == Set::Ascii
    }
}

/// Turns UTF-16 into UTF-8, and back into the same bytes.
pub struct Utf16 {
    order: Order,
    decoder: encoding_rs::Decoder,
    /// Of UTF-8, the beginning of a character.
    partial: BytesMut,
}

impl Utf16 {
    /// For a document in this order of bytes; a mark at its start stays.
    pub fn new(order: Order) -> Utf16 {
        let encoding = match order {
            Order::Big => encoding_rs::UTF_16BE,
            Order::Little => encoding_rs::UTF_16LE,
        };
        Utf16 { order, decoder: encoding.new_decoder_without_bom_handling(), partial: BytesMut::new() }
    }

    /// The next piece in UTF-8. Half a pair becomes U+FFFD, which browsers show for it.
    pub fn decode(&mut self, piece: &[u8], last: bool) -> Bytes {
        let mut out = String::with_capacity(
            self.decoder.max_utf8_buffer_length(piece.len()).unwrap_or(piece.len() * 3 + 16),
        );
        let mut rest = piece;
        loop {
            let (result, read, _) = self.decoder.decode_to_string(rest, &mut out, last);
            rest = &rest[read..];
            match result {
                CoderResult::InputEmpty => return Bytes::from(out),
                CoderResult::OutputFull => out.reserve(rest.len() * 3 + 16),
            }
        }
    }

    /// A piece in UTF-8, back in UTF-16.
    pub fn encode(&mut self, piece: &[u8]) -> Bytes {
        self.partial.extend_from_slice(piece);
        let whole = match std::str::from_utf8(&self.partial) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = self.partial.split_to(whole);
        let mut out = BytesMut::with_capacity(whole * 2);
        for unit in std::str::from_utf8(&text).unwrap_or_default().encode_utf16() {
            let bytes = match self.order {
                Order::Big => unit.to_be_bytes(),
                Order::Little => unit.to_le_bytes(),
            };
            out.extend_from_slice(&bytes);
        }
        out.freeze()
    }
}
