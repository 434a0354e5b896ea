//! Every action of an agent is checked on the server: what a hand-written client can not do.

use serde_json::{Value, json};

use crate::harness::page::{Piece, el, text};
use crate::harness::{Agent, Customer, Rig, Setup};

fn form() -> Vec<Piece> {
    vec![
        el(
            "form",
            &[],
            &[
                el("input", &[("id", "name"), ("type", "text")], &[]),
                el("input", &[("id", "secret"), ("type", "password")], &[]),
                el("input", &[("id", "card"), ("class", "card")], &[]),
                el("input", &[("id", "off"), ("disabled", "")], &[]),
                el(
                    "select",
                    &[("id", "country")],
                    &[el("option", &[], &[text("A")]), el("option", &[], &[text("B")])],
                ),
                el("button", &[("id", "send")], &[el("span", &[("id", "label")], &[text("Send")])]),
                el("button", &[("id", "plain"), ("type", "button")], &[text("More")]),
            ],
        ),
        el(
            "form",
            &[("class", "newsletter")],
            &[el("button", &[("id", "subscribe"), ("type", "submit")], &[text("Join")])],
        ),
        el("a", &[("id", "inside"), ("href", "/next")], &[text("Next")]),
        el("a", &[("id", "outside"), ("href", "https://evil.test/")], &[text("Away")]),
        el("a", &[("id", "logout"), ("href", "/logout")], &[text("Log out")]),
        el("div", &[("class", "balance")], &[el("b", &[("id", "amount")], &[text("9,999")])]),
        el("p", &[("id", "free"), ("contenteditable", "true")], &[text("Write here")]),
    ]
}

async fn session(rig: &Rig) -> (Customer, Agent) {
    let (mut customer, mut agent) = rig.session(&form()).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    (customer, agent)
}

fn click(node: u32) -> Value {
    json!({ "kind": "click", "node": node, "x": 0.5, "y": 0.5 })
}

fn input(node: u32, value: &str) -> Value {
    json!({ "kind": "input", "node": node, "base": 0, "change": [1, -2, value], "input": "insertText" })
}

#[tokio::test]
async fn in_pointer_mode_nothing_can_be_done() {
    let rig = Rig::start().await;
    let (customer, mut agent) = rig.session(&form()).await;
    for action in [
        click(customer.node("plain")),
        input(customer.node("name"), "x"),
        json!({ "kind": "navigate", "url": "/next" }),
        json!({ "kind": "back" }),
        json!({ "kind": "forward" }),
        json!({ "kind": "refresh" }),
        json!({ "kind": "scroll", "node": 1, "x": 0, "y": 10 }),
        json!({ "kind": "select", "node": customer.node("country"), "indexes": [1] }),
        json!({ "kind": "key", "node": customer.node("name"), "key": "Escape" }),
        json!({ "kind": "menu", "node": customer.node("plain"), "x": 0.5, "y": 0.5 }),
        json!({ "kind": "hover", "node": customer.node("plain"), "x": 0.5, "y": 0.5 }),
        json!({ "kind": "leave" }),
        json!({ "kind": "press", "node": customer.node("plain"), "x": 0.5, "y": 0.5 }),
        json!({ "kind": "drag", "node": customer.node("plain"), "at": { "x": 9, "y": 9 } }),
        json!({ "kind": "drop", "node": customer.node("plain"), "at": { "x": 9, "y": 9 } }),
        json!({ "kind": "let_go" }),
        json!({ "kind": "wheel", "node": customer.node("plain"), "x": 0.5, "y": 0.5, "dx": 0, "dy": 9 }),
        json!({ "kind": "ask", "node": customer.node("plain") }),
    ] {
        assert_eq!(agent.acts(action.clone()).await, "pointer_mode", "{action}");
    }
    assert!(customer.heard.iter().all(|message| message["type"] != "act"));
}

#[tokio::test]
async fn in_write_mode_what_is_allowed_reaches_the_customers_page() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    customer.says(leads(&rig, Some("/before"), Some("/after"))).await;
    for action in [
        click(customer.node("plain")),
        click(customer.node("inside")),
        input(customer.node("name"), "Ada"),
        json!({ "kind": "select", "node": customer.node("country"), "indexes": [1] }),
        json!({ "kind": "scroll", "node": 1, "x": 0, "y": 10 }),
        json!({ "kind": "navigate", "url": "/next" }),
        json!({ "kind": "back" }),
        json!({ "kind": "forward" }),
        json!({ "kind": "refresh" }),
    ] {
        let asked = agent.asks(action.clone()).await;
        let act = customer.hears("act").await;
        assert_eq!(act["action"]["kind"], action["kind"]);
        assert_eq!(act["submit"], false);
        customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
        assert_eq!(agent.outcome(asked).await, "done", "{action}");
    }
    let asked = agent.asks(click(customer.node("plain"))).await;
    let act = customer.hears("act").await;
    customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": "covered" })).await;
    assert_eq!(agent.outcome(asked).await, "covered");
}

