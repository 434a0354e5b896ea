//! One HTTP/1.1 connection to the origin, for requests without a body.
//!
//! hyper's client runs each connection as a task and each exchange over two channels, which takes as long as
//! everything else that a small file needs. A request without a body needs neither: it is written, and then the
//! response is read by whoever wants it, no faster than it is wanted.
//!
//! Responses are read strictly (RFC 9112, sections 4 to 7): what has two lengths, or a length that is no number, is
//! no response, and a connection is used again only if the last response ended where it said it would and
//! nothing came after it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use super::chunked::Chunked;
use super::early::Interim;
use super::metrics::Open;
use super::stream::Stream;

/// What is read at once: the head and, of a small file, the body with it.
const READ: usize = 16 * 1024;
/// And of a body that is known to be longer.
const READ_MORE: usize = 128 * 1024;
/// More than any real response has.
const MAX_HEADERS: usize = 256;
/// As many as most have: less to prepare.
const FEW_HEADERS: usize = 48;

/// Why there is no response, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The connection was closed, or broke, before the first byte of a response: of one that was idle
    /// before, what one that is not.
    #[error("closed without a response")]
    Unanswered,
    #[error("nothing came for too long")]
    Silent,
    #[error("closed in the middle of a response")]
    Cut,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(&'static str),
}

/// A connection between two exchanges.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// Memory for what is read next.
    buffer: BytesMut,
    deadline: Deadline,
    /// The largest head, in bytes.
    head: usize,
    /// It is counted for as long as it is open.
    _open: Open,
}

/// A response whose body is still to be read.
#[derive(Debug)]
pub(super) struct Reply {
    wire: Wire,
    /// What was read and is not passed on yet.
    rest: Bytes,
    framing: Framing,
    reusable: bool,
    /// Whether what came last is acknowledged.
    acknowledged: bool,
}

/// How a body says where it ends.
#[derive(Debug)]
enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Box<Chunked>),
    /// Where the connection does.
    Close,
    Over,
}

/// The head of a request in the bytes of HTTP/1.1, to be sent once or again.
pub(super) fn encode<B>(request: &Request<B>) -> Bytes {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let headers = request.headers();
    let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let mut out = Vec::with_capacity(request.method().as_str().len() + path.len() + 16 + length);
    for part in [request.method().as_str(), " ", path, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.into()
}

impl Wire {
    /// `open` lives as long as it does.
    pub(super) fn new(stream: Stream, head: usize, open: Open) -> Wire {
        Wire { stream, buffer: BytesMut::new(), deadline: Deadline::default(), head, _open: open }
    }

    /// Whether the origin has neither closed the connection nor said anything unasked. This asks the system
    /// only if it has told that there is something to read.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut one = [0];
        let mut one = tokio::io::ReadBuf::new(&mut one);
        Pin::new(&mut self.stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut one).is_pending()
    }

    /// Sends a head that [`encode`] made and reads that of the response, which may take `limit` to come.
    ///
    /// # Errors
    ///
    /// Only after [`Error::Unanswered`] can the request be sent again.
    pub(super) async fn ask(
        mut self,
        head: &[u8],
        method: &Method,
        limit: Duration,
        interim: &mut Interim<'_>,
    ) -> Result<Response<Reply>, Error> {
        self.deadline.begin(limit);
        let mut sent = 0;
        let sending = std::future::poll_fn(|cx| {
            while sent < head.len() {
                match self.stream_mut().poll_write(cx, &head[sent..]) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Error::Unanswered)),
                    Poll::Ready(Ok(more)) => sent += more,
                    Poll::Pending => return self.deadline.poll(cx).map(|()| Err(Error::Silent)),
                }
            }
            match self.stream_mut().poll_flush(cx) {
                Poll::Ready(flushed) => Poll::Ready(flushed.map_err(|_| Error::Unanswered)),
                Poll::Pending => self.deadline.poll(cx).map(|()| Err(Error::Silent)),
            }
        });
        sending.await?;
        let mut begun = false;
        let mut seen = 0;
        loop {
            if ends_head(&self.buffer, seen) {
                let mut read = self.buffer.split().freeze();
                let (size, head) = parse(&read, method)?;
                read.advance(size);
                match head {
                    Head::Final(response, framing, reusable) => {
                        let reply = Reply { wire: self, rest: read, framing, reusable, acknowledged: false };
                        return Ok(response.map(|()| reply.begun()));
                    }
                    Head::Interim(response) => interim.came(response).map_err(Error::Malformed)?,
                }
                begun = true;
                self.buffer.extend_from_slice(&read);
                seen = 0;
                continue;
            }
            if self.buffer.len() >= self.head {
                return Err(Error::Malformed("head too large"));
            }
            seen = self.buffer.len();
            let nothing_yet = seen == 0 && !begun;
            match std::future::poll_fn(|cx| self.poll_more(cx, READ)).await {
                Ok(0) | Err(Error::Io(_)) if nothing_yet => return Err(Error::Unanswered),
                Ok(0) => return Err(Error::Cut),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn stream_mut(&mut self) -> Pin<&mut Stream> {
        Pin::new(&mut self.stream)
    }

    /// Reads some more into the buffer: how much, 0 at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>, size: usize) -> Poll<Result<usize, Error>> {
        self.buffer.reserve(size);
        match tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer) {
            Poll::Ready(read) => Poll::Ready(Ok(read?)),
            Poll::Pending => self.deadline.poll(cx).map(|()| Err(Error::Silent)),
        }
    }
}

