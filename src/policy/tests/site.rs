//! Pages for tests: small ones written as HTML-like text, and random ones that change at random.

use std::sync::Arc;

use crate::dom::{Element, Kind, Limits, NodeRef, Tree};
use crate::policy::{Masker, Policies, ResourceNames};
use crate::protocol::agent::Role;
use crate::protocol::attention::{Notice, NoticeKind, Selection, States, Zoomed};
use crate::protocol::page::{Control, Namespace, PageOp, Part, Quirks, TopLayer, Value};
use crate::protocol::{Action, Modifiers, NodeId};

pub(super) fn policies(text: &str) -> Arc<Policies> {
    Arc::new(Policies::parse(&[("test.toml", text)]).unwrap_or_else(|errors| panic!("{}", errors[0])))
}

pub(super) fn masker(policies: &Arc<Policies>) -> Masker {
    Masker::new(policies.clone(), Role::Agent, ResourceNames::new([7; 32], "/session/x/resource/"))
}

/// A page at `https://shop.test/here/page` from markup: elements with quoted attributes, text, `<!--comments-->`.
/// Ids are given in document order from 2 on; `svg` and what is in it is SVG. `<#shadow>` is a shadow root,
/// `<#document URL>` what a frame shows.
pub(super) fn page(markup: &str) -> Tree {
    let mut tree = Tree::new(Limits::default());
    let mut ops = vec![
        PageOp::Begin { quirks: Quirks::No },
        PageOp::Location { url: "https://shop.test/here/page".into() },
    ];
    ops.push(PageOp::Insert { parent: NodeId::DOCUMENT, next: None, parts: parts(markup) });
    tree.apply(&ops).expect("the markup is a page");
    tree
}

pub(super) fn parts(markup: &str) -> Vec<Part> {
    const VOID: [&str; 8] = ["input", "img", "br", "meta", "link", "base", "source", "area"];
    let mut out = Vec::new();
    let mut svg = 0;
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        if start > 0 {
            out.push(Part::Text { data: rest[..start].into() });
        }
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->").unwrap();
            out.push(Part::Comment { data: comment[..end].into() });
            rest = &comment[end + 3..];
            continue;
        }
        let end = rest.find('>').unwrap();
        let (tag, after) = (&rest[1..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            svg -= usize::from(svg > 0);
            let _ = name;
            out.push(Part::End);
            continue;
        }
        if tag == "#shadow" {
            out.push(Part::ShadowRoot);
            continue;
        }
        if let Some(url) = tag.strip_prefix("#document") {
            out.push(Part::Document { quirks: Quirks::No, url: url.trim().into() });
            continue;
        }
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((name, value)) = list.split_once("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            attributes.push((name.trim().into(), value.into()));
            list = after;
        }
        for name in list.split_whitespace() {
            attributes.push((name.into(), "".into()));
        }
        svg += usize::from(name == "svg" || svg > 0);
        let namespace = if svg > 0 { Namespace::Svg } else { Namespace::Html };
        out.push(Part::Element { namespace, name: name.into(), attributes });
        if VOID.contains(&name) {
            out.push(Part::End);
        }
    }
    out
}

/// The first element of this `id`.
pub(super) fn find<'a>(tree: &'a Tree, id: &str) -> NodeRef<'a> {
    tree.document()
        .with_descendants()
        .find(|node| node.element().and_then(|element| element.attribute("id")) == Some(id))
        .unwrap_or_else(|| panic!("no #{id}"))
}

/// A small generator, so that a failure is repeated by its seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())]
    }
}

/// A page that changes at random. Everything that could say something says a word that is used only once.
pub(super) struct RandomPage {
    pub(super) dice: Dice,
    /// A copy for making operations that fit.
    pub(super) tree: Tree,
    words: usize,
}