#[tokio::test]
async fn what_an_agent_aims_at_is_of_the_page_that_they_see() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    let before = agent.mirror.epoch;
    customer.reconnect().await;
    customer.hears("share").await;
    assert_eq!(agent.acts(click(customer.node("plain"))).await, "gone", "its browser counts anew already");
    customer.show(&form()).await;
    agent.sees_page().await;
    let now = std::mem::replace(&mut agent.mirror.epoch, before);
    assert_eq!(agent.acts(click(customer.node("plain"))).await, "gone", "it was another page's");
    agent.mirror.epoch = now;
    agent.asks(click(customer.node("plain"))).await;
    customer.hears("act").await;
    assert_eq!(customer.heard.iter().filter(|message| message["type"] == "act").count(), 1);
}

/// What the customer's browser tells of its history.
fn leads(rig: &Rig, back: Option<&str>, forward: Option<&str>) -> Value {
    let [back, forward] = [back, forward].map(|path| path.map(|path| format!("http://{}{path}", rig.site)));
    json!({ "type": "neighbours", "back": back, "forward": forward })
}

#[tokio::test]
async fn back_and_forward_lead_only_where_an_agent_may_go() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    let (back, forward) = (json!({ "kind": "back" }), json!({ "kind": "forward" }));
    let settled = async |customer: &mut Customer, agent: &mut Agent| {
        let asked = agent.asks(click(customer.node("plain"))).await;
        let act = customer.hears("act").await;
        customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
        assert_eq!(agent.outcome(asked).await, "done");
    };
    assert_eq!(agent.acts(back.clone()).await, "nowhere");
    customer.says(leads(&rig, Some("/logout"), None)).await;
    settled(&mut customer, &mut agent).await;
    assert_eq!(agent.acts(back.clone()).await, "disabled", "the policy denies that address");
    assert_eq!(agent.acts(forward).await, "nowhere");
    customer.says(json!({ "type": "neighbours", "back": "https://evil.test/", "forward": null })).await;
    settled(&mut customer, &mut agent).await;
    assert_eq!(agent.acts(back.clone()).await, "outside_site");

    customer.says(leads(&rig, Some("/before"), None)).await;
    settled(&mut customer, &mut agent).await;
    agent.asks(back.clone()).await;
    let act = customer.hears("act").await;
    assert_eq!(act["to"], format!("http://{}/before", rig.site), "there and nowhere else");
    // Of the next page nothing is known yet.
    customer.reconnect().await;
    customer.show(&form()).await;
    agent.sees_page().await;
    assert_eq!(agent.acts(back).await, "nowhere");
}

#[tokio::test]
async fn a_file_that_an_agents_action_brings_is_kept_back_and_the_customers_own_is_not() {
    use axum::routing::get;
    let list = async || ([("content-disposition", "attachment; filename=a.csv")], "a,b");
    let page = async || ([("content-type", "text/html")], "<p>A page");
    let origin =
        axum::Router::new().route("/list", get(list)).route("/named", get(list)).route("/page", get(page));
    let policy = "[[navigate]]\nurls = ['/**', '/named']\nagent = 'allowed'\n".into();
    let rig = Rig::with(Setup { origin, policy, ..Setup::default() }).await;
    let (mut customer, mut agent) = session(&rig).await;
    let cookie = customer.cookie.clone();
    let load = async |path: &str, dest: &str| {
        let headers = [("Cookie", cookie.as_str()), ("Sec-Fetch-Dest", dest)];
        crate::harness::http::request(rig.site, "GET", path, &headers, b"").await.status
    };
    assert_eq!(load("/list", "document").await, 200, "nobody did anything");
    let asked = agent.asks(click(customer.node("plain"))).await;
    let act = customer.hears("act").await;
    customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
    assert_eq!(agent.outcome(asked).await, "done");
    for (path, dest, status) in [
        ("/page", "document", 200),
        ("/list", "image", 200),
        ("/named", "document", 200),
        ("/list", "iframe", 204),
        ("/list", "document", 204),
    ] {
        assert_eq!(load(path, dest).await, status, "{path} as {dest}");
    }
    assert_eq!(agent.outcome(asked).await, "needs_customer", "the agent is told");

    customer.says(json!({ "type": "gesture" })).await;
    let settled = agent.asks(json!({ "kind": "scroll", "node": 1, "x": 0, "y": 10 })).await;
    let act = customer.hears_that("the scroll", |message| message["action"]["kind"] == "scroll").await;
    customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
    assert_eq!(agent.outcome(settled).await, "done");
    assert_eq!(load("/list", "document").await, 200);
}

