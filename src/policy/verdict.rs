//! What one role may see of a node and do with it, decided from the rules in force and from what it is in.
//!
//! A verdict depends on the verdict of the parent and on the element itself, never on the order in which
//! a page came to be: that is what lets the masker decide again only where something changed.

use std::num::NonZeroU16;

use url::Url;

use crate::dom::{Matcher, Needs, NodeRef, Selector, SelectorIndex, forms};
use crate::protocol::agent::Role;
use crate::protocol::customer::Privacy;
use crate::protocol::page::Namespace;

use super::Policies;
use super::rules::{AddressKind, ElementKind};

/// How much of a node is seen. In the order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// As it is.
    Shown,
    /// Only its shape, because nothing shows it.
    MaskedByDefault,
    /// Only its shape, because something says so.
    Masked,
    /// A grey box.
    Hidden,
    /// Not part of the view.
    Absent,
}

impl Sight {
    pub(super) fn masked(self) -> bool {
        matches!(self, Sight::Masked | Sight::MaskedByDefault)
    }
}

/// What an agent may do with an element in Write mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Free,
    /// It submits a form, and a rule enables it.
    Submits,
    Disabled,
}

/// What an element becomes in a view, whatever it is in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    /// Its name only: it does nothing, but the selectors of the page's styles count it.
    Shell,
    /// A box in its place.
    Placeholder,
    /// Itself, but what is in it: a picture of what it shows.
    Pictured,
}

/// On one node, for one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) sight: Sight,
    pub(super) reach: Reach,
    pub(super) shape: Shape,
    /// What is masked is all of one length.
    pub(super) fixed: bool,
    /// Which rules are in force in its document.
    pub(super) scope: Scope,
    /// What the customer's browser is told of it.
    pub(super) mark: Option<Mark>,
}

/// The rules of a document: 0 those of the page, others those of frames. An index into [`super::masker`]'s list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scope(pub(super) u16);

/// See [`crate::protocol::customer::PrivateMark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) privacy: Privacy,
    pub(super) label: Option<Label>,
}

/// The number of a text in [`Rules::labels`], from 1 on. Small, because there is one for every node of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(NonZeroU16);

impl Verdict {
    /// Whether anything of the node is in the view.
    pub(super) fn in_view(&self) -> bool {
        self.sight != Sight::Absent
    }

    /// Whether its children can be in the view.
    pub(super) fn open(&self) -> bool {
        self.sight < Sight::Hidden && self.shape == Shape::Whole
    }

    /// Whether two verdicts look alike to the agent.
    pub(super) fn looks_like(&self, other: &Verdict) -> bool {
        (self.sight, self.shape, self.fixed) == (other.sight, other.shape, other.fixed)
            && (self.reach == Reach::Disabled) == (other.reach == Reach::Disabled)
    }
}

/// The rules in force for one role in one document.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Which sets they are from.
    pub(super) sets: Vec<usize>,
    /// Those of them that hold for every address by which the document is judged.
    agreed: Vec<usize>,
    /// Rules by which sharing pauses in it.
    pub(super) paused: Vec<usize>,
    labels: Vec<String>,
    base: Option<Sight>,
    index: SelectorIndex,
    /// By the number of their selector in the index. In the order of the files, so that the first that matches is
    /// the one whose label counts.
    rules: Vec<Rule>,
    needs: Needs,
}

/// A rule whose selector is in the index.
#[derive(Debug)]
struct Rule {
    /// In all policies, for the tally.
    number: usize,
    set: usize,
    effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Hide {
        label: Option<Label>,
    },
    Mask {
        label: Option<Label>,
        fixed: bool,
    },
    /// `lifts`: also what stricter rules of earlier files say.
    Show {
        lifts: bool,
    },
    /// The role may see it although it is masked.
    Reveal,
    Enable {
        lifts: bool,
    },
    Disable,
}

/// What the rules that select an element say together.
#[derive(Debug, Default)]
struct Said {
    hide: Option<Option<Label>>,
    mask: Option<Option<Label>>,
    fixed: bool,
    show: bool,
    enable: bool,
    disable: bool,
}

/// Attributes on which the built-in ground depends.
const GROUND: [&str; 5] = ["type", "form", "data-tandem", "slot", "name"];

impl Rules {
    /// Of the page at an address.
    pub(super) fn in_force(policies: &Policies, url: &str, role: Role) -> Rules {
        Rules::gather(policies, &[Url::parse(url).ok()], role, &[])
    }

    /// Of the document in a frame. It is judged by its own address and those of all documents around it (`urls`),
    /// each time by the stricter: what hides, masks or disables holds if it does for one of them, what shows or
    /// enables only if it does for all. `above`: the rules of the document around it.
    pub(super) fn in_frame(policies: &Policies, urls: &[Option<Url>], role: Role, above: &Rules) -> Rules {
        Rules::gather(policies, urls, role, &above.sets)
    }

