//! A customer's connection: accepted, watched while it lives, ended when the server stops.
//!
//! No address may hold the room of all, and no connection outlives a limit: its [`Pulse`] says when. Over TLS the
//! browser chooses between HTTP/1.1 and HTTP/2 (ALPN); without it, it is HTTP/1.1. Most connections are idle at any
//! moment, so one of HTTP/1.1 that is gives back what it needs for work: it rests.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use hyper::server::conn::http1::UpgradeableConnection;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::early::Early;
use super::exchange::{Answerer, Peer};
use super::guests::Guests;
use super::metrics::ListenerMetrics;
use super::pulse::{Busy, CONTROL_FLOOD, IDLE, Overdue, Pulse, Socket, Watched, Wire};
use super::streams::Streams;
use super::upload::FromBrowser;
use super::{Entrance, Limits};
use crate::tls;

/// Pause after a failed `accept`: out of file descriptors, which takes time to pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a connection of HTTP/1.1 that is idle when the server stops may still ask for something.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// What hyper allows by itself; more costs each request an allocation.
const HYPER_HEADERS: usize = 100;

pub(super) async fn accept(
    answerer: Answerer,
    entrance: Entrance,
    metrics: &ListenerMetrics,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let Entrance { listener, tls } = entrance;
    if let Some(tls) = tls.clone() {
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(tls.keep_fresh()).await });
    }
    let room = Arc::new(Semaphore::new(answerer.limits().connections.min(Semaphore::MAX_PERMITS)));
    let door = Door { answerer, tls, guests: Guests::default(), metrics, tasks, stop };
    loop {
        let next = async {
            let permit = one_more(&room, metrics).await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, address)) => door.welcome(stream, address, permit),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    let mut waiting = waiting(listener);
    while let Ok(permit) = Arc::clone(&room).try_acquire_owned()
        && let Some((stream, address)) = waiting.next()
    {
        door.welcome(stream, address, Some(permit));
    }
}

/// Those who were connected before the stop, and may have asked already: by the system itself, for the runtime knows only of whom it
/// has noticed.
fn waiting(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, address) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, address))
    })
}

/// What every connection to a listener is given.
struct Door<'l> {
    answerer: Answerer,
    tls: Option<tls::Acceptor>,
    guests: Guests,
    metrics: &'l ListenerMetrics,
    tasks: &'l TaskTracker,
    stop: &'l CancellationToken,
}

impl Door<'_> {
    fn welcome(&self, stream: TcpStream, address: SocketAddr, permit: Option<OwnedSemaphorePermit>) {
        let limits = self.answerer.limits();
        let most = match self.answerer.believes(address.ip()) {
            true => usize::MAX,
            false => limits.connections_per_address,
        };
        let Some(guest) = self.guests.admit(address.ip(), most) else {
            return self.metrics.limited("connections_per_address");
        };
        let peer = Arc::new(Peer::new(address, self.tasks.clone(), self.stop.clone()));
        let (open, metrics) = (self.metrics.accepted(), self.metrics.clone());
        let serve = serve(self.answerer.clone(), limits, stream, self.tls.clone(), peer, metrics);
        self.tasks.spawn(async move {
            serve.await;
            drop((permit, guest, open));
        });
    }
}

/// Room for one more connection. Without any, the next customer waits in the listener's queue.
async fn one_more(room: &Arc<Semaphore>, metrics: &ListenerMetrics) -> Option<OwnedSemaphorePermit> {
    if room.available_permits() == 0 {
        metrics.limited("connections");
        tracing::warn!("as many connections as allowed; the next ones wait");
    }
    Arc::clone(room).acquire_owned().await.ok()
}

async fn serve(
    answerer: Answerer,
    limits: Arc<Limits>,
    stream: TcpStream,
    tls: Option<tls::Acceptor>,
    peer: Arc<Peer>,
    metrics: ListenerMetrics,
) {
    // Without it small responses wait for the browser's delayed acknowledgements.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return http1(answerer, &limits, stream, peer, &metrics).await };
    // A handshake takes much more room than what comes after it.
    let stream = match Box::pin(tokio::time::timeout(limits.handshake, tls.accept(stream))).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            metrics.limited("handshake");
            return tracing::debug!(%error, "no TLS");
        }
        Err(_) => {
            metrics.limited("handshake_timeout");
            return tracing::debug!("handshake too slow");
        }
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Box::pin(http2(answerer, &limits, stream, peer, &metrics)).await,
        _ => http1(answerer, &limits, stream, peer, &metrics).await,
    }
}

