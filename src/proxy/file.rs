//! Which answers to navigations browsers save as files in place of showing them.
//!
//! Only the answer tells that, not its address. What an agent's action would save on the customer's disk is kept back,
//! and so is nothing that the customer asks for.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::body::Outgoing;

/// Texts that browsers save.
const SAVED: [&str; 6] =
    ["calendar", "comma-separated-values", "csv", "tab-separated-values", "vcard", "x-vcard"];
/// Of `application/`, what browsers show; what ends with `+xml` or `+json` too.
const SHOWN: [&str; 6] = ["ecmascript", "javascript", "json", "x-javascript", "xhtml+xml", "xml"];

/// Whether the answer is a file: it says so, or is of a kind that no page is of. (What a viewer shows is a file.)
pub(super) fn is_file(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success()
        && (is_attached(headers) || headers.get(header::CONTENT_TYPE).is_some_and(is_of_a_file))
}

/// RFC 6266: whatever is not `inline` is an attachment.
fn is_attached(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_DISPOSITION) else { return false };
    let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    // A name alone is read as `inline`.
    !(kind.is_empty() || kind.eq_ignore_ascii_case(b"inline") || kind.contains(&b'='))
}

fn is_of_a_file(kind: &HeaderValue) -> bool {
    let kind = String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.split_once('/') {
        Some(("text", kind)) => SAVED.contains(&kind),
        Some(("image" | "audio" | "video" | "multipart", _)) | None => false,
        Some(("application", kind)) => {
            !(SHOWN.contains(&kind) || kind.ends_with("+xml") || kind.ends_with("+json"))
        }
        Some(_) => true,
    }
}

/// In place of a file that is kept back: the browser stays where it is.
pub(super) fn kept_back() -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::page(Default::default()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_the_answer_says() {
        for (name, value, file) in [
            ("content-disposition", "attachment; filename=a.html", true),
            ("content-disposition", "ATTACHMENT", true),
            ("content-disposition", "form-data", true),
            ("content-disposition", "inline; filename=a.pdf", false),
            ("content-disposition", "filename=a.pdf", false),
            ("content-type", "text/html; charset=utf-8", false),
            ("content-type", "text/plain", false),
            ("content-type", "Text/CSV", true),
            ("content-type", "application/pdf", true),
            ("content-type", "application/octet-stream", true),
            ("content-type", "application/xhtml+xml", false),
            ("content-type", "application/problem+json", false),
            ("content-type", "image/png", false),
            ("content-type", "font/woff2", true),
            ("content-type", "", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(is_file(StatusCode::OK, &headers), file, "{name}: {value}");
            assert!(!is_file(StatusCode::FOUND, &headers), "a redirect brings nothing yet");
        }
    }
}
