//! The alphabet of binary frames: varints and strings with a table.
//!
//! A frame is [`VERSION`], the length of its text in bytes, how much of that its strings are, the text, and operations. All
//! strings of a frame, and after them all texts of nodes, are one text, in UTF-8, in the order of the operations; these only
//! say how long each is. So a browser writes, and reads, all of them with one call of its own: letter by letter they cost it
//! most of a snapshot. And the texts in an element it says all at once for a fraction of what each by itself costs.
//!
//! Every frame stands by itself: its string table starts with [`super::WORDS`] and grows only by the
//! frame's own strings, so a late joiner needs no history and no string of one role's view can slip
//! into another's. Integers are LEB128 (at most 5 bytes); signed ones are zigzag. A string is `0` + length (not kept),
//! `1` + length (kept: gets the next index), or `2 + index`. Lengths are in UTF-16 code units, as browsers count.
//!
//! A large frame may travel deflated: the byte [`DEFLATED`], then the frame as raw deflate (RFC 1951).

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::WORDS;

/// First byte of every binary frame.
pub const VERSION: u8 = 3;
/// First byte of a frame that is deflated.
pub const DEFLATED: u8 = 0;
/// Frames shorter than this (in bytes) are not worth deflating.
pub const LARGE: usize = 8_192;
/// Strings longer than this (in UTF-16 code units) are not kept in the table.
pub const KEPT: usize = 48;
/// A frame's table holds at most this many strings of its own.
pub const TABLE: usize = 65_536;

/// Why a frame could not be read. Nothing of its content is in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The frame ends inside a value.
    #[error("the frame ends in the middle of a value")]
    Truncated,
    /// A number does not fit 32 bits.
    #[error("a number is too large")]
    Number,
    /// The text is not UTF-8.
    #[error("the text is not UTF-8")]
    Utf8,
    /// A string or a text begins or ends inside a character.
    #[error("a string ends inside a character")]
    Cut,
    /// The operations have ended, and not all of the text is theirs.
    #[error("text is left over at the end of the frame")]
    Unused,
    /// A string refers to an entry that the table does not have.
    #[error("a string refers to an unknown table entry")]
    Entry,
    /// The frame is of another version of this format.
    #[error("the frame is of an unknown version")]
    Version,
    /// An operation, a node or a flag of unknown kind.
    #[error("an unknown kind of operation or node")]
    Kind,
    /// A limit of the format (depth, nodes, attributes) is exceeded.
    #[error("a limit is exceeded: {0}")]
    Limit(&'static str),
    /// Elements and ends do not pair.
    #[error("a subtree is not closed properly")]
    Nesting,
}

/// The frame in `bytes`, inflated if it was deflated.
///
/// # Errors
/// It inflates to more than `limit` bytes, or is no deflate stream.
pub fn inflate(bytes: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Malformed> {
    let Some((&DEFLATED, deflated)) = bytes.split_first() else { return Ok(bytes.into()) };
    let mut out = Vec::new();
    let read = DeflateDecoder::new(deflated).take(limit as u64 + 1).read_to_end(&mut out);
    match read {
        Err(_) => Err(Malformed::Truncated),
        Ok(length) if length > limit => Err(Malformed::Limit("bytes of a frame")),
        Ok(_) => Ok(out.into()),
    }
}

/// A frame as it travels: deflated when it is large.
pub fn deflate(frame: Vec<u8>) -> Vec<u8> {
    if frame.len() < LARGE {
        return frame;
    }
    let mut out = DeflateEncoder::new(vec![DEFLATED], Compression::fast());
    match out.write_all(&frame).and_then(|()| out.finish()) {
        Ok(deflated) => deflated,
        // Writing to memory does not fail; if it did, the frame is as good as it is.
        Err(_) => frame,
    }
}

/// Reads values from one frame.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The operations that are not read yet.
    rest: &'a [u8],
    /// What the strings say that are not read yet.
    strings: &'a str,
    /// And the texts.
    texts: &'a str,
    own: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Starts at the first operation of a frame.
    ///
    /// # Errors
    /// It is of another version, or its text is not all there or not UTF-8.
    pub fn new(frame: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { rest: frame, strings: "", texts: "", own: Vec::new() };
        if reader.byte()? != VERSION {
            return Err(Malformed::Version);
        }
        let (length, units) = (reader.uint()? as usize, reader.uint()?);
        let (text, rest) = reader.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        reader.texts = std::str::from_utf8(text).map_err(|_| Malformed::Utf8)?;
        reader.strings = take(&mut reader.texts, units)?;
        reader.rest = rest;
        Ok(reader)
    }

    /// Whether all operations are read.
    ///
    /// # Errors
    /// They are, and text is left over.
    pub fn at_end(&self) -> Result<bool, Malformed> {
        match (self.rest.is_empty(), self.strings.is_empty() && self.texts.is_empty()) {
            (true, false) => Err(Malformed::Unused),
            (ended, _) => Ok(ended),
        }
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// An unsigned varint.
    pub fn uint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                return Err(Malformed::Number);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Number)
    }

    /// A signed (zigzag) varint.
    pub fn int(&mut self) -> Result<i32, Malformed> {
        let raw = self.uint()?;
        Ok(((raw >> 1) as i32) ^ -((raw & 1) as i32))
    }

    /// A string, through the table.
    pub fn string(&mut self) -> Result<&'a str, Malformed> {
        match self.uint()? {
            0 => {
                let units = self.uint()?;
                self.literal(units)
            }
            1 => {
                let units = self.uint()?;
                // Each reference to it becomes a copy, and takes two bytes of a frame.
                if units as usize > KEPT {
                    return Err(Malformed::Limit("length of a kept string"));
                }
                if self.own.len() == TABLE {
                    return Err(Malformed::Limit("strings in a frame"));
                }
                let text = self.literal(units)?;
                self.own.push(text);
                Ok(text)
            }
            index => {
                let index = index as usize - 2;
                match WORDS.get(index) {
                    Some(word) => Ok(word),
                    None => self.own.get(index - WORDS.len()).copied().ok_or(Malformed::Entry),
                }
            }
        }
    }

    fn literal(&mut self, units: u32) -> Result<&'a str, Malformed> {
        take(&mut self.strings, units)
    }

    /// A text of a node.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let units = self.uint()?;
        take(&mut self.texts, units)
    }
}

