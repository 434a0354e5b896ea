//! Bodies on streams of HTTP/2, those of browsers and those to origins: each goes no faster than it is taken. RFC 9113.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body, Frame, SizeHint};

use super::body::Broken;

/// A body as it comes. Dropped before its end, it resets the stream, unless something is still sent on that.
#[derive(Debug)]
pub(super) struct Pieces {
    stream: RecvStream,
    /// How much is to come, if that was said; h2 sees to it that no more and no less comes.
    left: Option<u64>,
    /// Only trailers may come.
    done: bool,
}

impl Pieces {
    /// `headers`: those of the head before it.
    pub(super) fn new(stream: RecvStream, headers: &HeaderMap) -> Pieces {
        let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::to_str);
        let left = length.and_then(|length| length.ok()?.parse().ok());
        Pieces { stream, left, done: false }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.done {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(piece)) => {
                    // Whoever asked for it takes it: as much may follow. An error: the stream has ended.
                    let _ = self.stream.flow_control().release_capacity(piece.len());
                    self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.done = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }

    pub(super) fn is_over(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}

/// Sends a body, until the other side wants no more of it. One that breaks off, or of which nothing is taken for
/// as long as `patience`, resets the stream for this `reason`.
///
/// # Errors
///
/// Why it broke off.
pub(super) async fn send<B>(
    mut body: B,
    mut stream: SendStream<Bytes>,
    reason: Reason,
    patience: Option<Duration>,
) -> Result<(), Broken>
where
    B: Body<Data = Bytes, Error = Broken> + Unpin,
{
    loop {
        // No room is asked for before there is something to send: it would be taken from the other streams.
        let next = poll_fn(|cx| match stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut body).poll_frame(cx).map(Some),
        });
        let Some(frame) = next.await else { return Ok(()) };
        let (last, sent) = match frame.transpose() {
            Err(broken) => {
                tracing::debug!(error = %broken, "body broke off");
                stream.send_reset(reason);
                return Err(broken);
            }
            Ok(None) => (true, stream.send_data(Bytes::new(), true)),
            Ok(Some(frame)) => match frame.into_data() {
                Ok(piece) => {
                    let last = body.is_end_stream();
                    if !piece.is_empty() && !has_room_in_time(&mut stream, patience).await {
                        stream.send_reset(reason);
                        return Ok(());
                    }
                    (last, stream.send_data(piece, last))
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => (true, stream.send_trailers(trailers)),
                    Err(_) => (false, Ok(())),
                },
            },
        };
        if sent.is_err() {
            // Of trailers that have no place in HTTP/2. A stream that has ended is not reset by it.
            stream.send_reset(reason);
        }
        if last || sent.is_err() {
            return Ok(());
        }
    }
}

async fn has_room_in_time(stream: &mut SendStream<Bytes>, patience: Option<Duration>) -> bool {
    match patience {
        None => has_room(stream).await,
        Some(patience) => tokio::time::timeout(patience, has_room(stream)).await.unwrap_or(false),
    }
}

/// Waits until the other side takes more; whether it will.
async fn has_room(stream: &mut SendStream<Bytes>) -> bool {
    // For the least; h2 asks for as much as it is given.
    stream.reserve_capacity(1);
    poll_fn(|cx| {
        if stream.poll_reset(cx).is_ready() {
            return Poll::Ready(false);
        }
        while stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    })
    .await
}