    /// `before`: sets that said already whether everything is masked where nothing shows it.
    fn gather(policies: &Policies, urls: &[Option<Url>], role: Role, before: &[usize]) -> Rules {
        let mut rules = Rules::default();
        rules.needs.attributes = GROUND.map(Into::into).into();
        let mut base = Sight::Shown;
        let veiled = |url: &Option<Url>| {
            policies.sets.iter().any(|set| set.masked_by_default && set.holds(url.as_ref(), role))
        };
        for (index, set) in policies.sets.iter().enumerate() {
            let holds = |url: &Option<Url>| set.holds(url.as_ref(), role);
            if !urls.iter().any(holds) {
                continue;
            }
            rules.sets.push(index);
            let agreed = urls.iter().all(holds);
            if agreed {
                rules.agreed.push(index);
            }
            if set.masked_by_default && !before.contains(&index) {
                base = base.max(Sight::MaskedByDefault);
            }
            let pause = set.addresses.iter().filter(|rule| rule.kind == AddressKind::Pause);
            for rule in pause.filter(|rule| urls.iter().flatten().any(|url| rule.matches(url))) {
                base = Sight::Hidden;
                rules.paused.push(rule.number);
            }
            // What shows has a say where everything is masked by default.
            let shows = urls.iter().filter(|url| veiled(url)).all(holds);
            let lifts = agreed && set.overrides;
            for rule in &set.elements {
                let effect = match &rule.kind {
                    ElementKind::Hide { label } => Effect::Hide { label: rules.label(label.as_deref()) },
                    ElementKind::Mask { label, fixed } => {
                        Effect::Mask { label: rules.label(label.as_deref()), fixed: *fixed }
                    }
                    ElementKind::Show if shows => Effect::Show { lifts },
                    ElementKind::Reveal { roles } if agreed && roles.contains(&role) => Effect::Reveal,
                    ElementKind::Control { enabled: true } if agreed => Effect::Enable { lifts },
                    ElementKind::Control { enabled: false } => Effect::Disable,
                    ElementKind::Show | ElementKind::Reveal { .. } | ElementKind::Control { .. } => continue,
                };
                rules.add(&rule.selector, rule.number, index, effect);
            }
        }
        rules.base = Some(base);
        rules.needs.attributes.sort_unstable();
        rules.needs.attributes.dedup();
        rules
    }

    /// Whether both are the same rules.
    pub(super) fn same(&self, other: &Rules) -> bool {
        (&self.sets, &self.agreed, self.base) == (&other.sets, &other.agreed, other.base)
    }

    /// Whether these rules of a frame say what those of the document around it say already.
    pub(super) fn extend(&self, above: &Rules) -> bool {
        (&self.sets, &self.agreed, self.root().sight) == (&above.sets, &above.agreed, Sight::Shown)
    }

    fn add(&mut self, selector: &Selector, number: usize, set: usize, effect: Effect) {
        let needs = selector.needs();
        self.needs.structure |= needs.structure;
        self.needs.text |= needs.text;
        self.needs.state |= needs.state;
        self.needs.attributes.extend(needs.attributes.iter().cloned());
        self.index.add(selector.clone());
        self.rules.push(Rule { number, set, effect });
    }

    /// More labels than there are numbers for are not told: the customer reads the usual words.
    fn label(&mut self, label: Option<&str>) -> Option<Label> {
        let number = NonZeroU16::new(u16::try_from(self.labels.len() + 1).ok()?)?;
        self.labels.push(label?.to_owned());
        Some(Label(number))
    }

    /// The text of a label.
    pub(super) fn text(&self, label: Label) -> Option<&str> {
        self.labels.get(usize::from(label.0.get()) - 1).map(String::as_str)
    }

    /// The numbers, in all policies, of the rules that selected an element.
    pub(super) fn numbers(&self, matched: &[u32]) -> impl Iterator<Item = usize> {
        matched.iter().filter_map(|at| self.rules.get(*at as usize)).map(|rule| rule.number)
    }