/// A connection of HTTP/1.1: it works, and rests when it has been idle for a while.
async fn http1<S>(answerer: Answerer, limits: &Limits, socket: S, peer: Arc<Peer>, metrics: &ListenerMetrics)
where
    S: Socket + Send + 'static,
{
    metrics.speaks_http1();
    let pulse = Arc::new(Pulse::new(Wire::OneByOne, limits));
    let mut socket = Watched::new(socket, &pulse);
    loop {
        // Boxed, as little else is left while it rests.
        let work = Box::pin(work(answerer.clone(), limits, socket, Arc::clone(&peer), &pulse, metrics));
        let Some(rested) = work.await else { return };
        socket = rested;
        let _resting = metrics.rests();
        tokio::select! {
            biased;
            () = socket.readable() => {}
            // It ends as those do that work.
            () = peer.stop.cancelled() => {}
            () = tokio::time::sleep_until(pulse.idle_until(limits)) => return cut_off(IDLE, metrics),
        }
    }
}

/// Answers requests until the connection ends, or could rest: then it is returned.
async fn work<S>(
    answerer: Answerer,
    limits: &Limits,
    socket: Watched<S>,
    peer: Arc<Peer>,
    pulse: &Arc<Pulse>,
    metrics: &ListenerMetrics,
) -> Option<Watched<S>>
where
    S: Socket + Send + 'static,
{
    let io = TokioIo::new(socket);
    let stop = peer.stop.clone();
    let beat = Arc::clone(pulse);
    let service = service_fn(move |request| {
        let busy = Busy::begin(&beat);
        let request = Request::map(request, FromBrowser::Http1);
        answerer.clone().answer(Arc::clone(&peer), busy, Early::NONE, request)
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // Ours is the pulse.
    builder.max_buf_size(limits.head.max(8192)).max_header_size(limits.head).header_read_timeout(None);
    if limits.headers > HYPER_HEADERS {
        builder.max_headers(limits.headers);
    }
    let mut connection = builder.serve_connection(io, service).with_upgrades();
    let shutdown = |connection: Pin<&mut _>| UpgradeableConnection::graceful_shutdown(connection);
    match watch(Pin::new(&mut connection), shutdown, pulse, limits, metrics, &stop).await {
        After::Nothing => None,
        After::Rest => {
            let parts = connection.into_parts()?;
            Some(parts.io.into_inner().after(parts.read_buf))
        }
    }
}

async fn http2<S>(answerer: Answerer, limits: &Limits, stream: S, peer: Arc<Peer>, metrics: &ListenerMetrics)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    metrics.speaks_http2();
    let pulse = Arc::new(Pulse::new(Wire::Streams, limits));
    let stop = peer.stop.clone();
    let mut connection = Streams::new(stream, answerer, limits, peer, Arc::clone(&pulse));
    let end_gently = |connection: Pin<&mut Streams<S>>| connection.get_mut().end_gently();
    watch(Pin::new(&mut connection), end_gently, &pulse, limits, metrics, &stop).await;
}

/// What comes after a connection was watched.
enum After {
    Nothing,
    /// It was idle, and nothing of it is left but its socket.
    Rest,
}

/// Runs a connection until it ends, could rest, outstays a limit, or the server stops.
async fn watch<C, E>(
    mut connection: Pin<&mut C>,
    end_gently: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    limits: &Limits,
    metrics: &ListenerMetrics,
    stop: &CancellationToken,
) -> After
where
    C: Future<Output = Result<(), E>>,
    E: Fault,
{
    let mut late = pin!(pulse.overdue(limits));
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                ended(result, pulse, metrics);
                return After::Nothing;
            }
            overdue = late.as_mut() => match overdue {
                Overdue::Rest if rests(connection.as_mut(), &end_gently, pulse).await => return After::Rest,
                Overdue::Rest => late.set(pulse.overdue(limits)),
                Overdue::Limit(reason) => {
                    outstayed(connection, end_gently, reason, pulse, limits, metrics).await;
                    return After::Nothing;
                }
            },
            () = stop.cancelled() => break,
        }
    }
    stopped(connection, end_gently, pulse, limits, metrics).await;
    After::Nothing
}

