//! CSS selectors as an administrator writes them, compiled once, with what their answer depends on.
//!
//! A selector that can not be decided from the page alone (`:hover`, `::before`) is refused, so that
//! a rule never silently matches nothing.

use std::sync::Arc;

use cssparser::{BasicParseErrorKind, ParseError, ParseErrorKind, Parser as CssParser, ToCss};
use precomputed_hash::PrecomputedHash;
use selectors::SelectorList;
use selectors::attr::NamespaceConstraint;
use selectors::parser::{
    Combinator, Component, NonTSPseudoClass, ParseRelative, PseudoElement, RelativeSelector, SelectorImpl,
    SelectorParseErrorKind,
};
use selectors::visitor::SelectorVisitor;

use super::{Shape, effort, index};

/// Bytes of one selector list; what is longer is not written by hand.
const LENGTH: usize = 16_384;
/// Parentheses inside parentheses.
const NESTING: u8 = 16;
/// Walks inside each other.
const WALKS: usize = 3;

/// A compiled selector list.
#[derive(Debug, Clone)]
pub struct Selector {
    pub(super) list: SelectorList<Css>,
    needs: Needs,
    walks: usize,
}

/// What must be looked at again when a page changes, for a selector to give the right answer. The element
/// itself and what it is in always matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Siblings, children or descendants matter too: the answer for an element can change by a change anywhere.
    pub structure: bool,
    /// The content of texts matters (`:empty`).
    pub text: bool,
    /// The state of form controls matters (`:checked`).
    pub state: bool,
    /// Names of the attributes that matter, in lower case.
    pub attributes: Vec<Box<str>>,
}

/// Why a selector is refused, and at which byte of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadSelector {
    /// What is wrong.
    pub message: String,
    /// Offset of the first byte that does not fit.
    pub at: usize,
}

impl Selector {
    /// Reads a comma-separated list of complex selectors (Selectors Level 4; no namespaces, no pseudo-elements).
    pub fn parse(text: &str) -> Result<Selector, BadSelector> {
        if text.len() > LENGTH {
            return Err(BadSelector { message: format!("a selector of more than {LENGTH} bytes"), at: 0 });
        }
        let mut input = CssParser::new(text);
        input.set_nested_block_limit(NESTING);
        let parsed = SelectorList::parse(&Grammar, &mut input, ParseRelative::No).and_then(|list| {
            input.expect_exhausted()?;
            Ok(list)
        });
        let list = parsed.map_err(|error| {
            let at = input.position().byte_index().min(text.len());
            BadSelector { message: explain(error), at }
        })?;
        let mut collector = Collector(Needs::default());
        for selector in list.slice() {
            selector.visit(&mut collector);
        }
        let mut needs = collector.0;
        needs.attributes.sort_unstable();
        needs.attributes.dedup();
        let walks = effort::walks(list.slice());
        if walks > WALKS {
            let message = format!(
                "more than {WALKS} of `:has()`, spaces and `~` inside each other: too slow on large pages"
            );
            return Err(BadSelector { message, at: 0 });
        }
        Ok(Selector { list, needs, walks })
    }

    /// Walks inside each other that one answer can take: 0 looks at the element alone, 1 along one line of
    /// ancestors, siblings or descendants, and every further one multiplies.
    pub fn walks(&self) -> usize {
        self.walks
    }

    /// What the selectors of the list say, to compare them with others.
    pub fn shapes(&self) -> Vec<Shape> {
        self.list.slice().iter().map(Shape::of).collect()
    }

    /// Whether it names nothing that an element must have, so that every element has to be compared with it.
    pub fn is_anywhere(&self) -> bool {
        index::is_anywhere(self.list.slice())
    }

    /// What its answer depends on.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }
}

