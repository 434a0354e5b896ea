//! What HTML says about forms and their controls, as far as rules and the guard need it.
//!
//! Section numbers change; the names of the concepts are those of the HTML standard, "Forms".

use crate::protocol::page::Checked;

use super::{Element, Kind, NodeRef};

impl<'a> NodeRef<'a> {
    /// Whether it is an element with this attribute.
    pub fn has(self, attribute: &str) -> bool {
        self.element().is_some_and(|element| element.attribute(attribute).is_some())
    }

    /// Whether it is the HTML element of this local name.
    pub fn is_html(self, name: &str) -> bool {
        self.element().is_some_and(|element| element.is_html(name))
    }

    /// The nearest HTML element of this name that it is, or is in, through shadow roots but not out of a frame.
    pub fn closest_html(self, name: &str) -> Option<NodeRef<'a>> {
        self.in_document().find(|node| node.is_html(name))
    }

    /// The element of this id in the same tree.
    pub fn find_in_tree(self, id: &str) -> Option<NodeRef<'a>> {
        let root = self.tree_root();
        (!id.is_empty())
            .then(|| root.with_descendants().find(|node| node.element_has_id(id) && node.tree_root() == root))
            .flatten()
    }

    fn element_has_id(self, id: &str) -> bool {
        self.element().is_some_and(|element| element.attribute("id") == Some(id))
    }
}

/// What pressing an element does to its form.
pub fn submits(node: NodeRef<'_>) -> bool {
    let Some(element) = node.element() else { return false };
    if element.is_html("input") {
        return element.attribute_is("type", "submit") || element.attribute_is("type", "image");
    }
    if !element.is_html("button") {
        return false;
    }
    match element.attribute("type") {
        Some(kind) if kind.eq_ignore_ascii_case("submit") => true,
        Some(kind) if kind.eq_ignore_ascii_case("button") || kind.eq_ignore_ascii_case("reset") => false,
        // Missing or invalid: a submit button, if there is something to submit.
        _ => element.attribute("form").is_some() || node.closest_html("form").is_some(),
    }
}

/// "Form owner".
pub fn owner(node: NodeRef<'_>) -> Option<NodeRef<'_>> {
    match node.element()?.attribute("form") {
        Some(id) => node.find_in_tree(id).filter(|form| form.is_html("form")),
        None => node.closest_html("form"),
    }
}

/// "Default button": the first submit button of a form in tree order.
pub fn default_button(form: NodeRef<'_>) -> Option<NodeRef<'_>> {
    form.tree_root().with_descendants().find(|node| submits(*node) && owner(*node) == Some(form))
}

/// What may be the "labeled control" of a `label`: only the page's scripts know which custom elements are controls, so these,
/// and the first element that is one in any case.
pub fn labelled(label: NodeRef<'_>) -> Vec<NodeRef<'_>> {
    let custom = |node: &NodeRef<'_>| node.element().is_some_and(|element| element.name().contains('-'));
    if let Some(id) = label.element().and_then(|element| element.attribute("for")) {
        let found = label.find_in_tree(id);
        return found.into_iter().filter(|node| labelable(*node) || custom(node)).collect();
    }
    let root = label.tree_root();
    let mut found = Vec::new();
    for node in label.with_descendants().filter(|node| node.tree_root() == root) {
        let last = labelable(node);
        if last || custom(&node) {
            found.push(node);
        }
        if last {
            break;
        }
    }
    found
}

fn labelable(node: NodeRef<'_>) -> bool {
    node.element().is_some_and(|element| {
        (element.is_html("input") && !element.attribute_is("type", "hidden"))
            || ["button", "meter", "output", "progress", "select", "textarea"]
                .iter()
                .any(|name| element.is_html(name))
    })
}

/// Whether `:enabled` and `:disabled` are about this element.
pub fn can_be_disabled(node: NodeRef<'_>) -> bool {
    is_one_of(node, &["button", "input", "select", "textarea", "optgroup", "option", "fieldset"])
}

pub(super) fn can_be_required(node: NodeRef<'_>) -> bool {
    is_one_of(node, &["input", "select", "textarea"])
}

fn is_one_of(node: NodeRef<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| node.is_html(name))
}

/// "Actually disabled", or inside something that is.
pub fn disabled(node: NodeRef<'_>) -> bool {
    let mut inside: Option<NodeRef<'_>> = None;
    for at in node.in_document() {
        if at.has("disabled") && can_be_disabled(at) {
            let spared = at != node
                && at.is_html("fieldset")
                && inside.is_some_and(|child| {
                    child.is_html("legend") && at.children().find(|child| child.is_html("legend")) == inside
                });
            if !spared {
                return true;
            }
        }
        inside = Some(at);
    }
    false
}

/// Whether the customer could type into this element: a text field, or an editing host or what is in one.
pub fn editable(node: NodeRef<'_>) -> bool {
    let Some(element) = node.element() else { return false };
    if element.is_html("textarea") || is_text_field(element) {
        return !node.has("readonly") && !disabled(node);
    }
    edited(node)
}

/// Whether an element's content is edited in place (`contenteditable`).
pub fn edited(node: NodeRef<'_>) -> bool {
    for at in node.in_document() {
        if matches!(at.kind(), Kind::ShadowRoot) {
            return false;
        }
        let Some(value) = at.element().and_then(|element| element.attribute("contenteditable")) else {
            continue;
        };
        let value = value.to_ascii_lowercase();
        match value.as_str() {
            "" | "true" | "plaintext-only" => return true,
            "false" => return false,
            _ => {}
        }
    }
    false
}

/// Whether an `input` takes a text (or a date, a number, a colour: a value that can be written down).
pub fn is_text_field(element: &Element) -> bool {
    element.is_html("input")
        && !element.attribute("type").is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            matches!(
                kind.as_str(),
                "hidden" | "checkbox" | "radio" | "file" | "submit" | "image" | "reset" | "button"
            )
        })
}

/// The options of a `select`, in order.
pub fn options(select: NodeRef<'_>) -> impl Iterator<Item = NodeRef<'_>> {
    select.with_descendants().filter(|node| node.is_html("option"))
}

/// The state of a checkbox, radio button or option.
pub fn checked(node: NodeRef<'_>) -> Option<Checked> {
    let element = node.element()?;
    let told = |on: bool| Some(Checked::from(on));
    if element.is_html("option") {
        let select = node.closest_html("select")?;
        return match select.element().and_then(Element::control).and_then(|state| state.selected.as_ref()) {
            Some(selected) => {
                let index = options(select).position(|option| option == node)?;
                told(selected.contains(&(index as u32)))
            }
            None => told(node.has("selected")),
        };
    }
    if !(element.attribute_is("type", "checkbox") || element.attribute_is("type", "radio")) {
        return None;
    }
    match element.control().and_then(|state| state.checked) {
        Some(checked) => Some(checked),
        None => told(node.has("checked")),
    }
}
