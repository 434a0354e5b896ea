//! Gets one page of a site, as a browser would: follows redirects, sends the cookies that it is given.
//!
//! Plain HTTP/1.1 only. Cookies go to the host that was asked for and to no other; size and time are bounded.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HOST, LOCATION};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// Bytes of a page.
const PAGE: usize = 32 << 20;
/// For all of it.
const TIME: Duration = Duration::from_secs(30);
/// Redirects in a row.
const REDIRECTS: usize = 10;

/// What came.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0} can not be fetched: only http:// addresses can")]
    Scheme(Url),
    #[error("{0} can not be reached: {1}")]
    Connect(Url, std::io::Error),
    #[error("{0}: {1}")]
    Http(Url, hyper::Error),
    #[error("{0} has no proper answer: {1}")]
    Body(Url, Box<dyn std::error::Error + Send + Sync>),
    #[error("{0} redirects too often")]
    Redirects(Url),
    #[error("the cookies can not be sent: {0}")]
    Cookie(#[from] http::Error),
    #[error("no answer within {} seconds", TIME.as_secs())]
    Late,
}

/// Gets the page at `url`.
pub(super) async fn fetch(url: Url, cookie: Option<&str>) -> Result<Page, Error> {
    tokio::time::timeout(TIME, follow(url, cookie)).await.unwrap_or(Err(Error::Late))
}

async fn follow(mut url: Url, cookie: Option<&str>) -> Result<Page, Error> {
    let asked = url.origin();
    for _ in 0..=REDIRECTS {
        let cookie = cookie.filter(|_| url.origin() == asked);
        let (status, location, body) = get(&url, cookie).await?;
        match location.and_then(|location| url.join(&location).ok()) {
            Some(next) if status.is_redirection() => url = next,
            _ => return Ok(Page { url, status, body }),
        }
    }
    Err(Error::Redirects(url))
}

async fn get(url: &Url, cookie: Option<&str>) -> Result<(StatusCode, Option<String>, Vec<u8>), Error> {
    let (Some(host), "http") = (url.host_str(), url.scheme()) else { return Err(Error::Scheme(url.clone())) };
    let port = url.port_or_known_default().unwrap_or(80);
    // An IPv6 address stands in brackets in a URL only.
    let address = (host.trim_matches(['[', ']']), port);
    let stream = TcpStream::connect(address).await.map_err(|error| Error::Connect(url.clone(), error))?;
    let failed = |error| Error::Http(url.clone(), error);
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
        let body = Limited::new(response.into_body(), PAGE).collect().await;
        let body = body.map_err(|error| Error::Body(url.clone(), error))?;
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