impl Reply {
    /// The head is there; how long the body may be silent is the reader's to say.
    fn begun(mut self) -> Reply {
        self.wire.deadline.end();
        if matches!(self.framing, Framing::Length(0)) {
            self.framing = Framing::Over;
        }
        self
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.framing, Framing::Over)
    }

    /// How much is to come, if that is known.
    pub(super) fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length(length) => SizeHint::with_exact(length),
            Framing::Over => SizeHint::with_exact(0),
            Framing::Chunked(_) | Framing::Close => SizeHint::new(),
        }
    }

    /// The connection, if the response is over and another can follow; without memory of its own.
    pub(super) fn into_wire(self) -> Option<Wire> {
        let clean = self.reusable && self.is_over() && self.rest.is_empty();
        clean.then(|| Wire { buffer: BytesMut::new(), ..self.wire })
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            match &mut self.framing {
                Framing::Over => return Poll::Ready(None),
                Framing::Length(left) if !self.rest.is_empty() => {
                    let size = usize::try_from(*left).unwrap_or(usize::MAX).min(self.rest.len());
                    *left -= size as u64;
                    if *left == 0 {
                        self.framing = Framing::Over;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))));
                }
                Framing::Close if !self.rest.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
                }
                Framing::Chunked(chunked) => match chunked.next(&mut self.rest) {
                    Ok(Some(frame)) => {
                        if chunked.is_over() {
                            self.framing = Framing::Over;
                        }
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    Ok(None) if chunked.is_over() => {
                        self.framing = Framing::Over;
                        return Poll::Ready(None);
                    }
                    Ok(None) => {}
                    Err(wrong) => return Poll::Ready(Some(Err(Error::Malformed(wrong)))),
                },
                Framing::Length(_) | Framing::Close => {}
            }
            let size = match self.framing {
                // Room for one byte more than is to come: a read that leaves room tells that there is nothing left,
                // and the system need not be asked before the next request.
                Framing::Length(left) => {
                    usize::try_from(left).unwrap_or(READ_MORE).clamp(READ, READ_MORE) + 1
                }
                _ => READ,
            };
            let more = self.wire.poll_more(cx, size);
            if more.is_pending() && !self.acknowledged {
                self.wire.stream.acknowledge();
            }
            self.acknowledged = more.is_pending();
            match ready!(more) {
                Ok(0) if matches!(self.framing, Framing::Close) => {
                    self.framing = Framing::Over;
                    return Poll::Ready(None);
                }
                Ok(0) => return Poll::Ready(Some(Err(Error::Cut))),
                Ok(_) => self.rest = self.wire.buffer.split().freeze(),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// A head as [`parse`] reads it.
#[derive(Debug)]
enum Head {
    /// There is more to come (1xx).
    Interim(Response<()>),
    /// With what is known of its body, and whether another response can follow.
    Final(Response<()>, Framing, bool),
}

/// Whether there is an empty line, of which nothing was in the first `seen` bytes but perhaps its beginning.
fn ends_head(read: &[u8], seen: usize) -> bool {
    let from = seen.saturating_sub(2);
    memchr::memchr_iter(b'\n', &read[from..]).any(|at| {
        let after = &read[from + at + 1..];
        after.starts_with(b"\n") || after.starts_with(b"\r\n")
    })
}

/// Reads a head that is there as a whole: its size in bytes and what it says.
fn parse(read: &Bytes, method: &Method) -> Result<(usize, Head), Error> {
    match parse_with::<FEW_HEADERS>(read, method) {
        Err(None) => parse_with::<MAX_HEADERS>(read, method)
            .map_err(|error| error.unwrap_or(Error::Malformed("too many headers"))),
        parsed => parsed.map_err(|error| error.unwrap_or(Error::Malformed("head"))),
    }
}

/// An error of `None`: there are more than `N` headers.
fn parse_with<const N: usize>(read: &Bytes, method: &Method) -> Result<(usize, Head), Option<Error>> {
    let wrong = |what| Some(Error::Malformed(what));
    let mut slots = [const { std::mem::MaybeUninit::uninit() }; N];
    let mut head = httparse::Response::new(&mut []);
    let size = match httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut head, read, &mut slots)
    {
        Ok(httparse::Status::Complete(size)) => size,
        Err(httparse::Error::TooManyHeaders) => return Err(None),
        Ok(httparse::Status::Partial) | Err(_) => return Err(wrong("head")),
    };
    let status = head.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(wrong("status"))?;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(wrong("switched protocols unasked"));
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.version_mut() = if head.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let headers = response.headers_mut();
    headers.reserve(head.headers.len());
    for field in head.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| wrong("header's name"))?;
        let value = HeaderValue::from_maybe_shared(read.slice_ref(field.value))
            .map_err(|_| wrong("header's value"))?;
        headers.append(name, value);
    }
    if status.is_informational() {
        return Ok((size, Head::Interim(response)));
    }
    let (framing, reusable) = framing(&response, method).map_err(wrong)?;
    Ok((size, Head::Final(response, framing, reusable)))
}

