//! The proxy before an origin that chooses HTTP/2.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tandem::proxy::{Entrance, Limits, Metrics, Site, serve_routes};
use tandem::tls::{Acceptor, Pair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hints::{browser, in_time, text};
use super::raw::{Counts, DEADLINE, body, header, read_until, url};
use super::tls::{self, before, get, write_pair};

/// A proxy before an origin over TLS.
struct Rig {
    address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What is behind the proxy, given its listener, its certificate, and where it runs.
async fn rig<F: Future<Output = ()> + Send + 'static>(
    http2: bool,
    origin: impl FnOnce(TcpListener, Acceptor, TaskTracker, CancellationToken) -> F,
) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let pair: Pair = write_pair(folder.path(), "origin.example");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site {
        ca: Some(pair.cert.clone()),
        origin_name: Some("origin.example".to_owned()),
        http2,
        ..Site::new(url("http://shop.example"), url(&format!("https://{}", listener.local_addr().unwrap())))
    };
    let acceptor = Acceptor::new(&[pair]).unwrap();
    tasks.spawn(origin(listener, acceptor, tasks.clone(), stop.clone()));
    let (proxy, entrance, address) = before(site, Limits::default(), None, &Metrics::default()).await;
    tasks.spawn(proxy.serve(entrance, tasks.clone(), stop.clone()));
    Rig { address, tasks, stop, _folder: folder }
}

/// An origin of routes, and what protocols its connections spoke.
async fn routes(http2: bool, routes: axum::Router) -> (Rig, impl Fn(&str) -> f64) {
    let (metrics, counts) = Counts::register();
    let rig = rig(http2, |listener, tls, tasks, stop| {
        let entrance = Entrance { listener, tls: Some(tls) };
        serve_routes(routes, entrance, Limits::default(), Vec::new(), metrics, tasks, stop)
    })
    .await;
    let spoken = move |protocol: &str| {
        counts.counted(&format!("proxy_accepted_total{{listener=\"console\",protocol=\"{protocol}\"}}"))
    };
    (rig, spoken)
}

impl Rig {
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(DEADLINE, read).await.expect("neither answers nor closes");
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn says(&self, method: &str, path: &str, said: &str) -> String {
        let length = said.len();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{said}"
        ))
        .await
    }
}

fn site() -> axum::Router {
    use axum::extract::ws::WebSocketUpgrade;
    use axum::routing::{get, post};
    axum::Router::new()
        .route("/host", get(|headers: http::HeaderMap| async move { format!("{:?}", headers.get("host")) }))
        .route("/upload", post(async |said: Bytes| said))
        .route("/page", get(async || axum::response::Html("<head>")))
        .route("/big", get(async || vec![b'x'; 16 << 20]))
        .route(
            "/socket",
            get(|upgrade: WebSocketUpgrade| async {
                upgrade.on_upgrade(|mut socket| async move {
                    while let Some(Ok(message)) = socket.recv().await {
                        let _ = socket.send(message).await;
                    }
                })
            }),
        )
}

