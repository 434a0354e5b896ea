//! Makes views of a page: the whole of it, or what changed.
//!
//! The law: whatever patches came before, the mirror that they built is the view that a new masker would
//! make of the same page. To keep it, the masker knows for every node whether the mirror has it and in
//! which place, and writes every operation against that knowledge.

mod judging;
mod passwords;
mod places;
mod slots;
mod writing;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::dom::{Changes, IdSet, IdTable, Kind, NodeRef, Tree, forms};
use crate::protocol::NodeId;
use crate::protocol::agent::Role;
use crate::protocol::attention::{Attention, Notice, States};
use crate::protocol::customer::{Echo, Echoing, PrivateMark};
use crate::protocol::page::{TopLayer, Value};
use crate::protocol::view::ViewOp;

use self::writing::{digest, viewport, whole};
use super::content::{self, Lens};
use super::echo::{Echoes, SHORTEST};
use super::verdict::{Rules, Sight, Verdict};
use super::{Policies, Resource, ResourceNames, ViewPatch};

/// Characters of a title.
const TITLE: usize = 200;
/// Tokens that are remembered as told; beyond that, telling starts over.
const TOLD: usize = 100_000;

/// Places that are given out before they are numbered anew; one batch adds far fewer than are left then.
const PLACES: u32 = u32::MAX / 2;

/// Decides for one role and one session what of a page is seen.
#[derive(Debug)]
pub struct Masker {
    pub(super) policies: Arc<Policies>,
    role: Role,
    names: ResourceNames,
    /// Of the page.
    rules: Rules,
    /// Of documents in frames, where they are others.
    frames: Vec<Rules>,
    /// Which hide everything.
    none: Rules,
    nodes: IdTable<State>,
    /// Counts places in the mirror: a node that is written anew has another one, and what was in the old one is gone.
    places: u32,
    told: HashSet<String>,
    globals: Globals,
    /// What was typed into masked fields, on this page and those before.
    echoes: Echoes,
    /// Fields and editable elements that held a password.
    exposed: IdSet,
    /// The customer's browser must be told all marks again.
    marks_stale: bool,
}

#[derive(Debug, Clone, Copy)]
struct State {
    verdict: Verdict,
    place: Option<Place>,
}

/// There is one for every node of a page and every role that watches.
const _: () = assert!(size_of::<Option<State>>() <= 24);

/// Where the mirror has a node.
#[derive(Debug, Clone, Copy)]
struct Place {
    serial: NonZeroU32,
    parent: NodeId,
    parent_serial: u32,
}

/// What belongs to no node, as last told.
#[derive(Debug, Clone, Default, PartialEq)]
struct Globals {
    viewport: Option<(u32, u32, u32)>,
    location: Box<str>,
    focus: Option<NodeId>,
    attention: Attention,
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
    /// Tokens of what views referred to and may not any more. Only when other policies took over.
    pub withdrawn: Vec<String>,
}

/// One batch being made.
#[derive(Default)]
struct Turn {
    ops: Vec<ViewOp>,
    resources: Vec<Resource>,
    marks: Vec<PrivateMark>,
    cleared: Vec<NodeId>,
    /// Fields that are kept from agents, with a value.
    typed: Vec<NodeId>,
    /// Written in this batch, in order: what they hold follows.
    written: Vec<NodeId>,
    fresh: IdSet,
}

impl Masker {
    /// Knows no page yet: begin with [`Masker::view`].
    pub fn new(policies: Arc<Policies>, role: Role, names: ResourceNames) -> Masker {
        Masker {
            echoes: Echoes::new(names.other_secret()),
            policies,
            role,
            names,
            rules: Rules::default(),
            frames: Vec::new(),
            none: Rules::default(),
            nodes: IdTable::default(),
            places: 0,
            told: HashSet::new(),
            globals: Globals::default(),
            exposed: IdSet::default(),
            marks_stale: false,
        }
    }

    /// Takes other policies; what it returns starts a new view, like that of [`Masker::view`].
    pub fn adopt(&mut self, policies: Arc<Policies>, tree: &Tree) -> Masked {
        self.policies = policies;
        let before = std::mem::take(&mut self.told);
        let mut masked = self.look(tree);
        masked.withdrawn = before.into_iter().filter(|token| !self.told.contains(token)).collect();
        masked
    }

    /// Takes other policies while there is no page yet.
    pub fn expect_under(&mut self, policies: Arc<Policies>) {
        self.policies = policies;
    }

    /// As after an endless session.
    #[cfg(test)]
    pub(super) fn use_up_places(&mut self) {
        self.places = PLACES + 1;
    }

    /// The whole view, all verdicts made anew. Marks and resources are told from scratch.
    pub fn view(&mut self, tree: &Tree) -> Masked {
        self.exposed.clear();
        self.look(tree)
    }

