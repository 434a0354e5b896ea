//! The basket: things go in and out by ordinary form posts.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::demo::Shop;
use crate::demo::goods::{self, Product};
use crate::demo::layout::{Page, csrf};
use crate::demo::visits::{Posted, Visit};

pub(in crate::demo) async fn show(visit: Visit) -> Response {
    let lines: String = visit
        .basket
        .lines()
        .iter()
        .map(|line| {
            let Product { slug, name, size, price, .. } = line.product;
            let (quantity, total, csrf) = (line.quantity, line.total(), csrf(&visit));
            format!(
                r#"<tr><th scope="row"><a href="/catalogue/{slug}">{name}</a><span class="small">{size}</span></th><td class="number">{quantity} × {price}</td><td class="number"><strong>{total}</strong></td><td><form method="post" action="/basket/remove">{csrf}<input type="hidden" name="product" value="{slug}"><button class="plain" type="submit" aria-label="Remove {name}">Remove</button></form></td></tr>"#
            )
        })
        .collect();
    let inside = if lines.is_empty() {
        r#"<div class="card stack"><p class="lead">There is nothing in it yet.</p><p><a class="button" href="/catalogue">Browse the teas</a></p></div>"#.to_owned()
    } else {
        let total = visit.basket.total();
        format!(
            r#"<div class="card"><table class="lines"><thead class="sr"><tr><th scope="col">Product</th><th scope="col">Quantity</th><th scope="col">Total</th><th scope="col">Remove</th></tr></thead><tbody>{lines}</tbody><tfoot><tr><th scope="row">Together</th><td></td><td class="number"><strong class="price">{total}</strong></td><td></td></tr></tfoot></table></div>
<p class="actions end"><a class="button quiet" href="/catalogue">Keep looking</a> <a class="button" href="/checkout">Go to checkout</a></p>"#
        )
    };
    let body = format!(r#"<section class="wrap medium block"><h1>Your basket</h1>{inside}</section>"#);
    Page { title: "Your basket", visit: &visit, body }.respond()
}

pub(in crate::demo) async fn add(State(shop): State<Shop>, Posted { visit, form }: Posted) -> Response {
    if let Some(product) = goods::find(form.text("product")) {
        let quantity = form.text("quantity").parse().unwrap_or(1);
        shop.visits().change(&visit.id, |visit| visit.basket.add(product, quantity));
        shop.visits().tell(&visit.id, format!("{} is in your basket.", product.name));
    }
    Redirect::to("/basket").into_response()
}

pub(in crate::demo) async fn remove(State(shop): State<Shop>, Posted { visit, form }: Posted) -> Response {
    shop.visits().change(&visit.id, |visit| visit.basket.remove(form.text("product")));
    Redirect::to("/basket").into_response()
}

/// The small form that puts one of a product into the basket.
pub(in crate::demo) fn add_form(product: &Product, visit: &Visit) -> String {
    let (csrf, Product { slug, name, .. }) = (csrf(visit), product);
    format!(
        r#"<form method="post" action="/basket/add">{csrf}<input type="hidden" name="product" value="{slug}"><button class="button small-button" type="submit" aria-label="Add {name} to basket">Add</button></form>"#
    )
}
