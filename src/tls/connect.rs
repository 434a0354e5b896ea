//! TLS towards an origin server: it must prove to be the one that the settings name.
//!
//! There is no way to turn the check off. A server with a certificate of its own making is named by `ca`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Error, provider};

/// Speaks TLS with one origin server.
#[derive(Clone)]
pub struct Connector {
    any: TlsConnector,
    http1: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Connector {
    /// For a server that has a certificate for `name`, a host's name or address, from an authority in the file
    /// `ca` or, without one, from one that this system trusts.
    ///
    /// # Errors
    ///
    /// [`Error`]: the file, the system's roots or the name are of no use.
    pub fn new(name: &str, ca: Option<&Path>) -> Result<Connector, Error> {
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| Error::Name(name.to_owned()))?;
        let roots = match ca {
            Some(file) => private(file)?,
            None => system()?,
        };
        let mut http1 = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(Error::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut any = http1.clone();
        any.alpn_protocols.insert(0, b"h2".to_vec());
        // Tickets of its own: a server may tie them to the protocol.
        any.resumption = Resumption::default();
        let tls = |config| TlsConnector::from(Arc::new(config));
        Ok(Connector { any: tls(any), http1: tls(http1), name })
    }

    /// The handshake, for HTTP/1.1; how long it may take is for the caller to say.
    ///
    /// # Errors
    ///
    /// Those of the connection, and a server that is not the one that is named.
    pub async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.http1.connect(self.name.clone(), stream).await
    }

    /// The same, for HTTP/2 if the server chooses it (ALPN, RFC 7301).
    ///
    /// # Errors
    ///
    /// See [`Connector::connect`].
    pub async fn connect_any(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.any.connect(self.name.clone(), stream).await
    }
}

fn private(file: &Path) -> Result<RootCertStore, Error> {
    let wrong = |source| Error::Pem { file: file.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(wrong)? {
        roots
            .add(certificate.map_err(wrong)?)
            .map_err(|source| Error::Refused { file: file.to_owned(), source })?;
    }
    if roots.is_empty() { Err(wrong(pem::Error::NoItemsFound)) } else { Ok(roots) }
}

fn system() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of this system can not be read");
    }
    let mut roots = RootCertStore::empty();
    // Systems carry some that are too old to be understood.
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 { Err(Error::NoRoots) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_authority_must_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(matches!(Connector::new("a.example", Some(&file)), Err(Error::Pem { .. })));
        std::fs::write(&file, "nothing").unwrap();
        assert!(matches!(Connector::new("a.example", Some(&file)), Err(Error::Pem { .. })));
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        std::fs::write(&file, made.cert.pem()).unwrap();
        assert!(Connector::new("[::1]", Some(&file)).is_ok());
        assert!(matches!(Connector::new("a b", Some(&file)), Err(Error::Name(_))));
    }
}
