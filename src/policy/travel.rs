//! Where an agent may take the customer: by link, by address, by sending a form.
//!
//! Never off the site. What logs the customer out or saves a file is denied unless a rule allows it by that very
//! word; beyond that the rules decide, and what is denied stays denied.

use url::Url;

use crate::dom::{Document, NodeRef, Tree, forms};
use crate::protocol::Refusal;

use super::Masker;
use super::rules::{AddressKind, AddressRule};
use super::verdict::Scope;

/// What addresses that end a login are called, without the signs between the words.
const LOGOUT: [&str; 6] = ["logout", "logoff", "signout", "signoff", "endsession", "abmelden"];
/// Of files that browsers save instead of showing them, or show in a viewer in which the site has no page.
const FILES: [&str; 40] = [
    "7z", "apk", "bin", "bz2", "csv", "deb", "dmg", "doc", "docm", "docx", "epub", "exe", "gz", "ics", "img",
    "iso", "jar", "msi", "odp", "ods", "odt", "ofx", "p12", "pdf", "pfx", "pkg", "ppt", "pptx", "qif", "rar",
    "rpm", "rtf", "tar", "tgz", "vcf", "xls", "xlsm", "xlsx", "xz", "zip",
];

impl Masker {
    /// Whether the customer may be taken to this address, from a document of this scope.
    pub(super) fn lead_to(&self, tree: &Tree, scope: Scope, target: &Url) -> Result<(), Refusal> {
        if !matches!(target.scheme(), "http" | "https") {
            return Err(Refusal::NotPossible);
        }
        let here = Url::parse(tree.location()).map_err(|_| Refusal::NotPossible)?;
        if target.origin() != here.origin() || !target.username().is_empty() || target.password().is_some() {
            return Err(Refusal::OutsideSite);
        }
        let rules = || self.navigation(scope);
        let named = || rules().filter(|(_, rule)| rule.matches(target));
        named().for_each(|(_, rule)| self.policies.tally.add(rule.number));
        let allows = |rule: &AddressRule| rule.kind == AddressKind::Navigate { allowed: true };
        let allowed = || named().filter(|(_, rule)| allows(rule));
        // Up to which file denials are lifted.
        let overrides = |set: &usize| self.policies.sets[*set].overrides;
        let lifted = allowed().map(|(set, _)| set).filter(overrides).max().unwrap_or(0);
        let denied = named().any(|(set, rule)| !allows(rule) && set >= lifted);
        // A list of what is allowed is a list of all that is allowed.
        let listed = !rules().any(|(_, rule)| allows(rule)) || allowed().next().is_some();
        let says = |rule: &AddressRule, word: &str| {
            rule.urls.iter().any(|pattern| pattern.matches(target) && plain(pattern.text()).contains(word))
        };
        let spared = |word: &str| allowed().any(|(_, rule)| says(rule, word));
        if denied || !listed || sensitive(target).is_some_and(|word| !spared(&word)) {
            return Err(Refusal::Disabled);
        }
        Ok(())
    }

    /// Whether what an agent's action brings from an address may be saved as a file, which only the answer tells:
    /// where a rule opens a kind of file, or names the very address.
    pub fn may_save(&self, tree: &Tree, target: &Url) -> bool {
        let names = |rule: &AddressRule| {
            rule.kind == AddressKind::Navigate { allowed: true }
                && rule.urls.iter().any(|pattern| pattern.names_one() && pattern.matches(target))
        };
        self.lead_to(tree, Scope::default(), target).is_ok()
            && (sensitive(target).is_some() || self.navigation(Scope::default()).any(|(_, rule)| names(rule)))
    }

    /// Whether a link may be followed.
    pub(super) fn follow(&self, link: NodeRef<'_>) -> Result<(), Refusal> {
        let element = link.element().ok_or(Refusal::NotPossible)?;
        if link.has("download") {
            return Err(Refusal::NeedsCustomer);
        }
        let href = element.attribute("href").or(element.attribute("xlink:href")).unwrap_or_default();
        let target = resolve(link, href)?;
        // A button in the shape of a link: it runs a script of the page and leads nowhere.
        if target.scheme() == "javascript" {
            return if sensitive(&target).is_some() { Err(Refusal::Disabled) } else { Ok(()) };
        }
        self.lead_to(link.tree(), self.scope_of(link), &target)
    }