/// The first `units` UTF-16 code units of `said`, which is what follows them afterwards.
fn take<'a>(said: &mut &'a str, units: u32) -> Result<&'a str, Malformed> {
    let (taken, rest) = said.split_at(bytes_of(said, units as usize)?);
    *said = rest;
    Ok(taken)
}

/// How many bytes the first `units` UTF-16 code units of `text` are. Looks at no more than it counts.
fn bytes_of(text: &str, units: usize) -> Result<usize, Malformed> {
    // No character has more units than bytes.
    let least = text.as_bytes().get(..units).ok_or(Malformed::Truncated)?;
    if least.is_ascii() {
        return Ok(units);
    }
    let (mut bytes, mut left) = (0, units);
    let mut chars = text.chars();
    while left > 0 {
        let char = chars.next().ok_or(Malformed::Truncated)?;
        left = left.checked_sub(char.len_utf16()).ok_or(Malformed::Cut)?;
        bytes += char.len_utf8();
    }
    Ok(bytes)
}

/// How many UTF-16 code units there are in `text`.
fn units_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Writes values to one frame.
#[derive(Debug, Default)]
pub struct Writer {
    operations: Vec<u8>,
    strings: String,
    texts: String,
    table: HashMap<Box<str>, u32>,
}

impl Writer {
    /// An empty frame.
    pub fn new() -> Self {
        Writer::default()
    }

    /// The frame's bytes.
    pub fn finish(self) -> Vec<u8> {
        let length = self.strings.len() + self.texts.len();
        let mut frame = Vec::with_capacity(11 + length + self.operations.len());
        frame.push(VERSION);
        write_uint(&mut frame, length as u32);
        write_uint(&mut frame, units_of(&self.strings) as u32);
        frame.extend_from_slice(self.strings.as_bytes());
        frame.extend_from_slice(self.texts.as_bytes());
        frame.extend_from_slice(&self.operations);
        frame
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.operations.push(byte);
    }

    /// An unsigned varint.
    pub fn uint(&mut self, value: u32) {
        write_uint(&mut self.operations, value);
    }

    /// A signed (zigzag) varint.
    pub fn int(&mut self, value: i32) {
        self.uint(((value << 1) ^ (value >> 31)) as u32);
    }

    /// A string, through the table.
    pub fn string(&mut self, text: &str) {
        let units = units_of(text);
        if units > KEPT {
            return self.literal(0, text, units);
        }
        if let Some(word) = word(text) {
            return self.uint(word + 2);
        }
        if let Some(index) = self.table.get(text) {
            return self.uint(index + 2);
        }
        if self.table.len() == TABLE {
            return self.literal(0, text, units);
        }
        let index = (WORDS.len() + self.table.len()) as u32;
        self.table.insert(text.into(), index);
        self.literal(1, text, units);
    }

    fn literal(&mut self, kind: u8, text: &str, units: usize) {
        self.byte(kind);
        self.uint(units as u32);
        self.strings.push_str(text);
    }

    /// A text of a node.
    pub fn text(&mut self, text: &str) {
        self.uint(units_of(text) as u32);
        self.texts.push_str(text);
    }
}

fn write_uint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The index of `text` among the words that both ends know.
fn word(text: &str) -> Option<u32> {
    static INDEX: std::sync::LazyLock<HashMap<&'static str, u32>> =
        std::sync::LazyLock::new(|| WORDS.iter().zip(0..).map(|(word, index)| (*word, index)).collect());
    INDEX.get(text).copied()
}
