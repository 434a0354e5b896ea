//! The customer's own key to a session: a random secret that lives in an `HttpOnly` cookie and is never
//! shown, logged or stored in clear.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngExt as _;
use sha2::{Digest, Sha256};

/// 256 random bits, as text in a cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey(String);

/// What the server keeps of a key: enough to know it again. Looking it up takes no time that depends on the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest([u8; 32]);

impl CustomerKey {
    /// A new key.
    pub fn random() -> CustomerKey {
        CustomerKey(URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>()))
    }

    /// What a browser sent; any text will do, only a real key opens anything.
    pub fn from_cookie(text: &str) -> CustomerKey {
        CustomerKey(text.to_owned())
    }

    /// For the `Set-Cookie` header and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl KeyDigest {
    /// For the store.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the store had.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<KeyDigest> {
        bytes.try_into().ok().map(KeyDigest)
    }

    /// What the site may call the session: the same for as long as it lives, and of no use to join it.
    pub(crate) fn site_name(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.derive("site")[..16])
    }

    /// A secret of the same session for another purpose: after a restart it is the same again, and is not stored.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(purpose).chain_update([0]).chain_update(self.0).finalize().into()
    }
}

impl std::fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}
