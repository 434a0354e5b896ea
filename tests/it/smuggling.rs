//! No message reaches the origin whose beginning or end two servers could see in different places, nor one that they
//! could take for somebody else's (RFC 9112, section 11.2; RFC 9113, section 10.3).

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tandem::proxy::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw::*;
use super::tls;

/// What must become of a message.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Nothing of it reaches the origin.
    Refused,
    /// The origin gets one request with this body.
    Read(&'static str),
}
use Fate::{Read, Refused};

/// Every message is followed by one that must not be taken for a part of it, or be seen where it is not.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn every_message_has_one_reading_or_none() {
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    let te = |line: &str| format!("POST /first HTTP/1.1\r\nHost: shop.example\r\n{line}\r\n\r\n{chunks}");
    let cl = |line: &str| format!("POST /first HTTP/1.1\r\nHost: shop.example\r\n{line}\r\n\r\nhello");
    let body = |chunks: &str| {
        format!("POST /first HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
    };
    let line = |line: &str| format!("{line}\r\nHost: shop.example\r\n\r\n");
    let with = |header: &str| format!("GET /first HTTP/1.1\r\nHost: shop.example\r\n{header}\r\n\r\n");
    let table = [
        // Codings.
        (te("Transfer-Encoding: chunked"), Read("hello")),
        (te("Transfer-Encoding: Chunked"), Read("hello")),
        (te("Transfer-Encoding:\tchunked \t"), Read("hello")),
        (te("Transfer-Encoding: chunked\r\nContent-Length: 5"), Refused),
        (te("Content-Length: 5\r\nTransfer-Encoding: chunked"), Refused),
        (te("Content-Length: 5\nTransfer-Encoding: chunked"), Refused),
        (te("content-length: 5\r\nA: b\r\ntransfer-encoding: chunked"), Refused),
        (te("Content-Length: 0\r\nTransfer-Encoding: chunked"), Refused),
        (
            te(&format!("Content-Length: 5\r\nA: {}\r\nTransfer-Encoding: chunked", "b".repeat(20_000))),
            Refused,
        ),
        (te("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), Refused),
        (te("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), Refused),
        (te("Transfer-Encoding: chunked, chunked"), Refused),
        (te("Transfer-Encoding: chunked,"), Refused),
        (te("Transfer-Encoding: ,chunked"), Refused),
        (te("Transfer-Encoding: identity"), Refused),
        (te("Transfer-Encoding: identity, chunked"), Refused),
        (te("Transfer-Encoding: chunked, identity"), Refused),
        (te("Transfer-Encoding: chunked;q=1"), Refused),
        (te("Transfer-Encoding: \"chunked\""), Refused),
        (te("Transfer-Encoding: xchunked"), Refused),
        (te("Transfer-Encoding: chunkedx"), Refused),
        (te("Transfer-Encoding:"), Refused),
        (te("Transfer-Encoding : chunked"), Refused),
        (te("Transfer-Encoding\t: chunked"), Refused),
        (te("Transfer-Encoding: \x0bchunked"), Refused),
        (te("Transfer-Encoding: chunked\0"), Refused),
        (te("Transfer-Encoding:\r\n chunked"), Refused),
        (te(" Transfer-Encoding: chunked"), Refused),
        (te("X: y\rTransfer-Encoding: chunked"), Refused),
        // Lengths.
        (cl("Content-Length: 5"), Read("hello")),
        (cl("Content-Length: 05"), Read("hello")),
        (cl("Content-Length: 5, 5"), Refused),
        (cl("Content-Length: 5\r\nContent-Length: 5"), Refused),
        (cl("Content-Length: 5\r\nContent-Length: 6"), Refused),
        (cl("Content-Length: +5"), Refused),
        (cl("Content-Length: -5"), Refused),
        (cl("Content-Length: 0x5"), Refused),
        (cl("Content-Length: 5x"), Refused),
        (cl("Content-Length: 5 5"), Refused),
        (cl("Content-Length: \"5\""), Refused),
        (cl("Content-Length:"), Refused),
        (cl("Content-Length: 18446744073709551621"), Refused),
        (cl("Content-Length : 5"), Refused),
        (cl("Content-Length\0: 5"), Refused),
        (cl("Content-Length: 5\0"), Refused),
        // Chunks.
        (body("5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n"), Read("hello")),
        (body("0005\r\nhello\r\n0\r\n\r\n"), Read("hello")),
        (body("2\r\nhe\r\n3\r\nllo\r\n000\r\nA: b\r\n\r\n"), Read("hello")),
        (body("+5\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("-5\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("0x5\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("5,\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("5\nhello\r\n0\r\n\r\n"), Refused),
        (body("5\r\nhello\n0\r\n\r\n"), Refused),
        (body("5\r\nhelloX\r\n0\r\n\r\n"), Refused),
        (body("4\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("5;a\nb\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("5;a\rb\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("10000000000000005\r\nhello\r\n0\r\n\r\n"), Refused),
        (body("fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), Refused),
        // Lines.
        (line("GET /first HTTP/1.1"), Read("")),
        (line("\r\nGET /first HTTP/1.1"), Read("")),
        (line("GET  /first HTTP/1.1"), Refused),
        (line("GET /first  HTTP/1.1"), Refused),
        (line("GET /first HTTP/1.1 "), Refused),
        (line("GET /fi rst HTTP/1.1"), Refused),
        (line("GET\t/first HTTP/1.1"), Refused),
        (line("GET /first HTTP/1.2"), Refused),
        (line("GET /first HTTP/2.0"), Refused),
        (line("GET /first http/1.1"), Refused),
        (line("GET /first"), Refused),
        (line("G\0T /first HTTP/1.1"), Refused),
        (line("G(T /first HTTP/1.1"), Refused),
        (line("GET /fi\0rst HTTP/1.1"), Refused),
        (line("GET /fi\x7frst HTTP/1.1"), Refused),
        (line("GET first HTTP/1.1"), Refused),
        (line("GET http:///first HTTP/1.1"), Refused),
        // Headers.
        (with("A: \u{e9}"), Read("")),
        (with("A : b"), Refused),
        (with("A(B): c"), Refused),
        (with("A\u{e9}: c"), Refused),
        (with(": c"), Refused),
        (with("no colon"), Refused),
        (with("A: b\r\n c"), Refused),
        (with("A: b\0c"), Refused),
        (with("A: b\x01c"), Refused),
        (with("A: b\rc"), Refused),
        (with("Host: shop.example"), Refused),
        (with("Host: other.example"), Refused),
        (with("Expect: 100-continue, x"), Refused),
        (with("Connection: Content-Length"), Refused),
        (with("Connection: Transfer-Encoding"), Refused),
        ("GET /first HTTP/1.1\r\nHost: shop.example, other.example\r\n\r\n".into(), Refused),
        ("GET /first HTTP/1.1\r\nHost: shop.example\x01\r\n\r\n".into(), Refused),
        ("GET /first HTTP/1.1\r\nHost: shop.example:80:80\r\n\r\n".into(), Refused),
        (
            "POST /first HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .into(),
            Refused,
        ),
    ];
    let mut wrong = Vec::new();
    for (message, fate) in table {
        // A chunk may say that more will come than ever does.
        let limits = Limits { client_silence: std::time::Duration::from_millis(300), ..Limits::default() };
        let rig = rig_with(|_| Reply::Keep(response("", "ok")), limits).await;
        let answer = rig.raw(&format!("{message}{NEXT}")).await;
        let seen = rig.seen();
        let next = seen.iter().filter(|seen| seen.starts_with("GET /next ")).count();
        let bodies: Vec<String> =
            seen.iter().filter(|seen| !seen.starts_with("GET /next ")).map(|seen| plain(seen)).collect();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let fine = match fate {
            // Wrong chunks are noticed when the head may be on its way already: then the origin gets no end.
            Refused => bodies.is_empty() && matches!(status, "" | "400" | "408" | "417" | "502" | "505"),
            Read(body) => bodies == [body] && next == 1,
        };
        if !fine {
            wrong.push(format!("{message:?} is not {fate:?}: {answer:?}, {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The body of a request as the origin got it, without the chunks' sizes.
fn plain(request: &str) -> String {
    let body = request.split_once("\r\n\r\n").unwrap().1;
    match header(request, "transfer-encoding") {
        Some(_) => body.split("\r\n").skip(1).step_by(2).collect(),
        None => body.to_owned(),
    }
}

// ---- HTTP/2 ----------------------------------------------------------------------------------------------

/// A field as a literal that is not indexed (RFC 7541, section 6.2.2).
fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    [&[0, name.len() as u8][..], name, &[value.len() as u8], value].concat()
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags, 0, 0, 0, 1]);
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn http2_smuggles_nothing_into_http1() {
    type Fields = Vec<(&'static [u8], &'static [u8])>;
    let usual = || -> Fields {
        vec![
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":authority", b"shop.example"),
            (b":path", b"/first"),
        ]
    };
    let and = |more: &[(&'static [u8], &'static [u8])]| [usual(), more.to_vec()].concat();
    let but = |at: usize, value: &'static [u8]| {
        let mut fields = usual();
        fields[at].1 = value;
        fields
    };
    let table: Vec<(&str, Fields, bool)> = vec![
        ("the usual", usual(), true),
        (
            "a question about the server",
            [vec![(&b":method"[..], &b"OPTIONS"[..])], but(3, b"*")[1..].to_vec()].concat(),
            true,
        ),
        ("a question about nothing", but(3, b"*"), false),
        ("a length", and(&[(b"content-length", b"5")]), true),
        ("a wrong length", and(&[(b"content-length", b"4")]), false),
        ("another wrong length", and(&[(b"content-length", b"0")]), false),
        ("two lengths", and(&[(b"content-length", b"5"), (b"content-length", b"5")]), false),
        ("a length that is none", and(&[(b"content-length", b"+5")]), false),
        ("a coding", and(&[(b"transfer-encoding", b"chunked")]), false),
        ("a connection", and(&[(b"connection", b"close")]), false),
        ("keep-alive", and(&[(b"keep-alive", b"1")]), false),
        ("an upgrade", and(&[(b"upgrade", b"websocket")]), false),
        ("other trailers", and(&[(b"te", b"gzip")]), false),
        ("a capital", and(&[(b"Foo", b"bar")]), false),
        ("a line in a name", and(&[(b"foo: bar\r\ntransfer-encoding", b"chunked")]), false),
        ("a line in a value", and(&[(b"foo", b"bar\r\ntransfer-encoding: chunked")]), false),
        ("half a line in a value", and(&[(b"foo", b"bar\nx: y")]), false),
        ("nothing in a value", and(&[(b"foo", b"bar\0")]), false),
        ("a space in a name", and(&[(b"foo bar", b"x")]), false),
        ("a colon in a name", and(&[(b"foo:", b"x")]), false),
        ("no name", and(&[(b"", b"x")]), false),
        ("another host", and(&[(b"host", b"other.example")]), false),
        ("a pseudo header again", and(&[(b":path", b"/other")]), false),
        ("a pseudo header of responses", and(&[(b":status", b"200")]), false),
        ("an unknown pseudo header", and(&[(b":x", b"y")]), false),
        ("a pseudo header after others", [vec![(&b"a"[..], &b"b"[..])], usual()].concat(), false),
        ("a line in the path", but(3, b"/first HTTP/1.1\r\nx: y"), false),
        ("a space in the path", but(3, b"/first HTTP/1.1"), false),
        ("no path", but(3, b""), false),
        ("a path without a slash", but(3, b"first"), false),
        ("a line in the method", but(0, b"POST / HTTP/1.1\r\nx: y"), false),
        ("a space in the method", but(0, b"POST /other"), false),
        ("a line in the scheme", but(1, b"https://x\r\n"), false),
        ("another scheme", but(1, b"ftp"), false),
        ("a line in the authority", but(2, b"shop.example\r\nx: y"), false),
        ("a path in the authority", but(2, b"shop.example/x"), false),
        ("somebody in the authority", but(2, b"me@shop.example"), false),
        ("no method", usual()[1..].to_vec(), false),
    ];
    for (name, fields, passes) in table {
        let rig = tls::rig_with(|_| Reply::Keep(response("", "ok")), Limits::default()).await;
        let mut stream = rig.dial("h2").await;
        let block: Vec<u8> = fields.iter().flat_map(|(name, value)| field(name, value)).collect();
        let settings = [&[0, 0, 0, 4, 0, 0, 0, 0, 0][..]].concat();
        let bytes = [
            &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
            &settings,
            &frame(1, 4, &block),
            &frame(0, 1, b"hello"),
        ]
        .concat();
        stream.write_all(&bytes).await.unwrap();
        // Until there is an answer, or the stream or the connection ends.
        let mut got = Vec::new();
        let over = |got: &[u8]| {
            let mut rest = got;
            while rest.len() >= 9 {
                let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
                let (kind, stream) = (rest[3], rest[8]);
                if rest.len() < 9 + length {
                    return false;
                }
                // HEADERS, RST_STREAM, GOAWAY.
                if matches!((kind, stream), (1 | 3, 1) | (7, _)) {
                    return true;
                }
                rest = &rest[9 + length..];
            }
            false
        };
        let answer =
            async { while !over(&got) && stream.read_buf(&mut got).await.is_ok_and(|read| read > 0) {} };
        tokio::time::timeout(DEADLINE, answer).await.unwrap_or_else(|_| panic!("{name}: nothing happens"));
        let seen = rig.seen();
        assert_eq!(!seen.is_empty(), passes, "{name}: {seen:?}");
        let lines = ["POST /first HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n"];
        assert!(seen.iter().all(|seen| lines.iter().any(|line| seen.starts_with(line))), "{name}: {seen:?}");
    }
}

// ---- anything --------------------------------------------------------------------------------------------

/// What requests, and what is none, are made of.
const PIECES: [&str; 28] = [
    "GET / HTTP/1.1\r\n",
    "POST /p HTTP/1.1\r\n",
    "HEAD /h HTTP/1.0\r\n",
    "GET http://shop.example/a HTTP/1.1\r\n",
    "Host: shop.example\r\n",
    "Host: shop.example\r\n\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n\r\n",
    "Content-Length: 5\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive, upgrade\r\n",
    "Upgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    "A: b\r\n",
    "\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    "hello",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "5;x\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u{feff}",
];

/// As `rewrite::fuzz::cases`.
#[expect(clippy::print_stdout, reason = "shown when the test fails")]
fn cases(short: u32) -> ProptestConfig {
    let set = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = set("TANDEM_SEED").unwrap_or_else(rand::random);
    println!("TANDEM_SEED={seed} is this test's seed");
    let cases = short.saturating_mul(set("TANDEM_FUZZ").unwrap_or(1) as u32);
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Whatever comes, in whatever pieces: the proxy answers or closes, and what reaches the origin are whole requests
    /// for the site, each with one framing, as many as answers of the origin went back.
    #[test]
    fn any_bytes_are_requests_or_nothing(
        pieces in prop::collection::vec(0..PIECES.len(), 1..14),
        cut in 1usize..200,
    ) {
        let text: String = pieces.iter().map(|at| PIECES[*at]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = rig(|_| Reply::Keep(response("X-Origin: 1\r\n", "ok"))).await;
            let mut stream = tokio::net::TcpStream::connect(rig.address).await.unwrap();
            let bytes = text.as_bytes();
            let (one, two) = bytes.split_at(cut.min(bytes.len()));
            for piece in [one, two] {
                // It may have been closed for good reason.
                let _ = stream.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            let _ = stream.shutdown().await;
            let mut got = Vec::new();
            let read = stream.read_to_end(&mut got);
            let _ = tokio::time::timeout(DEADLINE, read).await.expect("neither answers nor closes");
            let answers = String::from_utf8_lossy(&got).matches("x-origin: 1").count();
            let seen = rig.seen();
            assert!(answers <= seen.len(), "{text:?}: {seen:?}");
            for request in seen {
                let lines: Vec<&str> = request.split("\r\n\r\n").next().unwrap().lines().collect();
                assert!(lines[0].ends_with(" HTTP/1.1"), "{text:?}: {request:?}");
                let count = |name: &str| {
                    lines.iter().filter(|line| line.to_ascii_lowercase().starts_with(name)).count()
                };
                assert_eq!(count("host: "), 1, "{text:?}: {request:?}");
                assert!(count("content-length: ") + count("transfer-encoding: ") <= 1, "{text:?}: {request:?}");
            }
        });
    }
}
