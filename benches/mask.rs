//! What masking costs: a full view beside html5ever's own parse of the same page, and a patch of ten nodes beside a full view.
//!
//! `cargo bench --bench mask`; `-- --quick` for a short run. Ratios are of medians of one run.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // What it is for.
#![allow(clippy::disallowed_methods)] // It measures real time.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use html5ever::tendril::TendrilSink as _;
use markup5ever_rcdom::RcDom;
use tandem::dom::{Limits, Tree};
use tandem::policy::{Masker, Policies, ResourceNames};
use tandem::protocol::NodeId;
use tandem::protocol::agent::Role;
use tandem::protocol::page::{Namespace, PageOp, Part};

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 5 } else { 41 };
    let head = ("elements", "rules", "parse ms", "full ms", "full/parse", "patch µs", "full/patch");
    println!(
        "{:>9}{:>7}{:>10}{:>10}{:>12}{:>10}{:>12}",
        head.0, head.1, head.2, head.3, head.4, head.5, head.6
    );
    for elements in [3_000, 30_000] {
        let html = page(elements);
        let parse = median(rounds, || {
            html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(&*html);
        });
        for rules in [10, 200] {
            let policies = Arc::new(Policies::parse(&[("bench.toml", &*policy(rules))]).unwrap());
            let mut tree = Tree::from_html(&html, "https://shop.test/", Limits::default()).unwrap();
            let mut masker = Masker::new(policies, Role::Agent, ResourceNames::new([7; 32], "/r/"));
            let full = median(rounds, || {
                masker.view(&tree);
            });
            let body = tree.document().with_descendants().find(|node| node.is_html("body")).unwrap().id();
            let patch = median(rounds, || {
                let changes = tree.apply(&[ten(body)]).unwrap();
                masker.update(&tree, &changes);
            });
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            println!(
                "{elements:>9}{rules:>7}{:>10.2}{:>10.2}{:>12.2}{:>10.1}{:>12.0}",
                ms(parse),
                ms(full),
                ms(full) / ms(parse),
                ms(patch) * 1e3,
                ms(full) / ms(patch),
            );
        }
    }
}

/// A page as shops have it: rows of five elements with classes, ids, attributes and text.
fn page(elements: usize) -> String {
    let mut out = String::from("<!doctype html><title>Bench</title><body>");
    for row in 0..elements / 5 {
        let _ = write!(
            out,
            "<div class=\"row item-{} list\" id=\"row{row}\"><a class=\"name link\" href=\"/goods/{row}\">Walking boots {row}</a>\
             <span class=\"price\" title=\"EUR\">{row}.99</span><input name=\"count{row}\" value=\"1\"><p class=\"note\">In stock</p></div>",
            row % 40
        );
    }
    out
}

/// Rules as administrators write them: ids, classes, attributes, a few with ancestors.
fn policy(rules: usize) -> String {
    let mut out = String::new();
    for rule in 0..rules {
        let select = match rule % 5 {
            0 => format!("#secret{rule}"),
            1 => format!(".item-{} .price", rule % 40),
            2 => format!("input[name=field{rule}], [autocomplete~=cc-{rule}]"),
            3 => format!(".account-{rule} > p"),
            _ => format!("form.checkout-{rule} input"),
        };
        let kind = if rule % 7 == 0 { "hide" } else { "mask" };
        let _ = write!(out, "[[{kind}]]\nselect = \"{select}\"\n");
    }
    out
}

/// A patch of ten nodes.
fn ten(parent: NodeId) -> PageOp {
    let mut parts = vec![element("ul", "list")];
    for _ in 0..4 {
        parts.extend([element("li", "price"), Part::Text { data: "new".into() }, Part::End]);
    }
    parts.extend([Part::Text { data: "end".into() }, Part::End]);
    PageOp::Insert { parent, next: None, parts }
}

fn element(name: &str, class: &str) -> Part {
    let attributes = vec![("class".into(), class.into())];
    Part::Element { namespace: Namespace::Html, name: name.into(), attributes }
}

fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}
