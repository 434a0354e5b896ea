//! The life of a request, from the browser's head to the response's: one step a line.
//!
//! Every way out is a response: hyper would close the connection without a byte on an error. Every way out is
//! recorded, also that of a browser which does not wait.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::body::{FromOrigin, Outgoing};

use super::change::Wish;
use super::early::{Early, Interim};
use super::error::Failure;
use super::origin::fetch;
use super::page::Page;
use super::pulse::Busy;
use super::record::{Record, RequestId};
use super::trust::Trusted;
use super::untyped::{self, Start};
use super::upload::FromBrowser;
use super::{Front, Limits, Proxy, capture, change, file, headers, inject, membership, request, upgrade};

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
    Site(Front),
    /// Routes of our own, as on the console's listener.
    Routes { routes: axum::Router, limits: Arc<Limits>, trusted: Trusted },
}

impl Answerer {
    /// Bounds of the connections to come.
    pub(super) fn limits(&self) -> Arc<Limits> {
        match self {
            Answerer::Site(front) => Arc::clone(&front.proxy().limits),
            Answerer::Routes { limits, .. } => Arc::clone(limits),
        }
    }

    /// Whether a peer is one of the proxies before this one.
    pub(super) fn believes(&self, peer: IpAddr) -> bool {
        match self {
            Answerer::Site(front) => front.proxy().trusted.believes(peer),
            Answerer::Routes { trusted, .. } => trusted.believes(peer),
        }
    }

    /// Answers one request, whatever happens.
    pub(super) async fn answer(
        self,
        peer: Arc<Peer>,
        busy: Busy,
        early: Early<'_>,
        mut request: Request<FromBrowser>,
    ) -> Result<Response<Outgoing>, Infallible> {
        request::in_terms_of_http1(&mut request);
        if busy.has_two_lengths() {
            // What hyper took away is what the request is refused for; its value is nobody's business.
            request.headers_mut().append(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut response = match &self {
            Answerer::Site(front) => recorded(&front.proxy(), &peer, early, request).await,
            Answerer::Routes { routes, trusted, .. } => match request::check_framing(&request) {
                Ok(()) => Box::pin(own(routes, trusted, &peer, early, request)).await,
                Err(failure) => {
                    failure.into_response(request.version(), RequestId::random()).map(Outgoing::page)
                }
            },
        };
        if busy.is_last() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| body.keeps_busy(busy)))
    }
}

async fn recorded(
    proxy: &Proxy,
    peer: &Peer,
    early: Early<'_>,
    request: Request<FromBrowser>,
) -> Response<Outgoing> {
    let (head, version) = (request.method() == Method::HEAD, request.version());
    let entry = proxy.log.as_ref().map(|log| {
        let browser = proxy.trusted.browser(peer.address, request.headers());
        Box::new(log.entry(browser.ip(), &request))
    });
    let mut record = Record::begin(Arc::clone(&proxy.siteless), entry);
    let response = match exchange(proxy, peer, early, request, &mut record).await {
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
    early: Early<'_>,
    mut request: Request<FromBrowser>,
    record: &mut Record,
) -> Result<Response<Outgoing>, Failure> {
    let target = request::admit(proxy, &mut request)?;
    record.is_for(&target.route.metrics);
    if let Some(link) = request::console_link(&request, || target.url(), &proxy.console) {
        return Ok(redirect(link));
    }
    if request.uri().path().starts_with(request::OWN) {
        return Ok(Box::pin(own(&proxy.own, &proxy.trusted, peer, early, request)).await);
    }

    let navigation = inject::is_navigation(&request);
    let mapped = target.route.mapped.as_ref().filter(|_| navigation || change::may_be_mapped(&request));
    let changing = navigation || mapped.is_some();
    let mut known = false;
    let accepted = if changing { inject::accepted(request.headers()) } else { None };
    // Only customers in a session have a cookie of ours.
    let ours = headers::has_own_cookie(request.headers());
    let sink = if ours { capture::open(&*proxy.sharing.0, &request, || target.url()) } else { None };
    let saving =
        if ours && navigation { proxy.sharing.0.saving(request.headers(), &target.url()) } else { None };
    let member = if ours { proxy.sharing.0.member(request.headers()) } else { None };
    let wish = upgrade::wish(&mut request)?;
    let expected = early.is_waited_for(&request);
    let framed = request.headers().contains_key(header::CONTENT_LENGTH) || request.body().is_end_stream();
    headers::to_origin(request.headers_mut(), &target, framed, peer, &proxy.trusted, &proxy.via)?;
    if let Some(member) = member {
        membership::tell(&mut request, &member, proxy.signing.as_ref());
    }
    if let Some(mapped) = &target.route.mapped {
        mapped.request(&mut request);
    }
    if navigation {
        inject::ask(request.headers_mut(), &target.route.tag);
    } else if mapped.is_some() {
        known = change::ask(request.headers_mut(), &target.route.tag);
    }
    if sink.is_some() && !navigation {
        // Copies are of what is not coded.
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if wish.is_some() {
        upgrade::ask(request.headers_mut());
    }

    let method = request.method().clone();
    let mut interim = Interim::new(early, target.route.mapped.as_ref(), expected, proxy.limits.head);
    let mut response = fetch(proxy, peer, &target, request, wish.is_some(), &mut interim, record).await?;
    if let Some(mapped) = &target.route.mapped {
        mapped.response(&mut response);
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let wish = wish.ok_or(Failure::BadResponse("switched protocols unasked"))?;
        upgrade::open(wish, &mut response, peer, proxy.limits.tunnel_idle, record.metrics())?;
        return Ok(response.map(|body| {
            Outgoing::origin(FromOrigin::new(body.tunnelled(), Bytes::new(), None, None, None))
        }));
    }

    if let Some(may) = saving
        && file::is_file(response.status(), response.headers())
        && !may.await
    {
        return Ok(file::kept_back());
    }
    headers::to_browser(&mut response)?;
    inject::vary(&mut response);
    let silence = proxy.limits.origin_silence;
    let untyped = navigation && method == Method::GET && untyped::is_untyped(response.headers());
    let start = if untyped { untyped::start(&mut response, silence).await? } else { Start::default() };
    let mut sink = sink.and_then(|sink| capture::begin(sink, &response));
    let (tag, pins) = (&target.route.tag, &proxy.pins);
    let url = || target.url();
    let wish = Wish { navigation, sniffed: start.is_page, accepted, url: &url, tag, mapped, known, pins };
    let plan = if changing { change::decide(&mut response, &wish) } else { None };
    if plan.as_ref().is_some_and(|plan| plan.insertion.is_some()) {
        record.metrics().injected();
    }
    // A HEAD has the headers of the body that a GET would have, and no body.
    let plan = plan.filter(|_| method != Method::HEAD);
    let page = plan.map(|plan| Page::new(plan, sink.take(), pins)).transpose();
    let page = page.map_err(|_| Failure::BadResponse("no memory for its coding"))?;
    let endless = is_event_stream(&response);
    let silence = (!endless).then_some(silence);
    Ok(response.map(|body| {
        let body = FromOrigin::new(body, start.bytes, page, sink, silence);
        Outgoing::origin(if endless { body.until(peer.stop.clone()) } else { body })
    }))
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
    early: Early<'_>,
    mut request: Request<FromBrowser>,
) -> Response<Outgoing> {
    if early.is_waited_for(&request) {
        early.go_on();
    }
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