const NAMES: [&str; 34] = [
    "div", "div", "div", "span", "p", "section", "form", "label", "input", "input", "input", "button",
    "select", "option", "textarea", "a", "img", "ul", "li", "style", "script", "iframe", "video", "picture",
    "canvas", "link", "title", "x-card", "fieldset", "meta", "template", "iframe", "iframe", "slot",
];
/// Of documents in frames.
const ADDRESSES: [&str; 5] = [
    "about:blank",
    "https://shop.test/checkout/1",
    "https://shop.test/quiet/x",
    "blob:https://shop.test/checkout/1",
    "https://other.test/",
];
const CLASSES: [&str; 8] = ["secret", "gray", "open", "flag", "x", "y", "off", "on"];
const SLOTS: [&str; 8] = ["", "", "", "", "a", "a", "b", "c"];
const TYPES: [&str; 9] =
    ["text", "password", "hidden", "submit", "checkbox", "button", "image", "email", "PassWord"];

impl RandomPage {
    pub(super) fn new(seed: u64) -> (RandomPage, Vec<PageOp>) {
        let mut page = RandomPage {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            tree: Tree::new(Limits::default()),
            words: 0,
        };
        let ops = vec![
            PageOp::Begin { quirks: Quirks::No },
            PageOp::Location { url: "https://shop.test/a/b".into() },
            PageOp::Insert {
                parent: NodeId::DOCUMENT,
                next: None,
                parts: parts(
                    "<html><head><title>start</title></head><body><div></div><form></form></body></html>",
                ),
            },
        ];
        page.tree.apply(&ops).unwrap();
        (page, ops)
    }

    fn word(&mut self) -> String {
        self.words += 1;
        format!("Q{}Z", self.words)
    }

    /// Some operations, each fitting the page that those before it leave.
    pub(super) fn batch(&mut self) -> Vec<PageOp> {
        let mut ops = Vec::new();
        for _ in 0..1 + self.dice.roll(8) {
            if let Some(op) = self.operation() {
                let op = [op];
                self.tree.apply(&op).unwrap_or_else(|misfit| panic!("{misfit}: {op:?}"));
                ops.extend(op);
            }
        }
        ops
    }

