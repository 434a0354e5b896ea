//! The tea desk: a page that its script draws, the data behind it, and its live updates.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::stream;
use serde_json::{Value, json};

use crate::demo::Shop;
use crate::demo::layout::Page;
use crate::demo::orders::Order;
use crate::demo::visits::Visit;

pub(in crate::demo) async fn to_shell() -> Redirect {
    Redirect::permanent("/app/")
}

/// The same page for every address below `/app/`: the script reads the address.
pub(in crate::demo) async fn shell(visit: Visit) -> Response {
    let body = r#"<section class="wrap block desk">
  <p class="eyebrow">Tea desk</p>
  <nav class="tabs" aria-label="Tea desk"><a href="/app/">Overview</a><a href="/app/orders">Orders</a><a href="/app/live">Live</a></nav>
  <div id="desk" aria-live="polite"><p class="small">One moment…</p></div>
  <noscript><p class="card">The tea desk is drawn by a script, which your browser does not run. Your orders are in <a href="/account">your account</a>, too.</p></noscript>
</section>"#;
    Page { title: "Tea desk", visit: &visit, body: body.to_owned() }
        .respond_as(StatusCode::OK, Some("desk.js"))
}

/// `GET /api/orders`
pub(in crate::demo) async fn orders(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let Some(visit) = shop.visits().logged_in(&headers) else { return stranger() };
    let orders: Vec<Value> = visit.orders.iter().map(Order::summary).collect();
    answer(StatusCode::OK, json!({ "customer": visit.account.name, "orders": orders }))
}

/// `GET /api/orders/{number}`
pub(in crate::demo) async fn order(
    State(shop): State<Shop>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = shop.visits().logged_in(&headers) else { return stranger() };
    let number = number.parse::<u32>().ok();
    match visit.orders.iter().find(|order| Some(order.number) == number) {
        Some(order) => answer(StatusCode::OK, order.detail()),
        None => answer(StatusCode::NOT_FOUND, json!({ "error": "You have no order with that number." })),
    }
}

/// `GET /api/live`: the auction's prices and a parcel's way, four times a second for as long as somebody looks.
pub(in crate::demo) async fn live(State(shop): State<Shop>) -> Response {
    let Ok(seat) = shop.0.live.clone().try_acquire_owned() else {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "error": "Too many are watching just now." }),
        );
    };
    let ticker = tokio::time::interval(BEAT);
    // The seat travels with the stream and is free again when the browser goes.
    let beats =
        stream::unfold((ticker, Auction::new(), seat), |(mut ticker, mut auction, seat)| async move {
            ticker.tick().await;
            let event = Event::default().event("beat").data(auction.beat().to_string());
            Some((Ok::<_, Infallible>(event), (ticker, auction, seat)))
        });
    ([(CACHE_CONTROL, "no-store")], Sse::new(beats).keep_alive(KeepAlive::default())).into_response()
}

/// A small auction and a parcel on its way, one step at a time.
struct Auction {
    beats: u32,
    prices: [i64; GARDENS.len()],
}

impl Auction {
    fn new() -> Auction {
        Auction { beats: 0, prices: GARDENS.map(|(_, price)| price) }
    }

    fn beat(&mut self) -> Value {
        self.beats = self.beats.wrapping_add(1);
        let lots: Vec<Value> = GARDENS
            .iter()
            .zip(&mut self.prices)
            .map(|(&(garden, opening), price)| {
                // Wanders, and is drawn back to its opening price the further it gets.
                let pull = (opening - *price) / 8;
                let change = rand::random_range(-35..=35) + pull;
                *price += change;
                json!({ "garden": garden, "cents": *price, "change": change })
            })
            .collect();
        let way = self.beats % JOURNEY;
        let (stop, _) = STOPS.iter().rev().find(|(_, from)| way >= *from).unwrap_or(&STOPS[0]);
        json!({
            "beat": self.beats,
            "lots": lots,
            "parcel": { "done": f64::from(way) / f64::from(JOURNEY), "stop": stop, "minutes": (JOURNEY - way) / 8 },
        })
    }
}

fn stranger() -> Response {
    answer(StatusCode::UNAUTHORIZED, json!({ "error": "Please log in." }))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, [(CACHE_CONTROL, "private, no-store")], Json(body)).into_response()
}

/// Fast enough to look alive.
const BEAT: Duration = Duration::from_millis(250);

/// Beats from the shop to the door.
const JOURNEY: u32 = 480;

/// Opening prices in cents a kilogram.
const GARDENS: [(&str, i64); 4] =
    [("Teesta Valley", 48_20), ("Misty Ridge", 61_75), ("Wuyi Cliffs", 73_40), ("Cederberg", 22_90)];

const STOPS: [(&str, u32); 5] = [
    ("Packed on Harbor Street", 0),
    ("Crossing the Casco Bay Bridge", 70),
    ("At the sorting depot", 190),
    ("In your neighborhood", 330),
    ("Turning into your street", 440),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_move_and_stay_near_their_opening() {
        let mut auction = Auction::new();
        for _ in 0..5_000 {
            auction.beat();
        }
        assert_ne!(auction.prices, GARDENS.map(|(_, price)| price));
        for (price, (_, opening)) in auction.prices.iter().zip(GARDENS) {
            assert!((price - opening).abs() < 1_500, "{price} is far from {opening}");
        }
    }
}
