//! Capability URLs: the only addresses by which an agent gets the pictures, styles and fonts of a page.
//!
//! A token says nothing of the URL that it stands for, and nobody without the key can make one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Characters of a token: 132 bits.
const TOKEN: usize = 22;

/// Something that a view refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the view's capability URLs.
    pub token: String,
    /// Absolute, without fragment; of a long picture in a `data:` URL all of it.
    pub url: String,
}

/// Stands in place of a URL for a picture that the customer's browser took of something; no page can name it.
pub fn picture(number: u32) -> String {
    format!("{PICTURE}{number}")
}

/// What the names of pictures start with.
pub const PICTURE: &str = "picture:";

/// Names the resources of one session.
#[derive(Clone)]
pub struct ResourceNames {
    key: [u8; 32],
    base: String,
}

impl std::fmt::Debug for ResourceNames {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceNames").field("base", &self.base).finish_non_exhaustive()
    }
}

impl ResourceNames {
    /// A secret for something else than names, as long as the session's key.
    pub(super) fn other_secret(&self) -> [u8; 16] {
        let token = self.name("\0other").0;
        // 22 characters of base64: the first 16 are 96 random bits.
        std::array::from_fn(|at| token.as_bytes()[at])
    }

    /// `key`: secret, one for each session. `base`: what stands before the token, `/session/ID/resource/`.
    pub fn new(key: [u8; 32], base: impl Into<String>) -> Self {
        ResourceNames { key, base: base.into() }
    }

    /// Whether an attribute's value is such a capability URL.
    pub(super) fn is_name(&self, value: &str) -> bool {
        value.starts_with(&self.base)
    }

    /// The token of an absolute URL (without fragment) and the capability URL with it. The same for the same URL.
    pub fn name(&self, url: &str) -> (String, String) {
        // HMAC pads a key to the block of its hash.
        let mut block = [0; 64];
        block[..self.key.len()].copy_from_slice(&self.key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(url.as_bytes());
        let mut token = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        token.truncate(TOKEN);
        let address = format!("{}{token}", self.base);
        (token, address)
    }
}
