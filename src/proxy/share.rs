//! One HTTP/2 connection to the origin, and the exchanges that share it.
//!
//! h2 without hyper's client around it, which passes no interim response on and runs a task for each exchange. Here
//! an exchange drives its own stream; only what is still sent after the response's head has a task of its own.
//!
//! A browser that takes nothing must not hold up the others: every exchange has a window of its own, and that of
//! the connection is large enough for all of them. RFC 9113.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::{self, SendRequest};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::io::InspectReader;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::body::{Broken, ToOrigin};
use super::early::Interim;
use super::error::Failure;
use super::life::{Heard, Life};
use super::metrics::Open;
use super::pieces::{self, Pieces};
use super::pool::Unanswered;

/// Exchanges on one connection at a time: what RFC 9113 asks servers to allow at least.
const STREAMS: usize = 100;
/// What the origin may send of one response ahead of what the browser has taken, and of all, in bytes.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * STREAMS as u32;
/// What is kept of one upload that the origin does not take, in bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// How long a connection without exchanges is kept: an origin that closes it says which requests it did not see.
const IDLE: Duration = Duration::from_secs(60);

/// The connection.
#[derive(Debug)]
pub(super) struct Shared {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<()>,
    heard: Arc<Heard>,
    running: AtomicUsize,
    /// It takes no more requests.
    retired: AtomicBool,
    used: Mutex<Instant>,
}

/// A place on it for one exchange, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    connection: Arc<Shared>,
    sender: SendRequest<Bytes>,
}

/// The body of a response, with its place. Dropped before its end, it tells the origin to stop.
#[derive(Debug)]
pub(super) struct Answer {
    pieces: Pieces,
    /// What goes on after a response is begun, and ends if that breaks off.
    upload: Option<AbortOnDropHandle<Result<(), Broken>>>,
    place: Option<Share>,
}

