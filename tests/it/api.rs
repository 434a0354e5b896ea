//! The integration API as another system uses it: keys, sessions, interactions, links, history, and its own
//! description.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tandem::api::{Key, Right};

use crate::harness::http::{Answer, request};
use crate::harness::page::text;
use crate::harness::{Agent, Rig, Setup};

const KEY: &str = "the key of the CRM";

fn key(name: &str, secret: &str, rights: &[Right], rate: u32) -> Key {
    Key {
        name: name.into(),
        sha256: Sha256::digest(secret.as_bytes()).into(),
        rights: rights.to_vec(),
        rate: NonZeroU32::new(rate).unwrap(),
    }
}

async fn rig() -> Rig {
    let keys = vec![
        key("crm", KEY, &Right::ALL, 1_000),
        key("wallboard", "only reads", &[Right::Read], 1_000),
        key("slow", "is slow", &Right::ALL, 1),
    ];
    Rig::with(Setup { change: Box::new(|config| config.api = keys), ..Setup::default() }).await
}

async fn ask_with(rig: &Rig, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("Authorization", bearer.as_str())];
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    if !body.is_empty() {
        headers.push(("Content-Type", "application/json"));
    }
    request(rig.console, method, &format!("/api/v1{path}"), &headers, body.as_bytes()).await
}

