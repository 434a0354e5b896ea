//! What the site's own server is told of sessions: enough to act on, signed, and never by a browser's word.

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde_json::json;
use sha2::Sha256;
use tandem::proxy::SigningKey;

use crate::harness::http::request;
use crate::harness::page::text;
use crate::harness::{Rig, Setup};

const SECRET: &str = "known to the site and to Tandem";

async fn echo(headers: HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

async fn rig() -> Rig {
    let origin = Router::new().route("/account", get(echo));
    let change = |config: &mut tandem::config::Config| config.signing = SigningKey::new(SECRET);
    Rig::with(Setup { origin, change: Box::new(change), ..Setup::default() }).await
}

fn value<'t>(seen: &'t str, name: &str) -> Option<&'t str> {
    seen.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn the_site_is_told_of_a_session_and_can_check_it() {
    let rig = rig().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    let ask = async |cookie: String| {
        let headers = [("Cookie", cookie.as_str()), ("Host", "shop.test"), ("Tandem-Mode", "write")];
        request(rig.site, "GET", "/account?tab=1", &headers, b"").await.text()
    };
    let seen = ask(format!("{}; own=1", customer.cookie)).await;
    let session = value(&seen, "tandem-session").expect(&seen);
    assert!(!customer.id().replace('-', "").contains(session), "not the session ID");
    assert_eq!(value(&seen, "tandem-mode"), Some("pointer"));
    assert_eq!(value(&seen, "cookie"), Some("own=1"));

    let parameters = value(&seen, "signature-input").unwrap().strip_prefix("tandem=").unwrap();
    let base = format!(
        "\"@method\": GET\n\"@authority\": shop.test\n\"@path\": /account\n\"@query\": ?tab=1\n\
         \"tandem-session\": {session}\n\"tandem-mode\": pointer\n\"@signature-params\": {parameters}"
    );
    let signed = value(&seen, "signature").unwrap().strip_prefix("tandem=:").unwrap().trim_end_matches(':');
    let key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(base);
    key.verify_slice(&STANDARD.decode(signed).unwrap()).unwrap();

    agent.says(json!({ "type": "request_write" })).await;
    customer.hears_status(|status| status["writeRequested"] == true).await;
    customer.says(json!({ "type": "answer", "allow": true })).await;
    agent.hears_status(|status| status["mode"] == "write").await;
    let again = ask(customer.cookie.clone()).await;
    assert_eq!(value(&again, "tandem-mode"), Some("write"));
    assert_eq!(value(&again, "tandem-session"), Some(session), "the same for as long as it lives");
}

#[tokio::test]
async fn a_browser_can_not_say_that_it_is_in_a_session() {
    let rig = rig().await;
    let claims = [
        ("Host", "shop.test"),
        ("Cookie", "tandem=made-up"),
        ("Tandem-Session", "mine"),
        ("Tandem-Mode", "write"),
    ];
    let seen = request(rig.site, "GET", "/account", &claims, b"").await.text();
    for name in ["tandem-session", "tandem-mode", "signature", "signature-input"] {
        assert_eq!(value(&seen, name), None, "{seen}");
    }
}
