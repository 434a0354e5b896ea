//! Reads one policy file: every rule of it, or everything that is wrong with it.
//!
//! Never stops at the first mistake, and never guesses: a rule with a mistake is no rule.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::dom::Selector;
use crate::protocol::agent::Role;

use super::diagnostic::{Diagnostic, nearest};
use super::pattern::{self, BadPattern, SitePattern, UrlPattern};
use super::rules::{AddressKind, AddressRule, ElementKind, ElementRule, ROLES, RuleSet};

/// Rules in all files together.
const RULES: usize = 10_000;
/// Rules in all files together that every element of a page has to be compared with, or that take long walks.
const HEAVY: usize = 200;
/// URL patterns with regular expressions in all files together.
const EXPRESSIONS: usize = 200;
/// Errors that are shown; who made more will look again.
pub(super) const ERRORS: usize = 200;

/// What may still come, of all files together.
#[derive(Debug)]
pub(super) struct Left {
    rules: usize,
    heavy: usize,
    expressions: usize,
}

impl Default for Left {
    fn default() -> Left {
        Left { rules: RULES, heavy: HEAVY, expressions: EXPRESSIONS }
    }
}

impl Left {
    /// Rules that were read.
    pub(super) fn taken(&self) -> usize {
        RULES - self.rules
    }
}

/// Reads a file. What is wrong goes to `errors`; nothing comes of a file that is no TOML.
pub(super) fn read(name: &str, text: &str, left: &mut Left, errors: &mut Vec<Diagnostic>) -> Option<RuleSet> {
    let mut file = File { name, text, lines: Vec::new(), left, errors };
    file.lines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let (root, wrong) = DeTable::parse_recoverable(text);
    for error in &wrong {
        file.error(error.span().unwrap_or(0..0), error.message(), None);
    }
    wrong.is_empty().then(|| file.rule_set(root.get_ref()))
}

type Value<'a> = Spanned<DeValue<'a>>;

/// One file being read.
struct File<'e> {
    name: &'e str,
    text: &'e str,
    /// Where lines end.
    lines: Vec<usize>,
    left: &'e mut Left,
    errors: &'e mut Vec<Diagnostic>,
}

