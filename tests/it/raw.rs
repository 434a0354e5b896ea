//! A rig below HTTP: an origin that answers byte for byte what a test says, the proxy before it, and a client of raw bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use prometheus_client::registry::Registry;
use tandem::proxy::{Limits, Member, Metrics, Proxy, Settings, Sharing, Sink, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub(super) const TAG: &str = "<script src=\"/.tandem/loader.js\"></script>";
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// What the raw origin does with a request.
pub(super) enum Reply {
    /// Answers and waits for the next request.
    Keep(Vec<u8>),
    /// Answers and closes.
    Close(Vec<u8>),
    /// Closes with a reset.
    Reset,
    /// Never answers.
    Silence,
}

pub(super) type Handler = dyn Fn(&str) -> Reply + Send + Sync;

/// A proxy before a raw origin.
pub(super) struct Rig {
    pub(super) address: SocketAddr,
    /// Every request that reached the origin: head and body.
    pub(super) seen: Arc<Mutex<Vec<String>>>,
    /// How many connections the origin got.
    pub(super) connections: Arc<Mutex<usize>>,
    pub(super) copies: Arc<Copies>,
    pub(super) counts: Counts,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

pub(super) async fn rig(handler: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Rig {
    rig_with(handler, Limits::default()).await
}

pub(super) async fn rig_with(handler: impl Fn(&str) -> Reply + Send + Sync + 'static, limits: Limits) -> Rig {
    let tasks = TaskTracker::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let connections = Arc::new(Mutex::new(0));
    tasks.spawn(serve_origin(listener, Arc::new(handler), seen.clone(), connections.clone(), tasks.clone()));
    rig_before(origin, limits, seen, connections, tasks).await
}

pub(super) async fn rig_before(
    origin: SocketAddr,
    limits: Limits,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    tasks: TaskTracker,
) -> Rig {
    rig_behind(&[], origin, limits, seen, connections, tasks).await
}

pub(super) async fn rig_behind(
    trusted: &[&str],
    origin: SocketAddr,
    limits: Limits,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    tasks: TaskTracker,
) -> Rig {
    let site = Site::new(url("http://shop.example"), url(&format!("http://{origin}")));
    rig_for(site, trusted, limits, seen, connections, tasks).await
}

/// A proxy for a site that differs in something, and the address of the origin.
pub(super) async fn rig_of(
    handler: impl Fn(&str) -> Reply + Send + Sync + 'static,
    change: impl FnOnce(Site) -> Site,
) -> (Rig, SocketAddr) {
    let tasks = TaskTracker::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    tasks.spawn(serve_origin(listener, Arc::new(handler), Arc::default(), Arc::default(), tasks.clone()));
    let site = change(Site::new(url("http://shop.example"), url(&format!("http://{origin}"))));
    (rig_for(site, &[], Limits::default(), Arc::default(), Arc::default(), tasks).await, origin)
}

async fn rig_for(
    site: Site,
    trusted: &[&str],
    limits: Limits,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    tasks: TaskTracker,
) -> Rig {
    let copies = Arc::new(Copies::default());
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = Settings {
        sites: vec![site],
        limits,
        trusted: trusted.iter().map(|network| network.parse().unwrap()).collect(),
        console: url("http://console.example/"),
        loader_tag: TAG.to_owned(),
        signing: None,
    };
    let (metrics, counts) = Counts::register();
    let proxy = Proxy::new(settings, own(), copies.clone(), &metrics, None).unwrap();
    tasks.spawn(proxy.serve(listener, tasks.clone(), stop.clone()));
    Rig { address, seen, connections, copies, counts, tasks, stop }
}

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(super) fn own() -> axum::Router {
    use axum::extract::ConnectInfo;
    use axum::extract::ws::WebSocketUpgrade;
    use axum::routing::get;
    axum::Router::new()
        .route(
            "/.tandem/who",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
        )
        .route(
            "/.tandem/host",
            get(|headers: http::HeaderMap| async move {
                headers.get("host").map_or_else(String::new, |host| host.to_str().unwrap().to_owned())
            }),
        )
        .route(
            "/.tandem/socket",
            get(|upgrade: WebSocketUpgrade| async {
                upgrade.on_upgrade(|mut socket| async move {
                    while let Some(Ok(message)) = socket.recv().await {
                        if socket.send(message).await.is_err() {
                            return;
                        }
                    }
                })
            }),
        )
}

pub(super) async fn serve_origin(
    listener: TcpListener,
    handler: Arc<Handler>,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    tasks: TaskTracker,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        *connections.lock().unwrap() += 1;
        let (handler, seen) = (handler.clone(), seen.clone());
        tasks.spawn(async move {
            let mut buffer = Vec::new();
            while let Some(request) = read_request(&mut stream, &mut buffer).await {
                seen.lock().unwrap().push(request.clone());
                match handler(&request) {
                    Reply::Keep(bytes) => stream.write_all(&bytes).await.unwrap_or_default(),
                    Reply::Close(bytes) => {
                        stream.write_all(&bytes).await.unwrap_or_default();
                        return;
                    }
                    Reply::Reset => {
                        stream.set_zero_linger().unwrap();
                        return;
                    }
                    Reply::Silence => std::future::pending().await,
                }
            }
        });
    }
}

/// One request with its body, by Content-Length or chunks.
pub(super) async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some(end) = text.find("\r\n\r\n").map(|at| at + 4) {
            let length: Option<usize> =
                header(&text, "content-length").and_then(|length| length.parse().ok());
            let total = match length {
                Some(length) => Some(end + length),
                None if header(&text, "transfer-encoding")
                    .is_some_and(|how| how.eq_ignore_ascii_case("chunked")) =>
                {
                    text[end..].find("0\r\n\r\n").map(|at| end + at + 5)
                }
                None => Some(end),
            };
            if let Some(total) = total.filter(|total| *total <= buffer.len()) {
                let rest = buffer.split_off(total);
                return Some(String::from_utf8_lossy(&std::mem::replace(buffer, rest)).into_owned());
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

impl Rig {
    /// Sends raw bytes and reads all that comes until the proxy closes.
    pub(super) async fn raw(&self, request: &str) -> String {
        String::from_utf8_lossy(&self.bytes(request.as_bytes()).await).into_owned()
    }

    pub(super) async fn bytes(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A reset after the answer is an end as well.
        let _ = tokio::time::timeout(DEADLINE, read).await.expect("the proxy neither answers nor closes");
        answer
    }

    /// A GET, with `headers` as lines.
    pub(super) async fn get(&self, path: &str, headers: &str) -> String {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n");
        self.raw(&request).await
    }

    /// A navigation; the page is not in chunks.
    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.get(path, "Sec-Fetch-Dest: document\r\n").await;
        String::from_utf8_lossy(&joined(answer.into_bytes())).into_owned()
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl std::ops::Deref for Rig {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.counts
    }
}

/// What a proxy has counted.
#[derive(Default)]
pub(super) struct Counts(Registry);

impl Counts {
    pub(super) fn register() -> (Metrics, Counts) {
        let mut registry = Registry::default();
        (Metrics::register(&mut registry), Counts(registry))
    }

    /// One line of the metrics, by all that stands before its value; 0 if it is not there.
    pub(super) fn counted(&self, name: &str) -> f64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.0).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_default()
    }

    /// Waits until a line of the metrics has reached a value.
    pub(super) async fn counts(&self, name: &str, least: f64) {
        let reached = async {
            while self.counted(name) < least {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let timeout = tokio::time::timeout(DEADLINE, reached).await;
        timeout.unwrap_or_else(|_| panic!("{name} is {}, not {least}", self.counted(name)));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The answer with its body as it was before it was cut into chunks.
pub(super) fn joined(answer: Vec<u8>) -> Vec<u8> {
    let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n").map(|at| at + 4) else { return answer };
    if header(&String::from_utf8_lossy(&answer[..end]), "transfer-encoding").is_none() {
        return answer;
    }
    let (mut whole, mut rest) = (answer[..end].to_vec(), &answer[end..]);
    while let Some(line) = memchr::memmem::find(rest, b"\r\n") {
        let size = std::str::from_utf8(&rest[..line]).unwrap().trim();
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
    answer
}

pub(super) fn response(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

pub(super) fn html(body: &str) -> Vec<u8> {
    response("Content-Type: text/html\r\n", body)
}

pub(super) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

pub(super) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// URL, content type, bytes.
type Captured = (String, String, Vec<u8>);

/// Remembers what was captured.
#[derive(Default)]
pub(super) struct Copies {
    pub(super) whole: Arc<Mutex<Vec<Captured>>>,
    pub(super) opened: Mutex<Vec<String>>,
}

impl Sharing for Copies {
    fn member(&self, _: &http::HeaderMap) -> Option<Member> {
        None
    }

    fn open(&self, request: &HeaderMap, url: &Url) -> Option<Box<dyn Sink>> {
        self.opened.lock().unwrap().push(url.to_string());
        let session = request.get("cookie")?.to_str().ok()?.contains("tandem=session");
        session.then(|| -> Box<dyn Sink> {
            Box::new(Copy {
                url: url.to_string(),
                kind: String::new(),
                data: Vec::new(),
                whole: self.whole.clone(),
            })
        })
    }
}

struct Copy {
    url: String,
    kind: String,
    data: Vec<u8>,
    whole: Arc<Mutex<Vec<Captured>>>,
}

impl Sink for Copy {
    fn begin(&mut self, content_type: &str, _length: Option<u64>) -> bool {
        self.kind = content_type.to_owned();
        content_type != "image/refused"
    }

    fn data(&mut self, chunk: &Bytes) {
        self.data.extend_from_slice(chunk);
    }

    fn end(self: Box<Self>) {
        let copy = *self;
        copy.whole.lock().unwrap().push((copy.url, copy.kind, copy.data));
    }
}

/// A proxy before an origin whose only connection the test holds itself.
pub(super) async fn held() -> (Rig, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    let rig = rig_before(origin, Limits::default(), Arc::default(), Arc::default(), TaskTracker::new()).await;
    (rig, listener)
}

pub(super) async fn read_until(stream: &mut TcpStream, got: &mut Vec<u8>, needle: &str) {
    let read = async {
        while !String::from_utf8_lossy(got).contains(needle) {
            assert_ne!(stream.read_buf(got).await.unwrap(), 0, "closed before {needle:?}");
        }
    };
    tokio::time::timeout(DEADLINE, read).await.unwrap_or_else(|_| panic!("no {needle:?} in time"));
}

/// Opens a WebSocket there, and hears over it what was said.
pub(super) async fn echo_websocket(rig: &Rig, path: &str) {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let request = format!("ws://shop.example{path}");
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    for text in ["a".to_owned(), "b".repeat(300_000)] {
        socket.send(Message::text(text.clone())).await.unwrap();
        let echoed = tokio::time::timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(echoed.into_text().unwrap().as_str(), text);
    }
    socket.close(None).await.unwrap();
}
