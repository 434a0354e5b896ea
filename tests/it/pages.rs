//! Which answers are pages, and what is done to them.

use std::time::Duration;

use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw::*;

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
