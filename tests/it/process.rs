//! The server as a process: how much memory it takes, how it stops, and what a signal does.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::harness::Customer;
use super::raw::{DEADLINE, Reply, read_until, response, serve_origin};

/// A server that runs as a process of its own.
struct Process {
    child: Child,
    site: SocketAddr,
    console: SocketAddr,
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
        Process::with(&settings(origin, more), |command| {
            command.stdout(Stdio::null());
        })
    }

    fn with(settings: &str, change: impl FnOnce(&mut Command)) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(["serve", "--config", "tandem.toml"]);
        change(&mut command);
        Process::run(settings, command)
    }

    fn run(settings: &str, mut command: Command) -> Process {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("policies/all.toml"), "").unwrap();
        std::fs::write(folder.path().join("tandem.toml"), settings).unwrap();
        command.current_dir(folder.path()).stderr(Stdio::piped());
        command.envs([("RUST_LOG", "info"), ("NO_COLOR", "1")]);
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let (site, console) = loop {
            let line = log.next().unwrap_or_else(|| panic!("it does not start: {said:?}")).unwrap();
            if let Some((_, rest)) = line.split_once("serving site=") {
                let (site, console) = rest.split_once(" console=").unwrap();
                break (site.parse().unwrap(), console.trim().parse().unwrap());
            }
            said.push(line);
        };
        // It must be able to go on writing.
        std::thread::spawn(move || log.for_each(drop));
        Process { child, site, console, folder }
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

// ---- stop, reload, restart -------------------------------------------------------------------------------

/// An origin that takes its time, a little, and names itself.
async fn slow(tasks: &TaskTracker, name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = move |_: &str| Reply::Keep(response("", name));
    tasks.spawn(serve_origin(listener, Arc::new(handler), Arc::default(), Arc::default(), tasks.clone()));
    address
}

/// What became of requests.
#[derive(Default)]
struct Score {
    answered: AtomicUsize,
    /// Sent, and never answered.
    lost: AtomicUsize,
    /// Connections that were not let in.
    refused: AtomicUsize,
    last: Mutex<String>,
    over: AtomicBool,
}

