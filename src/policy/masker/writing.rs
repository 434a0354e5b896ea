//! Writes nodes as operations of a view, by their verdicts.
//!
//! Writes only what is in view, and never decides what that is.

use std::collections::HashSet;

use crate::dom::{Changes, Digest, Doctype, IdSet, IdTable, Kind, NodeRef, Tree};
use crate::protocol::NodeId;
use crate::protocol::attention::{Attention, States};
use crate::protocol::view::{ViewOp, ViewPart};

use super::super::content::{self, CHOICE, Lens};
use super::super::echo::Echoes;
use super::super::verdict::{Sight, Verdict};
use super::{Globals, Masker, State, Turn};

impl Masker {
    /// Attributes, texts and states of nodes that were in the mirror before.
    pub(super) fn touch_up(&mut self, tree: &Tree, changes: &Changes, turn: &mut Turn) {
        let mut lens = Lens::new(&self.names, &self.echoes);
        let known = |id: &NodeId| {
            (!turn.fresh.contains(id)).then(|| Some((tree.get(*id)?, self.seen(*id)?))).flatten()
        };
        let mut ops = Vec::new();
        let mut done: HashSet<(NodeId, &str)> = HashSet::new();
        for (id, name) in &changes.attributes {
            let Some((node, verdict)) = known(id) else { continue };
            let mut names = vec![&**name];
            // These decide on others.
            match node.element().map(|element| element.name()) {
                Some("link") => names.extend(["rel", "href", "media", "disabled"]),
                Some("input") if &**name == "type" => names.extend(["src", "value"]),
                Some("img") if matches!(&**name, "src" | "srcset" | "sizes") => {
                    names = CHOICE.into_iter().chain(["src"]).collect();
                }
                _ => {}
            }
            for name in names {
                if done.insert((*id, name)) {
                    ops.push(attribute(&mut lens, node, &verdict, name));
                }
            }
        }
        for id in &changes.sources {
            let Some((node, verdict)) = known(id) else { continue };
            for name in CHOICE.into_iter().chain(["src"]) {
                if done.insert((*id, name)) {
                    ops.push(attribute(&mut lens, node, &verdict, name));
                }
            }
        }
        let mut once = IdSet::default();
        // The URLs in a sheet are relative to its own.
        let links = changes.attributes.iter().map(|(id, _)| id);
        for id in changes.sheets.iter().chain(links) {
            if let Some((node, verdict)) = known(id)
                && node
                    .element()
                    .is_some_and(|element| element.sheet().is_some() || changes.sheets.contains(id))
                && once.insert(*id)
            {
                if done.insert((*id, "media")) {
                    ops.push(attribute(&mut lens, node, &verdict, "media"));
                }
                ops.extend(rules(node, &verdict, &mut lens));
            }
        }
        let mut texts: Vec<NodeId> = Vec::new();
        let mut sheets = IdSet::default();
        let holders = changes.texts.iter().filter_map(|id| tree.get(*id)?.parent());
        let parents = changes.parents.iter().chain(&changes.sheets).filter_map(|id| tree.get(*id));
        for style in holders.chain(parents).filter(|node| content::is_style(*node)) {
            if sheets.insert(style.id()) {
                texts.extend(style.children().map(NodeRef::id));
            }
        }
        // What went into a sheet or out of one says something else now.
        texts.extend(changes.texts.iter().chain(&changes.moved));
        let mut once = IdSet::default();
        for id in texts {
            if once.insert(id)
                && let Some((node, verdict)) = known(&id)
                && let Kind::Text(data) = node.kind()
            {
                ops.push(ViewOp::Text { id, data: lens.text(node, data, &verdict) });
            }
        }
        let mut once = IdSet::default();
        // Whether something is hidden input changes what is told of its value.
        let types = changes.attributes.iter().filter(|(_, name)| &**name == "type").map(|(id, _)| id);
        for id in changes.controls.iter().chain(types) {
            if once.insert(*id)
                && let Some((node, verdict)) = known(id)
            {
                ops.extend(control(node, &verdict, &self.echoes));
            }
        }
        let mut once = IdSet::default();
        for id in &changes.scrolls {
            if once.insert(*id)
                && let Some((node, verdict)) = known(id)
            {
                ops.extend(scroll(node, &verdict));
            }
        }
        let mut once = IdSet::default();
        for id in &changes.boxes {
            if once.insert(*id)
                && let Some((node, verdict)) = known(id)
            {
                ops.extend(size(node, &verdict));
            }
        }
        let mut once = IdSet::default();
        for id in &changes.pictures {
            if once.insert(*id)
                && let Some((node, verdict)) = known(id)
            {
                ops.extend(picture(node, &verdict, &mut lens));
            }
        }
        turn.ops.append(&mut ops);
        turn.resources.append(&mut lens.resources);
    }

