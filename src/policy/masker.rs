//! Makes views of a page: the whole of it, or what changed.
//!
//! The law: whatever patches came before, the mirror that they built is the view that a new masker would
//! make of the same page. To keep it, the masker knows for every node whether the mirror has it and in
//! which place, and writes every operation against that knowledge.

use std::collections::HashSet;
use std::sync::Arc;

use crate::dom::{Changes, IdMap, IdSet, Kind, Matcher, NodeRef, Tree};
use crate::protocol::NodeId;
use crate::protocol::agent::Role;
use crate::protocol::customer::PrivateMark;
use crate::protocol::page::TopLayer;
use crate::protocol::view::{ViewOp, ViewPart};

use super::content::{self, Lens};
use super::verdict::{Mark, Rules, Sight, Verdict};
use super::{Policies, Resource, ResourceNames, ViewPatch};

/// Tokens that are remembered as told; beyond that, telling starts over.
const TOLD: usize = 100_000;

/// Decides for one role and one session what of a page is seen.
#[derive(Debug)]
pub struct Masker {
    pub(super) policies: Arc<Policies>,
    role: Role,
    names: ResourceNames,
    pub(super) rules: Rules,
    nodes: IdMap<State>,
    /// Counts places in the mirror: a node that is written anew has another one, and what was in the old one is gone.
    places: u64,
    told: HashSet<String>,
    globals: Globals,
    /// The customer's browser must be told all marks again.
    marks_stale: bool,
}

#[derive(Debug, Clone, Copy)]
struct State {
    verdict: Verdict,
    place: Option<Place>,
}

/// Where the mirror has a node.
#[derive(Debug, Clone, Copy)]
struct Place {
    serial: u64,
    parent: NodeId,
    parent_serial: u64,
}

/// What belongs to no node, as last told.
#[derive(Debug, Clone, Default, PartialEq)]
struct Globals {
    viewport: Option<(u32, u32, u32)>,
    location: Box<str>,
    focus: Option<NodeId>,
    top_layer: Vec<(NodeId, TopLayer)>,
}

/// What came of one batch.
#[derive(Debug, Default)]
pub struct Masked {
    /// For the agents of the role.
    pub patch: ViewPatch,
    /// What the view refers to now and did not before.
    pub resources: Vec<Resource>,
    /// For the customer's browser: new or changed.
    pub marks: Vec<PrivateMark>,
    /// For the customer's browser: marked no longer.
    pub cleared: Vec<NodeId>,
}

/// One batch being made.
#[derive(Default)]
struct Turn {
    ops: Vec<ViewOp>,
    resources: Vec<Resource>,
    marks: Vec<PrivateMark>,
    cleared: Vec<NodeId>,
    /// Written in this batch, in order: what they hold follows.
    written: Vec<NodeId>,
    fresh: IdSet,
}

impl Masker {
    /// Knows no page yet: begin with [`Masker::view`].
    pub fn new(policies: Arc<Policies>, role: Role, names: ResourceNames) -> Masker {
        Masker {
            policies,
            role,
            names,
            rules: Rules::default(),
            nodes: IdMap::default(),
            places: 0,
            told: HashSet::new(),
            globals: Globals::default(),
            marks_stale: false,
        }
    }

    /// Takes other policies; what it returns starts a new view, like that of [`Masker::view`].
    pub fn adopt(&mut self, policies: Arc<Policies>, tree: &Tree) -> Masked {
        self.policies = policies;
        self.view(tree)
    }

    /// The whole view, all verdicts made anew. Marks and resources are told from scratch.
    pub fn view(&mut self, tree: &Tree) -> Masked {
        self.rules = Rules::in_force(&self.policies, tree.location(), self.role);
        self.told.clear();
        self.marks_stale = true;
        let before = std::mem::take(&mut self.nodes);
        let mut turn = Turn::default();
        self.judge(tree, tree.document(), &mut turn);
        let unmarked = |id: &NodeId| self.nodes.get(id).is_some_and(|state| state.verdict.mark.is_none());
        turn.cleared.extend(
            before.iter().filter(|(id, old)| old.verdict.mark.is_some() && unmarked(id)).map(|(id, _)| *id),
        );
        turn.cleared.sort_unstable();
        self.marks_stale = false;
        let mut lens = Lens { names: &self.names, resources: Vec::new() };
        turn.ops = whole(tree, &self.nodes, &mut lens, &globals(tree, &self.nodes));
        turn.resources = lens.resources;
        self.occupy(tree.document());
        self.globals = globals(tree, &self.nodes);
        self.finish(turn)
    }

