//! Many selectors asked at once, as browsers keep the rules of style sheets: each is filed under a name that an
//! element must have for it, with names that there must be above the element, so that an element is compared only
//! with those that can be about it.
//!
//! A short cut only: it leaves out no selector that would select the element.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use selectors::attr::AttrSelectorOperator;
use selectors::parser::{Combinator, Component, Selector as Complex};

use super::names::IdHasher;
use super::selector::{Css, Text};
use super::{Element, NodeRef, Selector};

/// Names above an element that a selector is filed with.
const ABOVE: usize = 2;

/// Selectors by number, counted from 0 in the order in which they were added.
#[derive(Debug, Default)]
pub struct SelectorIndex {
    selectors: Vec<Selector>,
    filed: HashMap<u64, Shelf, BuildHasherDefault<IdHasher>>,
    /// Those that may select an element of any name.
    anywhere: Vec<Filed>,
}

#[derive(Debug, Default)]
struct Shelf {
    filed: Vec<Filed>,
    /// Of an attribute: selectors are filed under its values too.
    by_value: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Filed {
    number: u32,
    /// Hashes of names that elements above must have.
    above: [Option<u64>; ABOVE],
}

/// All names that there are above an element, as bits: more may seem to be there than are.
#[derive(Debug, Clone, Copy, Default)]
struct Names([u64; 16]);

/// The names above the element that was last asked for, and how they came about: the elements above, outermost first.
#[derive(Debug, Default)]
pub(super) struct Lineage<'a>(Vec<(NodeRef<'a>, Names)>);