impl Shared {
    /// Begins to speak HTTP/2; `head`: the largest head of a response.
    pub(super) async fn begin<S>(
        stream: S,
        head: usize,
        tasks: &TaskTracker,
        open: Open,
    ) -> Result<Arc<Shared>, h2::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let heard = Arc::new(Heard::new());
        let (hears, hearing) = (Arc::clone(&heard), Arc::clone(&heard));
        let stream = InspectReader::new(stream, move |came| {
            if !came.is_empty() {
                hears.now();
            }
        });
        let (sender, mut connection) = client::Builder::new()
            .enable_push(false)
            // Until the origin has said how many it takes, one goes, and the others wait; it would refuse them.
            .initial_max_send_streams(1)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
            .max_send_buffer_size(SEND_BUFFER)
            .handshake(stream)
            .await?;
        let mut life = connection.ping_pong().map(Life::new);
        // Ends by itself when the senders are gone and what they began is over.
        let connection = tasks.spawn(async move {
            let ended = poll_fn(|cx| {
                if life.as_mut().is_some_and(|life| life.poll(cx, &hearing).is_ready()) {
                    tracing::debug!("the origin says nothing, not even when asked");
                    return Poll::Ready(Ok(()));
                }
                Pin::new(&mut connection).poll(cx)
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "connection to the origin ended");
            }
            drop(open);
        });
        Ok(Arc::new(Shared {
            sender,
            connection,
            heard,
            running: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            used: Mutex::new(Instant::now()),
        }))
    }

    /// A place, if there is one left.
    pub(super) fn join(self: &Arc<Self>) -> Option<Share> {
        if self.is_over() {
            return None;
        }
        // An origin that wants fewer at a time gets more connections; one that wants none may change its mind.
        let takes = if self.heard.anything() { self.sender.current_max_send_streams() } else { STREAMS };
        let most = takes.clamp(1, STREAMS);
        let more = |running| (running < most).then_some(running + 1);
        self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let mut share = Share { connection: Arc::clone(self), sender: self.sender.clone() };
        // Whether a request can be sent is known at once, of one that has sent none.
        match share.sender.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Some(share),
            Poll::Ready(Err(_)) | Poll::Pending => {
                self.retire();
                None
            }
        }
    }

    /// Whether it takes requests, and was used lately.
    pub(super) fn is_of_use(&self) -> bool {
        !self.is_over() && (self.running.load(Ordering::Relaxed) > 0 || self.used().elapsed() < IDLE)
    }

    fn is_over(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || self.connection.is_finished()
    }

    fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Sends a request in the terms of HTTP/1.1 and waits for the head of the response, while it passes on what comes
    /// before that. `patience`: how long the origin may take nothing of the request's body.
    pub(super) async fn send(
        mut self,
        mut request: Request<ToOrigin>,
        interim: &mut Interim<'_>,
        tasks: &TaskTracker,
        patience: Duration,
    ) -> Result<Response<Answer>, Unanswered> {
        let head = for_http2(&request).ok_or(Failure::Malformed("Host"))?;
        let bodiless = request.body().is_end_stream();
        let (mut answer, stream) = match self.sender.send_request(head, bodiless) {
            Ok(begun) => begun,
            Err(error) => {
                self.connection.retire();
                return Err(Unanswered::unsent(Failure::Stream(error), request));
            }
        };
        let mut upload = (!bodiless).then(|| {
            let body = std::mem::replace(request.body_mut(), ToOrigin::empty());
            Box::pin(pieces::send(body, stream, Reason::CANCEL, Some(patience)))
        });
        let answered = poll_fn(|cx| {
            if let Some(sending) = &mut upload
                && let Poll::Ready(sent) = sending.as_mut().poll(cx)
            {
                upload = None;
                match sent {
                    Ok(()) => {}
                    Err(Broken::Silent) => return Poll::Ready(Err(Failure::SlowClient)),
                    Err(_) => return Poll::Ready(Err(Failure::Malformed("its body broke off"))),
                }
            }
            loop {
                match answer.poll_informational(cx) {
                    Poll::Ready(Some(Ok(response))) => {
                        if let Err(wrong) = interim.came(response) {
                            return Poll::Ready(Err(Failure::BadResponse(wrong)));
                        }
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Failure::Stream(error))),
                    // The response has come, or nothing more will.
                    Poll::Ready(None) => return Pin::new(&mut answer).poll(cx).map_err(Failure::Stream),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        match answered.await {
            Ok(response) => {
                let (head, stream) = response.into_parts();
                let pieces = Pieces::new(stream, &head.headers);
                let upload = upload.map(|rest| AbortOnDropHandle::new(tasks.spawn(rest)));
                Ok(Response::from_parts(head, Answer { pieces, upload, place: Some(self) }))
            }
            Err(failure) => {
                let unprocessed = matches!(&failure, Failure::Stream(error) if self.failed(error));
                let request = bodiless.then(|| Box::new(request));
                Err(Unanswered { failure, request, unprocessed })
            }
        }
    }

    /// The exchange failed. Returns whether the origin says that it did nothing with the request: it refused the
    /// stream, or closes the connection and saw none of this stream (RFC 9113, section 8.7).
    fn failed(&self, error: &h2::Error) -> bool {
        if !error.is_reset() {
            self.connection.retire();
        }
        let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (refused || error.is_go_away())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.connection.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.connection.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Answer {
    /// A response is whole only if its last piece says so: a stream that is reset without an error before that was
    /// cut off like any other (RFC 9113, section 8.1).
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        self.pieces.poll_frame(cx)
    }

    pub(super) fn is_over(&self) -> bool {
        self.pieces.is_over()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.pieces.size_hint()
    }

    /// The whole response has come. The origin may still take the rest of the request.
    pub(super) fn end(&mut self) {
        self.place = None;
        if let Some(upload) = self.upload.take() {
            upload.detach();
        }
    }
}

/// The head of a request: what HTTP/1.1 says in `Host` and with chunks, HTTP/2 says in the target and with frames.
/// `None`: the host can not be said.
fn for_http2(request: &Request<ToOrigin>) -> Option<Request<()>> {
    let mut headers = request.headers().clone();
    headers.remove(header::TRANSFER_ENCODING);
    let host = headers.remove(header::HOST)?;
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(Scheme::HTTPS).authority(host.as_bytes()).path_and_query(path);
    // An empty body of a request that might have one is said to be empty (RFC 9110, section 8.6).
    let without = matches!(*request.method(), Method::GET | Method::HEAD | Method::DELETE);
    if let Some(length) = request.body().size_hint().exact()
        && (length > 0 || !without)
    {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = uri.build().ok()?;
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = headers;
    Some(head)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::super::life;
    use super::super::metrics::Metrics;
    use super::*;

    #[test]
    fn a_host_becomes_the_authority_and_chunks_are_frames() {
        for target in ["/a?b=c", "/", "//x/../%2F"] {
            let request = Request::post(target).header("host", "Shop.example:8443").header("a", "b");
            let request = request.header("transfer-encoding", "chunked").body(ToOrigin::empty()).unwrap();
            let head = for_http2(&request).unwrap();
            assert_eq!(head.uri().to_string(), format!("https://Shop.example:8443{target}"));
            let mut headers: Vec<_> =
                head.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            headers.sort();
            assert_eq!(headers, [r#"a: "b""#, r#"content-length: "0""#]);
        }
    }

    /// A connection, and the origin's end of it.
    async fn connected() -> (Arc<Shared>, DuplexStream) {
        let (ours, origins) = duplex(1 << 16);
        let open = Metrics::default().of_origin("o.example:443").opened();
        (Shared::begin(ours, 1 << 16, &TaskTracker::new(), open).await.unwrap(), origins)
    }

    async fn ended(connection: &Shared) {
        while !connection.connection.is_finished() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_origin_that_does_not_say_that_it_lives_is_gone() {
        let (connection, mut origin) = connected().await;
        let begun = Instant::now();
        assert!(connection.join().is_some());
        ended(&connection).await;
        assert_eq!(begun.elapsed().as_secs(), (life::EVERY + life::PATIENCE).as_secs());
        assert!(connection.join().is_none() && !connection.is_of_use());
        let mut said = Vec::new();
        origin.read_to_end(&mut said).await.unwrap();
        let ping = b"\0\0\x08\x06\0\0\0\0\0";
        assert_eq!(said.windows(ping.len()).filter(|bytes| bytes == ping).count(), 1, "it was asked");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_lives_until_nobody_wants_it() {
        let (connection, origin) = connected().await;
        let mut origin = h2::server::handshake(origin).await.unwrap();
        let hour = tokio::time::timeout(Duration::from_secs(3600), origin.accept());
        assert!(hour.await.is_err(), "it says that it lives");
        let share = connection.join().unwrap();
        drop(connection);
        assert!(
            tokio::time::timeout(Duration::from_secs(60), origin.accept()).await.is_err(),
            "it has a place"
        );
        drop(share);
        let end = tokio::time::timeout(Duration::from_secs(1), origin.accept()).await.unwrap();
        assert!(end.is_none(), "it ends as a whole: {end:?}");
    }
}
