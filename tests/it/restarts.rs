//! A server that is started again goes on with what it left: sessions, their modes and limits, agents' logins.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::harness::page::text;
use crate::harness::{Rig, Setup};

#[tokio::test]
async fn a_session_goes_on_after_a_restart_and_both_are_told_why_they_wait() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Before")]).await;
    agent.sees("Before").await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let rig = rig.restart().await;
    assert_eq!(customer.is_closed().await.0, 1012, "come back soon");
    assert_eq!(agent.is_closed().await.0, 1012);

    agent.return_to(rig.console);
    agent.join(customer.id()).await;
    let status = agent.hears_status(|status| status["phase"] == "active").await;
    let status = &status["status"];
    assert_eq!((&status["mode"], &status["modeReason"]), (&json!("pointer"), &json!("interrupted")));
    assert_eq!(status["customerAway"]["why"], "lost");
    assert!(status["customerAway"]["seconds"].as_u64().unwrap() > 290, "{status}");

    customer.return_to(rig.site).await;
    customer.show(&[text("After")]).await;
    agent.sees("After").await;
    assert!(!agent.mirror.text().contains("Before"));
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
}

#[tokio::test]
async fn who_comes_while_the_server_stops_is_told_to_come_back() {
    let rig = Rig::start().await;
    let mut customer = rig.customer().await;
    let open = TcpStream::connect(rig.site).await.unwrap();
    let told = async {
        assert_eq!(customer.is_closed().await.0, 1012);
        customer.connects_over(open).await;
        assert_eq!(customer.is_closed().await.0, 1012, "the session has not ended");
        customer
    };
    let (rig, mut customer) = tokio::join!(rig.restart(), told);
    customer.return_to(rig.site).await;
    customer.hears("welcome").await;
}

#[tokio::test]
async fn who_is_still_talking_hears_why_the_line_ends() {
    let rig = Rig::start().await;
    let mut customer = rig.customer().await;
    let told = async {
        assert_eq!(customer.is_closed().await.0, 1012);
        // A reset for what nobody reads may overtake the reason.
        customer.talks_on().await.unwrap();
    };
    tokio::join!(rig.restart(), told);
}

#[tokio::test]
async fn a_session_that_waits_for_its_agent_goes_on_waiting() {
    let rig = Rig::start().await;
    let mut customer = rig.customer().await;
    customer.hears_status(|status| status["phase"] == "idle").await;
    let rig = rig.restart().await;
    customer.return_to(rig.site).await;
    let mut agent = rig.agent().await;
    agent.join(customer.id()).await;
    customer.show(&[text("Hello")]).await;
    agent.sees("Hello").await;
}

#[tokio::test]
async fn what_ended_before_a_restart_does_not_come_back() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    agent.says(json!({ "type": "exit" })).await;
    customer.hears_status(|status| status["ended"] == "agent_exit").await;
    let id = customer.id().to_owned();
    let rig = rig.restart().await;
    customer.return_to(rig.site).await;
    assert_eq!(customer.is_closed().await, (4001, "agent_exit".into()), "who was away is told why");
    assert_eq!(rig.agent().await.looks_up(&id).await, (410, "session_ended".into()));
}

#[tokio::test]
async fn a_limit_that_passed_while_the_server_was_down_strikes() {
    let limited = |config: &mut tandem::config::Config| {
        config.session.timeouts.max = Duration::from_millis(1200);
        config.session.timeouts.warning = Duration::from_millis(100);
    };
    let rig = Rig::with(Setup { change: Box::new(limited), ..Setup::default() }).await;
    let (mut customer, _agent) = rig.session(&[text("Hello")]).await;
    let rig = rig.restart_with(Setup { change: Box::new(limited), ..Setup::default() }).await;
    customer.return_to(rig.site).await;
    assert_eq!(customer.is_closed().await, (4001, "max_duration".into()));
}

#[tokio::test]
async fn a_login_outlives_a_restart_and_a_logout_too() {
    let rig = Rig::start().await;
    let cookies = [rig.agent().await.cookie, crate::harness::Agent::log_in(rig.console, "ben").await.cookie];
    let ben = crate::harness::Agent::logged_in(rig.console, cookies[1].clone());
    let headers = [("Cookie", ben.cookie.as_str()), ("Tandem", "1")];
    let answer = crate::harness::http::request(rig.console, "POST", "/console/logout", &headers, b"").await;
    assert_eq!(answer.status, 204);
    let rig = rig.restart().await;
    let who = async |cookie: &str| {
        crate::harness::Agent::logged_in(rig.console, cookie.to_owned()).get("/console/me").await
    };
    let me: Value = serde_json::from_str(&who(&cookies[0]).await.text()).unwrap();
    assert_eq!(me, json!({ "name": "ann", "role": "agent" }));
    assert_eq!(who(&cookies[1]).await.status, 401);
}

#[tokio::test]
async fn what_was_typed_into_masked_fields_stays_private_over_a_restart() {
    let rig = Rig::start().await;
    let (mut customer, _agent) = rig.session(&[text("Hello")]).await;
    let key = customer.heard.iter().find(|message| message["type"] == "withhold").unwrap()["echoing"]["key"]
        .clone();
    let rig = rig.restart().await;
    customer.return_to(rig.site).await;
    let after = customer.hears("withhold").await;
    assert_eq!(after["echoing"]["key"], key, "the hashes that the browser has still fit");
    assert_eq!(
        after["echoing"]["known"],
        json!([]),
        "and are not in the store: the browser tells them again"
    );
}
