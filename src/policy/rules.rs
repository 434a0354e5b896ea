//! Policy files: read, checked as a whole, compiled.
//!
//! All or nothing: either every rule of every file is understood and enforced, or there is a list of
//! everything that is wrong and no [`Policies`] at all.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use url::Url;

use crate::dom::Selector;
use crate::protocol::agent::Role;

use super::diagnostic::Diagnostic;
use super::folder::{self, Stamp};
use super::pattern::{SitePattern, UrlPattern};
use super::reader::{ERRORS, Left, read};
use super::sense;
use super::tally::Tally;

/// Bytes of one policy file.
const FILE: u64 = 4 << 20;
/// Policy files in a folder.
const FILES: usize = 1_000;

/// The names of all roles.
pub(super) const ROLES: [(&str, Role); 3] =
    [("agent", Role::Agent), ("supervisor", Role::Supervisor), ("admin", Role::Admin)];

/// The rules of an administrator.
#[derive(Debug, Default)]
pub struct Policies {
    pub(super) sets: Vec<RuleSet>,
    /// How often each rule matched, by its number.
    pub(super) tally: Tally,
    folder: Option<(PathBuf, Stamp)>,
    warnings: Vec<Diagnostic>,
}

/// One file.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    pub(super) file: String,
    pub(super) sites: Option<Vec<SitePattern>>,
    pub(super) urls: Option<Vec<UrlPattern>>,
    pub(super) roles: Option<Vec<Role>>,
    pub(super) masked_by_default: bool,
    /// Its `show`, `enabled` and `allowed` hold against stricter rules of earlier files.
    pub(super) overrides: bool,
    pub(super) elements: Vec<ElementRule>,
    pub(super) addresses: Vec<AddressRule>,
}

/// A rule about elements.
#[derive(Debug)]
pub(super) struct ElementRule {
    /// In all files together, counted from 0.
    pub(super) number: usize,
    /// Of the file, counted from 1.
    pub(super) line: usize,
    /// Bytes of the file in which the selector is written.
    pub(super) span: Range<usize>,
    pub(super) selector: Selector,
    pub(super) text: String,
    pub(super) kind: ElementKind,
}

#[derive(Debug)]
pub(super) enum ElementKind {
    /// `fixed`: masked texts are all of one length.
    Mask {
        label: Option<String>,
        fixed: bool,
    },
    Hide {
        label: Option<String>,
    },
    Show,
    Reveal {
        roles: Vec<Role>,
    },
    Control {
        enabled: bool,
    },
}

/// A rule about addresses.
#[derive(Debug)]
pub(super) struct AddressRule {
    pub(super) number: usize,
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    pub(super) urls: Vec<UrlPattern>,
    pub(super) kind: AddressKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressKind {
    /// Where an agent may, or may not, take the customer.
    Navigate { allowed: bool },
    /// Where sharing stops by itself.
    Pause,
}

impl ElementKind {
    /// What the rule is called in files.
    pub(super) fn word(&self) -> &'static str {
        match self {
            ElementKind::Mask { .. } => "mask",
            ElementKind::Hide { .. } => "hide",
            ElementKind::Show => "show",
            ElementKind::Reveal { .. } => "reveal",
            ElementKind::Control { .. } => "control",
        }
    }
}

impl AddressKind {
    /// What the rule is called in files.
    pub(super) fn word(self) -> &'static str {
        match self {
            AddressKind::Navigate { .. } => "navigate",
            AddressKind::Pause => "pause",
        }
    }
}

impl AddressRule {
    pub(super) fn matches(&self, url: &Url) -> bool {
        self.urls.iter().any(|pattern| pattern.matches(url))
    }
}

impl RuleSet {
    /// Whether the set is for this role on this page. Without a URL the set holds: in doubt the stricter.
    pub(super) fn holds(&self, url: Option<&Url>, role: Role) -> bool {
        self.roles.as_ref().is_none_or(|roles| roles.contains(&role)) && self.holds_at(url)
    }

    fn holds_at(&self, url: Option<&Url>) -> bool {
        let Some(url) = url else { return true };
        self.sites.as_ref().is_none_or(|sites| sites.iter().any(|site| site.matches(url)))
            && self.urls.as_ref().is_none_or(|urls| urls.iter().any(|pattern| pattern.matches(url)))
    }

    /// Whether it holds on every page for everybody.
    pub(super) fn holds_always(&self) -> bool {
        self.sites.is_none() && self.urls.is_none() && self.for_every_role()
    }

    fn for_every_role(&self) -> bool {
        self.roles.as_ref().is_none_or(|roles| ROLES.iter().all(|(_, role)| roles.contains(role)))
    }

    /// The selectors of one kind.
    fn selectors(&self, fits: impl Fn(&ElementKind) -> bool) -> impl Iterator<Item = &str> {
        self.elements.iter().filter(move |rule| fits(&rule.kind)).map(|rule| &*rule.text)
    }
}