    fn look(&mut self, tree: &Tree) -> Masked {
        self.rules = Rules::in_force(&self.policies, tree.location(), self.role);
        self.rules.paused.iter().for_each(|rule| self.policies.tally.add(*rule));
        self.frames.clear();
        self.told.clear();
        self.marks_stale = true;
        let before = std::mem::take(&mut self.nodes);
        let mut turn = Turn::default();
        self.judge(tree, tree.document(), &mut turn);
        self.listen(tree, std::mem::take(&mut turn.typed));
        self.expose(tree, None, &mut turn);
        let unmarked = |id: &NodeId| self.nodes.get(id).is_some_and(|state| state.verdict.mark.is_none());
        turn.cleared.extend(
            before.iter().filter(|(id, old)| old.verdict.mark.is_some() && unmarked(id)).map(|(id, _)| id),
        );
        turn.cleared.sort_unstable();
        self.marks_stale = false;
        let mut lens = Lens::new(&self.names, &self.echoes);
        turn.ops = whole(tree, &self.nodes, &mut lens, &globals(tree, &self.nodes, &self.echoes));
        turn.resources = lens.resources;
        self.occupy(tree.document());
        self.globals = globals(tree, &self.nodes, &self.echoes);
        self.finish(turn)
    }

    /// The view as it is, for one more mirror: nothing is decided again, and the patches that follow fit it.
    pub fn snapshot(&self, tree: &Tree) -> ViewPatch {
        let mut lens = Lens::new(&self.names, &self.echoes);
        ViewPatch(whole(tree, &self.nodes, &mut lens, &self.globals))
    }

    /// What every mirror that followed until now can compare itself with.
    pub fn check(&self, tree: &Tree) -> ViewPatch {
        let mut lens = Lens::new(&self.names, &self.echoes);
        ViewPatch(vec![ViewOp::Check { digest: digest(tree, &self.nodes, &mut lens).value() }])
    }

    /// What brings a mirror from the last state to this one. `changes`: all that became of the tree since.
    pub fn update(&mut self, tree: &Tree, changes: &Changes) -> Masked {
        // Places are numbered anew long before there are no more numbers.
        if changes.begun || self.nodes.is_empty() || self.places > PLACES {
            self.nodes.clear();
            self.places = 0;
            return self.view(tree);
        }
        let mut turn = Turn::default();
        for id in &changes.removed {
            self.vacate(*id, &mut turn);
            self.nodes.remove(id);
            self.exposed.remove(id);
        }
        let mut resend = self.reconsider(tree, changes, &mut turn);
        let mut typed = std::mem::take(&mut turn.typed);
        typed.extend(&changes.controls);
        let learned = self.listen(tree, typed) | self.overhear(tree, changes);
        resend.extend(self.expose(tree, Some(changes).filter(|_| !learned), &mut turn));
        self.replace(tree, changes, &resend, &mut turn);
        self.touch_up(tree, changes, &mut turn);
        if learned {
            self.strike(tree, &mut turn);
        }
        self.settle(tree, &mut turn);
        let now = globals(tree, &self.nodes, &self.echoes);
        self.tell_globals(now, &mut turn);
        self.finish(turn)
    }

    /// What the customer's browser hashed of values that it withholds: they are private everywhere from now on.
    pub fn typed(&mut self, tree: Option<&Tree>, echoes: &[Echo]) -> Masked {
        let mut learned = false;
        for echo in echoes {
            learned |= self.echoes.learn_hash(*echo);
        }
        let mut turn = Turn::default();
        if let Some(tree) = tree.filter(|_| learned && !self.nodes.is_empty()) {
            let resend = self.expose(tree, None, &mut turn);
            self.replace(tree, &Changes::default(), &resend, &mut turn);
            self.strike(tree, &mut turn);
            self.settle(tree, &mut turn);
            let now = globals(tree, &self.nodes, &self.echoes);
            self.tell_globals(now, &mut turn);
        }
        self.finish(turn)
    }

    /// What the customer's browser needs to find by itself what was typed into masked fields.
    pub fn echoes(&self) -> Echoing {
        let keep = self.policies.mentioned();
        Echoing { key: self.echoes.key(), known: self.echoes.all(), keep }
    }

    /// Whether the whole page is kept from agents.
    pub fn is_paused(&self) -> bool {
        !self.rules.paused.is_empty()
    }

    /// The address of the page as it was last told.
    pub fn location(&self) -> &str {
        &self.globals.location
    }

