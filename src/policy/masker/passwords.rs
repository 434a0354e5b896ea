//! Finds passwords that a page shows in another field than the one they were typed into.
//!
//! "Show password" may put any field, or an editable element, in place of the password field. What holds a password
//! that was typed is a password field itself from then on, and whatever it holds later is a password too.

use crate::dom::{Changes, Element, IdSet, Kind, NodeRef, Tree, forms};
use crate::protocol::NodeId;

use super::super::verdict::{Sight, Verdict};
use super::{Masker, Turn, told};

impl Masker {
    /// Whether what is in a field is a password.
    pub(super) fn holds_password(&self, tree: &Tree, id: NodeId) -> bool {
        let was = || tree.get(id).and_then(NodeRef::element).is_some_and(Element::was_password);
        self.exposed.contains(&id) || was()
    }

    /// Learns what is in editable elements that are kept from agents, where it has changed.
    pub(super) fn overhear(&mut self, tree: &Tree, changes: &Changes) -> bool {
        let mut learned = false;
        for host in hosts(tree, changes) {
            let masked = |verdict: Verdict| matches!(verdict.sight, Sight::Masked | Sight::Hidden);
            if self.verdict(host.id()).is_some_and(masked) {
                learned |= self.echoes.learn(&text_in(host), self.holds_password(tree, host.id()));
            }
        }
        learned
    }

    /// Looks for passwords in what `changes` touched, or in all of the page. Returns the outermost nodes that look
    /// different now.
    pub(super) fn expose(&mut self, tree: &Tree, changes: Option<&Changes>, turn: &mut Turn) -> IdSet {
        let mut different = IdSet::default();
        if !self.echoes.knows_passwords() {
            return different;
        }
        for id in places(tree, changes) {
            let Some(node) = tree.get(id) else { continue };
            let text = match told(node) {
                Some(value) => value.to_owned(),
                None if is_host(node) => text_in(node),
                None => continue,
            };
            if self.holds_password(tree, id) {
                self.echoes.learn(&text, true);
            } else if self.verdict(id).is_some_and(|verdict| verdict.sight < Sight::Hidden)
                && self.echoes.is_password(&text)
            {
                self.exposed.insert(id);
                different.extend(self.judge(tree, node, turn));
            }
        }
        different
    }
}

/// Fields and editable elements that may hold something else than before.
fn places(tree: &Tree, changes: Option<&Changes>) -> Vec<NodeId> {
    let fits = |node: &NodeRef<'_>| told(*node).is_some() || is_host(*node);
    let Some(changes) = changes else {
        return tree.document().with_descendants().filter(fits).map(NodeRef::id).collect();
    };
    let mut known = IdSet::default();
    let new = changes.inserted.iter().filter_map(|id| tree.get(*id)).flat_map(NodeRef::with_descendants);
    let controls = changes.controls.iter().filter_map(|id| tree.get(*id));
    new.chain(controls)
        .chain(hosts(tree, changes))
        .filter(fits)
        .map(NodeRef::id)
        .filter(|id| known.insert(*id))
        .collect()
}

/// Editable elements around what changed.
fn hosts<'t>(tree: &'t Tree, changes: &Changes) -> impl Iterator<Item = NodeRef<'t>> {
    let texts = changes.texts.iter().chain(&changes.parents).filter_map(|id| tree.get(*id));
    texts.filter_map(|node| node.in_document().find(|node| is_host(*node)))
}

/// Whether an element is one whose content is edited in place.
fn is_host(node: NodeRef<'_>) -> bool {
    node.has("contenteditable") && forms::edited(node)
}

fn text_in(host: NodeRef<'_>) -> String {
    let texts = host.with_descendants().filter_map(|node| match node.kind() {
        Kind::Text(data) => Some(&**data),
        _ => None,
    });
    texts.collect()
}
