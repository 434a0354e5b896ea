//! Logging in and out.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::demo::Shop;
use crate::demo::html::esc;
use crate::demo::layout::{Page, csrf};
use crate::demo::visits::{DEMO_EMAIL, DEMO_PASSWORD, Posted, Visit};

/// Where to go after the login.
#[derive(Deserialize)]
pub(in crate::demo) struct Next {
    #[serde(default)]
    next: String,
}

pub(in crate::demo) async fn show(visit: Visit, Query(Next { next }): Query<Next>) -> Response {
    if visit.logged_in {
        return Redirect::to(within_shop(&next)).into_response();
    }
    form(&visit, StatusCode::OK, "", &next)
}

pub(in crate::demo) async fn submit(
    State(shop): State<Shop>,
    Posted { visit, form: sent }: Posted,
) -> Response {
    let (email, next) = (sent.text("email"), sent.text("next"));
    let password = sent.first("password").unwrap_or_default();
    let right_password = password.as_bytes().ct_eq(visit.account.password.as_bytes());
    if !email.eq_ignore_ascii_case(&visit.account.email) || !bool::from(right_password) {
        return form(&visit, StatusCode::UNAUTHORIZED, email, next);
    }
    let cookie = shop.visits().renew(&visit, true);
    ([(SET_COOKIE, cookie)], Redirect::to(within_shop(next))).into_response()
}

/// `GET /logout`: an ordinary link logs out as well, as it does on many sites.
pub(in crate::demo) async fn leave(State(shop): State<Shop>, visit: Visit) -> Response {
    log_out(&shop, &visit)
}

pub(in crate::demo) async fn leave_by_form(
    State(shop): State<Shop>,
    Posted { visit, .. }: Posted,
) -> Response {
    log_out(&shop, &visit)
}

fn log_out(shop: &Shop, visit: &Visit) -> Response {
    let mut visit = visit.clone();
    visit.notice = None;
    shop.visits().tell(&visit.id, "You are logged out. See you soon.");
    ([(SET_COOKIE, shop.visits().renew(&visit, false))], Redirect::to("/")).into_response()
}

/// A page that asks to log in first and then returns to `path`.
pub(in crate::demo) fn first(path: &str) -> Response {
    Redirect::to(&format!("/login?next={path}")).into_response()
}

fn form(visit: &Visit, status: StatusCode, email: &str, next: &str) -> Response {
    let error = if status == StatusCode::OK {
        ""
    } else {
        r#"<p class="error" role="alert">That email and password do not belong together. Please try again.</p>"#
    };
    let (csrf, email, next) = (csrf(visit), esc(email), esc(next));
    let body = format!(
        r#"<section class="wrap narrow block">
  <h1>Welcome back</h1>
  <p class="lead">Log in for pictures of our teas, your orders and your store credit.</p>
  {error}
  <form class="card stack" method="post" action="/login">
    {csrf}<input type="hidden" name="next" value="{next}">
    <label>Email <input type="email" name="email" value="{email}" autocomplete="username" required></label>
    <label>Password <input type="password" name="password" autocomplete="current-password" required></label>
    <label class="tick"><input type="checkbox" name="remember" value="yes"> Keep me logged in on this device</label>
    <button class="button" type="submit">Log in</button>
  </form>
  <p class="hint">Just looking around? Log in as <code>{DEMO_EMAIL}</code> with the password <code>{DEMO_PASSWORD}</code>.</p>
</section>"#
    );
    Page { title: "Log in", visit, body }.respond_as(status, None)
}

/// A path of this shop; the account for anything that could lead elsewhere.
fn within_shop(next: &str) -> &str {
    let plain = next.starts_with('/') && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && !next.starts_with("//") { next } else { "/account" }
}

#[cfg(test)]
mod tests {
    use super::within_shop;

    #[test]
    fn a_login_leads_nowhere_else() {
        assert_eq!(within_shop("/catalogue?kind=green"), "/catalogue?kind=green");
        for hostile in
            ["//evil.test", "/\\evil.test", "https://evil.test", "", "/\t/evil.test", "/a\r\nb: c", "/\n/e"]
        {
            assert_eq!(within_shop(hostile), "/account", "{hostile:?}");
        }
    }
}
