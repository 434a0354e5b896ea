//! Connections to one origin server, kept for the next request.
//!
//! Over HTTP/1.1 each serves one exchange at a time, last in, first out: the one used most recently is the least
//! likely to have been closed. It comes back only when its response has come whole, so what is read on it next is
//! always the answer to what is sent on it next. Over HTTP/2, where the origin chooses it, exchanges share one.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::{Host, Url};

use super::Limits;
use super::body::{Broken, ToOrigin};
use super::early::Interim;
use super::error::Failure;
use super::metrics::{Open, OriginMetrics};
use super::share::{Answer, Share, Shared};
use super::stream::Stream;
use super::wire::{Reply, Wire};
use super::wires::Wires;
use crate::tls;

/// More than any real response has; hyper's own hundred is not.
const MAX_HEADERS: usize = 256;

#[derive(Debug)]
pub(super) struct Pool {
    address: (String, u16),
    tls: Option<tls::Connector>,
    connect: Duration,
    keep_alive: Duration,
    capacity: usize,
    head: usize,
    kept: Mutex<Kept>,
    wires: Wires,
    /// Whether it may choose HTTP/2, and did not choose otherwise when it was last asked.
    http2: AtomicBool,
    /// Held by who opens a connection that others may share, so that they wait for it.
    opening: tokio::sync::Mutex<()>,
    metrics: OriginMetrics,
}

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Parked>,
    shared: Vec<Arc<Shared>>,
    closed: bool,
}

#[derive(Debug)]
struct Parked {
    sender: SendRequest<ToOrigin>,
    since: Instant,
}

/// A connection, or a place on one, for one exchange. Dropped, it ends the exchange.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    sender: Sender,
    /// Whether it served a request before: then the origin may be closing it at this moment.
    pub(super) reused: bool,
}

#[derive(Debug)]
enum Sender {
    Http1(SendRequest<ToOrigin>),
    Http2(Share),
}

/// Why there is no response.
pub(super) struct Unanswered {
    pub(super) failure: Failure,
    /// The request, if nothing is missing of it.
    pub(super) request: Option<Box<Request<ToOrigin>>>,
    /// Whether the origin did nothing with it: none of it was sent, or the origin says so.
    pub(super) unprocessed: bool,
}

/// The body of a response, with the connection that it comes on. Dropped before its end, it closes that, or the
/// stream, if it shares the connection with others.
pub(super) enum Arriving {
    Wire(Option<Reply>, Arc<Pool>),
    Hyper(Incoming, Option<(SendRequest<ToOrigin>, Arc<Pool>)>),
    Stream(Answer),
}

/// Host and port to connect to.
pub(super) fn address(url: &Url) -> Option<(String, u16)> {
    let host = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Some((host, url.port_or_known_default()?))
}

impl Pool {
    /// `http2`: the origin may choose it, if it is connected to by TLS.
    pub(super) fn new(
        address: (String, u16),
        tls: Option<tls::Connector>,
        http2: bool,
        limits: &Limits,
        metrics: OriginMetrics,
    ) -> Self {
        Pool {
            address,
            http2: AtomicBool::new(http2 && tls.is_some()),
            tls,
            connect: limits.connect,
            keep_alive: limits.origin_keep_alive,
            capacity: limits.origin_idle,
            head: limits.head.max(8192),
            kept: Mutex::default(),
            wires: Wires::new(limits.origin_keep_alive, limits.origin_idle),
            opening: tokio::sync::Mutex::default(),
            metrics,
        }
    }

