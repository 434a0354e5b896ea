//! Changes what must be changed inside a body on its way to the browser: URLs of mapped hosts, and policies in
//! `<meta>` that would keep our script from working.
//!
//! Only the scheme and the authority of a URL are replaced, in the spelling in which they stand; all other bytes
//! pass as they came, so neither a legacy encoding nor broken markup can be damaged. A body is never buffered: what
//! is held back is the beginning of a URL or of a `<meta>` tag at the end of a piece. A piece in which nothing is
//! found costs a search for a few bytes and is passed on uncopied; where in the document it was is worked out
//! only when something is found later, from at most [`BEHIND`] bytes that are remembered for it.

mod meta;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use url::Url;

use super::charset::Iso2022Jp;
use super::html::{Holds, Html, Place, Script};
use super::url::{Found, Mapping};

/// How many bytes of an HTML document may have passed without having been looked at.
pub const BEHIND: usize = 128 * 1024;
/// How much of an unfinished `<meta>` tag is held back.
pub const HOLD: usize = 16 * 1024;
/// How far into a page a `<meta>` with a policy is looked for where nothing else is to be done, if its body does not
/// begin before: it has to be in the head (CSP 3, section 3.3).
const META_REACH: u64 = 256 * 1024;

/// What names pinned content, and how one looks for it: in other cases than these nobody writes it.
const PIN: &[u8] = b"integrity";
static PIN_SPELLINGS: LazyLock<[Finder<'_>; 2]> =
    LazyLock::new(|| [Finder::new("ntegrity"), Finder::new("NTEGRITY")]);

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A document or a part of one.
    Html,
    /// A drawing, or HTML as XML.
    Xml,
    /// A style sheet.
    Css,
    /// Data.
    Json,
    /// A program.
    JavaScript,
}

/// What is to be done with a body.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it is.
    pub language: Language,
    /// Whether it is in ISO-2022-JP.
    pub iso_2022_jp: bool,
    /// The hosts whose URLs are mapped; none: only policies are adapted.
    pub mapping: Option<Arc<Mapping>>,
    /// What is mapped within HTML.
    pub scripts: Scripts,
    /// Its address, as browsers see it.
    pub url: Url,
    /// Whether it has our loader, which its `<meta>` policies must admit then.
    pub admits_us: bool,
}

/// What is mapped of the code within an HTML document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scripts {
    /// Data, in scripts and attributes.
    pub json: bool,
    /// Programs.
    pub javascript: bool,
    /// A policy names scripts or styles by their hash: none of them may change.
    pub pinned: bool,
}

/// A body on its way.
#[derive(Debug)]
pub struct Links {
    task: Task,
    html: Html,
    /// Passed on, and not yet seen by `html`.
    behind: VecDeque<Bytes>,
    behind_length: usize,
    /// What may be the beginning of something.
    held: BytesMut,
    /// The last byte that was passed on.
    before: u8,
    /// The last bytes that were passed on, where they may be the beginning of the body's tag.
    body: meta::Body,
    /// Where `held` begins in the document.
    passed: u64,
    /// How the bytes of `held` are read.
    reading: Option<Iso2022Jp>,
    /// The piece before ended in a tag that names, or may name, pinned content.
    pinning: bool,
    pins: Vec<String>,
}

/// A change: these bytes become those.
struct Edit {
    start: usize,
    end: usize,
    text: Vec<u8>,
}

/// Something in a piece that has to be looked at.
enum Sight<'t> {
    Url(Found<'t>),
    /// The word `http-equiv`.
    Meta(usize),
}

impl Sight<'_> {
    fn at(&self) -> usize {
        match self {
            Sight::Url(found) => found.start,
            Sight::Meta(at) => *at,
        }
    }
}

impl Links {
    /// For the beginning of a body.
    pub fn new(task: Task) -> Links {
        Links {
            html: Html::new(task.language == Language::Xml),
            reading: task.iso_2022_jp.then(Iso2022Jp::default),
            task,
            behind: VecDeque::new(),
            behind_length: 0,
            held: BytesMut::new(),
            before: b' ',
            body: meta::Body::default(),
            passed: 0,
            pinning: false,
            pins: Vec::new(),
        }
    }

    /// Whether all that comes passes as it is, so that nothing needs to be pushed any more.
    pub fn is_done(&self) -> bool {
        let head_is_over = self.body.has_begun() || self.passed > META_REACH;
        self.task.mapping.is_none() && head_is_over && self.held.is_empty()
    }

    /// The absolute addresses that the document so far loads with `integrity`: what is there must pass byte for byte.
    pub fn take_pins(&mut self) -> Vec<String> {
        std::mem::take(&mut self.pins)
    }

    /// Takes the next piece and hands what can be passed on to `out`.
    pub fn push(&mut self, piece: Bytes, out: &mut impl FnMut(Bytes)) {
        let text = if self.held.is_empty() {
            piece
        } else {
            self.held.extend_from_slice(&piece);
            self.held.split().freeze()
        };
        self.look(text, false, out);
    }