fn explain(error: ParseError<Wrong>) -> String {
    match error.kind {
        ParseErrorKind::Custom(Wrong::Pseudo(name)) => match name.as_str() {
            "hover" | "active" | "focus" | "focus-within" | "focus-visible" | "visited" | "target" => {
                format!("`:{name}` depends on what the customer is doing right now; a rule can not use it")
            }
            _ => format!("`:{name}` is not a pseudo-class that a rule can use"),
        },
        ParseErrorKind::Custom(Wrong::PseudoElement(name)) => {
            format!("`::{name}` is not an element of the page; select the element itself")
        }
        ParseErrorKind::Custom(Wrong::Selector(kind)) => match kind {
            SelectorParseErrorKind::EmptySelector => "a selector is missing here",
            SelectorParseErrorKind::DanglingCombinator => "something must follow the combinator",
            SelectorParseErrorKind::ExpectedNamespace => "namespaces can not be used in rules",
            SelectorParseErrorKind::ClassNeedsIdent => "a class name must follow the dot",
            SelectorParseErrorKind::NoIdentForPseudo | SelectorParseErrorKind::PseudoElementExpectedIdent => {
                "a name must follow the colon"
            }
            SelectorParseErrorKind::BadValueInAttr => {
                "the value in an attribute selector must be a name or quoted"
            }
            SelectorParseErrorKind::NoQualifiedNameInAttributeSelector
            | SelectorParseErrorKind::InvalidQualNameInAttr => "an attribute name is missing in the brackets",
            SelectorParseErrorKind::UnexpectedTokenInAttributeSelector => {
                "this does not belong into an attribute selector"
            }
            _ => "this is not a valid selector",
        }
        .to_owned(),
        ParseErrorKind::Basic(BasicParseErrorKind::TooManyNestedBlocks) => {
            format!("more than {NESTING} parentheses inside each other")
        }
        ParseErrorKind::Basic(BasicParseErrorKind::EndOfInput) => "the selector ends too early".to_owned(),
        ParseErrorKind::Basic(_) => "this does not belong into a selector".to_owned(),
    }
}

/// The types that the selector crate works with.
#[derive(Debug, Clone)]
pub struct Css;

impl SelectorImpl for Css {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Text;
    type Identifier = Text;
    type LocalName = Text;
    type NamespaceUrl = Text;
    type NamespacePrefix = Text;
    type BorrowedNamespaceUrl = str;
    type BorrowedLocalName = str;
    type NonTSPseudoClass = Pseudo;
    type PseudoElement = NoPseudoElement;
}

/// A name or value in a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Arc<str>);