    /// The view as it is, for one more mirror: nothing is decided again, and the patches that follow fit it.
    pub fn snapshot(&self, tree: &Tree) -> ViewPatch {
        let mut lens = Lens { names: &self.names, resources: Vec::new() };
        ViewPatch(whole(tree, &self.nodes, &mut lens, &self.globals))
    }

    /// What brings a mirror from the last state to this one. `changes`: all that became of the tree since.
    pub fn update(&mut self, tree: &Tree, changes: &Changes) -> Masked {
        if changes.begun || self.nodes.is_empty() {
            self.nodes.clear();
            return self.view(tree);
        }
        let mut turn = Turn::default();
        for id in &changes.removed {
            self.vacate(*id, &mut turn);
            self.nodes.remove(id);
        }
        let resend = self.reconsider(tree, changes, &mut turn);
        self.replace(tree, changes, &resend, &mut turn);
        self.touch_up(tree, changes, &mut turn);
        self.settle(tree, &mut turn);
        let now = globals(tree, &self.nodes);
        self.tell_globals(now, &mut turn);
        self.finish(turn)
    }

    /// The verdict on a node whose place is in the view.
    pub(super) fn seen(&self, id: NodeId) -> Option<Verdict> {
        let state = self.nodes.get(&id)?;
        (state.verdict.in_view() && self.alive(id).is_some()).then_some(state.verdict)
    }

    /// The verdict on any node, in the view or not.
    pub(super) fn verdict(&self, id: NodeId) -> Option<Verdict> {
        self.nodes.get(&id).map(|state| state.verdict)
    }

    fn finish(&mut self, turn: Turn) -> Masked {
        let mut resources = turn.resources;
        if self.told.len() > TOLD {
            self.told.clear();
        }
        resources.retain(|resource| {
            !self.told.contains(&resource.token) && self.told.insert(resource.token.clone())
        });
        Masked { patch: ViewPatch(turn.ops), resources, marks: turn.marks, cleared: turn.cleared }
    }

    /// Decides again where a verdict can have changed. Returns the outermost nodes that look different now.
    fn reconsider(&mut self, tree: &Tree, changes: &Changes, turn: &mut Turn) -> IdSet {
        if changes.location {
            let rules = Rules::in_force(&self.policies, tree.location(), self.role);
            let same = rules.sets == self.rules.sets && rules.root() == self.rules.root();
            self.rules = rules;
            if !same {
                self.marks_stale = true;
                let resend = self.judge(tree, tree.document(), turn);
                self.marks_stale = false;
                return resend;
            }
        }
        let needs = self.rules.needs();
        let mentioned = || changes.attributes.iter().filter(|(_, name)| self.rules.mention(name));
        let everywhere = needs.structure
            && (!changes.parents.is_empty()
                || mentioned().next().is_some()
                || (needs.state && !changes.controls.is_empty())
                || (needs.text && !changes.texts.is_empty()));
        if everywhere {
            return self.judge(tree, tree.document(), turn);
        }
        let mut roots: Vec<NodeId> = changes.inserted.iter().chain(&changes.moved).copied().collect();
        roots.extend(mentioned().map(|(id, _)| *id));
        if needs.state {
            roots.extend(&changes.controls);
        }
        let mut roots: Vec<NodeRef<'_>> = roots.into_iter().filter_map(|id| tree.get(id)).collect();
        let mut known = IdSet::default();
        roots.retain(|node| known.insert(node.id()));
        let mut resend = IdSet::default();
        for root in &roots {
            // Inside another one of them it is judged with that.
            if root.with_ancestors().skip(1).any(|above| known.contains(&above.id())) {
                continue;
            }
            resend.extend(self.judge(tree, *root, turn));
        }
        resend
    }

