//! A digest of which nodes there are and where: both ends of a leg compute it and compare.
//!
//! It is a sequence in document order: the id of every node, and a mark wherever the walk leaves a parent. That is the
//! whole structure. Between server and mirrors the texts follow the ids of their nodes. It finds accidents, not attacks.

use crate::protocol::NodeId;

use super::node::NodeRef;
use super::tree::Tree;

/// A digest being made; `injector/src/wire/digest.ts` does the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(u32);

/// Stands for leaving a parent; no node has this id.
const LEAVE: u32 = 0;

impl Digest {
    /// The walk comes to a node.
    pub fn enter(&mut self, id: NodeId) {
        self.mix(id.0);
    }

    /// The walk has seen all children of a node.
    pub fn leave(&mut self) {
        self.mix(LEAVE);
    }

    /// The text of the node to which the walk came last.
    pub fn text(&mut self, data: &str) {
        data.encode_utf16().for_each(|unit| self.mix(u32::from(unit)));
    }

    /// What to compare.
    pub fn value(self) -> u32 {
        self.0
    }

    fn mix(&mut self, word: u32) {
        let mixed = (self.0 ^ word).wrapping_add(1).wrapping_mul(0x9e37_79b1);
        self.0 = mixed ^ (mixed >> 15);
    }
}

impl Tree {
    /// The digest of `count` nodes in document order from the node `from` on, or of all that follow when there are fewer.
    /// Who tells a document vouches for what it can see: it goes neither into insets nor out of one.
    pub fn digest(&self, from: NodeId, count: u32) -> Option<u32> {
        let mut digest = Digest::default();
        let outermost = from.inset().document();
        let mut at: Option<NodeRef<'_>> = Some(self.get(from)?);
        for _ in 0..count {
            let Some(node) = at else { break };
            digest.enter(node.id());
            at = node.own_child().or_else(|| {
                let mut up = node;
                loop {
                    if up.id() == outermost {
                        return None;
                    }
                    if let Some(next) = up.next() {
                        return Some(next);
                    }
                    up = up.parent()?;
                    digest.leave();
                }
            });
        }
        Some(digest.value())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;
    use crate::protocol::page::{Namespace, PageOp, Part, Quirks};

    /// `<html><a>text</a><b/></html>`, ids 2 to 5.
    fn page() -> Tree {
        let element = |name: &str| Part::Element {
            namespace: Namespace::Html,
            name: name.into(),
            attributes: Vec::new(),
        };
        let text = Part::Text { data: "text".into() };
        let parts = vec![element("html"), element("a"), text, Part::End, element("b"), Part::End, Part::End];
        let mut tree = Tree::new(Limits::default());
        let insert = PageOp::Insert { parent: NodeId::DOCUMENT, next: None, parts };
        tree.apply(&[PageOp::Begin { quirks: Quirks::No }, insert]).unwrap();
        tree
    }

    #[test]
    fn it_is_of_ids_and_ends_in_document_order() {
        let tree = page();
        let mut all = Digest::default();
        [1, 2, 3, 4].into_iter().for_each(|id| all.enter(NodeId(id)));
        all.leave();
        all.enter(NodeId(5));
        all.leave();
        all.leave();
        assert_eq!(tree.digest(NodeId(1), 100), Some(all.value()));
        let mut part = Digest::default();
        [3, 4].into_iter().for_each(|id| part.enter(NodeId(id)));
        part.leave();
        assert_eq!(tree.digest(NodeId(3), 2), Some(part.value()), "as far as the way to the next node");
        assert_eq!(tree.digest(NodeId(9), 2), None);
    }

    #[test]
    fn every_other_structure_has_another_digest() {
        let before = page().digest(NodeId(1), 100);
        let (a, b, html) = (NodeId(3), NodeId(5), NodeId(2));
        for change in [
            PageOp::Remove { id: a },
            PageOp::Move { id: b, parent: a, next: None },
            PageOp::Move { id: b, parent: html, next: Some(a) },
            PageOp::Insert { parent: b, next: None, parts: vec![Part::Text { data: "".into() }] },
            PageOp::Insert { parent: html, next: None, parts: vec![Part::Text { data: "".into() }] },
        ] {
            let mut tree = page();
            let check = PageOp::Check { from: NodeId(1), count: 100, digest: before.unwrap() };
            assert!(!tree.apply(std::slice::from_ref(&check)).unwrap().diverged);
            assert!(tree.apply(&[change.clone(), check]).unwrap().diverged, "{change:?}");
        }
    }
}
