//! Copies of responses as they pass the proxy: complete ones are kept, the others leave nothing.

use std::sync::Arc;

use bytes::BytesMut;
use url::Url;

use super::kind::may_be_shown;
use super::{Entry, Resources};

/// A copy in the making. Dropped before [`Arrival::end`], it leaves nothing.
#[derive(Debug)]
pub struct Arrival {
    resources: Arc<Resources>,
    url: String,
    content_type: String,
    bytes: BytesMut,
    complete: bool,
}

impl Arrival {
    pub(super) fn new(resources: Arc<Resources>, url: &Url) -> Arrival {
        Arrival {
            resources,
            url: url.to_string(),
            content_type: String::new(),
            bytes: BytesMut::new(),
            complete: false,
        }
    }

    /// The head of the response is there. False when its body is not wanted.
    pub fn begin(&mut self, content_type: &str, length: Option<u64>) -> bool {
        self.content_type = content_type.to_owned();
        may_be_shown(content_type, &[])
            && length.is_none_or(|length| length <= self.resources.limits.resource as u64)
    }

    /// A piece of the body. False when it has become too large to keep.
    pub fn data(&mut self, piece: &[u8]) -> bool {
        if self.bytes.len() + piece.len() > self.resources.limits.resource {
            self.bytes = BytesMut::new();
            self.content_type.clear();
            return false;
        }
        self.bytes.extend_from_slice(piece);
        true
    }

    /// The body is complete.
    pub fn end(mut self) {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        self.complete = self.resources.keep(&self.url, &self.content_type, bytes);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.resources.lock();
        if let Some(passing) = state.passing.get_mut(&self.url) {
            *passing -= 1;
            if *passing == 0 {
                state.passing.remove(&self.url);
            }
        }
        if self.complete {
            return;
        }
        if matches!(state.entries.get(&self.url), Some(Entry::Arriving)) {
            state.entries.remove(&self.url);
        }
        drop(state);
        self.resources.changed.send_replace(());
    }
}
