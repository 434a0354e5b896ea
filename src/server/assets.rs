//! The browser code that `build.rs` made, and the routes that hand it to customers' pages, with the words and the look
//! that the settings give it.

use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::config::Widget;
use crate::console;
use crate::proxy::Site;

const LOADER: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/loader.js"));

/// The parts that a page may load, by their names.
const PARTS: [(&str, &str); 16] = [
    ("customer", include_str!(concat!(env!("OUT_DIR"), "/browser/customer.js"))),
    ("pictures", include_str!(concat!(env!("OUT_DIR"), "/browser/pictures.js"))),
    ("held", include_str!(concat!(env!("OUT_DIR"), "/browser/held.js"))),
    ("acting", include_str!(concat!(env!("OUT_DIR"), "/browser/acting.js"))),
    ("place", include_str!(concat!(env!("OUT_DIR"), "/browser/place.js"))),
    ("sheets", include_str!(concat!(env!("OUT_DIR"), "/browser/sheets.js"))),
    ("motion", include_str!(concat!(env!("OUT_DIR"), "/browser/motion.js"))),
    ("reread", include_str!(concat!(env!("OUT_DIR"), "/browser/reread.js"))),
    ("hand", include_str!(concat!(env!("OUT_DIR"), "/browser/hand.js"))),
    ("outlines", include_str!(concat!(env!("OUT_DIR"), "/browser/outlines.js"))),
    ("echoes", include_str!(concat!(env!("OUT_DIR"), "/browser/echoes.js"))),
    ("asks", include_str!(concat!(env!("OUT_DIR"), "/browser/asks.js"))),
    ("farewell", include_str!(concat!(env!("OUT_DIR"), "/browser/farewell.js"))),
    ("depth", include_str!(concat!(env!("OUT_DIR"), "/browser/depth.js"))),
    ("frames", include_str!(concat!(env!("OUT_DIR"), "/browser/frames.js"))),
    ("inset", include_str!(concat!(env!("OUT_DIR"), "/browser/inset.js"))),
];

/// For the site's own developers.
const TYPES: &str = include_str!("../../injector/src/loader/tandem.d.ts");

/// What the console's pages are made of.
pub(super) const CONSOLE: console::Assets = console::Assets {
    index: include_str!(concat!(env!("OUT_DIR"), "/browser/index.html")),
    mirror: include_str!(concat!(env!("OUT_DIR"), "/browser/mirror.html")),
    script: include_str!(concat!(env!("OUT_DIR"), "/browser/agent.js")),
    style: include_str!(concat!(env!("OUT_DIR"), "/browser/agent.css")),
};

/// Texts that the loader has with it, in all languages: what can be seen before there is a session.
const EARLY: [&str; 3] = ["start", "starting", "unreachable"];

/// What customers' browsers get.
pub(super) struct Scripts {
    files: Vec<(String, File)>,
    version: String,
}

/// A file as it is sent, with and without gzip.
struct File {
    kind: &'static str,
    plain: Bytes,
    packed: Bytes,
}

impl Scripts {
    /// With the words and the look of `widget`, for a website of these hosts.
    pub(super) fn new(widget: &Widget, sites: &[Site]) -> Scripts {
        const SCRIPT: &str = "text/javascript; charset=utf-8";
        const JSON: &str = "application/json; charset=utf-8";
        let mut files = vec![("loader.js".to_owned(), File::new(SCRIPT, loader(widget, sites)))];
        for (name, text) in PARTS {
            files.push((format!("part/{name}.js"), File::new(SCRIPT, text.to_owned())));
        }
        for (language, texts) in widget.texts.languages() {
            let words = Value::from(words(widget, language, texts)).to_string();
            files.push((format!("part/words-{language}.json"), File::new(JSON, words)));
        }
        let digest =
            files.iter().fold(Sha256::new(), |all, (_, file)| all.chain_update(&file.plain)).finalize();
        let version = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Scripts { files, version }
    }

    /// What the proxy puts into every page. Its address changes with the files, so that a browser may keep what it
    /// has for ever and still never runs an old script.
    pub(super) fn tag(&self) -> String {
        format!("<script src=\"/.tandem/loader.js?v={}\"></script>", self.version)
    }

    /// The files, to be put under `/.tandem`.
    pub(super) fn routes(self) -> Router {
        let all = Arc::new(self.files);
        let types = ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], TYPES);
        let send = async move |uri: Uri, headers: HeaderMap| {
            let found = all.iter().find(|(file, _)| uri.path().strip_prefix('/') == Some(file));
            found.map_or(StatusCode::NOT_FOUND.into_response(), |(_, file)| file.send(&headers))
        };
        Router::new()
            .route("/tandem.d.ts", get(async move || types))
            .route("/loader.js", get(send.clone()))
            .route("/part/{file}", get(send))
    }
}

impl File {
    fn new(kind: &'static str, text: String) -> File {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
        File { kind, plain: text.into(), packed: packed.expect("a vector takes everything").into() }
    }

    fn send(&self, asked: &HeaderMap) -> Response {
        let accepted =
            asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let gzip = accepted.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
                && parts.all(|quality| quality.trim_start_matches("q=").parse::<f32>() != Ok(0.0))
        });
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "Accept-Encoding"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        if gzip {
            (headers, [(header::CONTENT_ENCODING, "gzip")], self.packed.clone()).into_response()
        } else {
            (headers, self.plain.clone()).into_response()
        }
    }
}

/// The loader with what it knows: `injector/src/loader/look.ts` has the other end.
fn loader(widget: &Widget, sites: &[Site]) -> String {
    let early = |texts: &Map<String, Value>| EARLY.map(|key| texts[key].clone());
    let words: Map<String, Value> = widget
        .texts
        .languages()
        .map(|(language, texts)| (language.to_owned(), Value::from(early(texts).to_vec())))
        .collect();
    let hosts: Vec<String> = sites.iter().map(|site| site.public.origin().ascii_serialization()).collect();
    let look = json!({
        "corner": widget.position.map(|corner| corner.as_str()),
        "accent": widget.accent.to_string(),
        "ink": widget.accent.ink().to_string(),
        "language": widget.language,
        "words": words,
        "hosts": (hosts.len() > 1).then_some(hosts),
    });
    format!("((TANDEM)=>{{{}}})({look})", LOADER.trim_end())
}

/// What the rest reads, in one language.
fn words(widget: &Widget, language: &str, texts: &Map<String, Value>) -> Map<String, Value> {
    let mut words = texts.clone();
    words.insert("language".to_owned(), language.into());
    let terms = widget
        .terms_for(language)
        .map(|(language, terms)| json!({ "language": language, "text": terms.text, "link": terms.link }));
    words.insert("terms".to_owned(), terms.into());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_small_with_all_its_words() {
        let scripts = Scripts::new(&Widget::default(), &[]);
        let size = |name: &str| scripts.files.iter().find(|(file, _)| file == name).unwrap().1.packed.len();
        assert!(size("loader.js") <= 4 << 10, "{} bytes", size("loader.js"));
        // With the longest of the words, what a session needs at once keeps its bound.
        let words =
            ["ar", "de", "en", "es", "fr"].map(|language| size(&format!("part/words-{language}.json")));
        assert!(words.into_iter().all(|words| words < 3 << 10), "{words:?}");
    }
}
