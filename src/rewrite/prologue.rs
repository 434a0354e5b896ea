//! Finds where the loader's tag goes in a streaming HTML document, and puts it there.
//!
//! The *prologue* is what may stand before the content of `<head>`: byte order mark, white space, comments,
//! doctype, bogus comments, stray end tags and the `<html>` tag. The tag goes right after `<head>`, or, when the document
//! writes none, before the first other thing: there the parser opens the head by itself, for our script as it
//! would have for that thing. So the document's tree stays what it was but for the script, the script runs
//! before any other, and the doctype keeps its effect.
//!
//! The tokenizer rules are those of the HTML standard, section 13.2.5. Only the construct that is being read
//! is held back (at most [`HOLD`] bytes of it); everything else is passed on at once and uncopied.

use bytes::{Bytes, BytesMut};

use super::charset::Iso2022Jp;

/// How much of an unfinished comment or tag is held back before it is passed on as it comes. Real prologues
/// are some hundred bytes; a licence text in a comment may be some ten thousand.
pub const HOLD: usize = 64 * 1024;

/// What a [`Prologue`] knows after a piece of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The place is not known yet; it is not before this offset.
    NeedMore(u64),
    /// The tag goes before the byte at this offset of the document.
    InsertAt(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Html,
    Head,
    /// An end tag that the parser ignores before the head.
    Stray,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the very start, with so many bytes of a UTF-8 byte order mark seen.
    Mark(usize),
    /// Between two constructs.
    Between,
    /// After `<`.
    Open,
    /// After `</`.
    Close,
    /// After `<!`.
    Declaration,
    /// After `<!-`.
    DeclarationDash,
    /// Inside a doctype or a bogus comment: all up to `>`.
    Bogus,
    CommentStart,
    CommentStartDash,
    Comment,
    CommentEndDash,
    CommentEnd,
    CommentEndBang,
    /// In a tag's name: so many letters of `head` or `html` seen.
    Name(Tag, usize),
    /// In an end tag's name: its length, and its first letters.
    EndName(usize, [u8; 4]),
    BeforeAttribute(Tag),
    Attribute(Tag),
    AfterAttribute(Tag),
    BeforeValue(Tag),
    Value(Tag),
    Quoted(Tag, u8),
    Done,
}

/// The scanner itself: fed with the document in pieces of any size, it says where the tag goes.
#[derive(Debug, Clone)]
pub struct Prologue {
    state: State,
    /// Bytes consumed so far.
    at: u64,
    /// Where the construct that is being read began: the answer if it turns out to be content.
    candidate: u64,
}

impl Default for Prologue {
    fn default() -> Self {
        Self::new()
    }
}

impl Prologue {
    /// A scanner at the start of a document.
    pub fn new() -> Self {
        Prologue { state: State::Mark(0), at: 0, candidate: 0 }
    }

    /// Reads the next piece. Once the answer is [`Scan::InsertAt`] it stays, whatever else is fed.
    pub fn feed(&mut self, piece: &[u8]) -> Scan {
        for &byte in piece {
            if self.state == State::Done {
                break;
            }
            self.step(byte);
            self.at += 1;
        }
        self.answer()
    }

    /// The answer when the document ends here: before an unfinished construct, which the parser drops or
    /// takes for a comment.
    pub fn finish(&self) -> u64 {
        self.candidate
    }

    fn answer(&self) -> Scan {
        match self.state {
            State::Done => Scan::InsertAt(self.candidate),
            _ => Scan::NeedMore(self.candidate),
        }
    }

    /// The construct that ends with the byte being read belongs to the prologue.
    fn skip(&mut self) {
        self.candidate = self.at + 1;
        self.state = State::Between;
    }

