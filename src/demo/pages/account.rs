//! The customer's account: what is known of them, what they own, and the forms that change it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq;

use crate::demo::Shop;
use crate::demo::goods::Kind;
use crate::demo::html::{esc, flag};
use crate::demo::layout::{Page, csrf};
use crate::demo::pages::login;
use crate::demo::visits::{Account, Posted, Visit};

pub(in crate::demo) async fn show(visit: Visit) -> Response {
    if !visit.logged_in {
        return login::first("/account");
    }
    render(&visit, "")
}

pub(in crate::demo) async fn save_profile(
    State(shop): State<Shop>,
    Posted { visit, form }: Posted,
) -> Response {
    if !visit.logged_in {
        return login::first("/account");
    }
    let text = |field: &str| form.text(field).chars().take(MAX_TEXT).collect::<String>();
    let interests = form.all("interests").filter_map(Kind::from_slug).map(|kind| kind.slug().to_owned());
    let changed = Account {
        name: text("name"),
        street: text("street"),
        city: text("city"),
        postcode: text("postcode"),
        birthday: text("birthday"),
        interests: interests.take(Kind::ALL.len()).collect(),
        contact: text("contact"),
        wishes: text("wishes"),
        note: text("note"),
        ..visit.account
    };
    shop.visits().change(&visit.id, |visit| visit.account = changed);
    shop.visits().tell(&visit.id, "Your profile is saved.");
    Redirect::to("/account").into_response()
}

pub(in crate::demo) async fn change_password(
    State(shop): State<Shop>,
    Posted { visit, form }: Posted,
) -> Response {
    if !visit.logged_in {
        return login::first("/account");
    }
    let typed = |field| form.first(field).unwrap_or_default();
    let (current, new) = (typed("current-password"), typed("new-password"));
    if !bool::from(current.as_bytes().ct_eq(visit.account.password.as_bytes())) {
        return render(&visit, "That is not your current password.");
    }
    if !(8..=MAX_TEXT).contains(&new.chars().count()) {
        return render(&visit, "A new password needs at least eight characters.");
    }
    shop.visits().change(&visit.id, |visit| visit.account.password = new.to_owned());
    shop.visits().tell(&visit.id, "Your password is changed.");
    Redirect::to("/account").into_response()
}

/// The orders as a file; nothing in its address tells.
pub(in crate::demo) async fn list(visit: Visit) -> Response {
    if !visit.logged_in {
        return login::first("/account");
    }
    let row = |order: &crate::demo::orders::Order| {
        format!("{},{},{}\r\n", order.number, order.placed, order.progress.title())
    };
    let rows: String = visit.orders.iter().map(row).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, format!("Order,Placed,Progress\r\n{rows}")).into_response()
}