    fn pick(&mut self, fits: impl Fn(NodeRef<'_>) -> bool) -> Option<NodeId> {
        let all: Vec<NodeId> =
            self.tree.document().with_descendants().filter(|node| fits(*node)).map(NodeRef::id).collect();
        (!all.is_empty()).then(|| all[self.dice.roll(all.len())])
    }

    fn place(&mut self, moving: Option<NodeId>) -> Option<(NodeId, Option<NodeId>)> {
        let outside =
            |node: NodeRef<'_>| moving.is_none_or(|id| node.with_ancestors().all(|above| above.id() != id));
        let parent = self.pick(|node| {
            let fits = node.element().is_some_and(|element| element.name() != "html");
            (fits || matches!(node.kind(), Kind::ShadowRoot)) && outside(node) && node.depth() < 40
        })?;
        let children: Vec<NodeId> = self
            .tree
            .get(parent)?
            .children()
            .filter(|child| !matches!(child.kind(), Kind::ShadowRoot | Kind::Document(_)))
            .filter(|child| Some(child.id()) != moving)
            .map(NodeRef::id)
            .collect();
        let at = self.dice.roll(children.len() + 1);
        Some((parent, children.get(at).copied()))
    }

    fn operation(&mut self) -> Option<PageOp> {
        let element = |node: NodeRef<'_>| node.element().is_some();
        Some(match self.dice.roll(22) {
            0..=4 => {
                let (parent, next) = self.place(None)?;
                let mut parts = Vec::new();
                let depth = self.dice.roll(4);
                self.subtree(&mut parts, parent, next, depth);
                PageOp::Insert { parent, next, parts }
            }
            5..=7 => {
                let id = self.movable()?;
                let (parent, next) = self.place(Some(id))?;
                PageOp::Move { id, parent, next }
            }
            8 => PageOp::Remove { id: self.movable()? },
            9..=13 => {
                let id = self.pick(element)?;
                let (name, value) = self.attribute();
                if self.dice.roll(4) == 0 {
                    PageOp::RemoveAttribute { id, name }
                } else {
                    PageOp::SetAttribute { id, name, value }
                }
            }
            14 => {
                let id = self.pick(|node| matches!(node.kind(), Kind::Text(_) | Kind::Comment(_)))?;
                PageOp::Text { id, data: self.word().into() }
            }
            15 => {
                let id = self.pick(|node| {
                    node.element()
                        .is_some_and(|element| matches!(element.name(), "input" | "select" | "textarea"))
                })?;
                let value = match self.dice.roll(3) {
                    0 => None,
                    1 => Some(Value::Withheld { length: self.dice.roll(20) as u32 }),
                    _ => Some(Value::Told(self.word().into())),
                };
                let checked = (self.dice.roll(2) == 0).then_some(true.into());
                let selected = (self.dice.roll(2) == 0).then(|| vec![0]);
                PageOp::Control { id, state: Control { value, checked, selected, validity: None } }
            }
            16 => PageOp::Scroll { id: self.pick(element)?, x: 0, y: self.dice.roll(99) as i32 },
            17 => PageOp::Box { id: self.pick(element)?, width: self.dice.roll(99) as u32, height: 9 },
            18 => match self.dice.roll(8) {
                4 => {
                    let sheet = |node: NodeRef<'_>| {
                        node.is_html("link") || node.element().is_some_and(|it| it.name() == "style")
                    };
                    let id = self.pick(sheet)?;
                    let media = (self.dice.roll(2) == 0).then(|| "not all".into());
                    let css = (self.dice.roll(2) == 0).then(|| format!("a{{b:url({})}}", self.word()).into());
                    PageOp::Sheet { id, media, css }
                }
                5 => {
                    if self.dice.roll(4) == 0 {
                        return Some(PageOp::Media { features: self.dice.roll(99) as u32 });
                    }
                    if self.dice.roll(4) == 0 {
                        let zoomed = Zoomed { x: 1, y: 2, width: 3, height: self.dice.roll(99) as u32 };
                        return Some(PageOp::Zoom { zoomed: (self.dice.roll(3) > 0).then_some(zoomed) });
                    }
                    let states = States { hover: self.pick(element), active: None, ..States::default() };
                    PageOp::States { states: States { target: self.pick(element), ..states } }
                }
                6 => {
                    let (anchor, focus) = (self.pick(|_| true)?, self.pick(|_| true)?);
                    PageOp::Selection {
                        selection: Some(Selection { anchor: (anchor, 1), focus: (focus, 2) }),
                    }
                }
                7 => {
                    let notice =
                        Notice { kind: NoticeKind::Alert, at: self.pick(element), text: self.word().into() };
                    PageOp::Notice { notice: (self.dice.roll(3) > 0).then_some(notice) }
                }
                3 => {
                    let id = self.pick(|node| node.element().is_some_and(Element::is_pictured))?;
                    self.words += 1;
                    let number = (self.dice.roll(4) > 0).then_some(self.words as u32);
                    PageOp::Picture { id, number }
                }
                0 => PageOp::Focus { id: self.pick(element) },
                1 => PageOp::TopLayer {
                    entries: self.pick(element).map(|id| (id, TopLayer::Modal)).into_iter().collect(),
                },
                _ => {
                    let id = self.pick(|node| node.is_html("img"))?;
                    PageOp::Source { id, url: format!("img/{}", self.word()).into() }
                }
            },
            19 => {
                let url = self.dice.of(&["/a/b", "/checkout/1", "/c/d/e", "/quiet/x"]);
                PageOp::Location { url: format!("https://shop.test{url}").into() }
            }
            20 => {
                let id = self.pick(|node| node.as_document().is_some() && node.parent().is_some())?;
                match self.dice.roll(2) {
                    0 => PageOp::Address { id, url: self.dice.of(&ADDRESSES).into() },
                    _ => PageOp::Remove { id },
                }
            }
            _ => {
                let parent = self.pick(|node| node.is_html("iframe") && node.frame_document().is_none())?;
                let next = self.tree.get(parent)?.first_child();
                if next.is_some_and(|child| matches!(child.kind(), Kind::ShadowRoot)) {
                    return None;
                }
                let next = next.map(NodeRef::id);
                let mut parts = Vec::new();
                self.document(&mut parts, parent, next, 2);
                PageOp::Insert { parent, next, parts }
            }
        })
    }

    /// Of a frame.
    fn document(&mut self, parts: &mut Vec<Part>, parent: NodeId, next: Option<NodeId>, depth: usize) {
        let quirks = self.dice.of(&[Quirks::No, Quirks::Yes]);
        parts.push(Part::Document { quirks, url: self.dice.of(&ADDRESSES).into() });
        parts.push(Part::Comment { data: self.word().into() });
        self.subtree(parts, parent, next, depth);
        parts.push(Part::End);
    }

