//! A body on its way: decoded if the origin coded it, changed, coded again if the browser wants.
//!
//! What has come from the origin can be read by the browser as soon as it is passed on: nothing waits in a coder.
//! A body is worked on in small steps, so that no more of it is in memory than one step makes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::capture::Sink;
use super::change::Pins;
use crate::rewrite::charset::{Reading, Utf16};
use crate::rewrite::coding::{self, Coding, Decoder, Encoder, PageCoding};
use crate::rewrite::links::{Links, Task};
use crate::rewrite::prologue::Insertion;

/// What is to be done with a body. Its headers say so already.
pub(super) struct Plan {
    /// The loader's tag, for a page.
    pub(super) insertion: Option<Insertion>,
    pub(super) task: Task,
    pub(super) reading: Reading,
    /// As the origin coded it.
    pub(super) from: Option<Coding>,
    /// As the browser gets it.
    pub(super) to: Option<PageCoding>,
}

/// A body that is being worked on.
pub(super) struct Page {
    decoder: Option<Decoder>,
    encoder: Option<Encoder>,
    text: Text,
    /// What has come and is not worked on yet.
    pending: Bytes,
    /// Whether the encoder holds something that the browser should have.
    unsent: bool,
}

/// The part that knows characters.
struct Text {
    /// The first bytes, until they tell how to read it.
    start: Option<(Reading, BytesMut)>,
    utf16: Option<Utf16>,
    links: Links,
    insertion: Option<Insertion>,
    /// Takes a copy of what the browser gets.
    sink: Option<Box<dyn Sink>>,
    pins: Arc<Pins>,
}

impl Page {
    pub(super) fn new(
        plan: Plan,
        sink: Option<Box<dyn Sink>>,
        pins: &Arc<Pins>,
    ) -> Result<Page, coding::Error> {
        let Plan { insertion, task, reading, from, to } = plan;
        let text = Text {
            start: Some((reading, BytesMut::new())),
            utf16: None,
            links: Links::new(task),
            insertion,
            sink,
            pins: Arc::clone(pins),
        };
        let (decoder, encoder) = (from.map(Decoder::new), to.map(Encoder::new).transpose()?);
        Ok(Page { decoder, encoder, text, pending: Bytes::new(), unsent: false })
    }

    /// Whether everything that comes from now on goes on as it is.
    pub(super) fn is_done(&self) -> bool {
        self.text.is_done() && self.decoder.is_none() && self.encoder.is_none() && self.pending.is_empty()
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
                self.text.push(plain, &mut |piece| out.push_back(piece));
            }
            return Ok(());
        };
        let mut pieces = VecDeque::new();
        if !plain.is_empty() {
            self.text.push(plain, &mut |piece| pieces.push_back(piece));
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

    /// The body has ended, and all of it is worked on.
    pub(super) fn finish(self, out: &mut VecDeque<Bytes>) -> Result<(), coding::Error> {
        if let Some(decoder) = &self.decoder {
            decoder.finish()?;
        }
        let Some(mut encoder) = self.encoder else {
            self.text.finish(&mut |piece| out.push_back(piece));
            return Ok(());
        };
        let mut pieces = VecDeque::new();
        self.text.finish(&mut |piece| pieces.push_back(piece));
        let mut coded = Vec::new();
        for piece in &pieces {
            encoder.push(piece, &mut coded)?;
        }
        encoder.finish(&mut coded)?;
        pass(coded, out);
        Ok(())
    }
}

impl Text {
    fn is_done(&self) -> bool {
        self.start.is_none()
            && self.utf16.is_none()
            && self.sink.is_none()
            && self.links.is_done()
            && self.insertion.as_ref().is_none_or(Insertion::is_done)
    }

    fn push(&mut self, piece: Bytes, out: &mut impl FnMut(Bytes)) {
        if let Some(piece) = self.started(piece, false) {
            self.go_on(piece, false, out);
        }
    }

    fn finish(mut self, out: &mut impl FnMut(Bytes)) {
        let rest = self.started(Bytes::new(), true).unwrap_or_default();
        self.go_on(rest, true, out);
        if let Some(sink) = self.sink {
            sink.end();
        }
    }

    /// The piece, with what waited before it, as soon as it is clear how to read it.
    fn started(&mut self, piece: Bytes, last: bool) -> Option<Bytes> {
        let Some((declared, held)) = &mut self.start else { return Some(piece) };
        let piece = if held.is_empty() {
            piece
        } else {
            held.extend_from_slice(&piece);
            held.split().freeze()
        };
        let Some(reading) = declared.marked(&piece, last) else {
            held.extend_from_slice(&piece);
            return None;
        };
        if let Reading::Utf16(order) = reading {
            self.utf16 = Some(Utf16::new(order));
        }
        self.start = None;
        Some(piece)
    }

    fn go_on(&mut self, piece: Bytes, last: bool, out: &mut impl FnMut(Bytes)) {
        let Text { utf16, links, insertion, sink, pins, .. } = self;
        let piece = match utf16 {
            Some(utf16) => utf16.decode(&piece, last),
            None => piece,
        };
        let mut emit = |piece: Bytes| match utf16 {
            Some(utf16) => out(utf16.encode(&piece)),
            None => out(piece),
        };
        let mut changed = |piece: Bytes| {
            if let Some(sink) = sink {
                sink.data(&piece);
            }
            match insertion {
                Some(insertion) => insertion.push(piece, &mut emit),
                None => emit(piece),
            }
        };
        if !piece.is_empty() {
            links.push(piece, &mut changed);
        }
        if last {
            links.finish(&mut changed);
            if let Some(insertion) = insertion {
                insertion.finish(&mut emit);
            }
        }
        for pin in links.take_pins() {
            pins.add(&pin);
        }
    }
}

fn pass(coded: Vec<u8>, out: &mut VecDeque<Bytes>) {
    if !coded.is_empty() {
        out.push_back(Bytes::from(coded));
    }
}
