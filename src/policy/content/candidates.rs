//! How large a picture is that the customer's browser chose among several: by the density that goes with it.
//!
//! The view has that one as its only candidate, with its descriptor and the sizes that count for it, so that the agent's browser
//! works out the same density. HTML Standard, "parsing a srcset attribute".

use url::Url;

use super::addresses::resolve;
use super::{Lens, Shape, Sight, Verdict};
use crate::dom::{Element, NodeRef};
use crate::policy::echo::SHORTEST_IN_CODE;

/// Attributes that say it, and then `src`: browsers look again at each, and the last look counts.
pub(in crate::policy) const CHOICE: [&str; 2] = ["sizes", "srcset"];
/// What is meant where nothing is said. It is said in a view: browsers may keep the last density for an image without a set.
const PLAIN: &str = "1x";

/// How much is looked at for one image, so that no page can ask for more work than it has bytes: children of its `picture`,
const CHILDREN: usize = 64;
/// candidates in all of their sets,
const CANDIDATES: usize = 400;
/// and among those the addresses that may well be the one that is shown.
const ADDRESSES: usize = 16;

/// What of a set belongs to the picture that is shown.
struct Candidate<'a> {
    descriptor: &'a str,
    sizes: Option<&'a str>,
}

impl Lens<'_> {
    /// `srcset` or `sizes` of an image, with nothing in it but what is shown.
    pub(super) fn choice(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        verdict: &Verdict,
        name: &str,
    ) -> Option<Box<str>> {
        if verdict.sight != Sight::Shown || verdict.shape != Shape::Whole {
            return None;
        }
        let source = element.source().or_else(|| element.attribute("src"))?;
        let found = candidate(node, element, source)?;
        if name == "sizes" {
            let sizes = found.sizes?.into();
            return Some(self.without_echoes(sizes, SHORTEST_IN_CODE));
        }
        let address = self.capability(node, source, true)?;
        // One with a space in it would be two.
        if address.contains(|char: char| char.is_ascii_whitespace()) {
            return None;
        }
        Some(format!("{address} {}", found.descriptor).into())
    }
}

/// The candidate that has this address: in the sets of the `source` elements before an image of a `picture`, or in its own.
fn candidate<'a>(node: NodeRef<'a>, image: &'a Element, source: &str) -> Option<Candidate<'a>> {
    let shown = resolve(node, None, source)?;
    let around = node.parent().filter(|parent| parent.element().is_some_and(|it| it.is_html("picture")));
    let children = around.into_iter().flat_map(NodeRef::children).take(CHILDREN);
    let before = children.take_while(|child| *child != node);
    let sources = before.filter_map(NodeRef::element).filter(|element| element.is_html("source"));
    let mut search = Search { node, shown, candidates: CANDIDATES, addresses: ADDRESSES };
    sources.chain([image]).find_map(|element| {
        let descriptor = search.descriptor(element.attribute("srcset")?)?;
        Some(Candidate { descriptor, sizes: element.attribute("sizes") })
    })
}

/// Looks for what is shown, and for no more than there is to spend.
struct Search<'a> {
    node: NodeRef<'a>,
    shown: Url,
    candidates: usize,
    addresses: usize,
}

impl Search<'_> {
    fn descriptor<'a>(&mut self, set: &'a str) -> Option<&'a str> {
        let mut rest = set;
        while let Some(left) = self.candidates.checked_sub(1) {
            self.candidates = left;
            rest = rest.trim_start_matches(|char: char| char.is_ascii_whitespace() || char == ',');
            let end = rest.find(|char: char| char.is_ascii_whitespace()).unwrap_or(rest.len());
            let (url, after) = rest.split_at(end);
            if url.is_empty() {
                return None;
            }
            let bare = url.trim_end_matches(',');
            let (said, next) = if bare.len() < url.len() { ("", after) } else { until_comma(after) };
            rest = next;
            if is_descriptor(said) && self.is_shown(bare) {
                return Some(if said.is_empty() { PLAIN } else { said });
            }
        }
        None
    }

    fn is_shown(&mut self, address: &str) -> bool {
        // Letters and digits at the end of an address stay what they are.
        let changed = address.trim_end_matches(|char: char| char.is_ascii_alphanumeric());
        if !self.shown.as_str().ends_with(&address[changed.len()..]) {
            return false;
        }
        let Some(left) = self.addresses.checked_sub(1) else { return false };
        self.addresses = left;
        resolve(self.node, None, address).as_ref() == Some(&self.shown)
    }
}

/// What is said of a candidate, and the others.
fn until_comma(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let end = text.find(|char| {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    });
    let (said, rest) = text.split_at(end.unwrap_or(text.len()));
    (said.trim(), rest)
}

/// A width or a density.
fn is_descriptor(said: &str) -> bool {
    let number = said.strip_suffix('w').or_else(|| said.strip_suffix('x'));
    said.is_empty() || number.is_some_and(|number| number.parse::<f64>().is_ok_and(|number| number > 0.0))
}
