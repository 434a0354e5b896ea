//! Policy files: read, checked as a whole, compiled.
//!
//! All or nothing: either every rule of every file is understood and enforced, or there is a list of
//! everything that is wrong and no [`Policies`] at all.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::dom::Selector;
use crate::protocol::agent::Role;

use super::diagnostic::{Diagnostic, nearest};
use super::folder::{self, Stamp};
use super::pattern::UrlPattern;

/// Bytes of one policy file.
const FILE: u64 = 4 << 20;
/// Policy files in a folder.
const FILES: usize = 1_000;
/// Rules in all files together.
const RULES: usize = 10_000;
/// Errors that are shown; who made more will look again.
const ERRORS: usize = 200;

const ROLES: [(&str, Role); 3] =
    [("agent", Role::Agent), ("supervisor", Role::Supervisor), ("admin", Role::Admin)];

/// The names of all roles.
pub(super) fn roles() -> [&'static str; 3] {
    ROLES.map(|(name, _)| name)
}

/// The rules of an administrator.
#[derive(Debug, Default)]
pub struct Policies {
    pub(super) sets: Vec<RuleSet>,
    folder: Option<(PathBuf, Stamp)>,
    warnings: Vec<Diagnostic>,
}

/// One file.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    pub(super) file: String,
    urls: Option<Vec<UrlPattern>>,
    roles: Option<Vec<Role>>,
    pub(super) masked_by_default: bool,
    /// Its `show`, `enabled` and `allowed` hold against stricter rules of earlier files.
    pub(super) overrides: bool,
    pub(super) reveal: Vec<RevealRule>,
    pub(super) mask: Vec<SightRule>,
    pub(super) hide: Vec<SightRule>,
    pub(super) show: Vec<SightRule>,
    pub(super) control: Vec<ControlRule>,
    pub(super) navigate: Vec<NavigateRule>,
    pub(super) pause: Vec<UrlPattern>,
}

#[derive(Debug, Clone)]
pub(super) struct SightRule {
    pub(super) selector: Selector,
    pub(super) text: String,
    /// Of the file, counted from 1.
    pub(super) line: usize,
    pub(super) label: Option<String>,
    /// Masked texts are all of one length.
    pub(super) fixed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct RevealRule {
    pub(super) selector: Selector,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) roles: Vec<Role>,
}

#[derive(Debug, Clone)]
pub(super) struct ControlRule {
    pub(super) selector: Selector,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) enabled: bool,
}

#[derive(Debug, Clone)]
pub(super) struct NavigateRule {
    pub(super) urls: Vec<UrlPattern>,
    pub(super) allowed: bool,
}

impl RuleSet {
    /// Whether the set is for this role on this page. Without a URL the set holds: in doubt the stricter.
    pub(super) fn holds(&self, url: Option<&Url>, role: Role) -> bool {
        self.roles.as_ref().is_none_or(|roles| roles.contains(&role)) && self.holds_at(url)
    }

    fn holds_at(&self, url: Option<&Url>) -> bool {
        match (&self.urls, url) {
            (Some(urls), Some(url)) => urls.iter().any(|pattern| pattern.matches(url)),
            _ => true,
        }
    }

    fn for_every_role(&self) -> bool {
        self.roles.as_ref().is_none_or(|roles| ROLES.iter().all(|(_, role)| roles.contains(role)))
    }
}