#[tokio::test]
async fn many_exchanges_share_one_connection() {
    let (rig, spoken) = routes(true, site()).await;
    let rig = Arc::new(rig);
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..40 {
        let rig = rig.clone();
        crowd.spawn(async move {
            let said = format!("{number}").repeat(20_000);
            let answer = rig.says("POST", "/upload", &said).await;
            assert!(body(&answer) == said, "{}", &answer[..200.min(answer.len())]);
        });
    }
    while let Some(result) = crowd.join_next().await {
        result.unwrap();
    }
    assert_eq!((spoken("http2"), spoken("http1")), (1.0, 0.0));
    assert_eq!(body(&rig.says("GET", "/host", "").await), "Some(\"shop.example\")");
    let page = rig
        .raw("GET /page HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nSec-Fetch-Dest: document\r\n\r\n")
        .await;
    assert!(page.starts_with("HTTP/1.1 200 ") && body(&page).contains("loader.js"), "{page}");
    // Chunks of HTTP/1.1 are none of the origin's business.
    let chunked = rig
        .raw("POST /upload HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    assert_eq!((body(&chunked), header(&chunked, "content-length")), ("abc", Some("3")));
}

#[tokio::test]
async fn a_setting_turns_it_off() {
    let (rig, spoken) = routes(false, site()).await;
    assert_eq!(body(&rig.says("POST", "/upload", "hello").await), "hello");
    assert_eq!((spoken("http2"), spoken("http1")), (0.0, 1.0));
}

#[tokio::test]
async fn websockets_go_over_http1() {
    use futures_util::{SinkExt, StreamExt};
    let (rig, spoken) = routes(true, site()).await;
    assert_eq!(body(&rig.says("POST", "/upload", "hello").await), "hello");
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("ws://shop.example/socket", stream).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    let echoed = tokio::time::timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(echoed.to_text().unwrap(), "hello");
    assert_eq!((spoken("http2"), spoken("http1")), (1.0, 1.0));
}

#[tokio::test]
async fn browsers_that_take_nothing_hold_up_no_other() {
    let (rig, spoken) = routes(true, site()).await;
    let mut stalled = Vec::new();
    for _ in 0..30 {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(b"GET /big HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
        read_until(&mut stream, &mut Vec::new(), "\r\n\r\n").await;
        stalled.push(stream);
    }
    assert_eq!(body(&rig.says("POST", "/upload", "hello").await), "hello");
    assert_eq!(spoken("http2"), 1.0);
}

// ---- what goes wrong -------------------------------------------------------------------------------------

/// What an origin does with a request.
#[derive(Clone, Copy)]
enum Deed {
    Answer,
    /// Answers, and lets the connection end.
    GoAway,
    Reset(Reason),
    /// Ends the connection at once.
    Drop,
}

/// An origin that does what it is told for each request, by the number of the connection and of the request on it;
/// and what was asked of it.
async fn deeds(
    deed: impl Fn(usize, usize) -> Deed + Send + Sync + 'static,
) -> (Rig, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (asked, deed, count) = (seen.clone(), Arc::new(deed), AtomicUsize::new(0));
    let rig = rig(true, |listener, tls, tasks, _| async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = count.fetch_add(1, Ordering::Relaxed);
            let (tls, asked, deed, beside) = (tls.clone(), asked.clone(), deed.clone(), tasks.clone());
            tasks.spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let Ok(mut h2) = h2::server::handshake(stream).await else { return };
                let mut number = 0;
                while let Some(Ok((request, mut respond))) = h2.accept().await {
                    let deed = deed(connection, number);
                    number += 1;
                    asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
                    match deed {
                        Deed::Reset(reason) => respond.send_reset(reason),
                        Deed::Drop => return,
                        Deed::Answer | Deed::GoAway => {
                            let asked = request.into_body();
                            if matches!(deed, Deed::GoAway) {
                                h2.graceful_shutdown();
                            }
                            beside.spawn(echo(asked, respond));
                        }
                    }
                }
            });
        }
    })
    .await;
    (rig, seen)
}

async fn echo(mut asked: h2::RecvStream, mut respond: h2::server::SendResponse<Bytes>) {
    let mut said = Vec::new();
    while let Some(Ok(piece)) = asked.data().await {
        let _ = asked.flow_control().release_capacity(piece.len());
        said.extend_from_slice(&piece);
    }
    let response = Response::builder().status(StatusCode::OK).header("content-length", said.len());
    let response = response.body(()).unwrap();
    let Ok(mut stream) = respond.send_response(response, false) else { return };
    let _ = stream.send_data(said.into(), true);
}

#[tokio::test]
async fn an_origin_that_goes_away_loses_no_request() {
    let (rig, seen) = deeds(|_, request| if request == 3 { Deed::GoAway } else { Deed::Answer }).await;
    let rig = Arc::new(rig);
    let mut crowd = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let rig = rig.clone();
        crowd.spawn(async move {
            for number in 0..20 {
                let (path, said) = (format!("/{worker}-{number}"), format!("said {worker} {number}"));
                let answer = rig.says("POST", &path, &said).await;
                assert_eq!(body(&answer), said, "{answer}");
            }
        });
    }
    while let Some(result) = crowd.join_next().await {
        result.unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let count = seen.len();
    seen.dedup();
    assert_eq!((count, seen.len()), (160, 160), "each was processed once");
}

