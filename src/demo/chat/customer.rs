//! The customer's end of a chat: a panel on every page of the shop for as long as the chat goes on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::{Chat, From};
use crate::demo::Shop;
use crate::demo::visits::{Posted, Visit};

/// `POST /chat`: opens a chat, and shows it where the customer was.
pub(in crate::demo) async fn open(State(shop): State<Shop>, Posted { visit, .. }: Posted) -> Redirect {
    let goes_on = visit.chat.and_then(|id| shop.chats().get(id)).is_some_and(|chat| !chat.over);
    if !goes_on {
        let id = shop.chats().begin();
        shop.visits().change(&visit.id, |visit| visit.chat = Some(id));
    }
    Redirect::to("/help")
}

/// `GET /chat/messages`: the chat of this visit.
pub(in crate::demo) async fn messages(State(shop): State<Shop>, visit: Visit) -> Response {
    match visit.chat.and_then(|id| shop.chats().get(id)) {
        Some(chat) => Json(chat).into_response(),
        None => Json(Chat { over: true, ..Chat::default() }).into_response(),
    }
}

/// `POST /chat/say`: a message.
pub(in crate::demo) async fn say(State(shop): State<Shop>, Posted { visit, form }: Posted) -> StatusCode {
    let said = visit.chat.is_some_and(|id| shop.chats().add(id, From::Customer, form.text("text")));
    if said { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT }
}

/// `POST /chat/share`: the ID of the session that `Tandem.start()` has answered, for the agent's desk.
pub(in crate::demo) async fn share(State(shop): State<Shop>, Posted { visit, form }: Posted) -> StatusCode {
    let Some(id) = visit.chat else { return StatusCode::CONFLICT };
    let session: String =
        form.text("session").chars().filter(|c| c.is_ascii_alphanumeric()).take(9).collect();
    shop.chats().share(id, session);
    shop.chats().add(id, From::Note, "The customer shares the page.");
    StatusCode::NO_CONTENT
}

/// `POST /chat/end`: the customer has enough.
pub(in crate::demo) async fn stop(State(shop): State<Shop>, Posted { visit, .. }: Posted) -> Redirect {
    if let Some(id) = visit.chat {
        shop.chats().end(id).await;
    }
    shop.visits().change(&visit.id, |visit| visit.chat = None);
    Redirect::to("/help")
}

/// The panel, where this visit has a chat.
pub(in crate::demo) fn panel(visit: &Visit) -> String {
    let Some(id) = visit.chat else { return String::new() };
    let (name, csrf) = (super::name(id), &visit.csrf);
    format!(
        r#"<aside class="chat" data-chat="{name}" data-csrf="{csrf}" aria-label="Chat with the shop">
  <div class="chat-head"><h2>Chat</h2><form method="post" action="/chat/end"><input type="hidden" name="csrf" value="{csrf}"><button class="plain" type="submit">End chat</button></form></div>
  <ol class="chat-messages" role="log" aria-label="Messages" tabindex="0"></ol>
  <form class="chat-say"><label class="sr" for="chat-text">Your message</label><input id="chat-text" name="text" maxlength="1000" autocomplete="off" placeholder="Write a message"><button type="submit">Send</button></form>
</aside>
<script type="module" src="/assets/chat.js"></script>"#
    )
}
