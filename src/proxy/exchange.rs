//! The life of a request, from the browser's head to the response's: one step a line.
//!
//! Every way out is a response: hyper would close the connection without a byte on an error. Every way out is
//! recorded, also that of a browser which does not wait.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::body::{FromOrigin, Outgoing, ToOrigin, Upload};

use super::error::Failure;
use super::page::Page;
use super::pool::{Lease, Pool};
use super::pulse::Busy;
use super::record::Record;
use super::request::Target;
use super::trust::Trusted;
use super::{Proxy, capture, headers, inject, membership, request, upgrade};

/// What a connection's exchanges share.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// The address as `X-Forwarded-For` has it.
    pub(super) said: HeaderValue,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, tasks: TaskTracker, stop: CancellationToken) -> Peer {
        let said = HeaderValue::from_str(&address.ip().to_canonical().to_string());
        Peer { address, said: said.unwrap_or(HeaderValue::from_static("unknown")), tasks, stop }
    }
}

/// What answers the requests of a listener.
#[derive(Debug, Clone)]
pub(super) enum Answerer {
    /// The site, and our routes below `/.tandem/`.
    Site(Arc<Proxy>),
    /// Routes of our own, as on the console's listener.
    Routes { routes: axum::Router, trusted: Trusted },
}

impl Answerer {
    /// The proxies before this one.
    pub(super) fn trusted(&self) -> &Trusted {
        match self {
            Answerer::Site(proxy) => &proxy.trusted,
            Answerer::Routes { trusted, .. } => trusted,
        }
    }

