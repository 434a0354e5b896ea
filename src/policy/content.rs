//! What of a node's content goes into a view, once its verdict is known.
//!
//! For what is masked there is a list of attributes that may stay; for what is shown, a list of what can not
//! (what would run, load or submit something). Every URL that would load something becomes a capability
//! or goes.

mod addresses;
mod candidates;
mod shape;

use std::borrow::Cow;

use url::Url;

use crate::dom::{Element, Kind, NodeRef};
use crate::protocol::page::{Checked, Control, Namespace, Value};
use crate::protocol::view::{Marks, ViewControl};

use self::addresses::{is_data, plain, resolve};
pub(super) use self::candidates::CHOICE;
use self::shape::shape_only;
use super::echo::{Echoes, SHORTEST, SHORTEST_IN_CODE};
use super::verdict::{Reach, Shape, Sight, Verdict};
use super::{Resource, ResourceNames, resource};

/// What stands for a character that is masked.
const BULLET: &str = "•";
/// Bullets in place of every password, so that not even its length is known.
const PASSWORD: usize = 8;
/// At most so many bullets in a field.
const BULLETS: usize = 4_096;

/// Attributes that a masked element keeps: they make its shape.
const STRUCTURE: [&str; 24] = [
    "class", "id", "style", "type", "dir", "lang", "rows", "cols", "size", "width", "height", "role",
    "hidden", "disabled", "colspan", "rowspan", "multiple", "open", "tabindex", "for", "slot", "span",
    "inert", DEFINED,
];
/// That a custom element is defined: `injector/src/customer/custom.ts`.
const DEFINED: &str = "data-tandem-defined";
/// How an element is animated, as a style sheet: `injector/src/motion/motion.ts`.
const MOTION: &str = "data-tandem-motion";
/// Attributes that a placeholder keeps.
const BOX: [&str; 6] = ["class", "id", "style", "width", "height", "hidden"];
/// Attributes that no view has.
const NEVER: [&str; 37] = [
    "nonce",
    "integrity",
    "srcdoc",
    "action",
    "formaction",
    "formtarget",
    "ping",
    "srcset",
    "sizes",
    "imagesrcset",
    "imagesizes",
    "autofocus",
    "autoplay",
    "crossorigin",
    "http-equiv",
    "manifest",
    "archive",
    "codebase",
    "classid",
    "longdesc",
    "profile",
    "cite",
    "lowsrc",
    "dynsrc",
    "data",
    "xml:base",
    "accesskey",
    "popovertarget",
    "popovertargetaction",
    "command",
    "commandfor",
    "attributionsrc",
    "fetchpriority",
    "referrerpolicy",
    "csp",
    "allow",
    "sandbox",
];
/// Elements whose `background` is a picture.
const WITH_BACKGROUND: [&str; 8] = ["body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// SVG attributes whose value is CSS that can fetch.
const PAINT: [&str; 11] = [
    "fill",
    "stroke",
    "filter",
    "mask",
    "clip-path",
    "marker",
    "marker-start",
    "marker-mid",
    "marker-end",
    "cursor",
    "mask-image",
];

/// Writes the content of nodes and notes what it refers to.
pub(super) struct Lens<'a> {
    pub(super) names: &'a ResourceNames,
    pub(super) echoes: &'a Echoes,
    pub(super) resources: Vec<Resource>,
    /// Something that was typed into a masked field was found and left out.
    pub(super) struck: bool,
}

pub(super) fn marks(verdict: &Verdict) -> Marks {
    Marks {
        masked: verdict.sight.masked(),
        hidden: verdict.sight == Sight::Hidden,
        disabled: verdict.reach == Reach::Disabled,
        placeholder: verdict.sight != Sight::Hidden
            && matches!(verdict.shape, Shape::Placeholder | Shape::Pictured),
    }
}

/// Whether the agent is told the size of an element.
pub(super) fn measured(verdict: &Verdict) -> bool {
    verdict.sight == Sight::Hidden || matches!(verdict.shape, Shape::Placeholder | Shape::Pictured)
}

/// The document's URL without name and password; of a page that is hidden as a whole, only whose it is.
pub(super) fn address(location: &str, sight: Sight, echoes: &Echoes) -> Box<str> {
    match Url::parse(location) {
        Ok(url) if sight >= Sight::Hidden => url.origin().ascii_serialization().into(),
        Ok(url) => echoes.hide(plain(url).as_str(), SHORTEST).into(),
        Err(_) => "".into(),
    }
}

/// The state of a form control.
pub(super) fn control(
    element: &Element,
    state: &Control,
    verdict: &Verdict,
    echoes: &Echoes,
) -> Option<ViewControl> {
    if !verdict.open() {
        return None;
    }
    if element.is_html("input") && element.attribute_is("type", "hidden") {
        return Some(ViewControl::default());
    }
    let length = match &state.value {
        Some(Value::Told(text)) => text.chars().take(BULLETS).count(),
        Some(Value::Withheld { length }) => (*length as usize).min(BULLETS),
        None => 0,
    };
    if verdict.sight.masked() {
        let length = if verdict.fixed && length > 0 { PASSWORD } else { length };
        let value = state.value.is_some().then(|| BULLET.repeat(length).into());
        return Some(ViewControl { value, checked: None, selected: None, validity: state.validity });
    }
    let value = state.value.as_ref().map(|value| match value {
        Value::Told(text) => echoes.hide(text, SHORTEST).into(),
        Value::Withheld { .. } => BULLET.repeat(length).into(),
    });
    let checked: Option<Checked> = state.checked;
    Some(ViewControl { value, checked, selected: state.selected.clone(), validity: state.validity })
}

