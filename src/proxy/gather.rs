//! What HTTP/2 writes, put together: h2 writes and flushes every frame by itself, and each of these would be a call of
//! the system and two records of TLS.
//!
//! What is written is held until the connection's task has its next turn, when others had theirs and may have added to
//! it, or until it is much. Nothing is held without another turn being asked for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is held at most, in bytes: four records of TLS.
const HELD: usize = 64 * 1024;
/// What is passed on at once to a browser that is slow to take it, so that each step of its progress is seen.
const STEP: usize = 16 * 1024;
/// Most of what is no response is smaller, in bytes.
const SMALL: usize = 512;

#[derive(Debug)]
pub(super) struct Gathered<S> {
    stream: S,
    held: Vec<u8>,
    /// How much of it was passed on.
    passed: usize,
    /// Whether it is to be passed on at the next flush.
    due: bool,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Quick,
    /// The stream made somebody wait in this turn.
    Waits,
    /// And in the one before.
    Slow,
}

impl<S> Gathered<S> {
    pub(super) fn new(stream: S) -> Self {
        Gathered { stream, held: Vec::new(), passed: 0, due: false, pace: Pace::Quick }
    }
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    /// Passes on all that is held.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.due = true;
        while self.passed < self.held.len() {
            let piece = &self.held[self.passed..];
            let most = if self.pace == Pace::Quick { piece.len() } else { STEP.min(piece.len()) };
            match Pin::new(&mut self.stream).poll_write(cx, &piece[..most]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(size) => self.passed += size?,
                Poll::Pending => return self.waits(),
            }
        }
        // Idle connections hold nothing.
        self.held = Vec::new();
        self.passed = 0;
        self.due = false;
        Poll::Ready(Ok(()))
    }

    fn waits<T>(&mut self) -> Poll<T> {
        self.pace = Pace::Waits;
        Poll::Pending
    }

    /// Holds as much of `piece` as there is room for.
    fn hold(&mut self, piece: &[u8]) -> usize {
        let size = piece.len().min(HELD - self.held.len());
        if self.held.capacity() < self.held.len() + size {
            self.held
                .reserve_exact(if self.held.len() + size <= SMALL { SMALL } else { HELD } - self.held.len());
        }
        self.held.extend_from_slice(&piece[..size]);
        size
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // h2 begins each turn by reading.
        this.due = !this.held.is_empty();
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.held.len() == HELD {
            ready!(this.poll_pass(cx))?;
        }
        Poll::Ready(Ok(bufs.iter().map(|piece| this.hold(piece)).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.held.is_empty() && !this.due {
            cx.waker().wake_by_ref();
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_pass(cx))?;
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Pending => this.waits(),
            Poll::Ready(flushed) => {
                this.pace = if this.pace == Pace::Waits { Pace::Slow } else { Pace::Quick };
                Poll::Ready(flushed)
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_pass(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    use proptest::prelude::*;

    use super::*;

    /// Takes of each write as much as it is told to; nothing, when that is 0.
    #[derive(Debug, Default)]
    struct Taker {
        sizes: Vec<usize>,
        writes: Writes,
    }

    impl AsyncRead for Taker {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Taker {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let size = self.sizes.pop().unwrap_or(usize::MAX).min(buf.len());
            if size == 0 {
                return Poll::Pending;
            }
            self.writes.lock().unwrap().push(buf[..size].to_vec());
            Poll::Ready(Ok(size))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// What was written, call by call.
    type Writes = Arc<Mutex<Vec<Vec<u8>>>>;

    #[derive(Default)]
    struct Turns(AtomicUsize);

    impl Wake for Turns {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn gathered(sizes: Vec<usize>) -> (Gathered<Taker>, Writes) {
        let taker = Taker { sizes, ..Taker::default() };
        let writes = Arc::clone(&taker.writes);
        (Gathered::new(taker), writes)
    }

    /// The beginning of a turn.
    fn turn(gathered: &mut Gathered<Taker>, cx: &mut Context<'_>) {
        assert!(Pin::new(gathered).poll_read(cx, &mut ReadBuf::new(&mut [0])).is_pending());
    }

    #[test]
    fn the_frames_of_a_turn_are_one_write_in_the_next() {
        let turns = Arc::new(Turns::default());
        let waker = Waker::from(Arc::clone(&turns));
        let cx = &mut Context::from_waker(&waker);
        let (mut gathered, writes) = gathered(Vec::new());
        turn(&mut gathered, cx);
        for frame in [&b"one"[..], b"two"] {
            assert!(matches!(Pin::new(&mut gathered).poll_write(cx, frame), Poll::Ready(Ok(3))));
            assert!(Pin::new(&mut gathered).poll_flush(cx).is_ready());
        }
        assert!(writes.lock().unwrap().is_empty());
        assert!(turns.0.load(Ordering::Relaxed) > 0, "another turn is asked for");
        turn(&mut gathered, cx);
        assert!(Pin::new(&mut gathered).poll_flush(cx).is_ready());
        assert_eq!(*writes.lock().unwrap(), [b"onetwo"]);
        assert_eq!(gathered.held.capacity(), 0);
    }

    proptest! {
        #[test]
        fn everything_arrives_in_order(
            frames in prop::collection::vec(1usize..40_000, 1..20),
            sizes in prop::collection::vec(prop_oneof![Just(0usize), 1usize..70_000], 0..20),
            turns in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let cx = &mut Context::from_waker(Waker::noop());
            let (mut gathered, writes) = gathered(sizes);
            let sent: Vec<u8> = (0..frames.iter().sum()).map(|at| at as u8).collect();
            let (mut rest, mut turns) = (&sent[..], turns.iter().cycle());
            for frame in frames {
                let (mut frame, after) = rest.split_at(frame);
                while !frame.is_empty() {
                    if let Poll::Ready(size) = Pin::new(&mut gathered).poll_write(cx, frame) {
                        frame = &frame[size.unwrap()..];
                    }
                    prop_assert!(gathered.held.len() <= HELD);
                }
                let _ = Pin::new(&mut gathered).poll_flush(cx);
                if *turns.next().unwrap() {
                    turn(&mut gathered, cx);
                }
                rest = after;
            }
            while Pin::new(&mut gathered).poll_shutdown(cx).is_pending() {}
            prop_assert_eq!(writes.lock().unwrap().concat(), sent);
        }
    }
}
