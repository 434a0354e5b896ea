//! The bytes of both directions: streamed frame by frame, with the receiver's back-pressure, under a time limit.
//!
//! A response's frames are passed on uncopied; at most the beginning of a page is held back for a moment, and only
//! pages are decoded and coded (see [`Page`]). A body that breaks off is an error, so that hyper closes the connection and nobody takes
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
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Limits;
use super::capture::Sink;
use super::error::Reason;
use super::metrics::SiteMetrics;
use super::page::Page;
use super::patience::Patience;
use super::pool::Arriving;
use super::pulse::Busy;
use super::record::Record;
use super::upload::FromBrowser;
use super::wire;
use crate::rewrite::coding;

/// Why a body breaks off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error(transparent)]
    Stream(h2::Error),
    #[error(transparent)]
    Own(axum::Error),
    #[error(transparent)]
    Wire(#[from] wire::Error),
    #[error("nothing came for too long")]
    Silent,
    #[error(transparent)]
    Coding(#[from] coding::Error),
}

impl Broken {
    fn reason(&self) -> Reason {
        let (fault, word) = match self {
            Broken::Http(_) | Broken::Stream(_) | Broken::Wire(_) => ("origin", "body_broken"),
            Broken::Silent => ("origin", "body_stalled"),
            Broken::Coding(_) => ("origin", "body_coding"),
            Broken::Own(_) => ("settings", "own"),
        };
        Reason { fault, word }
    }
}

/// A timer that runs only while its owner waits.
#[derive(Debug)]
struct Silence {
    patience: Option<Patience>,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Silence {
    fn new(patience: Option<Patience>) -> Self {
        Silence { patience, timer: None, running: false }
    }

    /// So many bytes came.
    fn broken(&mut self, bytes: usize) {
        self.running = false;
        if let Some(patience) = &mut self.patience {
            patience.progress(bytes);
        }
    }

    /// Called while nothing comes; ready when that has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(patience) = &mut self.patience else { return Poll::Pending };
        let until = patience.wait();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if !self.running {
            timer.as_mut().reset(until);
            self.running = true;
        }
        timer.as_mut().poll(cx)
    }
}

fn size(frame: &Frame<Bytes>) -> usize {
    frame.data_ref().map_or(0, Bytes::len)
}

/// The body of a response to a browser. While it lives, its connection is busy.
pub(super) struct Outgoing {
    source: Source,
    busy: Option<Busy>,
    record: Option<Record>,
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

impl Source {
    fn is_over(&self) -> bool {
        match self {
            Source::Page(body) => body.is_end_stream(),
            Source::Own(body) => body.is_end_stream(),
            Source::Origin(body) => body.is_over(),
        }
    }
}

impl Outgoing {
    pub(super) fn page(page: Full<Bytes>) -> Self {
        Outgoing { source: Source::Page(page), busy: None, record: None }
    }

    pub(super) fn own(body: axum::body::Body) -> Self {
        Outgoing { source: Source::Own(body), busy: None, record: None }
    }

    pub(super) fn origin(body: FromOrigin) -> Self {
        Outgoing { source: Source::Origin(body), busy: None, record: None }
    }

    pub(super) fn keeps_busy(mut self, mut busy: Busy) -> Self {
        busy.answered();
        self.busy = Some(busy);
        self
    }

    /// `record` is complete when the body is. `bodiless`: there is nothing to send, whatever the body says.
    pub(super) fn recorded(mut self, mut record: Record, bodiless: bool) -> Self {
        if bodiless || self.is_end_stream() {
            record.complete();
        }
        self.record = Some(record);
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
            busy.handed(match &frame {
                Poll::Ready(Some(Ok(frame))) => Some(size(frame)),
                _ => None,
            });
        }
        if let (Poll::Ready(frame), Some(record)) = (&frame, &mut this.record) {
            match frame {
                Some(Ok(frame)) => record.sent(size(frame)),
                Some(Err(broken)) => record.failed(broken.reason()),
                None => {}
            }
            // hyper stops asking as soon as the announced length has come.
            if !matches!(frame, Some(Err(_))) && this.source.is_over() {
                record.complete();
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_over()
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
    /// With the connection that it comes on, which goes back to the pool when it has come whole.
    arriving: Arriving,
    /// What is done with it, until that is over.
    page: Option<Page>,
    /// Whether it is another body than the origin's.
    changed: bool,
    sink: Option<Box<dyn Sink>>,
    /// What can be passed on.
    ready: VecDeque<Bytes>,
    silence: Silence,
    /// Of what has no end of its own: when the server stops.
    end: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Whether everything has come.
    complete: bool,
    /// Why no more will come, until that is said.
    broken: Option<Broken>,
}

impl FromOrigin {
    /// `start` is what came of it before.
    pub(super) fn new(
        arriving: Arriving,
        start: Bytes,
        mut page: Option<Page>,
        mut sink: Option<Box<dyn Sink>>,
        silence: Option<Duration>,
    ) -> Self {
        let mut ready = VecDeque::new();
        if !start.is_empty() {
            if let Some(sink) = &mut sink {
                sink.data(&start);
            }
            match &mut page {
                Some(page) => page.take(start),
                None => ready.push_back(start),
            }
        }
        let mut body = FromOrigin {
            arriving,
            changed: page.is_some(),
            page,
            sink,
            ready,
            silence: Silence::new(silence.map(|limit| Patience::new(limit, None))),
            end: None,
            complete: false,
            broken: None,
        };
        // hyper never polls a body that is empty from the start.
        body.settle();
        body
    }

    /// Ends an endless body when the server stops: browsers ask for event streams again by themselves.
    pub(super) fn until(mut self, stop: CancellationToken) -> Self {
        self.end = Some(Box::pin(stop.cancelled_owned()));
        self
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if let Err(error) = self.work() {
                return Poll::Ready(Some(Err(error.into())));
            }
            if !self.ready.is_empty() || self.page.as_ref().is_some_and(Page::has_more) {
                continue;
            }
            if self.complete {
                return Poll::Ready(None);
            }
            if let Some(broken) = self.broken.take() {
                return Poll::Ready(Some(Err(broken)));
            }
            let frame = match self.arriving.poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    if self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready()) {
                        return Poll::Ready(None);
                    }
                    ready!(self.silence.poll(cx));
                    return Poll::Ready(Some(Err(Broken::Silent)));
                }
            };
            self.silence.broken(0);
            match frame {
                None => self.end(),
                Some(Err(broken)) => {
                    // At an error hyper closes the connection at once; what came before is sent while it waits.
                    self.broken = Some(broken);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        if let Some(sink) = &mut self.sink {
                            sink.data(&data);
                        }
                        self.settle();
                        match &mut self.page {
                            Some(page) => page.take(data),
                            None => return Poll::Ready(Some(Ok(Frame::data(data)))),
                        }
                    }
                    // Trailers may hold digests, which a page with our tag does not have.
                    Err(trailers) if !self.changed => return Poll::Ready(Some(Ok(trailers))),
                    Err(_) => {}
                },
            }
        }
    }

    /// One step of what is done with the page, if there is one.
    fn work(&mut self) -> Result<(), coding::Error> {
        let Some(page) = &mut self.page else { return Ok(()) };
        if page.has_more() {
            page.step(&mut self.ready)?;
        }
        if page.is_done() {
            self.page = None;
        } else if self.complete && !page.has_more() {
            return self.page.take().map_or(Ok(()), |page| page.finish(&mut self.ready));
        }
        Ok(())
    }

    /// hyper stops asking as soon as the announced length has come, so the end is noticed at once.
    fn settle(&mut self) {
        if !self.complete && self.arriving.is_over() {
            self.end();
        }
    }

    fn end(&mut self) {
        self.complete = true;
        if let Some(sink) = self.sink.take() {
            sink.end();
        }
        self.arriving.end();
    }

    fn is_over(&self) -> bool {
        self.complete && self.ready.is_empty() && self.page.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let ready: u64 = self.ready.iter().map(|piece| piece.len() as u64).sum();
        match (self.arriving.size_hint().exact(), &self.page) {
            (Some(length), None) => SizeHint::with_exact(length + ready),
            _ => SizeHint::new(),
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
    incoming: FromBrowser,
    upload: Arc<Upload>,
    silence: Silence,
    metrics: Arc<SiteMetrics>,
}

impl ToOrigin {
    pub(super) fn empty() -> Self {
        ToOrigin(None)
    }

    pub(super) fn new(incoming: FromBrowser, limits: &Limits, metrics: &Arc<SiteMetrics>) -> Self {
        if incoming.is_end_stream() {
            return ToOrigin(None);
        }
        let upload = Arc::new(Upload(Mutex::new(Progress { last: Instant::now(), waiting: false })));
        let patience = Patience::new(limits.client_silence, Some(limits.upload_pace));
        let (silence, metrics) = (Silence::new(Some(patience)), Arc::clone(metrics));
        ToOrigin(Some(Stream { incoming, upload, silence, metrics }))
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
                let came = frame.as_ref().and_then(|frame| frame.as_ref().ok()).map_or(0, size);
                stream.silence.broken(came);
                stream.upload.set(false);
                stream.metrics.received(came);
                Poll::Ready(frame)
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
