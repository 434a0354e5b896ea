//! Where in an HTML document one is: in which attribute of which element, in a style sheet, in a script, in text.
//!
//! The tokenizer rules are those of the HTML standard, section 13.2.5, with the elements whose content is raw text
//! known by name. It changes nothing and holds nothing back, so a document may come in pieces of any size, and a
//! misjudged place (a `noscript`, a `<![CDATA[` in a drawing) costs no more than a URL that is taken for text.

#[cfg(test)]
mod tests;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A value of an attribute; `begins`: nothing but white space of it has come.
    Attribute {
        /// What such attributes hold.
        holds: Holds,
        /// Nothing but white space stands before it in the value.
        begins: bool,
    },
    /// The text of a `<style>`.
    Style,
    /// The text of a `<script>`.
    Script(Script),
    /// Text, a comment, the name of something.
    Elsewhere,
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// One URL.
    Url,
    /// URLs between spaces or commas, with other words.
    Urls,
    /// A style sheet, or a document.
    Code,
    /// What the page's scripts keep there (`data-…`).
    Data,
    /// No URL of the page.
    Other,
}

/// What a `<script>` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// A program.
    JavaScript,
    /// Data, also of an import map.
    Json,
    /// A template or something else that the browser does not read.
    Other,
}

/// The longest name of an element or attribute that matters, and then some.
const NAME: usize = 16;
/// How much of an attribute's value is remembered at most.
const VALUE: usize = 2048;

/// A place in a document that comes in pieces.
#[derive(Debug, Clone)]
pub struct Html {
    state: State,
    tag: Name,
    closing: bool,
    /// A slash was the last thing in the tag.
    slash: bool,
    attribute: Name,
    begins: bool,
    /// How many drawings or formulas are open, in which an element may close itself.
    foreign: u32,
    /// How many elements are open whose content is not the document's.
    inert: u32,
    escape: Escape,
    script: Script,
    /// The address that this element loads.
    address: Vec<u8>,
    /// The `type` of this script.
    kind: Vec<u8>,
    pinned: bool,
    pins: Vec<Vec<u8>>,
    /// What relative addresses are relative to, if the document says so.
    base: Option<Vec<u8>>,
    /// Bytes read so far.
    at: u64,
    tag_at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    /// After `<`.
    Open,
    /// After `</`.
    Close,
    /// After `<!`, with so many dashes.
    Declaration(u8),
    /// After `<!--`, with so many more dashes.
    CommentStart(u8),
    /// In a comment, after so many dashes.
    Comment(u8),
    /// In a comment, after `--!`.
    CommentBang,
    /// All up to `>`.
    Bogus,
    TagName,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    Unquoted,
    Quoted(u8),
    /// In the raw text of the element `tag`.
    Raw,
    RawOpen,
    /// After `</` and so many letters of the element's name.
    RawClose(usize),
    /// After `<!` and so many dashes in a script.
    RawBang(u8),
    /// After so many dashes in the commented part of a script.
    RawDash(u8),
    /// After `<` and so many letters of `script` in the commented part of a script.
    RawScript(usize),
    /// After `<plaintext>`.
    Plain,
}

/// How deep a script is in what looks like a comment with a script in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Comment,
    Script,
}

/// A name in lower case, as far as it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Name {
    bytes: [u8; NAME],
    length: usize,
}

impl Name {
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte.to_ascii_lowercase();
        }
        self.length = (self.length + 1).min(NAME + 1);
    }

    fn is(&self, name: &[u8]) -> bool {
        self.length <= NAME && &self.bytes[..self.length] == name
    }

    fn starts_with(&self, start: &[u8]) -> bool {
        self.length >= start.len() && self.bytes.starts_with(start)
    }

    /// Whether it may become `name` when more of it comes.
    fn begins(&self, name: &[u8]) -> bool {
        self.length <= NAME && name.starts_with(&self.bytes[..self.length])
    }

    fn holds(&self) -> Holds {
        if self.starts_with(b"data-") {
            return Holds::Data;
        }
        match &self.bytes[..self.length.min(NAME)] {
            b"href" | b"src" | b"action" | b"formaction" | b"poster" | b"data" | b"cite" | b"background"
            | b"longdesc" | b"manifest" | b"xlink:href" | b"codebase" => Holds::Url,
            b"srcset" | b"imagesrcset" | b"ping" | b"archive" => Holds::Urls,
            b"style" | b"srcdoc" => Holds::Code,
            _ => Holds::Other,
        }
    }
}

