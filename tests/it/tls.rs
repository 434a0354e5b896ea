//! The proxy over TLS, with HTTP/1.1 and HTTP/2, and before an origin that speaks TLS itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tandem::proxy::{Entrance, Limits, Metrics, Proxy, Settings, Site, serve_routes};
use tandem::tls::{Acceptor, Pair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::limits::limited;
use super::raw::{
    Copies, Counts, DEADLINE, Reply, TAG, body, header, html, own, response, serve_origin, url,
};

const NAMES: [&str; 2] = ["shop.example", "help.example"];

/// A proxy over TLS before a raw origin, and the folder of its certificates.
pub(super) struct Rig {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    pub(super) counts: Counts,
    folder: tempfile::TempDir,
    /// The proxy's, and everything else's.
    pub(super) tasks: TaskTracker,
    pub(super) beside: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn rig(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Rig {
    rig_with(handler, Limits::default()).await
}

pub(super) async fn rig_with(handler: impl Fn(&str) -> Reply + Send + Sync + 'static, limits: Limits) -> Rig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = url(&format!("http://{}", listener.local_addr().unwrap()));
    let rig = rig_before(Site::new(url("https://shop.example"), origin), limits).await;
    let beside = rig.beside.clone();
    rig.beside.spawn(serve_origin(listener, Arc::new(handler), rig.seen.clone(), Arc::default(), beside));
    rig
}

/// A proxy over TLS before whatever the site says.
pub(super) async fn rig_before(site: Site, limits: Limits) -> Rig {
    let (tasks, beside) = (TaskTracker::new(), TaskTracker::new());
    let folder = tempfile::tempdir().unwrap();
    let pairs: Vec<_> = NAMES.iter().map(|name| write_pair(folder.path(), name)).collect();
    let stop = CancellationToken::new();
    let (metrics, counts) = Counts::register();
    let (proxy, entrance, address) =
        before(site, limits, Some(Acceptor::new(&pairs).unwrap()), &metrics).await;
    tasks.spawn(proxy.serve(entrance, tasks.clone(), stop.clone()));
    Rig { address, seen: Arc::default(), counts, folder, tasks, beside, stop }
}

pub(super) async fn before(
    site: Site,
    limits: Limits,
    tls: Option<Acceptor>,
    metrics: &Metrics,
) -> (Arc<Proxy>, Entrance, SocketAddr) {
    let settings = Settings {
        sites: vec![site],
        limits,
        trusted: Vec::new(),
        console: url("https://console.example/"),
        loader_tag: TAG.to_owned(),
        signing: None,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (
        Proxy::new(settings, own(), Arc::new(Copies::default()), metrics, None).unwrap(),
        Entrance { listener, tls },
        address,
    )
}

pub(super) fn write_pair(folder: &Path, name: &str) -> Pair {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let pair = Pair { cert: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&pair.cert, made.cert.pem()).unwrap();
    std::fs::write(&pair.key, made.signing_key.serialize_pem()).unwrap();
    pair
}

/// A browser that asks for `name` and believes only the certificate made for it.
async fn dial(
    address: SocketAddr,
    folder: &Path,
    name: &str,
    alpn: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let tcp = TcpStream::connect(address).await?;
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

impl Rig {
    pub(super) async fn dial(&self, alpn: &str) -> TlsStream<TcpStream> {
        dial(self.address, self.folder.path(), NAMES[0], alpn).await.unwrap()
    }

    /// Sends raw bytes over TLS and reads all that comes until the proxy closes.
    pub(super) async fn raw(&self, request: &str) -> String {
        let mut stream = self.dial("http/1.1").await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("no end");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// An HTTP/2 connection.
    pub(super) async fn browser(&self) -> SendRequest<Full<Bytes>> {
        let stream = self.dial("h2").await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        self.beside.spawn(async move { connection.await.unwrap_or_default() });
        sender
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(super) fn get(path: &str) -> http::request::Builder {
    Request::get(format!("https://shop.example{path}"))
}

pub(super) async fn text(response: Response<hyper::body::Incoming>) -> String {
    let body = tokio::time::timeout(DEADLINE, response.into_body().collect()).await.unwrap().unwrap();
    String::from_utf8_lossy(&body.to_bytes()).into_owned()
}

// ---- TLS -------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_page_comes_over_tls() {
    let rig = rig(|_| Reply::Keep(html("<head>"))).await;
    let answer = rig
        .raw("GET / HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n")
        .await;
    assert!(body(&answer).contains("<head>") && body(&answer).contains(TAG), "{answer}");
    assert_eq!(header(&rig.seen()[0], "x-forwarded-proto"), Some("https"));
}

#[tokio::test]
async fn each_host_has_its_certificate() {
    let rig = rig(|_| Reply::Keep(html("<head>"))).await;
    for name in NAMES {
        dial(rig.address, rig.folder.path(), name, "http/1.1").await.expect(name);
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let rig = rig(|_| Reply::Keep(html("<head>"))).await;
    rig.dial("http/1.1").await;
    write_pair(rig.folder.path(), NAMES[0]);
    let renewed = async {
        // The client knows the new certificate only.
        while dial(rig.address, rig.folder.path(), NAMES[0], "http/1.1").await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(DEADLINE, renewed).await.expect("the old certificate stays in use");
}

#[tokio::test]
async fn who_does_not_speak_tls_gets_nothing() {
    let limits = Limits { handshake: Duration::from_millis(50), ..Limits::default() };
    let rig = rig_with(|_| Reply::Keep(html("<head>")), limits).await;
    for said in ["", "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n", "\x16\x03\x01"] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("stays open");
        assert!(!answer.starts_with(b"HTTP"), "{said:?}");
    }
    assert!(rig.seen().is_empty());
    assert_eq!(rig.counts.counted(&limited("handshake_timeout")), 2.0, "who says nothing, or too little");
    assert_eq!(rig.counts.counted(&limited("handshake")), 1.0);
}

#[tokio::test]
async fn a_websocket_goes_over_tls() {
    use futures_util::{SinkExt, StreamExt};
    let rig = rig(|_| Reply::Silence).await;
    let stream = rig.dial("http/1.1").await;
    let (mut socket, _) =
        tokio_tungstenite::client_async("wss://shop.example/.tandem/socket", stream).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap().to_text().unwrap(), "hello");
}

#[tokio::test]
async fn routes_of_their_own_get_the_same_treatment() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Some(Acceptor::new(&[write_pair(folder.path(), NAMES[0])]).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let entrance = Entrance { listener, tls };
    tasks.spawn(serve_routes(
        own(),
        entrance,
        Limits::default(),
        Vec::new(),
        Default::default(),
        tasks.clone(),
        stop.clone(),
    ));
    let mut stream = dial(address, folder.path(), NAMES[0], "http/1.1").await.unwrap();
    stream.write_all(b"GET /.tandem/who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(body(&answer), "127.0.0.1");
    stop.cancel();
}

// ---- HTTP/2 ----------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_page_comes_over_http2() {
    let rig = rig(|_| Reply::Keep(html("<head>"))).await;
    let mut browser = rig.browser().await;
    let request = get("/a?b")
        .header("sec-fetch-dest", "document")
        .header("cookie", "a=1")
        .header("cookie", "tandem=secret")
        .header("cookie", "b=2")
        .body(Full::default())
        .unwrap();
    let response = browser.send_request(request).await.unwrap();
    assert_eq!((response.version(), response.status()), (Version::HTTP_2, StatusCode::OK));
    assert_eq!(text(response).await, format!("<head>{TAG}"));
    let seen = rig.seen().remove(0);
    assert!(seen.starts_with("GET /a?b HTTP/1.1\r\n"), "{seen}");
    assert_eq!(header(&seen, "host"), Some("shop.example"));
    assert_eq!(header(&seen, "cookie"), Some("a=1; b=2"));
    assert_eq!(header(&seen, "transfer-encoding"), None);
}

#[tokio::test]
async fn our_own_routes_know_the_host_over_http2_too() {
    let rig = rig(|_| Reply::Keep(html("<head>"))).await;
    let request = get("/.tandem/host").body(Full::default()).unwrap();
    let response = rig.browser().await.send_request(request).await.unwrap();
    assert_eq!(text(response).await, "shop.example");
}

#[tokio::test]
async fn an_upload_over_http2_keeps_its_framing() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let stream = rig.dial("h2").await;
    let (mut browser, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    rig.beside.spawn(async move { connection.await.unwrap_or_default() });
    let pieces =
        ["hello ", "world"].map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(piece))));
    let request =
        Request::post("https://shop.example/up").body(StreamBody::new(futures_util::stream::iter(pieces)));
    let response = browser.send_request(request.unwrap()).await.unwrap();
    assert_eq!(text(response).await, "ok");
    let seen = rig.seen().remove(0);
    assert_eq!(header(&seen, "transfer-encoding"), Some("chunked"));
    assert!(body(&seen).contains("hello") && body(&seen).ends_with("0\r\n\r\n"), "{seen}");
}

#[tokio::test]
async fn malformed_http2_requests_never_reach_the_origin() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let mut browser = rig.browser().await;
    for request in [
        get("/").header("host", "other.example"),
        get("/").header("host", "shop.example").header("host", "shop.example"),
        get("/").header("expect", "miracles"),
        Request::get("https://user@shop.example/"),
        get("/").method("TRACE"),
    ] {
        let request = request.body(Full::default()).unwrap();
        let shown = format!("{request:?}");
        match browser.send_request(request).await {
            Ok(response) => assert!(response.status().is_client_error(), "{shown}: {response:?}"),
            // What HTTP/2 itself forbids is refused below us.
            Err(error) => assert!(!error.is_closed(), "{shown}: {error}"),
        }
    }
    let large = get("/").header("x", "y".repeat(70_000)).body(Full::default()).unwrap();
    if let Ok(response) = browser.send_request(large).await {
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    assert!(rig.seen().is_empty(), "{:?}", rig.seen());
}

#[tokio::test]
async fn a_slow_answer_holds_up_no_other() {
    let rig = rig(|request| match request.starts_with("GET /slow") {
        true => Reply::Silence,
        false => Reply::Keep(response("", "quick")),
    })
    .await;
    let browser = rig.browser().await;
    let slow = browser.clone().send_request(get("/slow").body(Full::default()).unwrap());
    let mut quick = browser.clone();
    let quick = quick.send_request(get("/quick").body(Full::default()).unwrap());
    tokio::select! {
        _ = slow => panic!("the origin never answers"),
        response = quick => assert_eq!(text(response.unwrap()).await, "quick"),
    }
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed_and_a_busy_one_is_not() {
    let limits = Limits { keep_alive: Duration::from_millis(80), ..Limits::default() };
    let rig = rig_with(|_| Reply::Keep(response("", "ok")), limits).await;
    let mut browser = rig.browser().await;
    for _ in 0..20 {
        let response = browser.send_request(get("/").body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    let closed = async {
        while browser.ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, closed).await.expect("stays open");
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let rig = rig(|_| Reply::Silence).await;
    let mut browser = rig.browser().await;
    let flood = async {
        loop {
            if browser.ready().await.is_err() {
                return;
            }
            let sent = browser.send_request(get("/").body(Full::default()).unwrap());
            // Long enough to be sent, too short to be answered.
            let _ = tokio::time::timeout(Duration::from_millis(5), sent).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), flood).await.expect("goes on for ever");
    rig.counts.counts(&limited("reset_flood"), 1.0).await;
}

#[tokio::test]
async fn a_browser_that_takes_nothing_is_left() {
    let limits = Limits { write_stall: Duration::from_millis(100), ..Limits::default() };
    let large = "x".repeat(4 << 20);
    let rig = rig_with(move |_| Reply::Keep(response("", &large)), limits).await;
    let mut browser = rig.browser().await;
    // Its head comes, its body is never asked for, so that the stream's window stays shut.
    let response = browser.send_request(get("/").body(Full::default()).unwrap()).await.unwrap();
    let closed = async {
        while browser.ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, closed).await.expect("stays open");
    assert_eq!(rig.counts.counted(&limited("slow_reader")), 1.0);
    drop(response);
}

#[tokio::test]
async fn the_stop_lets_streams_end() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let mut browser = rig.browser().await;
    let response = browser.send_request(get("/").body(Full::default()).unwrap()).await.unwrap();
    rig.stop.cancel();
    assert_eq!(text(response).await, "ok");
    drop(browser);
    rig.tasks.close();
    tokio::time::timeout(DEADLINE, rig.tasks.wait()).await.expect("tasks outlive the stop");
}

// ---- origins ---------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_origin_must_prove_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (pair, other) =
        (write_pair(folder.path(), "origin.example"), write_pair(folder.path(), "other.example"));
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = url(&format!("https://{}", listener.local_addr().unwrap()));
    let routes = axum::Router::new()
        .route("/", axum::routing::get(async || ([("content-type", "text/html")], "<head>")));
    let entrance = Entrance { listener, tls: Some(Acceptor::new(std::slice::from_ref(&pair)).unwrap()) };
    tasks.spawn(serve_routes(
        routes,
        entrance,
        Limits::default(),
        Vec::new(),
        Default::default(),
        tasks.clone(),
        stop.clone(),
    ));

    for (expected, ca, name) in [
        ("200", &pair.cert, Some("origin.example")),
        ("502", &other.cert, Some("origin.example")),
        ("502", &pair.cert, Some("other.example")),
        ("502", &pair.cert, None),
    ] {
        let site = Site {
            ca: Some(ca.clone()),
            origin_name: name.map(str::to_owned),
            ..Site::new(url("http://shop.example"), origin.clone())
        };
        let (proxy, entrance, address) = before(site, Limits::default(), None, &Metrics::default()).await;
        tasks.spawn(proxy.serve(entrance, tasks.clone(), stop.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            "GET / HTTP/1.1\r\nHost: shop.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{name:?}: {answer}");
        assert!(expected != "200" || body(&answer).contains(TAG), "{answer}");
    }
    stop.cancel();
}
