//! The proxy as a browser and an origin server see it: raw bytes in, raw bytes out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tandem::proxy::{Limits, Proxy, Settings, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::raw::*;

// ---- what is let in --------------------------------------------------------------------------------------

#[tokio::test]
async fn malformed_requests_never_reach_the_origin() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let h = "Host: shop.example\r\n";
    for (status, request) in [
        ("400", "GET / HTTP/1.1\r\n\r\n".to_owned()),
        ("400", format!("GET / HTTP/1.1\r\n{h}Host: other\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{h}{h}\r\n")),
        ("400", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned()),
        ("400", "GET / HTTP/1.1\r\nHost: user@shop.example\r\n\r\n".to_owned()),
        ("400", "GET / HTTP/1.1\r\nHost: shop.example/x\r\n\r\n".to_owned()),
        ("400", "GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned()),
        ("400", "GET http://user@shop.example/ HTTP/1.1\r\nHost: shop.example\r\n\r\n".to_owned()),
        ("400", format!("GET evil:80 HTTP/1.1\r\n{h}\r\n")),
        ("400", format!("GET ftp://shop.example/ HTTP/1.1\r\n{h}\r\n")),
        ("400", format!("GET * HTTP/1.1\r\n{h}\r\n")),
        ("405", format!("CONNECT evil:443 HTTP/1.1\r\n{h}\r\n")),
        ("405", format!("TRACE / HTTP/1.1\r\n{h}\r\n")),
        ("400", format!("POST / HTTP/1.1\r\n{h}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        (
            "400",
            format!(
                "POST / HTTP/1.1\r\n{h}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        ("400", format!("POST / HTTP/1.1\r\n{h}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        (
            "400",
            "POST / HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("400", format!("POST / HTTP/1.1\r\n{h}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
        ("400", format!("POST / HTTP/1.1\r\n{h}Content-Length: +1\r\n\r\na")),
        ("400", format!("POST / HTTP/1.1\r\n{h}Content-Length : 1\r\n\r\na")),
        ("400", format!("GET / HTTP/1.1\r\n{h}A: b\r\n c\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{h}Connection: close, host\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{h}Connection: Cookie\r\n\r\n")),
        ("400", format!("GET / HTTP/1.1\r\n{h}Connection: X-Forwarded-For\r\n\r\n")),
        ("417", format!("POST / HTTP/1.1\r\n{h}Expect: miracles\r\nContent-Length: 0\r\n\r\n")),
        (
            "400",
            format!(
                "GET / HTTP/1.1\r\n{h}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc"
            ),
        ),
        ("431", format!("GET / HTTP/1.1\r\n{h}A: {}\r\n\r\n", "x".repeat(70_000))),
        ("431", format!("GET / HTTP/1.1\r\n{h}{}\r\n", "A: b\r\n".repeat(200))),
    ] {
        // The proxy may keep the connection; a second, last request ends it.
        let bytes = format!("{request}GET /last HTTP/1.1\r\n{h}Connection: close\r\n\r\n");
        let answer = rig.raw(&bytes).await;
        let shown = &request[..request.len().min(120)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?} got {answer}");
        assert!(
            rig.seen().iter().all(|seen| seen.starts_with("GET /last ")),
            "{shown:?} sent {:?}",
            rig.seen()
        );
    }
}

#[tokio::test]
async fn two_lengths_cannot_smuggle_a_request() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    let get = "GET /before HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    let post = "POST /before HTTP/1.1\r\nHost: shop.example\r\n";
    for (before, answered) in [
        ("", 0),
        (get, 1),
        (&format!("{post}Content-Length: 4\r\n\r\n\r\n\r\n"), 1),
        (&format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n{get}"), 2),
    ] {
        for lengths in [
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        ] {
            let answer = rig
                .raw(&format!(
                    "{before}POST /outer HTTP/1.1\r\nHost: shop.example\r\n{lengths}\r\n0\r\n\r\n\
                     GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"
                ))
                .await;
            let statuses = |status: &str| answer.matches(&format!("HTTP/1.1 {status}")).count();
            assert_eq!(
                (statuses("200"), statuses("400"), statuses("")),
                (answered, 1, answered + 1),
                "{answer}"
            );
        }
    }
    assert!(rig.seen().iter().all(|seen| seen.contains(" /before ")), "{:?}", rig.seen());
}

#[tokio::test]
async fn the_origin_gets_a_clean_request() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    rig.raw(
        "POST http://Shop.Example:80/a//b/../%2F?q=%20&x HTTP/1.1\r\nHost: other.example\r\nConnection: close, X-Hop\r\n\
         X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\n\
         X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nTandem-Role: admin\r\n\
         Cookie: a=1; tandem=secret; tandem-x=y; b=2\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    )
    .await;
    let seen = rig.seen().remove(0);
    assert!(seen.starts_with("POST /a//b/../%2F?q=%20&x HTTP/1.1\r\n"), "{seen}");
    assert_eq!(body(&seen), "hello");
    assert_eq!(header(&seen, "host"), Some("Shop.Example:80"));
    assert_eq!(header(&seen, "cookie"), Some("a=1; b=2"));
    assert_eq!(header(&seen, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(header(&seen, "x-forwarded-proto"), Some("http"));
    assert_eq!(header(&seen, "x-forwarded-host"), Some("Shop.Example:80"));
    assert!(header(&seen, "via").unwrap().starts_with("1.1 tandem-"));
    for gone in [
        "x-hop",
        "keep-alive",
        "te",
        "proxy-authorization",
        "upgrade",
        "forwarded",
        "x_real_ip",
        "tandem-role",
        "expect",
    ] {
        assert_eq!(header(&seen, gone), None, "{gone} in {seen}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_tells_who_asks() {
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = origin.local_addr().unwrap();
    let (tasks, seen) = (TaskTracker::new(), Arc::new(Mutex::new(Vec::new())));
    let handler = |_: &str| Reply::Keep(response("", "ok"));
    tasks.spawn(serve_origin(origin, Arc::new(handler), seen.clone(), Arc::default(), tasks.clone()));
    let networks = ["127.0.0.0/8", "10.0.0.0/8"];
    let rig = rig_behind(&networks, address, Limits::default(), seen, Arc::default(), tasks).await;
    let claims = "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-For: 10.0.0.3\r\nX-Forwarded-Proto: https\r\n\
                  X-Forwarded-Host: www.example\r\nForwarded: for=6.6.6.6\r\nTandem-Role: admin\r\n";
    rig.get("/", claims).await;
    let seen = rig.seen().remove(0);
    assert_eq!(header(&seen, "x-forwarded-for"), Some("6.6.6.6, 192.0.2.7, 10.0.0.3, 127.0.0.1"));
    assert_eq!(header(&seen, "x-forwarded-proto"), Some("https"));
    assert_eq!(header(&seen, "x-forwarded-host"), Some("www.example"));
    assert_eq!((header(&seen, "forwarded"), header(&seen, "tandem-role")), (None, None));
    assert_eq!(body(&rig.get("/.tandem/who", claims).await), "192.0.2.7");
}

#[tokio::test]
async fn a_request_that_comes_back_is_a_loop() {
    let rig = rig(|_| Reply::Keep(response("", "ok"))).await;
    rig.get("/", "").await;
    let via = header(&rig.seen()[0], "via").unwrap().to_owned();
    let answer = rig.get("/", &format!("Via: 1.0 other, {via}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 508 "), "{answer}");
}

#[tokio::test]
async fn several_sites_are_told_apart_by_host() {
    let tasks = TaskTracker::new();
    let mut origins = Vec::new();
    for name in ["one", "two"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        origins.push(listener.local_addr().unwrap());
        let handler = move |_: &str| Reply::Keep(response("", name));
        tasks.spawn(serve_origin(listener, Arc::new(handler), Arc::default(), Arc::default(), tasks.clone()));
    }
    let site = |public: &str, at: usize| Site::new(url(public), url(&format!("http://{}", origins[at])));
    let settings = Settings {
        sites: vec![site("http://one.example", 0), site("https://two.example:8443", 1)],
        limits: Limits::default(),
        trusted: Vec::new(),
        console: url("http://console.example/"),
        loader_tag: TAG.to_owned(),
        signing: None,
    };
    let proxy = Proxy::new(settings, own(), Arc::new(Copies::default()), &Default::default(), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tasks.spawn(proxy.serve(listener, tasks.clone(), stop.clone()));
    let rig = Rig {
        address,
        seen: Arc::default(),
        connections: Arc::default(),
        copies: Arc::default(),
        counts: Counts::default(),
        tasks: tasks.clone(),
        stop,
    };
    for (host, expected) in [
        ("one.example", "one"),
        ("ONE.example:80", "one"),
        ("two.example:8443", "two"),
        ("two.example", "There is no website"),
        ("one.example:81", "There is no website"),
        ("evil.example", "There is no website"),
    ] {
        let answer = rig.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
        assert!(body(&answer).contains(expected), "{host}: {answer}");
    }
}

// ---- our own paths ---------------------------------------------------------------------------------------

#[tokio::test]
async fn only_our_prefix_is_ours() {
    let rig = rig(|_| Reply::Keep(response("", "site"))).await;
    assert_eq!(body(&rig.get("/.tandem/who", "").await), "127.0.0.1");
    assert!(rig.get("/.tandem/nothing", "").await.starts_with("HTTP/1.1 404"));
    assert!(rig.seen().is_empty());
    for path in ["/.tandem", "/.tandemic/x", "/x/.tandem/who", "//.tandem/who"] {
        assert_eq!(body(&rig.get(path, "").await), "site", "{path}");
    }
}

#[tokio::test]
async fn links_with_a_session_id_lead_to_the_console() {
    let rig = rig(|_| Reply::Keep(response("", "site"))).await;
    for answer in [rig.page("/cart?tandem=7kq-m9x-d4r").await, rig.get("/.tandem/join/7KQM9XD4R", "").await] {
        assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
        assert_eq!(header(&answer, "location"), Some("http://console.example/session/7KQ-M9X-D4R"));
    }
    assert_eq!(body(&rig.page("/cart?tandem=//evil.example").await), "site");
}

#[tokio::test]
async fn our_own_websocket_works_through_the_router() {
    let rig = rig(|_| Reply::Reset).await;
    echo_websocket(&rig, "/.tandem/socket").await;
}

async fn echo_websocket(rig: &Rig, path: &str) {
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

// ---- pages -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_page_gets_the_tag() {
    let rig = rig(|_| Reply::Keep(html("<!doctype html><html><head><title>x</title>"))).await;
    let answer = rig.page("/").await;
    assert_eq!(body(&answer), format!("<!doctype html><html><head>{TAG}<title>x</title>"));
    assert_eq!(header(&answer, "content-length"), None, "a policy in it may have to be adapted");
    assert_eq!(header(&answer, "vary"), Some("Sec-Fetch-Dest"));
    assert_eq!(header(&rig.seen()[0], "accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_page_in_any_pieces_gets_the_same_tag() {
    let page = "<!doctype html><!-- c --><html lang=en><head data-x='>'><title>x</title><p>text";
    let expected = {
        let rig = rig(|_| Reply::Keep(html(page))).await;
        body(&rig.page("/").await).to_owned()
    };
    let rig = rig(|request| {
        let size: usize = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        let mut answer =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n".to_vec();
        for piece in page.as_bytes().chunks(size) {
            answer.extend(format!("{:x}\r\n", piece.len()).bytes());
            answer.extend(piece);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        Reply::Keep(answer)
    })
    .await;
    for size in [1, 2, 3, 7, 20, 100] {
        // An HTTP/1.0 browser gets the body without chunks.
        let answer = rig
            .raw(&format!("GET /{size} HTTP/1.0\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\n\r\n"))
            .await;
        assert_eq!(body(&answer), expected, "pieces of {size}");
    }
}

#[tokio::test]
async fn without_a_type_the_first_bytes_tell_what_is_a_page() {
    for (pieces, page) in
        [(["\n<!DOC", "TYPE html><p>x</p>"], true), (["\n<!DOC", "TYPE svg><p>x</p>"], false)]
    {
        let (rig, listener) = held().await;
        let mut browser = TcpStream::connect(rig.address).await.unwrap();
        let ask = "GET / HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\n\r\n";
        browser.write_all(ask.as_bytes()).await.unwrap();
        let (mut origin, _) = listener.accept().await.unwrap();
        read_until(&mut origin, &mut Vec::new(), "\r\n\r\n").await;
        let length = pieces.concat().len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nX-Own: kept\r\n\r\n{}", pieces[0]);
        origin.write_all(head.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        assert!(
            tokio::time::timeout(Duration::from_millis(50), browser.read_buf(&mut got)).await.is_err(),
            "too little has come to tell"
        );
        origin.write_all(pieces[1].as_bytes()).await.unwrap();
        read_until(&mut browser, &mut got, "<p>x</p>").await;
        let got = String::from_utf8(joined(got)).unwrap();
        assert!(got.contains("x-own: kept"), "{got}");
        assert_eq!(body(&got).contains(TAG), page, "{got}");
        assert_eq!(body(&got).replace(TAG, "").trim_end(), pieces.concat(), "{got}");
    }
    // What never begins is the origin's fault.
    let limits = Limits { origin_silence: Duration::from_millis(50), ..Limits::default() };
    let rig =
        rig_with(|_| Reply::Keep(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<".to_vec()), limits).await;
    let answer = rig.get("/", "Sec-Fetch-Dest: document\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
}

#[tokio::test]
async fn what_is_not_a_page_passes_byte_for_byte() {
    let page = "<html><head></head></html>";
    for (headers, request) in [
        ("Content-Type: text/html\r\n", "Sec-Fetch-Dest: empty\r\n"),
        ("Content-Type: text/html\r\n", "Accept: */*\r\n"),
        ("Content-Type: text/plain\r\n", "Sec-Fetch-Dest: document\r\n"),
        ("Content-Type: application/json\r\n", "Sec-Fetch-Dest: document\r\n"),
        ("Content-Type: text/html\r\nContent-Encoding: compress\r\n", "Sec-Fetch-Dest: document\r\n"),
        ("Content-Type: text/html\r\nContent-Disposition: attachment\r\n", "Sec-Fetch-Dest: document\r\n"),
        ("Content-Type: text/html; charset=hz-gb-2312\r\n", "Sec-Fetch-Dest: document\r\n"),
        ("Content-Type: text/html\r\nContent-Security-Policy: sandbox\r\n", "Sec-Fetch-Dest: document\r\n"),
    ] {
        let rig = rig(move |_| Reply::Keep(response(&format!("{headers}ETag: \"x\"\r\n"), page))).await;
        let answer = rig.get("/", request).await;
        assert_eq!(body(&answer), page, "{headers} {request}");
        assert_eq!(header(&answer, "etag"), Some("\"x\""));
    }
    let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let message = [head.into_bytes(), bytes.clone()].concat();
    let rig = rig(move |_| Reply::Keep(message.clone())).await;
    let answer = rig.bytes(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with(&bytes));
}

#[tokio::test]
async fn head_says_what_get_would() {
    let rig = rig(|request| match request.starts_with("HEAD /chunked") {
        true => Reply::Keep(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n".to_vec(),
        ),
        false if request.starts_with("HEAD") => {
            Reply::Keep(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/html\r\n\r\n".to_vec())
        }
        false => Reply::Keep(html("<head>")),
    })
    .await;
    let get = rig.page("/").await;
    let head = |path: &str| {
        format!(
            "HEAD {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nSec-Fetch-Dest: document\r\n\r\n"
        )
    };
    let answer = rig.raw(&head("/")).await;
    assert_eq!(header(&answer, "content-length"), header(&get, "content-length"));
    assert_eq!(body(&answer), "");
    assert_eq!(header(&rig.raw(&head("/chunked")).await, "content-length"), None);
}

#[tokio::test]
async fn validators_come_back_to_the_origin_as_its_own() {
    let rig = rig(|request| match header(request, "if-none-match") {
        Some("\"v1\"") => Reply::Keep(b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n".to_vec()),
        _ => {
            Reply::Keep(response("Content-Type: text/html\r\nETag: \"v1\"\r\nLast-Modified: x\r\n", "<head>"))
        }
    })
    .await;
    let first = rig.page("/").await;
    let etag = header(&first, "etag").unwrap();
    assert!(etag.starts_with("W/\"v1-t") && header(&first, "last-modified").is_none());
    let second = rig.get("/", &format!("Sec-Fetch-Dest: document\r\nIf-None-Match: {etag}\r\n")).await;
    assert!(second.starts_with("HTTP/1.1 304 "), "{second}");
    assert_eq!(header(&second, "etag"), Some(etag));
    // A page without the tag, from before, is not what we would send.
    let third = rig.get("/", "Sec-Fetch-Dest: document\r\nIf-None-Match: \"v1\"\r\n").await;
    assert!(third.starts_with("HTTP/1.1 200 "), "{third}");
    // A script's fetch is between the site and its origin.
    let fourth = rig.get("/", "Sec-Fetch-Dest: empty\r\nIf-None-Match: \"v1\"\r\n").await;
    assert!(fourth.starts_with("HTTP/1.1 304 ") && header(&fourth, "etag") == Some("\"v1\""), "{fourth}");
}

#[tokio::test]
async fn a_policy_admits_the_loader() {
    let rig = rig(|_| {
        Reply::Keep(response(
            "Content-Type: text/html\r\nContent-Security-Policy: script-src 'nonce-abc' 'strict-dynamic'\r\n\
             Content-Security-Policy-Report-Only: default-src 'none'\r\n",
            "<head>",
        ))
    })
    .await;
    let answer = rig.page("/").await;
    assert!(body(&answer).contains("<script nonce=\"abc\" src="), "{answer}");
    let reported = header(&answer, "content-security-policy-report-only").unwrap();
    assert!(reported.contains("script-src http://shop.example/.tandem/loader.js"), "{reported}");
    assert_eq!(header(&answer, "content-security-policy"), Some("script-src 'nonce-abc' 'strict-dynamic'"));
}

// ---- streams ---------------------------------------------------------------------------------------------

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

// ---- what goes wrong -------------------------------------------------------------------------------------

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

// ---- copies ----------------------------------------------------------------------------------------------

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
