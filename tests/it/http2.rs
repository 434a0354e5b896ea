//! The proxy before an origin that chooses HTTP/2.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use http::{Response, StatusCode};
use tandem::proxy::{Entrance, Limits, Metrics, Site, serve_routes};
use tandem::tls::{Acceptor, Pair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::raw::{Counts, DEADLINE, body, header, read_until, url};
use super::tls::{before, write_pair};

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
