//! Whatever happens to connections and to the server: in the end each session shows the same page on both sides, or
//! has ended on both for the same reason.
//!
//! A real server is killed and started again while customers and agents lose their connections, say things twice
//! and too late, and leave. `TANDEM_CHAOS=60` runs a hundred sessions for a minute; `TANDEM_SEED` repeats a run,
//! `TANDEM_BIN` runs another binary.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tandem::console::agents::Agents;
use tandem::protocol::agent::Role;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::agent::log_in;
use crate::harness::http::request;
use crate::harness::page::{Mirror, PageWriter, Piece, el, text};
use crate::harness::{DEADLINE, PASSWORD};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How often something happens to a session.
const BEAT: Duration = Duration::from_millis(40);
/// How often the server is killed.
const KILLED: Duration = Duration::from_millis(2_500);
/// How long sessions may take to agree once nothing happens any more.
const SETTLED: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_disorder_both_sides_agree() {
    let long = std::env::var("TANDEM_CHAOS").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    let (sessions, seconds) = long.map_or((10, 5), |seconds| (100, seconds));
    let seed = std::env::var("TANDEM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| rand::rng().random::<u64>());
    println!("TANDEM_SEED={seed}");

    let mut server = Server::start().await;
    let cookie = log_in(server.console, "ann", PASSWORD).await.cookie().unwrap();
    let mut pairs = tokio::task::JoinSet::new();
    let until = Instant::now() + Duration::from_secs(seconds);
    for number in 0..sessions {
        let (site, console, cookie) = (server.site, server.console, cookie.clone());
        let pair = Pair::start(site, console, cookie, number, seed, until).await;
        pairs.spawn(pair.live(until));
    }
    while Instant::now() + KILLED < until {
        tokio::time::sleep(KILLED).await;
        server.restart().await;
    }
    let ends = pairs.join_all().await;
    let over = ends.iter().flatten().count();
    println!("{sessions} sessions: {over} ended, {} go on", ends.len() - over);
    assert!(over < ends.len(), "too little went on to say something");
}

/// A server in a process of its own.
struct Server {
    site: SocketAddr,
    console: SocketAddr,
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    async fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (site, console) = (free(), free());
        let mut agents = Agents::default();
        agents.add("ann", Role::Agent, PASSWORD).unwrap();
        agents.write(&folder.path().join("agents.toml")).unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let settings = format!(
            "[proxy]\nlisten = \"{site}\"\n[[site]]\npublic = \"http://{site}\"\norigin = \"http://127.0.0.1:9\"\n\
             [console]\nlisten = \"{console}\"\npublic = \"http://{console}\"\n[access_log]\nformat = \"off\"\n\
             [session]\nsessions_per_agent = 1000\n[limits]\nstarts_per_minute = 100000\n"
        );
        std::fs::write(folder.path().join("tandem.toml"), settings).unwrap();
        let process = spawn(folder.path());
        let server = Server { site, console, folder, process };
        server.answers().await;
        server
    }

    /// Kills it, whatever it is doing, and starts it again.
    async fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = spawn(self.folder.path());
        self.answers().await;
    }

    async fn answers(&self) {
        let until = Instant::now() + DEADLINE;
        while TcpStream::connect(self.console).await.is_err() {
            assert!(Instant::now() < until, "the server does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    let binary = std::env::var("TANDEM_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tandem").into());
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(folder.join("tandem.toml")).env("RUST_LOG", "error");
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A customer and an agent, and what is true of their session.
struct Pair {
    site: SocketAddr,
    console: SocketAddr,
    id: String,
    key: String,
    login: String,
    chance: StdRng,
    /// When the customer (or else the agent) leaves for good, in every third session.
    exit: Option<(Instant, bool)>,
    customer: Option<Socket>,
    agent: Option<Socket>,
    /// What the page says: the truth.
    rows: Vec<String>,
    written: usize,
    page: PageWriter,
    sharing: bool,
    mirror: Mirror,
    ends: [Option<String>; 2],
    last: Vec<u8>,
}

impl Pair {
    async fn start(
        site: SocketAddr,
        console: SocketAddr,
        login: String,
        number: u64,
        seed: u64,
        until: Instant,
    ) -> Pair {
        let origin = format!("http://{site}");
        let headers = [("Origin", origin.as_str()), ("Tandem", "1")];
        let answer = request(site, "POST", "/.tandem/session", &headers, b"").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id =
            serde_json::from_str::<Value>(&answer.text()).unwrap()["sessionId"].as_str().unwrap().to_owned();
        let mut chance = StdRng::seed_from_u64(seed.wrapping_add(number));
        let before = (until - Instant::now()).mul_f64(chance.random());
        let exit = chance.random_ratio(1, 3).then(|| (until - before, chance.random()));
        Pair {
            site,
            console,
            id,
            key: answer.cookie().unwrap(),
            login,
            chance,
            exit,
            customer: None,
            agent: None,
            rows: vec!["row 0".into()],
            written: 1,
            page: PageWriter::default(),
            sharing: false,
            mirror: Mirror::default(),
            ends: [None, None],
            last: Vec::new(),
        }
    }

    /// Until it has ended on both sides, answering why, or until both see the same in peace.
    async fn live(mut self, until: Instant) -> Option<String> {
        let mut beat = tokio::time::interval(BEAT);
        loop {
            if let [Some(one), Some(other)] = &self.ends {
                assert_eq!(one, other, "one end, one reason");
                return Some(one.clone());
            }
            let peace = Instant::now() >= until;
            if peace && self.agrees() {
                return None;
            }
            assert!(
                Instant::now() < until + SETTLED,
                "does not agree: {:?}\n{:?}\n{:#?}",
                self.ends,
                self.rows,
                self.mirror
            );
            tokio::select! {
                _ = beat.tick() => {
                    self.reconnect().await;
                    if !peace { self.something_happens().await; }
                }
                heard = next(&mut self.customer), if self.customer.is_some() => self.customer_hears(heard).await,
                heard = next(&mut self.agent), if self.agent.is_some() => self.agent_hears(heard),
            }
        }
    }

    fn agrees(&self) -> bool {
        let mut shown: Vec<_> =
            self.mirror.text().split('|').filter(|row| row.starts_with("row ")).map(str::to_owned).collect();
        let mut rows = self.rows.clone();
        shown.sort_unstable();
        rows.sort_unstable();
        self.sharing && self.ends == [None, None] && shown == rows
    }

    async fn reconnect(&mut self) {
        let (site, console) = (self.site, self.console);
        if self.customer.is_none() && self.ends[0].is_none() {
            let url =
                format!("ws://{site}/.tandem/session/socket?url=http%3A%2F%2F{site}%2F&tab=one&looking=1");
            self.customer = open(&url, &format!("http://{site}"), &self.key).await;
            self.sharing = false;
        }
        if self.agent.is_none() && self.ends[1].is_none() {
            let url = format!("ws://{console}/console/session/{}/socket", self.id);
            self.agent = open(&url, &format!("http://{console}"), &self.login).await;
            self.mirror = Mirror::default();
        }
    }

    async fn something_happens(&mut self) {
        // Again and again: what is said while the server is down is lost.
        if let Some((_, customer)) = self.exit.filter(|(at, _)| *at <= Instant::now()) {
            let exit = json!({ "type": "exit" });
            return if customer { self.customer_says(exit).await } else { self.agent_says(exit).await };
        }
        match self.chance.random_range(0..1000) {
            0..500 => self.write().await,
            500..600 => self.customer_says(json!({ "type": "pointer", "at": { "x": 1.0, "y": 1.0 } })).await,
            600..640 => self.agent_says(json!({ "type": "request_write" })).await,
            640..680 => self.customer_says(json!({ "type": "answer", "allow": true })).await,
            680..700 => self.agent_says(json!({ "type": "resync" })).await,
            700..740 => {
                self.agent_says(json!({ "type": "act", "seq": 1, "epoch": 1, "action": { "kind": "back" } }))
                    .await
            }
            // The same frame twice: the server closes, and everything begins anew.
            740..760 => {
                let again = self.last.clone();
                self.send_page(again).await;
            }
            // A frame of a document that is gone.
            760..800 => {
                let epoch = self.page.epoch;
                self.page.epoch = epoch.saturating_sub(1);
                let late = self.page.patch().finish();
                (self.page.epoch, self.page.seq) = (epoch, self.page.seq - 1);
                if epoch > 0 {
                    self.send_page(late).await;
                }
            }
            800..840 => {
                self.customer_says(json!({ "type": "looking", "url": format!("http://{}/", self.site) }))
                    .await
            }
            // Connections that go without a word, and with one.
            840..870 => self.customer = None,
            870..900 => self.agent = None,
            900..930 => close(&mut self.customer).await,
            930..960 => close(&mut self.agent).await,
            _ => {}
        }
    }

    /// The page changes, whether somebody looks or not.
    async fn write(&mut self) {
        let row = format!("row {}", self.written);
        self.written += 1;
        self.rows.push(row.clone());
        if self.sharing {
            let body = self.page.ids["body"];
            let mut patch = self.page.patch();
            self.page.insert(&mut patch, body, &text(&row));
            self.last = patch.finish();
            let frame = self.last.clone();
            self.send_page(frame).await;
        }
    }

    async fn customer_hears(&mut self, heard: Heard) {
        match heard {
            Heard::Gone(end) => {
                (self.customer, self.sharing) = (None, false);
                self.ends[0] = self.ends[0].take().or(end);
            }
            Heard::Said(message) if message["type"] == "share" => {
                let epoch = message["epoch"].as_u64().unwrap() as u32;
                let rows: Vec<Piece> = self.rows.iter().map(|row| el("p", &[], &[text(row)])).collect();
                self.last = self.page.snapshot(epoch, &format!("http://{}/", self.site), &rows);
                self.sharing = true;
                let frame = self.last.clone();
                self.send_page(frame).await;
            }
            Heard::Said(message) if message["type"] == "rest" => self.sharing = false,
            Heard::Said(message) => note_end(&mut self.ends[0], &message),
            Heard::View(_) => {}
        }
    }

    fn agent_hears(&mut self, heard: Heard) {
        match heard {
            Heard::Gone(end) => {
                self.agent = None;
                self.ends[1] = self.ends[1].take().or(end);
            }
            Heard::Said(message) => note_end(&mut self.ends[1], &message),
            Heard::View(bytes) => self.mirror.apply(&bytes),
        }
    }

    async fn customer_says(&mut self, message: Value) {
        send(&mut self.customer, Message::Text(message.to_string().into())).await;
    }

    async fn agent_says(&mut self, message: Value) {
        send(&mut self.agent, Message::Text(message.to_string().into())).await;
    }

    async fn send_page(&mut self, frame: Vec<u8>) {
        send(&mut self.customer, Message::Binary(frame.into())).await;
    }
}

fn note_end(end: &mut Option<String>, message: &Value) {
    if let Some(reason) = message["status"]["ended"].as_str() {
        if let Some(before) = end {
            assert_eq!(before, reason, "one end, one reason");
        }
        *end = Some(reason.to_owned());
    }
}

enum Heard {
    Said(Value),
    View(Vec<u8>),
    /// With the word for why the session has ended, if it has.
    Gone(Option<String>),
}

async fn next(socket: &mut Option<Socket>) -> Heard {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        return match socket.next().await {
            Some(Ok(Message::Text(text))) => Heard::Said(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Binary(bytes))) => Heard::View(bytes.to_vec()),
            Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 4001 => {
                Heard::Gone(Some(frame.reason.to_string()))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            _ => Heard::Gone(None),
        };
    }
}

async fn open(url: &str, origin: &str, cookie: &str) -> Option<Socket> {
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    tokio_tungstenite::connect_async(request).await.ok().map(|(socket, _)| socket)
}

async fn send(socket: &mut Option<Socket>, message: Message) {
    if let Some(open) = socket
        && open.send(message).await.is_err()
    {
        *socket = None;
    }
}

async fn close(socket: &mut Option<Socket>) {
    if let Some(mut socket) = socket.take() {
        let _ = socket.close(None).await;
    }
}
