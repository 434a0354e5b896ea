//! Lets the proxy copy what a customer's own requests fetch into the resources of the customer's session.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use url::Url;

use crate::protocol::{Mode, Phase};
use crate::proxy::{Member, Sharing, Sink};
use crate::session::Sessions;
use crate::session::resources::Arrival;
use crate::sync::customer::session_of;

/// Finds the session of a request by the customer's cookie.
pub(super) struct SessionCapture(pub(super) Sessions);

impl Sharing for SessionCapture {
    fn member(&self, request: &HeaderMap) -> Option<Member> {
        let handle = session_of(&self.0, request)?;
        let mode = match handle.status().mode {
            Mode::Pointer => "pointer",
            Mode::Write => "write",
        };
        Some(Member { session: handle.site_name().to_owned(), mode })
    }

    fn saving(&self, request: &HeaderMap, url: &Url) -> Option<BoxFuture<'static, bool>> {
        let handle = session_of(&self.0, request)?;
        if handle.status().phase != Phase::Active {
            return None;
        }
        let url = url.clone();
        Some(async move { handle.may_save(url).await }.boxed())
    }

    fn open(&self, request: &HeaderMap, url: &Url) -> Option<Box<dyn Sink>> {
        let handle = session_of(&self.0, request)?;
        if handle.status().phase != Phase::Active {
            return None;
        }
        let arrival = handle.resources().arrive(url)?;
        Some(Box::new(Copying { arrival, wanted: false }))
    }
}

struct Copying {
    arrival: Arrival,
    wanted: bool,
}

impl Sink for Copying {
    fn begin(&mut self, content_type: &str, length: Option<u64>) -> bool {
        self.wanted = self.arrival.begin(content_type, length);
        self.wanted
    }

    fn data(&mut self, chunk: &Bytes) {
        if self.wanted {
            self.wanted = self.arrival.data(chunk);
        }
    }

    fn end(self: Box<Self>) {
        if self.wanted {
            self.arrival.end();
        }
    }
}
