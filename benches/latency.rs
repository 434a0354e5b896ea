//! How long a change in a customer's page takes to an agent's socket: customer → server → agent over loopback
//! WebSockets, with 1 and 200 sessions, beside a bare relay that passes the same bytes on without looking.
//!
//! `cargo bench --bench latency`; `-- --quick` for a short run.

#![allow(clippy::print_stdout)] // What it is for.

#[path = "../tests/it/harness/mod.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]
mod harness;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use harness::page::{el, text};
use harness::{Agent, Customer, Rig, Setup};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// Changes a second in each session.
const RATE: u32 = 10;

#[tokio::main]
async fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let changes = if quick { 20 } else { 100 };
    println!("{:<28}{:>10}{:>10}{:>10}", "customer → server → agent", "p50 µs", "p99 µs", "changes");
    for sessions in [1, 200] {
        // One session alone is measured for as long as 200 together would need to be steady.
        let changes = if sessions == 1 { changes * 5 } else { changes };
        let bare = report(&format!("bare relay, {sessions} sessions"), relayed(sessions, changes).await);
        let ours = report(&format!("tandem, {sessions} sessions"), mirrored(sessions, changes).await);
        println!("{:<28}{:>10.2}{:>10.2}\n", "  ratio", ours.0 / bare.0, ours.1 / bare.1);
    }
}

fn report(name: &str, mut taken: Vec<Duration>) -> (f64, f64) {
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{name:<28}{p50:>10.0}{p99:>10.0}{:>10}", taken.len());
    (p50, p99)
}

/// Through a server, with a page of some 300 elements that is masked on its way.
async fn mirrored(sessions: usize, changes: usize) -> Vec<Duration> {
    let rig = Rig::with(Setup {
        change: Box::new(|config| {
            config.starts = 100_000.try_into().expect("not zero");
            config.session.per_agent = usize::MAX;
        }),
        ..Setup::default()
    })
    .await;
    let rows: Vec<_> = (0..100)
        .map(|n| el("p", &[("class", "row")], &[el("b", &[], &[text(&format!("row {n}"))]), text("words")]))
        .chain([el("p", &[("id", "clock")], &[text("0")])])
        .collect();
    let mut pairs = Vec::new();
    for _ in 0..sessions {
        pairs.push(rig.session(&rows).await);
    }
    let begin = Instant::now();
    let mut measured = tokio::task::JoinSet::new();
    for (index, (customer, agent)) in pairs.into_iter().enumerate() {
        let first =
            begin + Duration::from_micros(1_000_000 / u64::from(RATE) * index as u64 / sessions as u64);
        measured.spawn(one(customer, agent, begin, first, changes));
    }
    measured.join_all().await.into_iter().flatten().collect()
}

async fn one(
    mut customer: Customer,
    mut agent: Agent,
    begin: Instant,
    first: Instant,
    changes: usize,
) -> Vec<Duration> {
    let clock = customer.node("clock") + 1;
    let mut taken = Vec::with_capacity(changes);
    for n in 0..changes {
        tokio::time::sleep_until(first + Duration::from_secs(1) / RATE * n as u32).await;
        let sent = begin.elapsed().as_nanos().to_string();
        let mut patch = customer.page.patch();
        patch.byte(6);
        patch.uint(clock);
        patch.string(&sent);
        customer.send_bytes(patch.finish()).await;
        agent.sees(&sent).await;
        taken.push(begin.elapsed() - Duration::from_nanos(sent.parse().expect("a number")));
    }
    taken
}

/// Through a relay that does nothing.
async fn relayed(sessions: usize, changes: usize) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let mut measured = tokio::task::JoinSet::new();
    let begin = Instant::now();
    for index in 0..sessions {
        let from = open(address, &listener).await;
        let to = open(address, &listener).await;
        let first =
            begin + Duration::from_micros(1_000_000 / u64::from(RATE) * index as u64 / sessions as u64);
        measured.spawn(async move {
            let (mut customer, mut inbound) = from;
            let (mut agent, mut outbound) = to;
            let mut taken = Vec::with_capacity(changes);
            let relay = async {
                while let Some(Ok(message)) = inbound.next().await {
                    if outbound.send(message).await.is_err() {
                        return;
                    }
                }
            };
            let measure = async {
                for n in 0..changes {
                    tokio::time::sleep_until(first + Duration::from_secs(1) / RATE * n as u32).await;
                    let sent = Instant::now();
                    customer.send(Message::Binary(vec![1; 24].into())).await.expect("sent");
                    agent.next().await.expect("relayed").expect("relayed");
                    taken.push(sent.elapsed());
                }
            };
            tokio::select! { () = relay => {}, () = measure => {} }
            taken
        });
    }
    measured.join_all().await.into_iter().flatten().collect()
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;
type Accepted = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn open(address: SocketAddr, listener: &TcpListener) -> (Socket, Accepted) {
    let accept = async {
        let (stream, _) = listener.accept().await.expect("accepted");
        stream.set_nodelay(true).expect("nodelay");
        tokio_tungstenite::accept_async(stream).await.expect("upgraded")
    };
    let connect =
        async { tokio_tungstenite::connect_async(format!("ws://{address}")).await.expect("connected").0 };
    tokio::join!(connect, accept)
}
