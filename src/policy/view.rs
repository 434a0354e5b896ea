//! What leaves for an agent: operations that only the masker writes, and their bytes.
//!
//! Both types have private content and no constructor outside this module's parent.

use bytes::Bytes;

use crate::protocol::view::{self, ViewOp};
use crate::protocol::wire;

/// Changes of a view, in order. From [`super::Masker`] only.
#[derive(Debug, Clone, Default)]
pub struct ViewPatch(pub(super) Vec<ViewOp>);

impl ViewPatch {
    /// Whether nothing that the role may see has changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The frame: once for all agents of the role.
    pub fn encode(&self, epoch: u32, seq: u32) -> EncodedView {
        EncodedView(wire::deflate(view::encode(epoch, seq, &self.0)).into())
    }
}

/// A frame of the view stream. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EncodedView(Bytes);

impl EncodedView {
    /// What goes on the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}
