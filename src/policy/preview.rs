//! What an agent would see of one page, as HTML to look at, and which rules made it so.
//!
//! It is written from the very operations that an agent's browser would get, so that nothing can be in the
//! view and not in the preview.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::dom::{Matcher, Tree};
use crate::protocol::NodeId;
use crate::protocol::agent::Role;
use crate::protocol::page::Namespace;
use crate::protocol::view::{Marks, ViewControl, ViewOp, ViewPart};

use super::rules::{AddressKind, AddressRule, ElementKind, ElementRule};
use super::{EncodedView, Masker, Policies, Resource, ResourceNames};

/// A page as one role would see it.
#[derive(Debug)]
pub struct Preview {
    html: String,
    address: String,
    frame: EncodedView,
    resources: Vec<Resource>,
    rules: Vec<Matched>,
}

/// How often a rule matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The file's name as it was given.
    pub file: String,
    /// Where the rule begins, counted from 1.
    pub line: usize,
    /// `mask`, `hide`, `show`, `control`, `reveal`, `pause` or `default`.
    pub kind: &'static str,
    /// The selector; empty for rules about whole pages.
    pub select: String,
    /// Elements that it matched, also inside others that are masked or hidden already.
    pub count: usize,
}

impl Preview {
    /// Masks a page for a role.
    pub fn of(policies: &Arc<Policies>, tree: &Tree, role: Role) -> Preview {
        let names = ResourceNames::new([0; 32], "/resource/");
        let masked = Masker::new(policies.clone(), role, names).view(tree);
        let address = masked.patch.0.iter().find_map(|op| match op {
            ViewOp::Location { url } => Some(url.to_string()),
            _ => None,
        });
        Preview {
            html: html(&masked.patch.0),
            address: address.unwrap_or_default(),
            frame: masked.patch.encode(1, 0),
            resources: masked.resources,
            rules: matches(policies, tree, role),
        }
    }

    /// The view as HTML. Form controls have the values that the agent sees; `data-tandem-view` says what an
    /// element is to the agent: `masked`, `hidden`, `disabled`, `placeholder`.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// What the agent reads in the address bar.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the agent may load: absolute addresses at the site. What is in it is not looked at here.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|resource| &*resource.url)
    }

    /// The rules that are in force on the page, in the order of the files.
    pub fn rules(&self) -> &[Matched] {
        &self.rules
    }

    /// Whether a text is in anything that the agent's browser would get, in any letter case, as it is or with the escapes of URLs.
    pub fn contains(&self, canary: &str) -> bool {
        let canary = canary.to_lowercase();
        let frame = String::from_utf8_lossy(self.frame.bytes()).to_lowercase();
        let decoded = percent_decode_str(&frame).decode_utf8_lossy().to_lowercase();
        [&*frame, &*decoded, &*decoded.replace('+', " ")].iter().any(|text| text.contains(&canary))
    }
}

fn matches(policies: &Policies, tree: &Tree, role: Role) -> Vec<Matched> {
    let url = Url::parse(tree.location()).ok();
    let mut matcher = Matcher::new(tree);
    let mut out = Vec::new();
    for set in policies.sets.iter().filter(|set| set.holds(url.as_ref(), role)) {
        let whole = |kind| Matched { file: set.file.clone(), line: 1, kind, select: String::new(), count: 1 };
        if set.masked_by_default {
            out.push(whole("default"));
        }
        let paused = |rule: &&AddressRule| {
            rule.kind == AddressKind::Pause && url.as_ref().is_some_and(|url| rule.matches(url))
        };
        for rule in set.addresses.iter().filter(paused) {
            out.push(Matched { line: rule.line, ..whole("pause") });
        }
        let seen = |rule: &&ElementRule| match &rule.kind {
            ElementKind::Reveal { roles } => roles.contains(&role),
            _ => true,
        };
        let mut rules: Vec<&ElementRule> = set.elements.iter().filter(seen).collect();
        rules.sort_by_key(|rule| rule.line);
        for rule in rules {
            let nodes = tree.document().with_descendants();
            out.push(Matched {
                file: set.file.clone(),
                line: rule.line,
                kind: rule.kind.word(),
                select: rule.text.clone(),
                count: nodes.filter(|node| matcher.matches(&rule.selector, *node)).count(),
            });
        }
    }
    out
}

