//! A mirror as simple as can be: it takes view operations one by one and refuses any that do not fit.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use crate::dom::Digest;
use crate::protocol::NodeId;
use crate::protocol::attention::States;
use crate::protocol::view::{ViewOp, ViewPart};

#[derive(Default)]
pub(super) struct Mirror {
    nodes: HashMap<NodeId, Node>,
    globals: BTreeMap<&'static str, String>,
}

#[derive(Default)]
struct Node {
    parent: Option<NodeId>,
    what: String,
    text: String,
    attributes: BTreeMap<String, String>,
    children: Vec<NodeId>,
    state: BTreeMap<&'static str, String>,
}

impl Mirror {
    pub(super) fn apply(&mut self, ops: &[ViewOp]) {
        for op in ops {
            self.operation(op);
        }
    }

    fn operation(&mut self, op: &ViewOp) {
        match op {
            ViewOp::Begin { quirks } => {
                *self = Mirror::default();
                self.nodes.insert(NodeId::DOCUMENT, Node::default());
                self.globals.insert("quirks", format!("{quirks:?}"));
            }
            ViewOp::Insert { parent, next, parts } => self.insert(*parent, *next, parts),
            ViewOp::Check { digest } => assert_eq!(*digest, self.digest(), "the mirror is another page"),
            ViewOp::Move { id, parent, next } => {
                let mut at = Some(*parent);
                while let Some(above) = at {
                    assert_ne!(above, *id, "moved into itself");
                    at = self.nodes[&above].parent;
                }
                self.unlink(*id);
                self.link(*id, *parent, *next);
            }
            ViewOp::Remove { id } => self.remove(*id),
            ViewOp::SetAttribute { id, name, value } => {
                self.node(*id).attributes.insert(name.to_string(), value.to_string());
            }
            ViewOp::RemoveAttribute { id, name } => {
                self.node(*id).attributes.remove(&**name);
            }
            ViewOp::Text { id, data } => {
                assert_eq!(self.node(*id).what, "text");
                self.node(*id).text = data.to_string();
            }
            ViewOp::Control { id, state } => {
                // A state that says nothing is that of a control whose state was never told.
                let text = format!("{state:?}");
                self.node(*id).state.insert("control", text);
            }
            ViewOp::Scroll { id, x, y } => {
                self.node(*id).state.insert("scroll", format!("{x},{y}"));
            }
            ViewOp::Box { id, width, height } => {
                self.node(*id).state.insert("box", format!("{width}x{height}"));
            }
            ViewOp::Picture { id, url } => {
                let state = &mut self.node(*id).state;
                match url {
                    Some(url) => state.insert("picture", url.to_string()),
                    None => state.remove("picture"),
                };
            }
            ViewOp::Sheet { id, css } => {
                let state = &mut self.node(*id).state;
                match css {
                    Some(css) => state.insert("rules", css.to_string()),
                    None => state.remove("rules"),
                };
            }
            ViewOp::States { states } => {
                states.map(|id| {
                    assert!(self.nodes.contains_key(&id));
                    Some(id)
                });
                match *states == States::default() {
                    false => self.globals.insert("states", format!("{states:?}")),
                    true => self.globals.remove("states"),
                };
            }
            ViewOp::Selection { selection } => {
                match selection {
                    Some(it) => {
                        assert!([it.anchor, it.focus].iter().all(|(id, _)| self.nodes.contains_key(id)));
                        self.globals.insert("selection", format!("{it:?}"))
                    }
                    None => self.globals.remove("selection"),
                };
            }
            ViewOp::Media { features } => {
                self.globals.insert("media", features.to_string());
            }
            ViewOp::Zoom { zoomed } => {
                match zoomed {
                    Some(part) => self.globals.insert("zoomed", format!("{part:?}")),
                    None => self.globals.remove("zoomed"),
                };
            }
            ViewOp::Notice { notice } => {
                match notice {
                    Some(notice) => self.globals.insert("notice", format!("{notice:?}")),
                    None => self.globals.remove("notice"),
                };
            }
            ViewOp::Viewport { width, height, ratio } => {
                self.globals.insert("viewport", format!("{width} {height} {ratio}"));
            }
            ViewOp::Location { url } => {
                self.globals.insert("location", url.to_string());
            }
            ViewOp::Focus { id } => {
                id.iter().for_each(|id| assert!(self.nodes.contains_key(id)));
                match id {
                    Some(id) => self.globals.insert("focus", format!("{id:?}")),
                    None => self.globals.remove("focus"),
                };
            }
            ViewOp::TopLayer { entries } => {
                entries.iter().for_each(|(id, _)| assert!(self.nodes.contains_key(id)));
                match entries.is_empty() {
                    false => self.globals.insert("top layer", format!("{entries:?}")),
                    true => self.globals.remove("top layer"),
                };
            }
        }
    }

