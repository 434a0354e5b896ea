//! Pages that an origin codes, and pages that the proxy codes for the browser.

use tandem::rewrite::coding::{Coding, Decoder, Encoder, PageCoding};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::raw::{DEADLINE, Reply, Rig, TAG, header, held, read_until, response, rig};

fn encode(coding: PageCoding, text: &str) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(coding).unwrap(), Vec::new());
    encoder.push(text.as_bytes(), &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out
}

fn decode(coding: Coding, body: &[u8]) -> String {
    let mut decoder = Decoder::new(coding);
    let text: Vec<u8> = body.chunks(1024).flat_map(|piece| decoder.push(piece).unwrap()).collect();
    decoder.finish().unwrap();
    String::from_utf8(text).unwrap()
}

/// `<p>hello</p>`, as reference encoders write it.
const BROTLI: &[u8] =
    &[0x8b, 0x05, 0x80, 0x3c, 0x70, 0x3e, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x3c, 0x2f, 0x70, 0x3e, 0x03];

fn coded(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A navigation; answers the head and the body, without the chunks that it came in.
async fn page(rig: &Rig, headers: &str) -> (String, Vec<u8>) {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nSec-Fetch-Dest: document\r\n{headers}\r\n"
    );
    let answer = rig.bytes(request.as_bytes()).await;
    let end = memchr::memmem::find(&answer, b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    if header(&head, "transfer-encoding").is_none() {
        return (head, answer[end..].to_vec());
    }
    let (mut body, mut rest) = (Vec::new(), &answer[end..]);
    loop {
        let line = memchr::memmem::find(rest, b"\r\n").expect("cut off");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return (head, body);
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 4 + length..];
    }
}

