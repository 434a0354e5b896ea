//! The alphabet of binary frames: varints and strings with a table.
//!
//! Every frame stands by itself: its string table starts with [`super::WORDS`] and grows only by the
//! frame's own strings, so a late joiner needs no history and no string of one role's view can slip
//! into another's. Integers are LEB128 (at most 5 bytes); signed ones are zigzag. A string is `0` + length +
//! UTF-8 (not kept), `1` + length + UTF-8 (kept: gets the next index), or `2 + index`.
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
pub const VERSION: u8 = 1;
/// First byte of a frame that is deflated.
pub const DEFLATED: u8 = 0;
/// Frames shorter than this (in bytes) are not worth deflating.
pub const LARGE: usize = 8_192;
/// Strings longer than this (in bytes) are not kept in the table.
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
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    Utf8,
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
    bytes: &'a [u8],
    at: usize,
    own: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, own: Vec::new() }
    }

    /// Whether all bytes are read.
    pub fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.bytes.get(self.at).ok_or(Malformed::Truncated)?;
        self.at += 1;
        Ok(byte)
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
            0 => self.literal(),
            1 => {
                let text = self.literal()?;
                if self.own.len() == TABLE {
                    return Err(Malformed::Limit("strings in a frame"));
                }
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

    fn literal(&mut self) -> Result<&'a str, Malformed> {
        let length = self.uint()? as usize;
        let end =
            self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Malformed::Truncated)?;
        let text = std::str::from_utf8(&self.bytes[self.at..end]).map_err(|_| Malformed::Utf8)?;
        self.at = end;
        Ok(text)
    }
}

/// Writes values to one frame.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    table: HashMap<Box<str>, u32>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer::new()
    }
}

impl Writer {
    /// An empty frame; its first byte is [`VERSION`].
    pub fn new() -> Self {
        Writer { bytes: vec![VERSION], table: HashMap::new() }
    }

    /// The frame's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// An unsigned varint.
    pub fn uint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A signed (zigzag) varint.
    pub fn int(&mut self, value: i32) {
        self.uint(((value << 1) ^ (value >> 31)) as u32);
    }

    /// A string, through the table.
    pub fn string(&mut self, text: &str) {
        if text.len() > KEPT {
            self.uint(0);
            return self.literal(text);
        }
        if let Some(word) = word(text) {
            return self.uint(word + 2);
        }
        if let Some(index) = self.table.get(text) {
            return self.uint(index + 2);
        }
        if self.table.len() == TABLE {
            self.uint(0);
            return self.literal(text);
        }
        let index = (WORDS.len() + self.table.len()) as u32;
        self.table.insert(text.into(), index);
        self.uint(1);
        self.literal(text);
    }

    fn literal(&mut self, text: &str) {
        self.uint(text.len() as u32);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// The index of `text` among the words that both ends know.
fn word(text: &str) -> Option<u32> {
    static INDEX: std::sync::LazyLock<HashMap<&'static str, u32>> =
        std::sync::LazyLock::new(|| WORDS.iter().zip(0..).map(|(word, index)| (*word, index)).collect());
    INDEX.get(text).copied()
}
