//! Parts of a resource: players of sounds go to a place only where the server gives them (RFC 9110 section 14).
//!
//! One range of bytes is understood; whatever else is asked for gets all of it, as a server may.

use axum::http::{HeaderMap, header};

/// Which bytes of `length`, from and to (inclusive), a request wants of what has this validator; none: all.
pub(super) fn wanted(headers: &HeaderMap, etag: &str, length: usize) -> Option<(usize, usize)> {
    // What it has the rest of may be something else than we have now.
    if headers.get(header::IF_RANGE).is_some_and(|known| known.as_bytes() != etag.as_bytes()) {
        return None;
    }
    let last = length.checked_sub(1)?;
    let (from, to) = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (number(from), number(to)) {
        (Some(from), Some(to)) => (from, to.min(last)),
        (Some(from), None) if to.is_empty() => (from, last),
        (None, Some(count)) if from.is_empty() && count > 0 => (length.saturating_sub(count), last),
        _ => return None,
    };
    (from <= to).then_some((from, to))
}

fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_nothing_else() {
        let of = |range: &str, length| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            wanted(&headers, "\"a\"", length)
        };
        assert_eq!(of("bytes=0-", 10), Some((0, 9)));
        assert_eq!(of("bytes=2-5", 10), Some((2, 5)));
        assert_eq!(of("bytes=2-99", 10), Some((2, 9)));
        assert_eq!(of("bytes=-3", 10), Some((7, 9)));
        assert_eq!(of("bytes=-30", 10), Some((0, 9)));
        for all in [
            "bytes=10-",
            "bytes=5-2",
            "bytes=-0",
            "bytes=-",
            "bytes=0-1,4-5",
            "bytes=+1-2",
            "items=0-1",
            "bytes",
        ] {
            assert_eq!(of(all, 10), None, "{all}");
        }
        assert_eq!(of("bytes=0-", 0), None);
        assert_eq!(of("bytes=99999999999999999999-", 10), None);
    }

    #[test]
    fn the_rest_of_something_else_is_all_of_it() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=4-".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"a\"".parse().unwrap());
        assert_eq!(wanted(&headers, "\"a\"", 10), Some((4, 9)));
        assert_eq!(wanted(&headers, "\"b\"", 10), None);
    }
}
