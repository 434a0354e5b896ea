//! The browser code that `build.rs` made, and the routes that hand it to customers' pages.

use std::sync::LazyLock;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use sha2::{Digest, Sha256};

use crate::console;

const LOADER: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/loader.js"));
const PICTURES: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/pictures.js"));
const HELD: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/held.js"));
const ACTING: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/acting.js"));
const CUSTOMER: &str = include_str!(concat!(env!("OUT_DIR"), "/browser/customer.js"));

/// For the site's own developers.
const TYPES: &str = include_str!("../../injector/src/loader/tandem.d.ts");

/// What the console's pages are made of.
pub(super) const CONSOLE: console::Assets = console::Assets {
    index: include_str!(concat!(env!("OUT_DIR"), "/browser/index.html")),
    mirror: include_str!(concat!(env!("OUT_DIR"), "/browser/mirror.html")),
    script: include_str!(concat!(env!("OUT_DIR"), "/browser/agent.js")),
    style: include_str!(concat!(env!("OUT_DIR"), "/browser/agent.css")),
};

/// Changes with the code, so that a browser may keep what it has for ever and still never runs an old script.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let scripts = [LOADER, CUSTOMER, PICTURES, HELD, ACTING];
    let digest = scripts.into_iter().fold(Sha256::new(), |all, script| all.chain_update(script)).finalize();
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// What the proxy puts into every page.
pub(super) fn loader_tag() -> String {
    format!("<script src=\"/.tandem/loader.js?v={}\"></script>", *VERSION)
}

/// The customer's scripts, to be put under `/.tandem`.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/loader.js", get(async || script(LOADER)))
        .route("/customer.js", get(async || script(CUSTOMER)))
        .route("/tandem.d.ts", get(async || ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], TYPES)))
        .route("/acting.js", get(async || script(ACTING)))
        .route("/pictures.js", get(async || script(PICTURES)))
        .route("/held.js", get(async || script(HELD)))
}

fn script(text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, text).into_response()
}
