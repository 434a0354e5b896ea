//! Policy files are edited while sessions run: what they say holds at once, and a mistake changes nothing.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::harness::page::{Piece, el, text};
use crate::harness::{Rig, Setup};

const OPEN: &str = "[[mask]]\nselect = \"#never\"\n";

fn page() -> Vec<Piece> {
    vec![
        el("p", &[("id", "name")], &[text("Ada Lovelace")]),
        el("img", &[("id", "photo"), ("src", "/photo.png")], &[]),
        el("p", &[], &[text("Welcome")]),
    ]
}

fn open() -> Setup {
    Setup { policy: OPEN.into(), ..Setup::default() }
}

#[tokio::test]
async fn what_a_changed_policy_hides_vanishes_within_a_second() {
    let rig = Rig::with(open()).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Ada Lovelace").await;
    let photo = agent.mirror.attribute(customer.node("photo"), "src").unwrap().to_owned();

    let saved = Instant::now();
    rig.policy("[[mask]]\nselect = \"#name\"\nlabel = \"Your name\"\n[[hide]]\nselect = \"#photo\"\n");
    agent.sees_page().await;
    assert!(saved.elapsed() < Duration::from_secs(1), "in force after {:?}", saved.elapsed());
    agent.sees("Welcome").await;
    assert!(!agent.mirror.text().contains("Lovelace"), "{:#?}", agent.mirror);
    assert_eq!(agent.mirror.marks(customer.node("photo")), Some(2));
    assert_eq!(agent.get(&photo).await.status, 404, "what is hidden can not be fetched any more");

    // The customer is told what is hidden now, and their browser what to keep.
    let private = customer.hears("private").await;
    assert!(private["marks"].to_string().contains("Your name"), "{private}");
    let withhold = customer
        .hears_that("the rules", |message| {
            message["type"] == "withhold" && message["select"].to_string().contains("#name")
        })
        .await;
    assert!(withhold["select"].to_string().contains("#photo"));
    customer.hears("share").await;
    customer.show(&page()).await;
    agent.sees_page().await;
    agent.sees("Welcome").await;
    assert!(!agent.mirror.text().contains("Lovelace"));

    // Who comes later sees the same; so does a customer who starts later.
    agent.vanish().await;
    customer.hears_status(|status| status["agent"] == "away").await;
    let (_customer, agent) = rig.session(&page()).await;
    assert!(agent.mirror.text().contains("Welcome") && !agent.mirror.text().contains("Lovelace"));
}

#[tokio::test]
async fn what_a_changed_policy_opens_is_seen() {
    let rig = Rig::with(Setup { policy: "[[mask]]\nselect = \"#name\"\n".into(), ..Setup::default() }).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Welcome").await;
    assert!(!agent.mirror.text().contains("Lovelace"));
    rig.policy(OPEN);
    agent.sees("Ada Lovelace").await;
    let name = customer.node("name");
    let cleared =
        |message: &Value| message["cleared"].as_array().is_some_and(|ids| ids.contains(&name.into()));
    customer.hears_that("that it is seen", cleared).await;
}

#[tokio::test]
async fn a_broken_policy_changes_nothing() {
    let rig = Rig::with(Setup { policy: "[[mask]]\nselect = \"#name\"\n".into(), ..Setup::default() }).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Welcome").await;
    let begun = agent.mirror.begun;
    for (broken, count) in
        ["[[mask]]\nselect = \"#name[\"\n", "[[", "[[musk]]\nselect = \"p\"\n"].into_iter().zip(1..)
    {
        rig.policy(broken);
        rig.refuses_policies(count).await;
    }
    rig.no_policy();
    rig.refuses_policies(4).await;
    let name = customer.node("name");
    let mut patch = customer.page.patch();
    customer.page.insert(&mut patch, name, &text("née Byron"));
    let body = customer.node("body");
    customer.page.insert(&mut patch, body, &text("The end"));
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;
    assert!(!agent.mirror.text().contains("Lovelace") && !agent.mirror.text().contains("Byron"));
    assert_eq!(agent.mirror.begun, begun, "no fresh view was needed");
    // A good file is taken after all.
    rig.policy(OPEN);
    agent.sees("Ada Lovelace").await;
}
