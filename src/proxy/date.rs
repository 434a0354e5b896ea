//! The time as a `Date` header says it, written out once a second (RFC 9110, section 5.6.7).

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// What to say now.
pub(super) fn now() -> HeaderValue {
    thread_local! {
        static SAID: RefCell<(u64, HeaderValue)> = const { RefCell::new((0, HeaderValue::from_static(""))) };
    }
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    SAID.with_borrow_mut(|(when, said)| {
        if *when != seconds || said.is_empty() {
            (*when, *said) = (seconds, at(seconds));
        }
        said.clone()
    })
}

fn at(seconds: u64) -> HeaderValue {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    HeaderValue::try_from(date).expect("letters, digits, blanks, commas and colons")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_as_the_rfc_has_it() {
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(httpdate::parse_http_date(now().to_str().unwrap()).is_ok());
    }
}
