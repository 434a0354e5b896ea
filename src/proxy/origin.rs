//! Asks the origin: sends a request and waits for the response's head, a second time where that can harm nobody.
//!
//! A connection may end at the very moment in which a request is sent on it. Sent again is what was certainly not
//! processed, and what may be processed twice (RFC 9110, section 9.2.2; RFC 9113, section 8.7), once and on another
//! connection. A body is never sent twice.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::Proxy;
use super::body::{ToOrigin, Upload};
use super::early::{Coming, Interim};
use super::error::Failure;
use super::exchange::Peer;
use super::pool::{Arriving, Lease, Pool};
use super::record::Record;
use super::request::Target;
use super::upload::FromBrowser;
use super::wire;

/// Sends the request to the origin and waits for the response's head.
pub(super) async fn fetch(
    proxy: &Proxy,
    peer: &Peer,
    target: &Target<'_>,
    request: Request<FromBrowser>,
    upgrade: bool,
    interim: &mut Interim<'_>,
    record: &mut Record,
) -> Result<Response<Arriving>, Failure> {
    let pool = &target.route.origin;
    let asked = Instant::now();
    let bodiless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        && request.body().is_end_stream();
    if bodiless && !upgrade && pool.has_wires() {
        let response = by_wire(pool, &request, proxy.limits.first_byte, interim).await?;
        let waited = asked.elapsed();
        record.origin_answered(waited, waited);
        return Ok(response);
    }
    let (head, body) = request.into_parts();
    let body = ToOrigin::new(body, &proxy.limits, record.metrics());
    let upload = body.upload();
    // Only what is sent: the extensions belong to the browser's connection.
    let mut outbound = Request::new(body);
    *outbound.method_mut() = head.method;
    *outbound.uri_mut() = head.uri;
    *outbound.headers_mut() = head.headers;
    *outbound.version_mut() = Version::HTTP_11;

    let asking = Box::pin(ask(proxy, peer, pool, outbound, upload.as_deref(), upgrade, interim));
    let (response, lease) = asking.await?;
    let sent = upload.map_or(asked, |upload| upload.progress().last.max(asked));
    record.origin_answered(asked.elapsed(), sent.elapsed());
    Ok(response.map(|incoming| Arriving::Hyper(incoming, Some(lease))))
}

/// Without hyper's client, for a request without a body that may be repeated.
async fn by_wire(
    pool: &Arc<Pool>,
    request: &Request<FromBrowser>,
    limit: Duration,
    interim: &mut Interim<'_>,
) -> Result<Response<Arriving>, Failure> {
    let head = wire::encode(request);
    let arriving =
        |response: Response<_>| response.map(|reply| Arriving::Wire(Some(reply), Arc::clone(pool)));
    if let Some(kept) = pool.kept_wire() {
        match kept.ask(&head, request.method(), limit, interim).await {
            Err(wire::Error::Unanswered) => {}
            answer => return answer.map(arriving).map_err(Failure::from),
        }
    }
    // Rare, and so large that every exchange would have to carry room for it.
    let new = Box::pin(pool.new_wire()).await?;
    new.ask(&head, request.method(), limit, interim).await.map(arriving).map_err(Failure::from)
}

async fn ask(
    proxy: &Proxy,
    peer: &Peer,
    pool: &Arc<Pool>,
    mut outbound: Request<ToOrigin>,
    upload: Option<&Upload>,
    upgrade: bool,
    interim: &mut Interim<'_>,
) -> Result<(Response<Incoming>, Lease), Failure> {
    if upgrade {
        // HTTP/2 has no upgrades.
        let lease = pool.open_http1(&peer.tasks).await?;
        let mut none = None;
        let asking = send(proxy, lease, outbound, upload, interim, &mut none);
        return asking.await.map_err(|unanswered| unanswered.failure);
    }
    let lease = pool.checkout(&peer.tasks).await?;
    interim.body_is_wanted();
    let mut coming = interim.follow(&mut outbound);
    let harmless = lease.reused && matches!(*outbound.method(), Method::GET | Method::HEAD);
    let spare = (upload.is_none() && (harmless || lease.is_shared())).then(|| copy(&outbound));
    let Unanswered { failure, unsent, unprocessed } =
        match send(proxy, lease, outbound, upload, interim, &mut coming).await {
            Ok(answered) => return Ok(answered),
            Err(unanswered) => unanswered,
        };
    let broken = matches!(&failure, Failure::Broken(error) if !error.is_parse());
    let again = match (unsent, spare) {
        (Some(unsent), _) => *unsent,
        (None, Some(spare)) if unprocessed || harmless && broken => spare,
        _ => return Err(failure),
    };
    let lease = pool.fresh(&peer.tasks).await?;
    let asking = send(proxy, lease, again, upload, interim, &mut coming);
    asking.await.map_err(|unanswered| unanswered.failure)
}

fn copy(request: &Request<ToOrigin>) -> Request<ToOrigin> {
    let mut copy = Request::new(ToOrigin::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy
}

struct Unanswered {
    failure: Failure,
    /// The request itself, if nothing of it was sent.
    unsent: Option<Box<Request<ToOrigin>>>,
    /// Whether the origin says that it did nothing with it.
    unprocessed: bool,
}

async fn send(
    proxy: &Proxy,
    mut lease: Lease,
    request: Request<ToOrigin>,
    upload: Option<&Upload>,
    interim: &mut Interim<'_>,
    coming: &mut Coming,
) -> Result<(Response<Incoming>, Lease), Unanswered> {
    let failed = |failure| Err(Unanswered { failure, unsent: None, unprocessed: false });
    let answer = tokio::select! {
        biased;
        wrong = interim.pass(coming) => return failed(Failure::BadResponse(wrong)),
        answer = lease.send(request) => answer,
        failure = overdue(upload, proxy.limits.first_byte) => return failed(failure),
    };
    let mut error = match answer {
        Ok(response) => {
            return match interim.pass_last(coming) {
                Ok(()) => Ok((response, lease)),
                Err(wrong) => failed(Failure::BadResponse(wrong)),
            };
        }
        Err(error) => error,
    };
    let unsent = error.take_message().map(Box::new);
    let error = error.into_error();
    let unprocessed = lease.failed(&error);
    let failure = match upload.map(Upload::progress) {
        // Our own body gave up because the browser's did.
        Some(progress) if progress.waiting && error.is_user() => Failure::SlowClient,
        _ => Failure::Broken(error),
    };
    Err(Unanswered { failure, unsent, unprocessed })
}

/// Ends when the origin has had its time since it last got a piece of the request.
async fn overdue(upload: Option<&Upload>, limit: Duration) -> Failure {
    let started = Instant::now();
    loop {
        let progress = upload.map(Upload::progress);
        let until = progress.map_or(started, |progress| progress.last) + limit;
        if until <= Instant::now() {
            return match progress {
                Some(progress) if progress.waiting => Failure::SlowClient,
                _ => Failure::Silent,
            };
        }
        tokio::time::sleep_until(until).await;
    }
}
