//! What the proxy counts for each site: requests, times, bytes, failures by fault, connections and refusals.
//!
//! Counting costs a request some atomic additions: what a site counts with is looked up once, when the proxy is
//! made. Labels are names of sites and words from here; nothing of a request becomes one.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::error::Failure;

type Labels<const N: usize> = [(&'static str, String); N];

/// The classes of answers, by the first digit of the status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The site of requests that none could be found for.
const NO_SITE: &str = "none";

/// The counters of a proxy. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    requests: Family<Labels<2>, Counter>,
    failures: Family<Labels<3>, Counter>,
}

impl Metrics {
    /// Counters that `registry` shows as `proxy_…`.
    pub fn register(registry: &mut Registry) -> Metrics {
        let metrics = Metrics::default();
        let registry = registry.sub_registry_with_prefix("proxy");
        registry.register(
            "requests",
            "Requests that were answered, by class of status",
            metrics.requests.clone(),
        );
        registry.register(
            "failures",
            "Requests that the site could not answer, by whose fault it was and why",
            metrics.failures.clone(),
        );
        metrics
    }

    /// What one site counts with; `None`: requests that are for no site.
    pub(super) fn of_site(&self, site: Option<&str>) -> SiteMetrics {
        let site = site.unwrap_or(NO_SITE);
        let class = |class: &str| {
            self.requests.get_or_create_owned(&[("site", site.to_owned()), ("status", class.to_owned())])
        };
        SiteMetrics { site: site.to_owned(), classes: CLASSES.map(class), failures: self.failures.clone() }
    }
}

/// What one site counts with.
#[derive(Debug)]
pub(super) struct SiteMetrics {
    site: String,
    classes: [Counter; CLASSES.len()],
    failures: Family<Labels<3>, Counter>,
}

impl SiteMetrics {
    /// A request was answered.
    pub(super) fn answered(&self, status: http::StatusCode) {
        // Statuses have three digits, but those from 600 on no class.
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        self.classes[class - 1].inc();
    }

    /// A request got no answer from the site.
    pub(super) fn failed(&self, failure: &Failure) {
        let (fault, reason) = failure.words();
        let labels =
            [("site", self.site.clone()), ("fault", fault.to_owned()), ("reason", reason.to_owned())];
        self.failures.get_or_create(&labels).inc();
    }
}
