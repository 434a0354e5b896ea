//! A folder of files of all kinds, fetched through the proxy and without it: what is no page is the same byte for byte,
//! headers and all; a page differs by our tag, and under another name by the hosts that are mapped.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use tandem::proxy::{Bodies, Host, Site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::raw::*;

/// Under another name, the site's own and the public one.
const OWN: &str = "https://www.o.example";
const PUBLIC: &str = "http://shop.example";

struct File {
    path: String,
    /// Lines of its head.
    headers: String,
    body: Vec<u8>,
}

/// Bytes of every value, with beginnings of markup and of URLs among them.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push((state >> 33) as u8);
        if state >> 56 == 0 {
            bytes.extend_from_slice(b"<html><head>https://www.o.example/<meta http-equiv=refresh integrity=");
        }
    }
    bytes
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(text).unwrap();
    coder.finish().unwrap()
}

fn files() -> Vec<File> {
    let mut files = Vec::new();
    let mut add = |path: &str, kind: &str, more: &str, body: Vec<u8>| {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        files.push(File { path: path.to_owned(), headers: format!("{kind}{more}"), body });
    };
    let binary = [
        ("picture.png", "image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("picture.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"),
        ("picture.gif", "image/gif", b"GIF89a"),
        ("picture.webp", "image/webp", b"RIFF\0\0\0\0WEBP"),
        ("picture.avif", "image/avif", b"\0\0\0 ftypavif"),
        ("favicon.ico", "image/x-icon", b"\0\0\x01\0"),
        ("font.woff2", "font/woff2", b"wOF2"),
        ("font.ttf", "font/ttf", b"\0\x01\0\0"),
        ("program.wasm", "application/wasm", b"\0asm\x01\0\0\0"),
        ("paper.pdf", "application/pdf", b"%PDF-1.7\n"),
        ("archive.zip", "application/zip", b"PK\x03\x04"),
        ("sound.mp3", "audio/mpeg", b"ID3"),
        ("film.mp4", "video/mp4", b"\0\0\0 ftypisom"),
        ("anything.bin", "application/octet-stream", b""),
        ("unknown", "", b"\0"),
    ];
    for (seed, (name, kind, start)) in binary.into_iter().enumerate() {
        let body = [start, &noise(70_000, seed as u64)].concat();
        add(
            &format!("/{name}"),
            kind,
            "ETag: \"b1\"\r\nAccept-Ranges: bytes\r\nCache-Control: max-age=60\r\n",
            body,
        );
    }
    // What has no type and may be anything, or says that it is not to be guessed.
    add("/untyped.txt", "", "", b"just text with <html> in it".to_vec());
    add(
        "/untyped.xml",
        "",
        "",
        b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>".to_vec(),
    );
    add("/untyped-nosniff", "", "X-Content-Type-Options: nosniff\r\n", b"<!doctype html><p>x".to_vec());
    add("/untyped-empty", "", "", Vec::new());
    let texts = [
        (
            "page.js",
            "text/javascript; charset=utf-8",
            "document.write('<head>');//# sourceMappingURL=page.js.map\n",
        ),
        ("module.mjs", "application/javascript", "export default `<html>`\n"),
        ("page.js.map", "application/json", "{\"version\":3,\"sources\":[\"https://www.o.example/a.ts\"]}"),
        ("data.json", "application/json", "{\"html\":\"<!doctype html><html><head></head>\"}"),
        ("data.jsonld", "application/ld+json", "{\"@context\":\"https://schema.org\"}"),
        ("lines.ndjson", "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
        ("mail.json", "application/json", "{\"body\":\"<html><head></head><body>mail</body></html>\"}"),
        ("data.xml", "application/xml", "<?xml version=\"1.0\"?><html><head/></html>"),
        ("old.xml", "text/xml", "<?xml version=\"1.0\"?><a/>"),
        (
            "feed.rss",
            "application/rss+xml",
            "<rss><channel><description>&lt;head&gt;</description></channel></rss>",
        ),
        ("feed.atom", "application/atom+xml", "<feed xmlns=\"http://www.w3.org/2005/Atom\"/>"),
        (
            "sitemap.xml",
            "application/xml",
            "<urlset><url><loc>https://elsewhere.example/</loc></url></urlset>",
        ),
        ("robots.txt", "text/plain", "User-agent: *\nSitemap: /sitemap.xml\n"),
        ("site.webmanifest", "application/manifest+json", "{\"name\":\"<head>\"}"),
        ("list.csv", "text/csv; charset=utf-8", "a;b\n<html>;<head>\n"),
        ("notes.md", "text/markdown", "# <html>\n"),
        ("subtitles.vtt", "text/vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\n<b>x</b>\n"),
        ("fragment.txt", "text/html-fragment", "<html><head>"),
    ];
    for (name, kind, text) in texts {
        add(
            &format!("/{name}"),
            kind,
            "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n",
            text.as_bytes().to_vec(),
        );
    }
    for (label, encoding) in [
        ("windows-1252", encoding_rs::WINDOWS_1252),
        ("shift_jis", encoding_rs::SHIFT_JIS),
        ("gbk", encoding_rs::GBK),
        ("euc-kr", encoding_rs::EUC_KR),
        ("big5", encoding_rs::BIG5),
        ("koi8-r", encoding_rs::KOI8_R),
    ] {
        let text =
            encoding.encode("caf\u{e9} \u{8868}\u{793a} \u{4e2d}\u{6587} \u{d55c}\u{ad6d} \u{444} <html>").0;
        add(
            &format!("/text.{label}"),
            &format!("text/plain; charset={label}"),
            "",
            text.clone().into_owned(),
        );
        let page = encoding
            .encode("<!doctype html><title>caf\u{e9} \u{8868}\u{793a} \u{4e2d} \u{d55c} \u{444}</title>")
            .0;
        add(
            &format!("/page.{label}.html"),
            &format!("text/html; charset={label}"),
            "ETag: \"p\"\r\n",
            page.into_owned(),
        );
    }
    // Coded as somebody stored it, right or wrong.
    let text = "body{color:red}/* <head> */".repeat(200).into_bytes();
    add("/style.gz.css", "text/css", "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n", gzip(&text));
    add(
        "/two-members.txt",
        "text/plain",
        "Content-Encoding: gzip\r\n",
        [gzip(b"one"), gzip(b"two")].concat(),
    );
    add("/cut-off.txt", "text/plain", "Content-Encoding: gzip\r\n", gzip(&text)[..40].to_vec());
    add("/data.br", "application/json", "Content-Encoding: br\r\n", noise(500, 40));
    add(
        "/data.zst",
        "application/json",
        "Content-Encoding: zstd\r\n",
        zstd::encode_all(&text[..], 1).unwrap(),
    );
    add("/data.odd", "text/plain", "Content-Encoding: compress, x-own\r\n", noise(500, 41));
    add("/page.odd.html", "text/html", "Content-Encoding: compress\r\n", noise(500, 42));
    // Pages that are none.
    add(
        "/download.html",
        "text/html",
        "Content-Disposition: attachment; filename=\"a.html\"\r\n",
        b"<html><head>".to_vec(),
    );
    add(
        "/page.xhtml",
        "application/xhtml+xml",
        "",
        b"<html xmlns=\"http://www.w3.org/1999/xhtml\"><head/></html>".to_vec(),
    );
    add("/twice.html", "text/html\r\nContent-Type: text/plain", "", b"<html><head>".to_vec());
    // Pages.
    let link = "<!DOCTYPE html><html lang=en><head><title>x</title></head><body><a href=\"https://www.o.example/a\">https://www.o.example</a>";
    add(
        "/page.html",
        "text/html; charset=utf-8",
        "ETag: \"p1\"\r\nX-Own: kept\r\nSet-Cookie: a=b\r\n",
        link.repeat(3).into_bytes(),
    );
    add(
        "/old.htm",
        "TEXT/HTML",
        "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n",
        b"\n<!-- c --><b>old</b>".to_vec(),
    );
    add(
        "/untyped.html",
        "",
        "ETag: \"u\"\r\n",
        b"\n <!doctype HTML><a href='https://www.o.example/x'>x</a>".to_vec(),
    );
    add("/strange", "*/*", "", b"<h1>strange</h1>".to_vec());
    // What is mapped under another name.
    add(
        "/style.css",
        "text/css",
        "ETag: W/\"c\"\r\n",
        b"@import \"https://www.o.example/a.css\";a{b:url(//www.o.example/x)}".to_vec(),
    );
    add(
        "/picture.svg",
        "image/svg+xml",
        "",
        b"<svg xmlns:xlink='x'><use xlink:href='https://www.o.example/s.svg#a'/></svg>".to_vec(),
    );
    files
}

/// Serves the files: whole, in parts, or by head only.
fn serve(files: &BTreeMap<String, File>, request: &str) -> Vec<u8> {
    let (method, path) = request.split_once(' ').unwrap();
    let Some(file) = files.get(path.split(' ').next().unwrap()) else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    };
    let etag = header(&file.headers, "ETag");
    if let Some(known) = header(request, "if-none-match").filter(|known| Some(*known) == etag) {
        return format!("HTTP/1.1 304 Not Modified\r\nETag: {known}\r\n\r\n").into_bytes();
    }
    let (mut status, mut more, mut body) = ("200 OK", String::new(), &file.body[..]);
    if let Some(range) = header(request, "range").filter(|_| file.headers.contains("Accept-Ranges")) {
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        status = "206 Partial Content";
        more = format!("Content-Range: bytes {from}-{to}/{}\r\n", body.len());
        body = &body[from..=to];
    }
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{}{more}\r\n", body.len(), file.headers);
    let sent = if method == "HEAD" { &[][..] } else { body };
    [head.as_bytes(), sent].concat()
}

/// Status line, headers in order, body.
#[derive(Debug, PartialEq)]
struct Answer {
    status: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

async fn ask(address: SocketAddr, host: &str, method: &str, path: &str, lines: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\nConnection: close\r\n{lines}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("an answer").unwrap();
    let whole = joined(bytes);
    let end =
        memchr::memmem::find(&whole, b"\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: no answer"));
    let head = String::from_utf8_lossy(&whole[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().to_owned();
    let mut headers: Vec<String> = lines
        .map(|line| line.split_once(": ").unwrap_or((line, "")))
        .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
        .filter(|line| {
            !["connection:", "transfer-encoding:", "date:", "via:"].iter().any(|own| line.starts_with(own))
        })
        .collect();
    headers.sort();
    Answer { status, headers, body: whole[end + 4..].to_vec() }
}

impl Answer {
    /// Without what a changed body may not have, or says of itself; decoded, as it has to be read.
    fn of_changed(mut self) -> Answer {
        if self.headers.iter().any(|line| line == "content-encoding: gzip") {
            let mut plain = Vec::new();
            // A HEAD has none.
            let _ = flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut plain);
            self.body = plain;
            self.headers.retain(|line| line != "content-encoding: gzip");
        }
        let own = ["content-length:", "etag:", "last-modified:", "vary:", "accept-ranges:"];
        self.headers.retain(|line| !own.iter().any(|own| line.starts_with(own)));
        self
    }
}

fn replace(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

const PAGES: [&str; 10] = [
    "/page.html",
    "/old.htm",
    "/untyped.html",
    "/strange",
    "/page.windows-1252.html",
    "/page.shift_jis.html",
    "/page.gbk.html",
    "/page.euc-kr.html",
    "/page.big5.html",
    "/page.koi8-r.html",
];
const MAPPED: [&str; 4] = ["/style.css", "/picture.svg", "/page.xhtml", "/style.gz.css"];

async fn compare(site: impl Fn(Site) -> Site, host_of_origin: &str, is_mapped: bool) {
    let files: Arc<BTreeMap<String, File>> =
        Arc::new(files().into_iter().map(|file| (file.path.clone(), file)).collect());
    let served = Arc::clone(&files);
    // The proxy keeps its connections, and the test does not.
    let handler = move |request: &str| match header(request, "connection") {
        Some("close") => Reply::Close(serve(&served, request)),
        _ => Reply::Keep(serve(&served, request)),
    };
    let (rig, origin) = rig_of(handler, site).await;
    let mut wrong = Vec::new();
    let page = "Sec-Fetch-Dest: document\r\nAccept: text/html\r\n";
    for path in files.keys() {
        for (what, method, lines) in [
            ("page", "GET", page),
            ("script", "GET", "Sec-Fetch-Dest: empty\r\nAccept: */*\r\n"),
            ("picture", "GET", "Sec-Fetch-Dest: image\r\nAccept: image/*\r\n"),
            ("part", "GET", "Sec-Fetch-Dest: video\r\nRange: bytes=3-9\r\n"),
            ("known", "GET", "Sec-Fetch-Dest: image\r\nIf-None-Match: \"b1\"\r\n"),
            ("head", "HEAD", "Sec-Fetch-Dest: empty\r\n"),
        ] {
            let direct = ask(origin, host_of_origin, method, path, lines).await;
            let passed = ask(rig.address, "shop.example", method, path, lines).await;
            let is_page = what == "page" && PAGES.contains(&path.as_str());
            let language = PAGES.contains(&path.as_str()) || MAPPED.contains(&path.as_str());
            let changed = is_page || is_mapped && language && !matches!(what, "picture" | "part");
            let (direct, mut passed) = match changed {
                true => (direct.of_changed(), passed.of_changed()),
                false => (direct, passed),
            };
            if is_page {
                let bare = replace(&passed.body, TAG, "");
                if bare.len() + TAG.len() != passed.body.len() {
                    wrong.push(format!("{path}: not one tag"));
                }
                passed.body = bare;
            }
            if changed && is_mapped {
                passed.body =
                    replace(&replace(&passed.body, PUBLIC, OWN), "//shop.example", "//www.o.example");
            }
            // A page depends on who asks, and says so.
            let ours = ["vary: Sec-Fetch-Dest", "vary: Upgrade-Insecure-Requests"];
            passed.headers.retain(|line| !ours.contains(&line.as_str()));
            if passed != direct {
                let short = |answer: &Answer| {
                    let start = &answer.body[..answer.body.len().min(200)];
                    format!(
                        "{} {:?} {} {:?}",
                        answer.status,
                        answer.headers,
                        answer.body.len(),
                        String::from_utf8_lossy(start)
                    )
                };
                wrong.push(format!("{path} as {what}:\n   {}\n   {}", short(&direct), short(&passed)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn files_pass_as_they_are_on_the_same_host() {
    compare(|site| site, "shop.example", false).await;
}

#[tokio::test]
async fn files_under_another_name_differ_by_their_hosts_only() {
    let mapped = |site: Site| {
        let host = Host::Own { name: Some(url(OWN)), bodies: Bodies::default() };
        Site { host, ..site }
    };
    compare(mapped, "www.o.example", true).await;
}
