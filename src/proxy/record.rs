//! What is noted of one request while it runs, and counted and logged when it is over.
//!
//! A request is over when its response's body is: sent, or dropped because somebody went. Until then the record
//! travels with the body, so nothing has to remember to write it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::access::{Entry, Outcome};
use super::error::Reason;
use super::metrics::SiteMetrics;

/// In the place of a status where the browser did not wait for one, as nginx writes it.
const GONE: u16 = 499;

/// Tells a request from all others: on the page of a failure, in the log and in the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestId(u64);

impl RequestId {
    pub(super) fn random() -> RequestId {
        RequestId(rand::random())
    }

    #[cfg(test)]
    pub(super) fn fixed(number: u64) -> RequestId {
        RequestId(number)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One request, from its head on.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: RequestId,
    metrics: Arc<SiteMetrics>,
    entry: Option<Box<Entry>>,
    started: Instant,
    /// How long the origin was waited for: from the last byte of the request to the response's head.
    origin: Option<Duration>,
    /// How long the whole exchange with the origin took until then, uploads and connecting included.
    away: Duration,
    /// `None` for as long as there is no response.
    status: Option<StatusCode>,
    failure: Option<Reason>,
    bytes: u64,
    whole: bool,
}

impl Record {
    /// A request has come; `metrics` are those of no site, until [`Record::is_for`] says which.
    pub(super) fn begin(metrics: Arc<SiteMetrics>, entry: Option<Box<Entry>>) -> Record {
        Record {
            id: RequestId::random(),
            metrics,
            entry,
            started: Instant::now(),
            origin: None,
            away: Duration::ZERO,
            status: None,
            failure: None,
            bytes: 0,
            whole: false,
        }
    }

    pub(super) fn is_for(&mut self, metrics: &Arc<SiteMetrics>) {
        self.metrics = Arc::clone(metrics);
    }

    pub(super) fn metrics(&self) -> &Arc<SiteMetrics> {
        &self.metrics
    }

    /// The origin has answered: `away` after it was turned to, `waited` after it had the whole request.
    pub(super) fn origin_answered(&mut self, away: Duration, waited: Duration) {
        self.away = away;
        self.origin = Some(waited);
        self.metrics.origin_took(waited);
    }

    pub(super) fn failed(&mut self, reason: Reason) {
        self.failure = Some(reason);
        self.metrics.failed(reason);
    }

    /// The head of the response is ready.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.metrics.answered(status);
        if self.origin.is_some() {
            self.metrics.proxy_took(self.started.elapsed().saturating_sub(self.away));
        }
    }

    /// A piece of the body goes out.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.metrics.sent(bytes);
    }

    /// All of the body has gone out.
    pub(super) fn complete(&mut self) {
        self.whole = true;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let time = self.started.elapsed();
        self.metrics.took(time);
        if self.status.is_none() {
            self.failed(Reason { fault: "client", word: "gone" });
        }
        if let Some(entry) = self.entry.take() {
            entry.write(&Outcome {
                id: self.id,
                status: self.status.map_or(GONE, |status| status.as_u16()),
                bytes: self.bytes,
                whole: self.whole,
                time,
                origin: self.origin,
                failure: self.failure,
            });
        }
    }
}
