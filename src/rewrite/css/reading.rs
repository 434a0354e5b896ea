//! How the bytes of a style sheet are read: CSS Syntax 3, "determine the fallback encoding".

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// How a sheet begins that says its encoding itself.
const SAID: &[u8] = b"@charset \"";
/// Bytes in which the name must end.
const WITHIN: usize = 1_024;

/// The text of a style sheet. A mark at its start wins, then what came with it, then what it says itself; the encoding of
/// the page that links it is not known here.
pub fn read<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let declared = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is = name.trim().eq_ignore_ascii_case("charset");
        is.then(|| Encoding::for_label(value.trim().trim_matches(['"', '\'']).as_bytes())).flatten()
    });
    declared.or_else(|| said(bytes)).unwrap_or(UTF_8).decode(bytes).0
}

fn said(bytes: &[u8]) -> Option<&'static Encoding> {
    let name = bytes.get(..WITHIN).unwrap_or(bytes).strip_prefix(SAID)?;
    let end = name.iter().position(|byte| *byte == b'"')?;
    let encoding = (name.get(end + 1) == Some(&b';')).then(|| Encoding::for_label(&name[..end])).flatten()?;
    // It can not be: the rule was read byte by byte.
    let wide = encoding == encoding_rs::UTF_16BE || encoding == encoding_rs::UTF_16LE;
    Some(if wide { UTF_8 } else { encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_browsers_do() {
        for (bytes, content_type, text) in [
            (&b"\xc3\xa4"[..], "text/css", "\u{e4}"),
            (b"\xe4", "text/css;charset=iso-8859-1", "\u{e4}"),
            (b"\xe4", "text/css; v=1; Charset=\"ISO-8859-1\"", "\u{e4}"),
            (b"@charset \"latin1\";\xe4", "text/css", "@charset \"latin1\";\u{e4}"),
            (b"@charset \"latin1\";\xc3\xa4", "text/css; charset=utf-8", "@charset \"latin1\";\u{e4}"),
            (b"@charset 'latin1';\xc3\xa4", "text/css", "@charset 'latin1';\u{e4}"),
            (b"@charset \"utf-16\";\xc3\xa4", "text/css", "@charset \"utf-16\";\u{e4}"),
            (b"\xef\xbb\xbf\xc3\xa4", "text/css; charset=latin1", "\u{e4}"),
            (b"\xff\xfe\xe4\0", "text/css", "\u{e4}"),
            (b"\xc3\xa4", "text/css; charset=none", "\u{e4}"),
        ] {
            assert_eq!(read(bytes, content_type), text, "{content_type} {bytes:?}");
        }
    }
}
