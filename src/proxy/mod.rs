//! The edge to the site: answers under the site's own name, fetches from its origin server, and puts the
//! loader's tag into its pages. Everything else passes byte for byte.
//!
//! What it keeps: no request reaches a server that the settings do not name; no message is forwarded whose
//! framing or addressing two servers could read differently; every failure is a clear page, and once a
//! response has begun, a closed connection; every wait and every buffer has a limit.
//!
//! ```text
//! connection   accept, watch, stop            request    what is let in, and for which site
//! pulse        limits of a connection         trust      who really asks
//! patience, frames, guests: what the limits go by   heads  requests with two lengths
//! exchange     the life of one request        headers    hop-by-hop, forwarding, cookies
//! origin       is asked, twice if need be     membership tells it of sessions
//! pool         hyper's connections to it       upgrade    WebSocket tunnels
//! share        those of HTTP/2, by h2          pieces, life: bodies and signs of life over HTTP/2
//! wires        its connections for requests without a body: wire, chunked and stream
//! body         the bytes of both directions   page       decoded, changed, coded again
//! change       which bodies are changed       inject     which pages get the tag, and their headers
//! untyped      what is a page though nobody says so
//! mapped       a host under another name
//! capture      copies for the session         error      pages for what went wrong
//! record       what is noted of a request     metrics, access: what is counted, and logged
//! ```

mod access;
mod body;
mod capture;
mod change;
mod chunked;
mod connection;
mod date;
mod early;
mod error;
mod exchange;
mod file;
mod frames;
mod gather;
mod guests;
mod headers;
mod heads;
mod inject;
mod life;
mod mapped;
mod membership;
mod metrics;
mod origin;
mod page;
mod patience;
mod pieces;
mod pool;
mod pulse;
mod record;
mod request;
mod share;
mod stream;
mod streams;
mod trust;
mod untyped;
mod upgrade;
mod upload;
mod wire;
mod wires;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use access::{AccessLog, Format, Settings as AccessLogSettings};
pub use capture::{Sharing, Sink};
pub use mapped::Bodies;
pub use membership::{Member, SigningKey};
pub use metrics::Metrics;

use exchange::Answerer;
use mapped::Mapped;
use metrics::{ListenerMetrics, SiteMetrics};
use pool::Pool;
use request::Authority;
use trust::Trusted;

use crate::rewrite::url::{Pair, shared_public_domain};
use crate::tls;

/// What the proxy needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The websites, at least one. A single one also answers any other `Host`.
    pub sites: Vec<Site>,
    /// Times and sizes.
    pub limits: Limits,
    /// The proxies before this one, whose `X-Forwarded-*` is believed and passed on.
    pub trusted: Vec<IpNet>,
    /// The console's public address; links with a session ID lead there.
    pub console: Url,
    /// The loader's tag without a nonce, for example `<script src="/.tandem/loader.js?v=1"></script>`: ASCII,
    /// at most 200 bytes, so that a page's own `<meta charset>` stays among the first 1024.
    pub loader_tag: String,
    /// Signs what the origin is told of sessions; without it, that is not signed.
    pub signing: Option<SigningKey>,
}

/// One website.
#[derive(Debug, Clone)]
pub struct Site {
    /// As customers' browsers reach it: `http` or `https`, host and port.
    pub public: Url,
    /// The origin server: `http` or `https`, host and port.
    pub origin: Url,
    /// Under what name the origin knows itself.
    pub host: Host,
    /// Certificates of a private authority, in PEM, that an `https` origin is checked with in place of those
    /// that this system trusts.
    pub ca: Option<PathBuf>,
    /// The name in the certificate of an `https` origin, where it is not the host in `origin`.
    pub origin_name: Option<String>,
    /// Whether an `https` origin may choose HTTP/2.
    pub http2: bool,
}

impl Site {
    /// Before an origin that needs nothing special.
    pub fn new(public: Url, origin: Url) -> Site {
        Site { public, origin, host: Host::Keep, ca: None, origin_name: None, http2: true }
    }

