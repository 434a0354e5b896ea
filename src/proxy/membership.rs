//! Tells the origin server that a request belongs to a session, so that the site can hide or ask again for what it
//! wants: `Tandem-Session`, `Tandem-Mode`, and a signature over them and the request (RFC 9421, `hmac-sha256`).
//!
//! A browser can not say so itself: headers of these names end at the proxy.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{HOST, HeaderName};
use http::{HeaderValue, Request};
use sha2::Sha256;

const SESSION: HeaderName = HeaderName::from_static("tandem-session");
const MODE: HeaderName = HeaderName::from_static("tandem-mode");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// That a request belongs to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What the site may call the session: always the same for one, of no use to join it. Letters, digits, `-`, `_`.
    pub session: String,
    /// `pointer` or `write`.
    pub mode: &'static str,
}

/// The secret that the site and this server share.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Of a secret with at least 16 bytes; `None` for a shorter one.
    pub fn new(secret: &str) -> Option<SigningKey> {
        let key = Hmac::new_from_slice(secret.as_bytes()).ok()?;
        (secret.len() >= 16).then_some(SigningKey(key))
    }

    fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.0.clone().chain_update(text).finalize().into_bytes())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Adds the headers to a request as the origin will get it.
pub(super) fn tell<B>(request: &mut Request<B>, member: &Member, key: Option<&SigningKey>) {
    let Ok(session) = HeaderValue::from_str(&member.session) else { return };
    request.headers_mut().insert(SESSION, session);
    request.headers_mut().insert(MODE, HeaderValue::from_static(member.mode));
    let Some(key) = key else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (input, signature) = signature(request, member, key, now);
    // After what a browser may have sent: the last one of a name counts (RFC 9651 section 4.2.2).
    if let (Ok(input), Ok(signature)) = (HeaderValue::from_str(&input), HeaderValue::from_str(&signature)) {
        request.headers_mut().append(SIGNATURE_INPUT, input);
        request.headers_mut().append(SIGNATURE, signature);
    }
}

/// `Signature-Input` and `Signature`. RFC 9421 section 2.5 makes the text that is signed.
fn signature<B>(request: &Request<B>, member: &Member, key: &SigningKey, now: u64) -> (String, String) {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let parameters = format!(
        "(\"@method\" \"@authority\" \"@path\" \"@query\" \"tandem-session\" \"tandem-mode\")\
         ;created={now};keyid=\"tandem\";alg=\"hmac-sha256\""
    );
    let base = format!(
        "\"@method\": {}\n\"@authority\": {}\n\"@path\": {path}\n\"@query\": ?{query}\n\
         \"tandem-session\": {}\n\"tandem-mode\": {}\n\"@signature-params\": {parameters}",
        request.method(),
        host.to_ascii_lowercase(),
        member.session,
        member.mode,
    );
    (format!("tandem={parameters}"), format!("tandem=:{}:", key.sign(&base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request<()> {
        Request::get("/account?tab=1").header(HOST, "Shop.test:8080").body(()).unwrap()
    }

    #[test]
    fn a_site_can_check_who_says_so() {
        let key = SigningKey::new("a secret of both sides").unwrap();
        let member = Member { session: "s-1".into(), mode: "write" };
        let (input, signature) = signature(&request(), &member, &key, 1_800_000_000);
        // Worked out with: printf '…' | openssl dgst -sha256 -hmac 'a secret of both sides' -binary | base64
        assert_eq!(
            input,
            "tandem=(\"@method\" \"@authority\" \"@path\" \"@query\" \"tandem-session\" \"tandem-mode\")\
             ;created=1800000000;keyid=\"tandem\";alg=\"hmac-sha256\""
        );
        assert_eq!(signature, "tandem=:2heARQ6KW/0KcqkbbCztYPmeozF2VMpnN+VsdgaUUfY=:");
    }

    #[test]
    fn without_a_secret_nothing_is_signed() {
        let mut request = request();
        tell(&mut request, &Member { session: "s-1".into(), mode: "pointer" }, None);
        assert_eq!(request.headers()["tandem-session"], "s-1");
        assert_eq!(request.headers()["tandem-mode"], "pointer");
        assert!(!request.headers().contains_key("signature"));
        assert!(SigningKey::new("too short").is_none());
    }
}
