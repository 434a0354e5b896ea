//! What every page of the shop has around its own part: head, header, notice, footer.

use axum::http::StatusCode;
use axum::response::Response;

use super::chat;
use super::html::{esc, page};
use super::visits::Visit;

/// One page of the shop. `body` is markup; the rest is text.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) visit: &'a Visit,
    pub(super) body: String,
}

impl Page<'_> {
    /// The page as an answer with status 200.
    pub(super) fn respond(self) -> Response {
        self.respond_as(StatusCode::OK, None)
    }

    /// The page with another status or a script of its own beside the one that all pages have.
    pub(super) fn respond_as(self, status: StatusCode, script: Option<&str>) -> Response {
        let Page { title, visit, body } = self;
        let title = esc(title);
        let script = script
            .map(|name| format!(r#"<script type="module" src="/assets/{name}"></script>"#))
            .unwrap_or_default();
        let notice = visit.notice.as_deref().map_or_else(String::new, |notice| {
            format!(r#"<p class="notice" role="status">{}</p>"#, esc(notice))
        });
        let (who, basket, csrf) = (who(visit), basket_link(visit), csrf(visit));
        let chat = chat::panel(visit);
        let style = if chat.is_empty() { "" } else { r#"<link rel="stylesheet" href="/assets/chat.css">"# };
        page(
            status,
            format!(
                r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} · Fern &amp; Kettle</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#1f4030">
<link rel="icon" href="/assets/logo.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/shop.css">
{style}
<script type="module" src="/assets/site.js"></script>
{script}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
  <div class="wrap">
    <a class="brand" href="/" aria-label="Fern &amp; Kettle, home"><img src="/assets/logo.svg" alt="" width="40" height="40"><span>Fern &amp; Kettle</span></a>
    <nav aria-label="Shop">
      <a href="/catalogue">Teas</a>
      <a href="/story">Our story</a>
      <a href="/app/">Tea desk</a>
      <a href="/help">Help</a>
    </nav>
    <div class="you">{who}{basket}</div>
  </div>
</header>
<main id="main" tabindex="-1">
{notice}
{body}
</main>
<footer class="foot">
  <div class="wrap foot-columns">
    <section>
      <a class="brand" href="/" aria-label="Fern &amp; Kettle, home"><img src="/assets/logo.svg" alt="" width="40" height="40"><span>Fern &amp; Kettle</span></a>
      <p>Small-lot teas and honest pots.<br>14 Harbor Street, Portland, Maine.</p>
    </section>
    <nav aria-label="Footer">
      <a href="/catalogue">All teas</a>
      <a href="/catalogue?kind=teaware">Teaware</a>
      <a href="/story#visit">Visit us</a>
      <a href="/help">Help</a>
    </nav>
    <form class="newsletter" method="post" action="/newsletter">
      {csrf}
      <label for="newsletter-email">A letter, four times a year</label>
      <div class="joined">
        <input id="newsletter-email" type="email" name="email" placeholder="you@example.com" autocomplete="email" required>
        <button type="submit">Subscribe</button>
      </div>
      <p class="small">What is in season, what we are drinking. Nothing else.</p>
    </form>
  </div>
  <p class="wrap small fine">© 2026 Fern &amp; Kettle Tea Merchants. A shop for trying things out: nothing is sold, nobody is charged.</p>
</footer>
{chat}
</body>
</html>
"##
            ),
        )
    }
}

/// The hidden field that every form of this visit sends back.
pub(super) fn csrf(visit: &Visit) -> String {
    format!(r#"<input type="hidden" name="csrf" value="{}">"#, visit.csrf)
}

fn who(visit: &Visit) -> String {
    if !visit.logged_in {
        return r#"<a href="/login">Log in</a>"#.to_owned();
    }
    let first = visit.account.name.split_whitespace().next().unwrap_or("Account");
    format!(
        r#"<a href="/account"><span class="sr">Account of </span>{}</a>
<form method="post" action="/logout">{}<button class="plain" type="submit">Log out</button></form>"#,
        esc(first),
        csrf(visit)
    )
}

fn basket_link(visit: &Visit) -> String {
    let count = visit.basket.count();
    format!(
        r#"<a class="basket" href="/basket">Basket <span class="count" data-count="{count}">{count}</span></a>"#
    )
}
