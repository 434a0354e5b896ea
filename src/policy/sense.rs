//! Finds what is allowed in policy files but hardly meant: rules that never apply or say nothing new because of
//! another one, rules that are too broad, rules that are slow.
//!
//! Only what is certain is told: a rule that is called useless can be taken out and nothing changes.

use std::collections::HashMap;

use crate::dom::Shape;

use super::diagnostic::Diagnostic;
use super::reader::ERRORS;
use super::rules::{AddressKind, AddressRule, ElementKind, ElementRule, RuleSet};

/// Names of elements that hold most of a page.
const WHOLE: [&str; 7] = ["*", "html", "body", ":root", "div", "main", "section"];
/// What selects every button that submits.
const SUBMITS: [&str; 4] = ["*", "button", "input", "form"];

/// Everything that is hardly meant. `texts`: the files that the sets were read from.
pub(super) fn warnings(sets: &[RuleSet], texts: &[&str]) -> Vec<Diagnostic> {
    let mut found = Found { sets, texts, out: Vec::new() };
    let rules = Rules::of(sets);
    for (at, set) in sets.iter().enumerate() {
        for (index, rule) in set.elements.iter().enumerate() {
            let place = (at, index);
            if let Some(by) = rules.stronger(place) {
                let what = format!(
                    "this rule never applies: {} selects the same and is stronger",
                    found.name(place, by)
                );
                found.warn(at, rule, what);
            } else if let Some(by) = rules.repeated(place) {
                found.warn(
                    at,
                    rule,
                    format!("this rule does nothing new: {} says so already", found.name(place, by)),
                );
            }
            if let Some(what) = too_broad(rule) {
                found.warn(at, rule, format!("this selector is too broad: {what}"));
            }
            if rule.selector.walks() > 1 || rule.text.matches(":has(").count() > 2 {
                let what = "this selector is slow: `:has()`, spaces and `~` inside each other multiply what has to be looked through for each element";
                found.warn(at, rule, what.into());
            }
        }
        found.addresses(at, set);
    }
    found.out.sort_by_key(|warning| (warning.file().to_owned(), warning.position()));
    found.out
}

/// A rule by the index of its set and of itself in that.
type Place = (usize, usize);

struct Found<'p> {
    sets: &'p [RuleSet],
    texts: &'p [&'p str],
    out: Vec<Diagnostic>,
}

impl Found<'_> {
    fn warn(&mut self, set: usize, rule: &ElementRule, message: String) {
        self.add(set, rule.span.clone(), message);
    }

    fn add(&mut self, set: usize, span: std::ops::Range<usize>, message: String) {
        if let Some(text) = self.texts.get(set).filter(|_| self.out.len() < ERRORS) {
            self.out.push(Diagnostic::warning(&self.sets[set].file, text, span, &message));
        }
    }

    fn name(&self, of: Place, by: Place) -> String {
        let rule = &self.sets[by.0].elements[by.1];
        let word = rule.kind.word();
        match of.0 == by.0 {
            true => format!("the `{word}` rule of line {}", rule.line),
            false => format!("the `{word}` rule of {}:{}", self.sets[by.0].file, rule.line),
        }
    }

    /// Where an agent may go, of the same file.
    fn addresses(&mut self, at: usize, set: &RuleSet) {
        let texts = |rule: &AddressRule| -> Vec<String> {
            rule.urls.iter().map(|pattern| pattern.text().to_owned()).collect()
        };
        let denied: Vec<String> = set
            .addresses
            .iter()
            .filter(|rule| rule.kind == AddressKind::Navigate { allowed: false })
            .flat_map(texts)
            .collect();
        for rule in set.addresses.iter().filter(|rule| rule.kind == AddressKind::Navigate { allowed: true }) {
            if texts(rule).iter().all(|text| denied.contains(text)) {
                let what = "this rule never applies: what it allows is denied by another of this file";
                self.add(at, rule.span.clone(), what.into());
            }
        }
    }
}