    fn step(&mut self, byte: u8) {
        use State::*;
        self.state = match self.state {
            Mark(seen) => match (seen, byte) {
                (0, 0xEF) => Mark(1),
                (1, 0xBB) => Mark(2),
                (2, 0xBF) => return self.skip(),
                (0, _) => {
                    self.state = Between;
                    return self.step(byte);
                }
                // Not a mark after all but text.
                _ => Done,
            },
            Between => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => return self.skip(),
                b'<' => Open,
                _ => Done,
            },
            Open => match byte {
                b'!' => Declaration,
                b'?' => Bogus,
                b'/' => Close,
                // `head` and `html` share their first letter: the second one tells.
                b'h' | b'H' => Name(Tag::Head, 1),
                _ => Done,
            },
            Close => match byte {
                b'>' => return self.skip(),
                byte if byte.is_ascii_alphabetic() => EndName(1, [byte.to_ascii_lowercase(), 0, 0, 0]),
                _ => Bogus,
            },
            EndName(length, mut name) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>' => match &name[..length.min(4)] {
                    // These four open the head or the body; the others are parse errors without effect.
                    b"head" | b"body" | b"html" | b"br" if length <= 4 => Done,
                    _ => {
                        self.state = BeforeAttribute(Tag::Stray);
                        return self.step(byte);
                    }
                },
                letter => {
                    if let Some(slot) = name.get_mut(length) {
                        *slot = letter.to_ascii_lowercase();
                    }
                    EndName((length + 1).min(5), name)
                }
            },
            Declaration => match byte {
                b'-' => DeclarationDash,
                b'>' => return self.skip(),
                _ => Bogus,
            },
            DeclarationDash => match byte {
                b'-' => CommentStart,
                b'>' => return self.skip(),
                _ => Bogus,
            },
            Bogus => match byte {
                b'>' => return self.skip(),
                _ => Bogus,
            },
            CommentStart => match byte {
                b'-' => CommentStartDash,
                b'>' => return self.skip(),
                _ => Comment,
            },
            CommentStartDash => match byte {
                b'-' => CommentEnd,
                b'>' => return self.skip(),
                _ => Comment,
            },
            Comment => match byte {
                b'-' => CommentEndDash,
                _ => Comment,
            },
            CommentEndDash => match byte {
                b'-' => CommentEnd,
                _ => Comment,
            },
            CommentEnd => match byte {
                b'>' => return self.skip(),
                b'!' => CommentEndBang,
                b'-' => CommentEnd,
                _ => Comment,
            },
            CommentEndBang => match byte {
                b'-' => CommentEndDash,
                b'>' => return self.skip(),
                _ => Comment,
            },
            Name(tag, seen) => match (seen, byte.to_ascii_lowercase()) {
                (1, b't') => Name(Tag::Html, 2),
                (1, b'e') => Name(Tag::Head, 2),
                (2..4, letter) => {
                    let rest: &[u8; 4] = if tag == Tag::Html { b"html" } else { b"head" };
                    if rest.get(seen) == Some(&letter) { Name(tag, seen + 1) } else { Done }
                }
                (4, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>') => {
                    self.state = BeforeAttribute(tag);
                    return self.step(byte);
                }
                // `<header>`, `<h1>`, `<heading>`
                _ => Done,
            },
            BeforeAttribute(tag) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' => BeforeAttribute(tag),
                b'>' => return self.tag_ends(tag),
                // Also `=`: it is the first letter of an attribute's name here.
                _ => Attribute(tag),
            },
            Attribute(tag) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => AfterAttribute(tag),
                b'/' => BeforeAttribute(tag),
                b'>' => return self.tag_ends(tag),
                b'=' => BeforeValue(tag),
                _ => Attribute(tag),
            },
            AfterAttribute(tag) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => AfterAttribute(tag),
                b'/' => BeforeAttribute(tag),
                b'>' => return self.tag_ends(tag),
                b'=' => BeforeValue(tag),
                _ => Attribute(tag),
            },
            BeforeValue(tag) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => BeforeValue(tag),
                b'"' | b'\'' => Quoted(tag, byte),
                b'>' => return self.tag_ends(tag),
                _ => Value(tag),
            },
            Value(tag) => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => BeforeAttribute(tag),
                b'>' => return self.tag_ends(tag),
                _ => Value(tag),
            },
            Quoted(tag, quote) => match byte {
                byte if byte == quote => BeforeAttribute(tag),
                _ => Quoted(tag, quote),
            },
            Done => Done,
        };
    }

    fn tag_ends(&mut self, tag: Tag) {
        self.skip();
        match tag {
            Tag::Head => self.state = State::Done,
            // A second `<html>` only adds its attributes to the first.
            Tag::Html | Tag::Stray => {}
        }
    }
}

