//! The rules in force, one by one, for the administrator to see: where each stands, what it says, how often it matched.

use crate::protocol::admin::{PolicyFile, PolicyRule};

use super::rules::{AddressKind, ElementKind, ROLES, RuleSet};
use super::{Metrics, Policies};

impl Policies {
    /// Every file and its rules, in the order of the lines.
    pub fn listing(&self) -> Vec<PolicyFile> {
        self.sets.iter().map(|set| self.file(set)).collect()
    }

    /// Counts what matches for those who run the server too.
    pub fn count_for(&self, metrics: &Metrics) {
        self.tally.count_for(metrics);
    }

    fn file(&self, set: &RuleSet) -> PolicyFile {
        let words = |roles: &[_]| {
            let named = ROLES.iter().filter(|(_, role)| roles.contains(role));
            named.map(|(name, _)| (*name).to_owned()).collect::<Vec<String>>()
        };
        let elements = set.elements.iter().map(|rule| {
            let about = match &rule.kind {
                ElementKind::Mask { fixed: true, .. } => Some("fixed length".to_owned()),
                ElementKind::Reveal { roles } => Some(words(roles).join(", ")),
                ElementKind::Control { enabled: true } => Some("enabled".to_owned()),
                ElementKind::Control { enabled: false } => Some("disabled".to_owned()),
                ElementKind::Mask { .. } | ElementKind::Hide { .. } | ElementKind::Show => None,
            };
            let what = rule.text.split_whitespace().collect::<Vec<_>>().join(" ");
            (rule.number, rule.line, rule.kind.word(), what, about)
        });
        let addresses = set.addresses.iter().map(|rule| {
            let about = match rule.kind {
                AddressKind::Navigate { allowed: true } => Some("allowed".to_owned()),
                AddressKind::Navigate { allowed: false } => Some("denied".to_owned()),
                AddressKind::Pause => None,
            };
            let urls: Vec<&str> = rule.urls.iter().map(|pattern| pattern.text()).collect();
            (rule.number, rule.line, rule.kind.word(), urls.join(", "), about)
        });
        let mut rules: Vec<PolicyRule> = elements
            .chain(addresses)
            .map(|(number, line, kind, what, about)| PolicyRule {
                line: line as u32,
                kind: kind.to_owned(),
                what,
                about,
                matched: self.tally.of(number).min(u64::from(u32::MAX)) as u32,
            })
            .collect();
        rules.sort_by_key(|rule| rule.line);
        PolicyFile {
            file: set.file.clone(),
            sites: set.sites.iter().flatten().map(|site| site.text().to_owned()).collect(),
            urls: set.urls.iter().flatten().map(|url| url.text().to_owned()).collect(),
            roles: set.roles.as_deref().map(words).unwrap_or_default(),
            masked_by_default: set.masked_by_default,
            overrides: set.overrides,
            rules,
        }
    }
}
