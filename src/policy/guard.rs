//! The guard: checks what an agent asks to do against what the agent sees and what the rules allow.
//!
//! Only here a [`Permit`] is made, and nothing reaches the customer's page without one. Mode, presence and
//! rate are the session's to check before.

use url::Url;

use crate::dom::{NodeRef, Tree, forms};
use crate::protocol::page::Value;
use crate::protocol::typing::{Piece, Spot};
use crate::protocol::{Action, NodeId, Refusal};

use super::Masker;
use super::verdict::{Reach, Scope, Shape, Sight, Verdict};

/// Bytes of a text that an action may bring.
const TEXT: usize = 64 << 10;
/// Pieces of one change of a text.
const PIECES: usize = 256;
/// Bytes of an address that an action may name.
const ADDRESS: usize = 8_192;
/// Clicks in quick succession that are told apart.
const CLICKS: u8 = 3;
/// How far an action may reach, in CSS pixels.
const FARTHEST: f32 = 100_000.0;

/// That an action was checked and allowed, at this state of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Permit {
    action: Action,
    submits: bool,
    to: Option<String>,
}

/// Where a page's history leads, as far as the customer's browser tells.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// To where Back leads.
    pub back: Option<String>,
    /// To where Forward leads.
    pub forward: Option<String>,
}

impl Permit {
    /// That the agent's pointer leaves is free everywhere.
    pub fn leave() -> Permit {
        Permit { action: Action::Leave, submits: false, to: None }
    }

    /// What to do; addresses are absolute.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Whether a form may be submitted by it.
    pub fn submits(&self) -> bool {
        self.submits
    }

    /// Where Back or Forward has to lead.
    pub fn to(&self) -> Option<&str> {
        self.to.as_deref()
    }
}

impl Masker {
    /// Checks an action against the page as it was last masked. `near`: what is known of its history.
    pub fn permit(&self, tree: &Tree, action: Action, near: &Neighbours) -> Result<Permit, Refusal> {
        if self.verdict(NodeId::DOCUMENT).is_none_or(|page| page.sight >= Sight::Hidden) {
            return Err(Refusal::Private);
        }
        match self.weigh(tree, action.clone(), near) {
            // It is theirs to do: show them.
            Err(Refusal::NeedsCustomer) => self.ask(tree, &action),
            checked => checked,
        }
    }

    /// What needs the customer's hand is shown to them in its place; their browser refuses it then.
    fn ask(&self, tree: &Tree, action: &Action) -> Result<Permit, Refusal> {
        match action {
            Action::Click { node, .. } | Action::Press { node, .. } | Action::Key { node, .. } => {
                self.weigh(tree, Action::Ask { node: *node }, &Neighbours::default())
            }
            _ => Err(Refusal::NeedsCustomer),
        }
    }

