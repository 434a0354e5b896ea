//! What a connection is doing, and since when: the socket and the exchanges report to it, one timer acts on it.
//!
//! hyper bounds no idle time, no slow head apart from it, no slow reader and no flood. Every state that a browser
//! can keep a connection in has a limit here.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;

use super::Limits;
use super::frames::Frames;
use super::heads::Heads;
use super::life::Heard;
use super::patience::Patience;

/// Requests that a browser takes back beyond those that it waits for, over the life of a connection: people who
/// click fast stay below; a rapid reset flood (CVE-2023-44487) does not.
const TAKEN_BACK: u64 = 200;

/// How soon a flood is noticed.
const FLOOD_CHECK: Duration = Duration::from_secs(1);

/// The shortest idle time after which a connection rests: none at all would keep it busy with looking for it.
const A_MOMENT: Duration = Duration::from_millis(1);

/// How long a connection that is closed may still say something, and how long it may be quiet before that.
const LINGER: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(1);

/// Why a connection is cut off, in the words of the metrics.
pub(super) const IDLE: &str = "idle";
pub(super) const CONTROL_FLOOD: &str = "control_flood";
const RESET_FLOOD: &str = "reset_flood";
const HEADER_TIMEOUT: &str = "header_timeout";
const SLOW_READER: &str = "slow_reader";

/// How requests share a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// HTTP/1.1: one after the other.
    OneByOne,
    /// HTTP/2: many at a time. Bytes may come that are no request, and a browser may let one response
    /// wait while it takes others.
    Streams,
}

/// What is to be done about a connection now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overdue {
    /// It has been idle for so long that it can give back what it needs for work.
    Rest,
    /// It has outstayed a limit, which this names.
    Limit(&'static str),
}

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) wire: Wire,
    /// The server stops: the next answer is the last.
    stops: AtomicBool,
    /// The socket stays open when hyper is done with it.
    rests: AtomicBool,
    /// Over HTTP/2.
    heard: Heard,
    beat: Mutex<Beat>,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    phase: Phase,
    since: Instant,
    /// With a browser that does not take what is written to its socket.
    socket: Patience,
    /// Of HTTP/2, with one that lets all its responses wait, while its socket never stalls.
    streams: Patience,
    /// Requests that are being answered, and those of them whose next piece waits for the browser.
    running: usize,
    waiting: usize,
    answered: u64,
    taken_back: u64,
    flooded: bool,
    /// Requests that came, and which of HTTP/1.1 says twice where it ends.
    begun: u64,
    doubled: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Exchange,
}

impl Pulse {
    pub(super) fn new(wire: Wire, limits: &Limits) -> Self {
        let patience = Patience::new(limits.write_stall, Some(limits.download_pace));
        let beat = Beat {
            phase: Phase::Idle,
            since: Instant::now(),
            socket: patience,
            streams: patience,
            running: 0,
            waiting: 0,
            answered: 0,
            taken_back: 0,
            flooded: false,
            begun: 0,
            doubled: None,
        };
        Pulse {
            wire,
            stops: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            heard: Heard::new(),
            beat: Mutex::new(beat),
        }
    }

