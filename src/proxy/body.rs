//! The bytes of both directions: streamed frame by frame, with the receiver's back-pressure, under a time limit.
//!
//! A response's frames are passed on uncopied; at most the beginning of a page is held back for a moment (see
//! [`Insertion`]). A body that breaks off is an error, so that hyper closes the connection and nobody takes
//! a part for the whole.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::capture::Sink;
use super::connection::Busy;
use super::pool::Lease;
use crate::rewrite::prologue::Insertion;

/// Why a body breaks off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error(transparent)]
    Own(axum::Error),
    #[error("nothing came for too long")]
    Silent,
}

/// A timer that runs only while its owner waits.
#[derive(Debug)]
struct Silence {
    limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Silence {
    fn new(limit: Option<Duration>) -> Self {
        Silence { limit, timer: None, running: false }
    }

    fn broken(&mut self) {
        self.running = false;
    }

    /// Called while nothing comes; ready when that has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.limit else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.running {
            timer.as_mut().reset(Instant::now() + limit);
            self.running = true;
        }
        timer.as_mut().poll(cx)
    }
}

/// The body of a response to a browser. While it lives, its connection is busy.
pub(super) struct Outgoing {
    source: Source,
    busy: Option<Busy>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the common one: a box would cost each request"
)]
enum Source {
    Page(Full<Bytes>),
    Own(axum::body::Body),
    Origin(FromOrigin),
}

impl Outgoing {
    pub(super) fn page(page: Full<Bytes>) -> Self {
        Outgoing { source: Source::Page(page), busy: None }
    }

    pub(super) fn own(body: axum::body::Body) -> Self {
        Outgoing { source: Source::Own(body), busy: None }
    }

    pub(super) fn origin(body: FromOrigin) -> Self {
        Outgoing { source: Source::Origin(body), busy: None }
    }

    pub(super) fn keeps_busy(mut self, mut busy: Busy) -> Self {
        busy.answered();
        self.busy = Some(busy);
        self
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Page(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Source::Own(body) => Pin::new(body).poll_frame(cx).map_err(Broken::Own),
            Source::Origin(body) => body.poll(cx),
        };
        if let Some(busy) = &mut this.busy {
            busy.waits_for_browser(matches!(frame, Poll::Ready(Some(Ok(_)))));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Page(body) => body.is_end_stream(),
            Source::Own(body) => body.is_end_stream(),
            Source::Origin(body) => body.ended && body.ready.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Page(body) => body.size_hint(),
            Source::Own(body) => body.size_hint(),
            Source::Origin(body) => body.size_hint(),
        }
    }
}

/// The origin's body on its way to the browser.
pub(super) struct FromOrigin {
    incoming: Incoming,
    /// The connection that it comes from; goes back to the pool when it has come whole.
    lease: Option<Lease>,
    insertion: Option<Insertion>,
    sink: Option<Box<dyn Sink>>,
    /// What the insertion let pass.
    ready: VecDeque<Bytes>,
    silence: Silence,
    ended: bool,
}

impl FromOrigin {
    pub(super) fn new(
        incoming: Incoming,
        lease: Option<Lease>,
        insertion: Option<Insertion>,
        sink: Option<Box<dyn Sink>>,
        silence: Option<Duration>,
    ) -> Self {
        let mut body = FromOrigin {
            incoming,
            lease,
            insertion,
            sink,
            ready: VecDeque::new(),
            silence: Silence::new(silence),
            ended: false,
        };
        // hyper never polls a body that is empty from the start.
        body.settle();
        body
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    ready!(self.silence.poll(cx));
                    return Poll::Ready(Some(Err(Broken::Silent)));
                }
            };
            self.silence.broken();
            match frame {
                None => self.end(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        if let Some(sink) = &mut self.sink {
                            sink.data(&data);
                        }
                        match self.insertion.as_mut().filter(|insertion| !insertion.is_done()) {
                            Some(insertion) => {
                                insertion.push(data, &mut |piece| self.ready.push_back(piece));
                                self.settle();
                            }
                            None => {
                                self.settle();
                                return Poll::Ready(Some(Ok(Frame::data(data))));
                            }
                        }
                    }
                    // Trailers may hold digests, which a page with our tag does not have.
                    Err(trailers) if self.insertion.is_none() => return Poll::Ready(Some(Ok(trailers))),
                    Err(_) => {}
                },
            }
        }
    }

    /// hyper stops asking as soon as the announced length has come, so the end is noticed at once.
    fn settle(&mut self) {
        if !self.ended && self.incoming.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        self.ended = true;
        if let Some(insertion) = &mut self.insertion {
            insertion.finish(&mut |piece| self.ready.push_back(piece));
        }
        if let Some(sink) = self.sink.take() {
            sink.end();
        }
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    fn size_hint(&self) -> SizeHint {
        let ready: u64 = self.ready.iter().map(|piece| piece.len() as u64).sum();
        match (self.incoming.size_hint().exact(), &self.insertion) {
            (Some(length), Some(insertion)) if !insertion.is_done() => {
                SizeHint::with_exact(length + ready + insertion.added())
            }
            (Some(length), _) => SizeHint::with_exact(length + ready),
            (None, _) => SizeHint::new(),
        }
    }
}

/// How an upload is getting on, for those who wait for the response.
#[derive(Debug)]
pub(super) struct Upload(Mutex<Progress>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// When the last piece went to the origin.
    pub(super) last: Instant,
    /// Whether it is the browser that is waited for.
    pub(super) waiting: bool,
}

impl Upload {
    pub(super) fn progress(&self) -> Progress {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, waiting: bool) {
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting {
            progress.last = Instant::now();
        }
        progress.waiting = waiting;
    }
}

/// The browser's body on its way to the origin.
#[derive(Debug)]
pub(super) struct ToOrigin(Option<Stream>);

#[derive(Debug)]
struct Stream {
    incoming: Incoming,
    upload: Arc<Upload>,
    silence: Silence,
}

impl ToOrigin {
    pub(super) fn empty() -> Self {
        ToOrigin(None)
    }

    pub(super) fn new(incoming: Incoming, silence: Duration) -> Self {
        if incoming.is_end_stream() {
            return ToOrigin(None);
        }
        let upload = Arc::new(Upload(Mutex::new(Progress { last: Instant::now(), waiting: false })));
        ToOrigin(Some(Stream { incoming, upload, silence: Silence::new(Some(silence)) }))
    }

    /// `None` when there is no body.
    pub(super) fn upload(&self) -> Option<Arc<Upload>> {
        self.0.as_ref().map(|stream| Arc::clone(&stream.upload))
    }
}

impl Body for ToOrigin {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(stream) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        match Pin::new(&mut stream.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                stream.silence.broken();
                stream.upload.set(false);
                Poll::Ready(frame.map(|result| result.map_err(Broken::from)))
            }
            Poll::Pending => {
                stream.upload.set(true);
                ready!(stream.silence.poll(cx));
                Poll::Ready(Some(Err(Broken::Silent)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|stream| stream.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |stream| stream.incoming.size_hint())
    }
}