    /// Whether the form of a submit button may be sent to where it goes.
    pub(super) fn send(&self, button: NodeRef<'_>) -> Result<(), Refusal> {
        let Some(form) = forms::owner(button) else { return Ok(()) };
        let attribute = |node: NodeRef<'_>, name| {
            node.element().and_then(|element| element.attribute(name)).map(str::to_owned)
        };
        let action = attribute(button, "formaction").or_else(|| attribute(form, "action"));
        match action.as_deref().map(str::trim) {
            // To the page itself.
            None | Some("") => Ok(()),
            // A script of the page takes it from there.
            Some(action)
                if action.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("javascript:")) =>
            {
                Ok(())
            }
            Some(action) => self.lead_to(form.tree(), self.scope_of(form), &resolve(form, action)?),
        }
    }

    fn scope_of(&self, node: NodeRef<'_>) -> Scope {
        self.verdict(node.document().id()).map_or_else(Scope::default, |verdict| verdict.scope)
    }

    /// The rules about it that are in force, with the indexes of their files.
    fn navigation(&self, scope: Scope) -> impl Iterator<Item = (usize, &AddressRule)> + Clone {
        let sets = self.rules_of(scope).sets.iter().map(|set| (*set, &self.policies.sets[*set]));
        let rules = sets.flat_map(|(set, rules)| rules.addresses.iter().map(move |rule| (set, rule)));
        rules.filter(|(_, rule)| matches!(rule.kind, AddressKind::Navigate { .. }))
    }
}

/// Addresses are resolved when they are used.
fn resolve(node: NodeRef<'_>, address: &str) -> Result<Url, Refusal> {
    let url = match node.document().as_document().and_then(Document::base) {
        Some(base) => base.join(address),
        None => Url::parse(address),
    };
    url.map_err(|_| Refusal::NotPossible)
}

/// The word by which an address logs somebody out or saves a file.
fn sensitive(url: &Url) -> Option<String> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = decode(url.path());
    let query = decode(url.query().unwrap_or_default());
    let words = path.split('/').chain(query.split(['&', '=', ';', '/', '?']));
    for word in words.map(plain) {
        // `doLogout`, `logout.php`, `user-sign_out`.
        let stem = word.split('.').next().unwrap_or_default();
        if let Some(found) = LOGOUT.iter().find(|known| stem.starts_with(**known) || stem.ends_with(**known))
        {
            return Some((*found).to_owned());
        }
    }
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let (_, extension) = file.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    FILES.contains(&extension.as_str()).then(|| format!(".{extension}"))
}

/// Without case and without the signs that are put between words.
fn plain(text: &str) -> String {
    text.chars().filter(|char| !matches!(char, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_log_out_or_save_a_file_are_known_by_their_words() {
        for (path, word) in [
            ("/logout", "logout"),
            ("/users/sign_out", "signout"),
            ("/account/Log-Off/", "logoff"),
            ("/wp-login.php?action=logout&x=1", "logout"),
            ("/doLogout.do", "logout"),
            ("/log%6Fut", "logout"),
            ("/files/Statement.PDF", ".pdf"),
            ("/export.csv?all", ".csv"),
        ] {
            let url = Url::parse(&format!("https://shop.test{path}")).unwrap();
            assert_eq!(sensitive(&url).as_deref(), Some(word), "{path}");
        }
        for path in
            ["/", "/blog/outlook", "/a.html", "/pdf", "/catalogout-of-stock/x", "/v1.2/item", "/login"]
        {
            let url = Url::parse(&format!("https://shop.test{path}")).unwrap();
            assert_eq!(sensitive(&url), None, "{path}");
        }
    }
}