    fn insert(&mut self, parent: NodeId, next: Option<NodeId>, parts: &[ViewPart]) {
        let mut open = vec![parent];
        let mut next = next;
        for part in parts {
            let (id, what, attributes) = match part {
                ViewPart::End => {
                    open.pop();
                    continue;
                }
                ViewPart::Element { id, marks, namespace, name, attributes } => {
                    let held: BTreeMap<String, String> = attributes
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_string()))
                        .collect();
                    assert_eq!(held.len(), attributes.len(), "an attribute twice");
                    (*id, format!("<{name}> {namespace:?} {marks:?}"), held)
                }
                ViewPart::Text { id, .. } => (*id, "text".to_owned(), BTreeMap::new()),
                ViewPart::Comment { id } => (*id, "comment".to_owned(), BTreeMap::new()),
                ViewPart::Doctype { id, name, .. } => (*id, format!("doctype {name}"), BTreeMap::new()),
                ViewPart::ShadowRoot { id } => (*id, "shadow".to_owned(), BTreeMap::new()),
                ViewPart::Document { id, quirks } => (*id, format!("document {quirks:?}"), BTreeMap::new()),
            };
            if self.nodes.contains_key(&id) {
                self.remove(id);
            }
            let text = if let ViewPart::Text { data, .. } = part { data.to_string() } else { String::new() };
            self.nodes.insert(id, Node { what, text, attributes, ..Node::default() });
            self.link(id, *open.last().expect("closed too often"), next.take());
            if !matches!(part, ViewPart::Text { .. } | ViewPart::Comment { .. } | ViewPart::Doctype { .. }) {
                open.push(id);
            }
        }
        assert_eq!(open.len(), 1, "not closed");
    }

    fn link(&mut self, id: NodeId, parent: NodeId, next: Option<NodeId>) {
        self.node(id).parent = Some(parent);
        let children = &mut self.node(parent).children;
        let at = match next {
            Some(next) => children.iter().position(|child| *child == next).expect("next is no child"),
            None => children.len(),
        };
        children.insert(at, id);
    }

    fn unlink(&mut self, id: NodeId) {
        if let Some(parent) = self.node(id).parent.take() {
            self.node(parent).children.retain(|child| *child != id);
        }
    }

    fn remove(&mut self, id: NodeId) {
        self.unlink(id);
        let mut doomed = vec![id];
        while let Some(id) = doomed.pop() {
            doomed.extend(self.nodes.remove(&id).expect("removed twice").children);
        }
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        self.nodes.get_mut(&id).expect("the mirror does not have this node")
    }

    fn digest(&self) -> u32 {
        let mut digest = Digest::default();
        let mut stack = vec![(NodeId::DOCUMENT, 0)];
        let mut before = 0;
        while let Some((id, depth)) = stack.pop() {
            (depth..before).for_each(|_| digest.leave());
            digest.enter(id);
            let node = &self.nodes[&id];
            let style = node.parent.is_some_and(|parent| self.nodes[&parent].what.starts_with("<style>"));
            if !style {
                digest.text(&node.text);
            }
            before = depth;
            stack.extend(self.nodes[&id].children.iter().rev().map(|child| (*child, depth + 1)));
        }
        (0..before).for_each(|_| digest.leave());
        digest.value()
    }

    /// All that the mirror shows, in one text.
    pub(super) fn dump(&self) -> String {
        let mut out = format!("{:?}\n", self.globals);
        let mut stack = vec![(NodeId::DOCUMENT, 0)];
        while let Some((id, depth)) = stack.pop() {
            let node = &self.nodes[&id];
            let _ = writeln!(
                out,
                "{}{} {} {:?} {:?} {:?}",
                " ".repeat(depth),
                id.0,
                node.what,
                node.text,
                node.attributes,
                node.state
            );
            stack.extend(node.children.iter().rev().map(|child| (*child, depth + 1)));
        }
        out
    }
}
