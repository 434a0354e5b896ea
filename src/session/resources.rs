//! The images, styles, fonts and media of a session: copies of what the customer's own requests fetched,
//! handed to the agent by capability.
//!
//! Nothing but those kinds is ever kept, so a document or an API answer of the site can not be had here. A
//! copy comes from the customer's traffic as it passes the proxy ([`Arrival`]); what the browser had loaded
//! before is asked of the browser, once an agent's mirror really shows it ([`Want`]). Bounded in bytes; the
//! least recently shown goes first and is asked for again when it is needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use url::Url;

use crate::policy::{Resource as Reference, ResourceNames};
use crate::rewrite::css::{CssUrl, map_urls};

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
        let mut state = self.lock();
        for reference in references {
            if state.references.len() < self.limits.references {
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
        Some(Arrival {
            resources: self.clone(),
            url: url.as_str().to_owned(),
            content_type: String::new(),
            bytes: BytesMut::new(),
            complete: false,
        })
    }

    fn keep(&self, url: &str, content_type: &str, bytes: Bytes) -> bool {
        if !may_be_shown(content_type, &bytes) {
            return false;
        }
        let bytes = if is_style(content_type) { self.with_capabilities(url, &bytes) } else { bytes };
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
    fn with_capabilities(&self, url: &str, bytes: &Bytes) -> Bytes {
        let Ok(base) = Url::parse(url) else { return Bytes::new() };
        let mut references = Vec::new();
        let css = map_urls(&String::from_utf8_lossy(bytes), &mut |target, kind| {
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
            match oldest.and_then(|url| self.entries.remove(&url)) {
                Some(Entry::Ready { resource, .. }) => self.total -= resource.bytes.len(),
                _ => return,
            }
        }
    }
}

/// A copy in the making. Dropped before [`Arrival::end`], it leaves nothing.
#[derive(Debug)]
pub struct Arrival {
    resources: Arc<Resources>,
    url: String,
    content_type: String,
    bytes: BytesMut,
    complete: bool,
}

impl Arrival {
    /// The head of the response is there. False when its body is not wanted.
    pub fn begin(&mut self, content_type: &str, length: Option<u64>) -> bool {
        self.content_type = content_type.to_owned();
        may_be_shown(content_type, &[])
            && length.is_none_or(|length| length <= self.resources.limits.resource as u64)
    }

    /// A piece of the body. False when it has become too large to keep.
    pub fn data(&mut self, piece: &[u8]) -> bool {
        if self.bytes.len() + piece.len() > self.resources.limits.resource {
            self.bytes = BytesMut::new();
            self.content_type.clear();
            return false;
        }
        self.bytes.extend_from_slice(piece);
        true
    }

    /// The body is complete.
    pub fn end(mut self) {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        self.complete = self.resources.keep(&self.url, &self.content_type, bytes);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.resources.lock();
        if let Some(passing) = state.passing.get_mut(&self.url) {
            *passing -= 1;
            if *passing == 0 {
                state.passing.remove(&self.url);
            }
        }
        if self.complete {
            return;
        }
        if matches!(state.entries.get(&self.url), Some(Entry::Arriving)) {
            state.entries.remove(&self.url);
        }
        drop(state);
        self.resources.changed.send_replace(());
    }
}

/// Whether an agent may have a resource of this type: images, styles, fonts and media, nothing else.
fn may_be_shown(content_type: &str, bytes: &[u8]) -> bool {
    let essence = essence(content_type);
    let font = matches!(
        essence.as_str(),
        "application/font-woff"
            | "application/font-woff2"
            | "application/x-font-ttf"
            | "application/x-font-woff"
            | "application/x-font-opentype"
            | "application/vnd.ms-fontobject"
            | "application/font-sfnt"
    );
    let unlabelled_font = matches!(essence.as_str(), "application/octet-stream" | "binary/octet-stream")
        && [&b"wOFF"[..], b"wOF2", b"OTTO", b"\0\x01\0\0"].iter().any(|magic| bytes.starts_with(magic));
    is_style(content_type)
        || font
        || unlabelled_font
        || ["image/", "font/", "audio/", "video/"].iter().any(|kind| essence.starts_with(kind))
}

/// Whether a URL holds what it names, and that is an image or a font: fonts are often labelled `application/…`.
fn is_picture_or_font(url: &str) -> bool {
    ["data:image/", "data:font/", "data:application/"]
        .iter()
        .any(|kind| url.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)))
}