    /// A connection that is ready for a request: a kept one, or else a new one.
    pub(super) async fn checkout(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Lease, Failure> {
        if let Some(lease) = self.take_kept() {
            return Ok(lease);
        }
        if !self.http2.load(Ordering::Relaxed) {
            return self.open_http1(tasks).await;
        }
        // Many may come at once: one opens a connection, the others share it.
        let turn = tokio::time::timeout(self.connect, self.opening.lock()).await;
        let _turn = turn.map_err(|_| Failure::ConnectTimeout)?;
        match self.take_kept() {
            Some(lease) => Ok(lease),
            None => self.open(true, tasks).await,
        }
    }

    /// A connection that is not one of those kept over HTTP/1.1: they may all have been closed.
    pub(super) async fn fresh(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Lease, Failure> {
        match self.http2.load(Ordering::Relaxed) {
            true => self.checkout(tasks).await,
            false => self.open_http1(tasks).await,
        }
    }

    /// A new connection for one exchange after the other.
    pub(super) async fn open_http1(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Lease, Failure> {
        self.open(false, tasks).await
    }

    async fn open(self: &Arc<Self>, http2: bool, tasks: &TaskTracker) -> Result<Lease, Failure> {
        let sender = self.in_time(self.connect(http2, tasks)).await?;
        Ok(Lease { pool: Arc::clone(self), sender, reused: false })
    }

    /// What connecting comes to, within the time for it.
    async fn in_time<T>(&self, connect: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let connected = tokio::time::timeout(self.connect, connect).await;
        let connected = connected.unwrap_or(Err(Failure::ConnectTimeout));
        connected.inspect_err(|failure| self.metrics.failed(failure.reason()))
    }

    async fn connect(&self, http2: bool, tasks: &TaskTracker) -> Result<Sender, Failure> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::Unreachable)?;
        // Without it small requests wait for the origin's delayed acknowledgements.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.begin(stream, tasks, self.metrics.opened()).await };
        let stream = if http2 { tls.connect_any(stream).await } else { tls.connect(stream).await };
        let stream = stream.map_err(Failure::Unreachable)?;
        let open = self.metrics.opened();
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            let shared = Shared::begin(stream, self.head, tasks, open).await.map_err(Failure::Stream)?;
            let share = shared.join().ok_or(Failure::BadResponse("takes no stream"))?;
            let mut kept = self.kept();
            if !kept.closed {
                kept.shared.push(shared);
            }
            return Ok(Sender::Http2(share));
        }
        if http2 {
            // From now on nobody waits for a connection to share.
            self.http2.store(false, Ordering::Relaxed);
        }
        self.begin(stream, tasks, open).await
    }

    async fn begin<S>(&self, stream: S, tasks: &TaskTracker, open: Open) -> Result<Sender, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(self.head)
            .max_header_size(self.head)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(Failure::Broken)?;
        // Ends by itself when the sender is gone and what it began is over.
        tasks.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to the origin ended");
            }
            drop(open);
        });
        sender.ready().await.map_err(Failure::Broken)?;
        Ok(Sender::Http1(sender))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_kept(self: &Arc<Self>) -> Option<Lease> {
        let mut kept = self.kept();
        kept.sweep(self.keep_alive);
        let lease = |sender| {
            self.metrics.reused();
            Lease { pool: Arc::clone(self), sender, reused: true }
        };
        if let Some(share) = kept.shared.iter().find_map(Shared::join) {
            return Some(lease(Sender::Http2(share)));
        }
        // One that is not ready yet still ends its last exchange; it will be soon.
        let at = kept.idle.iter().rposition(|parked| parked.sender.is_ready())?;
        Some(lease(Sender::Http1(kept.idle.remove(at).sender)))
    }

    fn park(&self, sender: SendRequest<ToOrigin>) {
        let mut kept = self.kept();
        kept.sweep(self.keep_alive);
        if kept.closed || sender.is_closed() {
            return;
        }
        if kept.idle.len() >= self.capacity {
            if self.capacity == 0 {
                return;
            }
            kept.idle.remove(0);
        }
        kept.idle.push(Parked { sender, since: Instant::now() });
    }

    /// Closes what is idle, and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.idle.clear();
        kept.shared.clear();
        drop(kept);
        self.wires.close();
    }

    /// Whether requests without a body go over connections of their own. They share those of HTTP/2, if there
    /// may be any.
    pub(super) fn has_wires(&self) -> bool {
        !self.http2.load(Ordering::Relaxed)
    }

    /// A kept connection for a request without a body.
    pub(super) fn kept_wire(&self) -> Option<Wire> {
        self.wires.take().inspect(|_| self.metrics.reused())
    }

    /// A new one.
    pub(super) async fn new_wire(&self) -> Result<Wire, Failure> {
        let connect = async {
            let (host, port) = &self.address;
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::Unreachable)?;
            // Without it small requests wait for the origin's delayed acknowledgements.
            let _ = stream.set_nodelay(true);
            Ok(match &self.tls {
                Some(tls) => Stream::Tls(Box::new(tls.connect(stream).await.map_err(Failure::Unreachable)?)),
                None => Stream::Plain(stream),
            })
        };
        let stream = self.in_time(connect).await?;
        Ok(Wire::new(stream, self.head, self.metrics.opened()))
    }

    /// Closes what has been idle for too long.
    pub(super) fn sweep(&self) {
        self.kept().sweep(self.keep_alive);
        self.wires.sweep();
    }
}