impl Policies {
    /// Reads all `*.toml` of a folder, in the order of their names. A folder that can not be read is an error;
    /// one without files is a set of policies without rules (the built-in ground still holds).
    pub fn load(dir: &Path) -> Result<Policies, Vec<Diagnostic>> {
        // Before anything is read: what changes meanwhile is seen to have changed.
        let stamp = Stamp::of(dir);
        let paths = folder::files(dir).map_err(|error| vec![unreadable(dir, &error)])?;
        if paths.len() > FILES {
            return Err(vec![unreadable(dir, &format!("more than {FILES} policy files"))]);
        }
        let policies = Policies::of_texts(&paths)?;
        Ok(Policies { folder: Some((dir.to_owned(), stamp)), ..policies })
    }

    /// Reads these files, in this order; of a folder, all in it.
    pub fn of_files(paths: &[PathBuf]) -> Result<Policies, Vec<Diagnostic>> {
        let listed = paths.iter().flat_map(|path| match path.is_dir() {
            true => folder::files(path).unwrap_or_else(|_| vec![path.clone()]),
            false => vec![path.clone()],
        });
        Policies::of_texts(&listed.collect::<Vec<_>>())
    }

    fn of_texts(paths: &[PathBuf]) -> Result<Policies, Vec<Diagnostic>> {
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for path in paths {
            match text(path) {
                Ok(text) => files.push((path.display().to_string(), text)),
                Err(error) => errors.push(error),
            }
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        match Policies::parse(&files) {
            Ok(policies) if errors.is_empty() => Ok(policies),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                errors.truncate(ERRORS);
                Err(errors)
            }
        }
    }

    /// Reads policy files given as name and content. Returns every error of all of them.
    pub fn parse(files: &[(&str, &str)]) -> Result<Policies, Vec<Diagnostic>> {
        let (mut errors, mut sets, mut left) = (Vec::new(), Vec::new(), Left::default());
        for (name, text) in files {
            sets.extend(read(name, text, &mut left, &mut errors));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
        let warnings = sense::warnings(&sets, &texts);
        let mut kinds = vec![""; left.taken()];
        for set in &sets {
            set.elements.iter().for_each(|rule| kinds[rule.number] = rule.kind.word());
            set.addresses.iter().for_each(|rule| kinds[rule.number] = rule.kind.word());
        }
        Ok(Policies { sets, tally: Tally::new(kinds), folder: None, warnings })
    }

    /// The attributes by which rules choose elements.
    pub(super) fn mentioned(&self) -> Vec<String> {
        let rules = self.sets.iter().flat_map(|set| &set.elements);
        let names = rules.flat_map(|rule| &rule.selector.needs().attributes).map(|name| name.to_string());
        names.collect::<BTreeSet<String>>().into_iter().collect()
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
        self.sets.iter().map(|set| set.elements.len() + set.addresses.len()).sum()
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
        let shows = |kind: &ElementKind| matches!(kind, ElementKind::Show);
        let holding = || self.sets.iter().filter(|set| set.holds_at(url.as_ref()));
        let revealed: Vec<&str> = holding()
            .flat_map(|set| set.selectors(|kind| matches!(kind, ElementKind::Reveal { .. })))
            .collect();
        for (index, set) in self.sets.iter().enumerate() {
            if !(set.for_every_role() && set.holds_at(url.as_ref())) {
                continue;
            }
            // What some role may see has to be told; the server hides it from the others.
            let later =
                self.sets[index + 1..].iter().filter(|set| set.overrides && set.holds_at(url.as_ref()));
            let shown: Vec<&str> = later.flat_map(|set| set.selectors(shows)).collect();
            let seen = [&*revealed, &*shown].concat();
            let but = |text: &str, lifted: &[&str]| match lifted {
                [] => text.to_owned(),
                lifted => format!(":is({text}):not(:is({}))", lifted.join(", ")),
            };
            out.extend(
                set.selectors(|kind| matches!(kind, ElementKind::Mask { .. })).map(|text| but(text, &seen)),
            );
            out.extend(
                set.selectors(|kind| matches!(kind, ElementKind::Hide { .. })).map(|text| but(text, &shown)),
            );
            if set.masked_by_default {
                // Of controls only: `closest()` would find the page itself outside of what is shown.
                let shown: Vec<&str> = holding().flat_map(|set| set.selectors(shows)).collect();
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

/// The text of a file: UTF-8, of bounded size.
fn text(path: &Path) -> Result<String, Diagnostic> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > FILE {
        return Err(unreadable(path, &format!("more than {FILE} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    match String::from_utf8(bytes) {
        // Editors of some systems put a byte order mark before the text.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let lossy = String::from_utf8_lossy(&bytes);
            let what = match bytes.as_slice() {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this file is UTF-16, not UTF-8",
                _ => "this is not UTF-8",
            };
            let hint = Some("save the file as UTF-8".to_owned());
            Err(Diagnostic::new(&path.display().to_string(), &lossy, valid..valid + 3, what, hint))
        }
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::whole(&path.display().to_string(), format!("can not be read: {why}"))
}
