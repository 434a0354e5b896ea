//! The proxy as a browser and an origin server see it: raw bytes in, raw bytes out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::raw::*;

// ---- streams -------------------------------------------------------------------------------------------------

#[tokio::test]
async fn events_arrive_when_they_are_sent() {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser.write_all(b"GET /events HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    read_until(&mut origin, &mut request, "\r\n\r\n").await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await.unwrap();
    let mut got = Vec::new();
    for event in ["data: one\n\n", "data: two\n\n"] {
        origin.write_all(event.as_bytes()).await.unwrap();
        read_until(&mut browser, &mut got, event).await;
    }
    // A browser that leaves ends the origin's stream.
    drop(browser);
    let closed = async { while origin.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(DEADLINE, closed).await.expect("the origin's connection stays open");
}

#[tokio::test]
async fn the_beginning_of_a_page_arrives_before_its_end() {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\n\r\n")
        .await
        .unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<head><title>early").await.unwrap();
    read_until(&mut browser, &mut Vec::new(), "<title>early").await;
}

#[tokio::test]
async fn an_upload_streams() {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser
        .write_all(
            b"PUT / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
        )
        .await
        .unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    let mut got = Vec::new();
    read_until(&mut origin, &mut got, "first").await;
    browser.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut origin, &mut got, "second\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn the_sites_websocket_is_a_tunnel() {
    let (rig, listener) = held().await;
    rig.tasks.spawn(async move {
        use futures_util::{SinkExt, StreamExt};
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    echo_websocket(&rig, "/live").await;
}

#[tokio::test]
async fn a_tunnel_can_close_one_way_first() {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
        .await
        .unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    read_until(&mut origin, &mut request, "\r\n\r\n").await;
    // The first bytes of the tunnel come with the head.
    origin
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
        )
        .await
        .unwrap();
    let mut got = Vec::new();
    read_until(&mut browser, &mut got, "hello").await;
    browser.write_all(b"bye").await.unwrap();
    browser.shutdown().await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, origin.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, b"bye");
    origin.write_all(b"last words").await.unwrap();
    read_until(&mut browser, &mut got, "last words").await;
}

#[tokio::test]
async fn the_stop_ends_tunnels_and_idle_connections() {
    let (rig, listener) = held().await;
    let mut idle = TcpStream::connect(rig.address).await.unwrap();
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser
        .write_all(
            b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await
        .unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    origin
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
        )
        .await
        .unwrap();
    read_until(&mut browser, &mut Vec::new(), "hello").await;
    rig.stop.cancel();
    rig.tasks.close();
    tokio::time::timeout(DEADLINE, rig.tasks.wait()).await.expect("tasks outlive the stop");
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert_eq!(browser.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

// ---- what goes wrong -----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_failing_origin_gets_a_clear_page() {
    for (status, reply) in [
        ("502", &b""[..]),
        ("502", b"garbage\r\n\r\n"),
        ("502", b"HTTP/1.1 2"),
        ("502", b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("502", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("502", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("502", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    ] {
        let rig = rig(move |_| Reply::Close(reply.to_vec())).await;
        let answer = rig.page("/secret?token=1").await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{:?}: {answer}",
            String::from_utf8_lossy(reply)
        );
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert!(answer.contains("Request ID") && !answer.contains("secret") && !answer.contains("127.0.0.1"));
    }
    let rig = rig(|_| Reply::Reset).await;
    assert!(rig.page("/").await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn an_origin_that_is_down_gets_a_clear_page() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    drop(listener);
    let rig = rig_before(origin, Limits::default(), Arc::default(), Arc::default(), TaskTracker::new()).await;
    assert!(rig.page("/").await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn a_silent_origin_is_given_up() {
    let limits = Limits { first_byte: Duration::from_millis(50), ..Limits::default() };
    let rig = rig_with(|_| Reply::Silence, limits).await;
    assert!(rig.page("/").await.starts_with("HTTP/1.1 504 "));
}

#[tokio::test]
async fn a_stalled_upload_is_given_up() {
    let limits = Limits { client_silence: Duration::from_millis(50), ..Limits::default() };
    let rig = rig_with(|_| Reply::Silence, limits).await;
    let answer = rig.raw("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let limits = Limits {
        header_read: Duration::from_millis(50),
        keep_alive: Duration::from_millis(80),
        ..Limits::default()
    };
    let rig = rig_with(|_| Reply::Keep(response("", "ok")), limits).await;
    assert_eq!(rig.raw("GET / HTTP/1.1\r\nHost:").await, "");
    assert_eq!(rig.raw("").await, "");
    let answer = rig.raw("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_taken_for_whole() {
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n<!-- part\r\n",
    ] {
        let rig = rig(move |_| Reply::Close(reply.as_bytes().to_vec())).await;
        let answer = rig.page("/").await;
        assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
        assert!(header(&answer, "content-length").is_none_or(|length| length == "100"), "{answer}");
    }
}

#[tokio::test]
async fn a_kept_connection_is_used_again() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    for _ in 0..5 {
        browser.write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
        read_until(&mut browser, &mut Vec::new(), "\r\n\r\nok").await;
    }
    assert_eq!(*rig.connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_stale_connection_costs_a_get_nothing_and_never_repeats_a_post() {
    // The origin answers once on a connection and resets it at the second request.
    let answered = Mutex::new(false);
    let rig = rig(move |_| {
        let mut answered = answered.lock().unwrap();
        *answered = !*answered;
        if *answered { Reply::Keep(response("", "ok")) } else { Reply::Reset }
    })
    .await;
    for _ in 0..2 {
        assert!(rig.get("/", "").await.ends_with("ok"));
    }
    assert_eq!(rig.seen().len(), 3, "the second one is sent twice");
    let post = "POST / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
    let answer = rig.raw(post).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(rig.seen().iter().filter(|seen| seen.starts_with("POST")).count(), 1);
}

#[tokio::test]
async fn a_response_has_one_framing_and_our_version() {
    let chunked = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
                   Keep-Alive: timeout=1\r\nAlt-Svc: h3=\":443\"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let rig = rig(move |request| match request.starts_with("GET /old") {
        true => Reply::Close(b"HTTP/1.0 200 OK\r\n\r\nold".to_vec()),
        false => Reply::Keep(chunked.as_bytes().to_vec()),
    })
    .await;
    let answer = rig.get("/", "").await;
    assert_eq!(body(&answer), "2\r\nhi\r\n0\r\n\r\n");
    for gone in ["content-length", "x-hop", "keep-alive", "alt-svc"] {
        assert_eq!(header(&answer, gone), None, "{gone}");
    }
    assert_eq!(answer.matches("set-cookie").count(), 2);
    assert!(rig.get("/old", "").await.starts_with("HTTP/1.1 200 "));
}

// ---- copies --------------------------------------------------------------------------------------------------

const SESSION: &str = "Cookie: tandem=session\r\n";

#[tokio::test]
async fn a_session_gets_exactly_what_its_customer_got() {
    let rig = rig(|_| {
        Reply::Keep(
            b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
                .to_vec(),
        )
    })
    .await;
    rig.get("/a.png?x", &format!("Sec-Fetch-Dest: image\r\nAccept-Encoding: br\r\n{SESSION}")).await;
    let copies = rig.copies.whole.lock().unwrap().clone();
    assert_eq!(
        copies,
        [("http://shop.example/a.png?x".to_owned(), "image/png".to_owned(), b"abcdefg".to_vec())]
    );
    let seen = rig.seen().remove(0);
    assert_eq!(header(&seen, "accept-encoding"), Some("identity"));
    assert_eq!(header(&seen, "cookie"), None);
}

#[tokio::test]
async fn only_whole_plain_subresources_are_copied() {
    let rig = rig(|request| {
        let target = request.split(' ').nth(1).unwrap();
        Reply::Close(match target {
            "/part" => {
                b"HTTP/1.1 206 Partial Content\r\nContent-Type: image/png\r\nContent-Length: 1\r\n\r\nx"
                    .to_vec()
            }
            "/coded" => response("Content-Type: image/png\r\nContent-Encoding: gzip\r\n", "x"),
            "/refused" => response("Content-Type: image/refused\r\n", "x"),
            "/broken" => b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nx".to_vec(),
            "/304" => b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
            _ => response("Content-Type: image/png\r\n", "x"),
        })
    })
    .await;
    for path in ["/part", "/coded", "/refused", "/broken", "/304"] {
        let answer = rig.get(path, &format!("Sec-Fetch-Dest: image\r\n{SESSION}")).await;
        assert!(path == "/304" || body(&answer) == "x", "{path}: {answer}");
    }
    for (path, kind) in [("/none", "empty"), ("/page", "document"), ("/code", "script")] {
        rig.get(path, &format!("Sec-Fetch-Dest: {kind}\r\n{SESSION}")).await;
    }
    rig.get("/stranger", "Sec-Fetch-Dest: image\r\n").await;
    assert_eq!(rig.copies.whole.lock().unwrap().len(), 0);
    assert_eq!(rig.copies.opened.lock().unwrap().len(), 5, "who is in no session is not even asked about");
    rig.get("/whole", &format!("Accept: image/avif,image/webp,*/*\r\n{SESSION}")).await;
    assert_eq!(rig.copies.whole.lock().unwrap().len(), 1, "told by Accept where Sec-Fetch-Dest is not sent");
}