#[tokio::test]
async fn only_what_was_not_processed_is_sent_again() {
    const REFUSED: Deed = Deed::Reset(Reason::REFUSED_STREAM);
    const BROKEN: Deed = Deed::Reset(Reason::INTERNAL_ERROR);
    for (name, deed, method, said, status, times) in [
        ("refused", REFUSED, "POST", "", "200", 2),
        ("refused with a body", REFUSED, "POST", "body", "502", 1),
        ("broken", BROKEN, "POST", "", "502", 1),
        ("dropped", Deed::Drop, "POST", "", "502", 1),
        ("dropped, harmless", Deed::Drop, "GET", "", "200", 2),
    ] {
        // The first request warms the connection up.
        let (rig, seen) = deeds(move |connection, request| match (connection, request) {
            (0, 1) => deed,
            _ => Deed::Answer,
        })
        .await;
        assert!(rig.says("GET", "/first", "").await.starts_with("HTTP/1.1 200 "));
        let answer = rig.says(method, "/second", said).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        let seen = seen.lock().unwrap().iter().filter(|asked| asked.ends_with("/second")).count();
        assert_eq!(seen, times, "{name}");
        assert!(rig.says("GET", "/third", "").await.starts_with("HTTP/1.1 200 "), "{name}");
        assert!(!rig.tasks.is_empty());
    }
}

// ---- streams ---------------------------------------------------------------------------------------------

/// A request that came to an origin.
pub(super) type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// An origin over HTTP/2 that the test plays.
pub(super) struct Played {
    asked: mpsc::Receiver<Asked>,
    connections: Arc<AtomicUsize>,
}

impl Played {
    pub(super) async fn next(&mut self) -> Asked {
        in_time(self.asked.recv()).await.expect("no request")
    }
}

/// A proxy over TLS before such an origin, which lets so many requests be made at a time on a connection.
pub(super) async fn played(streams: u32, limits: Limits) -> (tls::Rig, Played) {
    let folder = tempfile::tempdir().unwrap();
    let pair = write_pair(folder.path(), "origin.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = url(&format!("https://{}", listener.local_addr().unwrap()));
    let site = Site {
        ca: Some(pair.cert.clone()),
        origin_name: Some("origin.example".to_owned()),
        ..Site::new(url("https://shop.example"), origin)
    };
    let acceptor = Acceptor::new(&[pair]).unwrap();
    let rig = tls::rig_before(site, limits).await;
    let (asks, asked) = mpsc::channel(64);
    let connections = Arc::new(AtomicUsize::new(0));
    let (tasks, count) = (rig.beside.clone(), connections.clone());
    rig.beside.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let (acceptor, asks) = (acceptor.clone(), asks.clone());
            tasks.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let handshake = h2::server::Builder::new().max_concurrent_streams(streams).handshake(stream);
                let Ok(mut h2) = handshake.await else { return };
                while let Some(Ok(request)) = h2.accept().await {
                    let _ = asks.send(request).await;
                }
            });
        }
    });
    (rig, Played { asked, connections })
}

/// The next piece of a request's body, which the origin takes.
async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    let piece = in_time(body.data()).await?.unwrap();
    body.flow_control().release_capacity(piece.len()).unwrap();
    Some(piece)
}