impl Policies {
    /// Reads all `*.toml` of a folder, in the order of their names. A folder that can not be read is an error;
    /// one without files is a set of policies without rules (the built-in ground still holds).
    pub fn load(dir: &Path) -> Result<Policies, Vec<Diagnostic>> {
        let whole = |path: &Path, error: &dyn std::fmt::Display| {
            Diagnostic::whole(&path.display().to_string(), format!("can not be read: {error}"))
        };
        // Before anything is read: what changes meanwhile is seen to have changed.
        let stamp = Stamp::of(dir);
        let paths = folder::files(dir).map_err(|error| vec![whole(dir, &error)])?;
        if paths.len() > FILES {
            return Err(vec![whole(dir, &format!("more than {FILES} policy files"))]);
        }
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for path in paths {
            let read = std::fs::metadata(&path)
                .and_then(|meta| if meta.len() > FILE { Ok(None) } else { std::fs::read(&path).map(Some) });
            match read.map(|bytes| bytes.map(String::from_utf8)) {
                Err(error) => errors.push(whole(&path, &error)),
                Ok(None) => errors.push(whole(&path, &format!("more than {FILE} bytes"))),
                Ok(Some(Err(_))) => errors.push(whole(&path, &"not UTF-8")),
                Ok(Some(Ok(text))) => files.push((path.display().to_string(), text)),
            }
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        match Policies::parse(&files) {
            Ok(policies) if errors.is_empty() => {
                Ok(Policies { folder: Some((dir.to_owned(), stamp)), ..policies })
            }
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// Reads policy files given as name and content. Returns every error of all of them.
    pub fn parse(files: &[(&str, &str)]) -> Result<Policies, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let mut sets = Vec::new();
        let mut warnings = Vec::new();
        let mut left = RULES;
        for (name, text) in files {
            let lines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
            let mut file =
                File { name, text, lines, errors: &mut errors, warnings: &mut warnings, left: &mut left };
            let (root, wrong) = DeTable::parse_recoverable(text);
            for error in &wrong {
                file.error(error.span().unwrap_or(0..0), error.message(), None);
            }
            if wrong.is_empty() {
                sets.push(file.rule_set(root.get_ref()));
            }
        }
        if errors.is_empty() { Ok(Policies { sets, folder: None, warnings }) } else { Err(errors) }
    }

    /// The attributes by which rules choose elements.
    pub(super) fn mentioned(&self) -> Vec<String> {
        let sight = self.sets.iter().flat_map(|set| set.mask.iter().chain(&set.hide).chain(&set.show));
        let control = self.sets.iter().flat_map(|set| &set.control);
        let reveal = self.sets.iter().flat_map(|set| &set.reveal).map(|rule| &rule.selector);
        let selectors =
            sight.map(|rule| &rule.selector).chain(control.map(|rule| &rule.selector)).chain(reveal);
        let names = selectors.flat_map(|selector| &selector.needs().attributes).map(|name| name.to_string());
        names.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
    }

    /// The folder that they were read from, and what it looked like then.
    pub fn folder(&self) -> Option<(&Path, &Stamp)> {
        self.folder.as_ref().map(|(path, stamp)| (&**path, stamp))
    }

    /// What is allowed but hardly meant: rules without effect, too broad or too slow.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        let rules = |set: &RuleSet| {
            let sight = set.mask.len() + set.hide.len() + set.show.len() + set.reveal.len();
            sight + set.control.len() + set.navigate.len() + set.pause.len()
        };
        self.sets.iter().map(rules).sum()
    }

    /// Whether there is nothing but the built-in ground.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Selectors of what no role may see on this page: the customer's browser does not send what is typed into
    /// form controls that are, or are in, an element that one of them selects.
    pub fn withhold(&self, url: &str) -> Vec<String> {
        let url = Url::parse(url).ok();
        let mut out: Vec<String> =
            ["input[type=password i]", "[data-tandem~=mask i]", "[data-tandem~=hide i]"]
                .map(Into::into)
                .into();
        for (index, set) in self.sets.iter().enumerate() {
            if !(set.for_every_role() && set.holds_at(url.as_ref())) {
                continue;
            }
            // What some role may see has to be told; the server hides it from the others.
            let later =
                self.sets[index + 1..].iter().filter(|set| set.overrides && set.holds_at(url.as_ref()));
            let shown = later.flat_map(|set| &set.show).map(|rule| &*rule.text).collect::<Vec<_>>();
            let holding = self.sets.iter().filter(|set| set.holds_at(url.as_ref()));
            let mut seen = holding.flat_map(|set| &set.reveal).map(|rule| &*rule.text).collect::<Vec<_>>();
            seen.extend(&shown);
            let but = |text: &String, lifted: &[&str]| match lifted {
                [] => text.clone(),
                lifted => format!(":is({text}):not(:is({}))", lifted.join(", ")),
            };
            out.extend(set.mask.iter().map(|rule| but(&rule.text, &seen)));
            out.extend(set.hide.iter().map(|rule| but(&rule.text, &shown)));
            if set.masked_by_default {
                // Of controls only: `closest()` would find the page itself outside of what is shown.
                let shown: Vec<&str> = self
                    .sets
                    .iter()
                    .filter(|set| set.holds_at(url.as_ref()))
                    .flat_map(|set| &set.show)
                    .map(|rule| &*rule.text)
                    .collect();
                let controls = ":is(input, select, textarea, [contenteditable])";
                out.push(match shown.join(", ") {
                    shown if shown.is_empty() => controls.to_owned(),
                    shown => format!("{controls}:not(:is({shown}), :is({shown}) *)"),
                });
            }
        }
        let mut seen = std::collections::HashSet::new();
        out.retain(|selector| seen.insert(selector.clone()));
        out
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

/// One file being read.
struct File<'e> {
    name: &'e str,
    text: &'e str,
    /// Where lines end.
    lines: Vec<usize>,
    errors: &'e mut Vec<Diagnostic>,
    warnings: &'e mut Vec<Diagnostic>,
    left: &'e mut usize,
}

impl File<'_> {
    fn error(&mut self, span: std::ops::Range<usize>, message: impl Into<String>, hint: Option<String>) {
        if self.errors.len() < ERRORS {
            self.errors.push(Diagnostic::new(self.name, self.text, span, message, hint));
        }
    }

