//! The body of a browser's request, by whichever version of HTTP it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::{HeaderValue, Request, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::body::Broken;

/// A body as it comes.
#[derive(Debug)]
pub(super) enum FromBrowser {
    Http1(Incoming),
    Http2(Stream),
}

/// That of a stream of HTTP/2.
#[derive(Debug)]
pub(super) struct Stream {
    pieces: RecvStream,
    /// How much is to come, if that was said; h2 sees to it that no more and no less comes.
    left: Option<u64>,
    /// Only trailers may come.
    done: bool,
}

impl FromBrowser {
    pub(super) fn of_stream(request: Request<RecvStream>) -> Request<FromBrowser> {
        let length = request.headers().get(header::CONTENT_LENGTH).map(HeaderValue::to_str);
        let left = length.and_then(|length| length.ok()?.parse().ok());
        request.map(|pieces| FromBrowser::Http2(Stream { pieces, left, done: false }))
    }
}

impl Stream {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.done {
            match ready!(self.pieces.poll_data(cx)) {
                Some(Ok(piece)) => {
                    // Whoever asked for it takes it: as much may follow. An error: the stream has ended.
                    let _ = self.pieces.flow_control().release_capacity(piece.len());
                    self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                Some(Err(error)) => return Poll::Ready(unless_answered(error)),
                None => self.done = true,
            }
        }
        Poll::Ready(match ready!(self.pieces.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(Frame::trailers).map(Ok),
            Err(error) => unless_answered(error),
        })
    }
}

/// A stream that is reset without an error had its answer before its end (RFC 9113, section 8.1).
fn unless_answered<T>(error: h2::Error) -> Option<Result<T, h2::Error>> {
    (error.reason() != Some(Reason::NO_ERROR)).then_some(Err(error))
}

impl Body for FromBrowser {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            FromBrowser::Http1(incoming) => Pin::new(incoming).poll_frame(cx).map_err(Broken::Http),
            FromBrowser::Http2(stream) => stream.poll_frame(cx).map_err(Broken::Stream),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            FromBrowser::Http1(incoming) => incoming.is_end_stream(),
            FromBrowser::Http2(stream) => stream.pieces.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            FromBrowser::Http1(incoming) => incoming.size_hint(),
            FromBrowser::Http2(stream) => stream.left.map(SizeHint::with_exact).unwrap_or_default(),
        }
    }
}
