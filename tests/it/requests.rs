//! What is let in, what of it reaches the origin, and what is ours.

use std::sync::{Arc, Mutex};

use tandem::proxy::{Limits, Proxy, Settings, Site};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::raw::*;

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