    /// Decides on a node and everything in it. Returns the outermost known nodes that look different now.
    fn judge<'t>(&mut self, tree: &'t Tree, root: NodeRef<'t>, turn: &mut Turn) -> IdSet {
        let mut matcher = Matcher::new(tree);
        let mut different = IdSet::default();
        let mut inside: Option<NodeRef<'t>> = None;
        for node in root.with_descendants() {
            if inside.is_some_and(|outer| !within(node, outer)) {
                inside = None;
            }
            let verdict = match node.parent() {
                None => self.rules.root(),
                Some(parent) => match self.nodes.get(&parent.id()) {
                    Some(above) => self.rules.judge(&mut matcher, node, &above.verdict),
                    // Never: parents are judged first. In doubt, nothing is seen.
                    None => Verdict { sight: Sight::Absent, ..self.rules.root() },
                },
            };
            let id = node.id();
            let before = self.nodes.get(&id).copied();
            let place = before.and_then(|state| state.place);
            if let Some(before) = before
                && !before.verdict.looks_like(&verdict)
                && inside.is_none()
                && node.parent().is_some()
            {
                different.insert(id);
                inside = Some(node);
            }
            self.note_mark(id, before.and_then(|state| state.verdict.mark), verdict.mark, turn);
            self.nodes.insert(id, State { verdict, place });
        }
        different
    }

    fn note_mark(&self, node: NodeId, before: Option<Mark>, now: Option<Mark>, turn: &mut Turn) {
        match now {
            Some(mark) if self.marks_stale || before != now => turn.marks.push(PrivateMark {
                node,
                kind: mark.privacy,
                label: mark.label.and_then(|label| self.rules.labels.get(label as usize).cloned()),
            }),
            None if before.is_some() => turn.cleared.push(node),
            _ => {}
        }
    }

    /// Writes nodes that are new, moved or different to where they are now: parents before children, and
    /// siblings from the right, so that what a node goes before is always there.
    fn replace(&mut self, tree: &Tree, changes: &Changes, resend: &IdSet, turn: &mut Turn) {
        let mut groups: IdMap<Vec<NodeId>> = IdMap::default();
        let mut pending = IdSet::default();
        for id in changes.inserted.iter().chain(&changes.moved).chain(resend) {
            if let Some(parent) = tree.get(*id).and_then(NodeRef::parent)
                && pending.insert(*id)
            {
                groups.entry(parent.id()).or_default().push(*id);
            }
        }
        let mut parents: Vec<NodeRef<'_>> = groups.keys().filter_map(|id| tree.get(*id)).collect();
        parents.sort_by_cached_key(|node| (node.depth(), node.id()));
        for parent in parents {
            for id in &groups[&parent.id()] {
                let mut run: Vec<NodeRef<'_>> = Vec::new();
                let mut at = tree.get(*id);
                while let Some(node) = at {
                    if pending.remove(&node.id()) {
                        run.push(node);
                    } else if self.verdict(node.id()).is_some_and(|verdict| verdict.in_view()) {
                        break;
                    }
                    at = node.next();
                }
                while let Some(node) = run.pop() {
                    self.put(node, parent, resend.contains(&node.id()), turn);
                }
            }
        }
    }

    /// Brings one node to its place, where the mirror does not have it there already.
    fn put(&mut self, node: NodeRef<'_>, parent: NodeRef<'_>, anew: bool, turn: &mut Turn) {
        let id = node.id();
        if turn.fresh.contains(&id) {
            return;
        }
        let Some(parent_serial) = self.alive(parent.id()) else { return self.vacate(id, turn) };
        if self.verdict(id).is_none_or(|verdict| !verdict.in_view()) {
            return self.vacate(id, turn);
        }
        let next = std::iter::successors(node.next(), |node| node.next())
            .find(|sibling| self.verdict(sibling.id()).is_some_and(|verdict| verdict.in_view()))
            .map(NodeRef::id);
        if !anew && self.alive(id).is_some() {
            turn.ops.push(ViewOp::Move { id, parent: parent.id(), next });
            if let Some(Place { serial, .. }) = self.nodes.get(&id).and_then(|state| state.place) {
                self.place(id, Place { serial, parent: parent.id(), parent_serial });
            }
            return;
        }
        // What the mirror still has elsewhere leaves first.
        for inner in node.with_descendants() {
            self.vacate(inner.id(), turn);
        }
        let mut lens = Lens { names: &self.names, resources: Vec::new() };
        let parts = subtree(node, &self.nodes, &mut lens);
        turn.resources.append(&mut lens.resources);
        turn.ops.push(ViewOp::Insert { parent: parent.id(), next, parts });
        for written in self.occupy(node) {
            turn.fresh.insert(written);
            turn.written.push(written);
        }
    }

    /// Attributes, texts and states of nodes that were in the mirror before.
    fn touch_up(&mut self, tree: &Tree, changes: &Changes, turn: &mut Turn) {
        let mut lens = Lens { names: &self.names, resources: Vec::new() };
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
                Some("img") if &**name == "srcset" => names.push("src"),
                _ => {}
            }
            for name in names {
                if done.insert((*id, name)) {
                    ops.push(attribute(&mut lens, node, &verdict, name));
                }
            }
        }
        for id in &changes.sources {
            if let Some((node, verdict)) = known(id)
                && done.insert((*id, "src"))
            {
                ops.push(attribute(&mut lens, node, &verdict, "src"));
            }
        }
        let mut texts: Vec<NodeId> = Vec::new();
        let mut sheets = IdSet::default();
        let holders = changes.texts.iter().filter_map(|id| tree.get(*id)?.parent());
        let parents = changes.parents.iter().filter_map(|id| tree.get(*id));
        for style in holders.chain(parents).filter(|node| content::is_style(*node)) {
            if sheets.insert(style.id()) {
                texts.extend(style.children().map(NodeRef::id));
            }
        }
        texts.extend(&changes.texts);
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
                ops.extend(control(node, &verdict));
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
        turn.ops.append(&mut ops);
        turn.resources.append(&mut lens.resources);
    }

    /// The states of what was written in this batch.
    fn settle(&self, tree: &Tree, turn: &mut Turn) {
        for id in std::mem::take(&mut turn.written) {
            if let (Some(node), Some(verdict)) = (tree.get(id), self.seen(id)) {
                turn.ops.extend(states(node, &verdict));
            }
        }
    }

    fn tell_globals(&mut self, now: Globals, turn: &mut Turn) {
        // A dialog leaves the top layer of the mirror with every move of what it is in.
        let shaken = turn.ops.iter().any(|op| matches!(op, ViewOp::Insert { .. } | ViewOp::Move { .. }));
        let before = std::mem::replace(&mut self.globals, now.clone());
        if now.location != before.location {
            turn.ops.push(ViewOp::Location { url: now.location.clone() });
        }
        if now.viewport != before.viewport {
            turn.ops.extend(viewport(now.viewport));
        }
        if now.top_layer != before.top_layer || (shaken && !now.top_layer.is_empty()) {
            turn.ops.push(ViewOp::TopLayer { entries: now.top_layer });
        }
        if now.focus != before.focus || now.focus.is_some_and(|id| turn.fresh.contains(&id)) {
            turn.ops.push(ViewOp::Focus { id: now.focus });
        }
    }

    /// The serial of a node's place, if the mirror has the node: its place and all places above are as they were written.
    fn alive(&self, id: NodeId) -> Option<u64> {
        let own = self.nodes.get(&id)?.place?;
        let mut place = own;
        loop {
            if place.serial == place.parent_serial {
                return Some(own.serial);
            }
            let above = self.nodes.get(&place.parent)?.place?;
            if above.serial != place.parent_serial {
                return None;
            }
            place = above;
        }
    }

    /// Takes a node out of the mirror, if it is there.
    fn vacate(&mut self, id: NodeId, turn: &mut Turn) {
        if self.alive(id).is_some() {
            turn.ops.push(ViewOp::Remove { id });
        }
        if let Some(state) = self.nodes.get_mut(&id) {
            state.place = None;
        }
    }

    fn place(&mut self, id: NodeId, place: Place) {
        if let Some(state) = self.nodes.get_mut(&id) {
            state.place = Some(place);
        }
    }

    /// Notes that the mirror has a node and all that is in view inside it, just written. Returns which.
    fn occupy(&mut self, root: NodeRef<'_>) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut at = Some(root);
        while let Some(node) = at {
            let id = node.id();
            let verdict = self.verdict(id);
            let visible = verdict.is_some_and(|verdict| verdict.in_view());
            if visible {
                self.places += 1;
                let serial = self.places;
                let place = match node.parent() {
                    // The document: its own parent.
                    None => Place { serial, parent: id, parent_serial: serial },
                    Some(parent) => {
                        let place = self.nodes.get(&parent.id()).and_then(|state| state.place);
                        let parent_serial = place.map_or(0, |place| place.serial);
                        Place { serial, parent: parent.id(), parent_serial }
                    }
                };
                self.place(id, place);
                out.push(id);
            }
            at = step(node, root, visible);
        }
        out
    }
}