impl Default for Html {
    fn default() -> Self {
        Html {
            state: State::Data,
            tag: Name::default(),
            closing: false,
            slash: false,
            attribute: Name::default(),
            begins: false,
            foreign: 0,
            inert: 0,
            escape: Escape::None,
            script: Script::Other,
            address: Vec::new(),
            kind: Vec::new(),
            pinned: false,
            pins: Vec::new(),
            base: None,
            at: 0,
            tag_at: 0,
        }
    }
}

impl Html {
    /// At the start of a document; `xml`: of a drawing, where any element may close itself.
    pub fn new(xml: bool) -> Html {
        Html { foreign: u32::from(xml), ..Html::default() }
    }

    /// Reads on.
    pub fn feed(&mut self, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            let read = self.step(rest);
            self.at += read as u64;
            rest = &rest[read..];
        }
    }

    /// What stands at the next byte.
    pub fn place(&self) -> Place {
        match self.state {
            State::Unquoted | State::Quoted(_) | State::BeforeValue if !self.closing => {
                let begins = self.begins || self.state == State::BeforeValue;
                Place::Attribute { holds: self.attribute.holds(), begins }
            }
            State::Raw | State::RawOpen | State::RawDash(_) => {
                match &self.tag.bytes[..self.tag.length.min(NAME)] {
                    b"style" => Place::Style,
                    b"script" => Place::Script(self.script),
                    _ => Place::Elsewhere,
                }
            }
            _ => Place::Elsewhere,
        }
    }

    /// Where the tag of this name began that this place is in, in bytes from the start of the document.
    pub fn within(&self, tag: &[u8]) -> Option<u64> {
        (self.in_tag() && !self.closing && self.tag.is(tag)).then_some(self.tag_at)
    }

    /// As [`Html::within`], also where the tag's name has only begun.
    pub fn may_be_within(&self, tag: &[u8]) -> Option<u64> {
        let begun = match self.state {
            State::Open => true,
            State::TagName => !self.closing && self.tag.begins(tag),
            _ => false,
        };
        if begun { Some(self.tag_at) } else { self.within(tag) }
    }

    /// Whether this place is in the tag of the document's body, just after its name.
    pub fn begins_body(&self) -> bool {
        self.state == State::TagName && !self.closing && self.tag.is(b"body") && self.inert == 0
    }

    /// The addresses of all elements so far that say by a hash what they load (`integrity`), as they are written.
    pub fn take_pins(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.pins)
    }

    /// What the document says that its relative addresses are relative to, as it is written.
    pub fn base(&self) -> Option<&[u8]> {
        self.base.as_deref()
    }

    /// The attributes of one whole tag: name and place of the value.
    pub fn attributes(tag: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
        let mut html = Html::default();
        let mut found: Vec<(String, std::ops::Range<usize>)> = Vec::new();
        let mut inside = false;
        for at in 0..tag.len() {
            html.feed(&tag[at..=at]);
            let quoted = matches!(html.state, State::Quoted(_));
            if inside && (quoted || html.state == State::Unquoted) {
                if let Some((_, value)) = found.last_mut() {
                    value.end = at + 1;
                }
            } else if quoted || html.state == State::Unquoted {
                let start = at + usize::from(quoted);
                let name = &html.attribute.bytes[..html.attribute.length.min(NAME)];
                found.push((
                    String::from_utf8_lossy(name).into_owned(),
                    start..start.max(at + usize::from(!quoted)),
                ));
            }
            inside = quoted || html.state == State::Unquoted;
        }
        found
    }

    /// Whether this place is in a tag.
    pub fn in_tag(&self) -> bool {
        use State::*;
        matches!(
            self.state,
            TagName | BeforeAttribute | Attribute | AfterAttribute | BeforeValue | Unquoted | Quoted(_)
        )
    }

    /// Reads at least one byte, or changes the state.
    fn step(&mut self, rest: &[u8]) -> usize {
        use State::*;
        let byte = rest[0];
        match self.state {
            Data => match memchr::memchr(b'<', rest) {
                Some(at) => {
                    self.tag_at = self.at + at as u64;
                    self.state = Open;
                    return at + 1;
                }
                None => return rest.len(),
            },
            Open => match byte {
                b'!' => self.state = Declaration(0),
                b'?' => self.state = Bogus,
                b'/' => self.state = Close,
                _ if byte.is_ascii_alphabetic() => self.open(false),
                _ => self.state = Data,
            },
            Close => match byte {
                b'>' => self.state = Data,
                _ if byte.is_ascii_alphabetic() => self.open(true),
                _ => self.state = Bogus,
            },
            Declaration(dashes) => match (dashes, byte) {
                (0, b'-') => self.state = Declaration(1),
                (1, b'-') => self.state = CommentStart(0),
                _ => {
                    self.state = Bogus;
                    return 0;
                }
            },
            CommentStart(dashes) => match byte {
                b'>' => self.state = Data,
                b'-' if dashes == 1 => self.state = Comment(2),
                b'-' => self.state = CommentStart(1),
                _ => self.state = Comment(0),
            },
            Comment(0) => match memchr::memchr(b'-', rest) {
                Some(at) => {
                    self.state = Comment(1);
                    return at + 1;
                }
                None => return rest.len(),
            },
            Comment(dashes) => match byte {
                b'-' => self.state = Comment(2),
                b'>' if dashes == 2 => self.state = Data,
                b'!' if dashes == 2 => self.state = CommentBang,
                _ => self.state = Comment(0),
            },
            CommentBang => match byte {
                b'>' => self.state = Data,
                b'-' => self.state = Comment(1),
                _ => self.state = Comment(0),
            },
            Bogus => match memchr::memchr(b'>', rest) {
                Some(at) => {
                    self.state = Data;
                    return at + 1;
                }
                None => return rest.len(),
            },
            TagName => match byte {
                b'>' => self.tag_ends(),
                b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {
                    self.slash = byte == b'/';
                    self.state = BeforeAttribute;
                }
                _ => self.tag.push(byte),
            },
            BeforeAttribute => match byte {
                b'>' => self.tag_ends(),
                b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => self.slash = byte == b'/',
                _ => self.attribute_begins(byte),
            },
            Attribute => match byte {
                b'=' | b'>' | b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {
                    self.pinned |= self.attribute.is(b"integrity");
                    self.state = AfterAttribute;
                    return 0;
                }
                _ => self.attribute.push(byte),
            },
            AfterAttribute => match byte {
                b'>' => self.tag_ends(),
                b'=' => self.state = BeforeValue,
                b'/' => {
                    self.slash = true;
                    self.state = BeforeAttribute;
                }
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {}
                _ => self.attribute_begins(byte),
            },
            BeforeValue => match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {}
                b'>' => self.tag_ends(),
                b'"' | b'\'' => self.value_begins(Quoted(byte)),
                _ => {
                    self.value_begins(Unquoted);
                    return 0;
                }
            },
            Unquoted => {
                let ends = |byte: &u8| matches!(byte, b'>' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
                let end = rest.iter().position(ends).unwrap_or(rest.len());
                self.value(&rest[..end]);
                match rest.get(end) {
                    None => {}
                    Some(b'>') => {
                        self.tag_ends();
                        return end + 1;
                    }
                    Some(_) => self.state = BeforeAttribute,
                }
                return end;
            }
            Quoted(quote) => {
                let end = memchr::memchr(quote, rest);
                self.value(&rest[..end.unwrap_or(rest.len())]);
                if let Some(end) = end {
                    self.state = BeforeAttribute;
                    return end + 1;
                }
                return rest.len();
            }
            Raw => {
                let next = match self.escape {
                    Escape::None => memchr::memchr(b'<', rest),
                    _ => memchr::memchr2(b'<', b'-', rest),
                };
                let Some(at) = next else { return rest.len() };
                self.state = if rest[at] == b'<' { RawOpen } else { RawDash(1) };
                return at + 1;
            }
            RawOpen => match byte {
                b'/' => self.state = RawClose(0),
                b'!' if self.is_script() && self.escape == Escape::None => self.state = RawBang(0),
                _ if self.escape == Escape::Comment => {
                    self.state = RawScript(0);
                    return 0;
                }
                _ => return self.raw_again(),
            },
            RawClose(letters) if letters == self.tag.length => match byte {
                b'>' | b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' if self.escape == Escape::Script => {
                    self.escape = Escape::Comment;
                    return self.raw_again();
                }
                b'>' | b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {
                    self.closing = true;
                    self.state = BeforeAttribute;
                    return 0;
                }
                _ => return self.raw_again(),
            },
            RawClose(letters) => {
                if self.tag.bytes.get(letters) != Some(&byte.to_ascii_lowercase()) {
                    return self.raw_again();
                }
                self.state = RawClose(letters + 1);
            }
            RawBang(dashes) => match (dashes, byte) {
                (0, b'-') => self.state = RawBang(1),
                (1, b'-') => {
                    self.escape = Escape::Comment;
                    // `<!-->` is over at once.
                    self.state = RawDash(2);
                }
                _ => return self.raw_again(),
            },
            RawDash(dashes) => match byte {
                b'-' => self.state = RawDash(2),
                b'>' if dashes == 2 => {
                    self.escape = Escape::None;
                    self.state = Raw;
                }
                _ => return self.raw_again(),
            },
            RawScript(letters) => match b"script".get(letters) {
                Some(letter) if *letter == byte.to_ascii_lowercase() => self.state = RawScript(letters + 1),
                None if matches!(byte, b'>' | b'/' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ') => {
                    self.escape = Escape::Script;
                    return self.raw_again();
                }
                _ => return self.raw_again(),
            },
            Plain => return rest.len(),
        }
        // These looked at the byte and leave it to the next state.
        let unread = match self.state {
            Data => byte != b'>',
            TagName => self.tag.length == 0,
            _ => false,
        };
        usize::from(!unread)
    }

    fn raw_again(&mut self) -> usize {
        self.state = State::Raw;
        0
    }

    fn is_script(&self) -> bool {
        self.tag.is(b"script")
    }

    fn open(&mut self, closing: bool) {
        self.tag = Name::default();
        self.closing = closing;
        self.slash = false;
        self.pinned = false;
        self.address.clear();
        self.kind.clear();
        self.state = State::TagName;
    }

    fn attribute_begins(&mut self, byte: u8) {
        self.slash = false;
        self.attribute = Name::default();
        self.attribute.push(byte);
        self.state = State::Attribute;
    }

    fn value_begins(&mut self, state: State) {
        self.begins = true;
        self.state = state;
    }

    fn value(&mut self, text: &[u8]) {
        self.begins &= text.iter().all(|byte| *byte <= b' ');
        self.keep(text);
    }

    /// Remembers a part of the attribute's value where that matters.
    fn keep(&mut self, text: &[u8]) {
        let addressed = self.tag.is(b"link") || self.tag.is(b"base");
        let kept =
            if (addressed && self.attribute.is(b"href")) || (self.is_script() && self.attribute.is(b"src")) {
                &mut self.address
            } else if self.is_script() && self.attribute.is(b"type") {
                &mut self.kind
            } else {
                return;
            };
        let room = VALUE.saturating_sub(kept.len());
        kept.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn tag_ends(&mut self) {
        self.state = State::Data;
        let foreign = self.tag.is(b"svg") || self.tag.is(b"math");
        let inert = self.tag.is(b"noscript") || self.tag.is(b"template");
        if self.closing {
            self.foreign = self.foreign.saturating_sub(u32::from(foreign));
            self.inert = self.inert.saturating_sub(u32::from(inert));
            return;
        }
        if self.base.is_none() && self.tag.is(b"base") && !self.address.is_empty() {
            self.base = Some(self.address.clone());
        } else if self.pinned && !self.address.is_empty() {
            self.pins.push(std::mem::take(&mut self.address));
        }
        if self.foreign > 0 && self.slash {
            return;
        }
        self.foreign = self.foreign.saturating_add(u32::from(foreign));
        self.inert = self.inert.saturating_add(u32::from(inert));
        self.state = match &self.tag.bytes[..self.tag.length.min(NAME)] {
            b"script" | b"style" | b"title" | b"textarea" | b"xmp" | b"iframe" | b"noembed" | b"noframes" => {
                self.escape = Escape::None;
                self.script = script(&self.kind);
                State::Raw
            }
            b"plaintext" => State::Plain,
            _ => State::Data,
        };
    }
}

/// What a script of this `type` holds.
fn script(kind: &[u8]) -> Script {
    let kind = String::from_utf8_lossy(kind).trim().to_ascii_lowercase();
    match kind.as_str() {
        "" | "module" => Script::JavaScript,
        "importmap" | "speculationrules" => Script::Json,
        kind if kind.ends_with("json") => Script::Json,
        kind if kind.contains("javascript") || kind.contains("ecmascript") => Script::JavaScript,
        _ => Script::Other,
    }
}
