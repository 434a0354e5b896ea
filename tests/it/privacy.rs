//! What policy masks or hides is in no byte that an agent gets: not on the socket, not in resources, not in the log.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::json;
use sha2::{Digest, Sha256};
use tandem::api::{Key, Right};
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::http::request;
use crate::harness::page::{Piece, el, frame, text};
use crate::harness::{POLICY, Rig, Setup};

const CANARY: &str = "KANARIE77";

fn canary(place: &str) -> String {
    format!("{CANARY}{place}")
}

/// A page with a canary in everything that is masked or hidden, and nowhere else.
fn page() -> Vec<Piece> {
    let secret = |place: &str| text(&canary(place));
    vec![
        text("Nothing to hide here"),
        el("input", &[("id", "password"), ("type", "password"), ("value", &canary("attr"))], &[]),
        el("input", &[("type", "hidden"), ("value", &canary("hidden"))], &[]),
        el(
            "span",
            &[("id", "ssn"), ("title", &canary("title")), ("data-x", &canary("data"))],
            &[
                secret("text"),
                el("img", &[("src", &format!("/{CANARY}.png")), ("alt", &canary("alt"))], &[]),
                el("a", &[("href", &format!("/?{CANARY}"))], &[secret("link")]),
            ],
        ),
        el("input", &[("id", "card"), ("class", "card"), ("placeholder", &canary("placeholder"))], &[]),
        el("textarea", &[("id", "area"), ("class", "card")], &[secret("area")]),
        el("select", &[("class", "card")], &[el("option", &[("value", &canary("v"))], &[secret("option")])]),
        el(
            "div",
            &[("class", "balance"), ("aria-label", &canary("aria"))],
            &[
                secret("balance"),
                el("style", &[], &[text(&format!("a{{background:url(/{CANARY}.css.png)}}"))]),
            ],
        ),
        el("div", &[("data-tandem", "mask")], &[secret("markup")]),
        el("title", &[], &[secret("head")]),
        frame(&[("class", "card")], "http://shop.test/inner", &[secret("masked-frame")]),
        frame(&[("class", "balance")], "http://shop.test/inner", &[secret("hidden-frame")]),
        frame(
            &[("id", "framed")],
            "http://shop.test/inner",
            &[
                text("In the frame"),
                el("p", &[("class", "card"), ("title", &canary("t"))], &[secret("framed")]),
            ],
        ),
        el("iframe", &[("class", "card"), ("srcdoc", &canary("srcdoc"))], &[]),
        el("svg", &[("class", "card")], &[el("text", &[("id", "t")], &[secret("drawing")])]),
        el(
            "p",
            &[("class", "card"), ("style", &format!("--x:'{CANARY}';background:url('data:,{CANARY}')"))],
            &[],
        ),
        el("script", &[], &[secret("script")]),
        el("noscript", &[], &[secret("noscript")]),
        el("template", &[], &[secret("template")]),
    ]
}

