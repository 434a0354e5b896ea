//! The checkout: address, shipping, card, and an order that is really placed.
//!
//! The card's number is looked at and dropped: an order keeps its last four digits.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::demo::Shop;
use crate::demo::html::{esc, flag};
use crate::demo::layout::{Page, csrf};
use crate::demo::log::Form;
use crate::demo::orders::{self, Basket, Order, Progress, Shipping};
use crate::demo::pages::reading;
use crate::demo::visits::{Posted, Visit};

pub(in crate::demo) async fn show(visit: Visit) -> Response {
    form(&visit, StatusCode::OK, &Form::default(), "")
}

pub(in crate::demo) async fn place(
    State(shop): State<Shop>,
    Posted { visit, form: sent }: Posted,
) -> Response {
    let card: String = sent.text("card-number").chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if ["name", "street", "city", "postcode"].into_iter().any(|field| sent.text(field).is_empty()) {
        return form(&visit, StatusCode::UNPROCESSABLE_ENTITY, &sent, "Please tell us where to send it.");
    }
    if !(12..=19).contains(&card.len()) || !card.bytes().all(|byte| byte.is_ascii_digit()) {
        return form(&visit, StatusCode::UNPROCESSABLE_ENTITY, &sent, "Please check the card number.");
    }
    let number = shop.next_order();
    shop.visits().change(&visit.id, |visit| {
        let lines = std::mem::take(&mut visit.basket).lines().to_vec();
        visit.orders.insert(0, order(number, lines, &sent, &card));
        visit.orders.truncate(MAX_ORDERS);
    });
    Redirect::to(&format!("/checkout/thanks/{number}")).into_response()
}

fn order(number: u32, lines: Vec<orders::Line>, sent: &Form, card: &str) -> Order {
    let parts = ["name", "street", "city", "postcode", "country"].map(|field| sent.text(field));
    let deliver_to = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    Order {
        number,
        placed: orders::today(),
        progress: Progress::Placed,
        lines,
        shipping: Shipping::chosen(sent.text("shipping")),
        gift: sent.ticked("gift"),
        deliver_to: deliver_to.chars().take(MAX_ADDRESS).collect(),
        card_ending: card[card.len() - 4..].to_owned(),
    }
}

pub(in crate::demo) async fn thanks(visit: Visit, Path(number): Path<String>) -> Response {
    let number = number.parse::<u32>().ok();
    let Some(order) = visit.orders.iter().find(|order| Some(order.number) == number) else {
        return reading::missing(&visit);
    };
    let Order { number, deliver_to, card_ending, shipping, .. } = order;
    let lines: String = order
        .lines
        .iter()
        .map(|line| format!("<li>{} × {}</li>", line.quantity, line.product.name))
        .chain(["<li>1 × Tasting sampler, with our thanks</li>".to_owned()])
        .collect();
    let (deliver_to, shipping, total) = (esc(deliver_to), shipping.title(), order.total());
    let gift = if order.gift { "<p>We wrap it as a gift and leave the prices out.</p>" } else { "" };
    let body = format!(
        r#"<section class="wrap medium block thanks">
  <svg class="tick-mark" viewBox="0 0 64 64" width="64" height="64" aria-hidden="true"><circle cx="32" cy="32" r="30"/><path d="M20 33l8 8 16-18"/></svg>
  <h1>Thank you, the kettle is on</h1>
  <p class="lead">Order <strong id="order-number">{number}</strong> is placed. It leaves Harbor Street tomorrow.</p>
  <div class="card stack">
    <ul class="plain-list">{lines}</ul>
    {gift}
    <dl class="facts wide"><div><dt>Goes to</dt><dd>{deliver_to}</dd></div><div><dt>Shipping</dt><dd>{shipping}</dd></div><div><dt>Paid by card ending</dt><dd>{card_ending}</dd></div><div><dt>Total</dt><dd>{total}</dd></div></dl>
  </div>
  <p class="actions"><a class="button" href="/app/orders/{number}">Follow your order</a> <a class="button quiet" href="/catalogue">Back to the teas</a></p>
</section>"#
    );
    Page { title: "Thank you", visit: &visit, body }.respond()
}