fn too_broad(rule: &ElementRule) -> Option<&'static str> {
    let whole = |names: &[&str]| rule.selector.shapes().iter().any(|shape| shape.is_bare(names));
    match rule.kind {
        ElementKind::Control { enabled: true } => whole(&SUBMITS).then_some("it enables every submit button"),
        ElementKind::Control { enabled: false } => None,
        _ => whole(&WHOLE).then_some("it selects the whole page, or most of it"),
    }
}

/// The rules by what their selectors name, so that those that may cover each other are found without comparing all.
struct Rules<'p> {
    sets: &'p [RuleSet],
    shapes: HashMap<Place, Vec<Shape>>,
    /// Something that a selector names → rules with a selector that needs it.
    by_part: HashMap<String, Vec<(Place, usize)>>,
    /// Whether a role sees what is masked.
    reveals: bool,
}

impl<'p> Rules<'p> {
    fn of(sets: &'p [RuleSet]) -> Rules<'p> {
        let mut rules = Rules { sets, shapes: HashMap::new(), by_part: HashMap::new(), reveals: false };
        for (at, set) in sets.iter().enumerate() {
            for (index, rule) in set.elements.iter().enumerate() {
                let shapes = rule.selector.shapes();
                for (nth, shape) in shapes.iter().enumerate() {
                    rules.by_part.entry(shape.part().to_owned()).or_default().push(((at, index), nth));
                }
                rules.shapes.insert((at, index), shapes);
                rules.reveals |= matches!(rule.kind, ElementKind::Reveal { .. });
            }
        }
        rules
    }

    fn rule(&self, (set, index): Place) -> &'p ElementRule {
        &self.sets[set].elements[index]
    }

    /// A rule that is stronger wherever this one would apply.
    fn stronger(&self, of: Place) -> Option<Place> {
        let rule = self.rule(of);
        let wins = |by: Place| match (&rule.kind, &self.rule(by).kind) {
            (
                ElementKind::Mask { .. } | ElementKind::Show | ElementKind::Reveal { .. },
                ElementKind::Hide { .. },
            ) => true,
            (ElementKind::Show, ElementKind::Mask { .. }) => !self.reveals,
            (ElementKind::Control { enabled }, ElementKind::Control { enabled: by }) => *enabled && !by,
            _ => false,
        };
        // What a later file may lift is not certain.
        let holds = |by: Place| {
            by.0 == of.0
                || (self.sets[by.0].holds_always() && !self.sets[by.0 + 1..].iter().any(|set| set.overrides))
        };
        self.covered(of, |by| wins(by) && holds(by))
    }

    /// An earlier rule of the same file that says the same.
    fn repeated(&self, of: Place) -> Option<Place> {
        let rule = self.rule(of);
        let says = |by: Place| match (&rule.kind, &self.rule(by).kind) {
            (ElementKind::Mask { fixed, .. }, ElementKind::Mask { fixed: by, .. }) => *by || !fixed,
            (ElementKind::Hide { .. }, ElementKind::Hide { .. }) | (ElementKind::Show, ElementKind::Show) => {
                true
            }
            (ElementKind::Reveal { roles }, ElementKind::Reveal { roles: by }) => {
                roles.iter().all(|role| by.contains(role))
            }
            (ElementKind::Control { enabled }, ElementKind::Control { enabled: by }) => enabled == by,
            _ => false,
        };
        self.covered(of, |by| by.0 == of.0 && by.1 < of.1 && says(by))
    }

    /// Whether each part of the rule's list is covered by a rule that fits; the first of those.
    fn covered(&self, of: Place, fits: impl Fn(Place) -> bool) -> Option<Place> {
        let mut first = None;
        for shape in &self.shapes[&of] {
            let parts = shape.parts().chain(["*"]);
            let near = parts.flat_map(|part| self.by_part.get(part).into_iter().flatten());
            let by = near
                .filter(|(by, nth)| *by != of && fits(*by) && self.shapes[by][*nth].covers(shape))
                .map(|(by, _)| *by)
                .min()?;
            first = first.or(Some(by));
        }
        first
    }
}