impl Default for Text {
    fn default() -> Self {
        Text("".into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.into())
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PrecomputedHash for Text {
    /// FNV-1a.
    fn precomputed_hash(&self) -> u32 {
        self.0.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

impl ToCss for Text {
    fn to_css<W: std::fmt::Write>(&self, dest: &mut W) -> std::fmt::Result {
        cssparser::serialize_identifier(&self.0, dest)
    }
}

/// Pseudo-classes beyond the structural ones that the page alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Pseudo {
    Checked,
    Indeterminate,
    Disabled,
    Enabled,
    Required,
    Optional,
    ReadOnly,
    ReadWrite,
    AnyLink,
}

const PSEUDOS: [(&str, Pseudo); 10] = [
    ("checked", Pseudo::Checked),
    ("indeterminate", Pseudo::Indeterminate),
    ("disabled", Pseudo::Disabled),
    ("enabled", Pseudo::Enabled),
    ("required", Pseudo::Required),
    ("optional", Pseudo::Optional),
    ("read-only", Pseudo::ReadOnly),
    ("read-write", Pseudo::ReadWrite),
    ("any-link", Pseudo::AnyLink),
    ("link", Pseudo::AnyLink),
];

impl NonTSPseudoClass for Pseudo {
    fn is_active_or_hover(&self) -> bool {
        false
    }

    fn is_user_action_state(&self) -> bool {
        false
    }
}

impl ToCss for Pseudo {
    fn to_css<W: std::fmt::Write>(&self, dest: &mut W) -> std::fmt::Result {
        let name = PSEUDOS.iter().find(|(_, pseudo)| pseudo == self).map_or("", |(name, _)| name);
        write!(dest, ":{name}")
    }
}

/// Rules select elements only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPseudoElement {}

impl PseudoElement for NoPseudoElement {}

impl ToCss for NoPseudoElement {
    fn to_css<W: std::fmt::Write>(&self, _: &mut W) -> std::fmt::Result {
        match *self {}
    }
}

/// What may be written.
struct Grammar;

#[derive(Debug)]
enum Wrong {
    Selector(SelectorParseErrorKind),
    Pseudo(String),
    PseudoElement(String),
}

impl From<SelectorParseErrorKind> for Wrong {
    fn from(kind: SelectorParseErrorKind) -> Self {
        Wrong::Selector(kind)
    }
}

impl<'i> selectors::Parser<'i> for Grammar {
    type Impl = Css;
    type Error = Wrong;

    fn parse_nth_child_of(&self) -> bool {
        true
    }

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_has(&self) -> bool {
        true
    }

    /// A list with one wrong selector is wrong: a rule that lost half of itself would show what it should mask.
    fn allow_forgiving_selectors(&self) -> bool {
        false
    }

    fn parse_non_ts_pseudo_class(&self, name: &str) -> Result<Pseudo, ParseError<Wrong>> {
        let name = name.to_ascii_lowercase();
        PSEUDOS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, pseudo)| *pseudo)
            .ok_or_else(|| ParseError::custom(Wrong::Pseudo(name)))
    }

    fn parse_non_ts_functional_pseudo_class(
        &self,
        name: &str,
        _: &mut CssParser<'i>,
        _: bool,
    ) -> Result<Pseudo, ParseError<Wrong>> {
        Err(ParseError::custom(Wrong::Pseudo(format!("{}()", name.to_ascii_lowercase()))))
    }

    fn parse_pseudo_element(&self, name: &str) -> Result<NoPseudoElement, ParseError<Wrong>> {
        Err(ParseError::custom(Wrong::PseudoElement(name.to_ascii_lowercase())))
    }
}

/// Collects what a selector depends on.
struct Collector(Needs);

impl Collector {
    fn attributes(&mut self, names: &[&str]) {
        self.0.attributes.extend(names.iter().map(|name| Box::from(*name)));
    }
}

impl SelectorVisitor for Collector {
    type Impl = Css;

    fn visit_attribute_selector(
        &mut self,
        _: &NamespaceConstraint<&Text>,
        _: &Text,
        local_name_lower: &Text,
    ) -> bool {
        self.attributes(&[local_name_lower.as_ref()]);
        true
    }

    fn visit_simple_selector(&mut self, component: &Component<Css>) -> bool {
        match component {
            Component::ID(_) => self.attributes(&["id"]),
            Component::Class(_) => self.attributes(&["class"]),
            Component::Nth(_) | Component::NthOf(_) | Component::Has(_) => self.0.structure = true,
            Component::Empty => {
                self.0.structure = true;
                self.0.text = true;
            }
            Component::NonTSPseudoClass(Pseudo::AnyLink) => self.attributes(&["href"]),
            Component::NonTSPseudoClass(_) => {
                // An option depends on its select, a control on the legends of its fieldset.
                self.0.structure = true;
                self.0.state = true;
                self.attributes(&[
                    "checked",
                    "selected",
                    "disabled",
                    "required",
                    "readonly",
                    "type",
                    "contenteditable",
                    "multiple",
                ]);
            }
            _ => {}
        }
        true
    }

    fn visit_relative_selector_list(&mut self, list: &[RelativeSelector<Css>]) -> bool {
        self.0.structure = true;
        list.iter().all(|relative| relative.selector.visit(self))
    }

    fn visit_complex_selector(&mut self, combinator_to_right: Option<Combinator>) -> bool {
        if combinator_to_right.is_some_and(|combinator| combinator.is_sibling()) {
            self.0.structure = true;
        }
        true
    }
}