/// Elements that have no end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

fn html(ops: &[ViewOp]) -> String {
    let mut controls: HashMap<NodeId, &ViewControl> = HashMap::new();
    for op in ops {
        if let ViewOp::Control { id, state } = op {
            controls.insert(*id, state);
        }
    }
    let mut writer = Html { out: String::new(), open: Vec::new(), controls };
    for op in ops {
        if let ViewOp::Insert { parts, .. } = op {
            parts.iter().for_each(|part| writer.part(part));
        }
    }
    writer.out.push('\n');
    writer.out
}

struct Html<'a> {
    out: String,
    open: Vec<Open<'a>>,
    controls: HashMap<NodeId, &'a ViewControl>,
}

struct Open<'a> {
    name: &'a str,
    /// Its texts stand as they are, or are not written at all.
    raw: Raw,
    /// Options that came in it, and which of them are selected.
    options: Option<(u32, &'a [u32])>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    No,
    Sheet,
    /// Something else stands in place of the texts.
    Silent,
}

impl<'a> Html<'a> {
    fn part(&mut self, part: &'a ViewPart) {
        match part {
            ViewPart::Element { id, marks, namespace, name, attributes } => {
                self.element(*id, *marks, *namespace, name, attributes);
            }
            ViewPart::Text { data, .. } => match self.open.last().map_or(Raw::No, |open| open.raw) {
                Raw::No => escape(&mut self.out, data),
                // An end tag can not be in a sheet that was parsed; one that a script made could.
                Raw::Sheet => self.out.push_str(&data.replace("</", "<\\/")),
                Raw::Silent => {}
            },
            ViewPart::Comment { .. } => {}
            ViewPart::Doctype { .. } => self.out.push_str("<!DOCTYPE html>"),
            ViewPart::ShadowRoot { .. } => {
                self.out.push_str("<template shadowrootmode=\"open\">");
                self.open.push(Open { name: "template", raw: Raw::No, options: None });
            }
            // A page from HTML text has none: its frames have not loaded.
            ViewPart::Document { .. } => {
                self.out.push_str("<template>");
                self.open.push(Open { name: "template", raw: Raw::No, options: None });
            }
            ViewPart::End => {
                if let Some(open) = self.open.pop()
                    && !open.name.is_empty()
                {
                    let _ = write!(self.out, "</{}>", open.name);
                }
            }
        }
    }

    fn element(
        &mut self,
        id: NodeId,
        marks: Marks,
        namespace: Namespace,
        name: &'a str,
        attributes: &'a [(Box<str>, Box<str>)],
    ) {
        let control = self.controls.get(&id).copied();
        let mut raw = if name.eq_ignore_ascii_case("style") { Raw::Sheet } else { Raw::No };
        let _ = write!(self.out, "<{name}");
        let replaced = |attribute: &str| match attribute {
            "value" => name == "input" && control.is_some_and(|state| state.value.is_some()),
            "checked" => control.is_some(),
            "selected" => name == "option",
            _ => false,
        };
        for (attribute, value) in attributes.iter().filter(|(attribute, _)| !replaced(attribute)) {
            self.attribute(attribute, value);
        }
        let words = [
            (marks.masked, "masked"),
            (marks.hidden, "hidden"),
            (marks.disabled, "disabled"),
            (marks.placeholder, "placeholder"),
        ];
        let words: Vec<&str> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        if !words.is_empty() {
            self.attribute("data-tandem-view", &words.join(" "));
        }
        if let Some(state) = control {
            if name == "input"
                && let Some(value) = &state.value
            {
                self.attribute("value", value);
            }
            if state.checked.is_some_and(|checked| checked.on) {
                self.attribute("checked", "");
            }
        }
        if name == "option" {
            let select = self.open.iter_mut().rev().find_map(|open| open.options.as_mut());
            if let Some((index, selected)) = select {
                let is = selected.contains(index);
                *index += 1;
                if is {
                    self.attribute("selected", "");
                }
            }
        }
        self.out.push('>');
        if name == "textarea"
            && let Some(value) = control.and_then(|state| state.value.as_ref())
        {
            self.out.push('\n');
            escape(&mut self.out, value);
            raw = Raw::Silent;
        }
        let void = namespace == Namespace::Html && VOID.contains(&name);
        let selected = control.and_then(|state| state.selected.as_deref());
        let options = (name == "select").then(|| (0, selected.unwrap_or_default()));
        self.open.push(Open { name: if void { "" } else { name }, raw, options });
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.out, " {name}=\"");
        escape(&mut self.out, value);
        self.out.push('"');
    }
}

