//! Content codings: reads what an origin coded, and codes pages again, fast and as they stream.
//!
//! Decoding holds no more than the coding's own window and what [`STEP`] bytes become, which must not be more
//! than [`MOST`]: a bomb is an error before it is memory. A stream that breaks off is an error, junk after its end
//! is not: browsers ignore it. RFC 9110, section 8.4; RFC 1950–1952, 7932, 8878.

use brotli_decompressor::writer::StandardAlloc;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState};
use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use zstd::stream::raw::{self, CParameter, DParameter, Operation};

/// How much is decoded at a time, in bytes.
pub const STEP: usize = 1024;
/// What so much may become at most, in bytes. Deflate makes at most 1032 of one; real pages stay far below.
pub const MOST: usize = 4 << 20;

/// A browser's own limit for zstd: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;
/// Ours, for pages: 128 KiB, so that a thousand pages in flight cost what they may.
const PAGE_WINDOW: u32 = 17;
const ZSTD_LEVEL: i32 = 3;
/// gzip's own header, which zlib writes by itself when asked for this many window bits.
const GZIP_WINDOW: u8 = 15;
const ROOM: usize = 16 * 1024;

/// A coding that a body can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952; of several members if need be.
    Gzip,
    /// RFC 1950, or RFC 1951 as some servers send it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878; of several frames if need be.
    Zstd,
}

impl Coding {
    /// As in `Content-Encoding`; RFC 9110, section 8.4.1.
    pub fn named(name: &str) -> Option<Coding> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            "br" => Some(Coding::Brotli),
            "zstd" => Some(Coding::Zstd),
            _ => None,
        }
    }
}

/// A coding that pages are sent in: each takes about a third of a millisecond for 100 KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageCoding {
    /// At level 1.
    Gzip,
    /// At level 3, with a window of 128 KiB.
    Zstd,
}

impl PageCoding {
    /// As in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            PageCoding::Gzip => "gzip",
            PageCoding::Zstd => "zstd",
        }
    }

    /// The best for a browser whose `Accept-Encoding` has these members (RFC 9110, section 12.5.3).
    pub fn accepted<'a>(members: impl Iterator<Item = &'a str>) -> Option<PageCoding> {
        let (mut gzip, mut zstd) = (None, None);
        let mut others = false;
        for member in members {
            let (name, weight) = member.split_once(';').unwrap_or((member, ""));
            let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
            let wanted = weight.is_ok_and(|weight| weight > 0.0);
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(wanted),
                "zstd" => zstd = Some(wanted),
                "*" => others = wanted,
                _ => {}
            }
        }
        if zstd == Some(true) {
            Some(PageCoding::Zstd)
        } else {
            gzip.unwrap_or(others).then_some(PageCoding::Gzip)
        }
    }
}

/// Why a body can not be decoded or coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not what its header says.
    #[error("the body is not coded as its header says")]
    Invalid,
    /// It ended in the middle.
    #[error("the coded body breaks off")]
    Truncated,
    /// It would become too large.
    #[error("the coded body grows beyond all measure")]
    Bomb,
    /// There is no memory for it.
    #[error("no memory for a coding")]
    Memory,
}

/// Reads a coded body, in pieces of at most [`STEP`] bytes.
pub struct Decoder {
    coding: Coding,
    /// None before the first byte and after the end of a member.
    engine: Option<Engine>,
    /// Whether one member is complete.
    whole: bool,
    /// Whether the body is over; what follows is junk.
    over: bool,
}

enum Engine {
    Inflate(Decompress),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    Zstd(raw::Decoder<'static>),
}

/// What one turn of an engine did.
struct Turn {
    read: usize,
    written: usize,
    ended: bool,
}

impl Decoder {
    /// A decoder for one body.
    pub fn new(coding: Coding) -> Decoder {
        Decoder { coding, engine: None, whole: false, over: false }
    }