    /// Writes again what says something that has just been learned to be private.
    pub(super) fn strike(&self, tree: &Tree, turn: &mut Turn) {
        let mut at = Some(tree.document());
        let mut lens = Lens::new(&self.names, &self.echoes);
        let mut ops = Vec::new();
        while let Some(node) = at {
            let verdict = self.nodes.get(&node.id()).map(|state| state.verdict).filter(Verdict::in_view);
            at = step(node, tree.document(), verdict.is_some());
            let Some(verdict) = verdict.filter(|verdict| verdict.sight < Sight::Masked) else { continue };
            let id = node.id();
            if turn.fresh.contains(&id) {
                continue;
            }
            lens.struck = false;
            match node.kind() {
                Kind::Text(data) => {
                    let data = lens.text(node, data, &verdict);
                    if lens.struck {
                        ops.push(ViewOp::Text { id, data });
                    }
                }
                Kind::Element(element) => {
                    for (name, _) in element.attributes() {
                        lens.struck = false;
                        let op = attribute(&mut lens, node, &verdict, name);
                        if lens.struck {
                            ops.push(op);
                        }
                    }
                    if element.control().is_some() {
                        ops.extend(control(node, &verdict, &self.echoes));
                    }
                }
                _ => {}
            }
        }
        turn.ops.append(&mut ops);
    }

    /// The states of what was written in this batch.
    pub(super) fn settle(&self, tree: &Tree, turn: &mut Turn) {
        let mut lens = Lens::new(&self.names, &self.echoes);
        for id in std::mem::take(&mut turn.written) {
            if let (Some(node), Some(verdict)) = (tree.get(id), self.seen(id)) {
                turn.ops.extend(states(node, &verdict, &mut lens));
            }
        }
        turn.resources.append(&mut lens.resources);
    }
}

/// The next node in document order inside `root`, with or without the children of `node`.
pub(super) fn step<'a>(node: NodeRef<'a>, root: NodeRef<'a>, enter: bool) -> Option<NodeRef<'a>> {
    if enter && let Some(child) = node.first_child() {
        return Some(child);
    }
    let mut from = node;
    while from != root {
        if let Some(sibling) = from.next() {
            return Some(sibling);
        }
        from = from.parent()?;
    }
    None
}

/// A node and all that is in view inside it.
pub(super) fn subtree(root: NodeRef<'_>, nodes: &IdTable<State>, lens: &mut Lens<'_>) -> Vec<ViewPart> {
    let mut parts = Vec::new();
    // Elements and shadow roots that are written and not yet closed.
    let mut open: Vec<NodeRef<'_>> = Vec::new();
    let mut at = Some(root);
    while let Some(node) = at {
        while open.last().is_some_and(|last| Some(*last) != node.parent()) {
            open.pop();
            parts.push(ViewPart::End);
        }
        let verdict = nodes.get(&node.id()).map(|state| state.verdict).filter(Verdict::in_view);
        if let Some(verdict) = &verdict {
            let part = part(node, verdict, lens);
            if matches!(
                part,
                ViewPart::Element { .. } | ViewPart::ShadowRoot { .. } | ViewPart::Document { .. }
            ) {
                open.push(node);
            }
            parts.push(part);
        }
        at = step(node, root, verdict.is_some());
    }
    parts.extend(open.iter().map(|_| ViewPart::End));
    parts
}

fn part(node: NodeRef<'_>, verdict: &Verdict, lens: &mut Lens<'_>) -> ViewPart {
    let id = node.id();
    match node.kind() {
        Kind::Element(element) => ViewPart::Element {
            id,
            marks: content::marks(verdict),
            namespace: element.namespace(),
            name: element.name().into(),
            attributes: lens.attributes(node, verdict),
        },
        Kind::Text(data) => ViewPart::Text { id, data: lens.text(node, data, verdict) },
        Kind::Doctype(doctype) => {
            let Doctype { name, public, system } = &**doctype;
            ViewPart::Doctype { id, name: name.clone(), public: public.clone(), system: system.clone() }
        }
        Kind::ShadowRoot => ViewPart::ShadowRoot { id },
        Kind::Document(document) => ViewPart::Document { id, quirks: document.quirks() },
        Kind::Comment(_) => ViewPart::Comment { id },
    }
}

