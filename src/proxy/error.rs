//! What people see when a request cannot be answered, and what the log says about it.
//!
//! A page names the problem in plain words and a request ID that the log has too. It never repeats anything
//! of the request and never tells where the origin is.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Version, header};
use http_body_util::Full;

use super::record::RequestId;
use super::wire;

/// Why a request gets no answer from the site, by whose fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    // The browser's, or that of whoever speaks for it.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    #[error("method not supported")]
    Method,
    #[error("no such site")]
    UnknownSite,
    #[error("expectation not supported")]
    Expectation,
    #[error("address too long")]
    LongUrl,
    #[error("too many headers")]
    ManyHeaders,
    #[error("request body stalled")]
    SlowClient,
    // The origin's.
    #[error("cannot connect to the origin: {0}")]
    Unreachable(#[source] std::io::Error),
    #[error("the origin accepts no connection in time")]
    ConnectTimeout,
    #[error("the origin does not begin its response in time")]
    Silent,
    #[error("the origin's connection broke: {0}")]
    Broken(#[source] hyper::Error),
    #[error("the origin's connection broke: {0}")]
    Lost(#[source] wire::Error),
    #[error("the origin's stream broke: {0}")]
    Stream(#[source] h2::Error),
    #[error("the origin's response is not HTTP as it should be: {0}")]
    BadResponse(&'static str),
    // The administrator's.
    #[error("the request came back to this proxy")]
    Loop,
}

impl From<wire::Error> for Failure {
    fn from(error: wire::Error) -> Failure {
        match error {
            wire::Error::Silent => Failure::Silent,
            wire::Error::Malformed(what) => Failure::BadResponse(what),
            error => Failure::Lost(error),
        }
    }
}

/// Whose fault it is that something failed, and why: in the words of the metrics and the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason {
    /// `client`, `origin` or `settings`.
    pub(super) fault: &'static str,
    pub(super) word: &'static str,
}

impl Failure {
    /// Status, title and text of the page; the log level follows from the status.
    fn page(&self) -> (StatusCode, &'static str, &'static str) {
        use Failure::*;
        match self {
            Malformed(_) => (
                StatusCode::BAD_REQUEST,
                "This request could not be understood",
                "Your browser sent something that is not a valid request. Reloading the page may help.",
            ),
            Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done here",
                "The request asks for something that this website does not offer.",
            ),
            UnknownSite => (
                StatusCode::MISDIRECTED_REQUEST,
                "There is no website at this address",
                "Please check the address for typing errors.",
            ),
            Expectation => (
                StatusCode::EXPECTATION_FAILED,
                "This request could not be understood",
                "It expects something that this website does not offer.",
            ),
            LongUrl => (
                StatusCode::URI_TOO_LONG,
                "This address is too long",
                "The website does not take addresses of this length.",
            ),
            ManyHeaders => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "This request is too large",
                "Your browser sent more than the website takes. Deleting its cookies for this website may help.",
            ),
            SlowClient => (
                StatusCode::REQUEST_TIMEOUT,
                "The upload took too long",
                "Your connection may be slow or interrupted. Please try again.",
            ),
            Unreachable(_) | Broken(_) | Lost(_) | Stream(_) | BadResponse(_) => (
                StatusCode::BAD_GATEWAY,
                "The website is not available right now",
                "Its server could not be reached or gave no usable answer. Please try again in a moment.",
            ),
            ConnectTimeout | Silent => (
                StatusCode::GATEWAY_TIMEOUT,
                "The website takes too long to answer",
                "Its server may be busy. Please try again in a moment.",
            ),
            Loop => (
                StatusCode::LOOP_DETECTED,
                "The website is not set up correctly",
                "The request is going round in circles. The website's administrators have to correct that.",
            ),
        }
    }

    pub(super) fn reason(&self) -> Reason {
        use Failure::*;
        let (fault, word) = match self {
            Malformed(_) => ("client", "malformed"),
            Method => ("client", "method"),
            UnknownSite => ("client", "unknown_site"),
            Expectation => ("client", "expectation"),
            LongUrl => ("client", "long_url"),
            ManyHeaders => ("client", "many_headers"),
            SlowClient => ("client", "slow_upload"),
            Unreachable(_) => ("origin", "unreachable"),
            ConnectTimeout => ("origin", "connect_timeout"),
            Silent => ("origin", "first_byte_timeout"),
            Broken(_) | Lost(_) | Stream(_) => ("origin", "broken"),
            BadResponse(_) => ("origin", "bad_response"),
            Loop => ("settings", "loop"),
        };
        Reason { fault, word }
    }

    /// The page, and the line in the log that its request ID leads to.
    pub(super) fn into_response(self, version: Version, id: RequestId) -> Response<Full<Bytes>> {
        let (status, title, text) = self.page();
        if status.is_server_error() {
            tracing::warn!(%id, status = status.as_u16(), reason = %self, "request failed");
        } else {
            tracing::info!(%id, status = status.as_u16(), reason = %self, "request refused");
        }
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto 0;padding:0 1rem;\
             color:#222}}h1{{font-size:1.4rem}}small{{color:#767676}}</style></head>\
             <body><h1>{title}</h1><p>{text}</p><p><small>Error {}. Request ID: {id}</small></p></body></html>\n",
            status.as_u16()
        );
        let mut response = Response::new(Full::new(Bytes::from(page)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if version <= Version::HTTP_11 && matches!(self, Failure::SlowClient | Failure::Malformed(_)) {
            // What follows on this connection cannot be trusted to be a request.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_page_tells_the_problem_and_nothing_else() {
        let cause = std::io::Error::other("10.0.0.7:9000 refused");
        let response = Failure::Unreachable(cause).into_response(Version::HTTP_11, RequestId::fixed(7));
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let page = response.into_body().collect().await.unwrap().to_bytes();
        let page = std::str::from_utf8(&page).unwrap();
        assert!(page.contains("not available right now") && page.contains("Request ID: 0000000000000007"));
        assert!(!page.contains("10.0.0.7"));
    }
}
