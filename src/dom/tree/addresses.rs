//! Where documents are, and what the relative URLs in them are relative to.

use url::Url;

use super::{Misfit, ROOT, Tree};
use crate::dom::Changes;
use crate::dom::node::{Kind, NONE, NodeRef};

/// Base URLs that are remembered; new elements of a page that changes its address more often resolve against the
/// last one remembered.
const BASES: usize = 1_024;
/// Bytes of a URL that is worth resolving against.
const URL: usize = 8_192;
/// Bytes of a document's URL.
pub(super) const LONGEST: usize = URL << 4;

impl Tree {
    /// An element that changes takes part in what the base URL is now, with all its URLs; a sheet that is
    /// already read does not.
    pub(super) fn resolve_anew(&mut self, slot: u32, changes: &mut Changes) -> Result<(), Misfit> {
        let document = self.document_of(slot)?;
        let base = self.base_index(document);
        let id = self.nodes[slot as usize].id;
        let element = self.element(slot)?;
        if element.base == base || element.name.eq_ignore_ascii_case("style") {
            return Ok(());
        }
        element.base = base;
        changes.attributes.extend(element.attributes.iter().map(|(name, _)| (id, name.clone())));
        if element.source().is_some() {
            changes.sources.push(id);
        }
        let count = element.attributes.len();
        self.spend(count as u64)
    }

    pub(super) fn locate(&mut self, document: u32, url: &str, changes: &mut Changes) -> Result<(), Misfit> {
        if url.len() > LONGEST {
            return Err(Misfit::Limit("length of the address"));
        }
        self.charge(url.len())?;
        let id = self.nodes[document as usize].id;
        let before = std::mem::replace(&mut self.document_mut(document)?.location, url.into());
        self.text -= before.len();
        match document {
            _ if *before == *url => {}
            ROOT => changes.location = true,
            _ => changes.addresses.push(id),
        }
        self.rebase(document)
    }

    /// HTML, "document base URL": the first `base` with `href`, against the document's own URL. A document
    /// without one (`about:srcdoc`, say) has that of the document it is in: "fallback base URL".
    pub(super) fn rebase(&mut self, document: u32) -> Result<(), Misfit> {
        let walk = if self.frames > 0 { self.limits.depth } else { 1 };
        self.spend(1 + (self.base_elements.len() * walk) as u64)?;
        let above = match self.nodes[document as usize].parent {
            NONE => None,
            parent => Some(self.document_of(parent)?),
        };
        let node = NodeRef { tree: self, slot: document };
        let Some(held) = node.as_document() else { return Ok(()) };
        let own = (held.location.len() <= URL).then(|| Url::parse(&held.location).ok()).flatten();
        let outer = above.and_then(|slot| NodeRef { tree: self, slot }.as_document());
        let own = match outer {
            Some(outer) => own.filter(|url| !url.cannot_be_a_base()).or_else(|| outer.base.clone()),
            None => own,
        };
        let named =
            self.base_elements.iter().map(|slot| NodeRef { tree: self, slot: *slot }).find_map(|base| {
                let href = base.element()?.attribute("href")?;
                (base.document() == node).then_some(href)
            });
        let base = match named.filter(|href| href.len() <= URL) {
            Some(href) => Url::options().base_url(own.as_ref()).parse(href).ok().or(own),
            None => own,
        };
        let known = [Some(held), outer].into_iter().flatten().find(|held| held.base == base);
        let index = match known.map(|held| held.base_index) {
            Some(index) if self.bases[index as usize] == base => index,
            _ if self.bases.len() < BASES => self.bases.len() as u32,
            _ => held.base_index,
        };
        if index as usize == self.bases.len() {
            self.bases.push(base.clone());
        }
        let held = self.document_mut(document)?;
        (held.base, held.base_index) = (base, index);
        Ok(())
    }

    pub(super) fn base_index(&self, document: u32) -> u32 {
        NodeRef { tree: self, slot: document }.as_document().map_or(0, |document| document.base_index)
    }

    /// The document that a node is in, or is.
    pub(super) fn document_of(&mut self, slot: u32) -> Result<u32, Misfit> {
        if self.frames == 0 {
            return Ok(ROOT);
        }
        let mut steps = 0;
        let mut at = slot;
        while at != NONE && !matches!(self.nodes[at as usize].kind, Kind::Document(_)) {
            at = self.nodes[at as usize].parent;
            steps += 1;
        }
        self.spend(steps)?;
        Ok(if at == NONE { ROOT } else { at })
    }
}
