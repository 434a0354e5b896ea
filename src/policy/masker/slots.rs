//! What is shown in a slot of a shadow tree is inside whatever the slot is inside: it is seen no better than the slot.
//!
//! A child of a host is judged by both, its parent and its slot ("find a slot" of the DOM standard). One that no slot
//! takes by name may have been put into any of them by a script: it is judged by all.

use std::collections::HashMap;

use crate::dom::{IdMap, IdSet, IdTable, Kind, NodeRef, Tree};
use crate::protocol::NodeId;

use super::super::verdict::{Reach, Verdict};
use super::{Masker, State};

/// The slots of hosts, as they were judged, while nothing of them is judged anew.
#[derive(Default)]
pub(super) struct Slots(IdMap<Host>);

struct Host {
    by_name: HashMap<Box<str>, Verdict>,
    all: Option<Verdict>,
}

impl Slots {
    /// The verdict on what a node is in: on its parent, and on the slot that shows it.
    pub(super) fn around(&mut self, nodes: &IdTable<State>, node: NodeRef<'_>, parent: &State) -> Verdict {
        let own = parent.verdict;
        let Some(root) = node.parent().and_then(shadow_root).filter(|root| *root != node) else { return own };
        let host = self.0.entry(root.id()).or_insert_with(|| Host::of(nodes, root));
        let name = node.element().and_then(|element| element.attribute("slot")).unwrap_or_default();
        match host.by_name.get(name).or(host.all.as_ref()) {
            Some(slot) => stricter(own, slot),
            None => own,
        }
    }
}

impl Host {
    fn of(nodes: &IdTable<State>, root: NodeRef<'_>) -> Host {
        let mut host = Host { by_name: HashMap::new(), all: None };
        for slot in root.with_descendants().filter(|node| node.is_html("slot") && node.tree_root() == root) {
            let Some(State { verdict, .. }) = nodes.get(&slot.id()) else { continue };
            let name = slot.element().and_then(|element| element.attribute("name")).unwrap_or_default();
            host.by_name.entry(name.into()).or_insert(*verdict);
            host.all = Some(host.all.map_or(*verdict, |all| stricter(all, verdict)));
        }
        host
    }
}

fn stricter(one: Verdict, other: &Verdict) -> Verdict {
    let disabled = other.reach == Reach::Disabled;
    Verdict {
        sight: one.sight.max(other.sight),
        fixed: one.fixed || other.fixed,
        reach: if disabled { Reach::Disabled } else { one.reach },
        ..one
    }
}

fn shadow_root(host: NodeRef<'_>) -> Option<NodeRef<'_>> {
    host.first_child().filter(|child| matches!(child.kind(), Kind::ShadowRoot))
}

impl Masker {
    /// What has to be judged again because something changed in the shadow trees that show it, inner ones first.
    pub(super) fn slotted<'t>(tree: &'t Tree, changed: impl Iterator<Item = NodeId>) -> Vec<NodeRef<'t>> {
        let (mut out, mut seen) = (Vec::new(), IdSet::default());
        for node in changed.filter_map(|id| tree.get(id)) {
            let mut at = node;
            loop {
                let root = at.tree_root();
                let Some(host) = root.parent().filter(|_| matches!(root.kind(), Kind::ShadowRoot)) else {
                    break;
                };
                // Once for each host: what is around it was followed then.
                if !seen.insert(host.id()) {
                    break;
                }
                out.extend(host.children().filter(|child| *child != root));
                at = host;
            }
        }
        out
    }
}
