//! What each operation does to the tree.

use super::{Misfit, Tree};
use crate::dom::Changes;
use crate::dom::node::{Kind, NONE, Sheet};
use crate::protocol::attention::{Notice, Selection};
use crate::protocol::page::{Control, PageOp, Part, Quirks, Value};
use crate::protocol::{Inset, NodeId};

/// Bytes of what a browser says in a box of its own.
const NOTICE: usize = 16 << 10;

impl Tree {
    pub(super) fn operation(&mut self, op: &PageOp, changes: &mut Changes) -> Result<(), Misfit> {
        match op {
            PageOp::Begin { quirks } => self.begin(*quirks, changes)?,
            PageOp::Insert { parent, next, parts } => self.insert(*parent, *next, parts, changes)?,
            PageOp::Move { id, parent, next } => {
                let (slot, parent) = (self.slot(*id)?, self.slot(*parent)?);
                let next = self.child_of(parent, *next)?;
                self.relocate(slot, parent, next, changes)?;
                changes.moved.push(*id);
            }
            PageOp::Remove { id } => self.remove(*id, changes)?,
            PageOp::SetAttribute { id, name, value } => self.set_attribute(*id, name, value, changes)?,
            PageOp::RemoveAttribute { id, name } => self.remove_attribute(*id, name, changes)?,
            PageOp::Text { id, data } => self.text(*id, data, changes)?,
            PageOp::Control { id, state } => self.control(*id, state, changes)?,
            PageOp::Scroll { id, x, y } => self.scroll(*id, (*x, *y), changes)?,
            // The size of an inset is that of its frame.
            PageOp::Viewport { .. } if self.writer != Inset::PAGE => {}
            PageOp::Viewport { width, height, ratio } => self.viewport = Some((*width, *height, *ratio)),
            PageOp::Location { url } => {
                let document = self.own_document()?;
                self.check_origin(url)?;
                self.locate(document, url, changes)?;
            }
            PageOp::Address { id, .. } if *id == self.writer.document() => return Err(Misfit::Kind(*id)),
            PageOp::Address { id, url } => {
                let slot = self.slot(*id)?;
                self.locate(slot, url, changes)?;
            }
            PageOp::Focus { id } => {
                if let Some(id) = id {
                    self.slot(*id)?;
                }
                self.presence_mut().focus = *id;
            }
            PageOp::TopLayer { entries } => {
                for (id, _) in entries {
                    let slot = self.slot(*id)?;
                    self.element(slot)?;
                }
                self.presence_mut().top_layer.clone_from(entries);
            }
            PageOp::Box { id, width, height } => {
                let slot = self.slot(*id)?;
                self.element(slot)?.state_mut().size = Some((*width, *height));
                changes.boxes.push(*id);
            }
            PageOp::Check { from, count, digest } => {
                self.spend(u64::from(*count))?;
                let ours = (from.inset() == self.writer).then(|| self.digest(*from, *count)).flatten();
                changes.diverged |= ours != Some(*digest);
            }
            PageOp::Source { id, url } => self.source(*id, url, changes)?,
            PageOp::Picture { id, number } => self.picture(*id, *number, changes)?,
            PageOp::Sheet { id, media, css } => self.sheet(*id, media, css, changes)?,
            PageOp::States { states } => {
                for id in [states.hover, states.pointed, states.active, states.target].into_iter().flatten() {
                    self.slot(id)?;
                }
                self.presence_mut().attention.states = *states;
            }
            PageOp::Selection { selection } => {
                if let Some(Selection { anchor, focus }) = selection {
                    self.slot(anchor.0)?;
                    self.slot(focus.0)?;
                }
                self.presence_mut().attention.selection = *selection;
            }
            PageOp::Notice { notice } => self.notice(notice)?,
            PageOp::Media { features } => self.presence_mut().attention.media = Some(*features),
            PageOp::Zoom { zoomed } => self.presence_mut().attention.zoomed = *zoomed,
        }
        Ok(())
    }

