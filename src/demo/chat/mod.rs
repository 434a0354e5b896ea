//! The shop's chat, as a contact centre has one: a customer writes on the shop's pages, an agent at a desk of its own,
//! and co-browsing begins and ends with the chat.
//!
//! It is the worked example of `docs/integrating.md`: all it knows of Tandem is `window.Tandem` in the customer's page
//! and the API with a key that only this server has. Chats are in memory and bounded.

mod contact;
mod customer;
mod desk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;

pub use contact::Contact;

pub(super) use customer::{messages, open, panel, say, share, stop};
pub(super) use desk::router;

/// Chats at a time; the oldest makes room.
const MOST: usize = 200;
/// Messages of one chat, and characters of one of them.
const MESSAGES: usize = 300;
const LENGTH: usize = 1_000;

/// All chats, and the way to the co-browsing server.
#[derive(Clone, Default)]
pub(super) struct Chats {
    all: Arc<Mutex<BTreeMap<u32, Chat>>>,
    contact: Arc<OnceLock<Contact>>,
}

/// One chat.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    messages: Vec<Message>,
    /// Of the session that the customer has started from it.
    session_id: Option<String>,
    over: bool,
}

/// What somebody says, or what happens.
#[derive(Debug, Clone, Serialize)]
struct Message {
    from: From,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum From {
    Customer,
    Agent,
    /// The agent asks to look at the page together: the customer gets a button.
    Offer,
    /// Nobody says it.
    Note,
}

impl Chats {
    /// From now on chats can lead to co-browsing.
    pub(super) fn connect(&self, contact: Contact) {
        let _ = self.contact.set(contact);
    }

    fn begin(&self) -> u32 {
        let mut all = self.lock();
        let id = all.last_key_value().map_or(1, |(id, _)| id + 1);
        if all.len() >= MOST {
            all.pop_first();
        }
        all.insert(id, Chat::default());
        id
    }

    fn get(&self, id: u32) -> Option<Chat> {
        self.lock().get(&id).cloned()
    }

    /// Adds a message to a chat that goes on. False: there is none.
    fn add(&self, id: u32, from: From, text: &str) -> bool {
        let text: String = text.trim().chars().take(LENGTH).collect();
        let mut all = self.lock();
        match all.get_mut(&id) {
            Some(chat) if !chat.over && chat.messages.len() < MESSAGES && !text.is_empty() => {
                chat.messages.push(Message { from, text });
                true
            }
            _ => false,
        }
    }

    fn share(&self, id: u32, session_id: String) {
        if let Some(chat) = self.lock().get_mut(&id) {
            chat.session_id = Some(session_id);
        }
    }

    /// Ends a chat, and with it its co-browsing.
    async fn end(&self, id: u32) {
        if !self.add(id, From::Note, "The chat has ended.") {
            return;
        }
        if let Some(chat) = self.lock().get_mut(&id) {
            chat.over = true;
        }
        if let Some(contact) = self.contact.get()
            && let Err(error) = contact.end(&name(id)).await
        {
            tracing::warn!(%error, "co-browsing could not be ended with its chat");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Chat>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the chat is called elsewhere: the `interactionId`.
fn name(id: u32) -> String {
    format!("chat-{id}")
}
