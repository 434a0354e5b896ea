//! Pages from HTML text: what a browser that runs no scripts would have after parsing it.
//!
//! The parser builds its own loose nodes (they move while it works); the page is then told as the operations
//! that a customer's browser would send, so the tree checks and bounds it like any other.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::{Attribute, ExpandedName, LocalName, QualName, ns};

use crate::protocol::NodeId;
use crate::protocol::page::{Checked, Control, Namespace, PageOp, Part, Quirks, Value};

use super::{Element, Kind, Limits, Misfit, NodeRef, Tree, forms};

impl Tree {
    /// The page that `html` is at the address `url`, with its form controls as they are before anybody typed.
    ///
    /// # Errors
    /// When the page is larger than `limits`.
    pub fn from_html(html: &str, url: &str, limits: Limits) -> Result<Tree, Misfit> {
        let builder = html5ever::parse_document(Builder::new(), html5ever::ParseOpts::default()).one(html);
        let mut tree = Tree::new(limits);
        let mut ops = vec![
            PageOp::Begin { quirks: builder.quirks.get() },
            PageOp::Location { url: url.into() },
            PageOp::Viewport { width: 1280, height: 800, ratio: 100 },
        ];
        let nodes = builder.nodes.into_inner();
        for child in &nodes[DOCUMENT].children {
            let parts = parts(&nodes, *child);
            ops.push(PageOp::Insert { parent: NodeId::DOCUMENT, next: None, parts });
        }
        tree.apply(&ops)?;
        let control = |node: NodeRef<'_>| Some(PageOp::Control { id: node.id(), state: initial(node)? });
        let controls: Vec<PageOp> = tree.document().with_descendants().filter_map(control).collect();
        tree.apply(&controls)?;
        Ok(tree)
    }
}

/// The state of a form control that nobody has touched.
fn initial(node: NodeRef<'_>) -> Option<Control> {
    let element = node.element()?;
    let told = |text: String| Control { value: Some(Value::Told(text.into())), ..Control::default() };
    if element.is_html("textarea") {
        return Some(told(text_of(node)));
    }
    if element.is_html("select") {
        let options: Vec<NodeRef<'_>> = forms::options(node).collect();
        let chosen = |(index, option): (usize, &NodeRef<'_>)| option.has("selected").then_some(index as u32);
        let mut selected: Vec<u32> = options.iter().enumerate().filter_map(chosen).collect();
        if !node.has("multiple") {
            let one = selected.last().copied().or(if options.is_empty() { None } else { Some(0) });
            selected = one.into_iter().collect();
        }
        return Some(Control { selected: Some(selected), ..Control::default() });
    }
    if element.attribute_is("type", "checkbox") || element.attribute_is("type", "radio") {
        let checked = Checked::from(node.has("checked"));
        return element.is_html("input").then(|| Control { checked: Some(checked), ..Control::default() });
    }
    forms::is_text_field(element).then(|| told(value_of(element)))
}

fn value_of(element: &Element) -> String {
    element.attribute("value").unwrap_or_default().to_owned()
}

fn text_of(node: NodeRef<'_>) -> String {
    let texts = node.children().filter_map(|child| match child.kind() {
        Kind::Text(data) => Some(&**data),
        _ => None,
    });
    texts.collect()
}

/// Index of the document among the loose nodes.
const DOCUMENT: usize = 0;

struct Loose {
    parent: Option<usize>,
    children: Vec<usize>,
    what: What,
}

enum What {
    Document,
    /// What a `template` holds: not part of the page.
    Contents,
    Shadow,
    Doctype {
        name: StrTendril,
        public: StrTendril,
        system: StrTendril,
    },
    Text(StrTendril),
    Comment(StrTendril),
    Element {
        name: Rc<QualName>,
        attributes: Vec<Attribute>,
        contents: Option<usize>,
        shadow: Option<usize>,
        /// Of MathML, and what is in it is HTML.
        integration_point: bool,
    },
}

/// A loose node and its name.
#[derive(Clone)]
struct Handle(usize, Rc<QualName>);

struct Builder {
    nodes: RefCell<Vec<Loose>>,
    quirks: Cell<Quirks>,
    nameless: Rc<QualName>,
}

impl Builder {
    fn new() -> Builder {
        let document = Loose { parent: None, children: Vec::new(), what: What::Document };
        Builder {
            nodes: RefCell::new(vec![document]),
            quirks: Cell::new(Quirks::No),
            nameless: Rc::new(QualName::new(None, ns!(), LocalName::from(""))),
        }
    }

    fn create(&self, what: What) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Loose { parent: None, children: Vec::new(), what });
        nodes.len() - 1
    }

    fn handle(&self, node: usize) -> Handle {
        Handle(node, self.nameless.clone())
    }

    fn detach(&self, node: usize) {
        let mut nodes = self.nodes.borrow_mut();
        if let Some(parent) = nodes[node].parent.take() {
            let children = &mut nodes[parent].children;
            // Nearly always one of the last.
            if let Some(at) = children.iter().rposition(|child| *child == node) {
                children.remove(at);
            }
        }
    }

    fn insert(&self, parent: usize, at: usize, child: NodeOrText<Handle>) {
        match child {
            NodeOrText::AppendNode(Handle(node, _)) => {
                self.detach(node);
                let mut nodes = self.nodes.borrow_mut();
                let at = at.min(nodes[parent].children.len());
                nodes[parent].children.insert(at, node);
                nodes[node].parent = Some(parent);
            }
            NodeOrText::AppendText(more) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = at.checked_sub(1).map(|at| nodes[parent].children[at]);
                if let Some(before) = before
                    && let What::Text(text) = &mut nodes[before].what
                {
                    text.push_tendril(&more);
                    return;
                }
                drop(nodes);
                let text = self.create(What::Text(more));
                self.insert(parent, at, NodeOrText::AppendNode(self.handle(text)));
            }
        }
    }

    fn count(&self, parent: usize) -> usize {
        self.nodes.borrow()[parent].children.len()
    }
}