fn post(path: &str) -> Request<()> {
    get(path).method("POST").body(()).unwrap()
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let trailers = |sum: &str| HeaderMap::from_iter([("x-sum".parse().unwrap(), sum.parse().unwrap())]);
    let (answer, mut body) = browser(&rig).await.send_request(post("/up"), false).unwrap();
    body.send_data("hello".into(), false).unwrap();
    body.send_trailers(trailers("1")).unwrap();
    let (request, mut reply) = origin.next().await;
    let mut asked = request.into_body();
    assert_eq!(piece(&mut asked).await.unwrap(), "hello");
    assert!(piece(&mut asked).await.is_none());
    assert_eq!(in_time(asked.trailers()).await.unwrap().unwrap()["x-sum"], "1");
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("final".into(), false).unwrap();
    stream.send_trailers(trailers("2")).unwrap();
    let mut answered = in_time(answer).await.unwrap().into_body();
    assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "final");
    assert!(in_time(answered.data()).await.is_none());
    assert_eq!(in_time(answered.trailers()).await.unwrap().unwrap()["x-sum"], "2");
}

#[tokio::test]
async fn an_upload_goes_no_faster_than_the_origin_takes_it() {
    const SIZE: usize = 8 << 20;
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (answer, mut body) = browser.send_request(post("/up"), false).unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    rig.beside.spawn(async move {
        while count.load(Ordering::Relaxed) < SIZE {
            body.reserve_capacity(SIZE);
            let room = poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
            let room = room.min(SIZE - count.load(Ordering::Relaxed));
            count.fetch_add(room, Ordering::Relaxed);
            body.send_data(vec![0; room].into(), false).unwrap();
        }
        body.send_data(Bytes::new(), true).unwrap();
    });
    let (request, mut reply) = origin.next().await;
    let mut asked = request.into_body();
    let (mut came, mut held) = (0, 0);
    // The window of a stream is of the usual size (RFC 9113, section 6.5.2).
    while held < 65_535 {
        held += in_time(asked.data()).await.unwrap().unwrap().len();
    }
    // Others go on meanwhile.
    for _ in 0..50 {
        let (answer, _) = browser.send_request(get("/").body(()).unwrap(), true).unwrap();
        origin.next().await.1.send_response(Response::new(()), true).unwrap();
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);
    }
    let ahead = sent.load(Ordering::Relaxed);
    assert!(ahead <= 1 << 20, "{ahead}");
    came += held;
    asked.flow_control().release_capacity(held).unwrap();
    while let Some(piece) = piece(&mut asked).await {
        came += piece.len();
    }
    reply.send_response(Response::new(()), true).unwrap();
    assert_eq!((came, in_time(answer).await.unwrap().status()), (SIZE, StatusCode::OK));
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_origin_is_told_that_nobody_waits_any_more() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (answer, mut asking) = browser.send_request(post("/before"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    asking.send_reset(Reason::CANCEL);
    drop(answer);
    assert_eq!(in_time(poll_fn(|cx| reply.poll_reset(cx))).await.unwrap(), Reason::CANCEL);

    let (answer, _) = browser.send_request(get("/amidst").body(()).unwrap(), true).unwrap();
    let (_, mut reply) = origin.next().await;
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("begun".into(), false).unwrap();
    let mut answered = in_time(answer).await.unwrap().into_body();
    assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "begun");
    drop(answered);
    assert_eq!(in_time(poll_fn(|cx| stream.poll_reset(cx))).await.unwrap(), Reason::CANCEL);

    // With an upload that goes on beside the answer.
    let (answer, mut asking) = browser.send_request(post("/both"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("begun".into(), false).unwrap();
    let answered = in_time(answer).await.unwrap();
    asking.send_reset(Reason::CANCEL);
    drop(answered);
    assert_eq!(in_time(poll_fn(|cx| stream.poll_reset(cx))).await.unwrap(), Reason::CANCEL);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    for wants_the_rest in [false, true] {
        let (answer, mut asking) = browser.send_request(post("/up"), false).unwrap();
        asking.send_data("hello".into(), false).unwrap();
        let (request, mut reply) = origin.next().await;
        let mut asked = request.into_body();
        assert_eq!(piece(&mut asked).await.unwrap(), "hello");
        let mut stream = reply.send_response(Response::new(()), false).unwrap();
        stream.send_data("enough".into(), true).unwrap();
        assert_eq!(text(in_time(answer).await.unwrap().into_body()).await, "enough");
        if wants_the_rest {
            asking.send_data(" world".into(), true).unwrap();
            assert_eq!(piece(&mut asked).await.unwrap(), " world");
            assert!(piece(&mut asked).await.is_none());
        } else {
            drop((asked, stream, reply));
            assert_eq!(in_time(poll_fn(|cx| asking.poll_reset(cx))).await.unwrap(), Reason::NO_ERROR);
        }
    }
}

#[tokio::test]
async fn an_upload_that_stalls_is_the_browsers_fault() {
    let limits = Limits { client_silence: Duration::from_millis(100), ..Limits::default() };
    let (rig, mut origin) = played(100, limits).await;
    let (answer, mut asking) = browser(&rig).await.send_request(post("/up"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(in_time(poll_fn(|cx| reply.poll_reset(cx))).await.unwrap(), Reason::CANCEL);
}

#[tokio::test]
async fn an_origin_that_takes_few_at_a_time_gets_more_connections() {
    const MANY: usize = 12;
    let (rig, mut origin) = played(2, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (mut answers, mut asked) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let (answer, mut asking) = browser.send_request(post(&format!("/{number}")), false).unwrap();
        asking.send_data("hello".into(), true).unwrap();
        answers.push(answer);
        let (request, reply) = origin.next().await;
        assert_eq!(request.uri().path(), format!("/{number}"));
        asked.push(reply);
    }
    for reply in &mut asked {
        reply.send_response(Response::new(()), true).unwrap();
    }
    for answer in answers {
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(origin.connections.load(Ordering::Relaxed), MANY / 2);
}

#[tokio::test]
async fn requests_that_come_before_an_origin_says_how_many_it_takes_wait() {
    let (rig, mut origin) = played(1, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let mut answers = Vec::new();
    for number in 0..20 {
        let (answer, mut asking) = browser.send_request(post(&format!("/{number}")), false).unwrap();
        asking.send_data(format!("{number}").into(), true).unwrap();
        answers.push(answer);
    }
    rig.beside.spawn(async move {
        while let Some((request, mut reply)) = origin.asked.recv().await {
            let path = request.uri().path().to_owned();
            let said = piece(&mut request.into_body()).await.unwrap();
            let mut stream = reply.send_response(Response::new(()), false).unwrap();
            stream.send_data(format!("{path} {said:?}").into(), true).unwrap();
        }
    });
    for (number, answer) in answers.into_iter().enumerate() {
        let answered = in_time(answer).await.unwrap();
        assert_eq!(text(answered.into_body()).await, format!("/{number} b\"{number}\""));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_not_the_connection() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (slow, _) = browser.send_request(get("/slow").body(()).unwrap(), true).unwrap();
    let mut last = origin.next().await.1;
    for reason in [Reason::INTERNAL_ERROR, Reason::PROTOCOL_ERROR, Reason::HTTP_1_1_REQUIRED] {
        let (answer, _) = browser.send_request(post("/"), true).unwrap();
        origin.next().await.1.send_reset(reason);
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::BAD_GATEWAY);
    }
    last.send_response(Response::new(()), true).unwrap();
    assert_eq!(in_time(slow).await.unwrap().status(), StatusCode::OK);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
    // And nothing of it outlives the stop.
    rig.stop.cancel();
    rig.tasks.close();
    drop((browser, last));
    in_time(rig.tasks.wait()).await;
}

#[tokio::test]
async fn a_response_that_is_cut_off_is_not_taken_for_a_whole_one() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::INTERNAL_ERROR] {
        let (answer, _) = browser.send_request(get("/").body(()).unwrap(), true).unwrap();
        let mut stream = origin.next().await.1.send_response(Response::new(()), false).unwrap();
        stream.send_data("begun".into(), false).unwrap();
        let mut answered = in_time(answer).await.unwrap().into_body();
        assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "begun");
        stream.send_reset(reason);
        let error = in_time(answered.data()).await.expect("taken for whole").unwrap_err();
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR), "{reason:?}");
    }
}