    /// What an `https` origin is connected to with; `None` for an `http` one.
    ///
    /// # Errors
    ///
    /// [`Error`] if the certificates or the name are of no use, or set without being used.
    pub fn connector(&self) -> Result<Option<tls::Connector>, Error> {
        if self.origin.scheme() != "https" {
            let idle = self.ca.is_some() || self.origin_name.is_some();
            return if idle { Err(Error::Unused(self.origin.clone())) } else { Ok(None) };
        }
        let host = self.origin.host_str().ok_or_else(|| Error::Origin(self.origin.clone()))?;
        let called = match &self.host {
            Host::Own { name: Some(name), .. } => name.host_str(),
            _ => None,
        };
        let name = self.origin_name.as_deref().or(called).unwrap_or(host);
        Ok(Some(tls::Connector::new(name, self.ca.as_deref())?))
    }

    /// Its two names, if it has two.
    fn pair(&self) -> Option<Pair> {
        let Host::Own { name, .. } = &self.host else { return None };
        Some(Pair { origin: name.as_ref().unwrap_or(&self.origin).clone(), public: self.public.clone() })
    }

    /// `all`: the names of all sites that have two.
    fn mapped(&self, all: &[Pair]) -> Result<Option<Mapped>, Error> {
        let (Some(own), Host::Own { bodies, .. }) = (self.pair(), &self.host) else { return Ok(None) };
        let name = own.origin.clone();
        if !is_root(&name) || !matches!(name.scheme(), "http" | "https") {
            return Err(Error::Name(name));
        }
        Mapped::new(own, all, *bodies).map(Some).ok_or(Error::Name(name))
    }
}

/// Under what name an origin server is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// Under the public one: it gets the browser's `Host`, and nothing is mapped.
    Keep,
    /// Under its own: URLs, cookies and headers are mapped, both ways.
    Own {
        /// What it calls itself, where that is not its address.
        name: Option<Url>,
        /// What is mapped besides HTML and CSS.
        bodies: Bodies,
    },
}

/// The domain on whose hosts a session holds, so that what each of them serves reaches the agent: the one that all
/// public names of several mapped hosts share. Only one of their own counts (`help.example.com`): our cookie is nobody
/// else's, and below `example.com` there are others.
pub fn shared_domain(sites: &[Site]) -> Option<String> {
    let pairs: Vec<Pair> = sites.iter().filter_map(Site::pair).collect();
    if pairs.len() < 2 || pairs.len() < sites.len() {
        return None;
    }
    shared_public_domain(&pairs).filter(|domain| domain.split('.').count() > 2)
}

/// Times and sizes that bound the proxy's work.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Until the origin accepts a connection.
    pub connect: Duration,
    /// Until the origin's response begins, counted from the last byte of the request that it was sent.
    pub first_byte: Duration,
    /// Between two pieces of the origin's response; event streams may be silent for ever.
    pub origin_silence: Duration,
    /// How long nothing may come of a customer's request body.
    pub client_silence: Duration,
    /// What has to come of it in a second, on average over that time; in bytes.
    pub upload_pace: u32,
    /// How long a customer's browser may take nothing of a response that waits for it.
    pub write_stall: Duration,
    /// What it has to take in a second, on average over that time; in bytes.
    pub download_pace: u32,
    /// From the first byte of a request's head to its last.
    pub header_read: Duration,
    /// How long a customer's connection may be idle between requests.
    pub keep_alive: Duration,
    /// After how long without a request a connection of HTTP/1.1 gives back the memory that it needs for one.
    pub rest: Duration,
    /// How long an origin's connection may be idle; below what origin servers allow (Node: five seconds).
    pub origin_keep_alive: Duration,
    /// Idle connections kept for one origin, for requests without a body and for others each.
    pub origin_idle: usize,
    /// How long nothing may pass through a site's WebSocket.
    pub tunnel_idle: Duration,
    /// How long running responses may take to end when the server stops.
    pub drain: Duration,
    /// How long before that the server says that it is not ready, and does everything as before.
    pub stop_delay: Duration,
    /// The largest request or response head, in bytes; also the size of each connection's buffers.
    pub head: usize,
    /// Header lines of a request.
    pub headers: usize,
    /// The longest path and query of a request, in bytes.
    pub url: usize,
    /// Connections of customers at a time.
    pub connections: usize,
    /// Of these, connections of one address, or of one network of 64 bits; trusted proxies may have them all.
    pub connections_per_address: usize,
    /// From accepting a connection to the end of its TLS handshake.
    pub handshake: Duration,
    /// Requests at a time on one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            origin_silence: Duration::from_secs(300),
            client_silence: Duration::from_secs(60),
            upload_pace: 256,
            write_stall: Duration::from_secs(60),
            download_pace: 256,
            header_read: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            rest: Duration::from_secs(1),
            origin_keep_alive: Duration::from_secs(4),
            origin_idle: 128,
            tunnel_idle: Duration::from_secs(600),
            drain: Duration::from_secs(30),
            stop_delay: Duration::ZERO,
            head: 64 * 1024,
            headers: 100,
            url: 16 * 1024,
            connections: 10_000,
            connections_per_address: 1_000,
            handshake: Duration::from_secs(10),
            streams: 100,
        }
    }
}