    /// Decodes the next piece, of at most [`STEP`] bytes.
    ///
    /// # Errors
    ///
    /// The body is broken or a bomb; nothing more can be read of it.
    pub fn push(&mut self, piece: &[u8]) -> Result<Bytes, Error> {
        let (mut input, mut output) = (piece, Vec::new());
        let mut room = [0; ROOM];
        while !self.over {
            if self.engine.is_none() {
                let Some(first) = input.first() else { break };
                if self.whole && !begins_member(self.coding, *first) {
                    self.over = true;
                    break;
                }
                self.engine = Some(Engine::new(self.coding, *first)?);
            }
            let Some(engine) = &mut self.engine else { break };
            let Turn { read, written, ended } = engine.turn(input, &mut room)?;
            input = &input[read..];
            output.extend_from_slice(&room[..written]);
            if output.len() > MOST {
                return Err(Error::Bomb);
            }
            if ended {
                self.whole = true;
                self.engine = None;
            } else if read == 0 && written == 0 || input.is_empty() && written < ROOM {
                break;
            }
        }
        Ok(Bytes::from(output))
    }

    /// The body has ended.
    ///
    /// # Errors
    ///
    /// It should not have.
    pub fn finish(&self) -> Result<(), Error> {
        // A body of no bytes at all is what some servers send for an empty page.
        if self.engine.is_some() { Err(Error::Truncated) } else { Ok(()) }
    }
}

fn begins_member(coding: Coding, first: u8) -> bool {
    match coding {
        Coding::Gzip => first == 0x1F,
        // A frame, or one that is to be skipped.
        Coding::Zstd => first == 0x28 || first & 0xF0 == 0x50,
        Coding::Deflate | Coding::Brotli => false,
    }
}

impl Engine {
    fn new(coding: Coding, first: u8) -> Result<Engine, Error> {
        Ok(match coding {
            Coding::Gzip => Engine::Inflate(Decompress::new_gzip(GZIP_WINDOW)),
            // The method's number: in raw deflate it would be a stored block with dirt in its padding.
            Coding::Deflate => Engine::Inflate(Decompress::new(first & 0x0F == 8)),
            Coding::Brotli => {
                let memory = StandardAlloc::default;
                Engine::Brotli(Box::new(BrotliState::new(memory(), memory(), memory())))
            }
            Coding::Zstd => {
                let mut decoder = raw::Decoder::new().map_err(|_| Error::Memory)?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).map_err(|_| Error::Memory)?;
                Engine::Zstd(decoder)
            }
        })
    }

    fn turn(&mut self, input: &[u8], room: &mut [u8]) -> Result<Turn, Error> {
        match self {
            Engine::Inflate(engine) => {
                let before = (engine.total_in(), engine.total_out());
                let status = match engine.decompress(input, room, FlushDecompress::None) {
                    Ok(status) => status,
                    Err(_) => return Err(Error::Invalid),
                };
                Ok(Turn {
                    read: (engine.total_in() - before.0) as usize,
                    written: (engine.total_out() - before.1) as usize,
                    ended: status == Status::StreamEnd,
                })
            }
            Engine::Brotli(state) => {
                let (mut left, mut read) = (input.len(), 0);
                let (mut free, mut written, mut total) = (room.len(), 0, 0);
                let result = BrotliDecompressStream(
                    &mut left,
                    &mut read,
                    input,
                    &mut free,
                    &mut written,
                    room,
                    &mut total,
                    state,
                );
                match result {
                    BrotliResult::ResultFailure => Err(Error::Invalid),
                    result => {
                        Ok(Turn { read, written, ended: matches!(result, BrotliResult::ResultSuccess) })
                    }
                }
            }
            Engine::Zstd(decoder) => {
                let status = decoder.run_on_buffers(input, room).map_err(|_| Error::Invalid)?;
                let ended = status.remaining == 0;
                Ok(Turn { read: status.bytes_read, written: status.bytes_written, ended })
            }
        }
    }
}

