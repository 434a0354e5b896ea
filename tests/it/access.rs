//! Who may do what: every role against every action, logins that end before their time, and guessing in any way.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::console::agents::Agents;
use tandem::protocol::agent::Role;

use crate::harness::agent::log_in;
use crate::harness::http::{Answer, request};
use crate::harness::page::el;
use crate::harness::{Agent, PASSWORD, Rig, Setup};

async fn post(rig: &Rig, cookie: &str, path: &str, body: Value) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Tandem", "1"), ("Cookie", cookie)];
    request(rig.console, "POST", path, &headers, body.to_string().as_bytes()).await
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// A rig in which agents see who waits.
async fn listing() -> Rig {
    let change = |config: &mut tandem::config::Config| config.console.settings.list_waiting = true;
    Rig::with(Setup { change: Box::new(change), ..Setup::default() }).await
}

/// What each role gets for each thing that can be asked. `nobody` is not logged in; `linked` has a link for one
/// session as its agent, `beside` one for another session.
#[tokio::test]
async fn every_role_may_do_what_it_is_for_and_nothing_else() {
    const WHO: [&str; 6] = ["nobody", "agent", "supervisor", "admin", "linked", "beside"];
    // In the order of `WHO`: the status of an answer; of a socket, the code with which it closes, or 0 when it joins.
    let matrix: [(&str, [u16; 6]); 14] = [
        ("GET /console/me", [401, 200, 200, 200, 200, 200]),
        ("GET /console/waiting", [401, 200, 200, 200, 200, 200]),
        ("GET /console/session/{idle}", [401, 200, 409, 200, 200, 403]),
        ("GET /console/session/{held}", [401, 409, 200, 409, 403, 403]),
        ("SOCKET {held}", [4004, 4005, 0, 4005, 4004, 4004]),
        ("GET /session/{held}/resource/none", [401, 404, 404, 404, 401, 401]),
        ("GET /console/admin/policy", [401, 403, 403, 200, 401, 401]),
        ("GET /console/admin/health", [401, 403, 403, 200, 401, 401]),
        ("GET /console/admin/sessions", [401, 403, 403, 200, 401, 401]),
        ("GET /console/admin/agents", [401, 403, 403, 200, 401, 401]),
        ("POST /console/admin/logout", [401, 403, 403, 204, 401, 401]),
        ("POST /console/admin/session/{idle}/end", [401, 403, 403, 204, 401, 401]),
        ("GET /api/v1/sessions", [401, 401, 401, 401, 401, 401]),
        ("GET /metrics", [200, 200, 200, 200, 200, 200]),
    ];
    for (at, who) in WHO.iter().enumerate() {
        let change = |config: &mut tandem::config::Config| {
            config.console.settings.list_waiting = true;
            let sha256 = <sha2::Sha256 as sha2::Digest>::digest(b"key").into();
            let rate = std::num::NonZeroU32::MIN.saturating_add(99);
            let rights = tandem::api::Right::ALL.to_vec();
            config.api = vec![tandem::api::Key { name: "crm".into(), sha256, rights, rate }];
        };
        let rig = Rig::with(Setup { change: Box::new(change), ..Setup::default() }).await;
        let (idle, mut other) = (rig.customer().await, rig.customer().await);
        let mut holder = rig.agent().await;
        holder.join(other.id()).await;
        other.show(&[el("p", &[], &[])]).await;
        let link = async |id: &str| {
            let path = format!("/api/v1/sessions/{id}/join-links");
            let headers = [("Content-Type", "application/json"), ("Authorization", "Bearer key")];
            let answer = request(rig.console, "POST", &path, &headers, br#"{"name":"Lin"}"#).await;
            let url = json(&answer)["url"].as_str().unwrap().to_owned();
            let token = url.split("#token=").nth(1).unwrap().to_owned();
            post(&rig, "", "/console/token", json!({ "token": token })).await.cookie().unwrap()
        };
        let third = rig.customer().await;
        let cookie = match *who {
            "nobody" => "tandem_agent=guess".to_owned(),
            "agent" => log_in(rig.console, "ben", PASSWORD).await.cookie().unwrap(),
            "supervisor" => log_in(rig.console, "sue", PASSWORD).await.cookie().unwrap(),
            "admin" => log_in(rig.console, "amy", PASSWORD).await.cookie().unwrap(),
            "linked" => link(idle.id()).await,
            _ => link(third.id()).await,
        };
        let all = request(rig.console, "GET", "/console/waiting", &[("Cookie", &cookie)], b"").await;
        let told = ["agent", "supervisor", "admin"].contains(who);
        assert_eq!(json(&all)["sessions"].is_array(), told, "{who}");
        for (what, expected) in &matrix {
            let what_for = what.replace("{idle}", idle.id()).replace("{held}", other.id());
            let (method, path) = what_for.split_once(' ').unwrap();
            let got = match method {
                "GET" => request(rig.console, "GET", path, &[("Cookie", &cookie)], b"").await.status,
                "POST" => post(&rig, &cookie, path, json!({ "name": "nobody at all" })).await.status,
                _ => {
                    let mut agent = Agent::logged_in(rig.console, cookie.clone());
                    agent.connect(path).await;
                    if expected[at] == 0 {
                        agent.hears("welcome").await;
                        assert_eq!(agent.acts(json!({ "kind": "back" })).await, "watching");
                        0
                    } else {
                        agent.is_closed().await.0
                    }
                }
            };
            assert_eq!(got, expected[at], "{who}: {what}");
        }
    }
}

#[tokio::test]
async fn an_administrator_sees_what_lives_and_ends_it() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[el("p", &[], &[])]).await;
    let waits = rig.customer().await;
    let amy = Agent::log_in(rig.console, "amy").await;
    let list = json(&amy.get("/console/admin/sessions").await);
    assert_eq!(list["count"], 2);
    let of = |id: &str| {
        let all = list["sessions"].as_array().unwrap();
        all.iter().find(|session| session["sessionId"] == id).unwrap().clone()
    };
    let held = of(customer.id());
    assert_eq!(
        (&held["phase"], &held["agentName"], &held["mode"]),
        (&json!("active"), &json!("ann"), &json!("pointer"))
    );
    assert!(held["page"].as_str().unwrap().starts_with("http://"), "{held}");
    assert_eq!((&of(waits.id())["phase"], &of(waits.id())["page"]), (&json!("idle"), &Value::Null));

    let path = format!("/console/admin/session/{}/end", customer.id());
    let forged = request(rig.console, "POST", &path, &[("Cookie", &amy.cookie)], b"").await;
    assert_eq!(forged.status, 403, "a form of another site");
    assert_eq!(post(&rig, &amy.cookie, &path, json!({})).await.status, 204);
    customer.hears_status(|status| status["ended"] == "administrator").await;
    agent.hears_status(|status| status["ended"] == "administrator").await;
    assert_eq!(post(&rig, &amy.cookie, &path, json!({})).await.status, 410);

    let health = json(&amy.get("/console/admin/health").await);
    assert_eq!((&health["stopping"], &health["sessions"]), (&json!(false), &json!(1)));
}

