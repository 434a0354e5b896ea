//! Fingerprints of subtrees, so that a browser need not send again what the server holds.
//!
//! A fingerprint is a Chaskey MAC (Mouha et al. 2014, eight rounds, one subkey: every message here ends where it says it
//! does) of a node as it was told, and of the fingerprints of its children. The key is random and used for one request:
//! a page's scripts can not have made content beforehand that has the fingerprint of other content. A difference that means
//! nothing, such as the order of attributes, only costs the bytes of sending it again. Insets have no part in it: the page's
//! script can not see what is in them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::protocol::page::{Namespace, Part, Quirks};
use crate::protocol::{NodeId, customer};

use super::node::{Doctype, Kind, NodeRef};
use super::{IdMap, Tree};

/// One subtree in so many nodes is named, within these bounds.
const NODES_PER_NAME: usize = 50;
const FEWEST: usize = 8;
const MOST: usize = 256;
/// Subtrees that take fewer bytes than this are not worth naming.
const WORTH: usize = 96;

/// What was said to be held, to be cashed in by the next snapshot.
#[derive(Debug, Default)]
pub struct Held(Vec<NodeId>);

impl Held {
    /// Chooses what is worth holding of `tree`, the largest parts first, and says so in words for the browser.
    pub fn of(tree: &Tree, key: [u32; 4]) -> (Held, customer::Held) {
        let measured = measure(tree, key);
        let most = (tree.len() / NODES_PER_NAME).clamp(FEWEST, MOST);
        let mut names = Vec::new();
        let mut bytes = Vec::new();
        let mut queue = BinaryHeap::new();
        let offer = |node: NodeRef<'_>, queue: &mut BinaryHeap<_>| {
            for child in own_children(node) {
                if let Some(Measured { weight, .. }) = measured.get(&child.id())
                    && *weight >= WORTH
                {
                    queue.push((*weight, Reverse(child.id())));
                }
            }
        };
        offer(tree.document(), &mut queue);
        while names.len() < most
            && let Some((_, Reverse(id))) = queue.pop()
        {
            let (Some(node), Some(Measured { print, .. })) = (tree.get(id), measured.get(&id)) else {
                continue;
            };
            // A shadow root is nothing without its host, and a document without its frame.
            if !matches!(node.kind(), Kind::ShadowRoot | Kind::Document(_)) {
                names.push(id);
                print.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
            }
            offer(node, &mut queue);
        }
        (Held(names), customer::Held { key, fingerprints: STANDARD.encode(bytes) })
    }

    /// Writes out what `parts` only name, at most `limit` parts in all. None: a name stands for nothing, or it is too much.
    pub fn cash_in(&self, tree: &Tree, parts: Vec<Part>, limit: usize) -> Option<Vec<Part>> {
        if !parts.iter().any(|part| matches!(part, Part::Held { .. })) {
            return Some(parts);
        }
        let mut out = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Part::Held { index } => write(tree.get(*self.0.get(index as usize)?)?, &mut out, limit)?,
                part => out.push(part),
            }
        }
        Some(out)
    }
}

/// The parts that make a subtree.
fn write(root: NodeRef<'_>, out: &mut Vec<Part>, limit: usize) -> Option<()> {
    let mut node = root;
    loop {
        if out.len() >= limit {
            return None;
        }
        out.push(part(node));
        let mut next = node.own_child();
        if next.is_none() && closes(node) {
            out.push(Part::End);
        }
        while next.is_none() {
            if node == root {
                return Some(());
            }
            next = node.next();
            if next.is_none() {
                node = node.parent()?;
                out.push(Part::End);
            }
        }
        node = next?;
    }
}