    fn movable(&mut self) -> Option<NodeId> {
        self.pick(|node| match node.kind() {
            Kind::Element(element) => !matches!(element.name(), "html" | "head" | "body"),
            Kind::Text(_) | Kind::Comment(_) => true,
            _ => false,
        })
    }

    fn subtree(&mut self, parts: &mut Vec<Part>, parent: NodeId, next: Option<NodeId>, depth: usize) {
        let name = self.dice.of(&NAMES);
        let mut attributes: Vec<(Box<str>, Box<str>)> = Vec::new();
        for _ in 0..self.dice.roll(4) {
            let (name, value) = self.attribute();
            if attributes.iter().all(|(known, _)| *known != name) {
                attributes.push((name, value));
            }
        }
        let namespace = if self.dice.roll(12) == 0 { Namespace::Svg } else { Namespace::Html };
        parts.push(Part::Element { namespace, name: name.into(), attributes });
        if name == "iframe" && namespace == Namespace::Html && depth > 0 && self.dice.roll(3) > 0 {
            self.document(parts, parent, next, depth - 1);
        } else if self.dice.roll(8) == 0 {
            parts.push(Part::ShadowRoot);
            parts.push(Part::Text { data: self.word().into() });
            // A slot in something.
            for (name, attribute) in [("div", "class"), ("slot", "name")] {
                let values = if name == "div" { CLASSES } else { SLOTS };
                let attributes = vec![(attribute.into(), self.dice.of(&values).into())];
                parts.push(Part::Element { namespace: Namespace::Html, name: name.into(), attributes });
            }
            parts.extend([Part::End, Part::End, Part::End]);
        }
        for _ in 0..self.dice.roll(4) {
            match self.dice.roll(6) {
                0 => parts.push(Part::Comment { data: self.word().into() }),
                1 | 2 => parts.push(Part::Text { data: self.word().into() }),
                3 => {
                    // A known node, wrapped by the new one.
                    if let Some(id) = self.movable()
                        && Some(id) != next
                        && parts.iter().all(|part| *part != Part::Known { id })
                        && self.free_to_wrap(id, parent, parts)
                    {
                        parts.push(Part::Known { id });
                    }
                }
                _ if depth > 0 => self.subtree(parts, parent, next, depth - 1),
                _ => parts.push(Part::Text { data: self.word().into() }),
            }
        }
        parts.push(Part::End);
    }

    /// Whether the new subtree can take this node in: the subtree goes into `parent`, which must not be inside it.
    fn free_to_wrap(&self, id: NodeId, parent: NodeId, _: &[Part]) -> bool {
        let parent = self.tree.get(parent).unwrap();
        parent.with_ancestors().all(|above| above.id() != id)
    }

    fn attribute(&mut self) -> (Box<str>, Box<str>) {
        let word = self.word();
        let name = self.dice.of(&[
            "class",
            "class",
            "class",
            "type",
            "value",
            "title",
            "src",
            "href",
            "style",
            "data-tandem",
            "data-x",
            "onclick",
            "srcset",
            "content",
            "disabled",
            "checked",
            "rel",
            "form",
            "fill",
            "alt",
            "slot",
            "name",
        ]);
        let value = match name {
            "class" => self.dice.of(&CLASSES).to_owned(),
            "slot" | "name" => self.dice.of(&SLOTS).to_owned(),
            "type" => self.dice.of(&TYPES).to_owned(),
            "data-tandem" => self.dice.of(&["mask", "hide", "readonly", "ignore", "x"]).to_owned(),
            "rel" => self.dice.of(&["stylesheet", "icon"]).to_owned(),
            "style" => match self.dice.roll(4) {
                0 => format!("--a: {word}; width: 3px"),
                1 => format!("background: url({word}.png) red"),
                2 => format!("content: \"{word}\""),
                _ => format!("font-family: {word}"),
            },
            _ => word,
        };
        (name.into(), value.into())
    }
}

/// A click in the middle of an element.
pub(super) fn click(node: NodeId) -> Action {
    Action::Click { node, x: 0.5, y: 0.5, count: 1, modifiers: Modifiers::default() }
}
