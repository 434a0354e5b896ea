//! What the proxy counts for each site: requests, times, bytes, failures by fault, connections and refusals.
//!
//! Counting costs a request some atomic additions: what a site counts with is looked up once, when the proxy is
//! made. Labels are names of sites and words from here; nothing of a request becomes one.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::error::Reason;

type Labels<const N: usize> = [(&'static str, String); N];
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// The classes of answers, by the first digit of the status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The site of requests that none could be found for.
const NO_SITE: &str = "none";

/// Bounds in seconds: what a proxy takes, and what origins and whole responses take.
const SHORT: [f64; 10] = [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3];
const LONG: [f64; 12] = [1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The counters of the proxy and of its listeners. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Family<Labels<2>, Counter>,
    failures: Family<Labels<3>, Counter>,
    request_time: Histograms,
    origin_time: Histograms,
    proxy_time: Histograms,
    received: Family<Labels<1>, Counter>,
    sent: Family<Labels<1>, Counter>,
    pages: Family<Labels<1>, Counter>,
    upgrades: Family<Labels<1>, Counter>,
    tunnels: Family<Labels<1>, Gauge>,
    accepted: Family<Labels<2>, Counter>,
    connections: Family<Labels<1>, Gauge>,
    resting: Family<Labels<1>, Gauge>,
    limited: Family<Labels<2>, Counter>,
    origin_opened: Family<Labels<1>, Counter>,
    origin_reused: Family<Labels<1>, Counter>,
    origin_failed: Family<Labels<2>, Counter>,
    origin_connections: Family<Labels<1>, Gauge>,
    pub(super) lost_lines: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            requests: Family::default(),
            failures: Family::default(),
            request_time: Family::new_with_constructor(|| Histogram::new(LONG)),
            origin_time: Family::new_with_constructor(|| Histogram::new(LONG)),
            proxy_time: Family::new_with_constructor(|| Histogram::new(SHORT)),
            received: Family::default(),
            sent: Family::default(),
            pages: Family::default(),
            upgrades: Family::default(),
            tunnels: Family::default(),
            accepted: Family::default(),
            connections: Family::default(),
            resting: Family::default(),
            limited: Family::default(),
            origin_opened: Family::default(),
            origin_reused: Family::default(),
            origin_failed: Family::default(),
            origin_connections: Family::default(),
            lost_lines: Counter::default(),
        }
    }
}

impl Metrics {
    /// Counters that `registry` shows as `proxy_…`.
    #[rustfmt::skip] // A table.
    pub fn register(registry: &mut Registry) -> Metrics {
        let all = Metrics::default();
        let of = registry.sub_registry_with_prefix("proxy");
        let (seconds, bytes) = (|| Unit::Seconds, || Unit::Bytes);
        of.register("requests", "Requests that were answered, by class of status", all.requests.clone());
        of.register("failures", "Requests that the site could not answer, by fault and reason", all.failures.clone());
        of.register_with_unit("request", "From a request's head to the end of its response", seconds(), all.request_time.clone());
        of.register_with_unit("origin", "From a request's end to the head of the origin's response", seconds(), all.origin_time.clone());
        of.register_with_unit("own", "What the proxy itself added until the head of the response", seconds(), all.proxy_time.clone());
        of.register_with_unit("received", "Of request bodies and tunnels, from browsers", bytes(), all.received.clone());
        of.register_with_unit("sent", "Of response bodies and tunnels, to browsers", bytes(), all.sent.clone());
        of.register("pages", "Pages that were given the loader", all.pages.clone());
        of.register("upgrades", "WebSockets of the site that were opened", all.upgrades.clone());
        of.register("tunnels", "WebSockets of the site that are open", all.tunnels.clone());
        of.register("accepted", "Connections that were accepted, by listener and protocol", all.accepted.clone());
        of.register("connections", "Connections that are open, by listener", all.connections.clone());
        of.register("resting", "Connections of HTTP/1.1 that are idle and have given back their memory, by listener", all.resting.clone());
        of.register("limited", "Connections that were refused, cut off or made wait, by listener and limit", all.limited.clone());
        of.register("origin_opened", "Connections to an origin that were opened", all.origin_opened.clone());
        of.register("origin_reused", "Requests to an origin on a connection that was there", all.origin_reused.clone());
        of.register("origin_failed", "Connections to an origin that could not be opened, by reason", all.origin_failed.clone());
        of.register("origin_connections", "Connections to an origin that are open", all.origin_connections.clone());
        of.register("access_log_lost", "Lines that were not written because the disk is too slow", all.lost_lines.clone());
        all
    }

    /// What one site counts with; `None`: requests that are for no site.
    pub(super) fn of_site(&self, site: Option<&str>) -> Arc<SiteMetrics> {
        let site = site.unwrap_or(NO_SITE);
        let label = [("site", site.to_owned())];
        let class = |class: &str| {
            self.requests.get_or_create_owned(&[("site", site.to_owned()), ("status", class.to_owned())])
        };
        Arc::new(SiteMetrics {
            site: site.to_owned(),
            classes: CLASSES.map(class),
            failures: self.failures.clone(),
            request_time: self.request_time.get_or_create_owned(&label),
            origin_time: self.origin_time.get_or_create_owned(&label),
            proxy_time: self.proxy_time.get_or_create_owned(&label),
            received: self.received.get_or_create_owned(&label),
            sent: self.sent.get_or_create_owned(&label),
            pages: self.pages.get_or_create_owned(&label),
            upgrades: self.upgrades.get_or_create_owned(&label),
            tunnels: self.tunnels.get_or_create_owned(&label),
        })
    }

