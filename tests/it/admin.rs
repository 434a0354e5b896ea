//! Administrators see the rules in force, how often each matches, and what is wrong with files that are not; nobody
//! else does.

use serde_json::Value;

use crate::harness::agent::log_in;
use crate::harness::http::{Answer, request};
use crate::harness::page::{el, text};
use crate::harness::{Agent, DEADLINE, PASSWORD, Rig, Setup};

const POLICY: &str = "roles = [\"agent\"]\n[[mask]]\nselect = \".card\"\n[[hide]]\nselect = \"#gone\"\n\
                      [[navigate]]\nurls = [\"/private/**\"]\nagent = \"denied\"\n";

async fn report(rig: &Rig, admin: &Agent) -> Value {
    let answer = admin.get("/console/admin/policy").await;
    assert_eq!(answer.status, 200, "{} {}", answer.text(), rig.console);
    serde_json::from_str(&answer.text()).unwrap()
}

/// How often the rule of this line matched.
fn matched(report: &Value, line: u64) -> u64 {
    let rules = report["files"][0]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["line"] == line).unwrap()["matched"].as_u64().unwrap()
}

async fn metric(rig: &Rig, name: &str) -> Option<f64> {
    let answer = request(rig.console, "GET", "/metrics", &[], b"").await;
    let text = answer.text();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn each_rule_counts_what_it_matches_in_live_sessions() {
    let rig = Rig::with(Setup { policy: POLICY.into(), ..Setup::default() }).await;
    let admin = Agent::log_in(rig.console, "amy").await;
    let before = report(&rig, &admin).await;
    assert_eq!((matched(&before, 2), before["sessions"].as_u64()), (0, Some(0)));
    assert_eq!(before["files"][0]["roles"], serde_json::json!(["agent"]));

    let card = |name: &str| el("p", &[("class", "card")], &[text(name)]);
    let (mut customer, mut agent) = rig.session(&[card("one"), card("two"), text("Welcome")]).await;
    agent.sees("Welcome").await;
    let body = customer.node("body");
    let mut patch = customer.page.patch();
    customer.page.insert(&mut patch, body, &card("three"));
    customer.page.insert(&mut patch, body, &text("The end"));
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;
    agent.says(serde_json::json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let refused = agent.acts(serde_json::json!({ "kind": "navigate", "url": "/private/x" })).await;
    assert_eq!(refused, "disabled");

    let now = report(&rig, &admin).await;
    assert_eq!((matched(&now, 2), matched(&now, 4), matched(&now, 6)), (3, 0, 1));
    assert_eq!(now["sessions"], 1);
    assert_eq!(metric(&rig, "tandem_policy_matches_total{kind=\"mask\"}").await, Some(3.0));
    assert_eq!(metric(&rig, "tandem_session_actions_refused_total{reason=\"disabled\"}").await, Some(1.0));
    assert_eq!(metric(&rig, "tandem_policy_rules").await, Some(3.0));
}

#[tokio::test]
async fn a_broken_change_is_shown_with_its_place_until_it_is_corrected() {
    let rig = Rig::with(Setup { policy: POLICY.into(), ..Setup::default() }).await;
    let admin = Agent::log_in(rig.console, "amy").await;
    assert_eq!(metric(&rig, "tandem_policy_broken").await, Some(0.0));
    rig.policy("[[mask]]\nselect = \".card\"\n\n[[mask]]\nselct = \"p\"\n");
    rig.refuses_policies(1).await;
    let broken = report(&rig, &admin).await;
    let error = &broken["errors"][0];
    assert!(error["file"].as_str().unwrap().ends_with("test.toml"), "{error}");
    assert_eq!((error["line"].as_u64(), error["column"].as_u64()), (Some(5), Some(1)));
    assert_eq!(error["message"], "unknown key `selct`");
    assert!(error["text"].as_str().unwrap().contains("did you mean `select`?"), "{error}");
    assert_eq!(broken["files"][0]["rules"].as_array().unwrap().len(), 3, "the last good ones are in force");
    assert_eq!(metric(&rig, "tandem_policy_broken").await, Some(1.0));
    assert_eq!(metric(&rig, "tandem_policy_reloads_total{result=\"broken\"}").await, Some(1.0));

    rig.policy("[[mask]]\nselect = \".card\"\n");
    let corrected = async {
        while report(&rig, &admin).await["errors"] != serde_json::json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, corrected).await.expect("the corrected file is taken");
    assert_eq!(report(&rig, &admin).await["taken"], 1);
    assert_eq!(metric(&rig, "tandem_policy_broken").await, Some(0.0));
    assert_eq!(metric(&rig, "tandem_policy_reloads_total{result=\"taken\"}").await, Some(1.0));
}

#[tokio::test]
async fn only_administrators_get_an_answer() {
    let rig = Rig::start().await;
    let ask = async |cookie: &str| -> Answer {
        request(rig.console, "GET", "/console/admin/policy", &[("Cookie", cookie)], b"").await
    };
    assert_eq!(ask("").await.status, 401);
    for name in ["ann", "sue"] {
        let cookie = log_in(rig.console, name, PASSWORD).await.cookie().unwrap();
        let answer = ask(&cookie).await;
        assert_eq!(answer.status, 403, "{name}");
        assert!(!answer.text().contains("select"), "{name}");
    }
    let page = request(rig.console, "GET", "/admin", &[], b"").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    assert!(!page.text().contains("#ssn"), "the page itself says nothing");
}