/// A view from nothing.
pub(super) fn whole(
    tree: &Tree,
    nodes: &IdTable<State>,
    lens: &mut Lens<'_>,
    globals: &Globals,
) -> Vec<ViewOp> {
    let mut ops = vec![ViewOp::Begin { quirks: tree.quirks() }];
    ops.push(ViewOp::Location { url: globals.location.clone() });
    ops.extend(viewport(globals.viewport));
    let verdict = |node: NodeRef<'_>| nodes.get(&node.id()).map(|state| state.verdict);
    for child in tree.document().children() {
        if verdict(child).is_some_and(|verdict| verdict.in_view()) {
            let parts = subtree(child, nodes, lens);
            ops.push(ViewOp::Insert { parent: NodeId::DOCUMENT, next: None, parts });
        }
    }
    let root = tree.document();
    let mut at = Some(root);
    while let Some(node) = at {
        let verdict = verdict(node).filter(Verdict::in_view);
        if let Some(verdict) = &verdict {
            ops.extend(states(node, verdict, lens));
        }
        at = step(node, root, verdict.is_some());
    }
    if !globals.top_layer.is_empty() {
        ops.push(ViewOp::TopLayer { entries: globals.top_layer.clone() });
    }
    if globals.focus.is_some() {
        ops.push(ViewOp::Focus { id: globals.focus });
    }
    let Attention { states, selection, notice, media, zoomed } = &globals.attention;
    ops.extend(media.map(|features| ViewOp::Media { features }));
    if *states != States::default() {
        ops.push(ViewOp::States { states: *states });
    }
    if selection.is_some() {
        ops.push(ViewOp::Selection { selection: *selection });
    }
    if notice.is_some() {
        ops.push(ViewOp::Notice { notice: notice.clone() });
    }
    if zoomed.is_some() {
        ops.push(ViewOp::Zoom { zoomed: *zoomed });
    }
    ops
}

/// The digest of a view.
pub(super) fn digest(tree: &Tree, nodes: &IdTable<State>, lens: &mut Lens<'_>) -> Digest {
    let mut digest = Digest::default();
    // What the last node is in, outermost first.
    let mut above: Vec<NodeRef<'_>> = Vec::new();
    let mut last = None;
    let mut at = Some(tree.document());
    while let Some(node) = at {
        // A mirror always has a document.
        let verdict = nodes.get(&node.id()).map(|state| state.verdict).filter(Verdict::in_view);
        let seen = node.parent().is_none() || verdict.is_some();
        if seen {
            if last.is_some() && last == node.parent() {
                above.extend(last);
            }
            while above.last().copied() != node.parent() {
                above.pop();
                digest.leave();
            }
            digest.enter(node.id());
            // Style sheets are large, and each mirror has them its own way.
            if let (Some(verdict), Kind::Text(data)) = (verdict, node.kind())
                && !node.parent().is_some_and(content::is_style)
            {
                digest.text(&lens.text(node, data, &verdict));
            }
            last = Some(node);
        }
        at = step(node, tree.document(), seen);
    }
    above.iter().for_each(|_| digest.leave());
    digest
}

pub(super) fn viewport(viewport: Option<(u32, u32, u32)>) -> Option<ViewOp> {
    viewport.map(|(width, height, ratio)| ViewOp::Viewport { width, height, ratio })
}

pub(super) fn attribute(lens: &mut Lens<'_>, node: NodeRef<'_>, verdict: &Verdict, name: &str) -> ViewOp {
    let id = node.id();
    match lens.attribute_now(node, verdict, name) {
        Some(value) => ViewOp::SetAttribute { id, name: name.into(), value },
        None => ViewOp::RemoveAttribute { id, name: name.into() },
    }
}

pub(super) fn states<'a>(
    node: NodeRef<'a>,
    verdict: &Verdict,
    lens: &mut Lens<'_>,
) -> impl Iterator<Item = ViewOp> + use<'a> {
    let control = control(node, verdict, lens.echoes);
    // A picture that is not there is what a new element shows anyway.
    let picture = picture(node, verdict, lens).filter(|op| !matches!(op, ViewOp::Picture { url: None, .. }));
    let rules = rules(node, verdict, lens).filter(|op| !matches!(op, ViewOp::Sheet { css: None, .. }));
    let (scroll, size) = (scroll(node, verdict), size(node, verdict));
    control.into_iter().chain(scroll).chain(size).chain(picture).chain(rules)
}

pub(super) fn control(node: NodeRef<'_>, verdict: &Verdict, echoes: &Echoes) -> Option<ViewOp> {
    let element = node.element()?;
    let state = content::control(element, element.control()?, verdict, echoes)?;
    Some(ViewOp::Control { id: node.id(), state })
}

pub(super) fn scroll(node: NodeRef<'_>, verdict: &Verdict) -> Option<ViewOp> {
    let (x, y) = node.scroll()?;
    verdict.open().then(|| ViewOp::Scroll { id: node.id(), x, y })
}

pub(super) fn size(node: NodeRef<'_>, verdict: &Verdict) -> Option<ViewOp> {
    let (width, height) = node.element()?.size()?;
    content::measured(verdict).then(|| ViewOp::Box { id: node.id(), width, height })
}

/// Of a `link`; those of a `style` are its text.
fn rules(node: NodeRef<'_>, verdict: &Verdict, lens: &mut Lens<'_>) -> Option<ViewOp> {
    let element = node.element().filter(|element| element.is_html("link"))?;
    Some(ViewOp::Sheet { id: node.id(), css: lens.rules(node, element, verdict) })
}

fn picture(node: NodeRef<'_>, verdict: &Verdict, lens: &mut Lens<'_>) -> Option<ViewOp> {
    let element = node.element().filter(|element| element.is_pictured())?;
    Some(ViewOp::Picture { id: node.id(), url: lens.picture(element, verdict) })
}