async fn ask(rig: &Rig, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let answer = ask_with(rig, KEY, method, path, body).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[tokio::test]
async fn sessions_are_listed_read_and_ended() {
    let rig = rig().await;
    let (mut customer, mut agent) = rig.session(&[text("Private words")]).await;
    let waiting = rig.customer().await;

    let (status, all) = ask(&rig, "GET", "/sessions", None).await;
    assert_eq!(status, 200);
    assert_eq!(all["sessions"].as_array().unwrap().len(), 2);
    let (_, idle) = ask(&rig, "GET", "/sessions?phase=idle", None).await;
    assert_eq!(idle["sessions"][0]["sessionId"], waiting.id());
    assert_eq!(idle["sessions"].as_array().unwrap().len(), 1);

    let (_, page) = ask(&rig, "GET", "/sessions?limit=1", None).await;
    let next = page["next"].as_str().unwrap();
    let (_, rest) = ask(&rig, "GET", &format!("/sessions?limit=1&after={next}"), None).await;
    assert_ne!(page["sessions"][0]["sessionId"], rest["sessions"][0]["sessionId"]);
    assert_eq!(rest["next"], Value::Null);

    let typed = customer.id().replace('-', "").to_lowercase();
    let (status, session) = ask(&rig, "GET", &format!("/sessions/{typed}"), None).await;
    assert_eq!(status, 200);
    assert_eq!(session["sessionId"], customer.id());
    assert_eq!((&session["phase"], &session["mode"]), (&json!("active"), &json!("pointer")));
    assert_eq!((&session["agentName"], &session["endReason"]), (&json!("ann"), &Value::Null));
    assert!(!session.to_string().contains("Private words"));

    let (status, ended) = ask(&rig, "POST", &format!("/sessions/{}/end", customer.id()), None).await;
    assert_eq!((status, &ended["endReason"]), (200, &json!("administrator")));
    customer.hears_status(|status| status["ended"] == "administrator").await;
    agent.hears_status(|status| status["ended"] == "administrator").await;
    let (status, again) = ask(&rig, "POST", &format!("/sessions/{}/end", customer.id()), None).await;
    assert_eq!((status, &again["endReason"]), (200, &json!("administrator")), "once is enough");
    let (_, left) = ask(&rig, "GET", "/sessions", None).await;
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_interaction_ends_with_all_its_sessions() {
    let rig = rig().await;
    let (mut one, mut two, other) = (rig.customer().await, rig.customer().await, rig.customer().await);
    for customer in [&one, &two] {
        let body = json!({ "interactionId": "chat/4711", "metadata": { "queue": "sales" } });
        let (status, session) = ask(&rig, "PATCH", &format!("/sessions/{}", customer.id()), Some(body)).await;
        assert_eq!((status, &session["interactionId"]), (200, &json!("chat/4711")));
        assert_eq!(session["metadata"], json!({ "queue": "sales" }));
    }
    let (_, found) = ask(&rig, "GET", "/sessions?interactionId=chat%2F4711", None).await;
    assert_eq!(found["sessions"].as_array().unwrap().len(), 2);

    let (status, ended) = ask(&rig, "POST", "/interactions/chat%2F4711/end", None).await;
    assert_eq!((status, ended["sessionIds"].as_array().unwrap().len()), (200, 2));
    for customer in [&mut one, &mut two] {
        customer.hears_status(|status| status["ended"] == "interaction_ended").await;
    }
    let (_, gone) = ask(&rig, "GET", &format!("/sessions/{}", one.id()), None).await;
    assert_eq!(gone["endReason"], "interaction_ended");
    assert_eq!(gone["interactionId"], "chat/4711", "still known afterwards");
    assert!(gone["endedAt"].as_str().unwrap().starts_with("20"));
    let (_, lives) = ask(&rig, "GET", &format!("/sessions/{}", other.id()), None).await;
    assert_eq!(lives["phase"], "idle");
    let (status, _) = ask(&rig, "PATCH", &format!("/sessions/{}", one.id()), Some(json!([null, null]))).await;
    assert_eq!(status, 422, "a list is no object");
    let late = json!({ "interactionId": "chat/1" });
    let (status, _) = ask(&rig, "PATCH", &format!("/sessions/{}", one.id()), Some(late)).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn a_join_link_lets_an_agent_in_once() {
    let rig = rig().await;
    let mut customer = rig.customer().await;
    let path = format!("/sessions/{}/join-links", customer.id());
    let (status, link) = ask(&rig, "POST", &path, Some(json!({ "name": "Ann of the CRM" }))).await;
    assert_eq!(status, 201, "{link}");
    let url = link["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("http://agents.test/session/{}#token=", customer.id())), "{url}");
    let token = url.split("#token=").nth(1).unwrap();

    let headers = [("Content-Type", "application/json"), ("Tandem", "1")];
    let body = json!({ "token": token }).to_string();
    let come_in = || request(rig.console, "POST", "/console/token", &headers, body.as_bytes());
    let answer = come_in().await;
    assert_eq!(answer.status, 200);
    let mut agent = Agent::logged_in(rig.console, answer.cookie().unwrap());
    agent.join(customer.id()).await;
    customer.hears_status(|status| status["agentName"] == "Ann of the CRM").await;
    assert_eq!(come_in().await.status, 401, "used");
    let (status, _) = ask(&rig, "POST", &path, Some(json!({ "name": "Ann", "expiresIn": 60.0 }))).await;
    assert_eq!(status, 201, "a whole number, however it is written");

    for wrong in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "a\u{1}" }),
        json!({ "name": "ann", "role": "admin" }),
        json!({ "name": "ann", "expiresIn": 0 }),
        json!({ "name": "ann", "more": 1 }),
        json!({ "name": "ann", "expiresIn": 1.5 }),
        json!(["ann", "agent", 60]),
    ] {
        let (status, problem) = ask(&rig, "POST", &path, Some(wrong.clone())).await;
        assert!((400..500).contains(&status), "{wrong} gave {status}");
        assert_eq!(problem["status"], status, "{problem}");
    }
}

#[tokio::test]
async fn the_history_says_what_happened_and_no_content() {
    let rig = rig().await;
    let (mut customer, mut agent) = rig.session(&[text("Private words")]).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.hears_status(|status| status["writeRequested"] == true).await;
    customer.says(json!({ "type": "answer", "allow": true })).await;
    agent.hears_status(|status| status["mode"] == "write").await;
    customer.says(json!({ "type": "exit" })).await;
    agent.hears_status(|status| status["ended"] == "customer_exit").await;
    // What is written down last is the end: the session is off the list then.
    let path = format!("/sessions/{}/history", customer.id());
    let told = async {
        loop {
            let (status, history) = ask(&rig, "GET", &path, None).await;
            assert_eq!(status, 200);
            if history["entries"].as_array().unwrap().iter().any(|entry| entry["what"] == "ended") {
                return history;
            }
        }
    };
    let history = crate::harness::soon("the end in the history", String::new, told).await;
    let entries = history["entries"].as_array().unwrap();
    let whats: Vec<_> = entries.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    for what in ["started", "joined", "page", "mode", "ended"] {
        assert!(whats.contains(&what), "{whats:?}");
    }
    assert_eq!(entries.last().unwrap()["reason"], "customer_exit");
    assert!(entries.iter().any(|entry| entry["name"] == "ann"));
    assert!(entries.iter().all(|entry| entry["at"].as_str().unwrap().ends_with('Z')));
    assert!(!history.to_string().contains("Private words"));
}

#[tokio::test]
async fn nothing_is_said_without_the_right_key() {
    let rig = rig().await;
    let customer = rig.customer().await;
    let one = format!("/sessions/{}", customer.id());
    let (end, links) = (format!("{one}/end"), format!("{one}/join-links"));
    let history = format!("{one}/history");
    let routes = [
        ("GET", "/sessions", Right::Read),
        ("GET", one.as_str(), Right::Read),
        ("GET", history.as_str(), Right::Read),
        ("PATCH", one.as_str(), Right::Attach),
        ("POST", end.as_str(), Right::End),
        ("POST", links.as_str(), Right::Invite),
        ("POST", "/interactions/x/end", Right::End),
    ];
    for (method, path, right) in routes {
        for wrong in ["", "wrong", "the key of the CRM "] {
            let answer = ask_with(&rig, wrong.trim_end_matches(' '), method, path, None).await;
            let known = wrong.trim() == KEY;
            assert_eq!(answer.status == 401, !known, "{method} {path} with {wrong:?}");
        }
        let nobody = request(rig.console, method, &format!("/api/v1{path}"), &[], b"").await;
        assert_eq!(nobody.status, 401, "{method} {path}");
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
        assert_eq!(nobody.header("content-type"), Some("application/problem+json"));
        let reader = ask_with(&rig, "only reads", method, path, None).await;
        assert_eq!(reader.status == 403, right != Right::Read, "{method} {path}: {}", reader.status);
    }
    let login = rig.agent().await.cookie;
    let cookie = request(rig.console, "GET", "/api/v1/sessions", &[("Cookie", &login)], b"").await;
    assert_eq!(cookie.status, 401, "a login of the console is no key");
}

#[tokio::test]
async fn a_key_that_asks_too_often_has_to_wait() {
    let rig = rig().await;
    let mut slowed = None;
    for _ in 0..10 {
        let answer = ask_with(&rig, "is slow", "GET", "/sessions", None).await;
        if answer.status == 429 {
            slowed = answer.header("retry-after").map(str::to_owned);
        }
    }
    assert!(slowed.unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(ask(&rig, "GET", "/sessions", None).await.0, 200, "others do not");
}

#[tokio::test]
async fn the_api_describes_itself() {
    let rig = rig().await;
    let answer = request(rig.console, "GET", "/api/v1/openapi.json", &[], b"").await;
    assert_eq!(answer.status, 200);
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let path = path.replace("{id}", "7KQ-M9X-D4R");
            let body = operation.get("requestBody").map(|_| json!({}));
            let (status, answer) = ask(&rig, &method.to_uppercase(), &path, body).await;
            let known = operation["responses"].as_object().unwrap();
            let told =
                known.contains_key(&status.to_string()) || known.contains_key(&format!("{}XX", status / 100));
            assert!(told, "{method} {path} answers {status}: {answer}");
            assert_ne!(status, 405, "{method} {path}");
        }
    }
    assert_eq!(operations, 7);
    for (method, path, expected) in [
        ("GET", "/nothing", 404),
        ("DELETE", "/sessions", 405),
        ("GET", "/sessions?limit=x", 400),
        ("GET", "/sessions?unknown=1", 400),
    ] {
        let (status, problem) = ask(&rig, method, path, None).await;
        assert_eq!((status, &problem["status"]), (expected, &json!(expected)), "{method} {path}");
    }
}

#[tokio::test]
async fn the_sites_script_says_what_a_session_is_about() {
    let rig = rig().await;
    let origin = format!("http://{}", rig.site);
    let start = async |body: &str| {
        let headers = [("Tandem", "1"), ("Origin", origin.as_str())];
        request(rig.site, "POST", "/.tandem/session", &headers, body.as_bytes()).await
    };
    let started = start(r#"{"interactionId":"call 7","metadata":{"queue":"sales"}}"#).await;
    assert_eq!(started.status, 201, "{}", started.text());
    let (_, found) = ask(&rig, "GET", "/sessions?interactionId=call%207", None).await;
    assert_eq!(found["sessions"][0]["metadata"], json!({ "queue": "sales" }));
    for wrong in ["{", "7", r#"{"more":1}"#, &json!({ "interactionId": "x".repeat(501) }).to_string()] {
        assert_eq!(start(wrong).await.status, 422, "{wrong}");
    }
}
