//! The shop's files, built into the program: what everybody may load, and pictures for logged-in customers.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::Shop;

struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    etag: LazyLock<String, Box<dyn FnOnce() -> String + Send + Sync>>,
}

impl File {
    fn new(name: &'static str, bytes: &'static [u8]) -> File {
        let kind = match name.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some((_, "png")) => "image/png",
            Some((_, "jpg")) => "image/jpeg",
            _ => "application/octet-stream",
        };
        File { name, kind, bytes, etag: LazyLock::new(Box::new(move || etag(bytes))) }
    }
}

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        LazyLock::new(|| vec![$(File::new($name, include_bytes!(concat!("assets/", $folder, $name)))),*])
    };
}

static PUBLIC: LazyLock<Vec<File>> = files!("":
    "shop.css", "site.js", "desk.js", "chat.js", "chat-desk.js", "chat.css", "map.css", "logo.svg", "hero.svg", "shelf-green.svg", "shelf-black.svg",
    "shelf-herbal.svg", "shelf-teaware.svg", "gallery-1.jpg", "gallery-2.jpg", "gallery-3.jpg", "gallery-4.jpg",
    "gallery-5.jpg",
);

static MEMBERS: LazyLock<Vec<File>> = files!("members/":
    "sencha.jpg", "jasmine.jpg", "darjeeling.jpg", "lapsang.jpg", "rooibos.svg", "peppermint.png", "teapot.jpg",
    "cups.svg", "tin.png",
);

/// `GET /assets/{name}`: what everybody may load, kept for a while and revalidated by its ETag.
pub(super) async fn public(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match PUBLIC.iter().find(|file| file.name == name) {
        Some(file) => send(file, "public, max-age=300", &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /favicon.ico`: the logo.
pub(super) async fn icon(headers: HeaderMap) -> Response {
    public(Path("logo.svg".to_owned()), headers).await
}

/// `GET /members/images/{name}`: a product's picture, for logged-in customers only.
pub(super) async fn members_image(
    State(shop): State<Shop>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if shop.visits().logged_in(&headers).is_none() {
        return (StatusCode::FORBIDDEN, [(CACHE_CONTROL, "no-store")], "Log in to see our pictures.\n")
            .into_response();
    }
    match MEMBERS.iter().find(|file| file.name == name) {
        Some(file) if name == NEVER_STORED => send(file, "private, no-store", &headers),
        Some(file) => send(file, "private, max-age=3600", &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn send(file: &File, caching: &'static str, headers: &HeaderMap) -> Response {
    let etag = file.etag.as_str();
    let held = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    // RFC 9110, 13.1.2: weak comparison, so a proxy's `W/` does not matter.
    if held.split(',').any(|tag| matches!(tag.trim().trim_start_matches("W/"), "*") || tag.contains(etag)) {
        return (StatusCode::NOT_MODIFIED, [(CACHE_CONTROL, caching), (ETAG, etag)]).into_response();
    }
    ([(CONTENT_TYPE, file.kind), (CACHE_CONTROL, caching), (ETAG, etag)], file.bytes).into_response()
}

fn etag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let short: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{short}\"")
}

/// The picture that no cache may keep, as some shops have it for all.
const NEVER_STORED: &str = "sencha.jpg";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::goods;

    #[test]
    fn every_product_has_a_picture() {
        for product in &goods::PRODUCTS {
            assert!(MEMBERS.iter().any(|file| file.name == product.image), "{}", product.image);
        }
        assert!(MEMBERS.iter().chain(PUBLIC.iter()).all(|file| file.bytes.len() < 60 << 10));
    }
}
