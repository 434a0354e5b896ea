//! That all three copies of a page stay one: divergences are found and repaired, and what is held is not sent again.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::protocol::wire::{Writer, deflate};
use tokio::time::Instant;

use crate::harness::http::request;
use crate::harness::page::{Piece, el, text};
use crate::harness::{AGENTS, Agent, Customer, Rig, Setup};

/// A counter of `/metrics`.
async fn counted(rig: &Rig, name: &str) -> f64 {
    let answer = request(rig.console, "GET", "/metrics", &[], b"").await.text();
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {answer}")).parse().unwrap()
}

fn page() -> Vec<Piece> {
    let row = |n: usize| el("p", &[("class", "a paragraph of the page")], &[text(&format!("Paragraph {n}"))]);
    vec![el("main", &[("id", "main")], &(0..40).map(row).collect::<Vec<_>>())]
}

/// A check of the whole page, after `extra` nodes that the server was never told of.
fn check(customer: &mut Customer, digest: u32) -> Vec<u8> {
    let mut patch = customer.page.patch();
    patch.byte(30);
    [1, 10_000, digest].into_iter().for_each(|number| patch.uint(number));
    patch.finish()
}

fn shares(customer: &Customer) -> usize {
    customer.heard.iter().filter(|message| message["type"] == "share").count()
}

#[tokio::test]
async fn a_copy_that_is_another_page_is_found_and_asked_for_again() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    assert_eq!(counted(&rig, "tandem_session_server_divergences_total").await, 0.0);

    let began = Instant::now();
    let frame = check(&mut customer, 12_345);
    customer.send_bytes(frame).await;
    let share = customer.hears("share").await;
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_ne!(share["held"]["fingerprints"], "", "what the server has need not be sent");
    customer.show(&[text("As it is now")]).await;
    agent.sees("As it is now").await;
    assert_eq!(counted(&rig, "tandem_session_server_divergences_total").await, 1.0);

    // A repair that does not help is not made again and again.
    for _ in 0..20 {
        let frame = check(&mut customer, 12_345);
        customer.send_bytes(frame).await;
    }
    let mut patch = customer.page.patch();
    customer.page.insert(&mut patch, 1, &el("footer", &[], &[text("still here")]));
    customer.send_bytes(patch.finish()).await;
    agent.sees("still here").await;
    assert_eq!(counted(&rig, "tandem_session_server_divergences_total").await, 1.0);
    assert_eq!(shares(&customer), 2);
}

#[tokio::test]
async fn a_mirror_that_diverged_is_counted_and_sent_anew() {
    let rig = Rig::start().await;
    let (_customer, mut agent) = rig.session(&page()).await;
    agent.says(json!({ "type": "resync", "diverged": true })).await;
    agent.sees_page().await;
    assert_eq!(counted(&rig, "tandem_session_mirror_divergences_total").await, 1.0);
}

#[tokio::test]
async fn mirrors_are_told_what_they_should_be() {
    let rig = Rig::start().await;
    let (_customer, mut agent) = rig.session(&page()).await;
    let began = Instant::now();
    agent.sees_that("a check", |mirror| mirror.checks > 0).await;
    assert!(began.elapsed() < Duration::from_secs(2));
}

fn fingerprints(share: &Value) -> usize {
    share["held"]["fingerprints"].as_str().unwrap().len() * 3 / 4 / 16
}

/// A snapshot of nothing but one part that the server is said to hold.
fn by_reference(customer: &mut Customer, epoch: u64, index: u32) -> Vec<u8> {
    let mut out = Writer::new();
    [epoch as u32, 0].into_iter().for_each(|number| out.uint(number));
    [15, 0, 10].into_iter().for_each(|byte| out.byte(byte));
    out.string(&customer.url);
    out.byte(1);
    [1, 0].into_iter().for_each(|number| out.uint(number));
    out.byte(9);
    out.uint(index);
    out.finish()
}

#[tokio::test]
async fn what_the_server_holds_is_not_sent_again() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Paragraph 39").await;
    assert_eq!(fingerprints(&customer.heard.iter().find(|m| m["type"] == "share").unwrap().clone()), 0);

    customer.reconnect().await;
    let share = customer.hears("share").await;
    assert!(fingerprints(&share) >= 2, "{share}");
    let held = by_reference(&mut customer, share["epoch"].as_u64().unwrap(), 0);
    assert!(held.len() < 100);
    customer.send_bytes(held).await;
    agent.sees_page().await;
    agent.sees("Paragraph 39").await;

    customer.reconnect().await;
    let again = customer.hears("share").await;
    assert_ne!(share["held"]["key"], again["held"]["key"], "a key is for one request");
}

