//! The site's own WebSockets: a tunnel, and only after both sides agreed on it.
//!
//! Frames are not parsed. One direction may end while the other goes on; both end when nothing passes for
//! too long or the server stops. RFC 9110, section 7.8; RFC 6455, section 4.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body::Body;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::error::{Failure, Reason};
use super::exchange::Peer;
use super::headers::tokens;
use super::metrics::SiteMetrics;

const WEBSOCKET: &str = "websocket";
/// Why a tunnel was closed from here.
const IDLE: Reason = Reason { fault: "client", word: "websocket_idle" };

/// The browser's side of an upgrade that the origin is asked for.
pub(super) struct Wish(OnUpgrade);

/// Takes the wish out of a request that asks for a WebSocket. Every other upgrade is ignored, which RFC 9110
/// allows; its headers are hop-by-hop and end here.
pub(super) fn wish<B: Body>(request: &mut Request<B>) -> Result<Option<Wish>, Failure> {
    let headers = request.headers();
    if !tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
        || !tokens(headers, &header::UPGRADE).any(|token| token.eq_ignore_ascii_case(WEBSOCKET))
    {
        return Ok(None);
    }
    let alone = tokens(headers, &header::UPGRADE).count() == 1;
    if request.method() != Method::GET || request.version() != Version::HTTP_11 || !alone {
        return Ok(None);
    }
    if !request.body().is_end_stream() || headers.contains_key(header::TRANSFER_ENCODING) {
        // What one server takes for the body, another could take for the tunnel's first bytes.
        return Err(Failure::Malformed("upgrade with a body"));
    }
    Ok(Some(Wish(hyper::upgrade::on(request))))
}

/// Puts the wish into the request to the origin.
pub(super) fn ask(headers: &mut http::HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

/// The origin has answered 101: opens the tunnel and makes the response that opens the browser's end.
pub(super) fn open<B>(
    wish: Wish,
    response: &mut Response<B>,
    peer: &Peer,
    idle: Duration,
    metrics: &Arc<SiteMetrics>,
) -> Result<(), Failure> {
    let mut protocols = tokens(response.headers(), &header::UPGRADE);
    if !protocols.next().is_some_and(|name| name.eq_ignore_ascii_case(WEBSOCKET))
        || protocols.next().is_some()
    {
        return Err(Failure::BadResponse("switched to another protocol"));
    }
    drop(protocols);
    let origin = hyper::upgrade::on(&mut *response);
    super::headers::to_browser(response)?;
    response.headers_mut().remove(header::CONTENT_LENGTH);
    ask(response.headers_mut());
    let stop = peer.stop.clone();
    let metrics = Arc::clone(metrics);
    peer.tasks.spawn(async move {
        tokio::select! {
            () = tunnel(wish.0, origin, idle, &metrics) => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(())
}

async fn tunnel(browser: OnUpgrade, origin: OnUpgrade, idle: Duration, metrics: &SiteMetrics) {
    let (browser, origin) = match tokio::join!(browser, origin) {
        (Ok(browser), Ok(origin)) => (browser, origin),
        (Err(error), _) | (_, Err(error)) => return tracing::debug!(%error, "no tunnel"),
    };
    let _open = metrics.tunnel();
    let activity = Mutex::new(Instant::now());
    let count = |bytes| metrics.received(bytes);
    let mut browser = Active { io: TokioIo::new(browser), activity: &activity, count };
    let count = |bytes| metrics.sent(bytes);
    let mut origin = Active { io: TokioIo::new(origin), activity: &activity, count };
    tokio::select! {
        result = tokio::io::copy_bidirectional(&mut browser, &mut origin) => {
            if let Err(error) = result {
                tracing::debug!(%error, "tunnel ended");
            }
        }
        () = quiet(&activity, idle) => {
            tracing::debug!("tunnel idle");
            metrics.failed(IDLE);
        }
    }
}

async fn quiet(activity: &Mutex<Instant>, limit: Duration) {
    loop {
        let until = *activity.lock().unwrap_or_else(PoisonError::into_inner) + limit;
        if until <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(until).await;
    }
}

/// One end of a tunnel, which notes when something came, and counts it.
struct Active<'t, C> {
    io: TokioIo<Upgraded>,
    activity: &'t Mutex<Instant>,
    count: C,
}

impl<C: Fn(usize) + Unpin> AsyncRead for Active<'_, C> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = Pin::new(&mut this.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            (this.count)(buf.filled().len() - before);
            *this.activity.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        result
    }
}

impl<C: Unpin> AsyncWrite for Active<'_, C> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