    fn weigh(&self, tree: &Tree, mut action: Action, near: &Neighbours) -> Result<Permit, Refusal> {
        let mut to = None;
        let submits = match &mut action {
            Action::Click { node, x, y, count, .. } => {
                in_box(*x, *y)?;
                if !(1..=CLICKS).contains(count) {
                    return Err(Refusal::NotPossible);
                }
                self.click(self.element(tree, *node)?)?
            }
            Action::Menu { node, x, y } | Action::Hover { node, x, y } => {
                in_box(*x, *y)?;
                pointable(self.element(tree, *node)?)?;
                false
            }
            Action::Press { node, x, y, .. } => {
                in_box(*x, *y)?;
                self.press(self.element(tree, *node)?)?;
                false
            }
            Action::Drag { node, at, .. } | Action::Drop { node, at, .. } => {
                if !(at.x.abs() <= FARTHEST && at.y.abs() <= FARTHEST) {
                    return Err(Refusal::NotPossible);
                }
                pointable(self.element(tree, *node)?)?;
                false
            }
            Action::Wheel { node, x, y, dx, dy, .. } => {
                in_box(*x, *y)?;
                if !(dx.abs() <= FARTHEST && dy.abs() <= FARTHEST) {
                    return Err(Refusal::NotPossible);
                }
                pointable(self.element(tree, *node)?)?;
                false
            }
            Action::Ask { node } => {
                let (at, verdict) = self.element(tree, *node)?;
                usable(at, verdict)?;
                false
            }
            Action::Input { node, change, .. } => {
                let field = self.element(tree, *node)?;
                self.input(field, change)?;
                self.sends(field.0)
            }
            Action::Edit { anchor, focus, text, .. } => {
                if text.len() > TEXT {
                    return Err(Refusal::TooLong);
                }
                self.edit(tree, anchor, focus)?;
                false
            }
            Action::Caret { anchor, focus } => {
                let (at, verdict) = self.element(tree, focus.node)?;
                if is_field(at) && anchor.node == focus.node {
                    usable(at, verdict)?;
                } else {
                    self.edit(tree, anchor, focus)?;
                }
                false
            }
            Action::Select { node, indexes } => {
                let list = self.element(tree, *node)?;
                self.select(list, indexes)?;
                self.sends(list.0)
            }
            Action::Key { node, key, .. } => self.key(tree, *node, key.name())?,
            Action::Scroll { node, .. } => {
                if *node != NodeId::DOCUMENT {
                    let (_, verdict) = self.element(tree, *node)?;
                    if verdict.sight >= Sight::Hidden {
                        return Err(Refusal::Private);
                    }
                }
                false
            }
            Action::Navigate { url } => {
                if url.len() > ADDRESS {
                    return Err(Refusal::NotPossible);
                }
                let target = match tree.base() {
                    Some(base) => base.join(url).ok(),
                    None => Url::parse(url).ok(),
                };
                let target = target.ok_or(Refusal::NotPossible)?;
                self.lead_to(tree, Scope::default(), &target)?;
                // Browser and guard must not read it in two ways.
                *url = target.into();
                false
            }
            Action::Leave | Action::LetGo | Action::Refresh => false,
            Action::Back | Action::Forward => {
                let there = if action == Action::Back { &near.back } else { &near.forward };
                let there = there.as_ref().ok_or(Refusal::Nowhere)?;
                let target = Url::parse(there).map_err(|_| Refusal::NotPossible)?;
                self.lead_to(tree, Scope::default(), &target)?;
                to = Some(there.clone());
                false
            }
        };
        Ok(Permit { action, submits, to })
    }

