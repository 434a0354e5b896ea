//! Pictures that the customer's browser takes of what no address stands for: drawings and films.
//!
//! A picture has a number, is never asked for twice, and goes soon after nothing shows it any more.

use bytes::Bytes;

use super::{Entry, Resources};
use crate::policy::picture;

/// Pictures that are kept after the page has replaced them, for an agent who is still loading them.
const LINGERING: usize = 16;
/// What a browser may bring as a picture of something.
const KINDS: [&str; 3] = ["image/png", "image/webp", "image/jpeg"];

impl Resources {
    /// Takes a picture. Its number, unless it is of another kind or larger than a resource may be.
    pub fn take_picture(&self, content_type: &str, bytes: Bytes) -> Option<u32> {
        if !KINDS.contains(&content_type) || bytes.len() > self.limits.resource {
            return None;
        }
        let number = {
            let mut state = self.lock();
            state.pictures = state.pictures.checked_add(1)?;
            state.pictures
        };
        self.keep(&picture(number), content_type, bytes).then_some(number)
    }

    /// Nothing shows these any more.
    pub fn retire_pictures(&self, numbers: &[u32]) {
        let mut state = self.lock();
        state.retired.extend(numbers);
        while state.retired.len() > LINGERING {
            let Some(url) = state.retired.pop_front().map(picture) else { break };
            let (capability, _) = self.names.name(&url);
            state.references.remove(&capability);
            if let Some(Entry::Ready { resource, .. }) = state.entries.remove(&url) {
                state.total -= resource.bytes.len();
            }
        }
    }
}
