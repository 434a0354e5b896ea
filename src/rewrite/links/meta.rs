//! `<meta http-equiv>`: a policy is made to admit us as one in a header is, and a refresh is mapped. Policies have to
//! be in the head, so nothing is looked for once the body has begun.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Edit, HOLD, Task};
use crate::rewrite::csp;
use crate::rewrite::html::Html;

const WORD: &[u8] = b"http-equiv";
/// Where in it the letter is that is rarest in pages.
const RARE: usize = 6;
const TAG: &[u8] = b"<meta";
static TAG_STARTS: LazyLock<[Finder<'_>; 2]> = LazyLock::new(|| [Finder::new("<m"), Finder::new("<M")]);
/// In other cases than these nobody writes it.
const BODY: &[u8; 5] = b"<body";
const BODY_LOUD: &[u8; 5] = b"<BODY";

/// Whether the body of a document has begun, which comes in pieces.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Body {
    begun: bool,
    /// The last bytes that were passed on.
    before: [u8; BODY.len()],
}

impl Body {
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn begins(&mut self) {
        self.begun = true;
    }

    /// Every end of what may be the beginning of the body's tag, in order; `text` is looked through no further than
    /// they are asked for.
    pub(super) fn sightings(self, text: &[u8]) -> impl Iterator<Item = usize> {
        let mut edge = [0; 2 * BODY.len() - 1];
        let after = text.len().min(BODY.len() - 1);
        edge[..BODY.len()].copy_from_slice(&self.before);
        edge[BODY.len()..BODY.len() + after].copy_from_slice(&text[..after]);
        let across = (0..=after).filter(move |end| {
            let word = &edge[*end..*end + BODY.len()];
            word == BODY || word == BODY_LOUD
        });
        let mut quiet = memchr::memmem::find_iter(text, BODY).peekable();
        let mut from = 0;
        let within = std::iter::from_fn(move || {
            let until = quiet.peek().copied().unwrap_or(text.len());
            let start = match memchr::memmem::find(&text[from..until], BODY_LOUD) {
                Some(loud) => from + loud,
                None => quiet.next()?,
            };
            from = start + BODY.len();
            Some(from)
        });
        across.chain(within)
    }

    /// These bytes were passed on.
    pub(super) fn passed(&mut self, text: &[u8]) {
        let new = text.len().min(BODY.len());
        self.before.rotate_left(new);
        self.before[BODY.len() - new..].copy_from_slice(&text[text.len() - new..]);
    }
}

/// Every place in `text` where a `<meta` begins, in order.
pub(super) fn tags(text: &[u8]) -> Vec<usize> {
    let named = |at: &usize| text[*at..].get(..TAG.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(TAG));
    let mut tags: Vec<usize> =
        TAG_STARTS.iter().flat_map(|start| start.find_iter(text)).filter(named).collect();
    tags.sort_unstable();
    tags
}

/// Calls `at` with every place of the word `http-equiv`.
pub(super) fn sightings(text: &[u8], mut at: impl FnMut(usize)) {
    for hit in memchr::memchr2_iter(b'q', b'Q', text) {
        let Some(start) = hit.checked_sub(RARE) else { continue };
        if text.get(start..start + WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD)) {
            at(start);
        }
    }
}

/// Where the beginning of what may become `<meta` stands at the end of `text`, or its end.
pub(super) fn cut_off(text: &[u8]) -> usize {
    let begins = |start: &usize| text[*start..].eq_ignore_ascii_case(&TAG[..text.len() - start]);
    let from = text.len().saturating_sub(TAG.len() - 1);
    (from..text.len()).find(begins).unwrap_or(text.len())
}

/// Whether `text` may end within one of the `tags` that begin near its end: some does not end in it, wherever it
/// stands.
pub(super) fn may_end_within(text: &[u8], tags: &[usize]) -> bool {
    let from = text.len().saturating_sub(HOLD);
    let mut tags = tags.iter().copied().filter(|at| *at >= from).peekable();
    while let Some(start) = tags.next() {
        // Another one within it: which of the two is a tag is not for here to say.
        if end(text, start).is_none_or(|end| tags.peek().is_some_and(|next| *next < end)) {
            return true;
        }
    }
    false
}

/// Where the tag that begins at `start` ends.
pub(super) fn end(text: &[u8], start: usize) -> Option<usize> {
    let mut html = Html::default();
    let mut at = start;
    while at < text.len() {
        let next = memchr::memchr(b'>', &text[at..]).map_or(text.len(), |end| at + end + 1);
        html.feed(&text[at..next]);
        at = next;
        if text[at - 1] == b'>' && html.within(b"meta").is_none() {
            return Some(at);
        }
    }
    None
}

/// The new content of a `<meta>` tag, if it needs one.
pub(super) fn adapt(tag: &[u8], task: &mut Task) -> Option<Edit> {
    let attributes = Html::attributes(tag);
    let of = |name: &str| attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    let text = |range: std::ops::Range<usize>| std::str::from_utf8(&tag[range]).ok().map(decoded);
    let (effect, value) = (text(of("http-equiv")?)?, of("content")?);
    let content = text(value.clone())?;
    let table = task.mapping.as_deref().map(|mapping| mapping.to_public());
    let new = match effect.trim().to_ascii_lowercase().as_str() {
        "content-security-policy" => {
            task.scripts.pinned |= csp::pins(std::iter::once(content.as_str()));
            let secure = task.url.scheme() == "https";
            let mapped = table.and_then(|table| csp::mapped(&content, table, secure));
            let policy = mapped.as_deref().unwrap_or(&content);
            let admitted = if task.admits_us { csp::admit_later(policy, &task.url) } else { None };
            admitted.or(mapped)
        }
        "refresh" => table.and_then(|table| table.refresh(&content)),
        _ => None,
    }?;
    let quoted = tag.get(value.start.wrapping_sub(1)).is_some_and(|byte| matches!(byte, b'"' | b'\''));
    let new = encoded(&new);
    let text = if quoted { new } else { format!("\"{new}\"") };
    Some(Edit { start: value.start, end: value.end, text: text.into_bytes() })
}

/// The few character references that stand in policies.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for (reference, char) in
        [("&#39;", "'"), ("&#x27;", "'"), ("&apos;", "'"), ("&quot;", "\""), ("&#34;", "\""), ("&amp;", "&")]
    {
        text = text.replace(reference, char);
    }
    text
}

/// Such that it may stand in any quotes.
fn encoded(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;")
}
