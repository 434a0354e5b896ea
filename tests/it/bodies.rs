//! Bodies of any size and kind go both ways, at the pace of who takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::raw::*;

const H: &str = "Host: shop.example\r\n";

/// A proxy, a browser's connection that said something, and the origin's end of what came of it.
async fn exchange(said: &str) -> (Rig, TcpStream, TcpStream) {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    browser.write_all(said.as_bytes()).await.unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    read_until(&mut origin, &mut Vec::new(), "\r\n\r\n").await;
    (rig, browser, origin)
}

/// Writes until nobody takes more, and answers how much was taken.
async fn taken(mut stream: TcpStream) -> (TcpStream, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let writing = async {
        let piece = vec![b'x'; 1 << 20];
        loop {
            let written = stream.write(&piece).await.unwrap();
            count.fetch_add(written, Ordering::Relaxed);
        }
    };
    let stuck = async {
        let mut before = 0;
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
            let now = count.load(Ordering::Relaxed);
            if now > 0 && now == before {
                return;
            }
            before = now;
        }
    };
    let stuck = tokio::time::timeout(DEADLINE, stuck);
    tokio::select! {
        stuck = stuck => stuck.expect("it takes without end"),
        () = writing => unreachable!(),
    }
    let count = count.load(Ordering::Relaxed);
    (stream, count)
}

/// What two sockets and the proxy may hold between two ends, in bytes; far less than what is offered.
const BETWEEN: usize = 64 << 20;

#[tokio::test]
async fn an_origin_waits_for_a_browser_that_takes_nothing() {
    let (_rig, mut browser, mut origin) = exchange(&format!("GET / HTTP/1.1\r\n{H}\r\n")).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
    let (mut origin, sent) = taken(origin).await;
    assert!(sent < BETWEEN, "{sent}");
    // And goes on when it does.
    let more = async {
        let piece = vec![b'x'; 1 << 16];
        while origin.write_all(&piece).await.is_ok() {}
    };
    let takes = async {
        let (mut piece, mut got) = (vec![0; 1 << 16], 0);
        while got < sent + (8 << 20) {
            got += browser.read(&mut piece).await.unwrap();
        }
    };
    tokio::select! {
        () = more => unreachable!(),
        taken = tokio::time::timeout(DEADLINE, takes) => taken.expect("it is stuck"),
    }
}

#[tokio::test]
async fn a_browser_waits_for_an_origin_that_takes_nothing() {
    let (_rig, browser, _origin) =
        exchange(&format!("POST / HTTP/1.1\r\n{H}Content-Length: 1000000000\r\n\r\n")).await;
    let (_browser, sent) = taken(browser).await;
    assert!(sent < BETWEEN, "{sent}");
}

/// An origin whose system gathers small pieces (Nagle's algorithm) sends the last one when those before it are
/// acknowledged, which systems put off for 40 ms unless they are asked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_origin_that_gathers_small_pieces_is_not_waited_for() {
    let (_rig, mut browser, mut origin) = exchange(&format!("GET / HTTP/1.1\r\n{H}\r\n")).await;
    origin.set_nodelay(false).unwrap();
    let mut took = Vec::new();
    for _ in 0..21 {
        let begun = tokio::time::Instant::now();
        origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await.unwrap();
        origin.write_all(b"half").await.unwrap();
        read_until(&mut browser, &mut Vec::new(), "halfhalf").await;
        took.push(begun.elapsed());
        browser.write_all(format!("GET / HTTP/1.1\r\n{H}\r\n").as_bytes()).await.unwrap();
        read_until(&mut origin, &mut Vec::new(), "\r\n\r\n").await;
    }
    took.sort();
    assert!(took[10].as_millis() < 20, "{took:?}");
}

#[tokio::test]
async fn the_answer_may_come_before_the_upload_is_over() {
    let (_rig, mut browser, mut origin) =
        exchange(&format!("POST / HTTP/1.1\r\n{H}Content-Length: 20000000\r\n\r\n")).await;
    let answer = response("Connection: close\r\n", "too large").to_vec();
    let answer = String::from_utf8(answer).unwrap().replace("200 OK", "413 Content Too Large");
    origin.write_all(answer.as_bytes()).await.unwrap();
    // The origin is done, and reads no more.
    drop(origin);
    // A browser that first sends all it has gets to do so, and then reads the answer: no reset may overtake it.
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..20 {
        browser.write_all(&piece).await.expect("cut off while it sends");
    }
    let mut got = Vec::new();
    let _ = tokio::time::timeout(DEADLINE, browser.read_to_end(&mut got)).await.expect("stays open");
    let got = String::from_utf8_lossy(&got);
    assert!(got.starts_with("HTTP/1.1 413 ") && got.ends_with("too large"), "{got:?}");
}

