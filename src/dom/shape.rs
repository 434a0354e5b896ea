//! What a selector says, part by part, to compare selectors with each other.

use cssparser::ToCss as _;
use selectors::parser::{Component, Selector as Complex};

use super::selector::Css;

/// One selector of a list.
#[derive(Debug, Clone)]
pub struct Shape {
    /// As CSS, in normal form.
    text: String,
    /// What its last part says of the element itself, one by one. Never empty: `*` where nothing is said.
    last: Vec<String>,
    /// Whether that is all that it says.
    alone: bool,
}

impl Shape {
    pub(super) fn of(complex: &Complex<Css>) -> Shape {
        let mut last: Vec<String> = complex
            .iter()
            .filter(|component| !matches!(component, Component::ExplicitUniversalType))
            .map(|component| component.to_css_string())
            .collect();
        if last.is_empty() {
            last.push("*".into());
        }
        let alone = !complex.iter_raw_match_order().any(Component::is_combinator);
        Shape { text: complex.to_css_string(), last, alone }
    }

    /// Something that every element which it selects is.
    pub fn part(&self) -> &str {
        self.last.first().map_or("*", String::as_str)
    }

    /// All that it says of the element itself.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }

    /// Whether it certainly selects all that the other one selects.
    pub fn covers(&self, other: &Shape) -> bool {
        let says = |part: &String| part == "*" || other.last.contains(part);
        self.text == other.text || (self.alone && self.last.iter().all(says))
    }

    /// Whether it is one of these names and says nothing more, wherever the element is.
    pub fn is_bare(&self, names: &[&str]) -> bool {
        self.last.len() == 1 && self.last.iter().all(|part| names.contains(&part.as_str())) && self.alone
    }
}
