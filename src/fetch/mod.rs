//! Gets one document over HTTP/1.1 or HTTPS, as a browser would: follows redirects, sends the cookies that it is
//! given.
//!
//! Cookies go to the host that was asked for and to no other, nothing goes from `https` to `http`; size and time
//! are bounded.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HOST, LOCATION};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

use crate::tls;

/// For all of it.
const TIME: Duration = Duration::from_secs(30);
/// Redirects in a row.
const REDIRECTS: usize = 10;

/// What came.
#[derive(Debug)]
pub struct Fetched {
    /// Where it is, after all redirects.
    pub url: Url,
    /// Of the last answer.
    pub status: StatusCode,
    /// All of it.
    pub body: Vec<u8>,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    #[error("{0} can not be fetched: only http:// and https:// addresses can")]
    Scheme(Box<Url>),
    #[error("{0} can not be reached: {1}")]
    Connect(Box<Url>, std::io::Error),
    #[error("{0}: {1}")]
    Tls(Box<Url>, tls::Error),
    #[error("{0} leads from https to http")]
    Downgrade(Box<Url>),
    #[error("{0}: {1}")]
    Http(Box<Url>, hyper::Error),
    #[error("{0} has no proper answer: {1}")]
    Body(Box<Url>, Box<dyn std::error::Error + Send + Sync>),
    #[error("{0} redirects too often")]
    Redirects(Box<Url>),
    #[error("the cookies can not be sent: {0}")]
    Cookie(#[from] http::Error),
    #[error("no answer within {} seconds", TIME.as_secs())]
    Late,
}

/// Gets the document at `url`, of at most `size` bytes.
///
/// # Errors
/// See [`Error`]. A status that is no success is no error.
pub async fn fetch(url: Url, cookie: Option<&str>, size: usize) -> Result<Fetched, Error> {
    tokio::time::timeout(TIME, follow(url, cookie, size)).await.unwrap_or(Err(Error::Late))
}

async fn follow(mut url: Url, cookie: Option<&str>, size: usize) -> Result<Fetched, Error> {
    let asked = url.origin();
    for _ in 0..=REDIRECTS {
        let cookie = cookie.filter(|_| url.origin() == asked);
        let (status, location, body) = get(&url, cookie, size).await?;
        match location.and_then(|location| url.join(&location).ok()) {
            Some(next) if status.is_redirection() => {
                if url.scheme() == "https" && next.scheme() != "https" {
                    return Err(Error::Downgrade(Box::new(url)));
                }
                url = next;
            }
            _ => return Ok(Fetched { url, status, body }),
        }
    }
    Err(Error::Redirects(Box::new(url)))
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

async fn connect(url: &Url) -> Result<Box<dyn Connection>, Error> {
    let (Some(host), "http" | "https") = (url.host_str(), url.scheme()) else {
        return Err(Error::Scheme(Box::new(url.clone())));
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let failed = |error| Error::Connect(Box::new(url.clone()), error);
    // An IPv6 address stands in brackets in a URL only.
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(failed)?;
    if url.scheme() == "http" {
        return Ok(Box::new(stream));
    }
    let connector =
        tls::Connector::new(host, None).map_err(|error| Error::Tls(Box::new(url.clone()), error))?;
    Ok(Box::new(connector.connect(stream).await.map_err(failed)?))
}

async fn get(
    url: &Url,
    cookie: Option<&str>,
    size: usize,
) -> Result<(StatusCode, Option<String>, Vec<u8>), Error> {
    let stream = connect(url).await?;
    let failed = |error| Error::Http(Box::new(url.clone()), error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let mut request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(ACCEPT, "text/html,*/*;q=0.8")
        .header(ACCEPT_ENCODING, "identity");
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let location =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status();
        let body = Limited::new(response.into_body(), size).collect().await;
        let body = body.map_err(|error| Error::Body(Box::new(url.clone()), error))?;
        Ok((status, location, body.to_bytes().to_vec()))
    };
    tokio::pin!(connection, exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection is over first when the other side closes it after its answer.
        over = &mut connection => match over {
            Ok(()) => exchange.await,
            Err(error) => Err(failed(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_web_is_fetched() {
        let fetched = fetch(Url::parse("file:///etc/passwd").unwrap(), None, 1 << 10).await;
        assert!(matches!(fetched, Err(Error::Scheme(_))));
    }
}
