//! Watches HTTP/2 for floods of frames that ask for nothing: PING, SETTINGS, RST_STREAM, empty DATA and their like.
//!
//! Each of them costs the server some work, or an answer, and a browser has little reason to send them. Only the nine
//! bytes before each frame are read (RFC 9113, section 4.1); what is wrong with them is for h2 to say.

use tokio::time::Instant;

/// What comes before the first frame (RFC 9113, section 3.4).
const PREFACE: usize = 24;
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// Control frames that any connection may send, and those that it may send for each second that it lives, each
/// request that it makes, and each KiB that it is sent: Firefox orders its requests by priority, nghttp2 tells
/// often how much it took.
const BURST: u64 = 10_000;
const A_SECOND: u64 = 10;
const A_REQUEST: u64 = 50;

/// The frames of one connection.
#[derive(Debug)]
pub(super) struct Frames {
    since: Instant,
    head: [u8; HEAD],
    /// Bytes of the next head that are there.
    known: usize,
    /// Bytes to pass over until then.
    skip: usize,
    control: u64,
    requests: u64,
    sent: u64,
}

/// The peer floods.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Frames {
    pub(super) fn new() -> Frames {
        let since = Instant::now();
        Frames { since, head: [0; HEAD], known: 0, skip: PREFACE, control: 0, requests: 0, sent: 0 }
    }

    /// Bytes went to the peer.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// Bytes came from the peer.
    pub(super) fn came(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return Ok(());
            }
            let taken = (HEAD - self.known).min(bytes.len());
            self.head[self.known..self.known + taken].copy_from_slice(&bytes[..taken]);
            self.known += taken;
            bytes = &bytes[taken..];
            if self.known == HEAD {
                self.known = 0;
                self.begins()?;
            }
        }
    }

    fn begins(&mut self) -> Result<(), Flood> {
        let length = u32::from_be_bytes([0, self.head[0], self.head[1], self.head[2]]) as usize;
        self.skip = length;
        match self.head[3] {
            DATA if length > 0 => return Ok(()),
            HEADERS => self.requests += 1,
            _ => self.control += 1,
        }
        let allowed = BURST + A_REQUEST * self.requests + self.sent / 1024;
        if self.control <= allowed || self.control <= allowed + A_SECOND * self.since.elapsed().as_secs() {
            return Ok(());
        }
        Err(Flood)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let mut frame = (payload as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, 0, 0, 0, 0, 1]);
        frame.resize(HEAD + payload, 0xff);
        frame
    }

    fn begun() -> Frames {
        let mut frames = Frames::new();
        frames.came(&[0xff; PREFACE]).unwrap();
        frames
    }

    #[test]
    fn floods_are_noticed_and_work_is_not_one() {
        const PING: u8 = 6;
        let many = BURST as usize + 2;
        for (kind, payload, flood) in
            [(PING, 8, true), (DATA, 0, true), (4, 0, true), (DATA, 1, false), (HEADERS, 20, false)]
        {
            let mut frames = begun();
            assert_eq!(frames.came(&frame(kind, payload).repeat(many)).is_err(), flood, "{kind}");
        }
        let mut frames = begun();
        frames.sent(2 * many * 1024);
        assert_eq!(frames.came(&frame(8, 4).repeat(2 * many)), Ok(()), "told of what it took");
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_connection_may_have_said_more() {
        let mut frames = begun();
        for _ in 0..10 {
            tokio::time::advance(std::time::Duration::from_secs(2000)).await;
            assert_eq!(frames.came(&frame(6, 8).repeat(BURST as usize)), Ok(()));
        }
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn pieces_make_no_difference(
            kinds in prop::collection::vec((0u8..12, 0usize..40), 0..40),
            cuts in prop::collection::vec(1usize..30, 1..40),
        ) {
            let bytes: Vec<u8> = kinds.iter().flat_map(|(kind, payload)| frame(*kind, *payload)).collect();
            let (mut whole, mut pieces) = (begun(), begun());
            whole.came(&bytes).unwrap();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.came(piece).unwrap();
                rest = after;
            }
            prop_assert_eq!((whole.control, whole.requests), (pieces.control, pieces.requests));
            prop_assert_eq!((pieces.known, pieces.skip), (0, 0));
        }
    }
}
