//! What goes to those who watch: a ring that is bounded in items and in bytes.
//!
//! Who falls behind either bound finds what it missed gone, and is given a fresh view. Nothing waits for the slowest.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::link::FeedItem;
use crate::policy::EncodedView;

/// How many items a connection may be behind.
const ITEMS: usize = 256;
/// How many bytes of views are kept for those who are behind.
const BYTES: usize = 8 << 20;

/// The sending end.
pub(super) struct Ring {
    items: broadcast::Sender<FeedItem>,
    /// The views that connections may still ask for, oldest first.
    kept: VecDeque<Arc<EncodedView>>,
    bytes: usize,
}

impl Ring {
    pub(super) fn new() -> Ring {
        Ring { items: broadcast::Sender::new(ITEMS), kept: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<FeedItem> {
        self.items.subscribe()
    }

    /// A piece of the page.
    pub(super) fn show(&mut self, view: EncodedView) {
        let view = Arc::new(view);
        self.bytes += view.bytes().len();
        self.tell(FeedItem::View(Arc::downgrade(&view)));
        self.kept.push_back(view);
        self.trim();
    }

    /// Something else; nobody may be there.
    pub(super) fn tell(&self, item: FeedItem) {
        let _ = self.items.send(item);
    }

    /// Lets go of what everybody has, and of what is too much; the newest stays. Somebody may have taken the one before
    /// what waits and not yet looked at it.
    pub(super) fn trim(&mut self) {
        let wanted = self.items.len() + 1;
        while self.kept.len() > wanted || (self.bytes > BYTES && self.kept.len() > 1) {
            if let Some(view) = self.kept.pop_front() {
                self.bytes -= view.bytes().len();
            }
        }
    }
}
