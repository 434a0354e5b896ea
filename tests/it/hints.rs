//! What comes before a response, and what ends a stream: interim responses (1xx) go to browsers over HTTP/2 and to
//! no other, and streams end as HTTP/2 has it.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tandem::proxy::{Bodies, Host, Limits, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::raw::{DEADLINE, header, joined, read_request, read_until, response, url};
use super::streams::played;
use super::tls::{self, Rig, get, rig_before};

const HINT: [(&str, &str); 3] =
    [("link", "</a.css>; rel=preload"), ("alt-svc", "h3=\":443\""), ("content-length", "5")];

/// A proxy before an origin that sends `early`, and its response when it is told to.
async fn origin(early: String, last: Vec<u8>, change: impl FnOnce(Site) -> Site) -> (Rig, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = url(&format!("http://{}", listener.local_addr().unwrap()));
    let rig = rig_before(change(Site::new(url("https://shop.example"), origin)), Limits::default()).await;
    let (told, tasks) = (Arc::new(Notify::new()), rig.beside.clone());
    let go = told.clone();
    rig.beside.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (early, last, go) = (early.clone(), last.clone(), go.clone());
            tasks.spawn(async move {
                let mut buffer = Vec::new();
                while read_request(&mut stream, &mut buffer).await.is_some() {
                    let _ = stream.write_all(early.as_bytes()).await;
                    go.notified().await;
                    let _ = stream.write_all(&last).await;
                }
            });
        }
    });
    (rig, told)
}

/// What an origin speaks.
#[derive(Debug, Clone, Copy)]
enum Over {
    Http1,
    Http2,
}

const BOTH: [Over; 2] = [Over::Http1, Over::Http2];

/// A proxy before an origin that sends 103 so often with these headers, and its response when it is told to.
async fn hinting(over: Over, times: usize, said: &[(&str, &str)]) -> (Rig, Arc<Notify>) {
    let lines: String = said.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    if let Over::Http1 = over {
        let hop = "Connection: x-hop\r\nX-Hop: 1\r\n";
        let early = format!("HTTP/1.1 103 Early Hints\r\n{hop}{lines}\r\n").repeat(times);
        return origin(early, response("", "final"), |site| site).await;
    }
    let mut hint = Response::builder().status(StatusCode::EARLY_HINTS);
    for (name, value) in said {
        hint = hint.header(*name, *value);
    }
    origin_over_http2(vec![hint.body(()).unwrap(); times]).await
}

/// The same over HTTP/2.
async fn origin_over_http2(early: Vec<Response<()>>) -> (Rig, Arc<Notify>) {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let (told, tasks) = (Arc::new(Notify::new()), rig.beside.clone());
    let go = told.clone();
    rig.beside.spawn(async move {
        loop {
            let (_request, mut reply) = origin.next().await;
            let (early, go) = (early.clone(), go.clone());
            tasks.spawn(async move {
                for interim in early {
                    reply.send_informational(interim).unwrap();
                }
                go.notified().await;
                if let Ok(mut stream) = reply.send_response(Response::new(()), false) {
                    let _ = stream.send_data("final".into(), true);
                }
            });
        }
    });
    (rig, told)
}

pub(super) async fn browser(rig: &Rig) -> SendRequest<Bytes> {
    let (sender, connection) = h2::client::handshake(rig.dial("h2").await).await.unwrap();
    rig.beside.spawn(async move { connection.await.unwrap_or_default() });
    sender.ready().await.unwrap()
}

pub(super) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("not in time")
}

/// The next interim response, or none before the response.
async fn early(answer: &mut ResponseFuture) -> Option<Response<()>> {
    in_time(poll_fn(|cx| answer.poll_informational(cx))).await.map(Result::unwrap)
}

