//! What changing pages costs: mapping URLs in a page that names its host often, and looking through one that does not,
//! beside putting the loader's tag in and nothing else.
//!
//! `cargo bench --bench rewrite` (`-- --quick` for a short run). Pages come in pieces of 16 KiB, as from a socket.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // What it is for; it measures real time.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tandem::rewrite::links::{Language, Links, Scripts, Task};
use tandem::rewrite::prologue::Insertion;
use tandem::rewrite::url::{Mapping, Pair};
use url::Url;

const TAG: &str = "<script src=\"/.tandem/loader.js?v=0123456789ab\"></script>";
const PIECE: usize = 16 * 1024;
const SIZE: usize = 100 * 1024;
const HOST: &str = "https://www.shop.example";

fn main() {
    let rounds = if std::env::args().any(|arg| arg == "--quick") { 200 } else { 2000 };
    let parse = |text: &str| Url::parse(text).expect("a URL");
    let pair = |origin: &str, public: &str| Pair { origin: parse(origin), public: parse(public) };
    let mapping = Arc::new(Mapping::new(&[
        pair(HOST, "https://www.help.shop.example"),
        pair("https://login.shop.example", "https://login.help.shop.example"),
    ]));
    let task = |mapping: Option<Arc<Mapping>>| Task {
        language: Language::Html,
        iso_2022_jp: false,
        mapping,
        scripts: Scripts::default(),
        url: parse("https://www.help.shop.example/"),
        admits_us: true,
    };
    let pages = [("names its host", page(HOST)), ("names no host", page(""))];
    println!("| page | what | time | per second | x insertion |\n|---|---|---|---|---|");
    for (name, page) in &pages {
        let pieces: Vec<Bytes> = page.as_bytes().chunks(PIECE).map(Bytes::copy_from_slice).collect();
        let insertion = || run(&pieces, None);
        let own = || run(&pieces, Some(Links::new(task(None))));
        let mapped = || run(&pieces, Some(Links::new(task(Some(mapping.clone())))));
        // Interleaved, for machines are noisy.
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds {
            times[0].push(time(insertion));
            times[1].push(time(own));
            times[2].push(time(mapped));
        }
        let medians = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        for (what, median) in ["insertion alone", "same host", "mapped hosts"].into_iter().zip(medians) {
            let rate = page.len() as f64 / median.as_secs_f64() / 1e6;
            let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
            println!(
                "| {name} | {what} | {:.1} µs | {rate:.0} MB | {ratio:.1} |",
                median.as_secs_f64() * 1e6
            );
        }
    }
}

fn time(work: impl Fn() -> usize) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

fn run(pieces: &[Bytes], links: Option<Links>) -> usize {
    let (mut insertion, mut length) = (Insertion::new(TAG, false), 0);
    let mut out = |piece: Bytes| length += black_box(piece).len();
    match links {
        None => pieces.iter().for_each(|piece| insertion.push(piece.clone(), &mut out)),
        Some(mut links) => {
            for piece in pieces {
                links.push(piece.clone(), &mut |piece| insertion.push(piece, &mut out));
            }
            links.finish(&mut |piece| insertion.push(piece, &mut out));
        }
    }
    insertion.finish(&mut out);
    length
}

/// A shop's page of [`SIZE`] bytes: a head, and products with three links, a picture and some text each.
fn page(host: &str) -> String {
    let mut page = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Shop</title>\
         <link rel=stylesheet href=\"{host}/static/site.css\"><script>window.dataLayer = window.dataLayer || [];\
         function gtag() {{ dataLayer.push(arguments); }} // https://www.analytics.example/\n</script></head><body>"
    );
    for product in 0.. {
        if page.len() > SIZE {
            break;
        }
        page.push_str(&format!(
            "<article class=\"product-pod col-md-4\" data-id=\"{product}\"><div class=\"image-container\">\
             <a href=\"{host}/catalogue/product-{product}/\"><img src=\"{host}/media/{product}.jpg\" alt=\"Product\" \
             class=\"thumbnail\" width=\"200\" height=\"150\"></a></div><p class=\"star-rating\" title=\"4 of 5\"></p>\
             <h3><a href=\"{host}/catalogue/product-{product}/\" title=\"Product {product}\">Product number {product}</a></h3>\
             <div class=\"product_price\">A short text about what it is good for, and why one should buy it today, quickly.\
             <p class=\"price_color\">£{product}.99</p></div></article>\n"
        ));
    }
    page
}