#[tokio::test]
async fn a_reference_to_nothing_is_answered_by_asking_for_everything() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    customer.reconnect().await;
    let share = customer.hears("share").await;
    let held = by_reference(&mut customer, share["epoch"].as_u64().unwrap(), 9_999);
    customer.send_bytes(held).await;
    let share = customer.hears("share").await;
    assert_eq!(fingerprints(&share), 0);
    customer.show(&[text("Everything")]).await;
    agent.sees("Everything").await;
}

#[tokio::test]
async fn a_large_page_may_come_deflated_but_no_bomb() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    customer.reconnect().await;
    let epoch = customer.hears("share").await["epoch"].as_u64().unwrap() as u32;
    let long = "a long text ".repeat(5_000);
    let url = customer.url.clone();
    let plain = customer.page.snapshot(epoch, &url, &[text(&long), text("the end")]);
    let packed = deflate(plain.clone());
    assert!(packed.len() < plain.len() / 20);
    customer.send_bytes(packed).await;
    agent.sees("the end").await;

    customer.send_bytes(deflate(vec![1; 40 << 20])).await;
    assert_eq!(customer.is_closed().await.0, 4003);
}

/// Text that does not get smaller by deflating.
fn noise(seed: u32, length: usize) -> String {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        char::from(b'0' + (state % 75) as u8)
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn an_agent_who_reads_slowly_gets_the_newest_state_and_no_queue() {
    let rig = Rig::with(Setup {
        // Or else a busy machine is too slow at what the agent does not read, and it is given up.
        change: Box::new(|config| config.socket.patience = Duration::from_secs(60)),
        ..Setup::default()
    })
    .await;
    let page = [el("p", &[("id", "news")], &[text("old")])];
    let (mut customer, mut agent) = rig.session(&page).await;
    let news = customer.node("news") + 1;
    let (rounds, size) = (60, 1_000_000);
    let mut said = String::new();
    // All of it while the agent reads nothing.
    for round in 0..rounds {
        said = format!("round {round} {}", noise(round, size));
        let mut patch = customer.page.patch();
        patch.byte(6);
        patch.uint(news);
        patch.string(&said);
        customer.send_bytes(patch.finish()).await;
    }
    // An answer that comes after all of them were taken in.
    customer.says(json!({ "type": "frame", "url": "http://shop.test/framed" })).await;
    customer.hears("withhold").await;
    let before = agent.received.len();
    agent.sees(&said[..40]).await;
    let read = agent.received.len() - before;
    assert!(read < rounds as usize * size / 2, "{read} bytes for a page of {size}");
}

#[tokio::test]
async fn a_giant_page_of_one_session_does_not_hold_up_another() {
    let rig = Rig::start().await;
    let (mut quick, mut ann) = rig.session(&[text("small")]).await;
    let mut giant = rig.customer().await;
    let mut ben = Agent::log_in(rig.console, AGENTS[1]).await;
    ben.join(giant.id()).await;
    let row = |n: usize| el("p", &[("class", "card balance")], &[text(&format!("Row {n} of very many"))]);
    let rows: Vec<Piece> = (0..6_000).map(row).collect();
    let began = Instant::now();
    giant.show(&rows).await;
    // The pointer of the other session, until the giant page is there.
    let mut slowest = Duration::ZERO;
    let mut moves = 0;
    let page = ben.sees_page();
    tokio::pin!(page);
    loop {
        let sent = Instant::now();
        quick.says(json!({ "type": "pointer", "at": { "x": f64::from(moves), "y": 1.0 } })).await;
        let heard =
            ann.hears_that("the pointer", |m| m["type"] == "pointer" && m["at"]["x"] == f64::from(moves));
        tokio::select! {
            () = &mut page => break,
            _ = heard => slowest = slowest.max(sent.elapsed()),
        }
        moves += 1;
    }
    let whole = began.elapsed();
    // The test itself reads the giant view on the same thread, once; builds without optimization are slow.
    assert!(moves > 5, "{moves} moves in {whole:?}");
    assert!(slowest < Duration::from_millis(50).max(whole / 10), "{slowest:?} of {whole:?}");
}