/// Settings that no proxy can be made of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to stand before.
    #[error("no site is given")]
    NoSite,
    /// Two sites could not be told apart by the `Host` header.
    #[error("two sites have the public address {0}")]
    SameAddress(Url),
    /// Not the address of a website's root.
    #[error("{0}: a public address is http:// or https://, a host and perhaps a port, without a path")]
    Public(Url),
    /// Not what an origin server can be called.
    #[error("{0}: a name is http:// or https://, a host and perhaps a port, without a path")]
    Name(Url),
    /// Not an address that the proxy can fetch from.
    #[error("{0}: an origin is http:// or https://, a host and perhaps a port, without a path")]
    Origin(Url),
    /// Trust without TLS.
    #[error("{0}: `ca` and `origin_name` are for an https:// origin")]
    Unused(Url),
    /// An `https` origin could not be told from another server.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// Not an address that a browser can be sent to.
    #[error("{0}: the console's address is http:// or https://")]
    Console(Url),
    /// Not a tag that can stand in any page.
    #[error("the loader's tag is not one ASCII <script> element of at most 200 bytes")]
    LoaderTag,
}

/// A site as requests see it.
#[derive(Debug)]
struct Route {
    public: Url,
    origin: Arc<Pool>,
    /// If it is not addressed under its public name.
    mapped: Option<Mapped>,
    /// What its pages get.
    tag: inject::LoaderTag,
    metrics: Arc<SiteMetrics>,
}

/// The proxy: made once, serves any number of listeners.
#[derive(Debug)]
pub struct Proxy {
    routes: Vec<Route>,
    limits: Arc<Limits>,
    trusted: Trusted,
    console: Url,
    pins: Arc<change::Pins>,
    own: axum::Router,
    sharing: SharingRef,
    signing: Option<SigningKey>,
    /// Of requests that are for no site.
    siteless: Arc<SiteMetrics>,
    log: Option<AccessLog>,
    listener: ListenerMetrics,
    via: headers::Via,
}

/// The session layer's side, which has nothing to say about itself.
struct SharingRef(Arc<dyn Sharing>);

impl std::fmt::Debug for SharingRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sharing")
    }
}

impl Proxy {
    /// Checks the settings and makes a proxy; nothing is opened yet but the files of `ca`. Requests below `/.tandem/` go to `own`,
    /// with the browser's address as `ConnectInfo<SocketAddr>`, WebSocket upgrades included.
    ///
    /// # Errors
    ///
    /// [`Error`] says what in the settings is wrong.
    pub fn new(
        settings: Settings,
        own: axum::Router,
        sharing: Arc<dyn Sharing>,
        metrics: &Metrics,
        log: Option<AccessLog>,
    ) -> Result<Arc<Proxy>, Error> {
        let Settings { sites, limits, trusted, console, loader_tag, signing } = settings;
        if !matches!(console.scheme(), "http" | "https") {
            return Err(Error::Console(console));
        }
        let process: u64 = rand::random();
        let mut pools: HashMap<_, Arc<Pool>> = HashMap::new();
        let mut routes: Vec<Route> = Vec::new();
        let pairs: Vec<Pair> = sites.iter().filter_map(Site::pair).collect();
        for site in sites {
            let authority = Authority::of(&site.public)
                .filter(|_| is_root(&site.public))
                .ok_or_else(|| Error::Public(site.public.clone()))?;
            if routes.iter().any(|route| Authority::of(&route.public) == Some(authority)) {
                return Err(Error::SameAddress(site.public));
            }
            let address = pool::address(&site.origin)
                .filter(|_| is_root(&site.origin) && matches!(site.origin.scheme(), "http" | "https"))
                .ok_or_else(|| Error::Origin(site.origin.clone()))?;
            let key = (site.origin.clone(), site.ca.clone(), site.origin_name.clone(), site.http2);
            let pool = match pools.get(&key) {
                Some(pool) => Arc::clone(pool),
                None => {
                    let of = metrics.of_origin(&format!("{}:{}", address.0, address.1));
                    Arc::new(Pool::new(address, site.connector()?, site.http2, &limits, of))
                }
            };
            pools.insert(key, Arc::clone(&pool));
            let metrics = metrics.of_site(Some(&authority.to_string()));
            let mapped = site.mapped(&pairs)?;
            // Pins are learned again by each process, so no page from before may be confirmed.
            let way = mapped.as_ref().map(|_| format!("{pairs:?} {:?} {process}", site.host));
            let tag = inject::LoaderTag::new(&loader_tag, way.as_deref().unwrap_or_default())
                .ok_or(Error::LoaderTag)?;
            routes.push(Route { public: site.public, origin: pool, mapped, tag, metrics });
        }
        if routes.is_empty() {
            return Err(Error::NoSite);
        }
        Ok(Arc::new(Proxy {
            routes,
            limits: Arc::new(limits),
            trusted: Trusted::new(trusted),
            console,
            pins: Arc::default(),
            own,
            sharing: SharingRef(sharing),
            signing,
            siteless: metrics.of_site(None),
            log,
            listener: metrics.of_listener("site"),
            via: headers::Via::new(process),
        }))
    }

