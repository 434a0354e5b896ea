//! Decides, node by node, what is seen of it, and again wherever that can have changed.

use url::Url;

use crate::dom::{Changes, Element, IdSet, Matcher, NodeRef, Tree};
use crate::policy::verdict::{Mark, Rules, Scope, Sight, Verdict};
use crate::protocol::NodeId;
use crate::protocol::customer::{Privacy, PrivateMark};

use super::slots::Slots;
use super::{Masker, State, Turn, told, within};

/// Different rules in frames of one page.
const SCOPES: usize = 64;

impl Masker {
    /// Decides again where a verdict can have changed. Returns the outermost nodes that look different now.
    pub(super) fn reconsider(&mut self, tree: &Tree, changes: &Changes, turn: &mut Turn) -> IdSet {
        if changes.location {
            let rules = Rules::in_force(&self.policies, tree.location(), self.role);
            let same = rules.same(&self.rules);
            self.rules = rules;
            // What is in frames is judged by the page's address too.
            if !same || tree.has_frames() {
                self.rules.paused.iter().for_each(|rule| self.policies.tally.add(*rule));
                self.frames.clear();
                self.marks_stale = true;
                let resend = self.judge(tree, tree.document(), turn);
                self.marks_stale = false;
                return resend;
            }
        }
        let scopes = || std::iter::once(&self.rules).chain(&self.frames);
        let mentioned =
            || changes.attributes.iter().filter(|(_, name)| scopes().any(|rules| rules.mention(name)));
        let everywhere = |rules: &Rules| {
            rules.needs().structure
                && (!changes.parents.is_empty()
                    || mentioned().next().is_some()
                    || (rules.needs().state && !changes.controls.is_empty())
                    || (rules.needs().text && !changes.texts.is_empty()))
        };
        if scopes().any(everywhere) {
            return self.judge(tree, tree.document(), turn);
        }
        let mut roots: Vec<NodeId> = changes.inserted.iter().chain(&changes.moved).copied().collect();
        roots.extend(mentioned().map(|(id, _)| *id));
        if scopes().any(|rules| rules.needs().state) {
            roots.extend(&changes.controls);
        }
        // A frame looks otherwise with a document than without, and by another address.
        let frame = |id: &&NodeId| tree.get(**id).and_then(NodeRef::element).is_some_and(Element::is_frame);
        roots.extend(changes.parents.iter().filter(frame));
        roots.extend(changes.addresses.iter().filter_map(|id| tree.get(*id)?.parent()).map(NodeRef::id));
        let changed = roots.iter().chain(&changes.parents).copied();
        let slotted = Masker::slotted(tree, changed);
        let late: IdSet = slotted.iter().map(|node| node.id()).collect();
        let mut roots: Vec<NodeRef<'_>> = roots.into_iter().filter_map(|id| tree.get(id)).collect();
        // After the slots that they are in.
        roots.retain(|node| !late.contains(&node.id()));
        roots.extend(slotted);
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
    pub(super) fn judge<'t>(&mut self, tree: &'t Tree, root: NodeRef<'t>, turn: &mut Turn) -> IdSet {
        let (mut matcher, mut matched, mut slots) = (Matcher::new(tree), Vec::new(), Slots::default());
        let mut different = IdSet::default();
        let mut inside: Option<NodeRef<'t>> = None;
        for node in root.with_descendants() {
            if inside.is_some_and(|outer| !within(node, outer)) {
                inside = None;
            }
            matched.clear();
            let verdict = match node.parent() {
                None => self.rules.root(),
                Some(parent) => match self.nodes.get(&parent.id()) {
                    Some(above) => {
                        let above = slots.around(&self.nodes, node, above);
                        if above.open() {
                            self.rules_of(above.scope).select(&mut matcher, node, &mut matched);
                        }
                        self.decide(node, above, &matched)
                    }
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
            if before.is_none() {
                let rules = self.rules_of(verdict.scope);
                rules.numbers(&matched).for_each(|rule| self.policies.tally.add(rule));
            }
            if verdict.sight > Sight::Shown && told(node).is_some() {
                turn.typed.push(id);
            }
            self.note_mark(id, before.map(|state| state.verdict), &verdict, turn);
            self.nodes.insert(id, State { verdict, place });
        }
        different
    }

    /// On a node in one of this verdict.
    fn decide(&mut self, node: NodeRef<'_>, above: Verdict, matched: &[u32]) -> Verdict {
        if node.as_document().is_some() {
            let scope = self.scope_in(node, above.scope);
            return self.rules_of(scope).document(scope, &above);
        }
        let mut verdict =
            self.rules_of(above.scope).judge(node, &above, matched, self.exposed.contains(&node.id()));
        if let Some(document) = node.frame_document()
            && verdict.open()
        {
            let scope = self.scope_in(document, above.scope);
            // Sharing pauses there.
            if scope != above.scope && self.rules_of(scope).root().sight >= Sight::Hidden {
                verdict.sight = Sight::Hidden;
                verdict.mark = Some(Mark { privacy: Privacy::Hidden, label: None });
            }
        }
        verdict
    }

    /// The rules of a scope.
    pub(in crate::policy) fn rules_of(&self, scope: Scope) -> &Rules {
        match scope.0.checked_sub(1) {
            None => &self.rules,
            Some(at) => self.frames.get(usize::from(at)).unwrap_or(&self.none),
        }
    }

    /// The rules for the document in a frame that stands in a document of the scope `above`.
    fn scope_in(&mut self, document: NodeRef<'_>, above: Scope) -> Scope {
        let address = |node: NodeRef<'_>| Url::parse(node.as_document()?.location()).ok();
        let own = address(document).filter(|url| matches!(url.scheme(), "http" | "https"));
        // `about:srcdoc` and the like belong to the document around them.
        let Some(own) = own else { return above };
        let mut urls = vec![Some(own)];
        for node in document.with_ancestors().skip(1).filter(|node| node.as_document().is_some()) {
            let url = address(node).filter(|url| node.parent().is_none() || !url.cannot_be_a_base());
            if !urls.contains(&url) && (url.is_some() || node.parent().is_none()) {
                urls.push(url);
            }
        }
        let outer = self.rules_of(above);
        let rules = Rules::in_frame(&self.policies, &urls, self.role, outer);
        if rules.extend(outer) {
            return above;
        }
        let at = self.frames.iter().position(|known| known.same(&rules)).unwrap_or(self.frames.len());
        if at == self.frames.len() && at < SCOPES {
            rules.paused.iter().for_each(|rule| self.policies.tally.add(*rule));
            self.frames.push(rules);
        }
        // One more than anybody writes policies for has no rules: in doubt, nothing is seen.
        Scope(1 + at as u16)
    }

    fn note_mark(&self, node: NodeId, before: Option<Verdict>, now: &Verdict, turn: &mut Turn) {
        let same = before.is_some_and(|before| (before.mark, before.scope) == (now.mark, now.scope));
        let rules = self.rules_of(now.scope);
        match now.mark {
            Some(mark) if self.marks_stale || !same => turn.marks.push(PrivateMark {
                node,
                kind: mark.privacy,
                label: mark.label.and_then(|label| rules.text(label)).map(str::to_owned),
            }),
            None if before.is_some_and(|before| before.mark.is_some()) => turn.cleared.push(node),
            _ => {}
        }
    }
}
