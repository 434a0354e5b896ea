//! Interim responses (1xx), such as 103 Early Hints, on their way from the origin to the browser.
//!
//! They are passed on over HTTP/2 only (RFC 9110, section 15.2; RFC 8297): browsers want hints over nothing else,
//! and among clients of HTTP/1.1 there are some that take an interim response for the response.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use tokio::sync::mpsc;

use super::headers;
use super::mapped::Mapped;

/// Of one exchange: more than any origin has a use for.
const MOST: usize = 16;

/// Where a browser is told what comes before the response, if it can be.
#[derive(Clone, Copy)]
pub(super) struct Early<'r>(Option<&'r Mutex<SendResponse<Bytes>>>);

impl<'r> Early<'r> {
    /// Over HTTP/1.1.
    pub(super) const NONE: Early<'static> = Early(None);

    pub(super) fn over(reply: &'r Mutex<SendResponse<Bytes>>) -> Self {
        Early(Some(reply))
    }

    /// Whether the browser waits with the request's body until it is told to [go on](Self::go_on). Over HTTP/1.1
    /// hyper tells it.
    pub(super) fn is_waited_for<B: Body>(self, request: &Request<B>) -> bool {
        self.0.is_some() && request.headers().contains_key(header::EXPECT) && !request.body().is_end_stream()
    }

    pub(super) fn go_on(self) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::CONTINUE;
        self.send(response);
    }

    fn send(self, response: Response<()>) {
        let Some(reply) = self.0 else { return };
        let mut reply = reply.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is said on a stream that the browser has closed. The stream's task looks for itself afterwards.
        if reply.poll_reset(&mut Context::from_waker(Waker::noop())).is_pending()
            && let Err(error) = reply.send_informational(response)
        {
            tracing::debug!(%error, "interim response not sent");
        }
    }
}

/// The interim responses of one exchange.
pub(super) struct Interim<'e> {
    early: Early<'e>,
    mapped: Option<&'e Mapped>,
    /// Whether the browser waits with its body until it is told to send it.
    expected: bool,
    count: usize,
    /// How large they may still be, all together.
    left: usize,
}

/// Those that come on a connection which has a task of its own.
pub(super) type Coming = Option<mpsc::Receiver<Response<()>>>;

impl<'e> Interim<'e> {
    /// `size`: what their heads may come to, in bytes; `expected`: whether the browser waits with its body.
    pub(super) fn new(early: Early<'e>, mapped: Option<&'e Mapped>, expected: bool, size: usize) -> Self {
        Interim { early, mapped, expected, count: 0, left: size }
    }

    /// The origin is there to take the body.
    pub(super) fn body_is_wanted(&mut self) {
        if std::mem::take(&mut self.expected) {
            self.early.go_on();
        }
    }

    /// One came: passes it on as it can be.
    ///
    /// # Errors
    ///
    /// What is wrong with the origin's response: there are too many of them, or there is nothing to switch to.
    pub(super) fn came(&mut self, mut response: Response<()>) -> Result<(), &'static str> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err("switched protocols unasked");
        }
        self.count += 1;
        if self.count > MOST {
            return Err("too many interim responses");
        }
        let lines = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        self.left = self.left.checked_sub(lines.sum()).ok_or("interim responses too large")?;
        // The browser is told to go on by ourselves.
        if response.status() == StatusCode::CONTINUE || self.early.0.is_none() {
            return Ok(());
        }
        if let Some(mapped) = self.mapped {
            mapped.response(&mut response);
        }
        headers::before_response(response.headers_mut());
        self.early.send(response);
        Ok(())
    }

    /// Has hyper tell of those that answer `request`.
    pub(super) fn follow<B>(&self, request: &mut Request<B>) -> Coming {
        self.early.0?;
        let (sender, coming) = mpsc::channel(MOST + 1);
        let count = AtomicUsize::new(0);
        hyper::ext::on_informational(request, move |said| {
            if count.fetch_add(1, Ordering::Relaxed) > MOST {
                return;
            }
            let mut response = Response::new(());
            *response.status_mut() = said.status();
            *response.headers_mut() = said.headers().clone();
            // There is room for one more than may come.
            let _ = sender.try_send(response);
        });
        Some(coming)
    }

    /// Passes on all that come, and ends only if there is something wrong with them.
    pub(super) async fn pass(&mut self, coming: &mut Coming) -> &'static str {
        if let Some(coming) = coming {
            while let Some(response) = coming.recv().await {
                if let Err(wrong) = self.came(response) {
                    return wrong;
                }
            }
        }
        std::future::pending().await
    }

    /// Passes on those that came with the response itself.
    pub(super) fn pass_last(&mut self, coming: &mut Coming) -> Result<(), &'static str> {
        while let Some(response) = coming.as_mut().and_then(|coming| coming.try_recv().ok()) {
            self.came(response)?;
        }
        Ok(())
    }
}