/// Collects the log of the whole test process, at the most talkative level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_the_process() -> Log {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Log::default();
            let subscriber =
                tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
            tracing::subscriber::set_global_default(subscriber.finish()).expect("nobody else sets it");
            log
        })
        .clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn no_canary_reaches_the_agent_or_the_log() {
    let log = Log::of_the_process();
    let policy = format!("{POLICY}\n[[mask]]\nselect = \"title\"\n");
    let rig = Rig::with(Setup { policy, ..Setup::default() }).await;
    let (mut customer, mut agent) = rig.session(&page()).await;
    agent.sees("Nothing to hide here").await;
    agent.sees("In the frame").await;

    // Typed values, also from a browser that withholds nothing.
    for (field, place) in [("password", "typed-password"), ("card", "typed-card"), ("area", "typed-area")] {
        let node = customer.node(field);
        let mut patch = customer.page.patch();
        patch.byte(7);
        patch.uint(node);
        patch.byte(1);
        patch.string(&canary(place));
        customer.send_bytes(patch.finish()).await;
    }
    // A password that is shown stays a password.
    let password = customer.node("password");
    let mut patch = customer.page.patch();
    patch.byte(4);
    patch.uint(password);
    patch.string("type");
    patch.string("text");
    customer.send_bytes(patch.finish()).await;
    // New text in a masked place, and something that moves into one.
    let (ssn, body) = (customer.node("ssn"), customer.node("body"));
    let mut patch = customer.page.patch();
    customer.page.insert(&mut patch, ssn, &text(&canary("inserted")));
    customer.page.insert(&mut patch, body, &el("p", &[("class", "card")], &[text(&canary("later"))]));
    customer.page.insert(&mut patch, body, &el("p", &[("id", "end")], &[text("The end")]));
    customer.send_bytes(patch.finish()).await;
    agent.sees("The end").await;

    assert_eq!(agent.mirror.value(password), Some("••••••••"), "a password's length is not told");
    assert_eq!(agent.mirror.marks(ssn), Some(1), "the mirror is told that it is masked");
    agent.says(json!({ "type": "resync" })).await;
    agent.sees_page().await;
    agent.sees("The end").await;
    agent.vanish().await;
    let mut again = rig.agent().await;
    again.join(customer.id()).await;
    again.sees("The end").await;
    again.says(json!({ "type": "request_write" })).await;
    customer.allows().await;
    again.hears_status(|status| status["mode"] == "write").await;
    let typed = json!([0, -1, canary("of-the-agent")]);
    let card = customer.node("card");
    let typing = json!({ "kind": "input", "node": card, "base": 0, "change": typed, "input": "insertText" });
    assert_eq!(again.acts(typing).await, "private");

    for received in [&agent.received, &again.received] {
        assert!(received.contains("The end"), "the search would find what is there");
        assert!(!received.contains(CANARY));
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("session started"), "the search looks at the log: {log}");
    assert!(
        log.lines().any(|line| line.contains("action was refused") && line.contains("Private")),
        "what was refused is told"
    );
    assert!(!log.contains(CANARY));
}

#[tokio::test]
async fn the_customer_is_told_what_is_hidden() {
    let rig = Rig::start().await;
    let (mut customer, _agent) = rig.session(&page()).await;
    let private = customer.hears("private").await;
    let marks = private["marks"].as_array().unwrap();
    let of =
        |id: &str| marks.iter().find(|mark| mark["node"] == customer.node(id)).cloned().unwrap_or_default();
    assert_eq!(of("ssn")["kind"], "masked");
    assert_eq!(of("ssn")["label"], "Your number is hidden from the agent");
    assert_eq!(of("password")["kind"], "masked");
    assert!(marks.iter().any(|mark| mark["kind"] == "hidden"));
    let withhold = customer.heard.iter().find(|message| message["type"] == "withhold").unwrap();
    assert!(
        withhold["select"].to_string().contains("password")
            && withhold["select"].to_string().contains(".card")
    );
}

fn site() -> axum::Router {
    use axum::routing::get;
    axum::Router::new()
        .route("/pic.png", get(async || ([("content-type", "image/png")], "PNGDATA")))
        .route("/account", get(async || ([("content-type", "text/html")], "<p>KANARIE77")))
        .route("/api", get(async || ([("content-type", "application/json")], "{\"a\":\"KANARIE77\"}")))
}

#[tokio::test]
async fn resources_come_by_capability_for_what_the_view_shows_and_nothing_else() {
    let rig = Rig::with(Setup { origin: site(), ..Setup::default() }).await;
    let images = [
        el("img", &[("id", "pic"), ("src", "/pic.png")], &[]),
        el("img", &[("id", "page"), ("src", "/account")], &[]),
        el("img", &[("id", "api"), ("src", "/api")], &[]),
        text("Look"),
    ];
    let (mut customer, mut agent) = rig.session(&images).await;
    agent.sees("Look").await;
    let capability =
        |agent: &crate::harness::Agent, node| agent.mirror.attribute(node, "src").unwrap().to_owned();

    // The customer's browser loads the picture through the proxy: the agent gets that copy.
    let headers = [("Cookie", customer.cookie.as_str()), ("Sec-Fetch-Dest", "image")];
    let headers: Vec<(&str, &str)> = headers.to_vec();
    for path in ["/pic.png", "/account", "/api"] {
        let answer = crate::harness::http::request(rig.site, "GET", path, &headers, b"").await;
        assert_eq!(answer.status, 200);
    }
    let path = capability(&agent, customer.node("pic"));
    assert!(!path.contains("pic.png"), "a capability tells nothing: {path}");
    let answer = agent.get(&path).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "PNGDATA"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));

    // A document and an API answer are not kept; the browser is asked, and what it brings is not taken either.
    for (id, kind) in [("page", "text/html"), ("api", "application/json")] {
        let path = capability(&agent, customer.node(id));
        let bring = async {
            let want = customer.hears("want").await;
            let to = format!("/.tandem/session/resource?want={}", want["want"]);
            let origin = format!("http://{}", rig.site);
            let headers = [
                ("Cookie", customer.cookie.as_str()),
                ("Tandem", "1"),
                ("Origin", &origin),
                ("Content-Type", kind),
            ];
            crate::harness::http::request(rig.site, "POST", &to, &headers, CANARY.as_bytes()).await.status
        };
        let (answer, brought) = tokio::join!(agent.get(&path), bring);
        assert_eq!((answer.status, brought), (404, 422), "{id}");
    }
    // Nothing else has an address.
    let base = path.rsplit_once('/').unwrap().0.to_owned();
    for guess in ["pic.png", "%2Faccount", "AAAAAAAAAAAAAAAAAAAAAA", "..%2f..%2faccount"] {
        assert_eq!(agent.get(&format!("{base}/{guess}")).await.status, 404, "{guess}");
    }
    for path in ["/account", "/api", "/pic.png"] {
        assert_eq!(agent.get(path).await.status, 404, "the console serves nothing of the site");
    }
    assert!(!agent.received.contains(CANARY));

    // The capability is worth nothing without the login of the agent who holds the session.
    let answer = crate::harness::http::request(rig.console, "GET", &path, &[], b"").await;
    assert_eq!(answer.status, 401);
    let other = crate::harness::Agent::log_in(rig.console, crate::harness::AGENTS[1]).await;
    assert_eq!(other.get(&path).await.status, 404);
}

