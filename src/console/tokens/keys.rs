//! The public keys that sign tokens: from a PEM file, or from a JWK Set (RFC 7517) in a file or at a URL.
//!
//! Read again when they are old or a token names one that is not there, so that keys can be changed while the
//! server runs; while they can not be read, those that were read last stay.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::fetch::{self, fetch};

/// After this long, keys are read again.
const OLD: Duration = Duration::from_secs(600);
/// Between two readings, however many tokens name keys that are not there.
const PAUSE: Duration = Duration::from_secs(10);
/// Bytes of a key file or set.
const SIZE: usize = 256 << 10;

/// Where keys are to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A public key in PEM, or a JWK Set.
    File(PathBuf),
    /// A JWK Set.
    Url(Url),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    #[error("the key set's server answered {0}")]
    Status(http::StatusCode),
    #[error("there is no public key for RS256, ES256 or EdDSA, neither as PEM nor in a JWK Set")]
    Format,
    #[error("no such key")]
    Unknown,
}

#[derive(Debug)]
pub(super) struct Keys {
    source: Source,
    read: Mutex<Option<Read>>,
}

#[derive(Debug)]
struct Read {
    keys: Vec<Key>,
    at: Instant,
}

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Keys {
    pub(super) fn new(source: Source) -> Keys {
        Keys { source, read: Mutex::default() }
    }

    /// The keys that a token of this header can be signed with.
    pub(super) async fn matching(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, Error> {
        let mut read = self.read.lock().await;
        let fits = |key: &&Key| {
            let named = id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            key.algorithm == algorithm && named
        };
        let age = read.as_ref().map(|read| read.at.elapsed());
        let missing = read.as_ref().is_none_or(|read| !read.keys.iter().any(|key| fits(&key)));
        if age.is_none_or(|age| age > OLD || missing && age > PAUSE) {
            match self.source.load().await {
                Ok(keys) => *read = Some(Read { keys, at: Instant::now() }),
                Err(error) => match &mut *read {
                    Some(read) => {
                        tracing::warn!(%error, "the keys of tokens can not be read; the last ones stay");
                        read.at = Instant::now();
                    }
                    None => return Err(error),
                },
            }
        }
        let keys = read.iter().flat_map(|read| &read.keys);
        Ok(keys.filter(fits).map(|key| key.key.clone()).collect())
    }
}

impl Source {
    async fn load(&self) -> Result<Vec<Key>, Error> {
        let bytes = match self {
            Source::File(path) => {
                tokio::fs::read(path).await.map_err(|error| Error::File(path.clone(), error))?
            }
            Source::Url(url) => {
                let fetched = fetch(url.clone(), None, SIZE).await?;
                if !fetched.status.is_success() {
                    return Err(Error::Status(fetched.status));
                }
                fetched.body
            }
        };
        let keys = match serde_json::from_slice::<JwkSet>(&bytes) {
            Ok(set) => set.keys.iter().filter_map(from_jwk).collect(),
            Err(_) => from_pem(&bytes).into_iter().collect::<Vec<_>>(),
        };
        if keys.is_empty() { Err(Error::Format) } else { Ok(keys) }
    }

    /// Whether there are keys, for a check of the settings. What is at a URL is not fetched.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let Source::File(path) = self else { return Ok(()) };
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let found = match serde_json::from_slice::<JwkSet>(&bytes) {
            Ok(set) => set.keys.iter().any(|key| from_jwk(key).is_some()),
            Err(_) => from_pem(&bytes).is_some(),
        };
        if found { Ok(()) } else { Err(format!("{}: {}", path.display(), Error::Format)) }
    }
}

/// A key of a set. Keys of other kinds are passed over: sets carry them for other uses.
fn from_jwk(jwk: &Jwk) -> Option<Key> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key })
}

fn from_pem(pem: &[u8]) -> Option<Key> {
    let (algorithm, key) = DecodingKey::from_rsa_pem(pem)
        .map(|key| (Algorithm::RS256, key))
        .or_else(|_| DecodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES256, key)))
        .or_else(|_| DecodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key)))
        .ok()?;
    Some(Key { id: None, algorithm, key })
}
