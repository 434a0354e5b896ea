//! Documents in frames: what is private there is in no byte that an agent gets, and what is not can be used.

use serde_json::{Value, json};

use crate::harness::page::{Piece, el, frame, text};
use crate::harness::{Rig, Setup};

const CANARY: &str = "KANARIE99";

/// A canary in everything of frames that is masked or hidden.
fn page() -> Vec<Piece> {
    let secret = text(CANARY);
    let inside = [
        text("Inside"),
        el("span", &[("id", "ssn"), ("title", CANARY)], std::slice::from_ref(&secret)),
        el("input", &[("id", "password"), ("type", "password"), ("value", CANARY)], &[]),
        el("div", &[("class", "balance")], &[el("img", &[("src", &format!("/{CANARY}.png"))], &[])]),
        frame(
            &[("id", "deep"), ("srcdoc", CANARY)],
            "about:srcdoc",
            &[el("p", &[("class", "card")], std::slice::from_ref(&secret))],
        ),
        el("button", &[("id", "more"), ("type", "button")], &[text("More")]),
    ];
    vec![
        text("Outside"),
        frame(&[("id", "frame"), ("srcdoc", &format!("<p>{CANARY}"))], "http://shop.test/widget", &inside),
        frame(
            &[("id", "veiled"), ("class", "balance"), ("name", CANARY)],
            "http://shop.test/x",
            &[el("p", &[("id", "in-veiled")], std::slice::from_ref(&secret))],
        ),
        frame(
            &[("id", "paused"), ("title", CANARY)],
            "http://shop.test/quiet/x",
            &[el("p", &[("id", "in-paused")], std::slice::from_ref(&secret))],
        ),
        // Nobody could reach into this one.
        el("iframe", &[("id", "foreign"), ("src", &format!("https://pay.test/?{CANARY}"))], &[]),
    ]
}

fn setup() -> Setup {
    let policy = format!("{}[[pause]]\nurls = [\"/quiet/**\"]\n", crate::harness::POLICY);
    Setup { policy, ..Setup::default() }
}

#[tokio::test]
async fn no_canary_in_a_frame_reaches_the_agent() {
    let rig = Rig::with(setup()).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Inside").await;
    for (id, marks) in
        [("ssn", 1), ("password", 1), ("veiled", 2), ("paused", 2), ("foreign", 8), ("frame", 0)]
    {
        assert_eq!(agent.mirror.marks(customer.node(id)), Some(marks), "#{id}");
    }
    assert_eq!(agent.mirror.marks(customer.node("in-veiled")), None);

    // A browser that withholds nothing: typed values, new content, another document, another address.
    let (password, deep, open) = (customer.node("password"), customer.node("deep"), customer.node("frame"));
    let mut patch = customer.page.patch();
    patch.byte(7);
    patch.uint(password);
    patch.byte(1);
    patch.string(CANARY);
    patch.byte(3);
    patch.uint(deep + 1);
    let anew = Piece::Document(
        "http://shop.test/other".into(),
        vec![el("html", &[], &[text("Navigated"), el("p", &[("class", "card")], &[text(CANARY)])])],
    );
    customer.page.insert(&mut patch, deep, &anew);
    customer.send_bytes(patch.finish()).await;
    agent.sees("Navigated").await;
    let mut patch = customer.page.patch();
    patch.byte(32);
    patch.uint(open + 1);
    patch.string("http://shop.test/quiet/now");
    customer.page.insert(&mut patch, 2, &text(" The end"));
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;
    assert_eq!(agent.mirror.marks(open), Some(2), "sharing pauses there now");
    assert!(!agent.mirror.text().contains("Inside"));

    agent.says(json!({ "type": "resync" })).await;
    agent.sees_page().await;
    assert!(agent.received.contains("Inside"), "the search would find what is there");
    assert!(!agent.received.contains(CANARY));
}

#[tokio::test]
async fn what_is_typed_in_a_frame_is_withheld_by_the_rules_of_its_address() {
    let policy = "urls = [\"/widget\"]\n[[mask]]\nselect = \"#pin\"\n";
    let rig = Rig::with(Setup { policy: policy.into(), ..Setup::default() }).await;
    let (mut customer, _agent) = rig.session(&[text("Outside")]).await;
    assert!(!customer.hears_last("withhold")["select"].to_string().contains("#pin"));
    customer.says(json!({ "type": "frame", "url": "http://shop.test/widget" })).await;
    let names =
        |message: &Value| message["type"] == "withhold" && message["frames"].to_string().contains("/widget");
    let rules = customer.hears_that("the rules of the frame", names).await;
    assert!(rules["frames"][0]["select"].to_string().contains("#pin"), "{rules}");
    assert!(!rules["select"].to_string().contains("#pin"));

    // Other policies: the page is asked for again, with what holds in the frame then.
    rig.policy("urls = [\"/widget\"]\n[[mask]]\nselect = \"#other\"\n");
    customer.hears_that("the new rules", |message| message["frames"].to_string().contains("#other")).await;
    customer.hears("share").await;

    // A page with more addresses in frames than anybody has gets no answer to the rest.
    for n in 0..80 {
        customer.says(json!({ "type": "frame", "url": format!("http://shop.test/{n}") })).await;
    }
    customer.says(json!({ "type": "pointer_left" })).await;
    let last = |message: &Value| message["frames"].as_array().is_some_and(|frames| frames.len() == 64);
    customer.hears_that("as many as there may be", last).await;
}

#[tokio::test]
async fn actions_in_a_frame_reach_it_as_far_as_the_agent_sees_it() {
    let rig = Rig::with(setup()).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let click = |node: u32| json!({ "kind": "click", "node": node, "x": 0.5, "y": 0.5 });
    for (id, reason) in [
        ("ssn", "private"),
        ("in-veiled", "private"),
        ("in-paused", "private"),
        ("veiled", "private"),
        ("foreign", "not_possible"),
    ] {
        assert_eq!(agent.acts(click(customer.node(id))).await, reason, "#{id}");
    }
    let (more, document) = (customer.node("more"), customer.node("frame") + 1);
    for action in [click(more), json!({ "kind": "scroll", "node": document, "x": 0, "y": 50 })] {
        let seq = agent.asks(action.clone()).await;
        let act = customer.hears("act").await;
        assert_eq!(act["action"]["node"], action["node"]);
        customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
        assert_eq!(agent.outcome(seq).await, "done");
    }
}