    /// The body has ended: hands out the rest.
    pub fn finish(&mut self, out: &mut impl FnMut(Bytes)) {
        let text = self.held.split().freeze();
        self.look(text, true, out);
    }

    fn look(&mut self, text: Bytes, last: bool, out: &mut impl FnMut(Bytes)) {
        if self.is_done() {
            return out(text);
        }
        let mapping = self.task.mapping.clone();
        let document = matches!(self.task.language, Language::Html | Language::Xml);
        let view = self.reading.as_ref().map(|reading| reading.view(&text));
        let seen: &[u8] = view.as_deref().unwrap_or(&text);
        let mut found = Vec::new();
        let mut open = match &mapping {
            Some(mapping) => mapping.to_public().search(self.before, seen, last, &mut found),
            None => seen.len(),
        };
        let mut sights: Vec<Sight<'_>> = found.into_iter().map(Sight::Url).collect();
        if document {
            let head = if mapping.is_none() { self.end_of_head(seen) } else { None };
            let before = &seen[..head.unwrap_or(seen.len())];
            let tags = meta::tags(before);
            if !tags.is_empty() {
                meta::sightings(before, |at| sights.push(Sight::Meta(at)));
            }
            if !last && head.is_none() {
                open = open.min(self.unfinished_meta(seen, &tags));
            }
            if !last && mapping.is_some() {
                open = open.min(unfinished_pin(seen));
            }
            sights.sort_by_key(Sight::at);
        }
        sights.retain(|sight| sight.at() < open);
        let mut edits = Vec::new();
        if document {
            let pinning = mapping.is_some() && (self.pinning || names_pins(seen));
            if sights.is_empty() && self.body.has_begun() {
                self.behind.clear();
            } else if sights.is_empty() && !pinning {
                self.leave_behind(match &view {
                    Some(Cow::Owned(view)) => Bytes::copy_from_slice(&view[..open]),
                    _ => text.slice(..open),
                });
            } else {
                self.read(seen, &sights, open, &mut edits);
                // Of a tag, the policy is found where the word is that makes it one.
                edits.sort_by_key(|edit| edit.start);
                self.pinning = pinning && self.html.in_tag();
            }
        } else {
            for sight in &sights {
                if let Sight::Url(found) = sight
                    && self.is_url_in_code(seen, found)
                {
                    edits.push(Edit::from(found));
                }
            }
        }
        drop(sights);
        self.before = seen[..open].last().copied().unwrap_or(self.before);
        self.body.passed(&seen[..open]);
        drop(view);
        if let Some(reading) = self.reading.as_mut().filter(|_| mapping.is_some() || !self.body.has_begun()) {
            reading.feed(&text[..open]);
        }
        self.pass(text, open, &edits, out);
    }

    /// Where in `seen` the body begins, after which no policy counts.
    fn end_of_head(&mut self, seen: &[u8]) -> Option<usize> {
        if self.task.language == Language::Xml {
            return None;
        }
        let mut ends = self.body.sightings(seen).peekable();
        ends.peek()?;
        self.catch_up();
        let mut html = self.html.clone();
        let mut at = 0;
        for end in ends {
            html.feed(&seen[at..end]);
            at = end;
            if html.begins_body() {
                self.body.begins();
                return Some(end);
            }
        }
        None
    }

    /// Where the `<meta` tag begins in which `seen` ends, or its end. One that is too long is not waited for.
    fn unfinished_meta(&mut self, seen: &[u8], tags: &[usize]) -> usize {
        let cut_off = meta::cut_off(seen);
        if !meta::may_end_within(seen, tags) {
            return cut_off;
        }
        self.catch_up();
        let mut html = self.html.clone();
        html.feed(seen);
        let start = html.may_be_within(b"meta").and_then(|at| at.checked_sub(self.passed));
        let held = start.map(|start| start as usize).filter(|start| seen.len() - start <= HOLD);
        held.unwrap_or(cut_off)
    }