    /// Accepts connections until `stop`, each served on `tasks`. After it, running responses get
    /// [`Limits::drain`] to end; `tasks` is empty when the last one has.
    pub async fn serve(
        self: Arc<Self>,
        entrance: impl Into<Entrance>,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) {
        Front::new(self).serve(entrance, tasks, stop).await;
    }

    fn close(&self) {
        for route in &self.routes {
            route.origin.close();
        }
    }
}

/// The proxy that is in force. Another one can take its place while connections go on.
#[derive(Debug, Clone)]
pub struct Front(Arc<RwLock<Arc<Proxy>>>);

impl Front {
    /// Behind which there is `proxy`.
    pub fn new(proxy: Arc<Proxy>) -> Front {
        Front(Arc::new(RwLock::new(proxy)))
    }

    /// From now on requests, also those on connections that are open, go to `proxy`. What is running ends as it
    /// began.
    pub fn replace(&self, proxy: Arc<Proxy>) {
        let before = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), proxy);
        before.close();
    }

    fn proxy(&self) -> Arc<Proxy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes connections to origins that have been idle for too long, for ever: an origin may have closed one
    /// already, and nobody looks at it while no request comes.
    async fn keep_fresh(&self) {
        loop {
            let often = self.proxy().limits.origin_keep_alive.max(Duration::from_millis(100));
            tokio::time::sleep(often).await;
            for route in &self.proxy().routes {
                route.origin.sweep();
            }
        }
    }

    /// As [`Proxy::serve`].
    pub async fn serve(self, entrance: impl Into<Entrance>, tasks: TaskTracker, stop: CancellationToken) {
        let (front, stopped) = (self.clone(), stop.clone());
        tasks.spawn(async move { stopped.run_until_cancelled(front.keep_fresh()).await });
        let listener = self.proxy().listener.clone();
        let answerer = Answerer::Site(self.clone());
        connection::accept(answerer, entrance.into(), &listener, &tasks, &stop).await;
        self.proxy().close();
    }
}

/// Serves routes that stand before no site, such as the console's, as [`Proxy::serve`] does: with the same TLS,
/// the same limits, and the browser's address as `ConnectInfo<SocketAddr>`.
pub async fn serve_routes(
    routes: axum::Router,
    entrance: impl Into<Entrance>,
    limits: Limits,
    trusted: Vec<IpNet>,
    metrics: Metrics,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let answerer = Answerer::Routes { routes, limits: Arc::new(limits), trusted: Trusted::new(trusted) };
    let metrics = metrics.of_listener("console");
    connection::accept(answerer, entrance.into(), &metrics, &tasks, &stop).await;
}

/// Where browsers come in: a listener, over TLS or not.
#[derive(Debug)]
pub struct Entrance {
    /// Bound already.
    pub listener: TcpListener,
    /// Without it, plain HTTP/1.1 is spoken.
    pub tls: Option<tls::Acceptor>,
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Entrance { listener, tls: None }
    }
}

fn is_root(url: &Url) -> bool {
    matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