fn own_children(node: NodeRef<'_>) -> impl Iterator<Item = NodeRef<'_>> {
    std::iter::successors(node.own_child(), |child| child.next())
}

fn closes(node: NodeRef<'_>) -> bool {
    matches!(node.kind(), Kind::Element(_) | Kind::ShadowRoot | Kind::Document(_))
}

fn part(node: NodeRef<'_>) -> Part {
    match node.kind() {
        Kind::Element(element) => Part::Element {
            namespace: element.namespace(),
            name: element.name().into(),
            attributes: element.attributes().map(|(name, value)| ((&**name).into(), value.into())).collect(),
        },
        Kind::Text(data) => Part::Text { data: data.clone() },
        Kind::Comment(data) => Part::Comment { data: data.clone() },
        Kind::Doctype(doctype) => {
            let Doctype { name, public, system } = &**doctype;
            Part::Doctype { name: name.clone(), public: public.clone(), system: system.clone() }
        }
        Kind::ShadowRoot => Part::ShadowRoot,
        Kind::Document(document) => {
            Part::Document { quirks: document.quirks(), url: document.location().into() }
        }
    }
}

struct Measured {
    print: [u32; 4],
    /// About the bytes that it takes on the wire.
    weight: usize,
}

/// Fingerprints and weights of every node; children come before what they are in.
fn measure(tree: &Tree, key: [u32; 4]) -> IdMap<Measured> {
    let mut measured = IdMap::default();
    let mut order: Vec<NodeRef<'_>> = tree.document().with_descendants().collect();
    while let Some(node) = order.pop() {
        let mut mac = Mac::new(key);
        let mut weight = 4;
        match node.kind() {
            Kind::Document(_) if node.parent().is_none() => continue,
            Kind::Document(document) => {
                mac.word(7);
                mac.word(u32::from(document.quirks() == Quirks::Yes));
                mac.string(document.location());
            }
            Kind::Element(element) => {
                mac.word(match element.namespace() {
                    Namespace::Html => 1,
                    Namespace::Svg => 17,
                    Namespace::MathMl => 33,
                });
                mac.string(element.name());
                mac.word(element.attributes().len() as u32);
                for (name, value) in element.attributes() {
                    mac.string(name);
                    mac.string(value);
                    weight += 3 + value.len();
                }
            }
            Kind::Text(data) | Kind::Comment(data) => {
                mac.word(if matches!(node.kind(), Kind::Text(_)) { 2 } else { 3 });
                mac.string(data);
                weight += data.len();
            }
            Kind::Doctype(doctype) => {
                let Doctype { name, public, system } = &**doctype;
                mac.word(4);
                [name, public, system].into_iter().for_each(|text| mac.string(text));
            }
            Kind::ShadowRoot => mac.word(5),
        }
        for child in own_children(node) {
            if let Some(child) = measured.get(&child.id()) {
                let Measured { print, weight: inner } = child;
                print.iter().for_each(|word| mac.word(*word));
                weight += inner;
            }
        }
        mac.word(6);
        measured.insert(node.id(), Measured { print: mac.finish(), weight });
    }
    measured
}

/// A MAC of words being made.
struct Mac {
    key: [u32; 4],
    state: [u32; 4],
    block: [u32; 4],
    filled: usize,
}

impl Mac {
    fn new(key: [u32; 4]) -> Mac {
        Mac { key, state: key, block: [0; 4], filled: 0 }
    }

    fn word(&mut self, word: u32) {
        if self.filled == 4 {
            for (state, word) in self.state.iter_mut().zip(self.block) {
                *state ^= word;
            }
            permute(&mut self.state);
            (self.block, self.filled) = ([0; 4], 0);
        }
        self.block[self.filled] = word;
        self.filled += 1;
    }

    /// Its length in UTF-16 units, then two of them in each word.
    fn string(&mut self, text: &str) {
        let length = text.encode_utf16().count();
        self.word(length as u32);
        let mut units = text.encode_utf16();
        while let Some(low) = units.next() {
            self.word(u32::from(low) | u32::from(units.next().unwrap_or(0)) << 16);
        }
    }

    fn finish(mut self) -> [u32; 4] {
        let subkey = doubled(self.key);
        for (state, (word, key)) in self.state.iter_mut().zip(self.block.into_iter().zip(subkey)) {
            *state ^= word ^ key;
        }
        permute(&mut self.state);
        for (state, key) in self.state.iter_mut().zip(subkey) {
            *state ^= key;
        }
        self.state
    }
}

/// The key times two in the field of Chaskey.
fn doubled([a, b, c, d]: [u32; 4]) -> [u32; 4] {
    [(a << 1) ^ ((d >> 31) * 0x87), (b << 1) | (a >> 31), (c << 1) | (b >> 31), (d << 1) | (c >> 31)]
}

/// Eight rounds of Chaskey's permutation.
fn permute([a, b, c, d]: &mut [u32; 4]) {
    for _ in 0..8 {
        *a = a.wrapping_add(*b);
        *b = b.rotate_left(5) ^ *a;
        *a = a.rotate_left(16);
        *c = c.wrapping_add(*d);
        *d = d.rotate_left(8) ^ *c;
        *a = a.wrapping_add(*d);
        *d = d.rotate_left(13) ^ *a;
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(7) ^ *c;
        *c = c.rotate_left(16);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;
    use crate::protocol::page::PageOp;

    fn element(name: &str, class: &str) -> Part {
        Part::Element {
            namespace: Namespace::Html,
            name: name.into(),
            attributes: vec![("class".into(), class.into())],
        }
    }

    /// A page with `changing` in the first of two sections.
    fn page(changing: &str) -> Tree {
        let long = "a text that is long enough to be worth a name ".repeat(4);
        let text = |data: &str| Part::Text { data: data.into() };
        let parts = vec![
            element("html", ""),
            element("section", "one"),
            Part::ShadowRoot,
            text(&long),
            Part::End,
            text(changing),
            Part::End,
            element("section", "two"),
            element("iframe", ""),
            Part::Document { quirks: Quirks::Yes, url: "about:blank".into() },
            element("p", ""),
            text(&long),
            Part::End,
            Part::End,
            Part::End,
            text("y"),
            Part::End,
            Part::End,
        ];
        let insert = PageOp::Insert { parent: NodeId::DOCUMENT, next: None, parts };
        let mut tree = Tree::new(Limits::default());
        tree.apply(&[PageOp::Begin { quirks: Quirks::No }, insert]).unwrap();
        tree
    }

    fn whole(tree: &Tree) -> Vec<Part> {
        let mut out = Vec::new();
        write(tree.document().first_child().unwrap(), &mut out, 1_000).unwrap();
        out
    }

    #[test]
    fn a_reference_stands_for_the_subtree_that_it_names() {
        let tree = page("one");
        let (held, words) = Held::of(&tree, [1, 2, 3, 4]);
        assert_eq!(words.fingerprints.len(), (held.0.len() * 16).div_ceil(3) * 4);
        assert_eq!(held.0[0], NodeId(2), "the largest first");
        let named = vec![Part::Held { index: 0 }];
        assert_eq!(held.cash_in(&tree, named.clone(), 1_000), Some(whole(&tree)));
        assert_eq!(held.cash_in(&tree, named, 5), None, "too much");
        assert_eq!(held.cash_in(&tree, vec![Part::Held { index: 99 }], 1_000), None);
        for id in &held.0 {
            let kind = tree.get(*id).unwrap().kind();
            assert!(!matches!(kind, Kind::ShadowRoot | Kind::Document(_)), "only what can stand by itself");
        }
    }

    #[test]
    fn only_what_is_the_same_has_the_same_fingerprint() {
        let prints = |tree: &Tree, key| -> Vec<[u32; 4]> {
            let measured = measure(tree, key);
            tree.document().with_descendants().skip(1).map(|node| measured[&node.id()].print).collect()
        };
        let (before, after) = (prints(&page("one"), [7; 4]), prints(&page("two"), [7; 4]));
        let different: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
        assert_eq!(different, [0, 1, 4], "the text and what it is in");
        let other = prints(&page("one"), [8; 4]);
        assert!(before.iter().zip(&other).all(|(one, two)| one != two), "a key of its own");
    }

    /// The first vector of the paper's reference implementation, which is of a message that ends early and so takes the
    /// other subkey.
    #[test]
    fn it_is_chaskey() {
        let key = [0x833d_3433, 0x009f_389f, 0x2398_e64f, 0x417a_cf39];
        let subkey = doubled(doubled(key));
        let mut state = [0, 1, 2, 3].map(|at| key[at] ^ subkey[at] ^ u32::from(at == 0));
        permute(&mut state);
        let tag = [0, 1, 2, 3].map(|at| state[at] ^ subkey[at]);
        assert_eq!(tag, [0x792e_8fe5, 0x75ce_87aa, 0x2d14_50b5, 0x1191_970b]);
    }
}