/// Whether hyper, too, takes a connection for idle: then it is done with it, and leaves the socket open.
async fn rests<C, E>(mut connection: Pin<&mut C>, end_gently: impl Fn(Pin<&mut C>), pulse: &Pulse) -> bool
where
    C: Future<Output = Result<(), E>>,
    E: Fault,
{
    pulse.rests(true);
    end_gently(connection.as_mut());
    let done = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx))).await;
    pulse.rests(false);
    matches!(done, Poll::Ready(Ok(())))
}

/// A connection is over a limit: it is cut off, at once if it may not have asked for something.
async fn outstayed<C, E>(
    mut connection: Pin<&mut C>,
    end_gently: impl Fn(Pin<&mut C>),
    reason: &'static str,
    pulse: &Pulse,
    limits: &Limits,
    metrics: &ListenerMetrics,
) where
    C: Future<Output = Result<(), E>>,
    E: Fault,
{
    cut_off(reason, metrics);
    if pulse.wire == Wire::OneByOne || reason != IDLE {
        return;
    }
    // A request may be on its way: it is told that it was not seen (GOAWAY).
    end_gently(connection.as_mut());
    match tokio::time::timeout(limits.header_read, connection).await {
        Ok(result) => ended(result, pulse, metrics),
        Err(_) => tracing::debug!("connection cut off"),
    }
}

/// The server stops: the connection ends when what it does is done.
async fn stopped<C, E>(
    mut connection: Pin<&mut C>,
    end_gently: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    limits: &Limits,
    metrics: &ListenerMetrics,
) where
    C: Future<Output = Result<(), E>>,
    E: Fault,
{
    pulse.stops();
    // Over HTTP/2 the browser is told which requests will not be seen (GOAWAY). Over HTTP/1.1 it is told with the
    // next answer that this was the last; only one that does not ask for anything is not told.
    let mut cut = pin!(tokio::time::sleep(limits.drain));
    let mut late = pin!(pulse.overdue(limits));
    if pulse.wire == Wire::OneByOne {
        tokio::select! {
            biased;
            result = connection.as_mut() => return ended(result, pulse, metrics),
            Overdue::Limit(reason) = late.as_mut() => return cut_off(reason, metrics),
            () = pulse.quiet(LAST_CHANCE) => {}
            () = cut.as_mut() => return cut_off("stop", metrics),
        }
    }
    end_gently(connection.as_mut());
    tokio::select! {
        result = connection.as_mut() => ended(result, pulse, metrics),
        Overdue::Limit(reason) = late => cut_off(reason, metrics),
        () = cut => cut_off("stop", metrics),
    }
}

fn ended<E: Fault>(result: Result<(), E>, pulse: &Pulse, metrics: &ListenerMetrics) {
    let Err(error) = result else { return };
    if let Some(limit) = if pulse.flooded() { Some(CONTROL_FLOOD) } else { error.limit() } {
        metrics.limited(limit);
    }
    tracing::debug!(%error, "connection ended");
}

/// What a connection ends by.
trait Fault: std::error::Error {
    /// The limit that the browser is over, in the words of the metrics, if that is why.
    fn limit(&self) -> Option<&'static str>;
}

impl Fault for hyper::Error {
    fn limit(&self) -> Option<&'static str> {
        // Answered by hyper itself, if at all.
        (self.is_parse() || self.is_parse_too_large()).then_some("malformed")
    }
}

impl Fault for h2::Error {
    fn limit(&self) -> Option<&'static str> {
        // A flood that h2 notices itself.
        let calmed = self.is_library() && self.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
        calmed.then_some(CONTROL_FLOOD)
    }
}

fn cut_off(reason: &'static str, metrics: &ListenerMetrics) {
    tracing::debug!(reason, "connection closed");
    if reason != IDLE {
        metrics.limited(reason);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_waits_is_let_in_whether_or_not_the_runtime_has_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listener.accept().now_or_never().is_none());
        // The runtime does not look meanwhile.
        let clients: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        assert!(listener.accept().now_or_never().is_none());
        assert_eq!(waiting(listener).count(), clients.len());
    }

    #[test]
    fn an_exchange_takes_little_room() {
        fn room<F>(
            _: impl FnOnce(Answerer, Arc<Peer>, Busy, Early<'static>, Request<FromBrowser>) -> F,
        ) -> usize {
            size_of::<F>()
        }
        assert!(room(Answerer::answer) <= 5000, "{} bytes", room(Answerer::answer));
    }
}