    fn begin(&mut self, quirks: Quirks, changes: &mut Changes) -> Result<(), Misfit> {
        match self.writer {
            Inset::PAGE if self.begun => return Err(Misfit::BegunTwice),
            Inset::PAGE => (self.begun, changes.begun) = (true, true),
            _ => {}
        }
        let document = self.own_document()?;
        self.document_mut(document)?.quirks = quirks;
        Ok(())
    }

    fn remove(&mut self, id: NodeId, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        if id == self.writer.document() {
            return Err(Misfit::Kind(id));
        }
        let parent = self.nodes[slot as usize].parent;
        changes.parents.push(self.nodes[parent as usize].id);
        let document = self.document_of(parent)?;
        self.detach(slot);
        self.release(slot, document, changes)?;
        Ok(())
    }

    fn remove_attribute(&mut self, id: NodeId, name: &str, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let element = self.element(slot)?;
        if let Some(at) = element.attributes.iter().position(|(known, _)| **known == *name) {
            let (name, value) = element.attributes.remove(at);
            self.text -= attribute_cost(&name, &value);
            self.attribute_changed(slot, &name, changes)?;
            changes.attributes.push((id, name));
        }
        Ok(())
    }

    fn text(&mut self, id: NodeId, data: &str, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        self.charge(data.len())?;
        match &mut self.nodes[slot as usize].kind {
            Kind::Text(held) | Kind::Comment(held) => {
                self.text -= held.len();
                *held = data.into();
            }
            _ => return Err(Misfit::Kind(id)),
        }
        changes.texts.push(id);
        Ok(())
    }

    fn control(&mut self, id: NodeId, state: &Control, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let before = self.element(slot)?.control().map_or(0, control_length);
        self.charge(control_length(state))?;
        self.text -= before;
        self.element(slot)?.state_mut().control = Some(state.clone());
        changes.controls.push(id);
        Ok(())
    }

    fn scroll(&mut self, id: NodeId, to: (i32, i32), changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let node = &mut self.nodes[slot as usize];
        match &mut node.kind {
            Kind::Document(document) => document.scroll = Some(to),
            Kind::Element(element) => element.state_mut().scroll = Some(to),
            _ => return Err(Misfit::Kind(id)),
        }
        changes.scrolls.push(id);
        Ok(())
    }

    fn source(&mut self, id: NodeId, url: &str, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        self.charge(url.len())?;
        let state = self.element(slot)?.state_mut();
        let before = state.source.replace(url.into()).map_or(0, |url| url.len());
        self.text -= before;
        self.resolve_anew(slot, changes)?;
        changes.sources.push(id);
        Ok(())
    }