    /// The title of the page, as far as it may be seen; empty when there is none.
    pub fn title(&self, tree: &Tree) -> Box<str> {
        let child = |node: NodeRef<'_>, name: &str| {
            let named = |child: &NodeRef<'_>| child.element().is_some_and(|element| element.is_html(name));
            node.children().find(named).map(|node| node.id())
        };
        let (mut at, mut words) = (Some(NodeId::DOCUMENT), String::new());
        for name in ["html", "head", "title"] {
            at = at.and_then(|id| tree.get(id)).and_then(|node| child(node, name));
        }
        if let Some(title) = at.filter(|id| self.seen(*id).is_some()).and_then(|id| tree.get(id)) {
            let mut lens = Lens::new(&self.names, &self.echoes);
            for node in title.children() {
                if let (Kind::Text(data), Some(verdict)) = (node.kind(), self.seen(node.id())) {
                    words.push_str(&lens.text(node, data, &verdict));
                }
            }
        }
        words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE).collect::<String>().into()
    }

    /// Whether something in a value is private because it was typed elsewhere.
    pub(super) fn hides_in(&self, value: &str) -> bool {
        value.contains('•') || self.echoes.hide(value, SHORTEST) != value
    }

    /// Learns the values of those fields among these that are kept from agents. Whether there was anything new.
    fn listen(&mut self, tree: &Tree, fields: Vec<NodeId>) -> bool {
        let mut learned = false;
        for id in fields {
            let private = self.verdict(id).is_some_and(|verdict| verdict.sight > Sight::Shown);
            if private && let Some(value) = tree.get(id).and_then(told) {
                learned |= self.echoes.learn(value, self.holds_password(tree, id));
            }
        }
        learned
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
        Masked {
            patch: ViewPatch(turn.ops),
            resources,
            marks: turn.marks,
            cleared: turn.cleared,
            withdrawn: Vec::new(),
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
        let (now, before) = (now.attention, before.attention);
        // What is written anew is in no state, and other elements are around what has moved.
        if now.states != before.states || (shaken && now.states != States::default()) {
            turn.ops.push(ViewOp::States { states: now.states });
        }
        if now.selection != before.selection || (shaken && now.selection.is_some()) {
            turn.ops.push(ViewOp::Selection { selection: now.selection });
        }
        if now.notice != before.notice {
            turn.ops.push(ViewOp::Notice { notice: now.notice });
        }
        if now.media != before.media {
            turn.ops.extend(now.media.map(|features| ViewOp::Media { features }));
        }
        if now.zoomed != before.zoomed {
            turn.ops.push(ViewOp::Zoom { zoomed: now.zoomed });
        }
    }
}

/// The text in a text field, if the browser told it.
fn told(node: NodeRef<'_>) -> Option<&str> {
    let element = node.element()?;
    match element.control()?.value.as_ref()? {
        Value::Told(text) if forms::is_text_field(element) || element.is_html("textarea") => Some(text),
        _ => None,
    }
}

fn within(node: NodeRef<'_>, outer: NodeRef<'_>) -> bool {
    node.with_ancestors().any(|above| above == outer)
}

/// What of the customer's attention an agent may see: never what is in something private.
fn attention(tree: &Tree, nodes: &IdTable<State>, echoes: &Echoes) -> Attention {
    let page = tree.attention();
    let sight = |id: NodeId| nodes.get(&id).map_or(Sight::Absent, |state| state.verdict.sight);
    // Inside something that is not seen: the innermost that is.
    let seen = |id: NodeId| {
        let around = tree.get(id)?.with_ancestors().find(|node| sight(node.id()) < Sight::Absent)?;
        around.element().map(|_| around.id())
    };
    let shown = |(id, _): (NodeId, u32)| sight(id) == Sight::Shown;
    let notice = page.notice.as_ref().and_then(|notice| {
        let sight = sight(notice.at.unwrap_or(NodeId::DOCUMENT));
        (sight < Sight::Hidden)
            .then(|| Notice { text: content::notice(&notice.text, sight, echoes), ..*notice })
    });
    Attention {
        states: page.states.map(seen),
        selection: page.selection.filter(|it| shown(it.anchor) && shown(it.focus)),
        notice,
        media: page.media,
        zoomed: page.zoomed,
    }
}

fn globals(tree: &Tree, nodes: &IdTable<State>, echoes: &Echoes) -> Globals {
    let in_view = |id: &NodeId| nodes.get(id).is_some_and(|state| state.verdict.sight < Sight::Hidden);
    let page = nodes.get(&NodeId::DOCUMENT).map_or(Sight::Hidden, |state| state.verdict.sight);
    Globals {
        viewport: tree.viewport(),
        location: content::address(tree.location(), page, echoes),
        focus: tree.focus().filter(in_view),
        attention: attention(tree, nodes, echoes),
        top_layer: tree.top_layer().filter(|(id, _)| in_view(id)).collect(),
    }
}