/// The next node in document order inside `root`, with or without the children of `node`.
fn step<'a>(node: NodeRef<'a>, root: NodeRef<'a>, enter: bool) -> Option<NodeRef<'a>> {
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

fn within(node: NodeRef<'_>, outer: NodeRef<'_>) -> bool {
    node.with_ancestors().any(|above| above == outer)
}

/// A node and all that is in view inside it.
fn subtree(root: NodeRef<'_>, nodes: &IdMap<State>, lens: &mut Lens<'_>) -> Vec<ViewPart> {
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
            if matches!(part, ViewPart::Element { .. } | ViewPart::ShadowRoot { .. }) {
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
        Kind::Doctype { name, public, system } => {
            ViewPart::Doctype { id, name: name.clone(), public: public.clone(), system: system.clone() }
        }
        Kind::ShadowRoot => ViewPart::ShadowRoot { id },
        Kind::Comment(_) | Kind::Document => ViewPart::Comment { id },
    }
}

/// A view from nothing.
fn whole(tree: &Tree, nodes: &IdMap<State>, lens: &mut Lens<'_>, globals: &Globals) -> Vec<ViewOp> {
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
            ops.extend(states(node, verdict));
        }
        at = step(node, root, verdict.is_some());
    }
    if !globals.top_layer.is_empty() {
        ops.push(ViewOp::TopLayer { entries: globals.top_layer.clone() });
    }
    if globals.focus.is_some() {
        ops.push(ViewOp::Focus { id: globals.focus });
    }
    ops
}

