//! An origin over HTTP/2 that the test plays, stream by stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tandem::proxy::{Limits, Site};
use tandem::tls::Acceptor;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::hints::{browser, in_time, text};
use super::raw::url;
use super::tls::{self, get, write_pair};

/// A request that came to an origin.
pub(super) type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// An origin over HTTP/2 that the test plays.
pub(super) struct Played {
    asked: mpsc::Receiver<Asked>,
    connections: Arc<AtomicUsize>,
}

impl Played {
    pub(super) async fn next(&mut self) -> Asked {
        in_time(self.asked.recv()).await.expect("no request")
    }
}

/// A proxy over TLS before such an origin, which lets so many requests be made at a time on a connection.
pub(super) async fn played(streams: u32, limits: Limits) -> (tls::Rig, Played) {
    let folder = tempfile::tempdir().unwrap();
    let pair = write_pair(folder.path(), "origin.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = url(&format!("https://{}", listener.local_addr().unwrap()));
    let site = Site {
        ca: Some(pair.cert.clone()),
        origin_name: Some("origin.example".to_owned()),
        ..Site::new(url("https://shop.example"), origin)
    };
    let acceptor = Acceptor::new(&[pair]).unwrap();
    let rig = tls::rig_before(site, limits).await;
    let (asks, asked) = mpsc::channel(64);
    let connections = Arc::new(AtomicUsize::new(0));
    let (tasks, count) = (rig.beside.clone(), connections.clone());
    rig.beside.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let (acceptor, asks) = (acceptor.clone(), asks.clone());
            tasks.spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let handshake = h2::server::Builder::new().max_concurrent_streams(streams).handshake(stream);
                let Ok(mut h2) = handshake.await else { return };
                while let Some(Ok(request)) = h2.accept().await {
                    let _ = asks.send(request).await;
                }
            });
        }
    });
    (rig, Played { asked, connections })
}

/// The next piece of a request's body, which the origin takes.
async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    let piece = in_time(body.data()).await?.unwrap();
    body.flow_control().release_capacity(piece.len()).unwrap();
    Some(piece)
}

fn post(path: &str) -> Request<()> {
    get(path).method("POST").body(()).unwrap()
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let trailers = |sum: &str| HeaderMap::from_iter([("x-sum".parse().unwrap(), sum.parse().unwrap())]);
    let (answer, mut body) = browser(&rig).await.send_request(post("/up"), false).unwrap();
    body.send_data("hello".into(), false).unwrap();
    body.send_trailers(trailers("1")).unwrap();
    let (request, mut reply) = origin.next().await;
    let mut asked = request.into_body();
    assert_eq!(piece(&mut asked).await.unwrap(), "hello");
    assert!(piece(&mut asked).await.is_none());
    assert_eq!(in_time(asked.trailers()).await.unwrap().unwrap()["x-sum"], "1");
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("final".into(), false).unwrap();
    stream.send_trailers(trailers("2")).unwrap();
    let mut answered = in_time(answer).await.unwrap().into_body();
    assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "final");
    assert!(in_time(answered.data()).await.is_none());
    assert_eq!(in_time(answered.trailers()).await.unwrap().unwrap()["x-sum"], "2");
}