impl File<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        if self.errors.len() < ERRORS {
            self.errors.push(Diagnostic::new(self.name, self.text, span, message, hint));
        }
    }

    fn line(&self, value: &Value<'_>) -> usize {
        self.lines.partition_point(|end| *end < value.span().start) + 1
    }

    /// Of the rule that is being read.
    fn number(&self) -> usize {
        self.left.taken() - 1
    }

    fn rule_set(&mut self, table: &DeTable<'_>) -> RuleSet {
        const KEYS: [&str; 12] = [
            "site", "urls", "roles", "default", "override", "reveal", "mask", "hide", "show", "control",
            "navigate", "pause",
        ];
        self.known_keys(table, &KEYS, "a policy file");
        let mut set = RuleSet { file: self.name.to_owned(), ..RuleSet::default() };
        if let Some(value) = table.get("site") {
            set.sites = Some(self.sites(value));
        }
        if let Some(value) = table.get("urls") {
            set.urls = Some(self.patterns(value));
        }
        if let Some(value) = table.get("roles") {
            set.roles = Some(self.roles(value));
        }
        if let Some(value) = table.get("default") {
            set.masked_by_default = self.word(value, &["mask", "show"]) == Some("mask");
        }
        if let Some(value) = table.get("override") {
            match value.get_ref() {
                DeValue::Boolean(is) => set.overrides = *is,
                _ => self.error(value.span(), "must be true or false", None),
            }
        }
        set.elements = self.rules(table, "mask", &["select", "label", "length"], File::mask);
        set.elements.extend(self.rules(table, "reveal", &["select", "roles"], File::reveal));
        set.elements.extend(self.rules(table, "hide", &["select", "label"], File::hide));
        set.elements.extend(self.rules(table, "show", &["select"], File::show));
        set.elements.extend(self.rules(table, "control", &["select", "agent"], File::control));
        set.addresses = self.rules(table, "navigate", &["urls", "agent"], File::navigate);
        set.addresses.extend(self.rules(table, "pause", &["urls"], File::pause));
        if let Some(show) = table.get("show").filter(|_| !set.masked_by_default && !set.overrides) {
            let hint =
                "put `default = \"mask\"` or `override = true` at the top of this file, or remove them";
            self.error(show.span(), "`show` rules do nothing while everything is shown", Some(hint.into()));
        }
        set
    }

    /// The tables of one kind of rule; those with errors are left out.
    fn rules<T>(
        &mut self,
        table: &DeTable<'_>,
        kind: &str,
        keys: &[&str],
        read: fn(&mut Self, &DeTable<'_>, &Value<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = table.get(kind) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let hint = format!("write `[[{kind}]]`");
            self.error(value.span(), format!("`{kind}` is a list of rules"), Some(hint));
            return Vec::new();
        };
        let mut out = Vec::new();
        for rule in array.iter() {
            if self.left.rules == 0 {
                self.error(rule.span(), format!("more than {RULES} rules"), None);
                break;
            }
            self.left.rules -= 1;
            match rule.get_ref().as_table() {
                Some(table) => {
                    self.known_keys(table, keys, &format!("`[[{kind}]]`"));
                    out.extend(read(self, table, rule));
                }
                None => {
                    let hint = format!("write `[[{kind}]]`");
                    self.error(rule.span(), format!("a `{kind}` rule is a table"), Some(hint));
                }
            }
        }
        out
    }

    fn mask(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ElementRule> {
        let label = self.label(table);
        let fixed = match table.get("length") {
            None => Some(false),
            Some(value) => self.word(value, &["same", "fixed"]).map(|word| word == "fixed"),
        };
        self.element(table, rule, |_| Some(ElementKind::Mask { label: label?, fixed: fixed? }))
    }

    fn hide(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ElementRule> {
        let label = self.label(table);
        self.element(table, rule, |_| Some(ElementKind::Hide { label: label? }))
    }

    fn show(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ElementRule> {
        self.element(table, rule, |_| Some(ElementKind::Show))
    }

    fn reveal(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ElementRule> {
        self.element(table, rule, |file| {
            let value = file.needed(table, rule, "roles")?;
            Some(ElementKind::Reveal { roles: file.roles(value) })
        })
    }

    fn control(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ElementRule> {
        self.element(table, rule, |file| {
            let value = file.needed(table, rule, "agent")?;
            let enabled = file.word(value, &["enabled", "disabled"])? == "enabled";
            Some(ElementKind::Control { enabled })
        })
    }

    fn navigate(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<AddressRule> {
        self.address(table, rule, |file| {
            let value = file.needed(table, rule, "agent")?;
            let allowed = file.word(value, &["allowed", "denied"])? == "allowed";
            Some(AddressKind::Navigate { allowed })
        })
    }

    fn pause(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<AddressRule> {
        self.address(table, rule, |_| Some(AddressKind::Pause))
    }

    /// Reads both, so that what is wrong in either is told.
    fn element(
        &mut self,
        table: &DeTable<'_>,
        rule: &Value<'_>,
        kind: impl FnOnce(&mut Self) -> Option<ElementKind>,
    ) -> Option<ElementRule> {
        let selector = self.selector(table, rule);
        let kind = kind(self);
        let (selector, text, span) = selector?;
        Some(ElementRule { number: self.number(), line: self.line(rule), span, selector, text, kind: kind? })
    }

    fn address(
        &mut self,
        table: &DeTable<'_>,
        rule: &Value<'_>,
        kind: impl FnOnce(&mut Self) -> Option<AddressKind>,
    ) -> Option<AddressRule> {
        let value = self.needed(table, rule, "urls");
        let urls = value.map(|value| (self.patterns(value), value.span()));
        let kind = kind(self);
        let (urls, span) = urls?;
        Some(AddressRule { number: self.number(), line: self.line(rule), span, urls, kind: kind? })
    }

    /// Nothing where it is wrong.
    fn label(&mut self, table: &DeTable<'_>) -> Option<Option<String>> {
        match table.get("label") {
            None => Some(None),
            Some(value) => self.string(value).map(|text| Some(text.into_owned())),
        }
    }

    fn selector(
        &mut self,
        table: &DeTable<'_>,
        rule: &Value<'_>,
    ) -> Option<(Selector, String, Range<usize>)> {
        let value = self.needed(table, rule, "select")?;
        let text = self.string(value)?;
        match Selector::parse(&text) {
            Ok(selector) => {
                if selector.is_anywhere() || selector.walks() > 1 {
                    match self.left.heavy.checked_sub(1) {
                        Some(left) => self.left.heavy = left,
                        None => {
                            let hint =
                                "name a tag, a class, an id or an attribute in the last part of the selector";
                            let message =
                                format!("more than {HEAVY} rules that have to be tried on every element");
                            self.error(value.span(), message, Some(hint.into()));
                        }
                    }
                }
                Some((selector, text.into_owned(), value.span()))
            }
            Err(bad) => {
                let span = self.inside(value, &text, bad.at.saturating_sub(1));
                self.error(span, format!("the selector can not be read: {bad}"), None);
                None
            }
        }
    }

    /// The place in the file of a byte of a string and what follows it. Of a string that is not written as it is, the
    /// whole.
    fn inside(&self, value: &Value<'_>, text: &str, at: usize) -> Range<usize> {
        let span = value.span();
        let quotes = if self.text[span.clone()].starts_with("\"\"\"\n") { 4 } else { 1 };
        let start = span.start + quotes;
        match self.text.get(start..start + text.len()) == Some(text) {
            true => start + at.min(text.len())..start + text.len(),
            false => span,
        }
    }

    fn needed<'t, 'v>(
        &mut self,
        table: &'t DeTable<'v>,
        rule: &Value<'_>,
        key: &str,
    ) -> Option<&'t Value<'v>> {
        let value = table.get(key);
        if value.is_none() {
            self.error(rule.span(), format!("the rule has no `{key}`"), None);
        }
        value
    }

    fn known_keys(&mut self, table: &DeTable<'_>, known: &[&str], place: &str) {
        for key in table.keys() {
            let word = key.get_ref();
            if !known.contains(&&**word) {
                let hint = match nearest(word, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("{place} has: {}", known.join(", ")),
                };
                self.error(key.span(), format!("unknown key `{word}`"), Some(hint));
            }
        }
    }

    fn sites(&mut self, value: &Value<'_>) -> Vec<SitePattern> {
        let one = matches!(value.get_ref(), DeValue::String(_));
        let items = if one { vec![value] } else { self.items(value) };
        let mut out = Vec::new();
        for item in items {
            let Some(text) = self.string(item) else { continue };
            match SitePattern::parse(&text) {
                Ok(site) => out.push(site),
                Err(bad) => self.bad_pattern(item, &text, &bad),
            }
        }
        out
    }

    fn patterns(&mut self, value: &Value<'_>) -> Vec<UrlPattern> {
        let mut out = Vec::new();
        for item in self.items(value) {
            out.extend(match item.get_ref() {
                DeValue::Table(table) => self.web_pattern(item, table),
                _ => self.glob_pattern(item),
            });
        }
        out
    }

    fn glob_pattern(&mut self, item: &Value<'_>) -> Option<UrlPattern> {
        let text = self.string(item)?;
        UrlPattern::parse(&text).map_err(|bad| self.bad_pattern(item, &text, &bad)).ok()
    }

    fn web_pattern(&mut self, item: &Value<'_>, table: &DeTable<'_>) -> Option<UrlPattern> {
        self.known_keys(table, &pattern::PARTS, "a URLPattern");
        let mut parts = Vec::new();
        for (key, value) in table.iter().filter(|(key, _)| pattern::PARTS.contains(&&**key.get_ref())) {
            parts.push((&**key.get_ref(), self.string(value)?));
        }
        let whole = parts.iter().any(|(name, _)| *name == "pattern");
        if parts.is_empty() || (whole && parts.len() > 1) {
            let hint = "write `{ pathname = \"/orders/:id\" }`, or `{ pattern = \"/orders/:id\" }` and nothing beside it";
            self.error(item.span(), "this is not a URLPattern", Some(hint.into()));
            return None;
        }
        let named: Vec<(&str, &str)> = parts.iter().map(|(name, value)| (*name, &**value)).collect();
        let pattern = match UrlPattern::web(&named) {
            Ok(pattern) => pattern,
            Err(bad) => {
                let [(name, text)] = named.as_slice() else {
                    self.error(item.span(), bad.to_string(), bad.hint());
                    return None;
                };
                if let Some(value) = table.get(*name) {
                    self.bad_pattern(value, text, &bad);
                }
                return None;
            }
        };
        if pattern.is_heavy() {
            match self.left.expressions.checked_sub(1) {
                Some(left) => self.left.expressions = left,
                None => {
                    let message = format!("more than {EXPRESSIONS} patterns with regular expressions");
                    self.error(item.span(), message, None);
                }
            }
        }
        Some(pattern)
    }

    fn bad_pattern(&mut self, value: &Value<'_>, text: &str, bad: &BadPattern) {
        let span = self.inside(value, text, bad.at());
        self.error(span, bad.to_string(), bad.hint());
    }

    fn roles(&mut self, value: &Value<'_>) -> Vec<Role> {
        let mut out = Vec::new();
        for item in self.items(value) {
            let Some(text) = self.string(item) else { continue };
            match ROLES.iter().find(|(name, _)| *name == text) {
                Some((_, role)) => out.push(*role),
                None => {
                    let known = ROLES.map(|(name, _)| name);
                    let hint = match nearest(&text, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("roles are: {}", known.join(", ")),
                    };
                    self.error(item.span(), format!("unknown role `{text}`"), Some(hint));
                }
            }
        }
        out
    }

    /// The items of a list.
    fn items<'t, 'v>(&mut self, value: &'t Value<'v>) -> Vec<&'t Value<'v>> {
        let Some(array) = value.get_ref().as_array() else {
            let kind = value.get_ref().type_str();
            self.error(value.span(), format!("a list of strings is needed, not a {kind}"), None);
            return Vec::new();
        };
        if array.is_empty() {
            let hint = "leave the key out where it is to hold everywhere";
            self.error(value.span(), "an empty list matches nothing", Some(hint.into()));
        }
        array.iter().collect()
    }

    fn string<'v>(&mut self, value: &Value<'v>) -> Option<Cow<'v, str>> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.clone()),
            other => {
                self.error(value.span(), format!("a string is needed, not a {}", other.type_str()), None);
                None
            }
        }
    }

    fn word<'w>(&mut self, value: &Value<'_>, words: &[&'w str]) -> Option<&'w str> {
        let text = self.string(value)?;
        let found = words.iter().find(|word| ***word == *text).copied();
        if found.is_none() {
            let shown: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            let hint = nearest(&text, words).map(|near| format!("did you mean \"{near}\"?"));
            self.error(value.span(), format!("must be {}", shown.join(" or ")), hint);
        }
        found
    }
}
