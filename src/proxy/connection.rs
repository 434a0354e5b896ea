//! A customer's connection: accepted, watched while it lives, ended when the server stops.
//!
//! hyper bounds no idle time, no slow head apart from it and no stalled write: a [`Pulse`] keeps the state of
//! the connection, the socket and the exchanges report to it, and one timer per connection acts on it.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::exchange::{self, Peer};
use super::{Limits, Proxy};

/// Pause after a failed `accept`: out of file descriptors, which takes time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn accept(
    proxy: &Arc<Proxy>,
    listener: TcpListener,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let room = Arc::new(Semaphore::new(proxy.limits.connections.min(Semaphore::MAX_PERMITS)));
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
                let serve = serve(Arc::clone(proxy), stream, address, tasks.clone(), stop.clone());
                tasks.spawn(async move {
                    serve.await;
                    drop(permit);
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
    proxy: Arc<Proxy>,
    stream: TcpStream,
    address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    // Without it small responses wait for the browser's delayed acknowledgements.
    let _ = stream.set_nodelay(true);
    let pulse = Arc::new(Pulse::new());
    let io = TokioIo::new(Watched { stream, pulse: Arc::clone(&pulse) });
    let limits = proxy.limits.clone();
    let peer = Peer { address, tasks, stop: stop.clone() };
    let beat = Arc::clone(&pulse);
    let service = service_fn(move |request| {
        let busy = Busy::begin(&beat);
        exchange::answer(Arc::clone(&proxy), peer.clone(), busy, request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(limits.head.max(8192))
        .max_header_size(limits.head)
        // Ours is the pulse.
        .header_read_timeout(None)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let late = pulse.overdue(&limits);
    let mut late = pin!(late);
    tokio::select! {
        result = connection.as_mut() => return ended(result),
        reason = late.as_mut() => return tracing::debug!(reason, "connection closed"),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        result = connection.as_mut() => ended(result),
        reason = late => tracing::debug!(reason, "connection closed"),
        () = tokio::time::sleep(limits.drain) => tracing::debug!("connection cut off at the stop"),
    }
}

fn ended(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<Beat>);

#[derive(Debug, Clone, Copy)]
struct Beat {
    phase: Phase,
    since: Instant,
    /// Since when a write waits for the browser to take something.
    stalled: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Exchange,
}

impl Pulse {
    fn new() -> Self {
        Pulse(Mutex::new(Beat { phase: Phase::Idle, since: Instant::now(), stalled: None }))
    }

    fn update(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn enter(&self, phase: Phase) {
        self.update(|beat| {
            beat.phase = phase;
            beat.since = Instant::now();
        });
    }

    /// Ends when the connection has outstayed a limit, with the reason.
    async fn overdue(&self, limits: &Limits) -> &'static str {
        loop {
            let beat = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let phase = match beat.phase {
                Phase::Idle => Some((beat.since + limits.keep_alive, "idle")),
                Phase::Head => Some((beat.since + limits.header_read, "head too slow")),
                Phase::Exchange => None,
            };
            let stall = beat.stalled.map(|since| (since + limits.write_stall, "browser takes nothing"));
            let next = [phase, stall].into_iter().flatten().min_by_key(|(at, _)| *at);
            match next {
                Some((at, reason)) if at <= now => return reason,
                Some((at, _)) => {
                    // A state entered meanwhile may be due earlier, so no sleep is longer than the shortest.
                    let shortest = limits.header_read.min(limits.write_stall).min(limits.keep_alive);
                    tokio::time::sleep_until(at.min(now + shortest)).await;
                }
                None => {
                    let shortest = limits.header_read.min(limits.write_stall).min(limits.keep_alive);
                    tokio::time::sleep(shortest).await;
                }
            }
        }
    }
}

/// The connection is answering a request for as long as this lives.
#[derive(Debug)]
pub(super) struct Busy(Arc<Pulse>);

impl Busy {
    fn begin(pulse: &Arc<Pulse>) -> Self {
        pulse.enter(Phase::Exchange);
        Busy(Arc::clone(pulse))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

/// A socket that reports to the connection's pulse.
#[derive(Debug)]
struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl Watched {
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

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.pulse.update(|beat| {
                if beat.phase == Phase::Idle {
                    beat.phase = Phase::Head;
                    beat.since = Instant::now();
                }
            });
        }
        result
    }
}

impl AsyncWrite for Watched {
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
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
