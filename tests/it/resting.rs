//! Connections that are idle: they give their memory back, and nobody who uses them notices.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::raw::*;
use super::tls;

const RESTING: &str = "proxy_resting{listener=\"site\"}";
const OPEN: &str = "proxy_connections{listener=\"site\"}";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n")
}

async fn rig() -> Rig {
    let limits = Limits { rest: Duration::from_millis(10), ..Limits::default() };
    rig_with(|request| Reply::Keep(response("", request.split(' ').nth(1).unwrap())), limits).await
}

/// Waits until a line of the metrics has this value.
async fn becomes(rig: &Rig, name: &str, value: f64) {
    let there = async {
        while rig.counted(name) != value {
            tokio::task::yield_now().await;
        }
    };
    let there = tokio::time::timeout(DEADLINE, there).await;
    there.unwrap_or_else(|_| panic!("{name} is {}, not {value}", rig.counted(name)));
}

/// Waits until the proxy closes a connection without a word.
async fn ends(mut browser: TcpStream) {
    let end = tokio::time::timeout(DEADLINE, browser.read_u8()).await;
    end.expect("stays open").unwrap_err();
}

/// Sends something, and waits for an answer with this body.
async fn ask(browser: &mut TcpStream, bytes: &str, body: &str) {
    browser.write_all(bytes.as_bytes()).await.unwrap();
    read_until(browser, &mut Vec::new(), &format!("\r\n\r\n{body}")).await;
}

#[tokio::test]
async fn a_connection_that_rested_answers_as_before() {
    let rig = rig().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    rig.counts(RESTING, 1.0).await;
    for path in ["/1", "/2"] {
        ask(&mut browser, &get(path), path).await;
        rig.counts(RESTING, 1.0).await;
    }
    let (begun, rest) = ("GET /begun HT", "TP/1.1\r\nHost: shop.example\r\n\r\n");
    browser.write_all(begun.as_bytes()).await.unwrap();
    becomes(&rig, RESTING, 0.0).await;
    ask(&mut browser, rest, "/begun").await;
    // A part of a request that came with the one before is not forgotten.
    ask(&mut browser, &format!("{}{begun}", get("/3")), "/3").await;
    rig.counts(RESTING, 1.0).await;
    ask(&mut browser, rest, "/begun").await;
    let upload = "POST /up HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nab";
    ask(&mut browser, upload, "/up").await;
    rig.counts(RESTING, 1.0).await;
    ask(&mut browser, &get("/4"), "/4").await;
    assert_eq!(rig.counted(OPEN), 1.0);
    drop(browser);
    becomes(&rig, OPEN, 0.0).await;
}

#[tokio::test]
async fn over_tls_a_connection_rests_as_well() {
    let limits = Limits { rest: Duration::ZERO, ..Limits::default() };
    let rig = tls::rig_with(|_| Reply::Keep(response("", "ok")), limits).await;
    let mut browser = rig.dial("http/1.1").await;
    for round in 0..20 {
        let request = get("/");
        let (begun, rest) = request.split_at(round);
        for part in [begun, rest] {
            browser.write_all(part.as_bytes()).await.unwrap();
            browser.flush().await.unwrap();
        }
        let (mut answer, mut piece) = (Vec::new(), [0; 512]);
        while !answer.ends_with(b"\r\n\r\nok") {
            let read = tokio::time::timeout(DEADLINE, browser.read(&mut piece)).await;
            let size = read.expect("no answer").unwrap();
            assert!(size > 0, "closed");
            answer.extend_from_slice(&piece[..size]);
        }
        // A moment, in which it may come to rest.
        tokio::time::timeout(Duration::from_millis(3), browser.read(&mut piece)).await.unwrap_err();
    }
}

#[tokio::test]
async fn the_rest_of_an_upload_is_no_request() {
    // Answers while the upload goes on.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    let limits = Limits { rest: Duration::from_millis(10), ..Limits::default() };
    let rig = rig_before(origin, limits, Arc::default(), Arc::default(), TaskTracker::new()).await;
    let smuggled = get("/smuggled");
    let length = smuggled.len();
    for refused in [true, false] {
        let mut browser = TcpStream::connect(rig.address).await.unwrap();
        let nominated = if refused { "Connection: Cookie\r\n" } else { "" };
        let head =
            format!("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {length}\r\n{nominated}\r\n");
        browser.write_all(head.as_bytes()).await.unwrap();
        let mut at_origin = None;
        if !refused {
            let (mut origin, _) = listener.accept().await.unwrap();
            read_until(&mut origin, &mut Vec::new(), "\r\n\r\n").await;
            origin.write_all(&response("", "early")).await.unwrap();
            at_origin = Some(origin);
        }
        let status = if refused { "HTTP/1.1 400 " } else { "early" };
        read_until(&mut browser, &mut Vec::new(), status).await;
        // Somebody who comes later rests already.
        let other = TcpStream::connect(rig.address).await.unwrap();
        rig.counts(RESTING, 1.0).await;
        let _ = browser.write_all(smuggled.as_bytes()).await;
        let mut answer = String::new();
        let read = browser.read_to_string(&mut answer);
        let _ = tokio::time::timeout(DEADLINE, read).await.expect("stays open");
        assert!(!answer.contains("HTTP/"), "{answer}");
        drop((other, at_origin));
        becomes(&rig, OPEN, 0.0).await;
    }
    assert!(listener.accept().now_or_never().is_none(), "nothing else was asked for");
}

#[tokio::test]
async fn a_resting_connection_is_closed_in_time() {
    let rest = Duration::from_millis(10);
    let limits = Limits { rest, keep_alive: Duration::from_millis(100), ..Limits::default() };
    let rig = rig_with(|_| Reply::Silence, limits).await;
    ends(TcpStream::connect(rig.address).await.unwrap()).await;
    becomes(&rig, RESTING, 0.0).await;
    let limits = Limits { rest, header_read: Duration::from_millis(50), ..Limits::default() };
    let rig = rig_with(|_| Reply::Silence, limits).await;
    let mut slow = TcpStream::connect(rig.address).await.unwrap();
    rig.counts(RESTING, 1.0).await;
    slow.write_all(b"GET / HT").await.unwrap();
    ends(slow).await;
    assert_eq!(rig.counted("proxy_limited_total{listener=\"site\",limit=\"header_timeout\"}"), 1.0);
}

#[tokio::test]
async fn the_stop_lets_a_resting_connection_ask_a_last_time() {
    let rig = rig().await;
    let mut quiet = TcpStream::connect(rig.address).await.unwrap();
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    rig.counts(RESTING, 2.0).await;
    rig.stop.cancel();
    rig.tasks.close();
    browser.write_all(get("/last").as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = browser.read_to_string(&mut answer);
    tokio::time::timeout(DEADLINE, read).await.expect("stays open").unwrap();
    assert!(answer.ends_with("\r\n\r\n/last") && header(&answer, "connection") == Some("close"), "{answer}");
    assert_eq!(quiet.read(&mut [0; 8]).await.unwrap_or(0), 0);
}