    /// What the connections to one origin, host and port, count with.
    pub(super) fn of_origin(&self, origin: &str) -> OriginMetrics {
        let label = [("origin", origin.to_owned())];
        OriginMetrics {
            origin: origin.to_owned(),
            opened: self.origin_opened.get_or_create_owned(&label),
            reused: self.origin_reused.get_or_create_owned(&label),
            failed: self.origin_failed.clone(),
            open: self.origin_connections.get_or_create_owned(&label),
        }
    }

    /// What one listener counts with.
    pub(super) fn of_listener(&self, listener: &'static str) -> ListenerMetrics {
        let accepted = |protocol: &str| {
            self.accepted
                .get_or_create_owned(&[("listener", listener.to_owned()), ("protocol", protocol.to_owned())])
        };
        ListenerMetrics {
            listener,
            http1: accepted("http1"),
            http2: accepted("http2"),
            open: self.connections.get_or_create_owned(&[("listener", listener.to_owned())]),
            resting: self.resting.get_or_create_owned(&[("listener", listener.to_owned())]),
            limited: self.limited.clone(),
        }
    }
}

/// What one site counts with.
#[derive(Debug)]
pub(super) struct SiteMetrics {
    site: String,
    classes: [Counter; CLASSES.len()],
    failures: Family<Labels<3>, Counter>,
    request_time: Histogram,
    origin_time: Histogram,
    proxy_time: Histogram,
    received: Counter,
    sent: Counter,
    pages: Counter,
    upgrades: Counter,
    tunnels: Gauge,
}

impl SiteMetrics {
    /// A request was answered.
    pub(super) fn answered(&self, status: http::StatusCode) {
        // Statuses have three digits, but those from 600 on no class.
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        self.classes[class - 1].inc();
    }

    /// A request got no answer from the site.
    pub(super) fn failed(&self, reason: Reason) {
        let Reason { fault, word } = reason;
        let labels = [("site", self.site.clone()), ("fault", fault.to_owned()), ("reason", word.to_owned())];
        self.failures.get_or_create(&labels).inc();
    }

    pub(super) fn took(&self, time: Duration) {
        self.request_time.observe(time.as_secs_f64());
    }

    pub(super) fn origin_took(&self, time: Duration) {
        self.origin_time.observe(time.as_secs_f64());
    }

    pub(super) fn proxy_took(&self, time: Duration) {
        self.proxy_time.observe(time.as_secs_f64());
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.inc_by(bytes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent.inc_by(bytes as u64);
    }

    /// A page was given the loader.
    pub(super) fn injected(&self) {
        self.pages.inc();
    }

    /// A tunnel is open until what is returned is dropped.
    pub(super) fn tunnel(&self) -> Open {
        self.upgrades.inc();
        Open::one_more(&self.tunnels)
    }
}

/// What one listener counts with.
#[derive(Debug, Clone)]
pub(super) struct ListenerMetrics {
    listener: &'static str,
    http1: Counter,
    http2: Counter,
    open: Gauge,
    resting: Gauge,
    limited: Family<Labels<2>, Counter>,
}

impl ListenerMetrics {
    /// A connection is open until what is returned is dropped.
    pub(super) fn accepted(&self) -> Open {
        Open::one_more(&self.open)
    }

    /// A connection rests until what is returned is dropped.
    pub(super) fn rests(&self) -> Open {
        Open::one_more(&self.resting)
    }

    pub(super) fn speaks_http1(&self) {
        self.http1.inc();
    }

    pub(super) fn speaks_http2(&self) {
        self.http2.inc();
    }

    /// A connection was refused, cut off or made wait.
    pub(super) fn limited(&self, limit: &'static str) {
        let labels = [("listener", self.listener.to_owned()), ("limit", limit.to_owned())];
        self.limited.get_or_create(&labels).inc();
    }
}

/// What the connections to one origin count with.
#[derive(Debug)]
pub(super) struct OriginMetrics {
    origin: String,
    opened: Counter,
    reused: Counter,
    failed: Family<Labels<2>, Counter>,
    open: Gauge,
}

impl OriginMetrics {
    /// A connection is open until what is returned is dropped.
    pub(super) fn opened(&self) -> Open {
        self.opened.inc();
        Open::one_more(&self.open)
    }

    /// A request goes on a connection that was there.
    pub(super) fn reused(&self) {
        self.reused.inc();
    }

    /// A connection could not be opened.
    pub(super) fn failed(&self, reason: Reason) {
        let labels = [("origin", self.origin.clone()), ("reason", reason.word.to_owned())];
        self.failed.get_or_create(&labels).inc();
    }
}

/// One of those that a gauge counts, for as long as this lives.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Open {
    fn one_more(gauge: &Gauge) -> Open {
        gauge.inc();
        Open(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