    /// Puts the rules that select a node into `matched`.
    pub(super) fn select<'a>(&self, matcher: &mut Matcher<'a>, node: NodeRef<'a>, matched: &mut Vec<u32>) {
        matcher.select(&self.index, node, matched);
    }

    fn said(&self, matched: &[u32]) -> Said {
        let rules = || matched.iter().filter_map(|at| self.rules.get(*at as usize));
        // Up to which file stricter rules are lifted.
        let (mut shown, mut enabled, mut revealed) = (0, 0, false);
        let mut said = Said::default();
        for rule in rules() {
            match rule.effect {
                Effect::Show { lifts } => {
                    said.show = true;
                    shown = shown.max(if lifts { rule.set } else { 0 });
                }
                Effect::Enable { lifts } => {
                    said.enable = true;
                    enabled = enabled.max(if lifts { rule.set } else { 0 });
                }
                Effect::Reveal => revealed = true,
                Effect::Hide { .. } | Effect::Mask { .. } | Effect::Disable => {}
            }
        }
        for rule in rules() {
            match rule.effect {
                Effect::Hide { label } if rule.set >= shown => said.hide = said.hide.or(Some(label)),
                Effect::Mask { label, fixed } if rule.set >= shown && !revealed => {
                    said.mask = said.mask.or(Some(label));
                    said.fixed |= fixed;
                }
                Effect::Disable => said.disable |= rule.set >= enabled,
                _ => {}
            }
        }
        said
    }

    /// What the verdicts of a page depend on.
    pub(super) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Whether verdicts depend on an attribute.
    pub(super) fn mention(&self, attribute: &str) -> bool {
        let lower = attribute.to_ascii_lowercase();
        self.needs.attributes.binary_search_by(|known| (**known).cmp(&*lower)).is_ok()
    }

    /// Of the document itself. Rules that were never made hide everything.
    pub(super) fn root(&self) -> Verdict {
        Verdict {
            sight: self.base.unwrap_or(Sight::Hidden),
            reach: Reach::Free,
            shape: Shape::Whole,
            fixed: false,
            scope: Scope::default(),
            mark: None,
        }
    }

    /// Of the document in a frame of this verdict, which these rules are for.
    pub(super) fn document(&self, scope: Scope, frame: &Verdict) -> Verdict {
        let sight = match frame.open() {
            // Nothing new: what is around the frame decides.
            true if scope == frame.scope => frame.sight,
            true => self.root().sight.max(frame.sight),
            false => Sight::Absent,
        };
        Verdict { sight, scope, shape: Shape::Whole, mark: None, ..*frame }
    }

    /// Of a node in a parent of this verdict. `matched`: the rules that select it. `password`: it holds one.
    pub(super) fn judge(
        &self,
        node: NodeRef<'_>,
        parent: &Verdict,
        matched: &[u32],
        password: bool,
    ) -> Verdict {
        let in_document = node.parent().is_some_and(|parent| parent.parent().is_none());
        let mut verdict = Verdict { shape: Shape::Whole, mark: None, ..*parent };
        if !(parent.open() || in_document) {
            return Verdict { sight: Sight::Absent, ..verdict };
        }
        let Some(element) = node.element() else { return verdict };
        let own = |token: &str| {
            element.attribute("data-tandem").is_some_and(|value| {
                value.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(token))
            })
        };
        // Our own widget is no part of the page.
        if own("ignore") || element.name() == "tandem-widget" {
            return Verdict { sight: Sight::Absent, ..verdict };
        }
        let said = self.said(matched);
        let mut label = None;
        let password = password || element.was_password();
        if verdict.sight == Sight::Hidden || own("hide") || said.hide.is_some() {
            verdict.sight = Sight::Hidden;
            label = said.hide.flatten();
        } else if verdict.sight != Sight::Masked && (own("mask") || password || said.mask.is_some()) {
            verdict.sight = Sight::Masked;
            label = said.mask.flatten();
        } else if verdict.sight == Sight::MaskedByDefault && said.show {
            verdict.sight = Sight::Shown;
        }
        // Not even its length is known.
        verdict.fixed |= said.fixed || password;
        if verdict.reach == Reach::Disabled || own("readonly") || said.disable {
            verdict.reach = Reach::Disabled;
        } else if forms::submits(node) {
            verdict.reach = if said.enable { Reach::Submits } else { Reach::Disabled };
        }
        verdict.shape = match node.frame_document() {
            Some(_) => Shape::Whole,
            None => shape(element.name(), element.namespace(), verdict.sight),
        };
        let above = if in_document { Sight::Shown } else { parent.sight };
        let tightened = verdict.sight != above && verdict.sight > Sight::Shown;
        verdict.mark = match verdict.sight {
            Sight::Hidden => Some(Mark { privacy: Privacy::Hidden, label }),
            // Both a tooltip and a measure: what is hidden gets both.
            _ if verdict.shape == Shape::Placeholder && tightened => {
                Some(Mark { privacy: Privacy::Hidden, label })
            }
            _ if verdict.shape == Shape::Placeholder => {
                Some(Mark { privacy: Privacy::Measured, label: None })
            }
            _ if verdict.shape == Shape::Pictured => Some(Mark { privacy: Privacy::Pictured, label: None }),
            _ if tightened => Some(Mark { privacy: Privacy::Masked, label }),
            Sight::Shown if above != Sight::Shown => Some(Mark { privacy: Privacy::Shown, label: None }),
            _ => None,
        };
        verdict
    }
}

fn shape(name: &str, namespace: Namespace, sight: Sight) -> Shape {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "script" | "noscript" | "template" | "base" | "meta" | "param" => Shape::Shell,
        "iframe" | "frame" | "object" | "embed" | "applet" | "portal" | "fencedframe" | "webview" => {
            Shape::Placeholder
        }
        "canvas" | "video" if namespace == Namespace::Html && sight == Sight::Shown => Shape::Pictured,
        "canvas" => Shape::Placeholder,
        // What can be a picture of anything.
        "img" | "picture" | "video" | "audio" | "svg" if sight.masked() => Shape::Placeholder,
        _ if namespace == Namespace::Svg && sight.masked() => Shape::Placeholder,
        _ => Shape::Whole,
    }
}