fn escape(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            char => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::Limits;

    const POLICY: &str = "\n[[mask]]\nselect = \"#ssn, .card\"\n[[hide]]\nselect = \".balance\"\n[[control]]\nselect = \"#go\"\nagent = \"enabled\"\n";

    fn preview(policy: &str, html: &str) -> Preview {
        let policies =
            Policies::parse(&[("p.toml", policy)]).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let tree = Tree::from_html(html, "https://shop.test/a?x=1", Limits::default()).unwrap();
        Preview::of(&Arc::new(policies), &tree, Role::Agent)
    }

    #[test]
    fn it_shows_what_the_agent_sees() {
        let shown = preview(
            POLICY,
            "<!doctype html><body><p id=ssn title=T>1 2</p><p>a &lt; b</p><input class=card value=12><div class=balance>9</div>\
             <textarea>hi</textarea><select><option>1<option selected>2</select><form><button>Pay</button></form>",
        );
        assert_eq!(
            shown.html(),
            "<!DOCTYPE html><html><head></head><body><p id=\"ssn\" data-tandem-view=\"masked\">• •</p><p>a &lt; b</p>\
             <input class=\"card\" data-tandem-view=\"masked\" value=\"••\">\
             <div class=\"balance\" data-tandem-view=\"hidden\"></div><textarea>\nhi</textarea>\
             <select><option>1</option><option selected=\"\">2</option></select>\
             <form><button data-tandem-view=\"disabled\">Pay</button></form></body></html>\n"
        );
        assert_eq!(shown.address(), "https://shop.test/a?x=1");
    }

    #[test]
    fn every_rule_in_force_is_counted_with_its_place() {
        let shown = preview(POLICY, "<p class=card><b id=ssn></b></p><p class=card></p>");
        let rules: Vec<_> =
            shown.rules().iter().map(|rule| (rule.line, rule.kind, &*rule.select, rule.count)).collect();
        assert_eq!(
            rules,
            [(2, "mask", "#ssn, .card", 3), (4, "hide", ".balance", 0), (6, "control", "#go", 0)]
        );
        assert!(preview("urls = ['/b']\n[[mask]]\nselect = 'p'\n", "<p>x").rules().is_empty());
        let paused = preview("[[pause]]\nurls = ['/a']\n", "<p>secret");
        assert_eq!((paused.rules()[0].kind, paused.contains("secret")), ("pause", false));
    }

    #[test]
    fn a_canary_is_found_wherever_it_gets_through() {
        for html in [
            "<p>Kanarie 7</p>",
            "<p title='KANARIE 7'></p>",
            "<input value='kanarie 7'>",
            "<a href='/x/kanarie%207?a'>y</a>",
            "<a href='/x?q=kanarie+7'>y</a>",
            "<style>p::before { content: 'kanarie 7' }</style>",
        ] {
            assert!(preview(POLICY, html).contains("kanarie 7"), "{html}");
        }
        for html in [
            "<p id=ssn title='kanarie 7'>kanarie 7</p>",
            "<!--kanarie 7-->",
            "<script>'kanarie 7'</script>",
            "<input type=password value='kanarie 7'>",
        ] {
            assert!(!preview(POLICY, html).contains("kanarie 7"), "{html}");
        }
    }
}
