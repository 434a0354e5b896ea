//! The images, styles, fonts and media of a session: copies of what the customer's own requests fetched,
//! handed to the agent by capability.
//!
//! Nothing but those kinds is ever kept, so a document or an API answer of the site can not be had here. A
//! copy comes from the customer's traffic as it passes the proxy ([`Arrival`]); what the browser had loaded
//! before is asked of the browser, once an agent's mirror really shows it ([`Want`]). Bounded in bytes; the
//! least recently shown goes first and is asked for again when it is needed. A long picture in a `data:` URL is in
//! the page itself ([`data`]).

mod arrival;
mod data;
mod kind;
mod pictures;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use url::Url;

pub use self::arrival::Arrival;
use self::kind::{is_picture_or_font, is_style, may_be_shown};
use crate::policy::{PICTURE, Resource as Reference, ResourceNames};
use crate::rewrite::css::{CssUrl, map_urls, read};

/// Bytes of a URL that is remembered; browsers and servers refuse longer ones too.
const LONGEST_URL: usize = 16 << 10;

/// Bounds on what one session keeps.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one resource.
    pub resource: usize,
    /// Bytes of all together.
    pub total: usize,
    /// How many different URLs a session's views may refer to.
    pub references: usize,
    /// How long an agent's request waits for the bytes.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { resource: 8 << 20, total: 64 << 20, references: 50_000, wait: Duration::from_secs(20) }
    }
}

/// Ask the customer's browser for the bytes behind a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// For the answer.
    pub number: u32,
    /// Absolute.
    pub url: String,
}

/// The bytes of an image, a style sheet, a font, a sound or a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// One of the kinds that an agent may have.
    pub content_type: String,
    /// A style sheet's URLs are capabilities already.
    pub bytes: Bytes,
    /// A strong validator, quoted as in RFC 9110 section 8.8.3.
    pub etag: String,
}

/// Why an agent can not have a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No view of this session refers to it.
    #[error("no page of this session shows that")]
    Unknown,
    /// The customer's browser can not give it.
    #[error("the customer's browser does not have that")]
    Unavailable,
    /// The customer's browser did not answer in time.
    #[error("the customer's browser did not send that in time")]
    Late,
}

/// All resources of one session.
#[derive(Debug)]
pub struct Resources {
    limits: Limits,
    names: ResourceNames,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    wants: mpsc::Sender<Want>,
}

#[derive(Debug, Default)]
struct State {
    /// Capability → URL.
    references: HashMap<String, String>,
    /// URL → what is known of it.
    entries: HashMap<String, Entry>,
    outstanding: HashMap<u32, String>,
    /// URL → how many responses of it are passing the proxy now.
    passing: HashMap<String, u32>,
    total: usize,
    clock: u64,
    wanted: u32,
    /// The last picture's number.
    pictures: u32,
    /// Of those besides the customer's own page who may bring something now: from their own origin only.
    passes: HashMap<String, String>,
    /// Pictures that nothing shows any more; an agent may still be loading the last of them.
    retired: VecDeque<u32>,
}

#[derive(Debug)]
enum Entry {
    /// Passing through the proxy right now.
    Arriving,
    /// Asked of the customer's browser.
    Wanted,
    Ready {
        resource: Arc<Resource>,
        shown: u64,
    },
    Unavailable,
}

impl Resources {
    /// `wants` leads to the customer's browser.
    pub fn new(limits: Limits, names: ResourceNames, wants: mpsc::Sender<Want>) -> Arc<Resources> {
        Arc::new(Resources { limits, names, state: Mutex::default(), changed: watch::Sender::new(()), wants })
    }

    /// A masked view refers to these now: agents may have them.
    pub fn refer(&self, references: impl IntoIterator<Item = Reference>) {
        let (data, references): (Vec<_>, Vec<_>) =
            references.into_iter().partition(|reference| data::is_data(&reference.url));
        for reference in data {
            self.refer_to_data(reference);
        }
        let mut state = self.lock();
        for reference in references {
            if state.references.len() < self.limits.references && reference.url.len() <= LONGEST_URL {
                state.references.insert(reference.token, reference.url);
            }
        }
    }

