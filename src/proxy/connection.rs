//! A customer's connection: accepted, watched while it lives, ended when the server stops.
//!
//! hyper bounds no idle time, no slow head apart from it and no stalled write: a [`Pulse`] keeps the state of
//! the connection, the socket and the exchanges report to it, and one timer per connection acts on it. Over TLS
//! the browser chooses between HTTP/1.1 and HTTP/2 (ALPN); without it, it is HTTP/1.1.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::exchange::{Answerer, Peer};
use super::metrics::ListenerMetrics;
use super::{Entrance, Limits};
use crate::tls;

/// Pause after a failed `accept`: out of file descriptors, which takes time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often a silent HTTP/2 connection is asked whether it still lives (RFC 9113, section 6.7).
const PING_EVERY: Duration = Duration::from_secs(30);
/// And how long it may take to say so.
const PING_PATIENCE: Duration = Duration::from_secs(20);
/// What one upload and one connection may send ahead of what the origin has taken, in bytes.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is kept of one response that the browser does not take, in bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// Requests that a browser takes back beyond those that it waits for, over the life of a connection: people who
/// click fast stay below; a rapid reset flood (CVE-2023-44487) does not.
const TAKEN_BACK: u64 = 200;

pub(super) async fn accept(
    answerer: Answerer,
    entrance: Entrance,
    limits: &Limits,
    metrics: &ListenerMetrics,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let Entrance { listener, tls } = entrance;
    if let Some(tls) = tls.clone() {
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(tls.keep_fresh()).await });
    }
    let limits = Arc::new(limits.clone());
    let room = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    loop {
        let next = async {
            // With no room the next customer waits in the listener's queue.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, address)) => {
                let peer = Peer { address, tasks: tasks.clone(), stop: stop.clone() };
                let (open, metrics) = (metrics.accepted(), metrics.clone());
                let serve = serve(answerer.clone(), Arc::clone(&limits), stream, tls.clone(), peer, metrics);
                tasks.spawn(async move {
                    serve.await;
                    drop((permit, open));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    answerer: Answerer,
    limits: Arc<Limits>,
    stream: TcpStream,
    tls: Option<tls::Acceptor>,
    peer: Peer,
    metrics: ListenerMetrics,
) {
    // Without it small responses wait for the browser's delayed acknowledgements.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return http1(answerer, &limits, stream, peer, &metrics).await };
    let handshake = tokio::time::timeout(limits.handshake, tls.accept(stream));
    let stream = tokio::select! {
        stream = handshake => stream,
        () = peer.stop.cancelled() => return,
    };
    match stream {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            Box::pin(http2(answerer, &limits, stream, peer, &metrics)).await;
        }
        Ok(Ok(stream)) => Box::pin(http1(answerer, &limits, stream, peer, &metrics)).await,
        Ok(Err(error)) => {
            metrics.closed("handshake");
            tracing::debug!(%error, "no TLS");
        }
        Err(_) => {
            metrics.closed("handshake_timeout");
            tracing::debug!("handshake too slow");
        }
    }
}

async fn http1<S>(answerer: Answerer, limits: &Limits, stream: S, peer: Peer, metrics: &ListenerMetrics)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    metrics.speaks_http1();
    let pulse = Arc::new(Pulse::new(Wire::OneByOne));
    let io = TokioIo::new(Watched { stream, pulse: Arc::clone(&pulse) });
    let stop = peer.stop.clone();
    let beat = Arc::clone(&pulse);
    let service = service_fn(move |request| {
        let busy = Busy::begin(&beat);
        answerer.clone().answer(peer.clone(), busy, request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(limits.head.max(8192))
        .max_header_size(limits.head)
        // Ours is the pulse.
        .header_read_timeout(None)
        .serve_connection(io, service)
        .with_upgrades();
    watch(pin!(connection), |connection| connection.graceful_shutdown(), &pulse, limits, metrics, &stop)
        .await;
}

async fn http2<S>(answerer: Answerer, limits: &Limits, stream: S, peer: Peer, metrics: &ListenerMetrics)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    metrics.speaks_http2();
    let pulse = Arc::new(Pulse::new(Wire::Streams));
    let io = TokioIo::new(Watched { stream, pulse: Arc::clone(&pulse) });
    let stop = peer.stop.clone();
    let executor = Tracked(peer.tasks.clone());
    let beat = Arc::clone(&pulse);
    let service = service_fn(move |request| {
        let busy = Busy::begin(&beat);
        answerer.clone().answer(peer.clone(), busy, request)
    });
    let connection = hyper::server::conn::http2::Builder::new(executor)
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_PATIENCE)
        .serve_connection(io, service);
    watch(pin!(connection), |connection| connection.graceful_shutdown(), &pulse, limits, metrics, &stop)
        .await;
}

/// Runs a connection until it ends, outstays a limit, or the server stops.
async fn watch<C>(
    mut connection: Pin<&mut C>,
    end_gently: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    limits: &Limits,
    metrics: &ListenerMetrics,
    stop: &CancellationToken,
) where
    C: Future<Output = hyper::Result<()>>,
{
    let late = pulse.overdue(limits);
    let mut late = pin!(late);
    tokio::select! {
        result = connection.as_mut() => return ended(result, metrics),
        reason = late.as_mut() => {
            cut_off(reason, metrics);
            if pulse.wire == Wire::OneByOne || reason != IDLE {
                return;
            }
            // A request may be on its way: it is told that it was not seen (GOAWAY).
            end_gently(connection.as_mut());
            return match tokio::time::timeout(limits.header_read, connection.as_mut()).await {
                Ok(result) => ended(result, metrics),
                Err(_) => tracing::debug!("connection cut off"),
            };
        }
        () = stop.cancelled() => end_gently(connection.as_mut()),
    }
    tokio::select! {
        result = connection.as_mut() => ended(result, metrics),
        reason = late => cut_off(reason, metrics),
        () = tokio::time::sleep(limits.drain) => cut_off("stop", metrics),
    }
}

fn ended(result: hyper::Result<()>, metrics: &ListenerMetrics) {
    let Err(error) = result else { return };
    if error.is_parse() || error.is_parse_too_large() {
        // Answered by hyper itself, if at all.
        metrics.closed("malformed");
    }
    tracing::debug!(%error, "connection ended");
}

fn cut_off(reason: &'static str, metrics: &ListenerMetrics) {
    tracing::debug!(reason, "connection closed");
    if reason != IDLE {
        metrics.closed(reason);
    }
}

/// Runs the streams of HTTP/2 connections where the stop waits for them.
#[derive(Debug, Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        self.0.spawn(async move { drop(stream.await) });
    }
}