impl TreeSink for Builder {
    type Handle = Handle;
    type Output = Builder;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Builder {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.handle(DOCUMENT)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.1.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let name = Rc::new(name);
        let contents = flags.template.then(|| self.create(What::Contents));
        let integration_point = flags.mathml_annotation_xml_integration_point;
        let what =
            What::Element { name: name.clone(), attributes, contents, shadow: None, integration_point };
        Handle(self.create(what), name)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.handle(self.create(What::Comment(text)))
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> Handle {
        self.create_comment(data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.detach(node.0);
        }
        self.insert(parent.0, self.count(parent.0), child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.nodes.borrow()[element.0].parent.is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        let doctype = self.create(What::Doctype { name, public, system });
        self.append(&self.get_document(), NodeOrText::AppendNode(self.handle(doctype)));
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let contents = match &self.nodes.borrow()[target.0].what {
            What::Element { contents, .. } => *contents,
            _ => None,
        };
        // The parser asks only for those of templates.
        self.handle(contents.unwrap_or(target.0))
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        matches!(self.nodes.borrow()[target.0].what, What::Element { integration_point: true, .. })
    }

    fn same_node(&self, one: &Handle, two: &Handle) -> bool {
        one.0 == two.0
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        // `compatMode` calls the limited mode none.
        self.quirks.set(if mode == QuirksMode::Quirks { Quirks::Yes } else { Quirks::No });
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.detach(node.0);
        }
        let place = {
            let nodes = self.nodes.borrow();
            nodes[sibling.0].parent.map(|parent| {
                let at = nodes[parent].children.iter().rposition(|child| *child == sibling.0);
                (parent, at.unwrap_or(nodes[parent].children.len()))
            })
        };
        if let Some((parent, at)) = place {
            self.insert(parent, at, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, more: Vec<Attribute>) {
        if let What::Element { attributes, .. } = &mut self.nodes.borrow_mut()[target.0].what {
            for attribute in more {
                if attributes.iter().all(|known| known.name != attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.0);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut nodes = self.nodes.borrow_mut();
        let children = std::mem::take(&mut nodes[node.0].children);
        for child in &children {
            nodes[*child].parent = Some(new_parent.0);
        }
        nodes[new_parent.0].children.extend(children);
    }

    fn attach_declarative_shadow(&self, host: &Handle, template: &Handle, _: &[Attribute]) -> bool {
        let root = self.create(What::Shadow);
        let mut nodes = self.nodes.borrow_mut();
        match &mut nodes[host.0].what {
            What::Element { shadow, .. } if shadow.is_none() => *shadow = Some(root),
            _ => return false,
        }
        // What the parser puts into the template from now on is in the shadow tree.
        match &mut nodes[template.0].what {
            What::Element { contents, .. } => *contents = Some(root),
            _ => return false,
        }
        true
    }
}

/// A loose node and everything in it as the pieces of a subtree, in constant stack.
fn parts(nodes: &[Loose], top: usize) -> Vec<Part> {
    let mut out = Vec::new();
    let mut work = vec![Some(top)];
    while let Some(next) = work.pop() {
        let Some(node) = next else {
            out.push(Part::End);
            continue;
        };
        let mut inside: Option<usize> = None;
        let opened = match &nodes[node].what {
            What::Document | What::Contents => false,
            What::Shadow => {
                out.push(Part::ShadowRoot);
                true
            }
            What::Doctype { name, public, system } => {
                let [name, public, system] = [name, public, system].map(|text| Box::from(&**text));
                out.push(Part::Doctype { name, public, system });
                false
            }
            What::Text(data) => {
                out.push(Part::Text { data: (&**data).into() });
                false
            }
            What::Comment(data) => {
                out.push(Part::Comment { data: (&**data).into() });
                false
            }
            What::Element { name, attributes, shadow, .. } => {
                inside = *shadow;
                out.push(element(name, attributes));
                true
            }
        };
        if opened {
            work.push(None);
            work.extend(nodes[node].children.iter().rev().map(|child| Some(*child)));
            work.extend(inside.map(Some));
        }
    }
    out
}

fn element(name: &QualName, attributes: &[Attribute]) -> Part {
    let namespace = match name.ns {
        ns!(svg) => Namespace::Svg,
        ns!(mathml) => Namespace::MathMl,
        _ => Namespace::Html,
    };
    let attribute = |attribute: &Attribute| {
        let name = match &attribute.name.prefix {
            Some(prefix) => format!("{prefix}:{}", attribute.name.local).into(),
            None => Box::from(&*attribute.name.local),
        };
        (name, Box::from(&*attribute.value))
    };
    Part::Element {
        namespace,
        name: (&*name.local).into(),
        attributes: attributes.iter().map(attribute).collect(),
    }
}

#[cfg(test)]
mod tests;
