//! Selectors matched against the tree, as a browser matches them against the page.
//!
//! A selector sees one tree: inside a shadow tree it matches nothing outside, and the other way round.

use std::ptr::NonNull;

use selectors::OpaqueElement;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode, SelectorCaches,
};
use selectors::matching::{ElementSelectorFlags, matches_selector_list};

use crate::protocol::page::{Namespace, Quirks};

use super::index::Lineage;
use super::selector::{Css, NoPseudoElement, Pseudo, Text};
use super::{Document, Element, Kind, NodeRef, Selector, SelectorIndex, Tree, forms};

/// Matches selectors against a tree that does not change meanwhile, and remembers what it found on the way.
pub struct Matcher<'a> {
    tree: &'a Tree,
    caches: SelectorCaches,
    candidates: Vec<u32>,
    lineage: Lineage<'a>,
}

impl std::fmt::Debug for Matcher<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Matcher")
    }
}

impl<'a> Matcher<'a> {
    /// For as long as the tree stays as it is.
    pub fn new(tree: &'a Tree) -> Self {
        Matcher {
            tree,
            caches: SelectorCaches::default(),
            candidates: Vec::new(),
            lineage: Lineage::default(),
        }
    }

    /// Puts the numbers of all selectors that select `node` into `out`, in ascending order.
    pub fn select(&mut self, index: &SelectorIndex, node: NodeRef<'a>, out: &mut Vec<u32>) {
        out.clear();
        let mut candidates = std::mem::take(&mut self.candidates);
        index.candidates(node, &mut self.lineage, &mut candidates);
        let selects = |number: &u32| index.selector(*number).is_some_and(|it| self.matches(it, node));
        out.extend(candidates.iter().copied().filter(selects));
        self.candidates = candidates;
    }

    /// Whether `node` is an element that one of the selectors selects.
    pub fn matches(&mut self, selector: &Selector, node: NodeRef<'a>) -> bool {
        if node.element().is_none() {
            return false;
        }
        let quirks = match self.tree.has_frames() {
            true => node.document().as_document().map_or(Quirks::No, Document::quirks),
            false => self.tree.quirks(),
        };
        let quirks = match quirks {
            Quirks::No => QuirksMode::NoQuirks,
            Quirks::Yes => QuirksMode::Quirks,
        };
        let mut context = MatchingContext::new(
            MatchingMode::Normal,
            None,
            &mut self.caches,
            quirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        matches_selector_list(&selector.list, node, &mut context)
    }
}

impl<'a> NodeRef<'a> {
    fn data(&self) -> Option<&'a Element> {
        self.element()
    }

    fn sibling(self, step: impl Fn(NodeRef<'a>) -> Option<NodeRef<'a>>) -> Option<NodeRef<'a>> {
        let mut at = step(self);
        while let Some(node) = at {
            if node.element().is_some() {
                return at;
            }
            at = step(node);
        }
        None
    }
}