impl Kept {
    fn sweep(&mut self, keep_alive: Duration) {
        if !self.idle.is_empty() {
            let now = Instant::now();
            self.idle.retain(|p| !p.sender.is_closed() && now.duration_since(p.since) < keep_alive);
        }
        self.shared.retain(|shared| shared.is_of_use());
    }
}

impl Lease {
    /// Whether other exchanges use the connection at the same time.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a request in the terms of HTTP/1.1 and waits for the head of the response, while it passes on what comes
    /// before that. `patience`: how long the origin may take nothing of the request's body, if that outlasts the wait.
    pub(super) async fn send(
        self,
        mut request: Request<ToOrigin>,
        interim: &mut Interim<'_>,
        tasks: &TaskTracker,
        patience: Duration,
    ) -> Result<Response<Arriving>, Unanswered> {
        let mut sender = match self.sender {
            Sender::Http1(sender) => sender,
            Sender::Http2(share) => {
                let answer = share.send(request, interim, tasks, patience).await?;
                return Ok(answer.map(Arriving::Stream));
            }
        };
        let mut coming = interim.follow(&mut request);
        let answer = tokio::select! {
            biased;
            wrong = interim.pass(&mut coming) => return Err(Failure::BadResponse(wrong).into()),
            answer = sender.try_send_request(request) => answer,
        };
        match answer {
            Ok(response) => {
                interim.pass_last(&mut coming).map_err(Failure::BadResponse)?;
                Ok(response.map(|incoming| Arriving::Hyper(incoming, Some((sender, self.pool)))))
            }
            Err(mut error) => match error.take_message() {
                Some(request) => Err(Unanswered::unsent(Failure::Broken(error.into_error()), request)),
                None => Err(Failure::Broken(error.into_error()).into()),
            },
        }
    }
}

impl Unanswered {
    pub(super) fn unsent(failure: Failure, request: Request<ToOrigin>) -> Self {
        Unanswered { failure, request: Some(Box::new(request)), unprocessed: true }
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Unanswered { failure, request: None, unprocessed: false }
    }
}

impl Arriving {
    /// The connection is a tunnel from now on: it does not come back.
    pub(super) fn tunnelled(self) -> Arriving {
        match self {
            Arriving::Hyper(incoming, _) => Arriving::Hyper(incoming, None),
            other => other,
        }
    }

    /// The whole response has come: the connection is kept, if another can follow on it.
    pub(super) fn end(&mut self) {
        match self {
            Arriving::Wire(reply, pool) => {
                if let Some(wire) = reply.take().and_then(Reply::into_wire) {
                    pool.wires.keep(wire);
                }
            }
            Arriving::Hyper(_, own) => {
                if let Some((sender, pool)) = own.take() {
                    pool.park(sender);
                }
            }
            Arriving::Stream(answer) => answer.end(),
        }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self {
            Arriving::Wire(Some(reply), _) => reply.poll_frame(cx).map_err(Broken::Wire),
            Arriving::Wire(None, _) => Poll::Ready(None),
            Arriving::Hyper(incoming, _) => Pin::new(incoming).poll_frame(cx).map_err(Broken::Http),
            Arriving::Stream(answer) => answer.poll_frame(cx).map_err(Broken::Stream),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        match self {
            Arriving::Wire(reply, _) => reply.as_ref().is_none_or(Reply::is_over),
            Arriving::Hyper(incoming, _) => incoming.is_end_stream(),
            Arriving::Stream(answer) => answer.is_over(),
        }
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match self {
            Arriving::Wire(reply, _) => {
                reply.as_ref().map_or_else(|| SizeHint::with_exact(0), Reply::size_hint)
            }
            Arriving::Hyper(incoming, _) => incoming.size_hint(),
            Arriving::Stream(answer) => answer.size_hint(),
        }
    }
}