fn globals(tree: &Tree, nodes: &IdMap<State>) -> Globals {
    let in_view = |id: &NodeId| nodes.get(id).is_some_and(|state| state.verdict.sight < Sight::Hidden);
    let page = nodes.get(&NodeId::DOCUMENT).map_or(Sight::Hidden, |state| state.verdict.sight);
    Globals {
        viewport: tree.viewport(),
        location: content::address(tree.location(), page),
        focus: tree.focus().filter(in_view),
        top_layer: tree.top_layer().iter().filter(|(id, _)| in_view(id)).copied().collect(),
    }
}

fn viewport(viewport: Option<(u32, u32, u32)>) -> Option<ViewOp> {
    viewport.map(|(width, height, ratio)| ViewOp::Viewport { width, height, ratio })
}

fn attribute(lens: &mut Lens<'_>, node: NodeRef<'_>, verdict: &Verdict, name: &str) -> ViewOp {
    let id = node.id();
    match lens.attribute_now(node, verdict, name) {
        Some(value) => ViewOp::SetAttribute { id, name: name.into(), value },
        None => ViewOp::RemoveAttribute { id, name: name.into() },
    }
}

fn states<'a>(node: NodeRef<'a>, verdict: &Verdict) -> impl Iterator<Item = ViewOp> + use<'a> {
    let (control, scroll, size) = (control(node, verdict), scroll(node, verdict), size(node, verdict));
    control.into_iter().chain(scroll).chain(size)
}

fn control(node: NodeRef<'_>, verdict: &Verdict) -> Option<ViewOp> {
    let element = node.element()?;
    let state = content::control(element, element.control()?, verdict)?;
    Some(ViewOp::Control { id: node.id(), state })
}

fn scroll(node: NodeRef<'_>, verdict: &Verdict) -> Option<ViewOp> {
    let (x, y) = node.scroll()?;
    verdict.open().then(|| ViewOp::Scroll { id: node.id(), x, y })
}

fn size(node: NodeRef<'_>, verdict: &Verdict) -> Option<ViewOp> {
    let (width, height) = node.element()?.size()?;
    content::measured(verdict).then(|| ViewOp::Box { id: node.id(), width, height })
}