/// How requests share a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// HTTP/1.1: one after the other.
    OneByOne,
    /// HTTP/2: many at a time. Bytes may come that are no request, and a browser may let one response
    /// wait while it takes others.
    Streams,
}

const IDLE: &str = "idle";

/// How soon a flood is noticed.
const FLOOD_CHECK: Duration = Duration::from_secs(1);

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(super) struct Pulse {
    wire: Wire,
    beat: Mutex<Beat>,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    phase: Phase,
    since: Instant,
    /// Since when a write waits for the browser to take something.
    stalled: Option<Instant>,
    /// Requests that are being answered, and those of them whose next piece waits for the browser.
    running: usize,
    waiting: usize,
    answered: u64,
    taken_back: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Exchange,
}

impl Pulse {
    fn new(wire: Wire) -> Self {
        let beat = Beat {
            phase: Phase::Idle,
            since: Instant::now(),
            stalled: None,
            running: 0,
            waiting: 0,
            answered: 0,
            taken_back: 0,
        };
        Pulse { wire, beat: Mutex::new(beat) }
    }

    fn update(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut self.beat.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends when the connection has outstayed a limit, with the reason.
    async fn overdue(&self, limits: &Limits) -> &'static str {
        // A state entered meanwhile may be due earlier, so no sleep is longer than the shortest limit.
        let shortest = limits.header_read.min(limits.write_stall).min(limits.keep_alive).min(FLOOD_CHECK);
        loop {
            let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
            if beat.taken_back > TAKEN_BACK + beat.answered {
                return "reset_flood";
            }
            let now = Instant::now();
            let phase = match beat.phase {
                Phase::Idle => Some((beat.since + limits.keep_alive, IDLE)),
                Phase::Head => Some((beat.since + limits.header_read, "header_timeout")),
                // Of HTTP/2, where the socket never stalls: every response waits for the browser.
                Phase::Exchange if self.wire == Wire::Streams && beat.waiting == beat.running => {
                    Some((beat.since + limits.write_stall, "write_stall"))
                }
                Phase::Exchange => None,
            };
            let stall = beat.stalled.map(|since| (since + limits.write_stall, "write_stall"));
            let next = [phase, stall].into_iter().flatten().min_by_key(|(at, _)| *at);
            match next {
                Some((at, reason)) if at <= now => return reason,
                Some((at, _)) => tokio::time::sleep_until(at.min(now + shortest)).await,
                None => tokio::time::sleep(shortest).await,
            }
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
}

impl Busy {
    fn begin(pulse: &Arc<Pulse>) -> Self {
        pulse.update(|beat| {
            beat.phase = Phase::Exchange;
            beat.since = Instant::now();
            beat.running += 1;
        });
        Busy { pulse: Arc::clone(pulse), waiting: false, answered: false }
    }

    /// There is a response: the request was not taken back.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// Whether the next step is the browser's: it was handed a piece, and takes its time. Told for each piece.
    pub(super) fn waits_for_browser(&mut self, waits: bool) {
        if self.pulse.wire == Wire::OneByOne || !(waits || self.waiting) {
            return;
        }
        let before = std::mem::replace(&mut self.waiting, waits);
        self.pulse.update(|beat| {
            beat.since = Instant::now();
            beat.waiting = beat.waiting + usize::from(waits) - usize::from(before);
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
        });
    }
}

/// A socket that reports to the connection's pulse.
#[derive(Debug)]
struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    fn wrote<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.pulse.update(|beat| match result {
            Poll::Pending => {
                beat.stalled.get_or_insert_with(Instant::now);
            }
            Poll::Ready(_) => beat.stalled = None,
        });
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            let head = this.pulse.wire == Wire::OneByOne;
            this.pulse.update(|beat| {
                if head && beat.phase == Phase::Idle {
                    beat.phase = Phase::Head;
                    beat.since = Instant::now();
                }
            });
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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
        this.wrote(result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