    /// Reads a part of a document up to `open` and decides about what was sighted in it.
    fn read(&mut self, seen: &[u8], sights: &[Sight<'_>], open: usize, edits: &mut Vec<Edit>) {
        self.catch_up();
        let mut at = 0;
        // Of a `<meta>`, whose attributes are looked at together.
        let mut seen_to = 0;
        for sight in sights {
            if sight.at() < seen_to {
                continue;
            }
            self.html.feed(&seen[at..sight.at()]);
            at = sight.at();
            match sight {
                Sight::Url(found) if self.is_url_in_document(seen, found) => edits.push(Edit::from(found)),
                Sight::Url(_) => {}
                Sight::Meta(_) => {
                    let tag = self.html.within(b"meta").and_then(|at| at.checked_sub(self.passed));
                    // One that is not whole in this piece was too long to be held back.
                    let Some(start) = tag.map(|start| start as usize) else { continue };
                    let Some(end) = meta::end(seen, start).filter(|end| end - start <= HOLD) else {
                        continue;
                    };
                    seen_to = end;
                    edits
                        .extend(meta::adapt(&seen[start..end], &mut self.task).map(|edit| edit.moved(start)));
                }
            }
        }
        self.html.feed(&seen[at..open]);
        let pins = self.html.take_pins();
        if !pins.is_empty() {
            let base = self.html.base().and_then(|base| self.absolute(&self.task.url, base));
            let base = base.as_ref().unwrap_or(&self.task.url);
            let pins: Vec<Url> = pins.iter().filter_map(|pin| self.absolute(base, pin)).collect();
            self.pins.extend(pins.into_iter().map(String::from));
        }
    }

    /// An address in the document, as a browser asks for it.
    fn absolute(&self, base: &Url, address: &[u8]) -> Option<Url> {
        let text = String::from_utf8_lossy(address).replace("&amp;", "&");
        let public = self.task.mapping.as_ref().and_then(|mapping| mapping.to_public().url(&text));
        base.join(public.as_deref().unwrap_or(&text)).ok()
    }

    fn leave_behind(&mut self, text: Bytes) {
        self.behind_length += text.len();
        self.behind.push_back(text);
        if self.behind_length > BEHIND {
            self.catch_up();
        }
    }

    fn catch_up(&mut self) {
        self.behind_length = 0;
        for text in self.behind.drain(..) {
            self.html.feed(&text);
        }
    }

    fn is_url_in_document(&self, seen: &[u8], found: &Found<'_>) -> bool {
        let before = self.byte_before(seen, found);
        let scripts = self.task.scripts;
        match self.html.place() {
            Place::Attribute { holds, begins } => match holds {
                Holds::Url => begins && found.is_text(),
                Holds::Urls => (begins || separates(before)) && found.is_text(),
                Holds::Code => begins || encloses(before) && !found.is_query(),
                Holds::Data => {
                    (begins || separates(before)) && found.is_text()
                        || scripts.json && encloses(before) && !found.is_query()
                }
                Holds::Other => false,
            },
            Place::Style => !scripts.pinned && encloses(before) && found.is_text(),
            Place::Script(Script::JavaScript) => {
                scripts.javascript && !scripts.pinned && in_program(before, found)
            }
            Place::Script(Script::Json) => scripts.json && !scripts.pinned && in_program(before, found),
            Place::Script(Script::Other) | Place::Elsewhere => false,
        }
    }

    fn is_url_in_code(&self, seen: &[u8], found: &Found<'_>) -> bool {
        let before = self.byte_before(seen, found);
        match self.task.language {
            Language::Css => encloses(before) && found.is_text(),
            _ => in_program(before, found),
        }
    }

    fn byte_before(&self, seen: &[u8], found: &Found<'_>) -> u8 {
        found.start.checked_sub(1).map_or(self.before, |at| seen[at])
    }

    fn pass(&mut self, text: Bytes, open: usize, edits: &[Edit], out: &mut impl FnMut(Bytes)) {
        self.held.extend_from_slice(&text[open..]);
        self.passed += open as u64;
        let piece = if edits.is_empty() { text.slice(..open) } else { edited(&text[..open], edits) };
        if !piece.is_empty() {
            out(piece);
        }
    }
}

impl From<&Found<'_>> for Edit {
    fn from(found: &Found<'_>) -> Edit {
        Edit { start: found.start, end: found.end, text: found.replacement().into_bytes() }
    }
}

impl Edit {
    fn moved(self, by: usize) -> Edit {
        Edit { start: self.start + by, end: self.end + by, ..self }
    }
}

/// One piece for many changes: each frame costs a chunk on the wire.
fn edited(text: &[u8], edits: &[Edit]) -> Bytes {
    let mut out =
        BytesMut::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(&text[at..edit.start]);
        out.extend_from_slice(&edit.text);
        at = edit.end;
    }
    out.extend_from_slice(&text[at..]);
    out.freeze()
}

/// Whether `text` may tell of content that is pinned by a hash.
fn names_pins(text: &[u8]) -> bool {
    PIN_SPELLINGS.iter().any(|word| word.find(text).is_some())
}

/// Where the word begins in which `text` ends that names pinned content, or its end.
fn unfinished_pin(text: &[u8]) -> usize {
    let begins = |start: &usize| text[*start..].eq_ignore_ascii_case(&PIN[..text.len() - start]);
    let from = text.len().saturating_sub(PIN.len() - 1);
    (from..text.len()).find(begins).unwrap_or(text.len())
}

/// What stands between the URLs of a list.
fn separates(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b','
}

/// What stands before a URL in a style sheet, or in a string; `;` ends the entity of a quote.
fn encloses(byte: u8) -> bool {
    separates(byte) || b"\"'`(;".contains(&byte)
}

/// In a program `//` begins a comment unless it begins a string.
fn in_program(before: u8, found: &Found<'_>) -> bool {
    let quoted = b"\"'`".contains(&before);
    !found.is_query() && (quoted || found.absolute && (separates(before) || b"(>".contains(&before)))
}
