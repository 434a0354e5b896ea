//! The server's copy of the customer's page, and the order in which its frames must come.

use crate::dom::{self, Changes, Held, Misfit, Tree};
use crate::protocol::page::{PageFrame, PageOp};
use crate::protocol::{Inset, NodeId, customer};

/// One document at a time: an epoch. Frames of an earlier epoch are late and ignored.
pub(super) struct Page {
    limits: dom::Limits,
    epoch: u32,
    next: u32,
    tree: Option<Tree>,
    /// What the browser was told that it need not send again.
    held: Held,
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
    #[error("a snapshot that names what is not held")]
    NotHeld,
}

impl Page {
    pub(super) fn new(limits: dom::Limits) -> Page {
        Page { limits, epoch: 0, next: 0, tree: None, held: Held::default() }
    }

    /// The page as it is, once a snapshot has come.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Whether the page of this epoch has come.
    pub(super) fn is_told(&self, epoch: u32) -> bool {
        self.epoch == epoch && self.next > 0
    }

    /// Whether another page was asked for and has not come.
    pub(super) fn is_awaited(&self) -> bool {
        self.next == 0
    }

    /// Takes in what the browser tells of an inset: the first of it begins in `frame`. None: there is no page.
    pub(super) fn take_inset(
        &mut self,
        inset: Inset,
        begin: Option<(NodeId, &str)>,
        ops: &[PageOp],
    ) -> Option<(Changes, Result<(), Misfit>)> {
        let tree = self.tree.as_mut()?;
        Some(match begin {
            Some((frame, url)) => tree.admit(inset, frame, url, ops),
            None => tree.apply_inset(inset, ops),
        })
    }

    /// Nobody tells of an inset any more.
    pub(super) fn dismiss(&mut self, inset: Inset) -> Option<Changes> {
        let tree = self.tree.as_mut().filter(|tree| tree.has_inset(inset))?;
        Some(tree.dismiss(inset))
    }

    /// Nothing is shown any more, until a new epoch.
    pub(super) fn forget(&mut self) {
        self.tree = None;
        self.held = Held::default();
    }

    /// Starts a new epoch: what comes under the number is a new document. The old one stays to be seen until then. With
    /// a key, what is the same in both need not be sent: the second answer says so to the browser.
    pub(super) fn expect(&mut self, key: Option<[u32; 4]>) -> (u32, customer::Held) {
        self.epoch += 1;
        self.next = 0;
        let held = self.tree.as_ref().zip(key).map(|(tree, key)| Held::of(tree, key));
        let (held, words) = held.unwrap_or_default();
        self.held = held;
        (self.epoch, words)
    }

    pub(super) fn take(&mut self, frame: PageFrame) -> Result<Taken, Refused> {
        if frame.epoch < self.epoch {
            return Ok(Taken::Late);
        }
        if frame.epoch > self.epoch || frame.seq != self.next {
            return Err(Refused::OutOfOrder);
        }
        self.next += 1;
        if frame.seq == 0 {
            let ops = self.cash_in(frame.ops).ok_or(Refused::NotHeld)?;
            let mut tree = Tree::new(self.limits);
            tree.apply(&ops)?;
            self.tree = Some(tree);
            return Ok(Taken::Snapshot);
        }
        match &mut self.tree {
            Some(tree) => Ok(Taken::Patch(Box::new(tree.apply(&frame.ops)?))),
            None => Err(Refused::OutOfOrder),
        }
    }

    /// Puts what is held in place of its names.
    fn cash_in(&mut self, ops: Vec<PageOp>) -> Option<Vec<PageOp>> {
        let held = std::mem::take(&mut self.held);
        let Some(tree) = &self.tree else { return Some(ops) };
        // A part for each node, and an end for most of them.
        let mut left = self.limits.nodes * 2;
        ops.into_iter()
            .map(|op| match op {
                PageOp::Insert { parent, next, parts } => {
                    let parts = held.cash_in(tree, parts, left)?;
                    left = left.saturating_sub(parts.len());
                    Some(PageOp::Insert { parent, next, parts })
                }
                op => Some(op),
            })
            .collect()
    }
}