/// RFC 9112, section 6.3, and whether another response can follow (section 9.3).
fn framing(response: &Response<()>, method: &Method) -> Result<(Framing, bool), &'static str> {
    let headers = response.headers();
    let old = response.version() == Version::HTTP_10;
    let says =
        |word| super::headers::tokens(headers, &header::CONNECTION).any(|t| t.eq_ignore_ascii_case(word));
    let mut reusable = if old { says("keep-alive") } else { !says("close") };
    let length = length(headers)?;
    let bodiless = method == Method::HEAD
        || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let framing = match (codings.next(), codings.next(), length) {
        _ if bodiless => Framing::Length(0),
        (Some(coding), None, length) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") && !old => {
            // Whoever reads the length would take the rest for the next response.
            reusable &= length.is_none();
            Framing::Chunked(Box::default())
        }
        (Some(_), _, _) => return Err("transfer coding"),
        (None, _, Some(length)) => Framing::Length(length),
        (None, _, None) => Framing::Close,
    };
    reusable &= !matches!(framing, Framing::Close);
    Ok((framing, reusable))
}

fn length(headers: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let mut length = None;
    for line in headers.get_all(header::CONTENT_LENGTH) {
        let digits = line.as_bytes();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err("length");
        }
        let number = line.to_str().ok().and_then(|digits| digits.parse().ok()).ok_or("length")?;
        if length.is_some_and(|length| length != number) {
            return Err("two lengths");
        }
        length = Some(number);
    }
    Ok(length)
}

