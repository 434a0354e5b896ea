//! A page on its way: decoded if the origin coded it, given the loader's tag, coded again if the browser wants.
//!
//! What has come from the origin can be read by the browser as soon as it is passed on: nothing waits in a coder.
//! A page is worked on in small steps, so that no more of it is in memory than one step makes.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::rewrite::coding::{self, Coding, Decoder, Encoder, PageCoding};
use crate::rewrite::prologue::Insertion;

/// What is to be done with a page. Its headers say so already.
pub(super) struct Plan {
    pub(super) insertion: Insertion,
    /// As the origin coded it.
    pub(super) from: Option<Coding>,
    /// As the browser gets it.
    pub(super) to: Option<PageCoding>,
}

/// A page that is being worked on.
pub(super) struct Page {
    insertion: Insertion,
    decoder: Option<Decoder>,
    encoder: Option<Encoder>,
    /// What has come and is not worked on yet.
    pending: Bytes,
    /// Whether the encoder holds something that the browser should have.
    unsent: bool,
}

impl Page {
    pub(super) fn new(plan: Plan) -> Result<Page, coding::Error> {
        let Plan { insertion, from, to } = plan;
        let decoder = from.map(Decoder::new);
        let encoder = to.map(Encoder::new).transpose()?;
        Ok(Page { insertion, decoder, encoder, pending: Bytes::new(), unsent: false })
    }

    /// Whether everything that comes from now on goes on as it is.
    pub(super) fn is_done(&self) -> bool {
        self.insertion.is_done()
            && self.decoder.is_none()
            && self.encoder.is_none()
            && self.pending.is_empty()
    }

    /// By how many bytes the page still grows, if that can be told in advance.
    pub(super) fn added(&self) -> Option<u64> {
        let coded = self.decoder.is_some() || self.encoder.is_some();
        let added = if self.insertion.is_done() { 0 } else { self.insertion.added() };
        (!coded).then_some(added)
    }

    /// Takes the next piece, to be worked on by [`Page::step`]. The one before must be done with.
    pub(super) fn take(&mut self, piece: Bytes) {
        self.pending = piece;
    }

    /// Whether there is something left to work on.
    pub(super) fn has_more(&self) -> bool {
        self.unsent || !self.pending.is_empty()
    }

    /// Works on a part of what has come.
    pub(super) fn step(&mut self, out: &mut VecDeque<Bytes>) -> Result<(), coding::Error> {
        let plain = match &mut self.decoder {
            Some(decoder) => {
                let part = self.pending.split_to(self.pending.len().min(coding::STEP));
                decoder.push(&part)?
            }
            None => std::mem::take(&mut self.pending),
        };
        let Some(encoder) = &mut self.encoder else {
            if !plain.is_empty() {
                self.insertion.push(plain, &mut |piece| out.push_back(piece));
            }
            return Ok(());
        };
        let mut pieces = VecDeque::new();
        if !plain.is_empty() {
            self.insertion.push(plain, &mut |piece| pieces.push_back(piece));
        }
        let mut coded = Vec::new();
        for piece in &pieces {
            encoder.push(piece, &mut coded)?;
        }
        self.unsent |= !pieces.is_empty();
        if !self.pending.has_remaining() && self.unsent {
            encoder.flush(&mut coded)?;
            self.unsent = false;
        }
        pass(coded, out);
        Ok(())
    }

    /// The page has ended, and all of it is worked on.
    pub(super) fn finish(mut self, out: &mut VecDeque<Bytes>) -> Result<(), coding::Error> {
        if let Some(decoder) = &self.decoder {
            decoder.finish()?;
        }
        let Some(mut encoder) = self.encoder else {
            self.insertion.finish(&mut |piece| out.push_back(piece));
            return Ok(());
        };
        let mut pieces = VecDeque::new();
        self.insertion.finish(&mut |piece| pieces.push_back(piece));
        let mut coded = Vec::new();
        for piece in &pieces {
            encoder.push(piece, &mut coded)?;
        }
        encoder.finish(&mut coded)?;
        pass(coded, out);
        Ok(())
    }
}

fn pass(coded: Vec<u8>, out: &mut VecDeque<Bytes>) {
    if !coded.is_empty() {
        out.push_back(Bytes::from(coded));
    }
}