fn is_style(content_type: &str) -> bool {
    essence(content_type) == "text/css"
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(limits: Limits) -> (Arc<Resources>, mpsc::Receiver<Want>) {
        let (wants, asked) = mpsc::channel(4);
        (Resources::new(limits, ResourceNames::new([7; 32], "/r/"), wants), asked)
    }

    fn refer(resources: &Resources, url: &str) -> String {
        let (token, _) = resources.names.name(url);
        resources.refer([Reference { token: token.clone(), url: url.into() }]);
        token
    }

    #[tokio::test(start_paused = true)]
    async fn what_passed_by_is_shown_without_asking() {
        let (resources, mut asked) = resources(Limits::default());
        let url = Url::parse("http://shop/a.png").unwrap();
        let token = refer(&resources, url.as_str());
        let mut arrival = resources.arrive(&url).unwrap();
        assert!(arrival.begin("image/png", Some(3)));
        let arrive = async {
            tokio::task::yield_now().await;
            arrival.data(b"abc");
            arrival.end();
        };
        let (shown, ()) = tokio::join!(resources.show(&token), arrive);
        assert_eq!(shown.unwrap().bytes, &b"abc"[..]);
        assert!(asked.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_browser_had_is_asked_for_once() {
        let (resources, mut asked) = resources(Limits::default());
        let token = refer(&resources, "http://shop/a.png");
        let both = async { tokio::join!(resources.show(&token), resources.show(&token)) };
        let bring = async {
            let want = asked.recv().await.unwrap();
            assert_eq!(want.url, "http://shop/a.png");
            assert!(resources.bring(want.number, "image/png", Bytes::from_static(b"x")));
            assert!(!resources.bring(want.number, "image/png", Bytes::from_static(b"y")), "answered already");
        };
        let ((one, two), ()) = tokio::join!(both, bring);
        assert_eq!(one, two);
        assert!(asked.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_browser_is_loading_is_not_loaded_twice() {
        let (resources, mut asked) = resources(Limits::default());
        let url = Url::parse("http://shop/a.png").unwrap();
        let token = refer(&resources, url.as_str());
        let load = async {
            let want = asked.recv().await.unwrap();
            let mut arrival = resources.arrive(&url).unwrap();
            assert!(arrival.begin("image/png", None));
            arrival.data(b"abc");
            // The browser has all bytes and says that it brings none, before the proxy has seen the end.
            resources.unavailable(want.number);
            tokio::task::yield_now().await;
            arrival.end();
        };
        let (shown, ()) = tokio::join!(resources.show(&token), load);
        assert_eq!(shown.unwrap().bytes, &b"abc"[..]);
    }

    #[tokio::test(start_paused = true)]
    async fn documents_and_answers_of_the_site_are_not_kept() {
        let (resources, mut asked) = resources(Limits::default());
        for kind in
            ["text/html", "application/json", "text/plain", "application/pdf", "", "application/octet-stream"]
        {
            let url = format!("http://shop/{}", kind.len());
            let token = refer(&resources, &url);
            let show = resources.show(&token);
            let bring = async {
                let want = asked.recv().await.unwrap();
                assert!(!resources.bring(want.number, kind, Bytes::from_static(b"{\"secret\":1}")), "{kind}");
            };
            assert_eq!(tokio::join!(show, bring).0, Err(Missing::Unavailable), "{kind}");
            let mut arrival = resources.arrive(&Url::parse("http://shop/other").unwrap()).unwrap();
            assert!(!arrival.begin(kind, None), "{kind}");
        }
        assert_eq!(resources.show("guess").await, Err(Missing::Unknown));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
        let (resources, _asked) = resources(Limits::default());
        let token = refer(&resources, "http://shop/a.png");
        assert_eq!(resources.show(&token).await, Err(Missing::Late));
    }

    #[tokio::test(start_paused = true)]
    async fn a_style_sheet_names_only_capabilities() {
        let (resources, mut asked) = resources(Limits::default());
        let token = refer(&resources, "http://shop/css/a.css");
        let css = "@import 'b.css'; a{background:url(../secret-name.png)} b{background:url(javascript:x)}";
        let bring = async {
            let want = asked.recv().await.unwrap();
            resources.bring(want.number, "text/css", Bytes::from_static(css.as_bytes()));
        };
        let sheet = tokio::join!(resources.show(&token), bring).0.unwrap();
        let text = std::str::from_utf8(&sheet.bytes).unwrap();
        assert!(
            !text.contains("secret-name") && !text.contains("b.css") && !text.contains("javascript"),
            "{text}"
        );
        let (image, _) = resources.names.name("http://shop/secret-name.png");
        assert!(text.contains(&image));
        assert_eq!(resources.lock().references.get(&image).unwrap(), "http://shop/secret-name.png");
    }

    #[tokio::test(start_paused = true)]
    async fn a_style_sheet_keeps_what_it_holds_and_which_part_it_means() {
        let (resources, mut asked) = resources(Limits::default());
        let token = refer(&resources, "http://shop/css/a.css");
        let held = [
            "data:application/font-woff;base64,AAAA",
            "DATA:image/png;base64,AAAA",
            "data:font/woff2,AA",
            "#blur",
        ];
        let css: String =
            held.iter().chain(&["icons.svg#cart"]).map(|url| format!("a{{mask:url({url})}}")).collect();
        let import = "@import 'data:application/css,b';";
        let bring = async {
            let want = asked.recv().await.unwrap();
            resources.bring(want.number, "text/css", Bytes::from(format!("{import}{css}")));
        };
        let sheet = tokio::join!(resources.show(&token), bring).0.unwrap();
        let text = std::str::from_utf8(&sheet.bytes).unwrap();
        for url in held {
            assert!(text.contains(url), "{url}: {text}");
        }
        assert!(!text.contains("application/css"), "{text}");
        let (icons, path) = resources.names.name("http://shop/css/icons.svg");
        assert!(text.contains(&format!("{path}#cart")), "{text}");
        assert_eq!(resources.lock().references.get(&icons).unwrap(), "http://shop/css/icons.svg");
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let (resources, _asked) = resources(Limits { total: 10, ..Limits::default() });
        for name in ["a", "b", "c"] {
            assert!(resources.keep(&format!("http://shop/{name}"), "image/png", Bytes::from_static(b"1234")));
        }
        let state = resources.lock();
        assert_eq!(state.total, 8);
        assert!(!state.entries.contains_key("http://shop/a"));
    }
}
