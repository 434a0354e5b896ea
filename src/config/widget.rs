//! `[widget]`: how the customer's widget looks, what it says in which language, and the company's own terms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::de::DeValue;
use url::Url;

use super::reader::{Entry, Errors, Section, Wrong, hint, text};
use crate::wording::{PLURALS, Texts, is_plural, places};

/// The customer's widget.
#[derive(Debug, Clone)]
pub struct Widget {
    /// Where it first stands; none: below, where lines end in the language.
    pub position: Option<Corner>,
    /// Of its main buttons.
    pub accent: Colour,
    /// The one language that it speaks; none: that of the page, or else of the browser.
    pub language: Option<String>,
    /// What it says.
    pub texts: Texts,
    /// What a customer has to accept before a session starts, by language; none: nothing.
    pub terms: BTreeMap<String, Terms>,
}

/// A corner of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Red, green and blue.
    pub rgb: [u8; 3],
}

/// The company's terms in one language. There is a text, a link, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// To read at once; lines stay lines.
    pub text: Option<String>,
    /// Where they are to be read: an address, or a path on the site.
    pub link: Option<String>,
}

impl Default for Widget {
    fn default() -> Widget {
        Widget {
            position: None,
            accent: Colour { rgb: [0x1f, 0x5f, 0xd6] },
            language: None,
            texts: Texts::of_customers(),
            terms: BTreeMap::new(),
        }
    }
}

impl Widget {
    /// The terms for people who read `language`: in it, or else in the widget's own, in English, or in what there is.
    pub fn terms_for(&self, language: &str) -> Option<(&str, &Terms)> {
        let own = self.language.as_deref();
        let wanted = [Some(language), own, Some("en")].into_iter().flatten();
        let found = wanted.filter_map(|language| self.terms.get_key_value(language)).next();
        found.or_else(|| self.terms.first_key_value()).map(|(language, terms)| (language.as_str(), terms))
    }
}

impl Corner {
    /// As the settings and the browser's code say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Corner::TopLeft => "top-left",
            Corner::TopRight => "top-right",
            Corner::BottomLeft => "bottom-left",
            Corner::BottomRight => "bottom-right",
        }
    }

    const ALL: [Corner; 4] = [Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight];
}

impl Colour {
    /// The colour of text on it: white or black, whichever can be read. One of them always has a contrast of 4.5 or
    /// more (WCAG 2.2, 1.4.3).
    pub fn ink(self) -> Colour {
        let white = Colour { rgb: [255; 3] };
        if self.contrast(white) >= READABLE { white } else { Colour { rgb: [0; 3] } }
    }

