//! Documents of other hosts in frames: who may join, what an agent gets of them, and who can touch what.

use serde_json::{Value, json};

use crate::harness::http::request;
use crate::harness::page::{Piece, el, text};
use crate::harness::{Agent, Customer, Rig, Setup};

const CANARY: &str = "KANARIE77";
const PAY: &str = "https://pay.test";
const FORM: &str = "https://pay.test/form";

fn page() -> Vec<Piece> {
    vec![
        text("Outside"),
        el("iframe", &[("id", "pay"), ("src", FORM)], &[]),
        el("iframe", &[("id", "veiled"), ("class", "balance")], &[]),
        el("p", &[("id", "text")], &[]),
    ]
}

/// What the frame shows: private things, a button, a picture and a frame of its own.
fn form() -> Vec<Piece> {
    vec![
        text("Inside"),
        el("span", &[("id", "ssn"), ("title", CANARY)], &[text(CANARY)]),
        el("input", &[("id", "password"), ("type", "password"), ("value", CANARY)], &[]),
        el("button", &[("id", "more"), ("type", "button")], &[text("More")]),
        el("img", &[("id", "picture"), ("src", "/logo.png")], &[]),
        el("iframe", &[("id", "deep"), ("src", "https://shop.test/deep")], &[]),
    ]
}

async fn joined(setup: Setup) -> (Rig, Customer, Customer, Agent) {
    let rig = Rig::with(setup).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    let ticket = customer.invites("pay").await;
    let mut inset = customer.inset(&ticket, PAY, FORM).await;
    inset.show_inset(&form()).await;
    agent.sees("Inside").await;
    (rig, customer, inset, agent)
}

#[tokio::test]
async fn the_document_of_a_frame_is_seen_masked_and_goes_with_its_connection() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    for (id, marks) in [("ssn", 1), ("password", 1), ("more", 0), ("deep", 8)] {
        assert_eq!(agent.mirror.marks(inset.node(id)), Some(marks), "#{id}");
    }
    // What is private in it is told to who has it.
    let ssn = inset.node("ssn");
    let marked = |message: &Value| {
        let marks = message["marks"].as_array();
        message["type"] == "private"
            && marks.is_some_and(|marks| marks.iter().any(|mark| mark["node"] == ssn))
    };
    inset.hears_that("what is private", marked).await;
    customer.says(json!({ "type": "alive" })).await;
    customer.hears("alive").await;
    assert!(!customer.heard.iter().any(marked));

    // It changes, and goes to another address of its own, where another rule holds.
    let (body, mut patch) = (inset.node("body"), inset.page.patch());
    inset.page.insert(&mut patch, body, &el("p", &[("class", "card")], &[text(CANARY)]));
    inset.page.insert(&mut patch, body, &text("And more"));
    patch.byte(10);
    patch.string("https://pay.test/other");
    inset.send_bytes(patch.finish()).await;
    agent.sees("And more").await;
    agent.says(json!({ "type": "resync" })).await;
    agent.sees_page().await;
    assert!(agent.received.contains("And more") && !agent.received.contains(CANARY));

    // A document in it, of the page's own host.
    let ticket = inset.invites("deep").await;
    let mut deep = customer.inset(&ticket, "https://shop.test", "https://shop.test/deep").await;
    deep.show_inset(&[text("Deep inside"), el("p", &[("class", "card")], &[text(CANARY)])]).await;
    agent.sees("Deep inside").await;
    assert!(!agent.received.contains(CANARY));
    inset.vanish().await;
    agent.sees_that("a box", |mirror| !mirror.text().contains("nside")).await;
    assert_eq!(agent.mirror.marks(customer.node("pay")), Some(8), "a frame of another site");
}

#[tokio::test]
async fn what_is_in_a_hidden_frame_stays_there() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    let ticket = customer.invites("veiled").await;
    let mut inset = customer.inset(&ticket, PAY, FORM).await;
    // Not even what is typed leaves the browser.
    assert!(inset.hears("withhold").await["select"].as_array().unwrap().contains(&json!("*")));
    inset.show_inset(&[text(CANARY)]).await;
    let mut patch = customer.page.patch();
    let body = customer.node("body");
    customer.page.insert(&mut patch, body, &text("The end"));
    inset.says(json!({ "type": "alive" })).await;
    inset.hears("alive").await;
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;
    assert!(!agent.received.contains(CANARY));
}

#[tokio::test]
async fn the_rules_of_the_page_and_of_the_frame_are_told_to_the_frame() {
    let policy = "urls = [\"https://pay.test/form\"]\n[[mask]]\nselect = \"#pin\"\n";
    let (rig, _customer, mut inset, _agent) =
        joined(Setup { policy: policy.into(), ..Setup::default() }).await;
    assert!(inset.hears_last("withhold")["select"].to_string().contains("#pin"));
    inset.says(json!({ "type": "frame", "url": "https://pay.test/widget" })).await;
    let named = |message: &Value| message["frames"].to_string().contains("/widget");
    inset.hears_that("the rules of a frame in it", named).await;
    // Other rules: all is told anew.
    rig.policy("urls = [\"https://pay.test/form\"]\n[[mask]]\nselect = \"#other\"\n");
    assert_eq!(inset.is_closed().await.0, 4002);
}

