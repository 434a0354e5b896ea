//! The server as a process: how much memory it takes, how it stops, and what a signal does.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::raw::{DEADLINE, read_until};

/// A server that runs as a process of its own.
struct Process {
    child: Child,
    site: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(origin: SocketAddr, more: &str) -> String {
    format!(
        "[proxy]\nlisten = \"127.0.0.1:0\"\n[console]\nlisten = \"127.0.0.1:0\"\n\
         [[site]]\npublic = \"http://shop.example\"\norigin = \"http://{origin}\"\n{more}"
    )
}

impl Process {
    /// Starts it before an origin.
    fn before(origin: SocketAddr, more: &str) -> Process {
        Process::with(&settings(origin, more), |_| ())
    }

    fn with(settings: &str, change: impl FnOnce(&mut Command)) -> Process {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("policies/all.toml"), "").unwrap();
        std::fs::write(folder.path().join("tandem.toml"), settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command
            .args(["serve", "--config", "tandem.toml"])
            .current_dir(folder.path())
            .envs([("RUST_LOG", "info"), ("NO_COLOR", "1")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let site = loop {
            let line = log.next().unwrap_or_else(|| panic!("it does not start: {said:?}")).unwrap();
            if let Some((_, rest)) = line.split_once("serving site=") {
                break rest.split(' ').next().unwrap().parse().unwrap();
            }
            said.push(line);
        };
        // It must be able to go on writing.
        std::thread::spawn(move || log.for_each(drop));
        Process { child, site, folder }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended, and answers whether that went well.
    async fn ended(mut self) -> bool {
        let end = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.success();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, end).await.expect("it does not end")
    }

    /// The most memory it ever had, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

async fn get(site: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(site).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// An origin that sends, and takes, bodies of any size.
async fn large(tasks: &TaskTracker) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = tasks.clone();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut head = Vec::new();
                read_until(&mut stream, &mut head, "\r\n\r\n").await;
                let text = String::from_utf8_lossy(&head).into_owned();
                let mut piece = vec![b'x'; 1 << 16];
                if let Some(size) = text.strip_prefix("GET /").and_then(|rest| rest.split(' ').next()) {
                    let mut left: usize = size.parse().unwrap();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n");
                    stream.write_all(head.as_bytes()).await.unwrap();
                    while left > 0 {
                        let written = stream.write(&piece[..left.min(1 << 16)]).await.unwrap();
                        left -= written;
                    }
                } else {
                    let (_, length) = text.split_once("content-length: ").unwrap();
                    let length: usize = length.lines().next().unwrap().parse().unwrap();
                    let mut left = length - (head.len() - text.find("\r\n\r\n").unwrap() - 4);
                    while left > 0 {
                        left -= stream.read(&mut piece).await.unwrap();
                    }
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthank").await.unwrap();
                }
            });
        }
    });
    address
}

/// How large a body is sent through each way, in MiB: 2048 shows that two GiB pass with flat memory as well.
const SIZE: &str = "TANDEM_BODY_MIB";

#[tokio::test]
async fn large_bodies_pass_with_flat_memory() {
    let mib = std::env::var(SIZE).map_or(256, |size| size.parse::<usize>().unwrap());
    let tasks = TaskTracker::new();
    let process = Process::before(large(&tasks).await, "[access_log]\nformat = \"off\"\n");
    let size = mib << 20;
    // Warms everything up that is there once.
    get(process.site, &format!("/{}", 1 << 20)).await.unwrap();
    let before = process.peak();

    let started = std::time::Instant::now();
    let mut browser = TcpStream::connect(process.site).await.unwrap();
    let request = format!("GET /{size} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    let (mut piece, mut got) = (vec![0; 1 << 16], 0);
    loop {
        match browser.read(&mut piece).await.unwrap() {
            0 => break,
            read => got += read,
        }
    }
    assert!(got > size && got < size + 1000, "{got}");
    let down = started.elapsed();

    let started = std::time::Instant::now();
    let mut browser = TcpStream::connect(process.site).await.unwrap();
    let request = format!("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {size}\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    for _ in 0..size >> 16 {
        browser.write_all(&piece).await.unwrap();
    }
    read_until(&mut browser, &mut Vec::new(), "thank").await;
    let up = started.elapsed();

    let grown = process.peak().saturating_sub(before) >> 20;
    println!("{mib} MiB down in {down:.1?}, up in {up:.1?}; memory at most {grown} MiB more than before");
    assert!(grown < 16, "{grown} MiB more than before");
}