    /// The contrast ratio of two colours, from 1 to 21.
    pub fn contrast(self, other: Colour) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            dark if dark <= 0.04045 => dark / 12.92,
            light => ((light + 0.055) / 1.055).powf(2.4),
        };
        let [red, green, blue] = self.rgb.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn read(value: &DeValue<'_>) -> Result<Colour, String> {
        let wrong = || "must be a colour such as \"#1f5fd6\"".to_owned();
        let text = text(value)?;
        let digits = text.strip_prefix('#').ok_or_else(wrong)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = number.to_be_bytes();
        if digits.len() == 6 { Ok(Colour { rgb: [red, green, blue] }) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.rgb;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Contrast from which text can be read.
const READABLE: f64 = 4.5;
/// Bytes of one text, and of the terms.
const TEXT: usize = 1000;
const TERMS: usize = 20_000;

/// `[widget]`.
pub(super) fn widget(mut section: Section<'_>, errors: &mut Errors) -> Widget {
    let mut widget = Widget::default();
    if let Some(changes) = section.section("text", errors) {
        change(&mut widget.texts, changes, errors);
    }
    widget.position = section.take("position", errors, |value| {
        let word = text(value)?;
        let names = Corner::ALL.map(Corner::as_str);
        let corner = Corner::ALL.into_iter().find(|corner| corner.as_str() == word);
        corner.ok_or_else(|| format!("must be one of {}", names.map(|name| format!("\"{name}\"")).join(", ")))
    });
    section.set("accent", &mut widget.accent, errors, Colour::read);
    widget.language = section.take("language", errors, |value| {
        let language = text(value)?;
        if widget.texts.get(&language).is_some() {
            return Ok(language);
        }
        let known: Vec<_> = widget.texts.languages().map(|(name, _)| format!("\"{name}\"")).collect();
        Err(format!("must be one of {}", known.join(", ")))
    });
    if let Some(mut within) = section.section("terms", errors) {
        for Entry { key, span, value } in within.entries() {
            let DeValue::Table(table) = value else {
                let message = format!("`{key}` must be a table: [widget.terms.{key}]");
                errors.push(Wrong {
                    span,
                    message,
                    hint: Some("each language has its own, such as en".into()),
                });
                continue;
            };
            if widget.texts.get(&key).is_none() {
                errors.push(unknown_language(&widget.texts, &key, span.clone()));
            }
            let terms = terms(Section::new("widget.terms", table, span), errors);
            widget.terms.extend(terms.map(|terms| (key, terms)));
        }
    }
    section.finish(errors);
    widget
}

fn terms(mut section: Section<'_>, errors: &mut Errors) -> Option<Terms> {
    let place = section.place();
    let before = errors.len();
    let words = section.take("text", errors, |value| bounded(text(value)?, TERMS));
    let link = section.take("link", errors, |value| {
        let link = text(value)?;
        let path = link.starts_with('/') && !link.starts_with("//");
        let url = Url::parse(&link).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if path || url { Ok(link) } else { Err("must be a URL, or a path such as \"/terms\"".into()) }
    });
    section.finish(errors);
    if words.is_none() && link.is_none() {
        if errors.len() == before {
            let message = "terms need a `text`, a `link`, or both".to_owned();
            errors.push(Wrong { span: place, message, hint: None });
        }
        return None;
    }
    Some(Terms { text: words, link })
}

/// `[….text.LANGUAGE]`: other words for what is said.
pub(super) fn change(texts: &mut Texts, mut section: Section<'_>, errors: &mut Errors) {
    for Entry { key: language, span, value } in section.entries() {
        let code =
            (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        if !code {
            errors.push(unknown_language(texts, &language, span));
            continue;
        }
        let before = errors.len();
        let read = group(&language, value, span.clone(), texts.shape(), errors);
        let Some(read) = read.filter(|_| errors.len() == before) else { continue };
        if let Err(missing) = texts.change(&language, read) {
            let message = format!(
                "`{language}` is a language of your own, and needs all texts: {} are missing",
                missing.len()
            );
            errors.push(Wrong { span, message, hint: Some(missing.join(", ")) });
        }
    }
}

fn unknown_language(texts: &Texts, name: &str, span: std::ops::Range<usize>) -> Wrong {
    let known: Vec<_> = texts.languages().map(|(name, _)| name).collect();
    Wrong {
        span,
        message: format!("`{name}` is no language that is known here"),
        hint: Some(format!("known here: {}", known.join(", "))),
    }
}

/// A table of texts, which may have tables within.
fn group(
    name: &str,
    value: DeValue<'_>,
    place: std::ops::Range<usize>,
    shape: &'static Map<String, Value>,
    errors: &mut Errors,
) -> Option<Map<String, Value>> {
    let DeValue::Table(table) = value else {
        let message = format!("`{name}` must be a table of texts");
        errors.push(Wrong { span: place, message, hint: None });
        return None;
    };
    let mut known: Vec<&'static str> = shape.keys().map(String::as_str).collect();
    if is_plural(shape) {
        known = PLURALS.to_vec();
    }
    let mut read = Map::new();
    for Entry { key, span, value } in Section::new("", table, place).entries() {
        let Some(key) = known.iter().find(|known| **known == key) else {
            let message = format!("unknown text `{key}`");
            errors.push(Wrong { span, message, hint: hint(&key, &known) });
            continue;
        };
        // Forms that English has not are like its general one.
        let text = match shape.get(*key).unwrap_or_else(|| &shape["other"]) {
            Value::Object(within) => group(key, value, span, within, errors).map(Value::Object),
            english => {
                let known = places(english.as_str().unwrap_or_default());
                leaf(key, &value, &known)
                    .map_err(|message| errors.push(Wrong { span, message, hint: None }))
                    .ok()
            }
        };
        read.extend(text.map(|text| ((*key).to_owned(), text)));
    }
    Some(read)
}

fn leaf(key: &str, value: &DeValue<'_>, known: &std::collections::BTreeSet<&str>) -> Result<Value, String> {
    let text =
        text(value).and_then(|text| bounded(text, TEXT)).map_err(|wrong| format!("`{key}`: {wrong}"))?;
    if let Some(strange) = places(&text).difference(known).next() {
        let known: Vec<_> = known.iter().map(|name| format!("{{{name}}}")).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(" and ") };
        return Err(format!("`{key}`: {{{strange}}} is not known there, only {known}"));
    }
    Ok(Value::String(text))
}

fn bounded(text: String, most: usize) -> Result<String, String> {
    match text.len() {
        _ if text.trim().is_empty() => Err("must not be empty".into()),
        length if length > most => Err(format!("is too long: {length} bytes of at most {most}")),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_on_the_accent_can_always_be_read(rgb in any::<[u8; 3]>()) {
            let colour = Colour { rgb };
            prop_assert!(colour.contrast(colour.ink()) >= READABLE, "{}", colour);
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let colour = |rgb| Colour { rgb };
        assert!((colour([255; 3]).contrast(colour([0; 3])) - 21.0).abs() < 1e-9);
        // As WebAIM's contrast checker has it.
        assert!((colour([0x76; 3]).contrast(colour([255; 3])) - 4.54).abs() < 0.01);
    }
}
