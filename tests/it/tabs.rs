//! The session follows the customer from tab to tab, and stops to look when the customer pauses.

use serde_json::{Value, json};

use crate::harness::page::{el, text};
use crate::harness::{Agent, Customer, Rig, Setup};

/// What the strip of tabs says: title, whether it is shown, whether it is on the screen.
fn strip(message: &Value) -> Vec<(Option<String>, bool, bool)> {
    let tabs = message["tabs"].as_array().cloned().unwrap_or_default();
    let of = |tab: &Value| {
        let flag = |name: &str| tab[name].as_bool().unwrap();
        (tab["title"].as_str().map(str::to_owned), flag("shown"), flag("seen"))
    };
    tabs.iter().map(of).collect()
}

async fn strips(agent: &mut Agent, wanted: &[(Option<&str>, bool, bool)]) {
    let wanted: Vec<_> =
        wanted.iter().map(|(title, shown, seen)| (title.map(str::to_owned), *shown, *seen)).collect();
    agent.hears_that("tabs", |message| message["type"] == "tabs" && strip(message) == wanted).await;
}

async fn titled(customer: &mut Customer, title: &str) {
    let mut patch = customer.page.patch();
    // The head of every page of the rig is its third node.
    customer.page.insert(&mut patch, 3, &el("title", &[], &[text(title)]));
    customer.send_bytes(patch.finish()).await;
}

#[tokio::test]
async fn the_agent_sees_the_tab_that_the_customer_looks_at_and_no_other() {
    let rig = Rig::start().await;
    let (mut first, mut agent) = rig.session(&[text("First page")]).await;
    titled(&mut first, "One").await;
    strips(&mut agent, &[(Some("One"), true, true)]).await;

    let mut second = first.opens_tab("second", false).await;
    strips(&mut agent, &[(Some("One"), true, true), (None, false, false)]).await;
    assert!(agent.mirror.text().contains("First page"), "a tab that was only opened changes nothing");

    second.looks().await;
    first.hears("rest").await;
    second.show(&[text("Second page")]).await;
    titled(&mut second, "Two").await;
    agent.sees("Second page").await;
    strips(&mut agent, &[(Some("One"), false, true), (Some("Two"), true, true)]).await;

    // Whatever the first tab still sends is of no tab that is looked at.
    titled(&mut first, "First again").await;
    first.says(json!({ "type": "pointer", "at": { "x": 9.0, "y": 9.0 } })).await;
    second.says(json!({ "type": "pointer", "at": { "x": 1.0, "y": 2.0 } })).await;
    let pointer = agent.hears("pointer").await;
    assert_eq!(pointer["at"]["x"], 1.0);
    assert!(!agent.mirror.text().contains("First"), "{:#?}", agent.mirror);
    assert!(!agent.received.contains("First again"));

    agent.says(json!({ "type": "pointer", "at": { "x": 3.0, "y": 4.0 } })).await;
    second.hears("pointer").await;
    second.says(json!({ "type": "looked_away" })).await;
    strips(&mut agent, &[(Some("One"), false, true), (Some("Two"), true, false)]).await;
    first.looks().await;
    second.hears("rest").await;
    first.hears("share").await;
    first.show(&[text("Back on the first")]).await;
    agent.sees("Back on the first").await;
    assert!(
        !first.heard.iter().any(|message| message["type"] == "pointer"),
        "the pointer is in the other tab"
    );
}

#[tokio::test]
async fn titles_are_masked_as_the_page_is() {
    let policy = "[[mask]]\nselect = \"title\"\n".into();
    let rig = Rig::with(Setup { policy, ..Setup::default() }).await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    titled(&mut customer, "Balance of Ada").await;
    strips(&mut agent, &[(Some("••••••• •• •••"), true, true)]).await;
    assert!(!agent.received.contains("Ada"));
}

#[tokio::test]
async fn a_closed_tab_leaves_the_strip_and_the_other_one_is_shown() {
    let rig = Rig::start().await;
    let (mut first, mut agent) = rig.session(&[text("First page")]).await;
    let mut second = first.opens_tab("second", true).await;
    second.show(&[text("Second page")]).await;
    agent.sees("Second page").await;
    second.vanish().await;
    first.hears_that("a second share", |message| message["type"] == "share" && message["epoch"] == 3).await;
    first.show(&[text("The first again")]).await;
    agent.sees("The first again").await;
    let last = agent.heard.iter().rfind(|message| message["type"] == "tabs").unwrap();
    assert_eq!(strip(last), [(Some(String::new()), true, true)]);
    let away = agent.heard.iter().any(|message| message["status"]["customer"] == "away");
    assert!(!away, "the customer was never away");
}

#[tokio::test]
async fn nothing_is_shown_while_the_customer_pauses() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Before the pause")]).await;
    agent.sees("Before the pause").await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;

    customer.says(json!({ "type": "pause" })).await;
    let status = agent.hears_status(|status| status["paused"] == true).await;
    assert_eq!(
        (&status["status"]["mode"], &status["status"]["modeReason"]),
        (&json!("pointer"), &json!("paused"))
    );
    titled(&mut customer, "A secret").await;
    customer.says(json!({ "type": "pointer", "at": { "x": 9.0, "y": 9.0 } })).await;
    assert_eq!(agent.acts(json!({ "kind": "back" })).await, "pointer_mode");
    let mut sue = Agent::log_in(rig.console, "sue").await;
    sue.join(customer.id()).await;

    customer.says(json!({ "type": "resume" })).await;
    let status =
        customer.hears_status(|status| status["paused"] == false && status["mode"] == "pointer").await;
    assert_eq!(status["status"]["writeRequested"], true, "asked again");
    customer.looks().await;
    let shares = |customer: &Customer| customer.heard.iter().filter(|m| m["type"] == "share").count();
    while shares(&customer) < 2 {
        customer.hears("share").await;
    }
    customer.show(&[text("After the pause")]).await;
    for who in [&mut agent, &mut sue] {
        who.sees("After the pause").await;
        assert!(!who.received.contains("A secret"));
        assert!(!who.heard.iter().any(|message| message["type"] == "pointer"));
    }
    assert!(!sue.received.contains("Before the pause"), "who comes during a pause sees nothing of before");
}

#[tokio::test]
async fn a_page_that_is_loaded_during_a_pause_does_not_say_where_it_is() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    customer.says(json!({ "type": "pause" })).await;
    agent.hears_status(|status| status["paused"] == true).await;
    customer.reconnect().await;
    let status = customer.hears("status").await;
    assert_eq!(status["status"]["paused"], true);
    customer.says(json!({ "type": "resume" })).await;
    customer.hears_status(|status| status["paused"] == false).await;
    customer.url = format!("http://{}/after", rig.site);
    customer.looks().await;
    customer.show(&[text("Hello again")]).await;
    agent.sees("Hello again").await;
}
