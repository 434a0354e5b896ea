//! Which fields are password fields for good: those that ever were one, and those that come in place of one.
//!
//! "Show password" changes the type of a field, or puts another element where it was: under the same name or id, or in
//! the same place. Which that is can not be told from one element alone, so the tree remembers.

use crate::protocol::NodeId;

use super::super::{Changes, Element, Kind, forms};
use super::Tree;

/// Names and ids of password fields that are remembered of one page.
const REMEMBERED: usize = 1_000;
/// By which the customer's browser tells of a field that it knows to be one: `injector/src/customer/withhold.ts`.
const TOLD: &str = "data-tandem-password";

impl Tree {
    /// Looks at an element that is new or has other attributes.
    pub(super) fn note_password(&mut self, slot: u32) {
        let Tree { nodes, passwords, .. } = self;
        let Kind::Element(element) = &mut nodes[slot as usize].kind else { return };
        let keys = |element: &Element| {
            ["id", "name"].map(|key| element.attribute(key).filter(|value| !value.is_empty()).map(Box::from))
        };
        if element.was_password || is_password(element) {
            element.was_password = true;
            let room = REMEMBERED.saturating_sub(passwords.len());
            passwords.extend(keys(element).into_iter().flatten().take(room));
        } else if !passwords.is_empty() && takes_text(element) {
            element.was_password = keys(element).into_iter().flatten().any(|key| passwords.contains(&key));
        }
    }

    /// After a batch: what came where password fields went. `left`: what these were in.
    pub(super) fn succeed_passwords(&mut self, left: &[NodeId], changes: &Changes) {
        for id in changes.inserted.iter().filter(|_| !left.is_empty()) {
            let Some(slot) = self.get(*id).map(|node| node.slot) else { continue };
            let parent = self.nodes[slot as usize].parent;
            if !self.nodes.get(parent as usize).is_some_and(|parent| left.contains(&parent.id)) {
                continue;
            }
            if let Kind::Element(element) = &mut self.nodes[slot as usize].kind
                && takes_text(element)
            {
                element.was_password = true;
                self.note_password(slot);
            }
        }
    }
}

fn is_password(element: &Element) -> bool {
    (element.is_html("input") && element.attribute_is("type", "password"))
        || element.attribute(TOLD).is_some()
}

fn takes_text(element: &Element) -> bool {
    forms::is_text_field(element)
        || element.is_html("textarea")
        || element.attribute("contenteditable").is_some()
}
