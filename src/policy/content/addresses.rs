//! What becomes of the URLs in a page: where a link leads stays readable, and what would load something gets an address
//! of the session's own, or goes.

use std::borrow::Cow;

use url::Url;

use super::Lens;
use crate::dom::{Element, NodeRef};
use crate::policy::Resource;
use crate::policy::echo::SHORTEST_IN_CODE;
use crate::rewrite::css::{CssUrl, map_urls};

/// Bytes of a `data:` URL that goes into a view as it is; a longer one is a resource like any other.
const DATA: usize = 256 << 10;
/// Bytes of any other URL.
const URL: usize = 8_192;

impl Lens<'_> {
    pub(super) fn link(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        name: &str,
        value: &str,
    ) -> Option<Box<str>> {
        let sheet = element.attribute("rel").is_some_and(|rel| {
            rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("stylesheet"))
        });
        match name {
            _ if !sheet => None,
            "href" => self.capability(node, value, false),
            // Which of several sheets is chosen is said by what each of them holds for.
            "rel" => Some("stylesheet".into()),
            "media" | "disabled" => Some(value.into()),
            _ => None,
        }
    }

    /// `href` of everything but `link`: where a link leads, or a part of a drawing.
    pub(super) fn reference(
        &mut self,
        node: NodeRef<'_>,
        element: &Element,
        value: &str,
    ) -> Option<Box<str>> {
        let value = value.trim_matches(|char: char| char <= ' ');
        if value.starts_with('#') {
            return Some(value.into());
        }
        match element.name() {
            "a" | "area" => match resolve(node, None, value) {
                Some(url) if matches!(url.scheme(), "http" | "https") => Some(plain(url).as_str().into()),
                Some(url) if matches!(url.scheme(), "mailto" | "tel") => Some(url.as_str().into()),
                _ => Some("#".into()),
            },
            "image" | "feImage" => self.capability(node, value, true),
            "use" => self.capability(node, value, false),
            _ => None,
        }
    }

    /// `base`: against what URLs are resolved, where that is not the element's own base.
    pub(super) fn css(&mut self, node: NodeRef<'_>, base: Option<&Url>, css: &str) -> Box<str> {
        let mut map = |url: &str, kind: CssUrl| {
            let url = url.trim_matches(|char: char| char <= ' ');
            if url.starts_with('#') {
                return Some(url.to_owned());
            }
            if kind == CssUrl::Image && is_data(url, &["data:font/", "data:application/"]) {
                return Some(url.to_owned());
            }
            self.capability_at(node, base, url, kind == CssUrl::Image).map(String::from)
        };
        map_urls(css, &mut map).into()
    }

    /// The address under which an agent gets what a URL stands for. `inline`: it may be a picture in a `data:` URL.
    pub(super) fn capability(&mut self, node: NodeRef<'_>, value: &str, inline: bool) -> Option<Box<str>> {
        self.capability_at(node, None, value, inline)
    }

    pub(super) fn capability_at(
        &mut self,
        node: NodeRef<'_>,
        base: Option<&Url>,
        value: &str,
        inline: bool,
    ) -> Option<Box<str>> {
        let value = value.trim_matches(|char: char| char <= ' ');
        if inline && is_data(value, &["data:image/"]) {
            return Some(value.into());
        }
        if value.is_empty() {
            return None;
        }
        if inline && is_of(value, &["data:image/"]) {
            return self.long_data(value);
        }
        let mut url = resolve(node, base, value)?;
        if !matches!(url.scheme(), "http" | "https" | "blob") {
            return None;
        }
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let (token, mut address) = self.names.name(url.as_str());
        if let Some(fragment) = fragment {
            address.push('#');
            address.push_str(&fragment);
        }
        self.resources.push(Resource { token, url: url.into() });
        Some(address.into())
    }

    /// A picture in a `data:` URL that is too long for a view. Once it has another address nobody looks for echoes in it.
    pub(super) fn long_data(&mut self, value: &str) -> Option<Box<str>> {
        if matches!(self.echoes.hide(value, SHORTEST_IN_CODE), Cow::Owned(_)) {
            self.struck = true;
            return None;
        }
        let (token, address) = self.names.name(value);
        self.resources.push(Resource { token, url: value.into() });
        Some(address.into())
    }
}

/// Whether a URL holds what it names, is of one of these kinds, and short enough for a view.
pub(super) fn is_data(url: &str, kinds: &[&str]) -> bool {
    url.len() <= DATA && is_of(url, kinds)
}

fn is_of(url: &str, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| url.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)))
}

pub(super) fn resolve(node: NodeRef<'_>, base: Option<&Url>, value: &str) -> Option<Url> {
    if value.len() > URL {
        return None;
    }
    match base.or_else(|| node.base()) {
        Some(base) => base.join(value).ok(),
        None => Url::parse(value).ok(),
    }
}

pub(super) fn plain(mut url: Url) -> Url {
    // Fails only for URLs that can not have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}
