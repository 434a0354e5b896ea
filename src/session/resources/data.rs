//! Pictures in `data:` URLs that are too long for a view: decoded once, and kept like what a browser has brought.
//!
//! Nobody can be asked for one again: when it has to make room its capability goes with it, until a view refers to it anew.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;

use super::{Entry, Reference, Resources};

const SCHEME: &str = "data:";
/// Bytes of a URL for one of the picture, at most: every one may be written as `%00`.
const WRITTEN: usize = 3;
/// Bytes of what is before the picture, at most.
const HEAD: usize = 1_024;
/// Infra, "forgiving-base64 decode": with padding or without, and whatever the last bits are.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Resources {
    /// A view refers to a picture that its URL holds.
    pub(super) fn refer_to_data(&self, Reference { token, url }: Reference) {
        let key = format!("{SCHEME}{token}");
        let kept = matches!(self.lock().entries.get(&key), Some(Entry::Ready { .. }));
        if !kept && !self.decode(&key, &url) {
            return;
        }
        let mut state = self.lock();
        if state.references.len() < self.limits.references && state.entries.contains_key(&key) {
            state.references.insert(token, key);
        }
    }

    fn decode(&self, key: &str, url: &str) -> bool {
        let most = self.limits.resource.saturating_mul(WRITTEN).saturating_add(HEAD);
        let Some((content_type, bytes)) = (url.len() <= most).then(|| decode(url)).flatten() else {
            return false;
        };
        // Not even as a style sheet: its addresses would be nobody's.
        let picture = content_type.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("image/"));
        picture && bytes.len() <= self.limits.resource && self.keep(key, &content_type, bytes.into())
    }
}

/// Whether this is a `data:` URL, or stands for one among what is kept.
pub(super) fn is_data(url: &str) -> bool {
    url.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// The token of what is kept for a `data:` URL.
pub(super) fn token(key: &str) -> Option<&str> {
    key.strip_prefix(SCHEME)
}

/// The type of what a `data:` URL holds, and that: Fetch, "data: URL processor".
fn decode(url: &str) -> Option<(String, Vec<u8>)> {
    let (kind, body) = url.get(SCHEME.len()..)?.split_once(',')?;
    let body = body.split('#').next().unwrap_or_default();
    let mut bytes = percent_decode(body.as_bytes()).collect::<Vec<u8>>();
    let kind = kind.trim();
    let (kind, encoded) = match kind.rsplit_once(';') {
        Some((kind, coding)) if coding.trim().eq_ignore_ascii_case("base64") => (kind, true),
        _ => (kind, false),
    };
    if encoded {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        bytes = FORGIVING.decode(bytes).ok()?;
    }
    Some((kind.to_owned(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_decoded_as_browsers_do() {
        let of = |url: &str| decode(url).map(|(kind, bytes)| (kind, String::from_utf8(bytes).unwrap()));
        let is = |kind: &str, text: &str| Some((kind.to_owned(), text.to_owned()));
        assert_eq!(of("data:image/png;base64,YWI="), is("image/png", "ab"));
        assert_eq!(of("DATA:image/png; BASE64,YW%49%3D"), is("image/png", "ab"));
        assert_eq!(of("data:image/png;base64,Y\nW I"), is("image/png", "ab"), "white space, and no padding");
        assert_eq!(
            of("data:image/svg+xml;charset=utf-8,<a>%20</a>#b"),
            is("image/svg+xml;charset=utf-8", "<a> </a>")
        );
        assert_eq!(of("data:image/png;base64,Y"), None);
        assert_eq!(of("data:image/png"), None);
    }
}