    fn update(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut self.beat.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn beat(&self) -> Beat {
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server stops.
    pub(super) fn stops(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// The socket of a connection that hyper ends now stays open, or no longer does.
    pub(super) fn rests(&self, rests: bool) {
        self.rests.store(rests, Ordering::Relaxed);
    }

    /// When something last came from a browser that speaks HTTP/2.
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Until when the connection may be idle, if nothing comes.
    pub(super) fn idle_until(&self, limits: &Limits) -> Instant {
        self.beat().since + limits.keep_alive
    }

    /// Ends when the connection has been idle for so long from now on.
    pub(super) async fn quiet(&self, time: Duration) {
        let now = Instant::now();
        loop {
            let beat = self.beat();
            let until = beat.since.max(now) + time;
            match beat.phase {
                Phase::Idle if until <= Instant::now() => return,
                Phase::Idle => tokio::time::sleep_until(until).await,
                Phase::Head | Phase::Exchange => tokio::time::sleep(time).await,
            }
        }
    }

    /// Whether the connection was ended because of a flood of frames.
    pub(super) fn flooded(&self) -> bool {
        self.beat().flooded
    }

    /// Ends when the connection has outstayed a limit, or can rest.
    pub(super) async fn overdue(&self, limits: &Limits) -> Overdue {
        let (begun, rest_after) = (Instant::now(), limits.rest.max(A_MOMENT));
        // A state entered meanwhile may be due earlier, so no sleep is longer than the shortest limit.
        let shortest = limits.header_read.min(limits.write_stall).min(limits.keep_alive).min(rest_after);
        let shortest = shortest.min(FLOOD_CHECK);
        loop {
            let beat = self.beat();
            if beat.taken_back > TAKEN_BACK + beat.answered {
                return Overdue::Limit(RESET_FLOOD);
            }
            let now = Instant::now();
            let limit = |at: Option<Instant>, reason| at.map(|at| (at, Overdue::Limit(reason)));
            let phase = match beat.phase {
                Phase::Idle => limit(Some(beat.since + limits.keep_alive), IDLE),
                Phase::Head => limit(Some(beat.since + limits.header_read), HEADER_TIMEOUT),
                Phase::Exchange => limit(beat.streams.until(), SLOW_READER),
            };
            let socket = limit(beat.socket.until(), SLOW_READER);
            let rest = self.may_rest(&beat).then(|| (beat.since.max(begun) + rest_after, Overdue::Rest));
            let next = [phase, socket, rest].into_iter().flatten().min_by_key(|(at, _)| *at);
            match next {
                Some((at, overdue)) if at <= now => return overdue,
                Some((at, _)) => tokio::time::sleep_until(at.min(now + shortest)).await,
                None => tokio::time::sleep(shortest).await,
            }
        }
    }

    /// Whether nothing is going on: over HTTP/1.1, with everything written.
    fn may_rest(&self, beat: &Beat) -> bool {
        self.wire == Wire::OneByOne
            && beat.phase == Phase::Idle
            && beat.socket.until().is_none()
            && !self.stops.load(Ordering::Relaxed)
    }
}

impl Beat {
    /// Bytes of HTTP/1.1 came: of a request's head, if nothing else is going on.
    fn came(&mut self) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Head;
            self.since = Instant::now();
        }
    }

    /// A response of HTTP/2 was given a piece of so many bytes, or ended, or began: who waits for whom now?
    fn passed(&mut self, bytes: usize) {
        self.streams.progress(bytes);
        if self.waiting > 0 && self.waiting == self.running {
            self.streams.wait();
        }
    }
}

/// The connection is answering a request for as long as this lives.
#[derive(Debug)]
pub(super) struct Busy {
    pulse: Arc<Pulse>,
    /// Whether a piece of the response waits for the browser.
    waiting: bool,
    answered: bool,
    has_two_lengths: bool,
}

impl Busy {
    pub(super) fn begin(pulse: &Arc<Pulse>) -> Self {
        let mut has_two_lengths = false;
        pulse.update(|beat| {
            beat.phase = Phase::Exchange;
            beat.since = Instant::now();
            beat.running += 1;
            beat.begun += 1;
            has_two_lengths = beat.doubled == Some(beat.begun);
            beat.passed(0);
        });
        Busy { pulse: Arc::clone(pulse), waiting: false, answered: false, has_two_lengths }
    }

    /// Whether the request says twice where it ends, of which hyper left one.
    pub(super) fn has_two_lengths(&self) -> bool {
        self.has_two_lengths
    }

    /// There is a response: the request was not taken back.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// Whether no other request can follow on the connection, and the browser has to be told.
    pub(super) fn is_last(&self) -> bool {
        self.pulse.wire == Wire::OneByOne && self.pulse.stops.load(Ordering::Relaxed)
    }

