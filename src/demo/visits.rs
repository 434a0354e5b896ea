//! Who is in the shop: one visit for each browser, known by a cookie, with its basket, account and orders.
//!
//! A visit's cookie changes whenever it logs in or out, so a cookie planted before is worth nothing after. When
//! the shop is full, the visit that was idle longest is forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::Shop;
use super::log::Form;
use super::orders::{self, Basket, Order};
use super::pages::reading;

/// A browser's visit, as it was when its request came.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) id: String,
    /// What every form of this visit must send back.
    pub(super) csrf: String,
    pub(super) logged_in: bool,
    pub(super) account: Account,
    pub(super) basket: Basket,
    /// Newest first.
    pub(super) orders: Vec<Order>,
    /// Shown once, on the next page.
    pub(super) notice: Option<String>,
    /// The number of the chat with the shop.
    pub(super) chat: Option<u32>,
    used: u64,
}

/// What the shop knows of its customer.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) street: String,
    pub(super) city: String,
    pub(super) postcode: String,
    pub(super) birthday: String,
    pub(super) interests: Vec<String>,
    pub(super) contact: String,
    pub(super) wishes: String,
    pub(super) note: String,
}

impl Account {
    fn ada() -> Account {
        Account {
            name: "Ada Byron".into(),
            email: DEMO_EMAIL.into(),
            password: DEMO_PASSWORD.into(),
            street: "12 Analytical Lane".into(),
            city: "Portland".into(),
            postcode: "04101".into(),
            birthday: "1985-12-10".into(),
            interests: vec!["green".into(), "teaware".into()],
            contact: "email".into(),
            wishes: "Please leave parcels with the neighbor at number 14.".into(),
            note: "Try the new Darjeeling before the guests come.".into(),
        }
    }
}

/// All visits.
#[derive(Default)]
pub(super) struct Visits(Mutex<Known>);

#[derive(Default)]
struct Known {
    visits: HashMap<String, Visit>,
    clock: u64,
}

impl Visits {
    /// The visit of a request's cookie, if there is one.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<Visit> {
        let id = cookie(headers)?;
        let mut known = self.known();
        known.clock += 1;
        let now = known.clock;
        let visit = known.visits.get_mut(id)?;
        visit.used = now;
        Some(visit.clone())
    }

    /// The visit of a request's cookie if it is logged in.
    pub(super) fn logged_in(&self, headers: &HeaderMap) -> Option<Visit> {
        self.of(headers).filter(|visit| visit.logged_in)
    }

    /// Changes a visit; one that was forgotten meanwhile stays forgotten.
    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut Visit)) {
        if let Some(visit) = self.known().visits.get_mut(id) {
            change(visit);
        }
    }

    /// Says something on the visit's next page.
    pub(super) fn tell(&self, id: &str, notice: impl Into<String>) {
        let notice = notice.into();
        self.change(id, |visit| visit.notice = Some(notice));
    }

    /// Logs a visit in or out under a new cookie, which is returned as a `Set-Cookie` value.
    pub(super) fn renew(&self, visit: &Visit, logged_in: bool) -> HeaderValue {
        let mut known = self.known();
        let mut renewed = known.visits.remove(&visit.id).unwrap_or_else(|| visit.clone());
        renewed.id = token();
        renewed.csrf = token();
        renewed.logged_in = logged_in;
        let header = set_cookie(&renewed.id);
        known.insert(renewed);
        header
    }

    fn begin(&self) -> Visit {
        let visit = Visit {
            id: token(),
            csrf: token(),
            logged_in: false,
            account: Account::ada(),
            basket: Basket::default(),
            orders: orders::earlier(),
            notice: None,
            chat: None,
            used: 0,
        };
        self.known().insert(visit.clone());
        visit
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn insert(&mut self, mut visit: Visit) {
        self.clock += 1;
        visit.used = self.clock;
        if self.visits.len() >= MAX_VISITS {
            let idle = self.visits.values().min_by_key(|visit| visit.used).map(|visit| visit.id.clone());
            idle.and_then(|id| self.visits.remove(&id));
        }
        self.visits.insert(visit.id.clone(), visit);
    }
}

/// Finds the visit of a page's request, or begins one, for the handlers to take.
pub(super) async fn accompany(State(shop): State<Shop>, mut request: Request, next: Next) -> Response {
    let known = shop.visits().of(request.headers());
    let new_cookie = known.is_none();
    let visit = known.unwrap_or_else(|| shop.visits().begin());
    if request.method() == Method::GET && visit.notice.is_some() {
        shop.visits().change(&visit.id, |visit| visit.notice = None);
    }
    let cookie = set_cookie(&visit.id);
    request.extensions_mut().insert(visit);
    let mut response = next.run(request).await;
    if new_cookie && !response.headers().contains_key(SET_COOKIE) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

impl FromRequestParts<Shop> for Visit {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &Shop) -> Result<Visit, StatusCode> {
        parts.extensions.get().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A form that this visit's own page posted: who holds one has had its token checked.
pub(super) struct Posted {
    pub(super) visit: Visit,
    pub(super) form: Form,
}

impl FromRequestParts<Shop> for Posted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Posted, Response> {
        let visit = Visit::from_request_parts(parts, shop).await.map_err(IntoResponse::into_response)?;
        let form = parts.extensions.get::<Form>().cloned().unwrap_or_default();
        if form.text("csrf").as_bytes().ct_eq(visit.csrf.as_bytes()).into() {
            Ok(Posted { visit, form })
        } else {
            Err(reading::refused(&visit))
        }
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|pairs| pairs.split(';')).find_map(|pair| pair.trim().strip_prefix("kettle="))
}

fn set_cookie(id: &str) -> HeaderValue {
    HeaderValue::try_from(format!("kettle={id}; Path=/; HttpOnly; SameSite=Lax"))
        .expect("a token is hexadecimal digits")
}

/// 128 bits that nobody can guess.
fn token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The demo customer's login, which the login page shows.
pub(super) const DEMO_EMAIL: &str = "ada@example.test";
pub(super) const DEMO_PASSWORD: &str = "lovelace";

/// Visits at a time; the one that was idle longest makes room.
const MAX_VISITS: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_shop_forgets_who_was_idle_longest() {
        let visits = Visits::default();
        let headers = |visit: &Visit| HeaderMap::from_iter([(COOKIE, set_cookie(&visit.id))]);
        let (first, second) = (visits.begin(), visits.begin());
        assert!(visits.of(&headers(&first)).is_some());
        for _ in 0..MAX_VISITS - 1 {
            visits.begin();
        }
        assert_eq!(visits.known().visits.len(), MAX_VISITS);
        assert!(visits.of(&headers(&second)).is_none(), "the second was idle longest");
        assert!(visits.of(&headers(&first)).is_some());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers =
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("a=b; kettle=00ff; xkettle=1"))]);
        assert_eq!(cookie(&headers), Some("00ff"));
        assert_eq!(cookie(&HeaderMap::new()), None);
    }
}
