//! Pages that come slowly: how much later their beginning is, and what many of them at a time take.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::median;
use crate::rig::{Proxy, Rig};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
const BEGINNING: &str = "<!doctype html><html><head><title>slow</title></head><body>beginning";

/// Pages whose beginning has come, and that take their time.
const PAGES: usize = 1000;

/// From the origin's writing of a page's beginning to its being at the browser.
pub(crate) async fn first_byte(rig: &Rig, rounds: usize) {
    println!("\nfirst byte of a slow page: median ms after the origin wrote it");
    for (name, port) in
        [("direct", rig.slow_port), ("nginx", rig.nginx.streamed), ("Tandem", rig.tandem.streamed)]
    {
        let mut taken = Vec::new();
        for _ in 0..rounds {
            let mut browser = ask(port).await;
            let (mut origin, _) = rig.slow.accept().await.unwrap();
            read_until(&mut origin, "\r\n\r\n").await;
            let written = Instant::now();
            origin.write_all(format!("{HEAD}{}", chunk(BEGINNING)).as_bytes()).await.unwrap();
            read_until(&mut browser, "beginning").await;
            taken.push(written.elapsed().as_secs_f64() * 1e3);
        }
        println!("  {name:<24}{:>10.3}", median(taken));
    }
}

/// What a thousand pages at a time take, when little and when much has passed of each.
pub(crate) async fn in_flight(rig: &Rig) {
    println!("\n{PAGES} pages in flight: MiB");
    for proxy in [&rig.nginx, &rig.tandem] {
        let mut pairs = Vec::new();
        let before = proxy.memory(proxy.streamed);
        for _ in 0..PAGES {
            let mut browser = ask(proxy.streamed).await;
            let (mut origin, _) = rig.slow.accept().await.unwrap();
            read_until(&mut origin, "\r\n\r\n").await;
            origin.write_all(format!("{HEAD}{}", chunk(BEGINNING)).as_bytes()).await.unwrap();
            read_until(&mut browser, "beginning").await;
            pairs.push((browser, origin));
        }
        let little = proxy.memory(proxy.streamed);
        let more = chunk(&"x".repeat(16 * 1024));
        let mut sink = vec![0; 64 * 1024];
        for _ in 0..16 {
            for (browser, origin) in &mut pairs {
                origin.write_all(more.as_bytes()).await.unwrap();
                let mut left = 16 * 1024;
                while left > 0 {
                    left -= browser.read(&mut sink).await.unwrap().min(left);
                }
            }
        }
        let much = proxy.memory(proxy.streamed);
        println!("  {:<10} none {before:>7.1}   begun {little:>7.1}   256 KiB later {much:>7.1}", proxy.name);
    }
}

async fn ask(port: u16) -> TcpStream {
    let mut browser = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    browser.set_nodelay(true).unwrap();
    let request =
        "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Dest: document\r\nAccept: text/html\r\n\r\n";
    browser.write_all(request.as_bytes()).await.unwrap();
    browser
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut read = Vec::new();
    let patience = tokio::time::timeout(Duration::from_secs(10), async {
        while !read.windows(end.len()).any(|part| part == end.as_bytes()) {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0, "closed");
        }
    });
    patience.await.unwrap();
}

/// Fetches a file over a connection that stays open.
pub(crate) async fn fetch(proxy: &Proxy, path: &str) -> TcpStream {
    let mut browser = TcpStream::connect(("127.0.0.1", proxy.plain)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut browser, "a{b:c}\n").await;
    browser
}
