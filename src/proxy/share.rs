//! One HTTP/2 connection to the origin, and the exchanges that share it.
//!
//! A browser that takes nothing must not hold up the others: every exchange has a window of its own, and that of
//! the connection is large enough for all of them. RFC 9113.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::body::ToOrigin;
use super::metrics::Open;

/// Exchanges on one connection at a time: what RFC 9113 asks servers to allow at least.
const STREAMS: usize = 100;
/// What the origin may send of one response ahead of what the browser has taken, and of all, in bytes.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * STREAMS as u32;
/// What is kept of one upload that the origin does not take, in bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// How long a connection without exchanges is kept: an origin that closes it says which requests it did not see.
const IDLE: Duration = Duration::from_secs(60);
/// How often an origin that says nothing is asked whether it lives, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(20);

/// The connection.
#[derive(Debug)]
pub(super) struct Shared {
    sender: SendRequest<ToOrigin>,
    running: AtomicUsize,
    /// It takes no more requests.
    retired: AtomicBool,
    used: Mutex<Instant>,
}

/// A place on it for one exchange, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    connection: Arc<Shared>,
    sender: SendRequest<ToOrigin>,
}

impl Shared {
    /// Begins to speak HTTP/2; `head`: the largest head of a response.
    pub(super) async fn begin<S>(
        stream: S,
        head: usize,
        tasks: &TaskTracker,
        open: Open,
    ) -> Result<Arc<Shared>, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http2::Builder::new(Tracked(tasks.clone()))
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
            .max_send_buf_size(SEND_BUFFER)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_PATIENCE)
            .handshake(TokioIo::new(stream))
            .await?;
        // Ends by itself when the senders are gone and what they began is over.
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to the origin ended");
            }
            drop(open);
        });
        sender.ready().await?;
        Ok(Arc::new(Shared {
            sender,
            running: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            used: Mutex::new(Instant::now()),
        }))
    }

    /// A place, if there is one left.
    pub(super) fn join(self: &Arc<Self>) -> Option<Share> {
        if self.retired.load(Ordering::Relaxed) || self.sender.is_closed() {
            return None;
        }
        let more = |running| (running < STREAMS).then_some(running + 1);
        self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Share { connection: Arc::clone(self), sender: self.sender.clone() })
    }

    /// Whether it takes requests, and was used lately.
    pub(super) fn is_of_use(&self) -> bool {
        !self.retired.load(Ordering::Relaxed)
            && !self.sender.is_closed()
            && (self.running.load(Ordering::Relaxed) > 0 || self.used().elapsed() < IDLE)
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub(super) async fn send(
        &mut self,
        request: Request<ToOrigin>,
    ) -> Result<Response<Incoming>, TrySendError<Request<ToOrigin>>> {
        self.sender.try_send_request(for_http2(request)).await
    }

    /// The exchange failed. Returns whether the origin says that it did nothing with the request: it refused the
    /// stream, or closes the connection and saw none of this stream (RFC 9113, section 8.7).
    pub(super) fn failed(&self, error: &hyper::Error) -> bool {
        let cause = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
        let alone = cause.is_some_and(h2::Error::is_reset);
        if !alone && !error.is_user() {
            self.connection.retired.store(true, Ordering::Relaxed);
        }
        cause.is_some_and(|cause| {
            let refused = cause.is_reset() && cause.reason() == Some(h2::Reason::REFUSED_STREAM);
            cause.is_remote() && (refused || cause.is_go_away())
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.connection.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.connection.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs what HTTP/2 does beside where the stop waits for them.
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

/// What HTTP/1.1 says in `Host` and with chunks, HTTP/2 says in the target and with frames.
fn for_http2(mut request: Request<ToOrigin>) -> Request<ToOrigin> {
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    let Some(host) = request.headers_mut().remove(header::HOST) else { return request };
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(Scheme::HTTPS).authority(host.as_bytes()).path_and_query(path).build();
    match uri {
        Ok(uri) => *request.uri_mut() = uri,
        // A name that is no authority goes as it is.
        Err(_) => {
            request.headers_mut().insert(header::HOST, host);
        }
    }
    request
}

/// Takes [`for_http2`] back, for a request that was meant for another connection.
pub(super) fn for_http1(mut request: Request<ToOrigin>) -> Request<ToOrigin> {
    if request.version() != Version::HTTP_2 {
        return request;
    }
    *request.version_mut() = Version::HTTP_11;
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    if !request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_LENGTH) {
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        for target in ["/a?b=c", "/", "//x/../%2F"] {
            let request = || {
                let request = Request::get(target).header("host", "Shop.example:8443").header("a", "b");
                request.body(ToOrigin::empty()).unwrap()
            };
            let there = for_http2(request());
            assert_eq!(there.uri().to_string(), format!("https://Shop.example:8443{target}"));
            assert!(!there.headers().contains_key("host"));
            let back = for_http1(there);
            assert_eq!((back.uri(), back.headers()), (request().uri(), request().headers()));
        }
    }
}