impl selectors::Element for NodeRef<'_> {
    type Impl = Css;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::from_ptr(NonNull::from(&self.tree.nodes[self.slot as usize]).cast())
    }

    fn parent_element(&self) -> Option<Self> {
        self.parent().filter(|parent| parent.element().is_some())
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        self.parent().is_some_and(|parent| matches!(parent.kind(), Kind::ShadowRoot))
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        let root = self.tree_root();
        matches!(root.kind(), Kind::ShadowRoot).then(|| root.parent()).flatten()
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.sibling(NodeRef::previous)
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.sibling(NodeRef::next)
    }

    fn first_element_child(&self) -> Option<Self> {
        let first = self.first_child()?;
        if first.element().is_some() { Some(first) } else { first.sibling(NodeRef::next) }
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.data().is_some_and(|element| element.namespace() == Namespace::Html)
    }

    fn has_local_name(&self, local_name: &str) -> bool {
        self.data().is_some_and(|element| element.name() == local_name)
    }

    fn has_namespace(&self, _: &str) -> bool {
        // Rules have no namespaces, and the parser refuses them.
        false
    }

    fn is_same_type(&self, other: &Self) -> bool {
        match (self.data(), other.data()) {
            (Some(one), Some(two)) => one.namespace() == two.namespace() && one.name() == two.name(),
            _ => false,
        }
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Text>,
        local_name: &Text,
        operation: &AttrSelectorOperation<&Text>,
    ) -> bool {
        let Some(element) = self.data() else { return false };
        let wanted: &str = local_name.as_ref();
        match namespace {
            NamespaceConstraint::Any => element.attributes().any(|(name, value)| {
                name.rsplit_once(':').map_or(&**name, |(_, local)| local) == wanted
                    && operation.eval_str(value)
            }),
            NamespaceConstraint::Specific(_) => {
                element.attribute(wanted).is_some_and(|value| operation.eval_str(value))
            }
        }
    }

    fn match_non_ts_pseudo_class(&self, pseudo: &Pseudo, _: &mut MatchingContext<'_, Css>) -> bool {
        match pseudo {
            Pseudo::Checked => forms::checked(*self) == Some(true.into()),
            Pseudo::Indeterminate => forms::checked(*self).is_some_and(|state| state.indeterminate),
            Pseudo::Disabled => forms::can_be_disabled(*self) && forms::disabled(*self),
            Pseudo::Enabled => forms::can_be_disabled(*self) && !forms::disabled(*self),
            Pseudo::Required => forms::can_be_required(*self) && self.has("required"),
            Pseudo::Optional => forms::can_be_required(*self) && !self.has("required"),
            Pseudo::ReadWrite => forms::editable(*self),
            Pseudo::ReadOnly => !forms::editable(*self),
            Pseudo::AnyLink => selectors::Element::is_link(self),
        }
    }

    fn match_pseudo_element(&self, pseudo: &NoPseudoElement, _: &mut MatchingContext<'_, Css>) -> bool {
        match *pseudo {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.data().is_some_and(|element| matches!(element.name(), "a" | "area")) && self.has("href")
    }

    fn is_html_slot_element(&self) -> bool {
        self.data().is_some_and(|element| element.is_html("slot"))
    }

    fn has_id(&self, id: &Text, case: CaseSensitivity) -> bool {
        let held = self.data().and_then(|element| element.attribute("id"));
        held.is_some_and(|held| case.eq(held.as_bytes(), AsRef::<str>::as_ref(id).as_bytes()))
    }

    fn has_class(&self, name: &Text, case: CaseSensitivity) -> bool {
        let Some(classes) = self.data().and_then(|element| element.attribute("class")) else { return false };
        let name: &str = name.as_ref();
        classes.split_ascii_whitespace().any(|class| case.eq(class.as_bytes(), name.as_bytes()))
    }

    fn has_custom_state(&self, _: &Text) -> bool {
        false
    }

    fn imported_part(&self, _: &Text) -> Option<Text> {
        None
    }

    fn is_part(&self, _: &Text) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.children().all(|child| match child.kind() {
            Kind::Element(_) => false,
            Kind::Text(data) => data.is_empty(),
            _ => true,
        })
    }

    fn is_root(&self) -> bool {
        self.parent().is_some_and(|parent| matches!(parent.kind(), Kind::Document(_)))
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::Limits;

    proptest::proptest! {
        #[test]
        fn the_short_cut_changes_no_answer(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "p", "DIV", "*", ".x", ".X", ".y", "#a", "#A", "[title]", "[Title]", "[title='1' i]", "[title='1']", "[*|title]", ":is(.x, p)", ":where(#a)", ":is(div .x, :first-child)", "svg ", ":not(.y)",
                    ":has(p)", ":first-child", " ", " > ", " + ", ", ", "svg", "clippath", "clipPath", "[viewbox]", "[viewBox]",
                ]),
                1..6,
            ),
            quirks in proptest::bool::ANY,
        ) {
            let doctype = if quirks { "" } else { "<!doctype html>" };
            let page = format!(
                "{doctype}<div class='x Y' id=A><p title=1>a</p><p class=y>b</p><svg viewBox=1><clipPath id=a class=X></clipPath></svg></div><p TITLE=2 class='y x'>"
            );
            let tree = Tree::from_html(&page, "https://shop.test/", Limits::default()).unwrap();
            if let Ok(selector) = Selector::parse(&parts.concat()) {
                let (mut matcher, mut index, mut found) = (Matcher::new(&tree), SelectorIndex::default(), Vec::new());
                index.add(Selector::parse("#none").unwrap());
                index.add(selector.clone());
                for node in tree.document().with_descendants() {
                    matcher.select(&index, node, &mut found);
                    let wanted: Vec<u32> = matcher.matches(&selector, node).then_some(1).into_iter().collect();
                    proptest::prop_assert_eq!(&found, &wanted, "{} on {:?}", parts.concat(), node);
                }
            }
        }
    }
}