    /// The browser's connection was handed a piece of so many bytes, and the next step is the browser's; `None`:
    /// there is nothing to hand it yet. Told for each piece.
    pub(super) fn handed(&mut self, piece: Option<usize>) {
        let waits = piece.is_some();
        if self.pulse.wire == Wire::OneByOne || !(waits || self.waiting) {
            return;
        }
        let before = std::mem::replace(&mut self.waiting, waits);
        self.pulse.update(|beat| {
            beat.waiting = beat.waiting + usize::from(waits) - usize::from(before);
            beat.passed(piece.unwrap_or(0));
        });
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let (waiting, answered) = (self.waiting, self.answered);
        self.pulse.update(|beat| {
            beat.since = Instant::now();
            beat.running -= 1;
            beat.waiting -= usize::from(waiting);
            if answered {
                beat.answered += 1;
            } else {
                beat.taken_back += 1;
            }
            if beat.running == 0 {
                beat.phase = Phase::Idle;
            }
            beat.passed(0);
        });
    }
}

/// What a browser is connected by: TCP, and TLS over it.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Where bytes come from first.
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for Box<TlsStream<TcpStream>> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A socket that reports to the connection's pulse.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
    /// What came, and was not looked at, before the connection rested.
    before: Bytes,
    /// Of HTTP/2.
    frames: Option<Frames>,
    /// Of HTTP/1.1.
    heads: Heads,
    closes: bool,
    linger: Option<Linger>,
}

/// A close that lets what is still coming come: closed with bytes unread, a socket says so with a reset, and that
/// may overtake the answer that was sent last (RFC 9112, section 9.6).
#[derive(Debug)]
struct Linger {
    quiet: Pin<Box<Sleep>>,
    until: Instant,
}

impl Linger {
    fn begin() -> Linger {
        Linger { quiet: Box::pin(tokio::time::sleep(QUIET)), until: Instant::now() + LINGER }
    }

    /// Ready when the other side has closed too, or was given enough time.
    fn poll<S: AsyncRead + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [std::mem::MaybeUninit::uninit(); 8192];
        loop {
            let mut unread = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *stream).poll_read(cx, &mut unread) {
                Poll::Ready(Ok(())) if !unread.filled().is_empty() && Instant::now() < self.until => {
                    self.quiet.as_mut().reset((Instant::now() + QUIET).min(self.until));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.quiet.as_mut().poll(cx),
            }
        }
    }
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, pulse: &Arc<Pulse>) -> Self {
        let frames = (pulse.wire == Wire::Streams).then(Frames::new);
        let (pulse, heads) = (Arc::clone(pulse), Heads::default());
        Watched { stream, pulse, before: Bytes::new(), frames, heads, closes: false, linger: None }
    }

    /// As a new connection, which begins with these bytes.
    pub(super) fn after(self, before: Bytes) -> Self {
        Watched { before: Bytes::copy_from_slice(&before), ..self }
    }

    fn wrote(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pulse.update(|beat| match &result {
            Poll::Pending => {
                beat.socket.wait();
            }
            Poll::Ready(bytes) => beat.socket.progress(*bytes.as_ref().unwrap_or(&0)),
        });
        if let (Some(frames), Poll::Ready(Ok(bytes))) = (&mut self.frames, &result) {
            frames.sent(*bytes);
        }
        result
    }
}

impl<S: Socket> Watched<S> {
    /// Ends when there may be something to read. What TLS had read before was read from it before it rested.
    pub(super) async fn readable(&self) {
        // An error is found by who reads.
        let _ = self.stream.tcp().readable().await;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.before.is_empty() {
            // It was followed when it came.
            let size = this.before.len().min(buf.remaining());
            buf.put_slice(&this.before.split_to(size));
            this.pulse.update(Beat::came);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        let came = &buf.filled()[before..];
        if came.is_empty() {
            return result;
        }
        match &mut this.frames {
            None => {
                let doubled = this.heads.came(came);
                this.pulse.update(|beat| {
                    beat.doubled = beat.doubled.or(doubled);
                    beat.came();
                });
            }
            Some(frames) => {
                this.pulse.heard.now();
                if frames.came(came).is_err() {
                    this.pulse.update(|beat| beat.flooded = true);
                    return Poll::Ready(Err(io::Error::other(CONTROL_FLOOD)));
                }
            }
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.wrote(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // TLS takes bytes before the socket does.
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        this.wrote(result.map_ok(|()| 0)).map_ok(|_| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closes && this.pulse.rests.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        this.closes = true;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.pulse.wire == Wire::Streams {
                // Its streams have ends of their own; whoever still sends does not listen.
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(Linger::begin);
        linger.poll(&mut this.stream, cx).map(Ok)
    }
}
