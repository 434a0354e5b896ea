//! What one role may see of a node and do with it, decided from the rules in force and from what it is in.
//!
//! A verdict depends on the verdict of the parent and on the element itself, never on the order in which
//! a page came to be: that is what lets the masker decide again only where something changed.

use url::Url;

use crate::dom::{Matcher, Needs, NodeRef, Selector, forms};
use crate::protocol::agent::Role;
use crate::protocol::customer::Privacy;
use crate::protocol::page::Namespace;

use super::Policies;

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

/// See [`crate::protocol::customer::PrivateMark`]; the label is an index into [`Rules::labels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) privacy: Privacy,
    pub(super) label: Option<u32>,
}

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
    pub(super) labels: Vec<String>,
    base: Option<Sight>,
    hide: Vec<Veil>,
    mask: Vec<Veil>,
    show: Vec<Selector>,
    /// What the role may see although it is masked.
    reveal: Vec<Selector>,
    /// What later files lift of earlier ones, with the index of the file.
    lift: Vec<(usize, Selector)>,
    enable: Vec<Selector>,
    disable: Vec<(usize, Selector)>,
    /// What later files enable although earlier ones disable it.
    restore: Vec<(usize, Selector)>,
    needs: Needs,
}

/// A rule that masks or hides.
#[derive(Debug)]
struct Veil {
    set: usize,
    selector: Selector,
    label: Option<u32>,
    fixed: bool,
}

/// Attributes on which the built-in ground depends.
const GROUND: [&str; 3] = ["type", "form", "data-tandem"];

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
            if urls.iter().flatten().any(|url| set.pause.iter().any(|pattern| pattern.matches(url))) {
                base = Sight::Hidden;
            }
            for (from, to) in [(&set.hide, &mut rules.hide), (&set.mask, &mut rules.mask)] {
                for rule in from {
                    let label = rule.label.as_ref().map(|label| {
                        rules.labels.push(label.clone());
                        (rules.labels.len() - 1) as u32
                    });
                    to.push(Veil { set: index, selector: rule.selector.clone(), label, fixed: rule.fixed });
                }
            }
            // It has a say where everything is masked by default.
            if urls.iter().filter(|url| veiled(url)).all(holds) {
                rules.show.extend(set.show.iter().map(|rule| rule.selector.clone()));
            }
            let revealed = set.reveal.iter().filter(|rule| agreed && rule.roles.contains(&role));
            rules.reveal.extend(revealed.map(|rule| rule.selector.clone()));
            if agreed && set.overrides {
                rules.lift.extend(set.show.iter().map(|rule| (index, rule.selector.clone())));
            }
            for rule in &set.control {
                match rule.enabled {
                    true if !agreed => continue,
                    true => rules.enable.push(rule.selector.clone()),
                    false => rules.disable.push((index, rule.selector.clone())),
                }
                if rule.enabled && set.overrides {
                    rules.restore.push((index, rule.selector.clone()));
                }
            }
        }
        rules.base = Some(base);
        let sight = rules.hide.iter().chain(&rules.mask).map(|veil| &veil.selector);
        let disable = rules.disable.iter().map(|(_, selector)| selector);
        let all = sight.chain(&rules.show).chain(&rules.reveal).chain(&rules.enable).chain(disable);
        for needs in all.map(Selector::needs) {
            rules.needs.structure |= needs.structure;
            rules.needs.text |= needs.text;
            rules.needs.state |= needs.state;
            rules.needs.attributes.extend(needs.attributes.iter().cloned());
        }
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

    /// Of a node in a parent of this verdict.
    pub(super) fn judge<'a>(
        &self,
        matcher: &mut Matcher<'a>,
        node: NodeRef<'a>,
        parent: &Verdict,
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
        let mut label = None;
        let mut fixed = false;
        let mut first = |veils: &[Veil], reveal: &[Selector]| {
            let mut covers = |veil: &&Veil| {
                matcher.matches(&veil.selector, node)
                    && !self.lift.iter().any(|(set, lift)| *set > veil.set && matcher.matches(lift, node))
            };
            let hit = veils.iter().find(&mut covers);
            let Some(hit) = hit.filter(|_| !reveal.iter().any(|reveal| matcher.matches(reveal, node))) else {
                return false;
            };
            label = hit.label.or(label);
            fixed = hit.fixed;
            true
        };
        if verdict.sight == Sight::Hidden || own("hide") || first(&self.hide, &[]) {
            verdict.sight = Sight::Hidden;
        } else if verdict.sight != Sight::Masked
            && (own("mask") | element.was_password() | first(&self.mask, &self.reveal))
        {
            verdict.sight = Sight::Masked;
            verdict.fixed |= fixed;
        } else if verdict.sight == Sight::MaskedByDefault
            && self.show.iter().any(|selector| matcher.matches(selector, node))
        {
            verdict.sight = Sight::Shown;
        }
        let mut matches = |rules: &[Selector]| rules.iter().any(|rule| matcher.matches(rule, node));
        let mut disabled = self.disable.iter().any(|(set, rule)| {
            matches(std::slice::from_ref(rule))
                && !self.restore.iter().any(|(by, rule)| by > set && matches(std::slice::from_ref(rule)))
        });
        disabled |= verdict.reach == Reach::Disabled || own("readonly");
        if disabled {
            verdict.reach = Reach::Disabled;
        } else if forms::submits(node) {
            verdict.reach = if matches(&self.enable) { Reach::Submits } else { Reach::Disabled };
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