fn form(visit: &Visit, status: StatusCode, sent: &Form, error: &str) -> Response {
    let error = match error {
        "" => String::new(),
        error => format!(r#"<p class="error" role="alert">{error}</p>"#),
    };
    // What was sent comes back into the fields, except the card's; before that, what the account knows.
    let fresh = status == StatusCode::OK;
    let known = |field: &str, account: &str| -> String {
        let text = match (fresh, visit.logged_in) {
            (false, _) => sent.text(field),
            (true, true) => account,
            (true, false) => "",
        };
        esc(text).to_string()
    };
    let account = &visit.account;
    let name = known("name", &account.name);
    let email = known("email", &account.email);
    let street = known("street", &account.street);
    let city = known("city", &account.city);
    let postcode = known("postcode", &account.postcode);
    let message = known("gift-message", "");
    let gift = flag("checked", sent.ticked("gift"));
    let chosen_country = if fresh { "US" } else { sent.text("country") };
    let countries: String = COUNTRIES
        .into_iter()
        .map(|(code, country)| {
            format!(
                r#"<option value="{code}" {}>{country}</option>"#,
                flag("selected", code == chosen_country)
            )
        })
        .collect();
    let chosen = Shipping::chosen(sent.text("shipping"));
    let ways: String = Shipping::ALL
        .into_iter()
        .map(|way| {
            let (slug, title, price, on) = (way.slug(), way.title(), way.price(), flag("checked", way == chosen));
            format!(
                r#"<label class="choice"><input type="radio" name="shipping" value="{slug}" {on}><span>{title}</span><strong>{price}</strong></label>"#
            )
        })
        .collect();
    let (csrf, summary) = (csrf(visit), summary(&visit.basket, chosen));
    let body = format!(
        r#"<section class="wrap block">
  <h1>Checkout</h1>
  {error}
  <div class="checkout">
    <form id="checkout" class="stack" method="post" action="/checkout">
      {csrf}
      <fieldset class="card stack"><legend>Where should it go?</legend>
        <label>Full name <input name="name" value="{name}" autocomplete="name" required></label>
        <label>Email <input type="email" name="email" value="{email}" autocomplete="email"></label>
        <label>Street and number <input name="street" value="{street}" autocomplete="address-line1" required></label>
        <div class="row">
          <label>City <input name="city" value="{city}" autocomplete="address-level2" required></label>
          <label>Postcode <input name="postcode" value="{postcode}" autocomplete="postal-code" required></label>
        </div>
        <label>Country <select name="country" autocomplete="country">{countries}</select></label>
      </fieldset>
      <fieldset class="card stack"><legend>How should it travel?</legend>
        {ways}
        <label class="tick"><input type="checkbox" name="gift" value="yes" {gift}> It is a gift: wrap it and leave the prices out</label>
        <label>A few words to go with it <textarea name="gift-message" rows="2" maxlength="300">{message}</textarea></label>
      </fieldset>
      <fieldset class="card stack"><legend>How would you like to pay?</legend>
        <label>Card number <input id="card-number" name="card-number" autocomplete="cc-number" inputmode="numeric" placeholder="4242 4242 4242 4242" maxlength="23" required></label>
        <div class="row">
          <label>Expires <input name="card-expiry" autocomplete="cc-exp" inputmode="numeric" placeholder="MM / YY" maxlength="7"></label>
          <label>Security code <input id="card-code" name="card-code" autocomplete="cc-csc" inputmode="numeric" placeholder="3 digits" maxlength="4"></label>
        </div>
        <label>One-time code <input id="one-time-code" name="one-time-code" autocomplete="one-time-code" inputmode="numeric" maxlength="8" aria-describedby="otc-hint"></label>
        <p class="small" id="otc-hint">Only if your bank sent you one.</p>
      </fieldset>
      <p class="actions end"><a class="button quiet" href="/basket">Back to basket</a> <button class="button" type="submit">Place order</button></p>
    </form>
    <aside class="card summary" aria-label="Your order">{summary}</aside>
  </div>
</section>"#
    );
    Page { title: "Checkout", visit, body }.respond_as(status, None)
}

fn summary(basket: &Basket, shipping: Shipping) -> String {
    let lines: String = basket
        .lines()
        .iter()
        .map(|line| {
            format!("<div><dt>{} × {}</dt><dd>{}</dd></div>", line.quantity, line.product.name, line.total())
        })
        .collect();
    let total = [basket.total(), shipping.price()].into_iter().sum::<crate::demo::money::Cents>();
    format!(
        r#"<h2>Your order</h2><dl>{lines}<div><dt>1 × Tasting sampler</dt><dd>free</dd></div><div><dt>Shipping</dt><dd>{}</dd></div><div class="total"><dt>Total</dt><dd>{total}</dd></div></dl><p class="small">Every order travels with a small sampler, even an empty one. Cards are not charged: this is a demonstration.</p>"#,
        shipping.price()
    )
}

const COUNTRIES: [(&str, &str); 6] = [
    ("US", "United States"),
    ("CA", "Canada"),
    ("GB", "United Kingdom"),
    ("IE", "Ireland"),
    ("DE", "Germany"),
    ("JP", "Japan"),
];

/// Orders that a visit keeps; the oldest is forgotten.
const MAX_ORDERS: usize = 50;

/// Characters of an address on a label.
const MAX_ADDRESS: usize = 400;
