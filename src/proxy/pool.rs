//! Connections to one origin server, kept for the next request.
//!
//! Last in, first out: the connection used most recently is the least likely to have been closed. A
//! connection comes back only when its response has come whole, so what is read on it next is always the
//! answer to what is sent on it next.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::{Host, Url};

use super::Limits;
use super::body::ToOrigin;
use super::error::Failure;
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
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    parked: Vec<Parked>,
    closed: bool,
}

#[derive(Debug)]
struct Parked {
    sender: SendRequest<ToOrigin>,
    since: Instant,
}

/// A connection for one exchange. Dropped, it closes the connection.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    pub(super) sender: SendRequest<ToOrigin>,
    /// Whether it served a request before: then the origin may be closing it at this moment.
    pub(super) reused: bool,
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
    pub(super) fn new(address: (String, u16), tls: Option<tls::Connector>, limits: &Limits) -> Self {
        Pool {
            address,
            tls,
            connect: limits.connect,
            keep_alive: limits.origin_keep_alive,
            capacity: limits.origin_idle,
            head: limits.head.max(8192),
            idle: Mutex::default(),
        }
    }

    /// A connection that is ready for a request: a kept one, or else a new one.
    pub(super) async fn checkout(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Lease, Failure> {
        match self.unpark() {
            Some(sender) => Ok(Lease { pool: Arc::clone(self), sender, reused: true }),
            None => self.open(tasks).await,
        }
    }

    /// A new connection.
    pub(super) async fn open(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Lease, Failure> {
        let sender = match tokio::time::timeout(self.connect, self.connect(tasks)).await {
            Ok(sender) => sender?,
            Err(_) => return Err(Failure::ConnectTimeout),
        };
        Ok(Lease { pool: Arc::clone(self), sender, reused: false })
    }

    async fn connect(&self, tasks: &TaskTracker) -> Result<SendRequest<ToOrigin>, Failure> {
        let (host, port) = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(Failure::Unreachable)?;
        // Without it small requests wait for the origin's delayed acknowledgements.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(tls) => self.begin(tls.connect(stream).await.map_err(Failure::Unreachable)?, tasks).await,
            None => self.begin(stream, tasks).await,
        }
    }

    async fn begin<S>(&self, stream: S, tasks: &TaskTracker) -> Result<SendRequest<ToOrigin>, Failure>
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
        });
        sender.ready().await.map_err(Failure::Broken)?;
        Ok(sender)
    }

    fn unpark(&self) -> Option<SendRequest<ToOrigin>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        self.sweep(&mut idle);
        // One that is not ready yet still ends its last exchange; it will be soon.
        let at = idle.parked.iter().rposition(|parked| parked.sender.is_ready())?;
        Some(idle.parked.remove(at).sender)
    }

    fn park(&self, sender: SendRequest<ToOrigin>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        self.sweep(&mut idle);
        if idle.closed || sender.is_closed() {
            return;
        }
        if idle.parked.len() >= self.capacity {
            if self.capacity == 0 {
                return;
            }
            idle.parked.remove(0);
        }
        idle.parked.push(Parked { sender, since: Instant::now() });
    }

    fn sweep(&self, idle: &mut Idle) {
        let now = Instant::now();
        idle.parked.retain(|p| !p.sender.is_closed() && now.duration_since(p.since) < self.keep_alive);
    }

    /// Closes what is idle, and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.closed = true;
        idle.parked.clear();
    }
}

impl Lease {
    /// The exchange is over and the connection clean: keep it.
    pub(super) fn give_back(self) {
        let Lease { pool, sender, .. } = self;
        pool.park(sender);
    }
}
