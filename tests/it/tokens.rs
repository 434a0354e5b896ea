//! Coming into the console without a password: signed tokens, where they lead and what they do not open.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use tandem::console::tokens::{Settings, Source};
use tandem::protocol::agent::Role;

use crate::harness::http::{Answer, request};
use crate::harness::page::text;
use crate::harness::{Agent, Rig, Setup};

struct Crm {
    key: EncodingKey,
    folder: tempfile::TempDir,
}

impl Crm {
    fn new() -> Crm {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("crm.pem"), pair.public_key_pem()).unwrap();
        Crm { key: EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).unwrap(), folder }
    }

    fn token(&self, mut claims: Value) -> String {
        claims["aud"] = json!("tandem");
        claims["exp"] = json!(get_current_timestamp() + 60);
        encode(&Header::new(Algorithm::EdDSA), &claims, &self.key).unwrap()
    }

    async fn rig(&self) -> Rig {
        let keys = Source::File(self.folder.path().join("crm.pem"));
        let change = move |config: &mut tandem::config::Config| {
            let roles = vec![Role::Agent];
            config.console.settings.tokens =
                Some(Settings { audience: "tandem".into(), issuer: None, keys, roles });
            config.console.settings.ancestors = vec!["https://crm.test".into()];
        };
        Rig::with(Setup { change: Box::new(change), ..Setup::default() }).await
    }
}

async fn come_in(rig: &Rig, token: &str) -> Answer {
    let body = json!({ "token": token }).to_string();
    let headers = [("Content-Type", "application/json"), ("Tandem", "1")];
    request(rig.console, "POST", "/console/token", &headers, body.as_bytes()).await
}

#[tokio::test]
async fn a_token_opens_the_session_that_it_names_and_no_other() {
    let crm = Crm::new();
    let rig = crm.rig().await;
    let mut customer = rig.customer().await;
    let other = rig.customer().await;
    let answer = come_in(
        &rig,
        &crm.token(json!({ "sub": "4711", "name": "Ann of the CRM", "session": customer.id() })),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        serde_json::from_slice::<Value>(&answer.body).unwrap(),
        json!({ "me": { "name": "Ann of the CRM", "role": "agent" }, "sessionId": customer.id() })
    );
    let mut agent = Agent::logged_in(rig.console, answer.cookie().unwrap());
    agent.join(customer.id()).await;
    customer.show(&[text("Only for Ann")]).await;
    agent.sees("Only for Ann").await;
    customer.hears_status(|status| status["agentName"] == "Ann of the CRM").await;

    assert_eq!(agent.get("/console/me").await.status, 200);
    let elsewhere = agent.get(&format!("/console/session/{}", other.id())).await;
    assert_eq!(elsewhere.status, 403, "another session");
    let mut stranger = Agent::logged_in(rig.console, agent.cookie.clone());
    stranger.connect(other.id()).await;
    assert_eq!(stranger.is_closed().await.0, 4004, "also at its socket");
}

#[tokio::test]
async fn a_token_without_a_session_is_as_good_as_a_login() {
    let crm = Crm::new();
    let rig = crm.rig().await;
    let customer = rig.customer().await;
    let answer = come_in(&rig, &crm.token(json!({ "sub": "ann" }))).await;
    let mut agent = Agent::logged_in(rig.console, answer.cookie().unwrap());
    agent.join(customer.id()).await;
}

#[tokio::test]
async fn what_is_no_token_of_ours_opens_nothing() {
    let crm = Crm::new();
    let rig = crm.rig().await;
    let role = crm.token(json!({ "sub": "ann", "role": "admin" }));
    for token in ["", "x", "a.b.c", &Crm::new().token(json!({ "sub": "ann" })), &role] {
        let answer = come_in(&rig, token).await;
        assert_eq!((answer.status, answer.cookie()), (401, None), "{token}");
        assert!(answer.text().contains("wrong_token"));
    }
    let headers = [("Content-Type", "application/json")];
    let body = json!({ "token": crm.token(json!({ "sub": "ann" })) }).to_string();
    let forged = request(rig.console, "POST", "/console/token", &headers, body.as_bytes()).await;
    assert_eq!(forged.status, 403, "a form of another site");
    for _ in 0..10 {
        come_in(&rig, "guess").await;
    }
    assert_eq!(come_in(&rig, "guess").await.status, 429);
}

#[tokio::test]
async fn only_the_named_pages_may_frame_the_console() {
    let crm = Crm::new();
    let rig = crm.rig().await;
    for path in ["/", "/session/7KQ-M9X-D4R", "/mirror"] {
        let answer = request(rig.console, "GET", path, &[], b"").await;
        let policy = answer.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(policy.contains("frame-ancestors 'self' https://crm.test"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), None);
    }
    let strict = Rig::start().await;
    let answer = request(strict.console, "GET", "/", &[], b"").await;
    assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
}
