//! The body of a browser's request, by whichever version of HTTP it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::Request;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::body::Broken;
use super::pieces::Pieces;

/// A body as it comes.
#[derive(Debug)]
pub(super) enum FromBrowser {
    Http1(Incoming),
    Http2(Pieces),
}

impl FromBrowser {
    pub(super) fn of_stream(request: Request<RecvStream>) -> Request<FromBrowser> {
        let (head, stream) = request.into_parts();
        let pieces = Pieces::new(stream, &head.headers);
        Request::from_parts(head, FromBrowser::Http2(pieces))
    }
}

impl Body for FromBrowser {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            FromBrowser::Http1(incoming) => Pin::new(incoming).poll_frame(cx).map_err(Broken::Http),
            FromBrowser::Http2(pieces) => pieces.poll_frame(cx).map(|frame| match frame {
                // A stream that is reset without an error had its answer before its end (RFC 9113, section 8.1).
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => None,
                frame => frame.map(|frame| frame.map_err(Broken::Stream)),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            FromBrowser::Http1(incoming) => incoming.is_end_stream(),
            FromBrowser::Http2(pieces) => pieces.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            FromBrowser::Http1(incoming) => incoming.size_hint(),
            FromBrowser::Http2(pieces) => pieces.size_hint(),
        }
    }
}
