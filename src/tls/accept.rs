//! The certificates that browsers are shown: chosen by the name that is asked for, renewed while running.
//!
//! Files that change are loaded again within [`LOOK_EVERY`]. A pair that is half written, or wrong, changes
//! nothing: the certificates in use stay, the log says why, and the files are looked at again.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Error, provider};

/// How often the files are looked at: a renewed certificate has days, a person who waits has seconds.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A certificate and its key, as files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, followed by those that lead to its root.
    pub cert: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Speaks TLS with browsers.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    certificates: Arc<Certificates>,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("pairs", &self.certificates.pairs).finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Reads the certificates. A browser gets the first one that has the name it asks for, or else the very
    /// first. HTTP/2 is offered before HTTP/1.1 (RFC 7301).
    ///
    /// # Errors
    ///
    /// [`Error`] says which file is of no use, and why.
    pub fn new(pairs: &[Pair]) -> Result<Acceptor, Error> {
        let provider = provider();
        let certificates = Arc::new(Certificates::load(pairs, &provider)?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        config.ticketer = crypto::ring::Ticketer::new().map_err(Error::Setup)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Acceptor { tls: TlsAcceptor::from(Arc::new(config)), certificates })
    }

    /// The handshake with a browser; how long it may take is for the caller to say.
    ///
    /// # Errors
    ///
    /// Those of the connection, and whatever is not TLS as it should be.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.tls.accept(stream).await
    }

    /// Loads changed files again, for as long as it is polled.
    pub async fn keep_fresh(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let certificates = Arc::clone(&self.certificates);
            // Files may lie on a slow disk.
            let looked = tokio::task::spawn_blocking(move || certificates.refresh()).await;
            match looked {
                Ok(Ok(true)) => tracing::info!("certificates loaded again"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "changed certificates can not be used; those before stay in use");
                }
                Err(error) => tracing::error!(%error, "certificates could not be looked at"),
            }
        }
    }
}

/// What is in use, and what the files were like when they were last read.
#[derive(Debug)]
struct Certificates {
    pairs: Vec<Pair>,
    provider: Arc<CryptoProvider>,
    keys: RwLock<Vec<Arc<CertifiedKey>>>,
    read: RwLock<Vec<Stamp>>,
}

/// Time and length of a file; `None` if it is not there.
type Stamp = Option<(SystemTime, u64)>;

impl Certificates {
    fn load(pairs: &[Pair], provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        // Stamps first: what changes while it is read is read once more.
        let read = stamps(pairs);
        let keys = read_all(pairs, provider)?;
        Ok(Certificates {
            pairs: pairs.to_vec(),
            provider: Arc::clone(provider),
            keys: RwLock::new(keys),
            read: RwLock::new(read),
        })
    }

    /// Whether there was something new. An error is told once for each state of the files.
    fn refresh(&self) -> Result<bool, Error> {
        let now = stamps(&self.pairs);
        if *self.read.read().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = now;
        let keys = read_all(&self.pairs, &self.provider)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(true)
    }

    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = match (keys.as_slice(), name.map(ServerName::try_from)) {
            ([_, _, ..], Some(Ok(name))) => keys.iter().find(|key| is_for(key, &name)),
            _ => None,
        };
        named.or(keys.first()).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name())
    }
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let Some(certificate) = key.cert.first() else { return false };
    ParsedCertificate::try_from(certificate).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

fn stamps(pairs: &[Pair]) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let metadata: Metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    pairs.iter().flat_map(|pair| [stamp(&pair.cert), stamp(&pair.key)]).collect()
}

fn read_all(pairs: &[Pair], provider: &CryptoProvider) -> Result<Vec<Arc<CertifiedKey>>, Error> {
    pairs.iter().map(|pair| read(pair, provider).map(Arc::new)).collect()
}

fn read(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let pem = |file: &Path, source| Error::Pem { file: file.to_owned(), source };
    let chain =
        CertificateDer::pem_file_iter(&pair.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|chain| {
                if chain.is_empty() { Err(rustls::pki_types::pem::Error::NoItemsFound) } else { Ok(chain) }
            })
            .map_err(|source| pem(&pair.cert, source))?;
    let key = PrivateKeyDer::from_pem_file(&pair.key).map_err(|source| pem(&pair.key, source))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| match source {
        rustls::Error::InconsistentKeys(_) => {
            Error::Mismatch { key: pair.key.clone(), cert: pair.cert.clone() }
        }
        source => Error::Refused { file: pair.cert.clone(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> (Pair, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let pair = Pair { cert: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
        std::fs::write(&pair.cert, made.cert.pem()).unwrap();
        std::fs::write(&pair.key, made.signing_key.serialize_pem()).unwrap();
        (pair, made.cert.der().clone())
    }

    fn chosen(certificates: &Certificates, name: Option<&str>) -> CertificateDer<'static> {
        certificates.choose(name).unwrap().cert[0].clone()
    }

    #[test]
    fn the_name_that_is_asked_for_decides() {
        let folder = tempfile::tempdir().unwrap();
        let (one, one_der) = write(folder.path(), "one.example");
        let (two, two_der) = write(folder.path(), "two.example");
        let certificates = Certificates::load(&[one, two], &provider()).unwrap();
        assert_eq!(chosen(&certificates, Some("two.example")), two_der);
        for name in [Some("one.example"), Some("TWO.example.evil"), Some("three.example"), None] {
            assert_eq!(chosen(&certificates, name), one_der, "{name:?}");
        }
    }

    #[test]
    fn changed_files_are_loaded_and_wrong_ones_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (pair, before) = write(folder.path(), "one.example");
        let certificates = Certificates::load(std::slice::from_ref(&pair), &provider()).unwrap();
        assert!(!certificates.refresh().unwrap());
        let (other, after) = write(folder.path(), "longer.one.example");
        // Half of the change: the certificate is new, the key is still the old one.
        std::fs::copy(&other.cert, &pair.cert).unwrap();
        assert!(matches!(certificates.refresh(), Err(Error::Mismatch { .. })));
        assert!(!certificates.refresh().unwrap(), "told once");
        assert_eq!(chosen(&certificates, None), before);
        // Same length as before, so the time has to tell.
        std::fs::copy(&other.key, &pair.key).unwrap();
        let later = SystemTime::now() + Duration::from_secs(2);
        std::fs::File::options().write(true).open(&pair.key).unwrap().set_modified(later).unwrap();
        assert!(certificates.refresh().unwrap());
        assert_eq!(chosen(&certificates, None), after);
        std::fs::remove_file(&pair.key).unwrap();
        assert!(certificates.refresh().is_err());
        assert_eq!(chosen(&certificates, None), after);
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, _) = write(folder.path(), "one.example");
        let (two, _) = write(folder.path(), "two.example");
        let text = folder.path().join("text");
        std::fs::write(&text, "no PEM").unwrap();
        for (pair, expected) in [
            (
                Pair { cert: one.cert.clone(), key: two.key.clone() },
                "two.example.key: the key does not belong",
            ),
            (Pair { cert: text.clone(), key: one.key.clone() }, "text: has no such section"),
            (Pair { cert: one.cert.clone(), key: text }, "text: has no such section"),
            (Pair { cert: folder.path().join("gone"), key: one.key.clone() }, "gone: can not be read"),
            (Pair { cert: one.key.clone(), key: one.key.clone() }, "one.example.key: has no such section"),
        ] {
            let error = Acceptor::new(&[pair]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
