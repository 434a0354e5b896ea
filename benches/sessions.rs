//! What sessions cost: a server in a process of its own, simulated customers and agents in this one. In each session
//! the customer's pointer moves five times and its page changes twice a second.
//!
//! `cargo bench --bench sessions`; `-- --quick` for a short run, `-- active 500` for so many sessions only, `-- memory` for
//! memory alone. Prints the server's CPU time and memory, and how long a change takes to the agent's socket.
//! `TANDEM_BIN` measures another binary.

#![allow(clippy::print_stdout)] // What it is for.

#[path = "../tests/it/harness/mod.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]
mod harness;

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use harness::PASSWORD;
use harness::agent::log_in;
use harness::http::request;
use harness::page::{PageWriter, Piece, el, text};
use serde_json::{Value, json};
use tandem::console::agents::Agents;
use tandem::protocol::agent::Role;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A session's second: at these tenths the pointer moves, and at those the page changes.
const MOVES: u32 = 5;
const CHANGES: u32 = 2;
const MARK: &str = "sent at ";

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |word: &str| words.iter().any(|given| given == word);
    let quick = named("--quick");
    let all = !named("active") && !named("memory");
    if all || named("active") {
        let scales = words.iter().filter_map(|word| word.parse().ok()).collect::<Vec<usize>>();
        let (default, seconds) = if quick { ([50, 100, 200], 5) } else { ([500, 1000, 2000], 20) };
        let scales = if scales.is_empty() { default.to_vec() } else { scales };
        println!(
            "{:<34}{:>12}{:>16}{:>10}{:>10}{:>10}",
            "active sessions", "CPU cores", "µs an event", "KiB each", "p50 ms", "p99 ms"
        );
        for sessions in scales {
            active(sessions, seconds).await;
        }
    }
    if all || named("memory") {
        println!("\n{:<34}{:>16}", "memory", "KiB a session");
        memory("idle: nobody has joined", 2_000, None).await;
        memory("active, a page of 300 elements", if quick { 200 } else { 500 }, Some(300)).await;
        memory("active, a page of 3,000 elements", if quick { 60 } else { 200 }, Some(3000)).await;
    }
}

async fn active(sessions: usize, seconds: u64) {
    let server = Server::start().await;
    let (mut pairs, each) = server.grow(sessions, Some(300)).await;
    let (begin, cpu) = (Instant::now() + Duration::from_millis(500), server.cpu());
    let mut running = tokio::task::JoinSet::new();
    for (index, pair) in pairs.drain(..).enumerate() {
        let first = begin + Duration::from_secs(1) * index as u32 / sessions as u32;
        running.spawn(pair.run(begin, first, seconds as u32));
    }
    let mut taken: Vec<Duration> = running.join_all().await.into_iter().flatten().collect();
    let cores = (server.cpu() - cpu).as_secs_f64() / begin.elapsed().as_secs_f64();
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let event = cores * 1e6 / (sessions * (MOVES + CHANGES) as usize) as f64;
    println!("{sessions:<34}{cores:>12.2}{event:>16.0}{each:>10.0}{:>10.2}{:>10.2}", at(0.5), at(0.99));
}

async fn memory(name: &str, sessions: usize, elements: Option<usize>) {
    let (_pairs, each) = Server::start().await.grow(sessions, elements).await;
    println!("{name:<34}{each:>16.0}");
}

/// A customer and an agent, if one has joined.
struct Pair {
    customer: Socket,
    agent: Option<Socket>,
    page: PageWriter,
}

impl Pair {
    async fn run(mut self, begin: Instant, first: Instant, seconds: u32) -> Vec<Duration> {
        let mut agent = self.agent.take().expect("an active session");
        let mut taken = Vec::new();
        let clock = self.page.ids["clock"] + 1;
        let steps = MOVES * CHANGES * seconds;
        for step in 0..steps {
            let at = first + Duration::from_secs(1) * step / (MOVES * CHANGES);
            // Both read what comes until something is to be said.
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(at) => break,
                    heard = agent.next() => {
                        if let Some(Ok(Message::Binary(bytes))) = heard {
                            taken.extend(sent_at(&bytes).map(|sent| begin.elapsed().saturating_sub(sent)));
                        }
                    }
                    _ = self.customer.next() => {}
                }
            }
            if step.is_multiple_of(CHANGES) {
                self.move_to(step).await;
            }
            if step.is_multiple_of(MOVES) {
                let mut patch = self.page.patch();
                patch.byte(6);
                patch.uint(clock);
                patch.string(&format!("{MARK}{}", begin.elapsed().as_nanos()));
                let _ = self.customer.send(Message::Binary(patch.finish().into())).await;
            }
        }
        taken
    }

    async fn move_to(&mut self, x: u32) {
        let at = json!({ "type": "pointer", "at": { "x": x, "y": 1 } });
        let _ = self.customer.send(Message::Text(at.to_string().into())).await;
    }
}

fn sent_at(bytes: &[u8]) -> Option<Duration> {
    let at = memchr::memmem::find(bytes, MARK.as_bytes())? + MARK.len();
    let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let nanos = digits.fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}