    fn line(&self, value: &Value<'_>) -> usize {
        self.lines.partition_point(|end| *end < value.span().start) + 1
    }

    fn rule_set(&mut self, table: &DeTable<'_>) -> RuleSet {
        const KEYS: [&str; 11] = [
            "urls", "roles", "default", "override", "reveal", "mask", "hide", "show", "control", "navigate",
            "pause",
        ];
        self.known_keys(table, &KEYS, "a policy file");
        let mut set = RuleSet { file: self.name.to_owned(), ..RuleSet::default() };
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
        set.mask = self.rules(table, "mask", &["select", "label", "length"], File::sight);
        set.reveal = self.rules(table, "reveal", &["select", "roles"], File::reveal);
        set.hide = self.rules(table, "hide", &["select", "label"], File::sight);
        set.show = self.rules(table, "show", &["select"], File::sight);
        set.control = self.rules(table, "control", &["select", "agent"], File::control);
        set.navigate = self.rules(table, "navigate", &["urls", "agent"], File::navigate);
        set.pause = self.rules(table, "pause", &["urls"], File::pause).into_iter().flatten().collect();
        if let Some(show) = table.get("show").filter(|_| !set.masked_by_default && !set.overrides) {
            self.error(
                show.span(),
                "`show` rules do nothing while everything is shown",
                Some(
                    "put `default = \"mask\"` or `override = true` at the top of this file, or remove them"
                        .into(),
                ),
            );
        }
        self.warn(table, &set);
        set
    }

    /// Notes what is allowed but hardly meant.
    fn warn(&mut self, table: &DeTable<'_>, set: &RuleSet) {
        let hidden: HashSet<&str> = set.hide.iter().map(|rule| &*rule.text).collect();
        let mut seen = HashSet::new();
        for kind in ["hide", "mask", "show", "control", "reveal"] {
            let rules = table.get(kind).and_then(|value| value.get_ref().as_array());
            for rule in rules.into_iter().flat_map(|rules| rules.iter()) {
                let Some(value) = rule.get_ref().as_table().and_then(|table| table.get("select")) else {
                    continue;
                };
                let DeValue::String(text) = value.get_ref() else { continue };
                let mut warn = |message: &str| {
                    if self.warnings.len() < ERRORS {
                        self.warnings.push(Diagnostic::warning(self.name, self.text, value.span(), message));
                    }
                };
                if kind == "mask" && hidden.contains(&**text) {
                    warn("this mask never applies: a `hide` rule of this file has the same selector");
                } else if !seen.insert((kind, text.clone())) {
                    warn("this rule does nothing new: another of this kind has the same selector");
                }
                let whole = ["*", "html", "body", ":root"];
                if kind != "control" && text.split(',').any(|one| whole.contains(&one.trim())) {
                    warn("this selector is too broad: it selects the whole page");
                }
                if text.matches(":has(").count() > 2 {
                    warn(
                        "this selector is slow: every `:has()` may look through the whole page for each element",
                    );
                }
            }
        }
    }

