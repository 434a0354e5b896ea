//! The agent's desk, as a CRM has one: the chats, and the page of a customer who shares it, in a frame. On a listener of
//! its own, of this machine only, since nobody logs in there.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{Chats, From};
use crate::demo::assets;

/// What the customer is told that the agent is called.
const AGENT: &str = "Ann";
/// Only scripts of the desk's own page can set it.
const OURS: &str = "desk";

/// All of the desk.
pub(in crate::demo) fn router(chats: Chats) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/assets/{name}", get(assets::public))
        .route("/chats", get(list))
        .route("/chats/{id}/say", post(say))
        .route("/chats/{id}/offer", post(offer))
        .route("/chats/{id}/join", post(join))
        .route("/chats/{id}/end", post(end))
        .with_state(chats)
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

async fn page() -> Response {
    // The console may be at any address.
    let policy = "default-src 'self'; frame-src http: https:; frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy), (CACHE_CONTROL, "no-store")], Html(include_str!("desk.html")))
        .into_response()
}

async fn list(State(chats): State<Chats>) -> Response {
    let all = chats.lock().iter().map(|(id, chat)| json!({ "id": id, "chat": chat })).collect::<Vec<_>>();
    Json(all).into_response()
}

async fn say(
    State(chats): State<Chats>,
    Path(id): Path<u32>,
    headers: HeaderMap,
    Json(Said { text }): Json<Said>,
) -> StatusCode {
    done(headers.contains_key(OURS) && chats.add(id, From::Agent, &text))
}

async fn offer(State(chats): State<Chats>, Path(id): Path<u32>, headers: HeaderMap) -> StatusCode {
    done(headers.contains_key(OURS) && chats.add(id, From::Offer, "Shall we look at the page together?"))
}

/// A link that opens the customer's page in the desk's frame.
async fn join(State(chats): State<Chats>, Path(id): Path<u32>, headers: HeaderMap) -> Response {
    let session = chats.get(id).and_then(|chat| chat.session_id);
    let (Some(session), Some(contact), true) = (session, chats.contact.get(), headers.contains_key(OURS))
    else {
        return StatusCode::CONFLICT.into_response();
    };
    match contact.join_link(&session, AGENT).await {
        Ok(url) => Json(json!({ "url": url })).into_response(),
        Err(error) => {
            tracing::warn!(%error, "no link to a session");
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

async fn end(State(chats): State<Chats>, Path(id): Path<u32>, headers: HeaderMap) -> StatusCode {
    if headers.contains_key(OURS) {
        chats.end(id).await;
    }
    done(headers.contains_key(OURS))
}

fn done(done: bool) -> StatusCode {
    if done { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT }
}