/// Puts one tag into a streaming document, at the place that [`Prologue`] finds.
#[derive(Debug)]
pub struct Insertion {
    scan: Prologue,
    tag: Bytes,
    /// What was read of the construct under way and is not passed on yet.
    held: BytesMut,
    /// Bytes of the document passed on so far.
    passed: u64,
    /// How the bytes are read, if they may be in ISO-2022-JP.
    reading: Option<Iso2022Jp>,
    done: bool,
}

impl Insertion {
    /// Prepares to insert `tag`, which must be ASCII, into a document in which ASCII stands for itself (not UTF-16).
    pub fn new(tag: &str, iso_2022_jp: bool) -> Self {
        Insertion {
            scan: Prologue::new(),
            tag: Bytes::copy_from_slice(tag.as_bytes()),
            held: BytesMut::new(),
            passed: 0,
            reading: iso_2022_jp.then(Iso2022Jp::default),
            done: false,
        }
    }

    /// Whether the tag is in: from then on [`Insertion::push`] passes everything on as it comes.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the next piece of the document and hands what can be passed on to `out`.
    pub fn push(&mut self, piece: Bytes, out: &mut impl FnMut(Bytes)) {
        if self.done { emit(piece, out) } else { self.scan(piece, out) }
    }

    /// The document has ended: hands out the rest, with the tag if it is not in yet.
    pub fn finish(&mut self, out: &mut impl FnMut(Bytes)) {
        if self.done {
            return;
        }
        let held = self.held.split().freeze();
        // More than `HOLD` bytes of a construct that never ended may be gone already; nothing after it can be
        // seen, and neither can the tag.
        let at = self.scan.finish().saturating_sub(self.passed).min(held.len() as u64) as usize;
        self.insert(held, at, out);
    }

    fn scan(&mut self, piece: Bytes, out: &mut impl FnMut(Bytes)) {
        let answer = match &mut self.reading {
            Some(reading) => {
                let answer = self.scan.feed(&reading.view(&piece));
                reading.feed(&piece);
                answer
            }
            None => self.scan.feed(&piece),
        };
        let before = self.passed + self.held.len() as u64;
        match answer {
            Scan::InsertAt(at) if at >= before => {
                emit(self.held.split().freeze(), out);
                self.passed = before;
                self.insert(piece, (at - before) as usize, out);
            }
            Scan::InsertAt(at) => {
                let held = self.held.split().freeze();
                let at = at.saturating_sub(self.passed) as usize;
                self.insert(held, at, out);
                emit(piece, out);
            }
            Scan::NeedMore(from) if from >= before => {
                emit(self.held.split().freeze(), out);
                let safe = (from - before) as usize;
                self.held.extend_from_slice(&piece[safe..]);
                emit(piece.slice(..safe), out);
                self.passed = from;
                self.spill(out);
            }
            Scan::NeedMore(_) => {
                self.held.extend_from_slice(&piece);
                self.spill(out);
            }
        }
    }

    /// Keeps the promise of [`HOLD`]: a construct of that length is a comment or a tag with huge attributes,
    /// and the place for ours is behind it.
    fn spill(&mut self, out: &mut impl FnMut(Bytes)) {
        if self.held.len() > HOLD {
            self.passed += self.held.len() as u64;
            emit(self.held.split().freeze(), out);
        }
    }

    fn insert(&mut self, piece: Bytes, at: usize, out: &mut impl FnMut(Bytes)) {
        let at = at.min(piece.len());
        emit(piece.slice(..at), out);
        emit(self.tag.clone(), out);
        emit(piece.slice(at..), out);
        self.done = true;
    }
}

fn emit(piece: Bytes, out: &mut impl FnMut(Bytes)) {
    if !piece.is_empty() {
        out(piece);
    }
}

#[cfg(test)]
mod tests;