pub(super) async fn text(mut body: RecvStream) -> String {
    let mut text = Vec::new();
    while let Some(piece) = in_time(body.data()).await {
        text.extend_from_slice(&piece.unwrap());
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Bodies and none take different ways to an origin, and so do versions.
fn ways() -> impl Iterator<Item = (Over, &'static str)> {
    BOTH.into_iter().flat_map(|over| ["GET", "POST"].map(|method| (over, method)))
}

/// Asks, with a body or without one.
fn ask(browser: &mut SendRequest<Bytes>, method: &str) -> ResponseFuture {
    let request = get("/").method(method).body(()).unwrap();
    let (answer, mut body) = browser.send_request(request, method == "GET").unwrap();
    if method != "GET" {
        body.send_data("hello".into(), true).unwrap();
    }
    answer
}

#[tokio::test]
async fn hints_arrive_before_the_response() {
    for (over, method) in ways() {
        let (rig, told) = hinting(over, 1, &HINT).await;
        let mut answer = ask(&mut browser(&rig).await, method);
        let hints = early(&mut answer).await.unwrap_or_else(|| panic!("{over:?} {method}: no hints"));
        assert_eq!(hints.status(), StatusCode::EARLY_HINTS);
        let expected = HeaderMap::from_iter([(http::header::LINK, "</a.css>; rel=preload".parse().unwrap())]);
        assert_eq!(*hints.headers(), expected, "and nothing that ends at each hop");
        told.notify_one();
        assert!(early(&mut answer).await.is_none());
        let response = in_time(answer).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().contains_key("date") && !response.headers().contains_key("link"));
        assert_eq!(text(response.into_body()).await, "final");
    }
}

#[tokio::test]
async fn hints_that_come_with_the_response_are_not_lost() {
    for (over, method) in ways() {
        let (rig, told) = hinting(over, 16, &HINT).await;
        told.notify_one();
        let mut answer = ask(&mut browser(&rig).await, method);
        let mut count = 0;
        while early(&mut answer).await.is_some() {
            count += 1;
        }
        assert_eq!(
            (count, in_time(answer).await.unwrap().status()),
            (16, StatusCode::OK),
            "{over:?} {method}"
        );
    }
}

#[tokio::test]
async fn over_http1_nothing_comes_before_the_response() {
    for (over, method) in ways() {
        let (rig, told) = hinting(over, 1, &HINT).await;
        told.notify_one();
        let (said, body) = if method == "GET" { ("", "") } else { ("Content-Length: 2\r\n", "ok") };
        let host = "Host: shop.example\r\nConnection: close\r\n";
        let answer = rig.raw(&format!("{method} / HTTP/1.1\r\n{host}{said}\r\n{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{over:?} {method}: {answer}");
        assert!(String::from_utf8_lossy(&joined(answer.clone().into_bytes())).ends_with("final"), "{answer}");
        assert_eq!(header(&answer, "link"), None);
    }
}

#[tokio::test]
async fn hints_name_the_public_host() {
    let early_hint = "HTTP/1.1 103 Early Hints\r\nLink: <https://www.o.example/a.css>; rel=preload\r\n\r\n";
    let name = Some(url("https://www.o.example"));
    let own = |site| Site { host: Host::Own { name, bodies: Bodies::default() }, ..site };
    let (rig, told) = origin(early_hint.to_owned(), response("", "final"), own).await;
    let mut answer = ask(&mut browser(&rig).await, "GET");
    let hints = early(&mut answer).await.expect("no hints");
    assert_eq!(hints.headers()["link"], "<https://shop.example/a.css>; rel=preload");
    told.notify_one();
    assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_much_before_a_response_is_no_response() {
    let large = "y".repeat(15_000);
    for (times, said) in [(17, &HINT[..]), (5, &[("x", &*large)])] {
        for (over, method) in ways() {
            let (rig, _told) = hinting(over, times, said).await;
            let answer = ask(&mut browser(&rig).await, method);
            assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::BAD_GATEWAY, "{over:?} {method}");
        }
    }
}

#[tokio::test]
async fn they_come_in_order_and_lead_to_nothing_else() {
    let interim = |status: u16| Response::builder().status(status).header("x-at", status).body(()).unwrap();
    for method in ["GET", "POST"] {
        let (rig, told) = origin_over_http2([110, 103, 100, 102].map(interim).into()).await;
        let mut answer = ask(&mut browser(&rig).await, method);
        for expected in [110, 103, 102] {
            let came = early(&mut answer).await.expect("no interim response");
            assert_eq!((came.status().as_u16(), &came.headers()["x-at"]), (expected, &expected.into()));
        }
        told.notify_one();
        assert!(early(&mut answer).await.is_none(), "100 is between the two that speak to each other");
        assert_eq!(text(in_time(answer).await.unwrap().into_body()).await, "final");

        let (rig, _told) = origin_over_http2(vec![interim(101)]).await;
        let answer = ask(&mut browser(&rig).await, method);
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::BAD_GATEWAY, "nothing to switch to");
    }
}

#[tokio::test]
async fn a_browser_is_told_to_send_its_body_when_the_origin_is_there() {
    let expecting = || get("/up").method("POST").header("expect", "100-continue").body(()).unwrap();
    let (rig, told) = hinting(Over::Http1, 0, &[]).await;
    told.notify_one();
    let (mut answer, mut body) = browser(&rig).await.send_request(expecting(), false).unwrap();
    assert_eq!(early(&mut answer).await.map(|told| told.status()), Some(StatusCode::CONTINUE));
    body.send_data("hello".into(), true).unwrap();
    assert_eq!(text(in_time(answer).await.unwrap().into_body()).await, "final");

    let (rig, mut origin) = played(100, Limits::default()).await;
    let (mut answer, mut body) = browser(&rig).await.send_request(expecting(), false).unwrap();
    assert_eq!(early(&mut answer).await.map(|told| told.status()), Some(StatusCode::CONTINUE));
    let (request, mut reply) = origin.next().await;
    assert!(!request.headers().contains_key("expect"), "nobody waits any more");
    let mut go_on = Response::new(());
    *go_on.status_mut() = StatusCode::CONTINUE;
    reply.send_informational(go_on).unwrap();
    body.send_data("hello".into(), true).unwrap();
    assert_eq!(text(request.into_body()).await, "hello");
    reply.send_response(Response::new(()), true).unwrap();
    assert!(early(&mut answer).await.is_none(), "told twice");
    assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = url(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let rig = rig_before(Site::new(url("https://shop.example"), nobody), Limits::default()).await;
    let (mut answer, _body) = browser(&rig).await.send_request(expecting(), false).unwrap();
    assert!(early(&mut answer).await.is_none(), "told to send what nobody takes");
    assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn trailers_and_lengths_arrive() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n5\r\nfinal\r\n0\r\nX-Sum: 1\r\n\r\n";
    let (rig, told) = origin(String::new(), chunked.into(), |site| site).await;
    told.notify_one();
    let response = in_time(ask(&mut browser(&rig).await, "GET")).await.unwrap();
    assert!(!response.headers().contains_key("transfer-encoding"));
    let mut body = response.into_body();
    assert_eq!(in_time(body.data()).await.unwrap().unwrap(), "final");
    assert!(in_time(body.data()).await.is_none());
    assert_eq!(in_time(body.trailers()).await.unwrap().unwrap()["x-sum"], "1");

    let page = get("/").method("TRACE").body(()).unwrap();
    let (answer, _) = browser(&rig).await.send_request(page, true).unwrap();
    let response = in_time(answer).await.unwrap();
    let length = response.headers()["content-length"].to_str().unwrap().to_owned();
    assert_eq!(text(response.into_body()).await.len().to_string(), length);
}

#[tokio::test]
async fn a_head_has_no_body_even_if_it_fails() {
    let rig = tls::rig_with(|_| panic!("not asked"), Limits::default()).await;
    let request = Request::head("https://shop.example/").header("expect", "miracles").body(()).unwrap();
    let (answer, _) = browser(&rig).await.send_request(request, true).unwrap();
    let response = in_time(answer).await.unwrap();
    assert_eq!(response.status(), StatusCode::EXPECTATION_FAILED);
    assert_ne!(response.headers()["content-length"], "0", "as a GET would have it");
    assert!(response.body().is_end_stream());
}

/// A browser's upload that goes on for ever, before an origin that the test plays.
async fn upload() -> (Rig, TcpListener, ResponseFuture, SendStream<Bytes>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site =
        Site::new(url("https://shop.example"), url(&format!("http://{}", listener.local_addr().unwrap())));
    let rig = rig_before(site, Limits::default()).await;
    let request = get("/up").method("POST").body(()).unwrap();
    let (answer, mut body) = browser(&rig).await.send_request(request, false).unwrap();
    body.send_data("hello".into(), false).unwrap();
    (rig, listener, answer, body)
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_ends_it() {
    let (_rig, listener, answer, mut body) = upload().await;
    let (mut stream, _) = in_time(listener.accept()).await.unwrap();
    read_until(&mut stream, &mut Vec::new(), "hello").await;
    stream.write_all(&response("Connection: close\r\n", "enough")).await.unwrap();
    let response = in_time(answer).await.unwrap();
    assert_eq!(text(response.into_body()).await, "enough");
    drop(stream);
    assert_eq!(in_time(poll_fn(|cx| body.poll_reset(cx))).await.unwrap(), Reason::NO_ERROR);
}

#[tokio::test]
async fn a_request_that_is_taken_back_ends_at_the_origin() {
    let (_rig, listener, answer, mut body) = upload().await;
    let (mut stream, _) = in_time(listener.accept()).await.unwrap();
    read_until(&mut stream, &mut Vec::new(), "hello").await;
    body.send_reset(Reason::CANCEL);
    drop(answer);
    let mut rest = Vec::new();
    let _ = in_time(stream.read_to_end(&mut rest)).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a part is not taken for the whole");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let part = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\nnonsense\r\n".to_vec();
    let (rig, told) = origin(String::new(), part, |site| site).await;
    told.notify_one();
    let mut body = in_time(ask(&mut browser(&rig).await, "GET")).await.unwrap().into_body();
    assert_eq!(in_time(body.data()).await.unwrap().unwrap(), "begun");
    let error = in_time(body.data()).await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
}