#[tokio::test]
async fn an_upload_goes_no_faster_than_the_origin_takes_it() {
    const SIZE: usize = 8 << 20;
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (answer, mut body) = browser.send_request(post("/up"), false).unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    rig.beside.spawn(async move {
        while count.load(Ordering::Relaxed) < SIZE {
            body.reserve_capacity(SIZE);
            let room = poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
            let room = room.min(SIZE - count.load(Ordering::Relaxed));
            count.fetch_add(room, Ordering::Relaxed);
            body.send_data(vec![0; room].into(), false).unwrap();
        }
        body.send_data(Bytes::new(), true).unwrap();
    });
    let (request, mut reply) = origin.next().await;
    let mut asked = request.into_body();
    let (mut came, mut held) = (0, 0);
    // The window of a stream is of the usual size (RFC 9113, section 6.5.2).
    while held < 65_535 {
        held += in_time(asked.data()).await.unwrap().unwrap().len();
    }
    // Others go on meanwhile.
    for _ in 0..50 {
        let (answer, _) = browser.send_request(get("/").body(()).unwrap(), true).unwrap();
        origin.next().await.1.send_response(Response::new(()), true).unwrap();
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);
    }
    let ahead = sent.load(Ordering::Relaxed);
    assert!(ahead <= 1 << 20, "{ahead}");
    came += held;
    asked.flow_control().release_capacity(held).unwrap();
    while let Some(piece) = piece(&mut asked).await {
        came += piece.len();
    }
    reply.send_response(Response::new(()), true).unwrap();
    assert_eq!((came, in_time(answer).await.unwrap().status()), (SIZE, StatusCode::OK));
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_origin_is_told_that_nobody_waits_any_more() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (answer, mut asking) = browser.send_request(post("/before"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    asking.send_reset(Reason::CANCEL);
    drop(answer);
    assert_eq!(in_time(poll_fn(|cx| reply.poll_reset(cx))).await.unwrap(), Reason::CANCEL);

    let (answer, _) = browser.send_request(get("/amidst").body(()).unwrap(), true).unwrap();
    let (_, mut reply) = origin.next().await;
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("begun".into(), false).unwrap();
    let mut answered = in_time(answer).await.unwrap().into_body();
    assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "begun");
    drop(answered);
    assert_eq!(in_time(poll_fn(|cx| stream.poll_reset(cx))).await.unwrap(), Reason::CANCEL);

    // With an upload that goes on beside the answer.
    let (answer, mut asking) = browser.send_request(post("/both"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    let mut stream = reply.send_response(Response::new(()), false).unwrap();
    stream.send_data("begun".into(), false).unwrap();
    let answered = in_time(answer).await.unwrap();
    asking.send_reset(Reason::CANCEL);
    drop(answered);
    assert_eq!(in_time(poll_fn(|cx| stream.poll_reset(cx))).await.unwrap(), Reason::CANCEL);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_before_the_end_of_an_upload() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    for wants_the_rest in [false, true] {
        let (answer, mut asking) = browser.send_request(post("/up"), false).unwrap();
        asking.send_data("hello".into(), false).unwrap();
        let (request, mut reply) = origin.next().await;
        let mut asked = request.into_body();
        assert_eq!(piece(&mut asked).await.unwrap(), "hello");
        let mut stream = reply.send_response(Response::new(()), false).unwrap();
        stream.send_data("enough".into(), true).unwrap();
        assert_eq!(text(in_time(answer).await.unwrap().into_body()).await, "enough");
        if wants_the_rest {
            asking.send_data(" world".into(), true).unwrap();
            assert_eq!(piece(&mut asked).await.unwrap(), " world");
            assert!(piece(&mut asked).await.is_none());
        } else {
            drop((asked, stream, reply));
            assert_eq!(in_time(poll_fn(|cx| asking.poll_reset(cx))).await.unwrap(), Reason::NO_ERROR);
        }
    }
}

#[tokio::test]
async fn an_upload_that_stalls_is_the_browsers_fault() {
    let limits = Limits { client_silence: Duration::from_millis(100), ..Limits::default() };
    let (rig, mut origin) = played(100, limits).await;
    let (answer, mut asking) = browser(&rig).await.send_request(post("/up"), false).unwrap();
    asking.send_data("hello".into(), false).unwrap();
    let (_request, mut reply) = origin.next().await;
    assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(in_time(poll_fn(|cx| reply.poll_reset(cx))).await.unwrap(), Reason::CANCEL);
}

#[tokio::test]
async fn an_origin_that_takes_few_at_a_time_gets_more_connections() {
    const MANY: usize = 12;
    let (rig, mut origin) = played(2, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (mut answers, mut asked) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let (answer, mut asking) = browser.send_request(post(&format!("/{number}")), false).unwrap();
        asking.send_data("hello".into(), true).unwrap();
        answers.push(answer);
        let (request, reply) = origin.next().await;
        assert_eq!(request.uri().path(), format!("/{number}"));
        asked.push(reply);
    }
    for reply in &mut asked {
        reply.send_response(Response::new(()), true).unwrap();
    }
    for answer in answers {
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(origin.connections.load(Ordering::Relaxed), MANY / 2);
}

#[tokio::test]
async fn requests_that_come_before_an_origin_says_how_many_it_takes_wait() {
    let (rig, mut origin) = played(1, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let mut answers = Vec::new();
    for number in 0..20 {
        let (answer, mut asking) = browser.send_request(post(&format!("/{number}")), false).unwrap();
        asking.send_data(format!("{number}").into(), true).unwrap();
        answers.push(answer);
    }
    rig.beside.spawn(async move {
        while let Some((request, mut reply)) = origin.asked.recv().await {
            let path = request.uri().path().to_owned();
            let said = piece(&mut request.into_body()).await.unwrap();
            let mut stream = reply.send_response(Response::new(()), false).unwrap();
            stream.send_data(format!("{path} {said:?}").into(), true).unwrap();
        }
    });
    for (number, answer) in answers.into_iter().enumerate() {
        let answered = in_time(answer).await.unwrap();
        assert_eq!(text(answered.into_body()).await, format!("/{number} b\"{number}\""));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_not_the_connection() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    let (slow, _) = browser.send_request(get("/slow").body(()).unwrap(), true).unwrap();
    let mut last = origin.next().await.1;
    for reason in [Reason::INTERNAL_ERROR, Reason::PROTOCOL_ERROR, Reason::HTTP_1_1_REQUIRED] {
        let (answer, _) = browser.send_request(post("/"), true).unwrap();
        origin.next().await.1.send_reset(reason);
        assert_eq!(in_time(answer).await.unwrap().status(), StatusCode::BAD_GATEWAY);
    }
    last.send_response(Response::new(()), true).unwrap();
    assert_eq!(in_time(slow).await.unwrap().status(), StatusCode::OK);
    assert_eq!(origin.connections.load(Ordering::Relaxed), 1);
    // And nothing of it outlives the stop.
    rig.stop.cancel();
    rig.tasks.close();
    drop((browser, last));
    in_time(rig.tasks.wait()).await;
}

#[tokio::test]
async fn a_response_that_is_cut_off_is_not_taken_for_a_whole_one() {
    let (rig, mut origin) = played(100, Limits::default()).await;
    let mut browser = browser(&rig).await;
    for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::INTERNAL_ERROR] {
        let (answer, _) = browser.send_request(get("/").body(()).unwrap(), true).unwrap();
        let mut stream = origin.next().await.1.send_response(Response::new(()), false).unwrap();
        stream.send_data("begun".into(), false).unwrap();
        let mut answered = in_time(answer).await.unwrap().into_body();
        assert_eq!(in_time(answered.data()).await.unwrap().unwrap(), "begun");
        stream.send_reset(reason);
        let error = in_time(answered.data()).await.expect("taken for whole").unwrap_err();
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR), "{reason:?}");
    }
}