/// A page that repeats what is typed into `#card` (its browser withholds nothing).
fn repeating(value: &str) -> Vec<Piece> {
    vec![
        el("input", &[("id", "card"), ("class", "card")], &[]),
        el("p", &[("title", &format!("card {value}"))], &[text(&format!("You pay with {value}"))]),
        el("input", &[("id", "copy"), ("value", value)], &[]),
        el("a", &[("href", &format!("/receipt?card={value}"))], &[text("Receipt")]),
    ]
}

#[tokio::test]
async fn what_is_typed_into_a_masked_field_is_masked_where_the_page_repeats_it() {
    let key = Key {
        name: "crm".into(),
        sha256: Sha256::digest("key").into(),
        rights: Right::ALL.to_vec(),
        rate: std::num::NonZeroU32::MIN,
    };
    let rig =
        Rig::with(Setup { change: Box::new(|config| config.api = vec![key]), ..Setup::default() }).await;
    let (mut customer, mut agent) =
        rig.session(&[el("input", &[("id", "card"), ("class", "card")], &[])]).await;
    let card = customer.node("card");
    let mut patch = customer.page.patch();
    patch.byte(7);
    patch.uint(card);
    patch.byte(1);
    patch.string(CANARY);
    customer.send_bytes(patch.finish()).await;
    // On this page and on the next.
    for round in 0..2 {
        if round > 0 {
            customer.reconnect().await;
            customer.url = format!("http://{}/pay?card={CANARY}", rig.site);
            customer.show(&[text("New page")]).await;
            agent.sees("New page").await;
        }
        let body = customer.node("body");
        let mut patch = customer.page.patch();
        for piece in repeating(&CANARY.to_lowercase()) {
            customer.page.insert(&mut patch, body, &piece);
        }
        customer.send_bytes(patch.finish()).await;
        agent.sees("You pay with •••••••••").await;
        agent.mirror = Default::default();
        agent.says(json!({ "type": "resync" })).await;
        agent.sees("You pay with •••••••••").await;
    }
    assert!(!agent.received.contains(CANARY) && !agent.received.contains(&CANARY.to_lowercase()));
    let path = format!("/api/v1/sessions/{}/history", customer.id());
    let history = request(rig.console, "GET", &path, &[("Authorization", "Bearer key")], b"").await.text();
    assert!(history.contains("/pay") && !history.contains(CANARY), "{history}");
}

#[tokio::test]
async fn hashes_of_withheld_values_reach_the_browser_of_the_next_page() {
    let rig = Rig::start().await;
    let (mut customer, _agent) = rig.session(&page()).await;
    let echo = json!({ "length": 9, "one": 1234, "two": 4321, "password": true });
    customer.says(json!({ "type": "typed", "echoes": [echo] })).await;
    customer.reconnect().await;
    let withhold =
        customer.hears_that("the rules", |message| message["echoing"]["known"] == json!([echo])).await;
    assert_ne!(withhold["echoing"]["key"]["one"], 0);
}