    /// The element that an action is aimed at: the node, or the nearest element that it is in.
    fn element<'t>(&self, tree: &'t Tree, id: NodeId) -> Result<(NodeRef<'t>, Verdict), Refusal> {
        let node = tree.get(id).ok_or(Refusal::Gone)?;
        let element =
            node.with_ancestors().find(|node| node.element().is_some()).ok_or(Refusal::NotPossible)?;
        match self.seen(element.id()) {
            Some(verdict) => Ok((element, verdict)),
            // Inside a grey box there is something, but not for the agent; what is not shared at all is not there.
            None => Err(match element.with_ancestors().find_map(|above| self.seen(above.id())) {
                Some(verdict) if verdict.sight == Sight::Shown => Refusal::Gone,
                _ => Refusal::Private,
            }),
        }
    }

    /// Returns whether it submits a form.
    fn click(&self, (node, verdict): (NodeRef<'_>, Verdict)) -> Result<bool, Refusal> {
        usable(node, verdict)?;
        let mut submits = verdict.reach == Reach::Submits || self.sends(node);
        if verdict.reach == Reach::Submits
            && let Some(button) = node.with_ancestors().find(|node| forms::submits(*node))
        {
            self.send(button)?;
        }
        if chooses_files(node) {
            return Err(Refusal::NeedsCustomer);
        }
        // A list of options opens in the browser's own window: choosing is an action of its own.
        if node.closest_html("select").is_some() || verdict.shape == Shape::Placeholder {
            return Err(Refusal::NotPossible);
        }
        if let Some(link) = node.in_document().find(|node| leads(*node)) {
            match self.follow(link) {
                // Scripts of a page open such a picture in a box: theirs is the press, and the customer's browser follows nothing off the site.
                Ok(()) | Err(Refusal::OutsideSite) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        let labels = node.in_document().filter(|around| around.is_html("label"));
        for control in labels.flat_map(forms::labelled).filter(|control| *control != node) {
            let verdict = self.seen(control.id()).ok_or(Refusal::Private)?;
            usable(control, verdict)?;
            if chooses_files(control) {
                return Err(Refusal::NeedsCustomer);
            }
            if verdict.reach == Reach::Submits {
                self.send(control)?;
                submits = true;
            }
            submits |= self.sends(control);
        }
        Ok(submits)
    }

    /// Whether a script may send the form of a control when that changes: where the agent may press the form's button.
    fn sends(&self, control: NodeRef<'_>) -> bool {
        let changes = ["input", "select", "textarea"].iter().any(|name| control.is_html(name));
        let form = if changes && !forms::submits(control) { forms::owner(control) } else { None };
        let Some(button) = form.and_then(forms::default_button) else { return false };
        let enabled = self
            .seen(button.id())
            .is_some_and(|verdict| verdict.reach == Reach::Submits && usable(button, verdict).is_ok());
        enabled && self.send(button).is_ok()
    }

    /// What is dragged follows no link and submits nothing, whatever it is.
    fn press(&self, (node, verdict): (NodeRef<'_>, Verdict)) -> Result<(), Refusal> {
        pointable((node, verdict))?;
        if chooses_files(node) {
            return Err(Refusal::NeedsCustomer);
        }
        if node.closest_html("select").is_some() { Err(Refusal::NotPossible) } else { Ok(()) }
    }

    fn input(&self, (node, verdict): (NodeRef<'_>, Verdict), change: &[Piece]) -> Result<(), Refusal> {
        usable(node, verdict)?;
        let element = node.element().ok_or(Refusal::NotPossible)?;
        if chooses_files(node) {
            return Err(Refusal::NeedsCustomer);
        }
        if !is_field(node) {
            return Err(Refusal::NotPossible);
        }
        let text: usize =
            change.iter().map(|piece| if let Piece::Insert(text) = piece { text.len() } else { 0 }).sum();
        if text > TEXT || change.len() > PIECES {
            return Err(Refusal::TooLong);
        }
        // With something in it that the agent does not see, the agent can not know what they make of it.
        if let Some(Value::Told(held)) = element.control().and_then(|state| state.value.as_ref())
            && self.hides_in(held)
        {
            return Err(Refusal::Private);
        }
        if node.has("readonly") { Err(Refusal::Disabled) } else { Ok(()) }
    }

    /// Both ends of what is selected are in something that the agent may edit.
    fn edit(&self, tree: &Tree, anchor: &Spot, focus: &Spot) -> Result<(), Refusal> {
        for spot in [anchor, focus] {
            let (at, verdict) = self.element(tree, spot.node)?;
            usable(at, verdict)?;
            if !forms::edited(at) {
                return Err(Refusal::NotPossible);
            }
        }
        Ok(())
    }

    /// Whether something says that all of an element, whatever it is, is kept from the agent.
    pub fn keeps(&self, id: NodeId) -> bool {
        self.verdict(id).is_none_or(|verdict| verdict.sight > Sight::MaskedByDefault)
    }

    /// Whether what happens over a node may be seen: not where it is hidden, or in something that is.
    pub fn uncovers(&self, id: NodeId) -> bool {
        self.seen(id).is_some_and(|verdict| verdict.sight < Sight::Hidden)
    }

    /// Whether the agent sees a node, or the element that it is in, as it is.
    pub fn shows(&self, tree: &Tree, id: NodeId) -> bool {
        self.element(tree, id).is_ok_and(|(_, verdict)| verdict.sight == Sight::Shown)
    }

    fn select(&self, (node, verdict): (NodeRef<'_>, Verdict), indexes: &[u32]) -> Result<(), Refusal> {
        usable(node, verdict)?;
        if !node.is_html("select") || (indexes.len() > 1 && !node.has("multiple")) {
            return Err(Refusal::NotPossible);
        }
        let options: Vec<NodeRef<'_>> = forms::options(node).collect();
        if indexes.len() > options.len() {
            return Err(Refusal::NotPossible);
        }
        for index in indexes {
            let option = options.get(*index as usize).ok_or(Refusal::NotPossible)?;
            usable(*option, self.seen(option.id()).ok_or(Refusal::Private)?)?;
        }
        Ok(())
    }

    fn key(&self, tree: &Tree, id: NodeId, key: &str) -> Result<bool, Refusal> {
        if id == NodeId::DOCUMENT {
            return Ok(false);
        }
        let (node, verdict) = self.element(tree, id)?;
        if verdict.sight != Sight::Shown {
            return Err(Refusal::Private);
        }
        // The way out of a field that can not be used is free.
        if matches!(key, "Tab" | "Escape") {
            return Ok(false);
        }
        usable(node, verdict)?;
        let element = node.element().ok_or(Refusal::NotPossible)?;
        if element.is_html("textarea") || forms::edited(node) {
            return Ok(false);
        }
        // A space presses what it can press.
        if key == " " {
            let pressed = element.is_html("button")
                || element.is_html("summary")
                || (element.is_html("input") && !forms::is_text_field(element));
            return if pressed { self.click((node, verdict)) } else { Ok(self.sends(node)) };
        }
        if key.starts_with("Arrow") {
            self.step(node)?;
        }
        if key != "Enter" {
            return Ok(self.sends(node));
        }
        if let Some(link) = node.in_document().find(|node| leads(*node)) {
            self.follow(link)?;
        }
        if chooses_files(node) {
            return Err(Refusal::NeedsCustomer);
        }
        if verdict.reach == Reach::Submits {
            self.send(node)?;
            return Ok(true);
        }
        // "Implicit submission": Enter in a field presses the form's default button.
        if (element.is_html("input") || element.is_html("select"))
            && let Some(form) = forms::owner(node)
        {
            let button = forms::default_button(form).ok_or(Refusal::Disabled)?;
            let verdict = self.seen(button.id()).ok_or(Refusal::Private)?;
            usable(button, verdict)?;
            self.send(button)?;
            return Ok(verdict.reach == Reach::Submits);
        }
        Ok(false)
    }

    /// An arrow key chooses another option, or another button of a group: whichever it comes to may be used. Forms do not
    /// tell groups apart here, as scripts move controls between them.
    fn step(&self, node: NodeRef<'_>) -> Result<(), Refusal> {
        let name = |node: NodeRef<'_>| {
            let element = node.element().filter(|element| element.is_html("input"))?;
            let radio = element.attribute_is("type", "radio");
            radio.then(|| element.attribute("name").unwrap_or_default().to_owned())
        };
        let choices: Vec<NodeRef<'_>> = if node.is_html("select") {
            forms::options(node).collect()
        } else if let Some(group) = name(node) {
            let all = node.tree_root().with_descendants();
            all.filter(|other| name(*other).as_deref() == Some(group.as_str())).collect()
        } else {
            return Ok(());
        };
        for choice in choices.into_iter().filter(|choice| !forms::disabled(*choice)) {
            usable(choice, self.seen(choice.id()).ok_or(Refusal::Private)?)?;
        }
        Ok(())
    }
}

/// Whether an element can be used: seen by the agent, and disabled neither by a rule nor by the page.
fn usable(node: NodeRef<'_>, verdict: Verdict) -> Result<(), Refusal> {
    if verdict.sight != Sight::Shown {
        return Err(Refusal::Private);
    }
    if verdict.reach == Reach::Disabled
        || forms::disabled(node)
        || node.with_ancestors().any(|above| above.has("inert"))
    {
        return Err(Refusal::Disabled);
    }
    Ok(())
}

/// Whether text can be typed into it.
fn is_field(node: NodeRef<'_>) -> bool {
    node.element().is_some_and(|element| element.is_html("textarea") || forms::is_text_field(element))
}

/// Whether there is something under the agent's pointer that it may meet.
fn pointable((node, verdict): (NodeRef<'_>, Verdict)) -> Result<(), Refusal> {
    usable(node, verdict)?;
    if verdict.shape == Shape::Placeholder { Err(Refusal::NotPossible) } else { Ok(()) }
}

fn in_box(x: f32, y: f32) -> Result<(), Refusal> {
    let inside = (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y);
    if inside { Ok(()) } else { Err(Refusal::NotPossible) }
}

fn chooses_files(node: NodeRef<'_>) -> bool {
    node.element().is_some_and(|element| element.is_html("input") && element.attribute_is("type", "file"))
}

fn leads(node: NodeRef<'_>) -> bool {
    node.element().is_some_and(|element| matches!(element.name(), "a" | "area"))
        && (node.has("href") || node.has("xlink:href"))
}
