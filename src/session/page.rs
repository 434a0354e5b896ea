//! The server's copy of the customer's page, and the order in which its frames must come.

use crate::dom::{self, Changes, Misfit, Tree};
use crate::protocol::page::PageFrame;

/// One document at a time: an epoch. Frames of an earlier epoch are late and ignored.
pub(super) struct Page {
    limits: dom::Limits,
    epoch: u32,
    next: u32,
    tree: Option<Tree>,
}

/// What a frame did.
pub(super) enum Taken {
    /// It belonged to a document that is gone.
    Late,
    /// It built the page.
    Snapshot,
    /// It changed the page.
    Patch(Box<Changes>),
}

/// Why a frame was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("frames of the page out of order")]
    OutOfOrder,
    #[error("a change that does not fit the page: {0}")]
    Misfit(#[from] Misfit),
}

impl Page {
    pub(super) fn new(limits: dom::Limits) -> Page {
        Page { limits, epoch: 0, next: 0, tree: None }
    }

    /// The page as it is, once a snapshot has come.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Starts a new epoch: what comes under the number is a new document. The old one stays to be seen until then.
    pub(super) fn expect(&mut self) -> u32 {
        self.epoch += 1;
        self.next = 0;
        self.epoch
    }

    pub(super) fn take(&mut self, frame: &PageFrame) -> Result<Taken, Refused> {
        if frame.epoch < self.epoch {
            return Ok(Taken::Late);
        }
        if frame.epoch > self.epoch || frame.seq != self.next {
            return Err(Refused::OutOfOrder);
        }
        self.next += 1;
        if frame.seq == 0 {
            let mut tree = Tree::new(self.limits);
            tree.apply(&frame.ops)?;
            self.tree = Some(tree);
            return Ok(Taken::Snapshot);
        }
        match &mut self.tree {
            Some(tree) => Ok(Taken::Patch(Box::new(tree.apply(&frame.ops)?))),
            None => Err(Refused::OutOfOrder),
        }
    }
}
