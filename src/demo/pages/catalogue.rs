//! The shelves, and each product's own page. Pictures are for logged-in customers.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::demo::goods::{self, Caffeine, Kind, Product};
use crate::demo::html::{esc, flag};
use crate::demo::layout::{Page, csrf};
use crate::demo::pages::basket::add_form;
use crate::demo::pages::reading;
use crate::demo::visits::Visit;

/// The filter form's fields.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::demo) struct Filter {
    kind: String,
    sort: String,
    decaf: Option<String>,
    q: String,
}

impl Filter {
    fn apply(&self) -> Vec<&'static Product> {
        let kind = Kind::from_slug(&self.kind);
        let words = self.q.trim().to_lowercase();
        let mut found: Vec<_> = goods::PRODUCTS
            .iter()
            .filter(|product| kind.is_none_or(|kind| product.kind == kind))
            .filter(|product| self.decaf.is_none() || product.caffeine == Caffeine::Free)
            .filter(|product| format!("{} {}", product.name, product.blurb).to_lowercase().contains(&words))
            .collect();
        match self.sort.as_str() {
            "price" => found.sort_by_key(|product| product.price),
            "name" => found.sort_by_key(|product| product.name),
            _ => {}
        }
        found
    }
}

pub(in crate::demo) async fn list(visit: Visit, Query(filter): Query<Filter>) -> Response {
    let found = filter.apply();
    let cards: String = found.iter().map(|product| card(product, &visit)).collect();
    let results = match found.len() {
        0 => r#"<p class="card">Nothing on our shelves fits that. <a href="/catalogue">Show everything</a></p>"#.to_owned(),
        _ => format!(r#"<ul class="grid">{cards}</ul>"#),
    };
    let (heading, words, count) = (
        Kind::from_slug(&filter.kind).map_or("All our teas", Kind::title),
        esc(&filter.q),
        match found.len() {
            1 => "1 thing".to_owned(),
            several => format!("{several} things"),
        },
    );
    let kinds: String = Kind::ALL
        .into_iter()
        .map(|kind| option(kind.slug(), kind.title(), filter.kind == kind.slug()))
        .collect();
    let sorts: String = [("shelf", "As on the shelf"), ("price", "Price, low to high"), ("name", "Name")]
        .into_iter()
        .map(|(slug, title)| option(slug, title, filter.sort == slug))
        .collect();
    let (invitation, decaf) = (invitation(&visit, "/catalogue"), flag("checked", filter.decaf.is_some()));
    let body = format!(
        r#"<section class="wrap block">
  <p class="eyebrow">The catalogue</p>
  <h1>{heading}</h1>
  {invitation}
  <form class="filter" method="get" action="/catalogue" role="search">
    <label>Search <input type="search" name="q" value="{words}" placeholder="smoke, spring, mint…"></label>
    <label>Shelf <select name="kind"><option value="">All shelves</option>{kinds}</select></label>
    <label>Order <select name="sort">{sorts}</select></label>
    <label class="tick"><input type="checkbox" name="decaf" value="yes" {decaf}> No caffeine</label>
    <button type="submit" class="button quiet">Show</button>
  </form>
  <p class="small" role="status">{count}</p>
  {results}
</section>"#
    );
    Page { title: heading, visit: &visit, body }.respond()
}

pub(in crate::demo) async fn product(visit: Visit, Path(slug): Path<String>) -> Response {
    let Some(product) = goods::find(&slug) else { return reading::missing(&visit) };
    let Product { name, price, size, origin, blurb, about, rating, .. } = product;
    let facts: String = product
        .facts
        .iter()
        .map(|(name, fact)| format!("<div><dt>{name}</dt><dd>{fact}</dd></div>"))
        .collect();
    let picture = picture(product, &visit);
    let (shelf, shelf_slug) = (product.kind.title(), product.kind.slug());
    let invitation = invitation(&visit, &format!("/catalogue/{slug}"));
    let (csrf, others) = (csrf(&visit), neighbors(product, &visit));
    let body = format!(
        r#"<section class="wrap block">
  <nav class="crumbs" aria-label="You are here"><a href="/catalogue">Catalogue</a> <a href="/catalogue?kind={shelf_slug}">{shelf}</a> <span aria-current="page">{name}</span></nav>
  {invitation}
  <div class="product">
    <div class="product-picture">{picture}</div>
    <div>
      <h1>{name}</h1>
      <p class="small">{origin} · {size}</p>
      <p><star-rating value="{rating}"></star-rating></p>
      <p class="lead">{blurb}</p>
      <p>{about}</p>
      <dl class="facts">{facts}</dl>
      <form class="buy" method="post" action="/basket/add">
        {csrf}<input type="hidden" name="product" value="{slug}">
        <strong class="price">{price}</strong>
        <label class="quantity"><span class="sr">Quantity</span><input type="number" name="quantity" value="1" min="1" max="99" inputmode="numeric"></label>
        <button class="button" type="submit">Add to basket</button>
      </form>
    </div>
  </div>
  <h2>On the same shelf</h2>
  <ul class="grid">{others}</ul>
</section>"#,
        slug = product.slug
    );
    Page { title: name, visit: &visit, body }.respond_as(StatusCode::OK, None)
}

fn neighbors(product: &Product, visit: &Visit) -> String {
    let shelf =
        goods::PRODUCTS.iter().filter(|other| other.kind == product.kind && other.slug != product.slug);
    shelf.map(|other| card(other, visit)).collect()
}

fn card(product: &'static Product, visit: &Visit) -> String {
    let Product { slug, name, price, size, origin, blurb, .. } = product;
    let (picture, add) = (picture(product, visit), add_form(product, visit));
    format!(
        r#"<li class="item"><a class="item-picture" href="/catalogue/{slug}" tabindex="-1" aria-hidden="true">{picture}</a><div class="item-text"><h3><a href="/catalogue/{slug}">{name}</a></h3><p>{blurb}</p><p class="small">{origin} · {size}</p><div class="buy"><strong class="price">{price}</strong>{add}</div></div></li>"#
    )
}

fn picture(product: &Product, visit: &Visit) -> String {
    let Product { name, image, kind, .. } = product;
    if visit.logged_in {
        format!(r#"<img src="/members/images/{image}" alt="{name}" width="720" height="720" loading="lazy">"#)
    } else {
        format!(r#"<span class="no-picture {}"><span>Log in to see it</span></span>"#, kind.slug())
    }
}

fn invitation(visit: &Visit, path: &str) -> String {
    if visit.logged_in {
        return String::new();
    }
    format!(
        r#"<aside class="invite"><p><strong>Our pictures are for members.</strong> Ines photographs every lot as it arrives; log in to see them.</p><a class="button" href="/login?next={}">Log in to see pictures</a></aside>"#,
        esc(path)
    )
}

fn option(value: &str, title: &str, chosen: bool) -> String {
    format!(r#"<option value="{value}" {}>{title}</option>"#, flag("selected", chosen))
}