#[tokio::test]
async fn a_coded_page_gets_the_tag() {
    let text = "<!doctype html><head><title>x</title>";
    let expected = format!("<!doctype html><head>{TAG}<title>x</title>");
    let twice = [encode(PageCoding::Gzip, &text[..20]), encode(PageCoding::Gzip, &text[20..])].concat();
    for (coding, body, expected) in [
        ("gzip", encode(PageCoding::Gzip, text), expected.clone()),
        ("gzip", twice, expected.clone()),
        ("zstd", encode(PageCoding::Zstd, text), expected.clone()),
        ("br", BROTLI.to_vec(), format!("{TAG}<p>hello</p>")),
        ("gzip", Vec::new(), TAG.to_owned()),
    ] {
        let rig = rig(move |_| Reply::Keep(coded(&format!("Content-Encoding: {coding}\r\n"), &body))).await;
        let (head, body) = page(&rig, "").await;
        let body = String::from_utf8(body).unwrap();
        assert!(
            body.trim_end() == expected.trim_end() || body.replace('\n', "") == expected,
            "{coding}: {body}"
        );
        assert_eq!(header(&head, "content-encoding"), None, "a browser that accepts none");
        assert_eq!(header(&rig.seen()[0], "accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn a_page_is_coded_for_browsers_that_accept_it() {
    let text = format!("<head>{}", "<p>long enough</p>".repeat(200));
    let sent = text.clone();
    let rig = rig(move |_| Reply::Keep(response("Content-Type: text/html\r\nETag: \"a\"\r\n", &sent))).await;
    for (accepts, name, coding) in
        [("gzip, deflate, br, zstd", "zstd", Coding::Zstd), ("gzip, deflate, br", "gzip", Coding::Gzip)]
    {
        let (head, body) = page(&rig, &format!("Accept-Encoding: {accepts}\r\n")).await;
        assert_eq!(header(&head, "content-encoding"), Some(name));
        assert_eq!(header(&head, "content-length"), None);
        assert!(header(&head, "etag").unwrap().starts_with("W/\""));
        assert!(head.to_ascii_lowercase().contains("vary: accept-encoding"), "{head}");
        assert!(body.len() < text.len() / 10);
        assert_eq!(decode(coding, &body).replace(TAG, "").replace('\n', ""), text);
    }
    let (head, body) = page(&rig, "Accept-Encoding: br\r\n").await;
    assert_eq!(header(&head, "content-encoding"), None);
    assert_eq!(String::from_utf8(body).unwrap(), text.replace("<head>", &format!("<head>{TAG}")));
    assert!(head.to_ascii_lowercase().contains("vary: accept-encoding"), "{head}");
}

#[tokio::test]
async fn what_is_no_page_stays_coded_as_it_was() {
    let body = encode(PageCoding::Gzip, "{}");
    let sent = body.clone();
    let rig = rig(move |request| {
        let kind = if request.contains("GET /json") { "application/json" } else { "text/html" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            sent.len()
        );
        Reply::Keep([head.as_bytes(), &sent].concat())
    })
    .await;
    for (path, dest) in [("/json", "document"), ("/fragment", "empty")] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nSec-Fetch-Dest: {dest}\r\n\
             Accept-Encoding: gzip\r\n\r\n"
        );
        let answer = rig.bytes(request.as_bytes()).await;
        assert!(answer.ends_with(&body), "{path}");
        let head = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(header(&head, "content-encoding"), Some("gzip"));
    }
}

#[tokio::test]
async fn a_coded_page_that_breaks_off_is_not_taken_for_whole() {
    let whole = encode(PageCoding::Gzip, &"<p>some text</p>".repeat(100));
    let rig = rig(move |_| Reply::Keep(coded("Content-Encoding: gzip\r\n", &whole[..whole.len() - 9]))).await;
    for accepts in ["", "Accept-Encoding: gzip\r\n"] {
        let answer = rig
            .raw(&format!(
                "GET / HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\n{accepts}\r\n"
            ))
            .await;
        assert!(!answer.ends_with("0\r\n\r\n") && header(&answer, "content-length").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn the_beginning_of_a_coded_page_can_be_read_before_its_end() {
    let (rig, listener) = held().await;
    let mut browser = TcpStream::connect(rig.address).await.unwrap();
    let request =
        "GET / HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip\r\n\r\n";
    browser.write_all(request.as_bytes()).await.unwrap();
    let (mut origin, _) = listener.accept().await.unwrap();
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<head><title>early").await.unwrap();
    let mut got = Vec::new();
    read_until(&mut browser, &mut got, "\r\n\r\n").await;
    let early = async {
        loop {
            let start = memchr::memmem::find(&got, b"\x1f\x8b").unwrap_or(got.len());
            let mut decoder = Decoder::new(Coding::Gzip);
            // The chunk's end, should it be there already, is no deflate.
            let end = got.len() - if got.ends_with(b"\r\n") { 2 } else { 0 };
            let text = decoder.push(got.get(start..end).unwrap_or_default()).unwrap_or_default();
            if String::from_utf8_lossy(&text).contains("<title>early") {
                return;
            }
            assert_ne!(browser.read_buf(&mut got).await.unwrap(), 0, "closed");
        }
    };
    tokio::time::timeout(DEADLINE, early).await.expect("the page waits in the coder");
}

#[tokio::test]
async fn a_page_in_a_legacy_charset_changes_by_the_tag_only() {
    // Each with bytes that are none in UTF-8, in a comment before the head as well; in Shift_JIS and GB 18030 the
    // second byte of a letter may be one of ASCII.
    for (charset, letters) in [
        ("windows-1252", &b"na\xefve \x93caf\xe9\x94"[..]),
        ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2"),
        ("shift_jis", b"\x83\x5c\x83\x7e\x94\x5c\x8e\xa6"),
        ("euc-jp", b"\xc6\xfc\xcb\xdc\x8f\xb0\xa1"),
        ("gbk", b"\x81\x5c\xc4\xe3\xba\xc3\x81\x7e"),
        ("gb18030", b"\x81\x30\x81\x30\xc4\xe3\x84\x31\xa4\x37"),
        ("big5", b"\xa5\x5c\xb3\x5c\xbb\x7c"),
        ("euc-kr", b"\xb0\xa1\xb3\xaa"),
        ("koi8-r", b"\xf0\xd2\xc9"),
    ] {
        let before = [b"<!-- ", letters, b" --><html lang=\"", letters, b"\"><head>"].concat();
        let after = [format!("<meta charset={charset}><title>").as_bytes(), letters, b"</title>"].concat();
        let document = [before.clone(), after.clone()].concat();
        for header in [format!("text/html; charset={charset}"), "text/html".to_owned()] {
            let length = document.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: {header}\r\nContent-Length: {length}\r\n\r\n");
            let answer = [head.as_bytes(), &document].concat();
            let rig = rig(move |_| Reply::Keep(answer.clone())).await;
            let (_, body) = page(&rig, "").await;
            assert_eq!(body, [&before, TAG.as_bytes(), &after].concat(), "{header}");
        }
    }
}
