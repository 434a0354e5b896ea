//! The demo shop, Fern & Kettle: a small tea shop for `tandem demo` to put behind the proxy, with the things
//! that make sharing a page interesting (logins, secrets, forms, scripts, live updates, dialogs).
//!
//! It is only a site: it knows nothing of Tandem, but for its chat, which leads to co-browsing as a contact centre's does. Everything it remembers is in memory and bounded, and its
//! log of requests tells a test what really reached a site.

mod assets;
mod chat;
mod goods;
mod html;
mod layout;
mod log;
mod money;
mod orders;
mod pages;
mod visits;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::sync::Semaphore;

pub use chat::Contact;
pub use log::Request;

use chat::Chats;
use log::Log;
use pages::{account, app, basket, catalogue, checkout, home, login, reading};
use visits::Visits;

/// One running shop: its visits, their baskets and orders, and the log of what reached it.
///
/// Clones are handles of the same shop. A visit (a browser's cookie) has its own copy of the demo customer
/// Ada, so that what one browser changes, another never sees.
#[derive(Clone)]
pub struct Shop(Arc<State>);

/// What all handles of a shop share.
struct State {
    visits: Visits,
    log: Log,
    chats: Chats,
    last_order: AtomicU32,
    live: Arc<Semaphore>,
}

impl Shop {
    /// Opens a shop that nobody has visited yet.
    pub fn new() -> Shop {
        Shop(Arc::new(State {
            visits: Visits::default(),
            log: Log::default(),
            chats: Chats::default(),
            last_order: AtomicU32::new(FIRST_ORDER),
            live: Arc::new(Semaphore::new(MAX_LIVE_STREAMS)),
        }))
    }

    /// All of the shop's pages, for `axum::serve`.
    ///
    /// `GET /__log` answers loopback peers only, and learns the peer from axum's `ConnectInfo`: serve this with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, or that one address answers 403.
    pub fn router(&self) -> Router {
        let pages = Router::new()
            .route("/", get(home::show))
            .route("/login", get(login::show).post(login::submit))
            .route("/logout", get(login::leave).post(login::leave_by_form))
            .route("/catalogue", get(catalogue::list))
            .route("/catalogue/{slug}", get(catalogue::product))
            .route("/account", get(account::show))
            .route("/account/orders", get(account::list))
            .route("/account/profile", post(account::save_profile))
            .route("/account/password", post(account::change_password))
            .route("/basket", get(basket::show))
            .route("/basket/add", post(basket::add))
            .route("/basket/remove", post(basket::remove))
            .route("/checkout", get(checkout::show).post(checkout::place))
            .route("/checkout/thanks/{order}", get(checkout::thanks))
            .route("/newsletter", post(reading::subscribe))
            .route("/app", get(app::to_shell))
            .route("/app/", get(app::shell))
            .route("/app/{*view}", get(app::shell))
            .route("/story", get(reading::story))
            .route("/story/tasting", post(reading::book_tasting))
            .route("/help", get(reading::help))
            .route("/chat", post(chat::open))
            .route("/chat/messages", get(chat::messages))
            .route("/chat/say", post(chat::say))
            .route("/chat/share", post(chat::share))
            .route("/chat/end", post(chat::stop))
            .fallback(reading::not_found)
            .layer(from_fn_with_state(self.clone(), visits::accompany));
        let data = Router::new()
            .route("/story/map", get(reading::map))
            .route("/api/orders", get(app::orders))
            .route("/api/orders/{number}", get(app::order))
            .route("/api/live", get(app::live))
            .route("/members/images/{name}", get(assets::members_image))
            .route("/assets/{name}", get(assets::public))
            .route("/favicon.ico", get(assets::icon));
        pages
            .merge(data)
            .layer(from_fn(html::protect))
            .layer(from_fn_with_state(self.clone(), log::record))
            .route("/__log", get(log::show))
            .with_state(self.clone())
    }

    /// The last requests that reached the shop, oldest first (at most 10,000, and 16 MiB of text).
    pub fn log(&self) -> Vec<Request> {
        self.0.log.since(0)
    }

    /// The desk of the agents who answer the shop's chats, for a listener of its own.
    pub fn desk(&self, contact: Contact) -> Router {
        self.0.chats.connect(contact);
        chat::router(self.0.chats.clone())
    }

    fn chats(&self) -> &Chats {
        &self.0.chats
    }

    fn visits(&self) -> &Visits {
        &self.0.visits
    }

    /// An order number that this shop has not given yet.
    fn next_order(&self) -> u32 {
        self.0.last_order.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Default for Shop {
    fn default() -> Shop {
        Shop::new()
    }
}

/// Above the numbers of the orders that the demo customer already has.
const FIRST_ORDER: u32 = 20_480;

/// Open `/api/live` streams at a time; further ones are told to come back later.
const MAX_LIVE_STREAMS: usize = 256;
