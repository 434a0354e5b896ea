//! Whoever takes too much, or too long, is sent away with a reason that is counted, and everybody else is served.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::task::TaskTracker;

use super::raw::*;
use super::tls;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) fn limited(limit: &str) -> String {
    format!("proxy_limited_total{{listener=\"site\",limit=\"{limit}\"}}")
}

fn failed(fault: &str, reason: &str) -> String {
    format!("proxy_failures_total{{site=\"shop.example\",fault=\"{fault}\",reason=\"{reason}\"}}")
}

/// Sends something and keeps the connection.
async fn send(rig: &Rig, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Waits until the proxy has closed a connection; answers what it said.
async fn closed(mut stream: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn serves(rig: &Rig) {
    assert!(rig.get("/", "").await.ends_with("ok"), "others are served");
}

fn ok(_: &str) -> Reply {
    Reply::Keep(response("", "ok"))
}

// ---- connections -----------------------------------------------------------------------------------------

#[tokio::test]
async fn an_address_has_a_bounded_number_of_connections() {
    let rig = rig_with(ok, Limits { connections_per_address: 2, ..Limits::default() }).await;
    let held = (send(&rig, b"").await, send(&rig, b"").await);
    rig.counts("proxy_connections{listener=\"site\"}", 2.0).await;
    assert_eq!(closed(send(&rig, GET).await).await, "");
    assert_eq!(rig.counted(&limited("connections_per_address")), 1.0);
    drop(held);
    let served = async { while !rig.get("/", "").await.ends_with("ok") {} };
    tokio::time::timeout(DEADLINE, served).await.expect("there is room again");
}

#[tokio::test]
async fn a_trusted_proxy_may_have_them_all() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(serve_origin(listener, Arc::new(ok), Arc::default(), Arc::default(), tasks.clone()));
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    let rig = rig_behind(&["127.0.0.0/8"], origin, limits, Arc::default(), Arc::default(), tasks).await;
    let _held = (send(&rig, b"").await, send(&rig, b"").await);
    serves(&rig).await;
}

#[tokio::test]
async fn with_all_connections_in_use_the_next_one_waits() {
    let rig = rig_with(ok, Limits { connections: 1, ..Limits::default() }).await;
    let held = send(&rig, b"").await;
    rig.counts(&limited("connections"), 1.0).await;
    let mut waiting = send(&rig, GET).await;
    drop(held);
    read_until(&mut waiting, &mut Vec::new(), "\r\n\r\nok").await;
}

// ---- slow browsers ---------------------------------------------------------------------------------------

#[tokio::test]
async fn a_crowd_of_slow_heads_is_sent_away_while_others_are_served() {
    let limits = Limits { header_read: Duration::from_millis(300), ..Limits::default() };
    let rig = rig_with(ok, limits).await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let mut stream = send(&rig, b"GET / HTTP/1.1\r\nHost: shop.example\r\n").await;
        crowd.spawn(async move {
            // A byte now and then does not help.
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }
    for _ in 0..20 {
        serves(&rig).await;
    }
    rig.counts(&limited("header_timeout"), 200.0).await;
    let gone = async { while crowd.join_next().await.is_some() {} };
    tokio::time::timeout(DEADLINE, gone).await.expect("they stay");
}

#[tokio::test]
async fn an_upload_in_drops_is_given_up() {
    let limits =
        Limits { client_silence: Duration::from_millis(200), upload_pace: 100_000, ..Limits::default() };
    let rig =
        rig_with(|request| if request.starts_with("GET") { ok(request) } else { Reply::Silence }, limits)
            .await;
    let stream = send(&rig, b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9999\r\n\r\n").await;
    let (read, mut write) = stream.into_split();
    let drops = async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::future::pending().await
    };
    let answer = tokio::select! {
        answer = closed(read) => answer,
        () = drops => unreachable!(),
    };
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(rig.counted(&failed("client", "slow_upload")), 1.0);
    serves(&rig).await;
}

#[tokio::test]
async fn a_download_in_drops_is_given_up() {
    let limits =
        Limits { write_stall: Duration::from_millis(200), download_pace: 100_000_000, ..Limits::default() };
    let big = response("", &"x".repeat(32 << 20));
    let handler = move |request: &str| match request.starts_with("GET /big") {
        true => Reply::Keep(big.clone()),
        false => ok(request),
    };
    let rig = rig_with(handler, limits).await;
    let mut stream = send(&rig, b"GET /big HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
    let drops = async {
        let mut drop = [0; 4096];
        while rig.counted(&limited("slow_reader")) == 0.0 {
            assert!(stream.read(&mut drop).await.is_ok_and(|read| read > 0), "not all of it has come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, drops).await.expect("it is waited for");
    serves(&rig).await;
}

// ---- large heads -----------------------------------------------------------------------------------------

#[tokio::test]
async fn large_heads_are_refused_with_a_page() {
    let limits = Limits { url: 1000, headers: 20, ..Limits::default() };
    let rig = rig_with(ok, limits.clone()).await;
    let long = format!("/{}?{}", "a".repeat(500), "b".repeat(600));
    let many: String = (0..30).map(|number| format!("X-{number}: 1\r\n")).collect();
    let refused = [("414", rig.get(&long, "").await), ("431", rig.get("/", &many).await)];
    for (status, answer) in refused {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("Request ID"), "{answer}");
    }
    for reason in ["long_url", "many_headers"] {
        // Refused before anybody asks for which site.
        let failed = failed("client", reason).replace("shop.example", "none");
        assert_eq!(rig.counted(&failed), 1.0, "{reason}");
    }
    serves(&rig).await;
    // The same over HTTP/2.
    let rig = tls::rig_with(ok, limits).await;
    let mut browser = rig.browser().await;
    for (status, path, count) in [(414, long.as_str(), 1), (431, "/", 30)] {
        let mut request = Request::get(format!("https://shop.example{path}"));
        for number in 0..count {
            request = request.header(format!("x-{number}"), "1");
        }
        let response = browser.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
    }
    let response = browser.send_request(tls::get("/").body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(tls::text(response).await, "ok");
}

// ---- floods over HTTP/2 ----------------------------------------------------------------------------------

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn floods_of_frames_end_the_connection_and_no_other() {
    // A POST whose body never ends: HEADERS without END_STREAM, literals without indexing.
    let mut post = vec![0x83, 0x87, 0x84, 0x41, 12];
    post.extend(b"shop.example");
    let open = frame(1, 4, 1, &post);
    let ping = frame(6, 0, 0, &[7; 8]);
    let settings = frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]);
    let window = frame(8, 0, 0, &[0, 0, 0, 1]);
    let priority = frame(2, 0, 9, &[0, 0, 0, 0, 1]);
    let unknown = frame(99, 0, 0, b"x");
    let empty = frame(0, 0, 1, b"");
    for (name, before, flood) in [
        ("ping", &b""[..], ping),
        ("settings", b"", settings),
        ("window update", b"", window),
        ("priority", b"", priority),
        ("unknown", b"", unknown),
        ("empty data", &open, empty),
    ] {
        let rig = tls::rig_with(
            |request| if request.starts_with("GET") { ok(request) } else { Reply::Silence },
            Limits::default(),
        )
        .await;
        let (read, mut write) = tokio::io::split(rig.dial("h2").await);
        let mut start = [PREFACE, &frame(4, 0, 0, b"")].concat();
        start.extend(before);
        write.write_all(&start).await.unwrap();
        let flood = flood.repeat(1000);
        let flooding = async {
            let mut sent = 0;
            while write.write_all(&flood).await.is_ok() && write.flush().await.is_ok() {
                sent += 1;
                assert!(sent < 10_000, "{name}: no end");
            }
        };
        let end = async { tokio::join!(flooding, closed(read)) };
        tokio::time::timeout(DEADLINE, end).await.unwrap_or_else(|_| panic!("{name}: stays open"));
        rig.counts.counts(&limited("control_flood"), 1.0).await;
        let mut browser = rig.browser().await;
        let response = browser.send_request(tls::get("/").body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(tls::text(response).await, "ok", "{name}: others are served");
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let rig = tls::rig_with(ok, Limits { head: 16_384, ..Limits::default() }).await;
    let (read, mut write) = tokio::io::split(rig.dial("h2").await);
    write.write_all(&[PREFACE, &frame(4, 0, 0, b""), &frame(1, 0, 1, &[0x82])].concat()).await.unwrap();
    // CONTINUATION without end (CVE-2024-27316): literal headers of 1,000 bytes.
    let line = [&[0, 1, b'a', 0x7f, 0xe9, 0x06][..], &[b'x'; 1000]].concat();
    let more = frame(9, 0, 1, &line);
    let flooding = async {
        let mut sent = 0;
        while write.write_all(&more).await.is_ok() && write.flush().await.is_ok() {
            sent += 1;
            assert!(sent < 10_000, "no end");
        }
    };
    let end = async { tokio::join!(flooding, closed(read)) };
    tokio::time::timeout(DEADLINE, end).await.expect("stays open");
}

// ---- origins that stall ----------------------------------------------------------------------------------

#[tokio::test]
async fn an_origin_may_stall_at_any_stage() {
    let limits = Limits {
        connect: Duration::from_millis(100),
        first_byte: Duration::from_millis(100),
        origin_silence: Duration::from_millis(100),
        ..Limits::default()
    };
    // It accepts no connection: its queue is full.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(50), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    let rig = rig_before(address, limits.clone(), Arc::default(), Arc::default(), TaskTracker::new()).await;
    assert!(rig.page("/").await.starts_with("HTTP/1.1 504 "));
    assert_eq!(rig.counted(&failed("origin", "connect_timeout")), 1.0);
    // It says nothing.
    let rig = rig_with(
        |request| match request.starts_with("GET /stalls") {
            true => Reply::Silence,
            false => ok(request),
        },
        limits.clone(),
    )
    .await;
    assert!(rig.get("/stalls", "").await.starts_with("HTTP/1.1 504 "));
    assert_eq!(rig.counted(&failed("origin", "first_byte_timeout")), 1.0);
    serves(&rig).await;
    // It stops in the middle.
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let rig = rig_with(
        |request| match request.starts_with("GET /stalls") {
            true => Reply::Keep(half.to_vec()),
            false => ok(request),
        },
        limits,
    )
    .await;
    assert!(rig.get("/stalls", "").await.ends_with("half"));
    assert_eq!(rig.counted(&failed("origin", "body_stalled")), 1.0);
    serves(&rig).await;
}

// ---- tunnels ---------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_tunnel_through_which_nothing_passes_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = Limits { tunnel_idle: Duration::from_millis(200), ..Limits::default() };
    let origin = listener.local_addr().unwrap();
    let rig = rig_before(origin, limits, Arc::default(), Arc::default(), TaskTracker::new()).await;
    let mut browser = send(
        &rig,
        b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .await;
    let (mut origin, _) = listener.accept().await.unwrap();
    let switched =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello";
    origin.write_all(switched).await.unwrap();
    read_until(&mut browser, &mut Vec::new(), "hello").await;
    assert_eq!(rig.counted(&failed("client", "websocket_idle")), 0.0);
    assert_eq!(closed(browser).await, "");
    rig.counts(&failed("client", "websocket_idle"), 1.0).await;
}
