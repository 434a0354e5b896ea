//! Asks the origin: sends a request and waits for the response's head, a second time where that can harm nobody.
//!
//! A connection may end at the very moment in which a request is sent on it. Sent again is what was certainly not
//! processed, and what may be processed twice (RFC 9110, section 9.2.2; RFC 9113, section 8.7), once and on another
//! connection. A body is never sent twice.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, Version};
use http_body::Body as _;
use tokio::time::Instant;

use super::Proxy;
use super::body::{ToOrigin, Upload};
use super::early::Interim;
use super::error::Failure;
use super::exchange::Peer;
use super::pool::{Arriving, Lease, Pool, Unanswered};
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
    let response = asking.await?;
    let sent = upload.map_or(asked, |upload| upload.progress().last.max(asked));
    record.origin_answered(asked.elapsed(), sent.elapsed());
    Ok(response)
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
    outbound: Request<ToOrigin>,
    upload: Option<&Upload>,
    upgrade: bool,
    interim: &mut Interim<'_>,
) -> Result<Response<Arriving>, Failure> {
    if upgrade {
        // HTTP/2 has no upgrades.
        let lease = pool.open_http1(&peer.tasks).await?;
        let asking = send(proxy, peer, lease, outbound, upload, interim);
        return asking.await.map_err(|unanswered| unanswered.failure);
    }
    let lease = pool.checkout(&peer.tasks).await?;
    interim.body_is_wanted();
    let harmless = lease.reused && matches!(*outbound.method(), Method::GET | Method::HEAD);
    // hyper gives none back of which something may have been sent.
    let spare = (upload.is_none() && harmless && !lease.is_shared()).then(|| copy(&outbound));
    let Unanswered { failure, request, unprocessed } =
        match send(proxy, peer, lease, outbound, upload, interim).await {
            Ok(answered) => return Ok(answered),
            Err(unanswered) => unanswered,
        };
    let broken = match &failure {
        Failure::Broken(error) => !error.is_parse(),
        failure => matches!(failure, Failure::Stream(_)),
    };
    let again = match request.map(|request| *request).or(spare) {
        Some(again) if unprocessed || harmless && broken => again,
        _ => return Err(failure),
    };
    let lease = pool.fresh(&peer.tasks).await?;
    let asking = send(proxy, peer, lease, again, upload, interim);
    asking.await.map_err(|unanswered| unanswered.failure)
}

fn copy(request: &Request<ToOrigin>) -> Request<ToOrigin> {
    let mut copy = Request::new(ToOrigin::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

async fn send(
    proxy: &Proxy,
    peer: &Peer,
    lease: Lease,
    request: Request<ToOrigin>,
    upload: Option<&Upload>,
    interim: &mut Interim<'_>,
) -> Result<Response<Arriving>, Unanswered> {
    let limits = &proxy.limits;
    let mut unanswered = tokio::select! {
        biased;
        answer = lease.send(request, interim, &peer.tasks, limits.origin_silence) => match answer {
            Ok(response) => return Ok(response),
            Err(unanswered) => unanswered,
        },
        failure = overdue(upload, limits.first_byte) => return Err(failure.into()),
    };
    if let Failure::Broken(error) = &unanswered.failure
        && error.is_user()
        && upload.is_some_and(|upload| upload.progress().waiting)
    {
        // Our own body gave up because the browser's did.
        unanswered.failure = Failure::SlowClient;
    }
    Err(unanswered)
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