/// A page with so many elements, some of them private, and a text that changes.
fn page(elements: usize) -> Vec<Piece> {
    let row = |n: usize| {
        let class = if n.is_multiple_of(40) { "balance" } else { "row" };
        el("p", &[("class", class)], &[el("b", &[], &[text(&format!("row {n}"))]), text("and some words")])
    };
    (0..elements / 2).map(row).chain([el("p", &[("id", "clock")], &[text("0")])]).collect()
}

/// A server in a process of its own.
struct Server {
    site: SocketAddr,
    console: SocketAddr,
    login: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let free =
            || std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("loopback");
        let (site, console) = (free(), free());
        let mut agents = Agents::default();
        agents.add("ann", Role::Agent, PASSWORD).expect("a login");
        agents.write(&folder.path().join("agents.toml")).expect("written");
        std::fs::create_dir(folder.path().join("policies")).expect("a folder");
        let policy = "[[mask]]\nselect = \"#ssn, .card\"\n[[hide]]\nselect = \".balance\"\n";
        std::fs::write(folder.path().join("policies/shop.toml"), policy).expect("written");
        let settings = format!(
            "[proxy]\nlisten = \"{site}\"\n[[site]]\npublic = \"http://{site}\"\norigin = \"http://127.0.0.1:9\"\n\
             [console]\nlisten = \"{console}\"\npublic = \"http://{console}\"\n[access_log]\nformat = \"off\"\n\
             [session]\nsessions_per_agent = 100000\n\
             [limits]\nstarts_per_minute = 100000\nconnections_per_address = 100000\n"
        );
        std::fs::write(folder.path().join("tandem.toml"), settings).expect("written");
        let binary = std::env::var("TANDEM_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tandem").into());
        let mut command = Command::new(binary);
        command.args(["serve", "--config"]).arg(folder.path().join("tandem.toml")).env("RUST_LOG", "error");
        let process = command.stdout(Stdio::null()).spawn().expect("the server");
        while TcpStream::connect(console).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let login = log_in(console, "ann", PASSWORD).await.cookie().expect("a login");
        Server { site, console, login, process, _folder: folder }
    }

    /// A session; with a page of so many elements, an agent has joined and sees it.
    async fn pair(&self, elements: Option<usize>) -> Pair {
        let origin = format!("http://{}", self.site);
        let headers = [("Origin", origin.as_str()), ("Tandem", "1")];
        let answer = request(self.site, "POST", "/.tandem/session", &headers, b"").await;
        let started: Value = serde_json::from_str(&answer.text()).expect("a session");
        let id = started["sessionId"].as_str().expect("an ID");
        let url =
            format!("ws://{0}/.tandem/session/socket?url=http%3A%2F%2F{0}%2F&tab=one&looking=1", self.site);
        let mut customer = open(&url, &origin, &answer.cookie().expect("a key")).await;
        let mut page_writer = PageWriter::default();
        let Some(elements) = elements else { return Pair { customer, agent: None, page: page_writer } };
        let url = format!("ws://{}/console/session/{id}/socket", self.console);
        let mut agent = open(&url, &format!("http://{}", self.console), &self.login).await;
        let epoch = loop {
            let Some(Ok(Message::Text(text))) = customer.next().await else { continue };
            let message: Value = serde_json::from_str(&text).expect("a message");
            if message["type"] == "share" {
                break message["epoch"].as_u64().expect("an epoch") as u32;
            }
        };
        let frame = page_writer.snapshot(epoch, &format!("{origin}/"), &page(elements));
        customer.send(Message::Binary(frame.into())).await.expect("sent");
        while !matches!(agent.next().await, Some(Ok(Message::Binary(_)))) {}
        Pair { customer, agent: Some(agent), page: page_writer }
    }

    /// So many sessions, and the KiB that each took. The first ones fill what the start left.
    async fn grow(&self, sessions: usize, elements: Option<usize>) -> (Vec<Pair>, f64) {
        let (mut pairs, mut halfway) = (Vec::new(), 0);
        while pairs.len() < sessions {
            if pairs.len() == sessions / 10 {
                halfway = self.settled(&mut pairs).await;
            }
            pairs.push(self.pair(elements).await);
        }
        let grown = self.settled(&mut pairs).await.saturating_sub(halfway);
        (pairs, grown as f64 / (sessions - sessions / 10) as f64 / 1024.0)
    }

    /// Memory after some seconds of little work: what was needed for a moment is given back meanwhile, and views are gone
    /// that everybody has.
    async fn settled(&self, pairs: &mut [Pair]) -> u64 {
        for round in 0..30 {
            request(self.console, "GET", "/healthz", &[], b"").await;
            for pair in &mut *pairs {
                pair.move_to(round).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.memory()
    }

    /// Bytes of memory that the process uses.
    fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id())).expect("Linux");
        text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("pages") * 4096
    }

    /// Time on processors that it has had.
    fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("Linux");
        // After the name, which ends with the last ")": user and system time are the 12th and 13th, in hundredths.
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

async fn open(url: &str, origin: &str, cookie: &str) -> Socket {
    let mut request = url.into_client_request().expect("a URL");
    request.headers_mut().insert("origin", origin.parse().expect("an origin"));
    request.headers_mut().insert("cookie", cookie.parse().expect("a cookie"));
    // As browsers do.
    tokio_tungstenite::connect_async_with_config(request, None, true).await.expect("connected").0
}
