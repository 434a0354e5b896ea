//! What became of a page by one batch of operations, as marks for whoever derives something from it.
//!
//! Marks say where to look, not what is there: the tree is the only source of current values, and a
//! mark may name a node that is gone by the end of the batch.

use crate::protocol::NodeId;

use super::Name;

/// Marks of one batch, in the order of the operations.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A new document began: nothing that was known before holds.
    pub begun: bool,
    /// Roots of new subtrees.
    pub inserted: Vec<NodeId>,
    /// Known nodes that went elsewhere.
    pub moved: Vec<NodeId>,
    /// Every node that is gone, each after its parent.
    pub removed: Vec<NodeId>,
    /// Parents whose list of children changed.
    pub parents: Vec<NodeId>,
    /// Attributes that were set or removed.
    pub attributes: Vec<(NodeId, Name)>,
    /// Texts and comments with new content.
    pub texts: Vec<NodeId>,
    /// Form controls in a new state.
    pub controls: Vec<NodeId>,
    /// Scrolled elements, or the document.
    pub scrolls: Vec<NodeId>,
    /// Elements of a new size.
    pub boxes: Vec<NodeId>,
    /// Images that show another URL.
    pub sources: Vec<NodeId>,
    /// Drawings and films that show something else.
    pub pictures: Vec<NodeId>,
    /// Elements whose sheet scripts have changed.
    pub sheets: Vec<NodeId>,
    /// Numbers of pictures that nothing shows any more.
    pub retired: Vec<u32>,
    /// The document's URL changed.
    pub location: bool,
    /// Documents of frames whose URL changed.
    pub addresses: Vec<NodeId>,
    /// A check found another structure than the sender's.
    pub diverged: bool,
}