fn render(visit: &Visit, error: &str) -> Response {
    let (status, error) = match error {
        "" => (StatusCode::OK, String::new()),
        error => {
            let shown = format!(r#"<p class="error" role="alert">{error}</p>"#);
            (StatusCode::UNPROCESSABLE_ENTITY, shown)
        }
    };
    let (profile, orders, csrf) = (profile(visit), orders(visit), csrf(visit));
    let account = &visit.account;
    let (name, email) = (esc(&account.name), esc(&account.email));
    let (street, city, postcode) = (esc(&account.street), esc(&account.city), esc(&account.postcode));
    let body = format!(
        r#"<section class="wrap block account">
  <p class="eyebrow">Your account</p>
  <h1>Good to see you, {name}</h1>
  <div class="cards">
    <section class="card"><h2>You</h2>
      <dl class="facts wide">
        <div><dt>Email</dt><dd id="email">{email}</dd></div>
        <div><dt>Address</dt><dd>{street}<br>{city}, ME {postcode}</dd></div>
        <div><dt>Social security number</dt><dd><span id="ssn">{SSN}</span><br><span class="small">for the interest statement that we must file</span></dd></div>
      </dl>
    </section>
    <section class="card credit"><h2>Store credit</h2>
      <p class="balance">{BALANCE}</p>
      <p class="small">3.1 % interest, paid in tea or in dollars.</p>
      <svg class="spark" viewBox="0 0 240 60" role="img" aria-label="Store credit over the last year, rising"><path d="M0 50 L20 46 L40 48 L60 39 L80 41 L100 33 L120 36 L140 27 L160 24 L180 26 L200 15 L220 17 L240 6"/></svg>
    </section>
  </div>
  <section class="card"><h2>Your orders</h2><div class="scroll-x"><table class="table"><thead><tr><th scope="col">Order</th><th scope="col">Placed</th><th scope="col">Progress</th><th scope="col" class="number">Total</th></tr></thead><tbody>{orders}</tbody></table></div><p class="small"><a id="list" href="/account/orders">Download the list</a></p></section>
  {error}
  <div class="cards">
    {profile}
    <form class="card stack" method="post" action="/account/password" aria-labelledby="password-title">
      <h2 id="password-title">Change password</h2>
      {csrf}
      <label>Current password <input type="password" name="current-password" autocomplete="current-password" required></label>
      <label>New password <input type="password" id="new-password" name="new-password" autocomplete="new-password" minlength="8" required></label>
      <label class="tick"><input type="checkbox" data-reveals="new-password"> Show password</label>
      <button class="button" type="submit">Change password</button>
    </form>
  </div>
</section>"#
    );
    let mut response = Page { title: "Your account", visit, body }.respond_as(status, None);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

fn orders(visit: &Visit) -> String {
    let row = |order: &crate::demo::orders::Order| {
        format!(
            r#"<tr><td><a href="/app/orders/{number}">{number}</a></td><td>{placed}</td><td><span class="chip">{progress}</span></td><td class="number">{total}</td></tr>"#,
            number = order.number,
            placed = order.placed,
            progress = order.progress.title(),
            total = order.total()
        )
    };
    visit.orders.iter().map(row).collect()
}

fn profile(visit: &Visit) -> String {
    let Account { name, street, city, postcode, birthday, interests, contact, wishes, note, .. } =
        &visit.account;
    let (name, street, city, postcode) = (esc(name), esc(street), esc(city), esc(postcode));
    let (birthday, wishes, note) = (esc(birthday), esc(wishes), esc(note));
    let kinds: String = Kind::ALL
        .into_iter()
        .map(|kind| {
            let on = flag("selected", interests.iter().any(|slug| slug == kind.slug()));
            format!(r#"<option value="{}" {on}>{}</option>"#, kind.slug(), kind.title())
        })
        .collect();
    let ways: String = [("email", "Email"), ("phone", "Phone"), ("letter", "A letter")]
        .into_iter()
        .map(|(way, title)| {
            let on = flag("checked", contact == way);
            format!(r#"<label class="tick"><input type="radio" name="contact" value="{way}" {on}> {title}</label>"#)
        })
        .collect();
    let csrf = csrf(visit);
    format!(
        r#"<form class="card stack" id="profile" method="post" action="/account/profile" aria-labelledby="profile-title">
  <h2 id="profile-title">Your profile</h2>
  {csrf}
  <label>Full name <input name="name" value="{name}" autocomplete="name" required></label>
  <label>Street and number <input name="street" value="{street}" autocomplete="address-line1"></label>
  <div class="row">
    <label>City <input name="city" value="{city}" autocomplete="address-level2"></label>
    <label>Postcode <input name="postcode" value="{postcode}" autocomplete="postal-code"></label>
  </div>
  <label>Birthday <input type="date" name="birthday" value="{birthday}"></label>
  <label>What do you like? <select name="interests" multiple size="4">{kinds}</select></label>
  <fieldset class="inline"><legend>How may we reach you?</legend>{ways}</fieldset>
  <label>Wishes for every parcel <textarea name="wishes" rows="3">{wishes}</textarea></label>
  <div><span id="note-label" class="label">A note to yourself</span>
    <div id="note" class="note" contenteditable="true" role="textbox" aria-multiline="true" aria-labelledby="note-label" data-field="note">{note}</div>
    <input type="hidden" name="note" value="{note}"></div>
  <button class="button" type="submit">Save profile</button>
</form>"#
    )
}

/// An example number: area 900 and above is never given out.
const SSN: &str = "987-65-4320";

const BALANCE: &str = "$1,284.07";

/// Characters of one field of a profile.
const MAX_TEXT: usize = 500;
