//! Pages to read: the story, help, and what to say when there is nothing to show.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::demo::Shop;
use crate::demo::html::page;
use crate::demo::layout::{Page, csrf};
use crate::demo::visits::{Posted, Visit};

pub(in crate::demo) async fn story(visit: Visit) -> Response {
    let body = include_str!("story.html").replace("<!--csrf-->", &csrf(&visit));
    Page { title: "Our story", visit: &visit, body }.respond()
}

/// `GET /story/map`: the small page in the story's frame.
pub(in crate::demo) async fn map() -> Response {
    page(StatusCode::OK, include_str!("map.html").to_owned())
}

pub(in crate::demo) async fn help(visit: Visit) -> Response {
    let body = include_str!("help.html").replace("<!--csrf-->", &csrf(&visit));
    Page { title: "Help", visit: &visit, body }.respond()
}

pub(in crate::demo) async fn subscribe(State(shop): State<Shop>, Posted { visit, form }: Posted) -> Response {
    let thanks = match form.text("email") {
        email if email.contains('@') => "Thank you: our next letter comes with the season.",
        _ => "That does not look like an email address.",
    };
    shop.visits().tell(&visit.id, thanks);
    Redirect::to("/").into_response()
}

pub(in crate::demo) async fn book_tasting(
    State(shop): State<Shop>,
    Posted { visit, form }: Posted,
) -> Response {
    let name: String = form.text("name").chars().take(80).collect();
    shop.visits().tell(&visit.id, format!("A seat is kept for {name}. Come thirsty."));
    Redirect::to("/story").into_response()
}

/// Any address that the shop does not have.
pub(in crate::demo) async fn not_found(visit: Visit) -> Response {
    missing(&visit)
}

pub(in crate::demo) fn missing(visit: &Visit) -> Response {
    apology(
        visit,
        StatusCode::NOT_FOUND,
        "This cup is empty",
        "There is no page here. It may have been steeped for too long.",
    )
}

/// A form without this visit's token, or from before a login.
pub(in crate::demo) fn refused(visit: &Visit) -> Response {
    apology(
        visit,
        StatusCode::FORBIDDEN,
        "That form has gone cold",
        "It was opened before you last logged in or out. Please go back, reload the page and send it again.",
    )
}

fn apology(visit: &Visit, status: StatusCode, title: &str, text: &str) -> Response {
    let body = format!(
        r#"<section class="wrap narrow block apology"><p class="eyebrow">{}</p><h1>{title}</h1><p class="lead">{text}</p><p class="actions"><a class="button" href="/">Back to the shop</a> <a class="button quiet" href="/help">Get help</a></p></section>"#,
        status.as_u16()
    );
    Page { title, visit, body }.respond_as(status, None)
}