/// Codes a page as it streams.
pub struct Encoder(Packer);

enum Packer {
    Gzip(Compress),
    Zstd(raw::Encoder<'static>),
}

/// What the receiver must be able to read when a piece has gone in.
#[derive(Clone, Copy)]
enum Until {
    Later,
    Now,
    End,
}

impl Encoder {
    /// An encoder for one page.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn new(coding: PageCoding) -> Result<Encoder, Error> {
        Ok(Encoder(match coding {
            PageCoding::Gzip => Packer::Gzip(Compress::new_gzip(Compression::fast(), GZIP_WINDOW)),
            PageCoding::Zstd => {
                let mut encoder = raw::Encoder::new(ZSTD_LEVEL).map_err(|_| Error::Memory)?;
                encoder.set_parameter(CParameter::WindowLog(PAGE_WINDOW)).map_err(|_| Error::Memory)?;
                Packer::Zstd(encoder)
            }
        }))
    }

    /// Takes a piece; `out` gets what is ready.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.run(piece, Until::Later, out)
    }

    /// Makes `out` hold all that a browser needs to show what has gone in.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.run(b"", Until::Now, out)
    }

    /// Ends the page.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.run(b"", Until::End, out)
    }

    fn run(&mut self, mut input: &[u8], until: Until, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut room = [0; ROOM];
        loop {
            let (read, written, done) = match &mut self.0 {
                Packer::Gzip(engine) => {
                    let before = (engine.total_in(), engine.total_out());
                    let how = match until {
                        Until::Later => FlushCompress::None,
                        Until::Now => FlushCompress::Sync,
                        Until::End => FlushCompress::Finish,
                    };
                    let status = engine.compress(input, &mut room, how).map_err(|_| Error::Memory)?;
                    let read = (engine.total_in() - before.0) as usize;
                    let written = (engine.total_out() - before.1) as usize;
                    let done = match until {
                        Until::End => status == Status::StreamEnd,
                        _ => read == input.len() && written < ROOM,
                    };
                    (read, written, done)
                }
                Packer::Zstd(engine) => {
                    let mut output = raw::OutBuffer::around(&mut room[..]);
                    let (read, left) = match until {
                        Until::Later => {
                            let mut source = raw::InBuffer::around(input);
                            engine.run(&mut source, &mut output).map_err(|_| Error::Memory)?;
                            (source.pos(), input.len() - source.pos())
                        }
                        Until::Now => (0, engine.flush(&mut output).map_err(|_| Error::Memory)?),
                        Until::End => (0, engine.finish(&mut output, true).map_err(|_| Error::Memory)?),
                    };
                    (read, output.pos(), left == 0)
                }
            };
            input = &input[read..];
            out.extend_from_slice(&room[..written]);
            if done {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    fn encode(coding: PageCoding, pieces: &[&[u8]]) -> Vec<u8> {
        let mut encoder = Encoder::new(coding).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            encoder.push(piece, &mut out).unwrap();
            encoder.flush(&mut out).unwrap();
        }
        encoder.finish(&mut out).unwrap();
        out
    }

    fn decode(coding: Coding, body: &[u8], step: usize) -> Result<Vec<u8>, Error> {
        let mut decoder = Decoder::new(coding);
        let mut out = Vec::new();
        for piece in body.chunks(step) {
            out.extend_from_slice(&decoder.push(piece)?);
        }
        decoder.finish()?;
        Ok(out)
    }

    fn deflate(text: &[u8], zlib: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1000);
        Compress::new(Compression::best(), zlib).compress_vec(text, &mut out, FlushCompress::Finish).unwrap();
        out
    }

    /// `<p>hello</p>` as the reference encoder writes it.
    const BROTLI: &[u8] =
        &[0x8b, 0x05, 0x80, 0x3c, 0x70, 0x3e, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x3c, 0x2f, 0x70, 0x3e, 0x03];

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn what_is_coded_is_read_again(
            pieces in prop::collection::vec(prop::collection::vec(0u8..8, 0..3000), 0..6),
            step in 1..STEP,
        ) {
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            for (page, coding) in [(PageCoding::Gzip, Coding::Gzip), (PageCoding::Zstd, Coding::Zstd)] {
                let coded = encode(page, &slices);
                prop_assert_eq!(decode(coding, &coded, step).unwrap(), pieces.concat());
                // Two in a row are one body, and what is neither is ignored.
                let twice = [coded.as_slice(), coded.as_slice(), b"junk"].concat();
                prop_assert_eq!(decode(coding, &twice, step).unwrap(), pieces.concat().repeat(2));
            }
            for zlib in [true, false] {
                prop_assert_eq!(decode(Coding::Deflate, &deflate(&pieces.concat(), zlib), step).unwrap(), pieces.concat());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..2000), step in 1..STEP) {
            for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
                let _ = decode(coding, &body, step);
                let _ = decode(coding, &[&[0x1f, 0x8b, 8, 0][..], &body].concat(), step);
            }
        }
    }

    #[test]
    fn brotli_is_read() {
        for step in [1, 5, STEP] {
            assert_eq!(decode(Coding::Brotli, BROTLI, step).unwrap(), b"<p>hello</p>");
        }
        assert_eq!(decode(Coding::Brotli, &[BROTLI, b"junk"].concat(), STEP).unwrap(), b"<p>hello</p>");
        assert_eq!(decode(Coding::Brotli, &BROTLI[..9], 1), Err(Error::Truncated));
    }

    #[test]
    fn what_went_in_can_be_read_at_once() {
        for (page, coding) in [(PageCoding::Gzip, Coding::Gzip), (PageCoding::Zstd, Coding::Zstd)] {
            let (mut encoder, mut decoder) = (Encoder::new(page).unwrap(), Decoder::new(coding));
            for piece in ["<head>", "<title>", "x"] {
                let mut out = Vec::new();
                encoder.push(piece.as_bytes(), &mut out).unwrap();
                encoder.flush(&mut out).unwrap();
                assert_eq!(decoder.push(&out).unwrap(), piece);
            }
            assert_eq!(decoder.finish(), Err(Error::Truncated));
        }
    }

    #[test]
    fn a_bomb_is_an_error() {
        // Zeros in zeros: the densest that the format knows.
        let bomb = encode_zeros(1 << 30);
        assert!(bomb.len() < 200_000);
        assert_eq!(decode(Coding::Zstd, &bomb, STEP), Err(Error::Bomb));
    }

    fn encode_zeros(length: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(PageCoding::Zstd).unwrap();
        let mut out = Vec::new();
        let piece = vec![0; 1 << 20];
        for _ in 0..length / piece.len() {
            encoder.push(&piece, &mut out).unwrap();
        }
        encoder.finish(&mut out).unwrap();
        out
    }

    #[test]
    fn a_browser_gets_the_best_that_it_accepts() {
        for (accepts, expected) in [
            ("gzip, deflate, br, zstd", Some(PageCoding::Zstd)),
            ("gzip, deflate, br", Some(PageCoding::Gzip)),
            ("zstd;q=0, GZIP;q=0.5", Some(PageCoding::Gzip)),
            ("*", Some(PageCoding::Gzip)),
            ("gzip;q=0, *", None),
            ("gzip;q=0.000", None),
            ("gzip;q=x", None),
            ("br", None),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(PageCoding::accepted(accepts.split(',')), expected, "{accepts}");
        }
    }

    #[test]
    fn codings_have_their_names() {
        for (name, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("X-GZIP", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("br", Some(Coding::Brotli)),
            ("zstd", Some(Coding::Zstd)),
            ("identity", None),
            ("compress", None),
        ] {
            assert_eq!(Coding::named(name), coding, "{name}");
        }
    }
}
