//! TLS at the edges: certificates that browsers are shown, and whom origin servers are believed to be.
//!
//! A key and its certificate are only ever used together and only when they match; what was loaded last stays
//! in use until something better is there. Protocol and cipher choices are rustls's own defaults.

mod accept;
mod connect;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem;

pub use accept::{Acceptor, Pair};
pub use connect::Connector;

/// Files or names that no TLS can be made of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can not be read, or holds nothing in PEM that it should.
    #[error("{}: {}", file.display(), explain(source))]
    Pem {
        /// Which.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The certificate and the key are of no use together.
    #[error("{}: {source}", file.display())]
    Refused {
        /// The certificate's file.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A key that belongs to another certificate.
    #[error("{}: the key does not belong to the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        cert: PathBuf,
    },
    /// This system trusts nobody.
    #[error("no root certificates are installed on this system: name them with `ca`")]
    NoRoots,
    /// Neither a host's name nor its address.
    #[error("{0:?} is no name that a certificate can have")]
    Name(String),
    /// The provider and the versions do not fit, or there is no randomness.
    #[error("TLS can not be set up: {0}")]
    Setup(#[source] rustls::Error),
}

fn explain(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("can not be read: {error}"),
        pem::Error::NoItemsFound => "has no such section in PEM (-----BEGIN …-----)".to_owned(),
        other => format!("is not PEM: {other:?}"),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
