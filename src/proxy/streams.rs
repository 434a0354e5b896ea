//! A connection of HTTP/2: its requests, each answered by a task of its own.
//!
//! h2 without hyper's server around it, which has no way to send an interim response (see [`Early`]). What that
//! server does for its streams is done here: an exchange ends when its browser takes the request back. RFC 9113.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::{Connection, Handshake, SendResponse};
use h2::{Reason, RecvStream};
use http::{Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::Outgoing;
use super::early::Early;
use super::exchange::{Answerer, Peer};
use super::gather::Gathered;
use super::life::Life;
use super::pulse::{Busy, Pulse, Watched};
use super::upload::FromBrowser;
use super::{Limits, date, headers, pieces};

/// What one upload and one connection may send ahead of what the origin has taken, in bytes.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is kept of one response that the browser does not take, in bytes.
const SEND_BUFFER: usize = 64 * 1024;

/// Requests taken back before they were looked at, and streams that had to be reset, before h2 closes the
/// connection: its own defaults, said here so that they stay (CVE-2023-44487, CVE-2025-8671).
const RESET_EARLY: usize = 20;
const RESET_BY_US: usize = 1024;

/// The connection, which ends as a future does.
pub(super) struct Streams<S> {
    state: State<Gathered<Watched<S>>>,
    answerer: Answerer,
    peer: Arc<Peer>,
    pulse: Arc<Pulse>,
    ends: bool,
}

enum State<S> {
    Greeting(Handshake<S, Bytes>),
    Serving { connection: Connection<S, Bytes>, life: Option<Life> },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Streams<S> {
    pub(super) fn new(
        socket: S,
        answerer: Answerer,
        limits: &Limits,
        peer: Arc<Peer>,
        pulse: Arc<Pulse>,
    ) -> Self {
        let handshake = h2::server::Builder::new()
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(RESET_EARLY)
            .max_local_error_reset_streams(Some(RESET_BY_US))
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buffer_size(SEND_BUFFER)
            .handshake(Gathered::new(Watched::new(socket, &pulse)));
        Streams { state: State::Greeting(handshake), answerer, peer, pulse, ends: false }
    }

    /// Takes no more requests, and ends when those that were taken are answered (GOAWAY).
    pub(super) fn end_gently(&mut self) {
        match &mut self.state {
            State::Greeting(_) => self.ends = true,
            State::Serving { connection, .. } => connection.graceful_shutdown(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Streams<S> {
    type Output = Result<(), h2::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Greeting(handshake) => {
                    let mut connection = ready!(Pin::new(handshake).poll(cx))?;
                    if this.ends {
                        connection.graceful_shutdown();
                    }
                    let life = connection.ping_pong().map(Life::new);
                    this.state = State::Serving { connection, life };
                }
                State::Serving { connection, life } => {
                    if life.as_mut().is_some_and(|life| life.poll(cx, this.pulse.heard()).is_ready()) {
                        tracing::debug!("connection says nothing, not even when asked");
                        connection.abrupt_shutdown(Reason::NO_ERROR);
                        *life = None;
                    }
                    let Some(accepted) = ready!(connection.poll_accept(cx)) else {
                        return Poll::Ready(Ok(()));
                    };
                    let (request, reply) = accepted?;
                    let busy = Busy::begin(&this.pulse);
                    let (answerer, peer) = (this.answerer.clone(), Arc::clone(&this.peer));
                    this.peer.tasks.spawn(stream(answerer, peer, busy, request, reply));
                }
            }
        }
    }
}

/// One request and its response.
async fn stream(
    answerer: Answerer,
    peer: Arc<Peer>,
    busy: Busy,
    request: Request<RecvStream>,
    reply: SendResponse<Bytes>,
) {
    let of_head = request.method() == Method::HEAD;
    let request = FromBrowser::of_stream(request);
    // The exchange uses it for interim responses while it is watched here whether the browser still waits.
    let reply = Mutex::new(reply);
    // Boxed, as little else is left while the body is sent.
    let mut answering = Box::pin(answerer.answer(peer, busy, Early::over(&reply), request));
    let answered = poll_fn(|cx| match answering.as_mut().poll(cx) {
        Poll::Ready(Ok(response)) => Poll::Ready(Some(response)),
        Poll::Pending => {
            reply.lock().unwrap_or_else(PoisonError::into_inner).poll_reset(cx).map(|_taken_back| None)
        }
    })
    .await;
    drop(answering);
    let Some(response) = answered else { return };
    let mut reply = reply.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (response, body) = head(response);
    let bodiless = of_head
        || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || body.is_end_stream();
    match reply.send_response(response, bodiless) {
        Ok(_) if bodiless => {}
        Ok(stream) => {
            // How long a browser may take nothing is for the connection's pulse to say.
            let _ = pieces::send(body, stream, Reason::INTERNAL_ERROR, None).await;
        }
        Err(error) => {
            tracing::debug!(%error, "response not sent");
            reply.send_reset(Reason::INTERNAL_ERROR);
        }
    }
}

/// The head of a response as HTTP/2 has it.
fn head(response: Response<Outgoing>) -> (Response<()>, Outgoing) {
    let (mut head, body) = response.into_parts();
    headers::end_here(&mut head.headers);
    head.headers.entry(header::DATE).or_insert_with(date::now);
    if !body.is_end_stream()
        && let Some(length) = body.size_hint().exact()
    {
        head.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    (Response::from_parts(head, ()), body)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::routing::{get, post};
    use h2::client;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    use super::super::life;
    use super::super::pulse::Wire;
    use super::super::trust::Trusted;
    use super::*;

    /// With the clock paused: until nothing moves any more.
    const STANDSTILL: Duration = Duration::from_secs(1);

    /// A connection to these routes, and the browser's end of it.
    fn connected(routes: Router) -> (Streams<DuplexStream>, DuplexStream) {
        let limits = Arc::new(Limits::default());
        let answerer = Answerer::Routes { routes, limits: Arc::clone(&limits), trusted: Trusted::default() };
        let (ours, browsers) = duplex(1 << 16);
        let address = ([127, 0, 0, 1], 1).into();
        let peer = Arc::new(Peer::new(address, TaskTracker::new(), CancellationToken::new()));
        let pulse = Arc::new(Pulse::new(Wire::Streams, &limits));
        (Streams::new(ours, answerer, &limits, peer, pulse), browsers)
    }

    /// A browser that is ready to ask, and its connection.
    async fn browsing(routes: Router) -> (client::SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
        let (connection, browser) = connected(routes);
        let tasks = TaskTracker::new();
        let ended = tasks.spawn(connection);
        let (requests, browser) = client::handshake(browser).await.unwrap();
        tasks.spawn(browser);
        (requests.ready().await.unwrap(), ended)
    }

    fn ask(path: &str) -> http::request::Builder {
        Request::builder().uri(format!("https://help.example{path}"))
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_say_that_it_lives_is_gone() {
        let (connection, mut browser) = connected(Router::new());
        browser.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let begun = Instant::now();
        connection.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), (life::EVERY + life::PATIENCE).as_secs());
        let mut said = Vec::new();
        browser.read_to_end(&mut said).await.unwrap();
        let ping = b"\0\0\x08\x06\0\0\0\0\0";
        assert_eq!(said.windows(ping.len()).filter(|bytes| bytes == ping).count(), 1, "it was asked");
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_so_is_not() {
        let (_requests, ended) = browsing(Router::new()).await;
        assert!(tokio::time::timeout(Duration::from_secs(3600), ended).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_goes_no_faster_than_it_is_taken() {
        const SIZE: usize = 3 << 20;
        let go = Arc::new(Notify::new());
        let told = Arc::clone(&go);
        let routes = Router::new().route(
            "/up",
            post(async move |body: Body| {
                told.notified().await;
                axum::body::to_bytes(body, SIZE).await.unwrap().len().to_string()
            }),
        );
        let (mut requests, _ended) = browsing(routes).await;
        let request = ask("/up").method("POST").body(()).unwrap();
        let (answer, mut body) = requests.send_request(request, false).unwrap();
        let mut sent = 0;
        while sent < SIZE {
            body.reserve_capacity(SIZE - sent);
            let room = tokio::time::timeout(STANDSTILL, poll_fn(|cx| body.poll_capacity(cx))).await;
            let Ok(room) = room else {
                assert_eq!(sent, STREAM_WINDOW as usize, "as much as there is room for, and no more");
                go.notify_one();
                continue;
            };
            let size = room.unwrap().unwrap();
            body.send_data(vec![0; size].into(), false).unwrap();
            sent += size;
        }
        body.send_data(Bytes::new(), true).unwrap();
        let length = answer.await.unwrap().into_body().data().await.unwrap().unwrap();
        assert_eq!(length, SIZE.to_string());
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_is_asked_for_no_faster_than_it_is_taken() {
        const PIECE: usize = 8 * 1024;
        const PIECES: usize = 256;
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let routes = Router::new().route(
            "/down",
            get(async move || {
                let pieces = (0..PIECES).map(move |_| {
                    *count.lock().unwrap() += PIECE;
                    Ok::<_, std::io::Error>(vec![0; PIECE])
                });
                Body::from_stream(futures_util::stream::iter(pieces))
            }),
        );
        let (mut requests, _ended) = browsing(routes).await;
        let (answer, _) = requests.send_request(ask("/down").body(()).unwrap(), true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        tokio::time::sleep(STANDSTILL).await;
        // The browser's window is of the usual size (RFC 9113, section 6.5.2).
        let ahead = *asked.lock().unwrap();
        assert!(ahead <= 65_535 + SEND_BUFFER + PIECE, "{ahead}");
        let mut came = 0;
        while let Some(piece) = body.data().await {
            let size = piece.unwrap().len();
            body.flow_control().release_capacity(size).unwrap();
            came += size;
        }
        assert_eq!((came, *asked.lock().unwrap()), (PIECE * PIECES, PIECE * PIECES));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_lets_requests_end() {
        let go = Arc::new(Notify::new());
        let told = Arc::clone(&go);
        let slow = get(async move || {
            told.notified().await;
            "done"
        });
        let (mut connection, browser) = connected(Router::new().route("/slow", slow));
        let browsing = async {
            let (mut requests, browser) = client::handshake(browser).await.unwrap();
            let (answer, _) = requests.send_request(ask("/slow").body(()).unwrap(), true).unwrap();
            let answer = async {
                let answered = answer.await.unwrap().status();
                drop(requests);
                answered
            };
            let (answered, _) = tokio::join!(answer, browser);
            answered
        };
        let ending = async {
            assert!(tokio::time::timeout(STANDSTILL, Pin::new(&mut connection)).await.is_err());
            connection.end_gently();
            assert!(tokio::time::timeout(STANDSTILL, Pin::new(&mut connection)).await.is_err());
            go.notify_one();
            connection.await.unwrap();
        };
        assert_eq!(tokio::join!(browsing, ending).0, StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_before_the_beginning_is_one() {
        let (mut connection, browser) = connected(Router::new());
        connection.end_gently();
        let browsing = async {
            let (_requests, browser) = client::handshake(browser).await.unwrap();
            browser.await
        };
        // Who is told so first may close the socket first, which is the other's error.
        let ended = tokio::time::timeout(STANDSTILL, async { tokio::join!(connection, browsing).1 }).await;
        assert!(matches!(ended, Ok(Ok(()))), "{ended:?}");
    }
}