impl Score {
    async fn reaches(&self, answered: usize) {
        let reached = async {
            while self.answered.load(Relaxed) < answered {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, reached).await.expect("nobody is answered");
    }

    async fn hears(&self, body: &str) {
        let heard = async {
            while *self.last.lock().unwrap() != body {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(DEADLINE, heard).await.unwrap_or_else(|_| panic!("nobody answers {body:?}"));
    }

    /// One browser: asks again and again, on one connection for as long as it may. Comes back as long as it is let in.
    async fn asks(&self, site: SocketAddr) {
        while !self.over.load(Relaxed) {
            let Ok(mut stream) = TcpStream::connect(site).await else {
                self.refused.fetch_add(1, Relaxed);
                return;
            };
            let mut again = true;
            while again && !self.over.load(Relaxed) {
                again = self.one(&mut stream).await;
            }
        }
    }

    /// Whether the connection may be used again.
    async fn one(&self, stream: &mut TcpStream) -> bool {
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
        let mut got = Vec::new();
        let body = loop {
            let text = String::from_utf8_lossy(&got);
            if let Some((_, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.len() == 3) {
                break body.to_owned();
            }
            if asked.is_err() || !stream.read_buf(&mut got).await.is_ok_and(|read| read > 0) {
                self.lost.fetch_add(1, Relaxed);
                return false;
            }
        };
        self.answered.fetch_add(1, Relaxed);
        *self.last.lock().unwrap() = body;
        !String::from_utf8_lossy(&got).contains("connection: close")
    }
}

async fn crowd(score: &Arc<Score>, site: SocketAddr) -> tokio::task::JoinSet<()> {
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let score = score.clone();
        crowd.spawn(async move { score.asks(site).await });
    }
    score.reaches(200).await;
    crowd
}

async fn all(mut crowd: tokio::task::JoinSet<()>) {
    let end = async { while crowd.join_next().await.is_some() {} };
    tokio::time::timeout(DEADLINE, end).await.expect("a browser waits for ever");
}

#[tokio::test]
async fn a_stop_under_load_loses_no_request() {
    let tasks = TaskTracker::new();
    let process = Process::before(slow(&tasks, "one").await, "");
    let score = Arc::new(Score::default());
    let crowd = crowd(&score, process.site).await;
    process.signal("-TERM");
    all(crowd).await;
    assert!(process.ended().await);
    assert_eq!(score.lost.load(Relaxed), 0);
}

#[tokio::test]
async fn before_it_ends_everybody_in_a_session_is_told_that_it_comes_back() {
    let tasks = TaskTracker::new();
    let origin = slow(&tasks, "one").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let site = free.local_addr().unwrap();
    let text = settings(origin, "[limits]\nstarts_per_minute = 1000\n")
        .replacen("127.0.0.1:0", &site.to_string(), 1)
        .replace("shop.example", &site.to_string());
    drop(free);
    let process = Process::with(&text, |command| {
        command.stdout(Stdio::null());
    });
    let mut customers = Vec::new();
    for _ in 0..100 {
        let mut customer = Customer::start(site).await;
        customer.hears("welcome").await;
        customers.push(customer);
    }
    process.signal("-TERM");
    let mut told = Vec::new();
    for customer in &mut customers {
        told.push(customer.is_closed().await.0);
    }
    assert_eq!(told, [1012; 100]);
    assert!(process.ended().await);
}

#[tokio::test]
async fn a_reload_under_load_loses_no_request() {
    let tasks = TaskTracker::new();
    let (one, two) = (slow(&tasks, "one").await, slow(&tasks, "two").await);
    let process = Process::before(one, "");
    let file = process.folder.path().join("tandem.toml");
    let score = Arc::new(Score::default());
    let crowd = crowd(&score, process.site).await;
    std::fs::write(&file, settings(two, "")).unwrap();
    process.signal("-HUP");
    score.hears("two").await;
    // What is broken changes nothing.
    std::fs::write(&file, "nonsense").unwrap();
    process.signal("-HUP");
    score.reaches(score.answered.load(Relaxed) + 200).await;
    assert_eq!(*score.last.lock().unwrap(), "two");
    score.over.store(true, Relaxed);
    all(crowd).await;
    assert_eq!(score.lost.load(Relaxed), 0);
}

#[tokio::test]
async fn with_listeners_passed_on_a_restart_refuses_nobody() {
    let tasks = TaskTracker::new();
    let text = settings(slow(&tasks, "one").await, "");
    let bind = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners = (bind(), bind());
    let site = listeners.0.local_addr().unwrap();
    let start = || {
        // As systemd does it: the listeners are files 3 and 4.
        let mut command = Command::new("sh");
        let run = "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_FDS=2 LISTEN_PID=$$ exec \"$0\" serve --config tandem.toml";
        command.args(["-c", run, env!("CARGO_BIN_EXE_tandem")]);
        command.stdin(OwnedFd::from(listeners.0.try_clone().unwrap()));
        command.stdout(OwnedFd::from(listeners.1.try_clone().unwrap()));
        Process::run(&text, command)
    };
    let process = start();
    assert_eq!((process.site, process.console), (site, listeners.1.local_addr().unwrap()));
    let score = Arc::new(Score::default());
    let crowd = crowd(&score, site).await;
    process.signal("-TERM");
    assert!(process.ended().await);
    let before = score.answered.load(Relaxed);
    let _process = start();
    score.reaches(before + 200).await;
    score.over.store(true, Relaxed);
    all(crowd).await;
    assert_eq!((score.lost.load(Relaxed), score.refused.load(Relaxed)), (0, 0));
}

#[tokio::test]
async fn before_a_stop_it_says_so_and_serves() {
    let tasks = TaskTracker::new();
    let process = Process::before(slow(&tasks, "one").await, "[limits]\nstop_delay = \"1s\"\n");
    process.signal("-TERM");
    let told = async { while get(process.console, "/readyz").await.unwrap().starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(DEADLINE, told).await.expect("it stays ready");
    assert!(get(process.console, "/readyz").await.unwrap().starts_with("HTTP/1.1 503 "));
    assert!(get(process.site, "/").await.unwrap().ends_with("one"));
    assert!(process.ended().await);
}

// ---- memory ----------------------------------------------------------------------------------------------

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

    let started = tokio::time::Instant::now();
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

    let started = tokio::time::Instant::now();
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
