//! The front page.

use axum::response::Response;

use crate::demo::goods::{self, Kind};
use crate::demo::layout::Page;
use crate::demo::pages::basket::add_form;
use crate::demo::visits::Visit;

pub(in crate::demo) async fn show(visit: Visit) -> Response {
    let shelves: String = Kind::ALL.into_iter().map(shelf).collect();
    let picks: String = PICKS.into_iter().filter_map(|pick| featured(pick, &visit)).collect();
    let body = format!(
        r#"<section class="hero">
  <div class="hero-text">
    <p class="eyebrow">Spring 2026 · first flush is in</p>
    <h1>Tea worth slowing down for</h1>
    <p class="lead">Small lots from growers we know by name, packed by hand on the Portland waterfront.</p>
    <p class="actions"><a class="button" href="/catalogue">Browse the teas</a> <a class="button quiet" href="/story">How we choose</a></p>
  </div>
  <img class="hero-art" src="/assets/hero.svg" alt="Tea terraces under a morning sun, with mist in the valleys" width="1200" height="620">
</section>
<section class="wrap block">
  <h2>Four shelves, nothing more</h2>
  <ul class="shelves">{shelves}</ul>
</section>
<section class="wrap block">
  <div class="heading"><h2>What we are drinking</h2><a href="/catalogue">See everything</a></div>
  <ul class="picks">{picks}</ul>
</section>
<section class="band">
  <div class="wrap promises">
    <div><h3>Picked this year</h3><p>Every tin carries the date of its harvest. Last year's green tea goes into our iced tea, not into your post.</p></div>
    <div><h3>Posted tomorrow</h3><p>Orders before two leave the same day. Follow your parcel, street by street, at the <a href="/app/live">tea desk</a>.</p></div>
    <div><h3>People answer</h3><p>Stuck with a form, or with a pot? <a href="/help">Call us</a>: the phone stands beside the kettle.</p></div>
  </div>
</section>"#
    );
    Page { title: "Small-lot teas", visit: &visit, body }.respond()
}

fn shelf(kind: Kind) -> String {
    let (slug, title) = (kind.slug(), kind.title());
    let count = goods::PRODUCTS.iter().filter(|product| product.kind == kind).count();
    format!(
        r#"<li><a class="shelf" href="/catalogue?kind={slug}"><img src="/assets/shelf-{slug}.svg" alt="" width="400" height="400" loading="lazy"><strong>{title}</strong><span>{count} to choose from</span></a></li>"#
    )
}

fn featured((slug, why): (&str, &str), visit: &Visit) -> Option<String> {
    let product = goods::find(slug)?;
    let (name, price, origin, add) = (product.name, product.price, product.origin, add_form(product, visit));
    Some(format!(
        r#"<li class="pick"><p class="eyebrow">{why}</p><h3><a href="/catalogue/{slug}">{name}</a></h3><p>{blurb}</p><p class="small">{origin}</p><div class="buy"><strong class="price">{price}</strong>{add}</div></li>"#,
        blurb = product.blurb
    ))
}

const PICKS: [(&str, &str); 3] = [
    ("misty-ridge-sencha", "For the morning"),
    ("harbor-smoke-lapsang", "For the rain"),
    ("garden-peppermint", "For the late evening"),
];