    /// Agents may not have these any more.
    pub fn withdraw(&self, capabilities: &[String]) {
        let mut state = self.lock();
        for capability in capabilities {
            state.references.remove(capability);
        }
    }

    /// The resource behind a capability; waits for it if it is on its way.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn show(&self, capability: &str) -> Result<Arc<Resource>, Missing> {
        let mut changed = self.changed.subscribe();
        let deadline = tokio::time::Instant::now() + self.limits.wait;
        loop {
            changed.borrow_and_update();
            if let Some(answer) = self.look(capability) {
                return answer;
            }
            match tokio::time::timeout_at(deadline, changed.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Missing::Unavailable),
                Err(_) => return Err(Missing::Late),
            }
        }
    }

    fn look(&self, capability: &str) -> Option<Result<Arc<Resource>, Missing>> {
        let mut state = self.lock();
        let Some(url) = state.references.get(capability).cloned() else {
            return Some(Err(Missing::Unknown));
        };
        state.clock += 1;
        let now = state.clock;
        match state.entries.get_mut(&url) {
            Some(Entry::Ready { resource, shown }) => {
                *shown = now;
                Some(Ok(resource.clone()))
            }
            Some(Entry::Unavailable) => Some(Err(Missing::Unavailable)),
            // A picture is brought once, and one in a `data:` URL is with the reference.
            None if url.starts_with(PICTURE) || data::is_data(&url) => Some(Err(Missing::Unavailable)),
            Some(Entry::Arriving | Entry::Wanted) => None,
            None => {
                state.wanted += 1;
                let want = Want { number: state.wanted, url: url.clone() };
                // A full queue means that the browser is far behind: the agent's next request tries again.
                if self.wants.try_send(want).is_err() {
                    return Some(Err(Missing::Late));
                }
                let number = state.wanted;
                state.outstanding.insert(number, url.clone());
                state.entries.insert(url, Entry::Wanted);
                None
            }
        }
    }

    /// What the customer's browser was asked for and has not answered; asked again when it reconnects.
    pub fn outstanding(&self) -> Vec<Want> {
        let state = self.lock();
        state.outstanding.iter().map(|(number, url)| Want { number: *number, url: url.clone() }).collect()
    }

    /// Another page may have what the last one could not bring: one that is left gives up what it was bringing.
    pub fn ask_anew(&self) {
        self.lock().entries.retain(|_, entry| !matches!(entry, Entry::Unavailable));
    }

    /// Who has this pass may bring what is wanted from an origin, until it is withdrawn, and its own pictures. What nobody
    /// could bring from there until now may be asked for again.
    pub fn let_bring(&self, pass: &str, origin: &str) {
        let mut state = self.lock();
        state.passes.insert(pass.to_owned(), origin.to_owned());
        state.entries.retain(|url, entry| !(matches!(entry, Entry::Unavailable) && is_from(url, origin)));
    }

    /// The pass is of no use any more.
    pub fn let_bring_no_more(&self, pass: &str) {
        self.lock().passes.remove(pass);
    }

    /// Whether a pass is valid, for what is wanted by this number.
    pub fn may_bring(&self, pass: &str, want: Option<u32>) -> bool {
        let state = self.lock();
        let url = want.and_then(|want| state.outstanding.get(&want));
        state
            .passes
            .get(pass)
            .is_some_and(|origin| want.is_none() || url.is_some_and(|url| is_from(url, origin)))
    }

    /// The browser's answer to a want. False when nothing like that was asked for, or it is of another kind.
    pub fn bring(&self, want: u32, content_type: &str, bytes: Bytes) -> bool {
        let Some(url) = self.lock().outstanding.remove(&want) else { return false };
        let kept = bytes.len() <= self.limits.resource && self.keep(&url, content_type, bytes);
        if !kept {
            self.give_up(&url);
        }
        kept
    }

    /// The browser can not bring what was wanted.
    pub fn unavailable(&self, want: u32) {
        let Some(url) = self.lock().outstanding.remove(&want) else { return };
        self.give_up(&url);
    }

    /// A response to one of the customer's requests is on its way.
    pub fn arrive(self: &Arc<Self>, url: &Url) -> Option<Arrival> {
        let mut state = self.lock();
        if state.entries.len() >= self.limits.references {
            return None;
        }
        if !matches!(state.entries.get(url.as_str()), Some(Entry::Wanted | Entry::Ready { .. })) {
            state.entries.insert(url.as_str().to_owned(), Entry::Arriving);
        }
        *state.passing.entry(url.as_str().to_owned()).or_default() += 1;
        drop(state);
        Some(Arrival::new(self.clone(), url))
    }

    fn keep(&self, url: &str, content_type: &str, bytes: Bytes) -> bool {
        if !may_be_shown(content_type, &bytes) {
            return false;
        }
        let bytes = if is_style(content_type) {
            self.with_capabilities(url, &read(&bytes, content_type))
        } else {
            bytes
        };
        let mut etag = String::with_capacity(34);
        etag.push('"');
        Sha256::digest(&bytes).iter().take(16).for_each(|byte| etag.push_str(&format!("{byte:02x}")));
        etag.push('"');
        let content_type = if is_style(content_type) {
            "text/css; charset=utf-8".to_owned()
        } else {
            content_type.to_owned()
        };
        let mut state = self.lock();
        state.clock += 1;
        state.total += bytes.len();
        let ready =
            Entry::Ready { resource: Arc::new(Resource { content_type, bytes, etag }), shown: state.clock };
        if let Some(Entry::Ready { resource, .. }) = state.entries.insert(url.to_owned(), ready) {
            state.total -= resource.bytes.len();
        }
        state.shrink(self.limits.total);
        drop(state);
        self.changed.send_replace(());
        true
    }

    /// Rewrites a style sheet so that it names only capabilities.
    fn with_capabilities(&self, url: &str, css: &str) -> Bytes {
        let Ok(base) = Url::parse(url) else { return Bytes::new() };
        let mut references = Vec::new();
        let css = map_urls(css, &mut |target, kind| {
            let target = target.trim_matches(|char: char| char <= ' ');
            if target.starts_with('#') || (kind == CssUrl::Image && is_picture_or_font(target)) {
                return Some(target.to_owned());
            }
            let mut url = base.join(target).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            // Which part of a drawing is meant is for the mirror; what is fetched has no fragment.
            let fragment = url.fragment().map(str::to_owned);
            url.set_fragment(None);
            let (token, mut path) = self.names.name(url.as_str());
            references.push(Reference { token, url: url.into() });
            if let Some(fragment) = fragment {
                path.push('#');
                path.push_str(&fragment);
            }
            Some(path)
        });
        self.refer(references);
        css.into()
    }

    fn give_up(&self, url: &str) {
        let mut state = self.lock();
        if !matches!(state.entries.get(url), Some(Entry::Ready { .. })) {
            // What is passing the proxy at this moment will be there in the next.
            let entry = if state.passing.contains_key(url) { Entry::Arriving } else { Entry::Unavailable };
            state.entries.insert(url.to_owned(), entry);
        }
        drop(state);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete before anything that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_from(url: &str, origin: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}

impl State {
    /// Lets the least recently shown go until `limit` bytes are kept.
    fn shrink(&mut self, limit: usize) {
        while self.total > limit {
            let oldest = self
                .entries
                .iter()
                .filter_map(|(url, entry)| match entry {
                    Entry::Ready { shown, .. } => Some((*shown, url)),
                    _ => None,
                })
                .min()
                .map(|(_, url)| url.clone());
            let Some(url) = oldest else { return };
            if let Some(Entry::Ready { resource, .. }) = self.entries.remove(&url) {
                self.total -= resource.bytes.len();
            }
            if let Some(token) = data::token(&url) {
                self.references.remove(token);
            }
        }
    }
}