/// What a browser says in a box of its own.
pub(super) fn notice(text: &str, sight: Sight, echoes: &Echoes) -> Box<str> {
    match sight {
        Sight::Shown => echoes.hide(text, SHORTEST).into(),
        _ => bullets(text),
    }
}

/// Every character but white space becomes a bullet.
fn bullets(text: &str) -> Box<str> {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_whitespace() {
            out.push(char);
        } else {
            out.push_str(BULLET);
        }
    }
    out.into()
}

impl<'a> Lens<'a> {
    pub(super) fn new(names: &'a ResourceNames, echoes: &'a Echoes) -> Lens<'a> {
        Lens { names, echoes, resources: Vec::new(), struck: false }
    }

    /// Without what was typed into masked fields.
    fn without_echoes(&mut self, text: Box<str>, shortest: usize) -> Box<str> {
        match self.echoes.hide(&text, shortest) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => {
                self.struck = true;
                hidden.into()
            }
        }
    }

    /// The content of a text in a parent of this verdict.
    pub(super) fn text(&mut self, node: NodeRef<'_>, data: &str, verdict: &Verdict) -> Box<str> {
        let style = node.parent().filter(|parent| is_style(*parent));
        match style {
            Some(style) => {
                // A sheet can be cut into several texts anywhere: the first one gets all of it.
                let mut texts = style.children().filter(|child| matches!(child.kind(), Kind::Text(_)));
                if texts.next() == Some(node) { self.sheet(style, verdict) } else { "".into() }
            }
            None if verdict.sight == Sight::Shown => self.without_echoes(data.into(), SHORTEST),
            None if verdict.fixed && !data.trim().is_empty() => BULLET.repeat(PASSWORD).into(),
            None => bullets(data),
        }
    }

    /// The style sheet in a `style` element. Styles in something that a rule masks could say what it says.
    fn sheet(&mut self, style: NodeRef<'_>, verdict: &Verdict) -> Box<str> {
        if verdict.sight >= Sight::Masked {
            return "".into();
        }
        let told = style.element().and_then(Element::sheet).and_then(|sheet| sheet.css.as_deref());
        let css: Cow<'_, str> = match told {
            Some(css) => css.into(),
            None => style
                .children()
                .filter_map(|child| match child.kind() {
                    Kind::Text(data) => Some(&**data),
                    _ => None,
                })
                .collect(),
        };
        let css = self.css(style, None, &css);
        self.without_echoes(css, SHORTEST_IN_CODE)
    }

    /// The rules that scripts have given a `link`; its URLs are those of the sheet.
    pub(super) fn rules(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        verdict: &Verdict,
    ) -> Option<Box<str>> {
        let css = element.sheet()?.css.as_deref()?;
        if verdict.sight >= Sight::Masked {
            return None;
        }
        let base = resolve(node, None, element.attribute("href")?)?;
        let css = self.css(node, Some(&base), css);
        Some(self.without_echoes(css, SHORTEST_IN_CODE))
    }

    /// All attributes of an element.
    pub(super) fn attributes(&mut self, node: NodeRef<'_>, verdict: &Verdict) -> Vec<(Box<str>, Box<str>)> {
        let Some(element) = node.element() else { return Vec::new() };
        let mut out = Vec::with_capacity(element.attributes().len());
        if element.is_html("img") {
            for name in CHOICE {
                if let Some(value) = self.choice(node, element, verdict, name) {
                    out.push((name.into(), value));
                }
            }
        }
        for (name, value) in element.attributes() {
            if let Some(value) = self.attribute(node, element, verdict, name, value) {
                out.push((Box::from(&**name), value));
            }
        }
        if element.attribute("src").is_none()
            && let Some(source) = self.source(node, element, verdict)
        {
            out.push(("src".into(), source));
        }
        if element.attribute("media").is_none()
            && let Some(media) = self.media(element, verdict)
        {
            out.push(("media".into(), media));
        }
        out
    }

    /// The value of one attribute as it is in the view now, whether or not the page has it.
    pub(super) fn attribute_now(
        &mut self,
        node: NodeRef<'_>,
        verdict: &Verdict,
        name: &str,
    ) -> Option<Box<str>> {
        let element = node.element()?;
        if element.is_html("img") && CHOICE.contains(&name) {
            return self.choice(node, element, verdict, name);
        }
        match element.attribute(name) {
            Some(value) => self.attribute(node, element, verdict, name, value),
            None if name == "src" => self.source(node, element, verdict),
            None if name == "media" => self.media(element, verdict),
            None => None,
        }
    }

    /// What a sheet holds for, where scripts have said it.
    fn media(&self, element: &Element, verdict: &Verdict) -> Option<Box<str>> {
        let media = element.sheet()?.media.clone()?;
        (verdict.sight < Sight::Masked).then_some(media)
    }

    /// Where the picture is to be had that a drawing or film shows now.
    pub(super) fn picture(&mut self, element: &Element, verdict: &Verdict) -> Option<Box<str>> {
        if verdict.shape != Shape::Pictured {
            return None;
        }
        let url = resource::picture(element.picture()?);
        let (token, address) = self.names.name(&url);
        self.resources.push(Resource { token, url });
        Some(address.into())
    }

    /// What an image shows where its `src` does not say so.
    fn source(&mut self, node: NodeRef<'_>, element: &Element, verdict: &Verdict) -> Option<Box<str>> {
        if verdict.sight != Sight::Shown || verdict.shape != Shape::Whole || !element.is_html("img") {
            return None;
        }
        self.capability(node, element.source()?, true)
    }

    fn attribute(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        verdict: &Verdict,
        name: &str,
        value: &str,
    ) -> Option<Box<str>> {
        let value = self.attribute_with_echoes(node, element, verdict, name, value)?;
        if self.names.is_name(&value) {
            return Some(value);
        }
        let code = name == MOTION
            || STRUCTURE.iter().any(|known| name.eq_ignore_ascii_case(known))
            || is_data(&value, &["data:"]);
        self.without_echoes(value, if code { SHORTEST_IN_CODE } else { SHORTEST }).into()
    }

    fn attribute_with_echoes(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        verdict: &Verdict,
        name: &str,
        value: &str,
    ) -> Option<Box<str>> {
        let lower = name.to_ascii_lowercase();
        let name = lower.as_str();
        if name == "media"
            && let Some(media) = self.media(element, verdict)
        {
            return Some(media);
        }
        // What is in which slot decides what is shown at all, of others too.
        if name == "slot" || (name == "name" && element.is_html("slot")) {
            return Some(value.into());
        }
        if verdict.sight == Sight::Hidden {
            return matches!(name, "class" | "id").then(|| value.into());
        }
        // Its styles make a page readable where nothing else is shown.
        if element.is_html("link") && verdict.sight < Sight::Masked {
            return self.link(node, element, name, value);
        }
        if verdict.shape == Shape::Shell || element.is_html("link") {
            let kept = says_colours(element) && matches!(name, "name" | "content");
            return (kept && verdict.sight == Sight::Shown).then(|| value.into());
        }
        let masked = verdict.sight.masked();
        if (masked && !STRUCTURE.contains(&name))
            || (verdict.shape == Shape::Placeholder && !BOX.contains(&name))
            || name.starts_with("on")
            || NEVER.contains(&name)
        {
            return None;
        }
        match name {
            "style" if masked || verdict.shape == Shape::Placeholder => Some(shape_only(value)),
            "style" | MOTION => Some(self.css(node, None, value)),
            "type" if masked && element.is_html("input") => Some(bullet_type(value).into()),
            "value" if element.is_html("input") && element.attribute_is("type", "hidden") => None,
            "href" | "xlink:href" => self.reference(node, element, value),
            "src" => match (element.namespace(), element.name()) {
                (Namespace::Html, "img") if element.source().is_some() => self.source(node, element, verdict),
                (Namespace::Html, "img") => self.capability(node, value, true),
                (Namespace::Html, "audio" | "source") => self.capability(node, value, false),
                (Namespace::Html, "input") if element.attribute_is("type", "image") => {
                    self.capability(node, value, true)
                }
                _ => None,
            },
            "poster" if element.is_html("video") => self.capability(node, value, true),
            "background" if WITH_BACKGROUND.iter().any(|name| element.is_html(name)) => {
                self.capability(node, value, true)
            }
            // By it browsers would choose sheets; which ones hold is said by what each of them holds for.
            "title" if element.name() == "style" => None,
            // What only says something to styles anywhere else.
            "loading" if ["img", "iframe"].iter().any(|name| element.is_html(name)) => None,
            _ if element.namespace() == Namespace::Svg && PAINT.contains(&name) => {
                Some(self.css(node, None, value))
            }
            // Animations set other attributes, behind the list of those that can not be.
            "attributename" if value.to_ascii_lowercase().ends_with("href") => None,
            _ => Some(value.into()),
        }
    }
}

pub(super) fn is_style(node: NodeRef<'_>) -> bool {
    node.element().is_some_and(|element| element.name().eq_ignore_ascii_case("style"))
}

/// Whether an element says that the page is also one for those who like it dark.
fn says_colours(element: &Element) -> bool {
    element.is_html("meta")
        && element.attribute("name").is_some_and(|name| name.eq_ignore_ascii_case("color-scheme"))
}

/// A field of bullets must be able to hold them.
fn bullet_type(kind: &str) -> &str {
    let fixed = ["number", "date", "month", "week", "time", "datetime-local", "email", "url"];
    if fixed.iter().any(|fixed| fixed.eq_ignore_ascii_case(kind)) { "text" } else { kind }
}