    fn reveal(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<RevealRule> {
        let roles = self.needed(table, rule, "roles").map(|value| self.roles(value));
        let (selector, text) = self.selector(table, rule)?;
        Some(RevealRule { selector, text, line: self.line(rule), roles: roles? })
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
            self.error(
                value.span(),
                format!("`{kind}` is a list of rules"),
                Some(format!("write `[[{kind}]]`")),
            );
            return Vec::new();
        };
        let mut out = Vec::new();
        for rule in array.iter() {
            if *self.left == 0 {
                self.error(rule.span(), format!("more than {RULES} rules"), None);
                break;
            }
            *self.left -= 1;
            match rule.get_ref().as_table() {
                Some(table) => {
                    self.known_keys(table, keys, &format!("`[[{kind}]]`"));
                    out.extend(read(self, table, rule));
                }
                None => self.error(
                    rule.span(),
                    format!("a `{kind}` rule is a table"),
                    Some(format!("write `[[{kind}]]`")),
                ),
            }
        }
        out
    }

    fn sight(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<SightRule> {
        let label = match table.get("label") {
            None => None,
            Some(value) => Some(self.string(value)?.into_owned()),
        };
        let fixed = match table.get("length") {
            None => false,
            Some(value) => self.word(value, &["same", "fixed"])? == "fixed",
        };
        let (selector, text) = self.selector(table, rule)?;
        Some(SightRule { selector, text, line: self.line(rule), label, fixed })
    }

    fn control(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<ControlRule> {
        let selector = self.selector(table, rule);
        let agent = self.needed(table, rule, "agent");
        let enabled = self.word(agent?, &["enabled", "disabled"])? == "enabled";
        let (selector, text) = selector?;
        Some(ControlRule { selector, text, line: self.line(rule), enabled })
    }

    fn navigate(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<NavigateRule> {
        let urls = self.needed(table, rule, "urls").map(|value| self.patterns(value));
        let agent = self.needed(table, rule, "agent");
        let allowed = self.word(agent?, &["allowed", "denied"])? == "allowed";
        Some(NavigateRule { urls: urls?, allowed })
    }

    fn pause(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<Vec<UrlPattern>> {
        self.needed(table, rule, "urls").map(|value| self.patterns(value))
    }

    fn selector(&mut self, table: &DeTable<'_>, rule: &Value<'_>) -> Option<(Selector, String)> {
        let value = self.needed(table, rule, "select")?;
        let text = self.string(value)?;
        match Selector::parse(&text) {
            Ok(selector) => Some((selector, text.into_owned())),
            Err(bad) => {
                // Where the TOML string is the selector as written, point into it.
                let span = value.span();
                let inner = span.start + 1;
                let written = self.text.get(inner..inner + text.len()) == Some(&*text);
                let span = if written { inner + bad.at.saturating_sub(1)..inner + text.len() } else { span };
                self.error(span, format!("the selector can not be read: {bad}"), None);
                None
            }
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

    fn patterns(&mut self, value: &Value<'_>) -> Vec<UrlPattern> {
        let mut out = Vec::new();
        for (text, span) in self.strings(value) {
            match UrlPattern::parse(&text) {
                Ok(pattern) => out.push(pattern),
                Err(error) => self.error(span, error.to_string(), None),
            }
        }
        out
    }

    fn roles(&mut self, value: &Value<'_>) -> Vec<Role> {
        let mut out = Vec::new();
        for (text, span) in self.strings(value) {
            match ROLES.iter().find(|(name, _)| *name == text) {
                Some((_, role)) => out.push(*role),
                None => {
                    let known: Vec<&str> = ROLES.iter().map(|(name, _)| *name).collect();
                    let hint = match nearest(&text, &known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("roles are: {}", known.join(", ")),
                    };
                    self.error(span, format!("unknown role `{text}`"), Some(hint));
                }
            }
        }
        out
    }

    fn strings(&mut self, value: &Value<'_>) -> Vec<(String, std::ops::Range<usize>)> {
        let Some(array) = value.get_ref().as_array() else {
            let kind = value.get_ref().type_str();
            self.error(value.span(), format!("a list of strings is needed, not a {kind}"), None);
            return Vec::new();
        };
        if array.is_empty() {
            let hint = "leave the key out where it is to hold everywhere";
            self.error(value.span(), "an empty list matches nothing", Some(hint.into()));
        }
        let mut out = Vec::new();
        for item in array.iter() {
            if let Some(text) = self.string(item) {
                out.push((text.into_owned(), item.span()));
            }
        }
        out
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
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.error(value.span(), format!("must be {}", words.join(" or ")), None);
        }
        found
    }
}
