//! Who is in a session beside the customer: one agent, who works in one session, and those who watch.

use serde_json::json;

use crate::harness::page::{el, text};
use crate::harness::{AGENTS, Agent, Rig, Setup};

#[tokio::test]
async fn supervisors_watch_and_do_nothing_and_the_customer_knows_them() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) =
        rig.session(&[el("p", &[("class", "balance")], &[text("1,000")]), text("Hello")]).await;
    let mut sue = Agent::log_in(rig.console, "sue").await;
    assert_eq!(sue.looks_up(customer.id()).await.0, 200);
    sue.join(customer.id()).await;
    sue.sees("Hello").await;
    assert!(!sue.received.contains("1,000"), "the rules are for everybody but the customer");
    customer.hears_status(|status| status["watchers"] == json!(["sue"])).await;
    agent.hears_status(|status| status["watchers"] == json!(["sue"])).await;

    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    sue.hears_status(|status| status["mode"] == "write").await;
    assert_eq!(sue.acts(json!({ "kind": "back" })).await, "watching");
    for message in [
        json!({ "type": "pointer", "at": { "x": 1.0, "y": 1.0 } }),
        json!({ "type": "clicked", "at": { "x": 1.0, "y": 1.0 } }),
        json!({ "type": "give_back" }),
        json!({ "type": "exit" }),
    ] {
        sue.says(message).await;
    }
    // A word of hers that has an answer: what came before it was taken, too.
    sue.acts(json!({ "kind": "back" })).await;
    agent.says(json!({ "type": "clicked", "at": { "x": 2.0, "y": 2.0 } })).await;
    assert_eq!(customer.hears("clicked").await["at"]["x"], 2.0, "only the agent's");
    assert!(!customer.heard.iter().any(|message| message["type"] == "act" || message["type"] == "pointer"));

    let mut patch = customer.page.patch();
    let body = customer.node("body");
    customer.page.insert(&mut patch, body, &text("and more"));
    customer.send_bytes(patch.finish()).await;
    sue.sees("and more").await;
    agent.sees("and more").await;
    sue.vanish().await;
    let status = customer.hears_status(|status| status["watchers"] == json!([])).await;
    assert_eq!(status["status"]["mode"], "write", "her going changes nothing");
}

#[tokio::test]
async fn a_watcher_who_falls_behind_or_resyncs_gets_a_view_of_her_own_role() {
    let rig = Rig::with(Setup {
        policy: "roles = [\"supervisor\"]\n[[mask]]\nselect = \".name\"\n".into(),
        ..Setup::default()
    })
    .await;
    let (customer, mut agent) = rig.session(&[el("p", &[("class", "name")], &[text("Lovelace")])]).await;
    agent.sees("Lovelace").await;
    let mut sue = Agent::log_in(rig.console, "sue").await;
    sue.join(customer.id()).await;
    sue.sees("••••••••").await;
    sue.says(json!({ "type": "resync" })).await;
    sue.sees_page().await;
    sue.sees("••••••••").await;
    assert!(!sue.received.contains("Lovelace"));
}

#[tokio::test]
async fn so_many_watch_as_may() {
    let rig =
        Rig::with(Setup { change: Box::new(|config| config.session.watchers = 1), ..Setup::default() }).await;
    let (customer, _agent) = rig.session(&[text("Hello")]).await;
    let mut sue = Agent::log_in(rig.console, "sue").await;
    sue.join(customer.id()).await;
    let mut again = Agent::logged_in(rig.console, sue.cookie.clone());
    again.connect(customer.id()).await;
    assert_eq!(again.is_closed().await.0, 4005);
}

#[tokio::test]
async fn an_agent_works_in_one_session_at_a_time() {
    let rig = Rig::start().await;
    let (mut first, mut agent) = rig.session(&[text("Hello")]).await;
    let second = rig.customer().await;
    assert_eq!(agent.looks_up(second.id()).await, (409, "agent_busy".into()));
    let mut again = rig.agent().await;
    again.connect(second.id()).await;
    assert_eq!(again.is_closed().await.0, 4006);
    let mut ben = Agent::log_in(rig.console, AGENTS[1]).await;
    assert_eq!(ben.looks_up(second.id()).await.0, 200);

    agent.vanish().await;
    first.hears_status(|status| status["agent"] == "away").await;
    again.join(second.id()).await;
    assert_eq!(agent.looks_up(first.id()).await, (409, "agent_busy".into()));
    again.says(json!({ "type": "exit" })).await;
    again.is_closed().await;
    assert_eq!(ben.looks_up(first.id()).await, (409, "session_taken".into()));
    agent.join(first.id()).await;
    ben.vanish().await;
}

#[tokio::test]
async fn a_setting_lets_an_agent_work_in_several() {
    let rig =
        Rig::with(Setup { change: Box::new(|config| config.session.per_agent = 2), ..Setup::default() })
            .await;
    let (first, _one) = rig.session(&[text("Hello")]).await;
    let (second, _two) = rig.session(&[text("Hello")]).await;
    assert_ne!(first.id(), second.id());
    let third = rig.customer().await;
    assert_eq!(rig.agent().await.looks_up(third.id()).await, (409, "agent_busy".into()));
}