/// A name by which a selector is filed.
#[derive(Debug, Clone, Copy)]
enum Name<'s> {
    Element(&'s str),
    Attribute(&'s str),
    Class(&'s str),
    Value(&'s str, &'s str),
    Id(&'s str),
}

impl SelectorIndex {
    /// Adds one and answers its number.
    pub fn add(&mut self, selector: Selector) -> u32 {
        let number = self.selectors.len() as u32;
        for complex in selector.list.slice() {
            let filed = Filed { number, above: above(complex) };
            match of_complex(complex) {
                None => push(&mut self.anywhere, filed),
                Some(names) => names.into_iter().for_each(|name| self.file(name, filed)),
            }
        }
        self.selectors.push(selector);
        number
    }

    fn file(&mut self, name: Name<'_>, filed: Filed) {
        if let Name::Value(attribute, _) = name {
            self.filed.entry(Name::Attribute(attribute).hash()).or_default().by_value = true;
        }
        push(&mut self.filed.entry(name.hash()).or_default().filed, filed);
    }

    /// The selector of a number.
    pub(super) fn selector(&self, number: u32) -> Option<&Selector> {
        self.selectors.get(number as usize)
    }

    /// The numbers of all that can be about the element, in ascending order.
    pub(super) fn candidates<'a>(&self, node: NodeRef<'a>, lineage: &mut Lineage<'a>, out: &mut Vec<u32>) {
        out.clear();
        let Some(element) = node.element().filter(|_| !self.selectors.is_empty()) else { return };
        let above = lineage.above(node);
        let mut take = |filed: &[Filed]| {
            out.extend(filed.iter().filter(|filed| above.have(&filed.above)).map(|filed| filed.number));
        };
        take(&self.anywhere);
        each_name(element, |name| {
            let shelf = self.filed.get(&name.hash());
            take(shelf.map_or(&[], |shelf| &shelf.filed));
            shelf.is_some_and(|shelf| shelf.by_value)
        });
        out.sort_unstable();
        out.dedup();
    }
}

fn push(to: &mut Vec<Filed>, filed: Filed) {
    // A list may name the same twice.
    if to.last() != Some(&filed) {
        to.push(filed);
    }
}

/// Everything by which an element could be named. Values of an attribute only where `take` asks for them.
fn each_name<'e>(element: &'e Element, mut take: impl FnMut(Name<'e>) -> bool) {
    take(Name::Element(element.name()));
    for (name, value) in element.attributes() {
        match &**name {
            "id" => {
                take(Name::Id(value));
            }
            "class" => value.split_ascii_whitespace().for_each(|class| {
                take(Name::Class(class));
            }),
            _ => {}
        }
        if take(Name::Attribute(name)) {
            take(Name::Value(name, value));
        }
    }
}

impl Names {
    fn add(&mut self, hash: u64) {
        self.0[(hash >> 6) as usize % 16] |= 1 << (hash & 63);
    }

    fn have(&self, wanted: &[Option<u64>; ABOVE]) -> bool {
        wanted.iter().flatten().all(|hash| self.0[(hash >> 6) as usize % 16] & (1 << (hash & 63)) != 0)
    }
}

impl<'a> Lineage<'a> {
    /// The names above a node. Cheap for nodes asked for in document order.
    fn above(&mut self, node: NodeRef<'a>) -> Names {
        let Some(parent) = node.parent() else { return Names::default() };
        let grandparent = parent.parent();
        while self.0.last().is_some_and(|(last, _)| *last != parent && Some(*last) != grandparent) {
            self.0.pop();
        }
        match self.0.last() {
            Some((last, names)) if *last == parent => return *names,
            Some(_) => self.push(parent),
            None => {
                let line: Vec<NodeRef<'a>> = parent.with_ancestors().collect();
                line.into_iter().rev().for_each(|node| self.push(node));
            }
        }
        self.0.last().map(|(_, names)| *names).unwrap_or_default()
    }

    fn push(&mut self, node: NodeRef<'a>) {
        let mut names = self.0.last().map(|(_, names)| *names).unwrap_or_default();
        if let Some(element) = node.element() {
            each_name(element, |name| {
                names.add(name.hash());
                false
            });
        }
        self.0.push((node, names));
    }
}

/// Whether a selector may select elements of any name, so that every element has to be compared with it.
pub(super) fn is_anywhere(list: &[Complex<Css>]) -> bool {
    list.iter().any(|complex| of_complex(complex).is_none())
}

impl Name<'_> {
    fn rarity(self) -> u8 {
        match self {
            Name::Element(_) => 1,
            Name::Attribute(_) => 2,
            Name::Class(_) => 3,
            Name::Value(..) => 4,
            Name::Id(_) => 5,
        }
    }

    /// FNV-1a. Letter case makes no difference: in some pages it makes none for classes and ids.
    fn hash(self) -> u64 {
        let (kind, words) = match self {
            Name::Element(name) => (b'<', [name, ""]),
            Name::Attribute(name) => (b'[', [name, ""]),
            Name::Class(class) => (b'.', [class, ""]),
            Name::Value(name, value) => (b'=', [name, value]),
            Name::Id(id) => (b'#', [id, ""]),
        };
        let bytes = words[0].bytes().chain([b'=']).chain(words[1].bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325 ^ u64::from(kind), |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// Names that elements above must have for a complex selector to select an element.
fn above(complex: &Complex<Css>) -> [Option<u64>; ABOVE] {
    let mut out = [None; ABOVE];
    let mut free = out.iter_mut();
    let mut is_above = false;
    for component in complex.iter_raw_match_order() {
        let name = match component {
            // What is above a sibling is above the element too.
            Component::Combinator(combinator) => {
                is_above = matches!(combinator, Combinator::Child | Combinator::Descendant);
                continue;
            }
            Component::ID(id) => Name::Id(id.as_ref()),
            Component::Class(class) => Name::Class(class.as_ref()),
            Component::LocalName(name) => Name::Element(name.lower_name.as_ref()),
            _ => continue,
        };
        if is_above && let Some(slot) = free.next() {
            *slot = Some(name.hash());
        }
    }
    out
}

/// One name for each way in which an element can be selected, or none.
fn of_list(list: &[Complex<Css>]) -> Option<Vec<Name<'_>>> {
    let mut out = Vec::new();
    for complex in list {
        out.extend(of_complex(complex)?);
    }
    Some(out)
}

/// The rarest that the last part of a complex selector names.
fn of_complex(complex: &Complex<Css>) -> Option<Vec<Name<'_>>> {
    let found = complex.iter().filter_map(|component| match component {
        Component::ID(id) => Some(vec![Name::Id(id.as_ref())]),
        Component::Class(class) => Some(vec![Name::Class(class.as_ref())]),
        Component::AttributeInNoNamespaceExists { local_name_lower, .. } => {
            Some(vec![Name::Attribute(local_name_lower.as_ref())])
        }
        Component::AttributeInNoNamespace { local_name, operator, value, .. } => {
            let (name, value): (&Text, &Text) = (local_name, value);
            Some(vec![match operator {
                AttrSelectorOperator::Equal => Name::Value(name.as_ref(), value.as_ref()),
                _ => Name::Attribute(name.as_ref()),
            }])
        }
        Component::LocalName(name) => Some(vec![Name::Element(name.lower_name.as_ref())]),
        Component::Is(list) | Component::Where(list) => of_list(list.slice()),
        _ => None,
    });
    // Of a list, the commonest counts.
    found.max_by_key(|names| names.iter().map(|name| name.rarity()).min())
}