#[tokio::test]
async fn nobody_joins_without_a_ticket_of_their_own() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    let shown = agent.mirror.text();
    let ticket = customer.invites("pay").await;
    // Whoever it is, and however much they know.
    let name = ticket.split_once('.').unwrap().0;
    for (made_up, origin, url) in [
        ("", PAY, FORM),
        ("a.b", PAY, FORM),
        (name, PAY, FORM),
        (&format!("{name}."), PAY, FORM),
        // Of another origin than the address that it says: the rules of that address are not for it.
        (&ticket, "https://evil.test", FORM),
        (&ticket, PAY, "about:blank"),
        (&ticket, PAY, "http://pay.test/form"),
    ] {
        let mut stranger = customer.inset(made_up, origin, url).await;
        assert_eq!(stranger.is_closed().await.0, 4001, "{made_up} {origin} {url}");
    }
    // Only what is a frame is invited, only of this page, and only by who has it.
    let (paragraph, body) = (customer.node("text"), inset.node("body"));
    for (epoch, frame) in [
        (customer.page.epoch, paragraph),
        (customer.page.epoch, inset.node("deep")),
        (0, customer.node("pay")),
    ] {
        customer.says(json!({ "type": "invite", "epoch": epoch, "frame": frame })).await;
    }
    for frame in [body, customer.node("pay")] {
        inset.says(json!({ "type": "invite", "epoch": 0, "frame": frame })).await;
    }
    for browser in [&mut customer, &mut inset] {
        let tickets =
            |browser: &Customer| browser.heard.iter().filter(|message| message["type"] == "ticket").count();
        let before = tickets(browser);
        browser.says(json!({ "type": "alive" })).await;
        browser.hears("alive").await;
        assert_eq!(tickets(browser), before);
    }
    assert_eq!(agent.mirror.text(), shown);

    // The next document of the frame takes its place; a ticket is good once.
    let mut next = customer.inset(&ticket, PAY, "https://pay.test/next").await;
    next.show_inset(&[text("Next")]).await;
    agent.sees("Next").await;
    assert_eq!(inset.is_closed().await.0, 4002);
    assert_eq!(customer.inset(&ticket, PAY, FORM).await.is_closed().await.0, 4001);
    // Nothing is shared during a pause, and tickets from before are none after it.
    let old = customer.invites("pay").await;
    customer.says(json!({ "type": "pause" })).await;
    assert_eq!(next.is_closed().await.0, 4002);
    assert_eq!(customer.inset(&old, PAY, FORM).await.is_closed().await.0, 4001);
}

#[tokio::test]
async fn a_document_that_writes_into_another_one_is_shown_no_more() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    let mut patch = inset.page.patch();
    patch.byte(5);
    patch.uint(customer.node("veiled"));
    patch.string("class");
    inset.send_bytes(patch.finish()).await;
    let (code, reason) = inset.is_closed().await;
    assert_eq!((code, reason.as_str()), (4003, "changes that do not fit the frame"));
    agent.sees_that("a box", |mirror| !mirror.text().contains("Inside")).await;
    assert_eq!(agent.mirror.marks(customer.node("veiled")), Some(2), "hidden as before");
    // The page goes on.
    let (mut patch, body) = (customer.page.patch(), customer.node("body"));
    customer.page.insert(&mut patch, body, &text("The end"));
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;
}

#[tokio::test]
async fn actions_go_to_who_has_the_element_and_only_that_one_answers() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let click = |node: u32| json!({ "kind": "click", "node": node, "x": 0.5, "y": 0.5 });
    assert_eq!(agent.acts(click(inset.node("ssn"))).await, "private");
    let seq = agent.asks(click(inset.node("more"))).await;
    let act = inset.hears("act").await;
    assert_eq!(act["action"]["node"], inset.node("more"));
    // To an act of the page the document in the frame has nothing to say.
    let other = agent.asks(click(customer.node("text"))).await;
    let theirs = customer.hears("act").await;
    assert_eq!(inset.hears("act").await["action"]["kind"], "leave");
    inset.says(json!({ "type": "acted", "seq": theirs["seq"], "refused": "not_possible" })).await;
    inset.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
    assert_eq!(agent.outcome(seq).await, "done");
    customer.says(json!({ "type": "acted", "seq": theirs["seq"], "refused": null })).await;
    assert_eq!(agent.outcome(other).await, "done");
    // Who goes while it is asked can not answer.
    let seq = agent.asks(click(inset.node("more"))).await;
    inset.hears("act").await;
    inset.vanish().await;
    assert_eq!(agent.outcome(seq).await, "customer_away");
}