#[tokio::test]
async fn what_is_private_or_switched_off_can_not_be_used() {
    let rig = Rig::start().await;
    let (customer, mut agent) = session(&rig).await;
    for (action, refusal) in [
        (input(customer.node("secret"), "x"), "private"),
        (click(customer.node("secret")), "private"),
        (input(customer.node("card"), "4111"), "private"),
        (click(customer.node("amount")), "private"),
        (click(customer.node("send")), "disabled"),
        (click(customer.node("label")), "disabled"),
        (input(customer.node("off"), "x"), "disabled"),
        (json!({ "kind": "key", "node": customer.node("name"), "key": "Enter" }), "disabled"),
        (json!({ "kind": "key", "node": customer.node("outside"), "key": "Enter" }), "outside_site"),
        (click(customer.node("logout")), "disabled"),
        (json!({ "kind": "navigate", "url": "https://evil.test/" }), "outside_site"),
        (json!({ "kind": "navigate", "url": "//evil.test/" }), "outside_site"),
        (json!({ "kind": "navigate", "url": "javascript:alert(1)" }), "not_possible"),
        (json!({ "kind": "navigate", "url": "/logout" }), "disabled"),
        (click(999_999), "gone"),
    ] {
        assert_eq!(agent.acts(action.clone()).await, refusal, "{action}");
    }
    assert!(customer.heard.iter().all(|message| message["type"] != "act"));
}

#[tokio::test]
async fn a_submit_button_works_where_the_policy_enables_it() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    agent.asks(click(customer.node("subscribe"))).await;
    assert_eq!(customer.hears("act").await["submit"], true);
}

#[tokio::test]
async fn the_customer_can_take_control_back() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    customer.says(json!({ "type": "take_back" })).await;
    agent.hears_status(|status| status["mode"] == "pointer" && status["modeReason"] == "taken_back").await;
    assert_eq!(agent.acts(click(customer.node("plain"))).await, "pointer_mode");
}

#[tokio::test]
async fn not_now_means_no() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&form()).await;
    customer.says(json!({ "type": "answer", "allow": true })).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.hears_status(|status| status["writeRequested"] == true).await;
    customer.says(json!({ "type": "answer", "allow": false })).await;
    agent.hears_status(|status| status["modeReason"] == "declined").await;
    assert_eq!(agent.acts(click(customer.node("plain"))).await, "pointer_mode");
}

#[tokio::test]
async fn an_agent_can_not_give_itself_the_customers_answer() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&form()).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.hears_status(|status| status["writeRequested"] == true).await;
    agent.says(json!({ "type": "answer", "allow": true })).await;
    assert_eq!(agent.is_closed().await.0, 4003);
}

#[tokio::test]
async fn after_the_end_nothing_can_be_done() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    customer.says(json!({ "type": "exit" })).await;
    agent.hears_status(|status| status["phase"] == "ended").await;
    agent.asks(click(customer.node("plain"))).await;
    assert_eq!(agent.is_closed().await.0, 4001);
    assert!(customer.heard.iter().all(|message| message["type"] != "act"));
}

#[tokio::test]
async fn an_action_that_the_customer_leaves_behind_is_answered() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    let asked = agent.asks(click(customer.node("plain"))).await;
    customer.hears("act").await;
    customer.vanish().await;
    assert_eq!(agent.outcome(asked).await, "customer_away");
    assert_eq!(agent.acts(click(customer.node("plain"))).await, "customer_away");
}

#[tokio::test]
async fn answers_that_a_fresh_view_takes_the_place_of_come_with_it() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    let edit = |node: u32| {
        let spot = json!({ "node": node, "offset": 0, "base": 0 });
        json!({ "kind": "edit", "anchor": spot, "focus": spot, "input": "insertText", "text": "x" })
    };
    let [done, refused, open] = [customer.node("free"), customer.node("secret"), customer.node("free")];
    let done = agent.asks(edit(done)).await;
    let act = customer.hears("act").await;
    let at = json!({ "node": customer.node("free"), "offset": 1 });
    customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null, "at": at })).await;
    assert_eq!(agent.outcome(done).await, "done");
    assert_eq!(agent.acts(input(refused, "x")).await, "private");
    agent.asks(edit(open)).await;
    customer.hears("act").await;
    agent.says(json!({ "type": "resync" })).await;
    let answers = agent.hears("answers").await["answers"].clone();
    assert_eq!(
        answers,
        json!([{ "seq": 1, "reason": null, "at": at }, { "seq": 2, "reason": "private", "at": null }])
    );
}

#[tokio::test]
async fn what_an_action_led_to_later_is_told_to_the_agent() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = session(&rig).await;
    customer.says(json!({ "type": "stopped", "reason": "needs_customer" })).await;
    assert_eq!(agent.outcome(0).await, "needs_customer");
}

#[tokio::test]
async fn a_press_that_needs_the_customer_is_shown_to_them() {
    let mut page = form();
    page.push(el("input", &[("id", "file"), ("type", "file")], &[]));
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    agent.asks(click(customer.node("file"))).await;
    let act = customer.hears("act").await;
    assert_eq!(act["action"], json!({ "kind": "ask", "node": customer.node("file") }));
}