#[tokio::test]
async fn a_body_is_asked_for_when_the_origin_is_there() {
    // Expect: 100-continue, RFC 9110 section 10.1.1.
    let said = format!("POST / HTTP/1.1\r\n{H}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    let (_rig, mut browser, mut origin) = exchange(&said).await;
    let mut got = Vec::new();
    read_until(&mut browser, &mut got, "HTTP/1.1 100 Continue\r\n\r\n").await;
    browser.write_all(b"body").await.unwrap();
    read_until(&mut origin, &mut Vec::new(), "body").await;
    origin.write_all(&response("", "thanks")).await.unwrap();
    read_until(&mut browser, &mut got, "thanks").await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let rig = rig_before(nobody, Limits::default(), Arc::default(), Arc::default(), TaskTracker::new()).await;
    let answer = rig.raw(&said.replace("Expect", "Connection: close\r\nExpect")).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "no 100 before it: {answer}");
}

#[tokio::test]
async fn interim_responses_do_no_harm() {
    let answer = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal";
    let rig = rig(move |_| Reply::Keep(answer.as_bytes().to_vec())).await;
    let answer = rig.get("/", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("final"), "{answer}");
}

#[tokio::test]
async fn parts_and_nothing_pass_as_they_are() {
    let rig = rig(|request| {
        let path = request.split(' ').nth(1).unwrap();
        Reply::Keep(match path {
            "/part" => {
                assert_eq!(header(request, "range"), Some("bytes=2-4"));
                b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\ncde"
                    .to_vec()
            }
            "/none" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
            "/same" => b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 10\r\n\r\n".to_vec(),
            "/head" => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec(),
            _ => response("", "last"),
        })
    })
    .await;
    // All on one connection: each ends where it should.
    let answer = rig
        .raw(&format!(
            "GET /part HTTP/1.1\r\n{H}Range: bytes=2-4\r\n\r\nGET /none HTTP/1.1\r\n{H}\r\nGET /same HTTP/1.1\r\n{H}\r\n\
             HEAD /head HTTP/1.1\r\n{H}\r\nGET /last HTTP/1.1\r\n{H}Connection: close\r\n\r\n"
        ))
        .await;
    let answers: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).collect();
    let statuses: Vec<&str> = answers.iter().map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["206", "204", "304", "200", "200"], "{answer}");
    assert!(answers[0].contains("content-range: bytes 2-4/10") && answers[0].ends_with("\r\n\r\ncde"));
    assert!(answers[1].ends_with("\r\n\r\n") && answers[2].ends_with("\r\n\r\n"));
    assert!(answers[3].contains("content-length: 10\r\n") && answers[3].ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(*rig.connections.lock().unwrap(), 1, "the origin's connection stayed clean");
}

#[tokio::test]
async fn options_are_asked_of_who_is_meant() {
    let rig = rig(|_| Reply::Keep(response("Allow: GET\r\n", ""))).await;
    for (target, seen) in [("*", "*"), ("/a?b", "/a?b"), ("http://shop.example/c", "/c"), ("/a*", "/a*")] {
        let answer = rig.raw(&format!("OPTIONS {target} HTTP/1.1\r\n{H}Connection: close\r\n\r\n")).await;
        assert!(answer.contains("allow: GET"), "{target}: {answer}");
        let last = rig.seen().pop().unwrap();
        assert!(last.starts_with(&format!("OPTIONS {seen} HTTP/1.1\r\n")), "{target}: {last}");
    }
    let refused = rig.raw(&format!("GET * HTTP/1.1\r\n{H}Connection: close\r\n\r\n")).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}

#[tokio::test]
async fn a_browser_that_says_no_more_has_gone() {
    let (rig, mut browser, mut origin) = exchange(&format!("GET / HTTP/1.1\r\n{H}\r\n")).await;
    // As a closed tab looks: the origin need not go on.
    browser.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(DEADLINE, origin.read_to_end(&mut rest)).await;
    let _ = read.expect("the origin is left waiting");
    // Others are served.
    drop(rig);
}

#[tokio::test]
async fn trailers_pass() {
    let answer = b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
    let rig = rig(move |_| Reply::Keep(answer.to_vec())).await;
    let got = rig.get("/", "TE: trailers\r\n").await;
    assert!(got.to_ascii_lowercase().ends_with("0\r\nx-sum: 7\r\n\r\n"), "{got}");
}

#[tokio::test]
async fn an_origin_that_closes_does_not_close_the_browsers_connection() {
    let rig = rig(|_| Reply::Close(response("Connection: close\r\n", "ok"))).await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    for count in 1..=3 {
        browser.write_all(format!("GET / HTTP/1.1\r\n{H}\r\n").as_bytes()).await.unwrap();
        read_until(&mut browser, &mut Vec::new(), "\r\n\r\nok").await;
        assert_eq!(*rig.connections.lock().unwrap(), count);
    }
}