#[tokio::test]
async fn a_picture_is_asked_of_who_shows_it_and_brought_with_its_ticket() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    let ticket = customer.invites("pay").await;
    let mut inset = customer.inset(&ticket, PAY, FORM).await;
    inset.show_inset(&form()).await;
    agent.sees("Inside").await;
    let path = agent.mirror.attribute(inset.node("picture"), "src").unwrap().to_owned();
    let bring = async |want: &Value, pass: &str| {
        let to = format!("/.tandem/session/resource?want={want}");
        let headers =
            [("Host", "pay.test"), ("Origin", PAY), ("Tandem", pass), ("Content-Type", "image/png")];
        request(rig.site, "POST", &to, &headers, b"\x89PNG\r\n\x1a\nThe picture").await.status
    };
    let asked = async {
        let want = inset.hears("want").await;
        assert_eq!(want["url"], "https://pay.test/logo.png");
        let (name, _) = ticket.split_once('.').unwrap();
        assert_eq!(bring(&want["want"], "1").await, 410);
        assert_eq!(bring(&want["want"], &format!("{name}.made-up")).await, 410);
        assert_eq!(bring(&json!(99), &ticket).await, 410);
        bring(&want["want"], &ticket).await
    };
    let (answer, brought) = tokio::join!(agent.get(&path), asked);
    assert_eq!((answer.status, brought), (200, 204));
    assert!(answer.body.ends_with(b"The picture"));
}

#[tokio::test]
async fn the_customers_pointer_is_told_by_the_document_that_it_is_in() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    let document = inset.hears_last("share_inset")["first"].clone();
    let at = json!({ "x": 12.0, "y": 34.0 });
    customer.says(json!({ "type": "pointer", "at": at })).await;
    assert_eq!(agent.hears("pointer").await["within"], 1);
    for kind in ["pointer", "clicked"] {
        inset.says(json!({ "type": kind, "at": at })).await;
        assert_eq!(agent.hears(kind).await, json!({ "type": kind, "within": document, "at": at }));
    }
    // It has left the page, but for the frame.
    customer.says(json!({ "type": "pointer_left" })).await;
    customer.says(json!({ "type": "clicked", "at": at })).await;
    agent.hears("clicked").await;
    let left = |agent: &Agent| agent.heard.iter().any(|message| message["type"] == "pointer_left");
    assert!(!left(&agent));
    inset.vanish().await;
    agent.hears("pointer_left").await;

    // Where a frame is hidden, nobody is told where in it somebody clicks.
    let ticket = customer.invites("veiled").await;
    let mut veiled = customer.inset(&ticket, PAY, FORM).await;
    veiled.show_inset(&[text("A pad for a PIN")]).await;
    for kind in ["pointer", "clicked"] {
        veiled.says(json!({ "type": kind, "at": at })).await;
    }
    veiled.says(json!({ "type": "alive" })).await;
    veiled.hears("alive").await;
    let before = agent.heard.len();
    customer.says(json!({ "type": "clicked", "at": at })).await;
    agent.hears("clicked").await;
    assert_eq!(agent.heard.last().unwrap()["within"], 1);
    let told = |message: &Value| message["type"] == "pointer" || message["type"] == "clicked";
    assert_eq!(agent.heard[before..].iter().filter(|message| told(message)).count(), 1);
}

#[tokio::test]
async fn the_agents_pointer_is_in_one_document_and_lets_go_where_it_holds() {
    let (_rig, mut customer, mut inset, mut agent) = joined(Setup::default()).await;
    agent.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let (there, here) = (inset.node("more"), customer.node("text"));
    let on = |kind: &str, node: u32| json!({ "kind": kind, "node": node, "x": 0.5, "y": 0.5 });
    let act = |message: &Value| message["type"] == "act";
    agent.asks(on("hover", there)).await;
    assert_eq!(inset.hears_that("hover", act).await["action"]["kind"], "hover");
    agent.asks(on("hover", here)).await;
    assert_eq!(inset.hears_that("that it leaves", act).await["action"]["kind"], "leave");
    assert_eq!(customer.hears_that("hover", act).await["action"]["kind"], "hover");
    agent.asks(on("press", there)).await;
    assert_eq!(customer.hears_that("that it leaves", act).await["action"]["kind"], "leave");
    let drag = |kind: &str| json!({ "kind": kind, "node": there, "at": { "x": 1.0, "y": 2.0 } });
    for action in [drag("drag"), json!({ "kind": "let_go" }), json!({ "kind": "leave" })] {
        agent.asks(action).await;
    }
    let kinds: [&str; 4] = ["press", "drag", "let_go", "leave"];
    for kind in kinds {
        let act = inset.hears_that(kind, act).await;
        assert_eq!(act["action"]["kind"], kind);
        inset.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
    }
    // When it is gone, what is left is the page's.
    agent.asks(on("hover", there)).await;
    inset.hears_that("hover", act).await;
    inset.vanish().await;
    agent.sees_that("a box", |mirror| !mirror.text().contains("Inside")).await;
    let seq = agent.asks(json!({ "kind": "leave" })).await;
    let act = customer.hears_that("that it leaves", act).await;
    customer.says(json!({ "type": "acted", "seq": act["seq"], "refused": null })).await;
    assert_eq!(agent.outcome(seq).await, "done");
}