#[tokio::test]
async fn a_login_that_is_ended_closes_what_it_has_open() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[el("p", &[], &[])]).await;
    let amy = Agent::log_in(rig.console, "amy").await;
    let list = json(&amy.get("/console/admin/agents").await);
    let ann = list["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == "ann").unwrap();
    assert_eq!(
        *ann,
        json!({ "name": "ann", "role": "agent", "filed": true, "logins": 1, "sessions": [customer.id()] })
    );
    assert_eq!(post(&rig, &amy.cookie, "/console/admin/logout", json!({ "name": "ann" })).await.status, 204);
    assert_eq!(agent.is_closed().await.0, 4004);
    customer.hears_status(|status| status["agent"] == "away").await;
    assert_eq!(agent.get("/console/me").await.status, 401);
    let rig = rig.restart().await;
    agent.return_to(rig.console);
    assert_eq!(agent.get("/console/me").await.status, 401, "also after a restart");
}

#[tokio::test]
async fn a_changed_agents_file_holds_while_the_server_runs() {
    let rig = Rig::start().await;
    let (_customer, mut ann) = rig.session(&[el("p", &[], &[])]).await;
    let ben = Agent::log_in(rig.console, "ben").await;
    let file = rig.path("agents.toml");
    let mut agents = Agents::read(&file).unwrap();
    assert!(agents.remove("ann"));
    agents.add("new", Role::Agent, PASSWORD).unwrap();
    agents.write(&file).unwrap();
    assert_eq!(ann.is_closed().await.0, 4004, "gone from the file");
    assert_eq!(ann.get("/console/me").await.status, 401);
    assert_eq!(log_in(rig.console, "ann", PASSWORD).await.status, 401);
    assert_eq!(log_in(rig.console, "new", PASSWORD).await.status, 200);
    assert_eq!(ben.get("/console/me").await.status, 200, "nothing has changed for him");

    std::fs::write(&file, "[agent.ben\n").unwrap();
    agents.add("ben", Role::Agent, "another password").unwrap();
    agents.write(&file).unwrap();
    let gone = async {
        while ben.get("/console/me").await.status == 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    crate::harness::soon("the end of a login whose password has changed", String::new, gone).await;
    assert_eq!(log_in(rig.console, "ben", "another password").await.status, 200);
}

#[tokio::test]
async fn a_login_ends_after_its_time() {
    let change = |config: &mut tandem::config::Config| {
        config.console.settings.login_lifetime = Duration::from_secs(1);
    };
    let rig = Rig::with(Setup { change: Box::new(change), ..Setup::default() }).await;
    let agent = rig.agent().await;
    let over = async {
        while agent.get("/console/me").await.status == 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    crate::harness::soon("the end of a login", String::new, over).await;
}

#[tokio::test]
async fn session_ids_can_be_guessed_nowhere() {
    let rig = Rig::start().await;
    let customer = rig.customer().await;
    let agent = rig.agent().await;
    for _ in 0..10 {
        let mut guess = Agent::logged_in(rig.console, agent.cookie.clone());
        guess.connect("7KQ-M9X-D4R").await;
        assert_eq!(guess.is_closed().await.0, 4001);
    }
    let mut guess = Agent::logged_in(rig.console, agent.cookie.clone());
    guess.connect(customer.id()).await;
    assert_eq!(guess.is_closed().await.0, 1012, "a right one does not tell either");
    assert_eq!(agent.looks_up(customer.id()).await.0, 429, "tries count together");
    let resource = |id: &str| format!("/session/{id}/resource/none");
    let (right, wrong) =
        (agent.get(&resource(customer.id())).await, agent.get(&resource("7KQ-M9X-D4R")).await);
    assert_eq!((right.status, right.body), (wrong.status, wrong.body), "no answer tells them apart");
}

#[tokio::test]
async fn sessions_that_wait_are_listed_where_the_settings_say_so() {
    let rig = listing().await;
    let (held, waits) = (rig.customer().await, rig.customer().await);
    let (mut ann, sue) = (rig.agent().await, Agent::log_in(rig.console, "sue").await);
    let ids = |answer: &Answer| -> Vec<String> {
        let all = json(answer)["sessions"].as_array().unwrap().clone();
        all.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&ann.get("/console/waiting").await), [held.id(), waits.id()]);
    ann.join(held.id()).await;
    assert_eq!(ids(&ann.get("/console/waiting").await), [waits.id()]);
    assert_eq!(ids(&sue.get("/console/waiting").await), [held.id()], "what she can watch");

    let rig = Rig::start().await;
    let agent = rig.agent().await;
    assert_eq!(json(&agent.get("/console/waiting").await), json!({ "sessions": null }));
}
