//! Whatever a browser sends, the worst that happens is that its connection ends with a reason.

use serde_json::json;
use tandem::protocol::wire::{VERSION, Writer};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::page::{el, text};
use crate::harness::{Rig, Setup};

fn frame(epoch: u32, seq: u32) -> Writer {
    let mut out = Writer::new();
    out.uint(epoch);
    out.uint(seq);
    out
}

#[tokio::test]
async fn a_customers_bad_frame_ends_its_connection_and_nothing_else() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| config.socket.customer_message = 100_000),
        ..Setup::default()
    })
    .await;
    let too_deep = {
        let mut out = frame(1, 0);
        out.byte(15);
        out.byte(0);
        out.byte(1);
        out.uint(1);
        out.uint(0);
        for _ in 0..2000 {
            out.byte(1);
            out.string("div");
            out.uint(0);
        }
        out.finish()
    };
    let out_of_order = {
        let mut out = frame(1, 7);
        out.byte(3);
        out.uint(2);
        out.finish()
    };
    for (name, bytes) in [
        ("empty", vec![]),
        ("garbage", vec![0xff; 64]),
        ("another version", vec![9, 1, 0]),
        ("truncated", vec![VERSION, 0, 0, 1, 0, 1, 1]),
        ("too deep", too_deep),
        ("oversized", vec![VERSION; 200_000]),
        ("out of order", out_of_order),
    ] {
        let mut customer = rig.customer().await;
        let mut agent = rig.agent().await;
        agent.join(customer.id()).await;
        customer.hears("share").await;
        customer.send_bytes(bytes).await;
        let (code, reason) = customer.is_closed().await;
        assert!(
            code == 4003 && !reason.is_empty() || name == "oversized" && code == 1006,
            "{name}: {code} {reason}"
        );
        // The same session goes on with a new connection.
        customer.reconnect().await;
        customer.show(&[text("Still here")]).await;
        agent.sees("Still here").await;
    }
}

#[tokio::test]
async fn a_patch_that_does_not_fit_is_answered_with_a_fresh_start() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Before")]).await;
    let mut patch = customer.page.patch();
    patch.byte(3);
    patch.uint(9_999);
    customer.send_bytes(patch.finish()).await;
    let share = customer.hears("share").await;
    assert_eq!(share["epoch"], 2);
    customer.show(&[text("After")]).await;
    agent.sees("After").await;
}

#[tokio::test]
async fn patches_that_never_fit_end_the_connection() {
    let rig = Rig::start().await;
    let (mut customer, _agent) = rig.session(&[text("Before")]).await;
    for _ in 0..5 {
        let mut patch = customer.page.patch();
        patch.byte(3);
        patch.uint(9_999);
        customer.send_bytes(patch.finish()).await;
        customer.hears("share").await;
        customer.show(&[text("Again")]).await;
    }
    let mut patch = customer.page.patch();
    patch.byte(3);
    patch.uint(9_999);
    customer.send_bytes(patch.finish()).await;
    assert_eq!(customer.is_closed().await.0, 4003);
}

#[tokio::test]
async fn late_frames_of_an_earlier_document_are_ignored() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[el("p", &[("id", "p")], &[text("Old")])]).await;
    let mut old = customer.page.patch();
    old.byte(3);
    old.uint(9_999);
    customer.send_bytes(old.finish()).await;
    // In flight while the server already waits for the new document.
    let mut late = customer.page.patch();
    late.byte(3);
    late.uint(2);
    customer.send_bytes(late.finish()).await;
    customer.hears("share").await;
    customer.show(&[text("New")]).await;
    agent.sees("New").await;
}

#[tokio::test]
async fn an_agents_bad_message_ends_its_connection() {
    let rig = Rig::start().await;
    for message in [
        Message::Text("{".into()),
        Message::Text("{\"type\":\"nonsense\"}".into()),
        Message::Text(
            "{\"type\":\"act\",\"seq\":1,\"action\":{\"kind\":\"click\",\"node\":-1,\"x\":0,\"y\":0}}".into(),
        ),
        Message::Binary(vec![1, 2, 3].into()),
        Message::Text(format!("{{\"type\":\"{}\"}}", "x".repeat(300_000)).into()),
    ] {
        let (_customer, mut agent) = rig.session(&[text("Hello")]).await;
        agent.send(message).await;
        let (code, _) = agent.is_closed().await;
        assert!(code == 4003 || code == 1006, "{code}");
    }
    let (_customer, mut agent) = rig.session(&[text("Fine")]).await;
    agent.sees("Fine").await;
}

#[tokio::test]
async fn a_flood_of_messages_ends_the_connection() {
    let rig = Rig::start().await;
    let (_customer, mut agent) = rig.session(&[text("Hello")]).await;
    for _ in 0..2_000 {
        agent.says(json!({ "type": "pointer", "at": { "x": 1.0, "y": 1.0 } })).await;
    }
    let (code, reason) = agent.is_closed().await;
    assert!(code == 4003 && reason.contains("too many") || code == 1006, "{code} {reason}");
}

#[tokio::test]
async fn an_agent_who_falls_behind_gets_a_fresh_view() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[el("p", &[("id", "p")], &[text("0")])]).await;
    let p = customer.node("p");
    let text_node = p + 1;
    let padding = "x".repeat(4_000);
    // Far more than a connection's ring and the sockets' buffers hold, while the agent reads nothing.
    for n in 1..=4_000 {
        let mut patch = customer.page.patch();
        patch.byte(6);
        patch.uint(text_node);
        patch.string(&format!("{padding} {n}"));
        customer.send_bytes(patch.finish()).await;
    }
    agent.sees(" 4000").await;
    assert!(agent.mirror.begun >= 2, "it was given the whole view again");
}