/// A limit on waiting that costs nothing when nobody waits, and next to nothing when somebody does: its timer
/// is set anew only after it has run out.
#[derive(Debug, Default)]
struct Deadline {
    until: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn begin(&mut self, limit: Duration) {
        self.until = Some(Instant::now() + limit);
    }

    fn end(&mut self) {
        self.until = None;
    }

    /// Called while something is waited for; ready when that has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str, method: &Method) -> Result<(usize, Head), Error> {
        parse(&Bytes::copy_from_slice(text.as_bytes()), method)
    }

    #[test]
    fn a_body_ends_where_one_rule_says() {
        let get = Method::GET;
        for (text, method, expected, again) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &get, "Length(5)", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", &get, "Length(5)", true),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n\r\n",
                &get,
                "Length(5)",
                false,
            ),
            ("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n", &get, "Chunked", true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                &get,
                "Chunked",
                false,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", &get, "Close", false),
            ("HTTP/1.1 200 OK\r\n\r\n", &Method::HEAD, "Length(0)", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &Method::HEAD, "Length(0)", true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", &get, "Length(0)", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", &get, "Length(0)", true),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", &get, "Length(5)", false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
                &get,
                "Length(5)",
                true,
            ),
        ] {
            let (size, head) = head(text, method).unwrap();
            let Head::Final(response, framing, reusable) = head else { panic!("{head:?}") };
            assert_eq!(size, text.len());
            assert!(format!("{framing:?}").starts_with(expected), "{text:?}: {framing:?}");
            assert_eq!(reusable, again, "{text:?}");
            assert!(response.status().as_u16() >= 200);
            for seen in 0..text.len() {
                assert!(!ends_head(&text.as_bytes()[..text.len() - 1], seen), "{text:?}");
                assert!(ends_head(text.as_bytes(), seen), "{text:?} after {seen}");
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_response() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            "<html>",
            &many,
        ] {
            assert!(matches!(head(text, &Method::GET), Err(Error::Malformed(_))), "{text:?}");
        }
    }

    #[test]
    fn interim_responses_and_many_headers_are_read() {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let (size, hints) = head(interim, &Method::GET).unwrap();
        let Head::Interim(hints) = hints else { panic!("{hints:?}") };
        assert_eq!(
            (size, hints.status(), &hints.headers()["link"]),
            (interim.len(), StatusCode::EARLY_HINTS, &HeaderValue::from_static("</a>"))
        );
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS));
        let (_, head) = head(&many, &Method::GET).unwrap();
        assert!(matches!(head, Head::Final(response, ..) if response.headers().len() == MAX_HEADERS));
    }

    #[test]
    fn a_head_is_sent_as_it_is() {
        let request = Request::get("/a%20b?c=%3C")
            .header("host", "x")
            .header("a", "1")
            .header("a", "2")
            .body(())
            .unwrap();
        assert_eq!(encode(&request), "GET /a%20b?c=%3C HTTP/1.1\r\nhost: x\r\na: 1\r\na: 2\r\n\r\n");
        let request = Request::builder().method("OPTIONS").uri("*").body(()).unwrap();
        assert_eq!(encode(&request), "OPTIONS * HTTP/1.1\r\n\r\n");
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_ends_when_it_was_told_to_last() {
        let mut deadline = Deadline::default();
        for seconds in [10, 3, 20] {
            let begun = Instant::now();
            deadline.begin(Duration::from_secs(seconds));
            std::future::poll_fn(|cx| deadline.poll(cx)).await;
            let taken = begun.elapsed();
            let expected = Duration::from_secs(seconds);
            assert!(taken >= expected && taken < expected + Duration::from_millis(10), "{taken:?}");
            deadline.end();
        }
    }
}
