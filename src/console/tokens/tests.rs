//! Tokens as a contact centre signs them, and as somebody forges them.

use std::fs;
use std::path::Path;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const RSA: &str = include_str!("test-keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("test-keys/rsa.pub.pem");

/// A system that signs tokens.
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    id: Option<String>,
}

impl Signer {
    fn ec() -> (Signer, String) {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        (Signer { algorithm: Algorithm::ES256, key, id: None }, pair.public_key_pem())
    }

    fn ed() -> (Signer, String) {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let key = EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).unwrap();
        (Signer { algorithm: Algorithm::EdDSA, key, id: None }, pair.public_key_pem())
    }

    fn rsa() -> (Signer, String) {
        let key = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
        (Signer { algorithm: Algorithm::RS256, key, id: None }, RSA_PUBLIC.to_owned())
    }

    fn named(mut self, id: &str) -> (Signer, Jwk) {
        self.id = Some(id.to_owned());
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = self.id.clone();
        (self, jwk)
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: self.id.clone(), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).unwrap()
    }
}

fn tokens(file: &Path) -> Tokens {
    Tokens::new(Settings {
        audience: "tandem".into(),
        issuer: Some("crm".into()),
        keys: Source::File(file.to_owned()),
        roles: vec![Role::Agent, Role::Supervisor],
    })
}

fn claims() -> Value {
    json!({ "sub": "ann", "aud": "tandem", "iss": "crm", "exp": get_current_timestamp() + 60 })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
    };
    claims
}

#[tokio::test]
async fn a_token_of_every_kind_of_key_opens_the_console() {
    for (signer, public) in [Signer::ec(), Signer::ed(), Signer::rsa()] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crm.pem");
        fs::write(&file, public).unwrap();
        assert_eq!(Source::File(file.clone()).check(), Ok(()));
        let tokens = tokens(&file);
        let admitted = tokens.admit(&signer.sign(&claims())).await.unwrap();
        assert_eq!(admitted, Admitted { me: Me { name: "ann".into(), role: Role::Agent }, session: None });
    }
}

#[tokio::test]
async fn a_token_says_who_what_and_where() {
    let (signer, public) = Signer::ed();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.pem");
    fs::write(&file, public).unwrap();
    let tokens = tokens(&file);
    let mut claims = with("session", json!("7kq m9x d4r"));
    claims["name"] = json!("Ann Arbor");
    claims["role"] = json!("supervisor");
    let admitted = tokens.admit(&signer.sign(&claims)).await.unwrap();
    assert_eq!(admitted.me, Me { name: "Ann Arbor".into(), role: Role::Supervisor });
    assert_eq!(admitted.session.unwrap().to_string(), "7KQ-M9X-D4R");
}

#[tokio::test]
async fn what_is_not_in_order_opens_nothing() {
    let (signer, public) = Signer::ed();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.pem");
    fs::write(&file, public).unwrap();
    let tokens = tokens(&file);
    let now = get_current_timestamp();
    for (name, value) in [
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("iss", json!("other")),
        ("iss", Value::Null),
        ("exp", json!(now - LEEWAY - 5)),
        ("exp", Value::Null),
        ("nbf", json!(now + LEEWAY + 60)),
        ("sub", Value::Null),
        ("sub", json!("  ")),
        ("sub", json!("a\u{7}")),
        ("role", json!("admin")),
        ("role", json!("king")),
        ("session", json!("no id")),
    ] {
        let token = signer.sign(&with(name, value.clone()));
        assert!(tokens.admit(&token).await.is_err(), "{name} = {value}");
    }
    let (other, _) = Signer::ed();
    assert!(tokens.admit(&other.sign(&claims())).await.is_err(), "signed by somebody else");
    let good = signer.sign(&claims());
    let (body, _) = good.rsplit_once('.').unwrap();
    assert!(tokens.admit(&format!("{body}.")).await.is_err(), "not signed");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", body.split_once('.').unwrap().1);
    assert!(tokens.admit(&unsigned).await.is_err(), "an algorithm called none");
    for text in ["", ".", "..", "a.b.c", &"x".repeat(LONGEST + 1)] {
        assert!(tokens.admit(text).await.is_err());
    }
    assert!(tokens.admit(&good).await.is_ok());
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let (_, public) = Signer::rsa();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.pem");
    fs::write(&file, &public).unwrap();
    let forged =
        encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(public.as_bytes()));
    assert!(matches!(tokens(&file).admit(&forged.unwrap()).await, Err(Error::Algorithm)));
}

#[tokio::test]
async fn a_token_with_an_id_is_used_once() {
    let (signer, public) = Signer::ec();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.pem");
    fs::write(&file, public).unwrap();
    let tokens = tokens(&file);
    let token = signer.sign(&with("jti", json!("one")));
    assert!(tokens.admit(&token).await.is_ok());
    assert!(matches!(tokens.admit(&token).await, Err(Error::Used)));
    let other = signer.sign(&with("jti", json!("two")));
    assert!(tokens.admit(&other).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn keys_are_changed_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let ((first, one), (second, two)) = (Signer::ec().0.named("1"), Signer::rsa().0.named("2"));
    let write = |keys: Vec<Jwk>| fs::write(&file, serde_json::to_vec(&JwkSet { keys }).unwrap()).unwrap();
    write(vec![one.clone()]);
    let tokens = tokens(&file);
    assert!(tokens.admit(&first.sign(&claims())).await.is_ok());
    assert!(tokens.admit(&second.sign(&claims())).await.is_err());
    write(vec![one, two.clone()]);
    assert!(tokens.admit(&second.sign(&claims())).await.is_err(), "not read for every unknown key");
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert!(tokens.admit(&second.sign(&claims())).await.is_ok());
    write(vec![two]);
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    assert!(tokens.admit(&first.sign(&claims())).await.is_err(), "taken away");
    fs::remove_file(&file).unwrap();
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    assert!(tokens.admit(&second.sign(&claims())).await.is_ok(), "the last ones stay");
}