    /// Answers one request, whatever happens.
    pub(super) async fn answer(
        self,
        peer: Arc<Peer>,
        busy: Busy,
        mut request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Infallible> {
        request::in_terms_of_http1(&mut request);
        let response = match &self {
            Answerer::Site(proxy) => recorded(proxy, &peer, request).await,
            Answerer::Routes { routes, trusted } => own(routes, trusted, &peer, request).await,
        };
        Ok(response.map(|body| body.keeps_busy(busy)))
    }
}

async fn recorded(proxy: &Proxy, peer: &Peer, request: Request<Incoming>) -> Response<Outgoing> {
    let (head, version) = (request.method() == Method::HEAD, request.version());
    let entry = proxy.log.as_ref().map(|log| {
        let browser = proxy.trusted.browser(peer.address, request.headers());
        Box::new(log.entry(browser.ip(), &request))
    });
    let mut record = Record::begin(Arc::clone(&proxy.siteless), entry);
    let response = match exchange(proxy, peer, request, &mut record).await {
        Ok(response) => response,
        Err(failure) => {
            record.failed(failure.reason());
            failure.into_response(version, record.id).map(Outgoing::page)
        }
    };
    record.answered(response.status());
    response.map(|body| body.recorded(record, head))
}

async fn exchange(
    proxy: &Proxy,
    peer: &Peer,
    mut request: Request<Incoming>,
    record: &mut Record,
) -> Result<Response<Outgoing>, Failure> {
    let target = request::admit(proxy, &mut request)?;
    record.is_for(&target.route.metrics);
    if let Some(link) = request::console_link(&request, || target.url(), &proxy.console) {
        return Ok(redirect(link));
    }
    if request.uri().path().starts_with(request::OWN) {
        return Ok(own(&proxy.own, &proxy.trusted, peer, request).await);
    }

    let navigation = inject::is_navigation(&request);
    let accepted = if navigation { inject::accepted(request.headers()) } else { None };
    // Only customers in a session have a cookie of ours.
    let ours = headers::has_own_cookie(request.headers());
    let sink = if ours { capture::open(&*proxy.sharing.0, &request, || target.url()) } else { None };
    let member = if ours { proxy.sharing.0.member(request.headers()) } else { None };
    let wish = upgrade::wish(&mut request)?;
    let framed = request.headers().contains_key(header::CONTENT_LENGTH) || request.body().is_end_stream();
    headers::to_origin(request.headers_mut(), &target, framed, peer, &proxy.trusted, &proxy.via)?;
    if let Some(member) = member {
        membership::tell(&mut request, &member, proxy.signing.as_ref());
    }
    if navigation {
        inject::ask(request.headers_mut(), &proxy.tag);
    } else if sink.is_some() {
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if wish.is_some() {
        upgrade::ask(request.headers_mut());
    }

    let method = request.method().clone();
    let (mut response, lease) = fetch(proxy, peer, &target, request, wish.is_some(), record).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let wish = wish.ok_or(Failure::BadResponse("switched protocols unasked"))?;
        upgrade::open(wish, &mut response, peer, proxy.limits.tunnel_idle, record.metrics())?;
        return Ok(response.map(|body| Outgoing::origin(FromOrigin::new(body, None, None, None, None))));
    }

    headers::to_browser(&mut response)?;
    inject::vary(&mut response);
    let plan =
        if navigation { inject::decide(&mut response, || target.url(), &proxy.tag, accepted) } else { None };
    if plan.is_some() {
        record.metrics().injected();
    }
    // A HEAD has the headers of the page with the tag, and no page.
    let plan = plan.filter(|_| method != Method::HEAD);
    let page =
        plan.map(Page::new).transpose().map_err(|_| Failure::BadResponse("no memory for its coding"))?;
    let sink = sink.and_then(|sink| capture::begin(sink, &response));
    let silence = (!is_event_stream(&response)).then_some(proxy.limits.origin_silence);
    Ok(response.map(|body| Outgoing::origin(FromOrigin::new(body, Some(lease), page, sink, silence))))
}

fn redirect(link: HeaderValue) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::page(Default::default()));
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, link);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn own(
    routes: &axum::Router,
    trusted: &Trusted,
    peer: &Peer,
    mut request: Request<Incoming>,
) -> Response<Outgoing> {
    let browser = trusted.browser(peer.address, request.headers());
    request.extensions_mut().insert(ConnectInfo(browser));
    let answer = routes.clone().oneshot(request.map(axum::body::Body::new)).await;
    match answer {
        Ok(response) => response.map(Outgoing::own),
        Err(never) => match never {},
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

/// Sends the request to the origin and waits for the response's head.
async fn fetch(
    proxy: &Proxy,
    peer: &Peer,
    target: &Target<'_>,
    request: Request<Incoming>,
    upgrade: bool,
    record: &mut Record,
) -> Result<(Response<Incoming>, Lease), Failure> {
    let (head, body) = request.into_parts();
    let body = ToOrigin::new(body, &proxy.limits, record.metrics());
    let upload = body.upload();
    // Only what is sent: the extensions belong to the browser's connection.
    let mut outbound = Request::new(body);
    *outbound.method_mut() = head.method;
    *outbound.uri_mut() = head.uri;
    *outbound.headers_mut() = head.headers;
    *outbound.version_mut() = Version::HTTP_11;

    let asked = Instant::now();
    let answered = ask(proxy, peer, target, outbound, upload.as_deref(), upgrade).await?;
    let sent = upload.map_or(asked, |upload| upload.progress().last.max(asked));
    record.origin_answered(asked.elapsed(), sent.elapsed());
    Ok(answered)
}

/// A kept connection may be closed by the origin at this very moment. Then the request is sent once more on a
/// new one, but only if hyper never sent it, or if it is a GET or HEAD without a body (RFC 9110, section 9.2.2).
async fn ask(
    proxy: &Proxy,
    peer: &Peer,
    target: &Target<'_>,
    outbound: Request<ToOrigin>,
    upload: Option<&Upload>,
    upgrade: bool,
) -> Result<(Response<Incoming>, Lease), Failure> {
    let pool: &Arc<Pool> = &target.route.origin;
    let lease = if upgrade { pool.open(&peer.tasks).await? } else { pool.checkout(&peer.tasks).await? };
    let spare =
        (lease.reused && upload.is_none() && matches!(*outbound.method(), Method::GET | Method::HEAD))
            .then(|| copy(&outbound));
    let again = match send(proxy, lease, outbound, upload).await {
        Ok(answered) => return Ok(answered),
        Err(Unanswered { again: Some(unsent), reused: true, .. }) => *unsent,
        Err(Unanswered { failure: Failure::Broken(error), reused: true, .. }) if !error.is_parse() => {
            match spare {
                Some(spare) => spare,
                None => return Err(Failure::Broken(error)),
            }
        }
        Err(Unanswered { failure, .. }) => return Err(failure),
    };
    let lease = pool.open(&peer.tasks).await?;
    send(proxy, lease, again, upload).await.map_err(|unanswered| unanswered.failure)
}

fn copy(request: &Request<ToOrigin>) -> Request<ToOrigin> {
    let mut copy = Request::new(ToOrigin::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

struct Unanswered {
    failure: Failure,
    /// The request itself, if nothing of it was sent.
    again: Option<Box<Request<ToOrigin>>>,
    reused: bool,
}

async fn send(
    proxy: &Proxy,
    mut lease: Lease,
    request: Request<ToOrigin>,
    upload: Option<&Upload>,
) -> Result<(Response<Incoming>, Lease), Unanswered> {
    let reused = lease.reused;
    let failed = |failure| Unanswered { failure, again: None, reused };
    let answer = lease.sender.try_send_request(request);
    let answer = tokio::select! {
        answer = answer => answer,
        failure = overdue(upload, proxy.limits.first_byte) => return Err(failed(failure)),
    };
    match answer {
        Ok(response) => Ok((response, lease)),
        Err(mut error) => {
            let again = error.take_message().map(Box::new);
            let failure = match upload.map(Upload::progress) {
                // Our own body gave up because the browser's did.
                Some(progress) if progress.waiting && error.error().is_user() => Failure::SlowClient,
                _ => Failure::Broken(error.into_error()),
            };
            Err(Unanswered { failure, again, reused })
        }
    }
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