    fn picture(&mut self, id: NodeId, number: Option<u32>, changes: &mut Changes) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let element = self.element(slot)?;
        if !element.is_pictured() {
            return Err(Misfit::Kind(id));
        }
        changes.retired.extend(std::mem::replace(&mut element.state_mut().picture, number));
        changes.pictures.push(id);
        Ok(())
    }

    fn sheet(
        &mut self,
        id: NodeId,
        media: &Option<Box<str>>,
        css: &Option<Box<str>>,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let element = self.element(slot)?;
        if !element.is_html("link") && !element.name().eq_ignore_ascii_case("style") {
            return Err(Misfit::Kind(id));
        }
        let sheet = Sheet { media: media.clone(), css: css.clone() };
        let grown = sheet_length(&sheet);
        let said = media.is_some() || css.is_some();
        let before = std::mem::replace(&mut element.state_mut().sheet, said.then(|| Box::new(sheet)));
        self.text -= before.as_deref().map_or(0, sheet_length);
        self.charge(grown)?;
        changes.sheets.push(id);
        Ok(())
    }

    fn notice(&mut self, notice: &Option<Notice>) -> Result<(), Misfit> {
        if let Some(notice) = notice {
            if notice.text.len() > NOTICE {
                return Err(Misfit::Limit("length of a notice"));
            }
            notice.at.map(|at| self.slot(at)).transpose()?;
        }
        self.presence_mut().attention.notice.clone_from(notice);
        Ok(())
    }

    fn insert(
        &mut self,
        parent: NodeId,
        next: Option<NodeId>,
        parts: &[Part],
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let mut parent = self.slot(parent)?;
        let mut next = self.child_of(parent, next)?;
        let outermost = parent;
        let mut document = self.document_of(parent)?;
        let mut depth = self.depth(parent)?;
        let mut root = true;
        for part in parts {
            self.spend(1)?;
            if matches!(part, Part::End) {
                if parent == outermost {
                    return Err(Misfit::Nesting);
                }
                let left = parent;
                parent = self.nodes[left as usize].parent;
                if left == document {
                    document = self.document_of(parent)?;
                }
                depth -= 1;
                continue;
            }
            if !std::mem::take(&mut root) && parent == outermost {
                return Err(Misfit::Nesting);
            }
            let before = std::mem::replace(&mut next, NONE);
            if let Part::Known { id } = part {
                let slot = self.slot(*id)?;
                self.relocate(slot, parent, before, changes)?;
                changes.moved.push(*id);
                continue;
            }
            if depth + 1 > self.limits.depth {
                return Err(Misfit::Limit("depth of the page"));
            }
            if matches!(part, Part::Document { .. }) {
                self.make_room(parent, changes)?;
            }
            let slot = self.create(part, document)?;
            self.attach(slot, parent, before)?;
            let id = self.nodes[slot as usize].id;
            if parent == outermost {
                changes.inserted.push(id);
                changes.parents.push(self.nodes[parent as usize].id);
            }
            if let Part::Document { .. } = part {
                document = slot;
                self.rebase(document)?;
            }
            if matches!(part, Part::Element { .. } | Part::ShadowRoot | Part::Document { .. }) {
                if self.element(slot).is_ok_and(|element| element.is_html("base")) {
                    self.base_elements.push(slot);
                    self.rebase(document)?;
                }
                parent = slot;
                depth += 1;
            }
        }
        if root || parent != outermost {
            return Err(Misfit::Nesting);
        }
        Ok(())
    }

    fn set_attribute(
        &mut self,
        id: NodeId,
        name: &str,
        value: &str,
        changes: &mut Changes,
    ) -> Result<(), Misfit> {
        let slot = self.slot(id)?;
        let name = self.names.intern(name);
        let limit = self.limits.attributes;
        let count = self.element(slot)?.attributes.len();
        self.spend(count as u64)?;
        self.charge(value.len())?;
        let element = self.element(slot)?;
        let grown = match element.attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => {
                let before = held.len();
                *held = value.into();
                self.text -= before;
                0
            }
            None if count >= limit => {
                return Err(Misfit::Limit("attributes of an element"));
            }
            None => {
                element.attributes.push((name.clone(), value.into()));
                attribute_cost(&name, "")
            }
        };
        self.charge(grown)?;
        self.attribute_changed(slot, &name, changes)?;
        changes.attributes.push((id, name));
        Ok(())
    }

    fn attribute_changed(&mut self, slot: u32, name: &str, changes: &mut Changes) -> Result<(), Misfit> {
        self.spend(self.base_elements.len() as u64)?;
        if name == "href" && self.base_elements.contains(&slot) {
            let document = self.document_of(slot)?;
            self.rebase(document)?;
        }
        self.resolve_anew(slot, changes)?;
        self.note_password(slot);
        let element = self.element(slot)?;
        // What an image shows is told anew after this.
        if matches!(name, "src" | "srcset") {
            let source = element.state.as_mut().and_then(|state| state.source.take());
            let before = source.map_or(0, |url| url.len());
            self.text -= before;
        }
        Ok(())
    }
}

/// What an attribute counts in the limit of text: its place in memory too, so that many empty ones are not free.
pub(super) fn attribute_cost(name: &str, value: &str) -> usize {
    name.len() + value.len() + 40
}

pub(super) fn sheet_length(sheet: &Sheet) -> usize {
    [&sheet.media, &sheet.css].into_iter().flatten().map(|text| text.len()).sum()
}

pub(super) fn control_length(control: &Control) -> usize {
    let value = match &control.value {
        Some(Value::Told(text)) => text.len(),
        _ => 0,
    };
    value + control.selected.as_ref().map_or(0, |selected| 4 * selected.len())
}
