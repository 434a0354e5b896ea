//! The shop as a browser meets it, over its router.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, ETAG, IF_NONE_MATCH, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use url::form_urlencoded;

use super::Shop;

/// A browser: one cookie, and the token of the last page it saw.
struct Browser {
    shop: Shop,
    cookie: String,
    csrf: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Browser {
    fn new(shop: &Shop) -> Browser {
        Browser { shop: shop.clone(), cookie: String::new(), csrf: String::new() }
    }

    async fn logged_in(shop: &Shop) -> Browser {
        let mut browser = Browser::new(shop);
        browser.get("/login").await;
        let answer = browser.post("/login", &[("email", "ada@example.test"), ("password", "lovelace")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        browser.get("/").await;
        browser
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.shop.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly"), "{cookie}");
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        let text = String::from_utf8_lossy(&to_bytes(body, 1 << 20).await.unwrap()).into_owned();
        if let Some((_, rest)) = text.split_once(r#"name="csrf" value=""#) {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header(COOKIE, &self.cookie).body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        self.post_bare(path, &[fields, &[("csrf", &csrf)]].concat()).await
    }

    async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(COOKIE, &self.cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

const ORDER: [(&str, &str); 7] = [
    ("name", "Grace"),
    ("street", "1 Pier"),
    ("city", "Bath"),
    ("postcode", "04530"),
    ("card-number", "4242 4242 4242 4243"),
    ("shipping", "express"),
    ("gift", "yes"),
];

#[tokio::test]
async fn every_page_opens_and_forbids_inline_scripts() {
    let mut browser = Browser::logged_in(&Shop::new()).await;
    for path in [
        "/",
        "/catalogue",
        "/catalogue/tide-cups",
        "/account",
        "/basket",
        "/checkout",
        "/story",
        "/story/map",
        "/help",
        "/app/",
        "/app/orders",
        "/app/orders/20471",
        "/app/live",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(
            answer.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'")
        );
        assert!(!answer.text.contains("<script>") && !answer.text.contains("style="), "{path}");
        assert!(!answer.text.contains("<!--csrf-->"), "{path}");
        assert!(!answer.text.to_lowercase().contains("tandem"), "{path} is only a site");
    }
    let lost = browser.get("/nowhere").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(lost.text.contains("This cup is empty"));
}

#[tokio::test]
async fn pictures_are_for_logged_in_customers() {
    let shop = Shop::new();
    let mut stranger = Browser::new(&shop);
    assert_eq!(stranger.get("/members/images/sencha.jpg").await.status, StatusCode::FORBIDDEN);
    let page = stranger.get("/catalogue").await;
    assert!(page.text.contains("Log in to see pictures") && !page.text.contains("/members/images/"));
    assert_eq!(stranger.get("/members/images/sencha.jpg").await.status, StatusCode::FORBIDDEN);

    let mut ada = Browser::logged_in(&shop).await;
    assert!(ada.get("/catalogue").await.text.contains("/members/images/sencha.jpg"));
    let caching = async |browser: &mut Browser, path: &str| {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.headers[CACHE_CONTROL].to_str().unwrap().to_owned()
    };
    assert_eq!(caching(&mut ada, "/members/images/sencha.jpg").await, "private, no-store");
    assert_eq!(caching(&mut ada, "/members/images/cups.svg").await, "private, max-age=3600");

    let planted = ada.cookie.clone();
    ada.get("/logout").await;
    ada.cookie = planted;
    assert_eq!(ada.get("/members/images/cups.svg").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_password_says_so_and_logs_nobody_in() {
    let mut browser = Browser::new(&Shop::new());
    browser.get("/login?next=/account").await;
    let answer = browser.post("/login", &[("email", "ada@example.test"), ("password", "babbage")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text.contains("do not belong together") && answer.text.contains("ada@example.test"));
    let account = browser.get("/account").await;
    assert_eq!(account.headers[LOCATION], "/login?next=/account");
    assert_eq!(browser.get("/api/orders").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn forms_without_the_token_of_their_visit_are_refused() {
    let shop = Shop::new();
    let mut ada = Browser::logged_in(&shop).await;
    let mut other = Browser::logged_in(&shop).await;
    for path in [
        "/basket/add",
        "/checkout",
        "/account/profile",
        "/account/password",
        "/logout",
        "/newsletter",
        "/login",
        "/basket/remove",
        "/story/tasting",
    ] {
        assert_eq!(ada.post_bare(path, &ORDER).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    other.get("/").await;
    let borrowed = other.csrf.clone();
    let fields = [("product", "tide-cups"), ("csrf", borrowed.as_str())];
    assert_eq!(ada.post_bare("/basket/add", &fields).await.status, StatusCode::FORBIDDEN);
    assert!(ada.get("/basket").await.text.contains("nothing in it yet"));
}

#[tokio::test]
async fn an_order_is_placed_and_reaches_the_log() {
    let shop = Shop::new();
    let mut browser = Browser::new(&shop);
    browser.get("/catalogue").await;
    browser.post("/basket/add", &[("product", "tide-cups"), ("quantity", "2")]).await;
    assert!(browser.get("/checkout").await.text.contains("2 × Tide Cups"));
    let placed = browser.post("/checkout", &ORDER).await;
    assert_eq!(placed.status, StatusCode::SEE_OTHER);
    let thanks = browser.get(placed.headers[LOCATION].to_str().unwrap()).await;
    assert!(
        thanks.text.contains("Tide Cups") && thanks.text.contains("$88.00") && thanks.text.contains("4243")
    );
    assert!(!thanks.text.contains("4242"), "only the last four digits are kept");

    let log = shop.log();
    let order = log.iter().find(|request| request.method == "POST" && request.path == "/checkout").unwrap();
    assert_eq!(order.status, 303);
    for (name, value) in ORDER {
        assert!(order.form.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
    assert!(order.form.contains(&("csrf".to_owned(), "***".to_owned())));
    let another = Browser::new(&shop).get(placed.headers[LOCATION].to_str().unwrap()).await;
    assert_eq!(another.status, StatusCode::NOT_FOUND, "an order is its customer's own");
}

#[tokio::test]
async fn a_bad_card_keeps_the_address_and_not_the_card() {
    let shop = Shop::new();
    let mut browser = Browser::new(&shop);
    browser.get("/checkout").await;
    let mut fields = ORDER;
    fields[4].1 = "4242 é";
    let answer = browser.post("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("check the card number") && answer.text.contains(r#"value="1 Pier""#));
    assert!(!answer.text.contains("4242 é"));
    fields[3].1 = "  ";
    assert!(browser.post("/checkout", &fields).await.text.contains("where to send it"));
}

#[tokio::test]
async fn what_customers_type_is_text_everywhere() {
    let shop = Shop::new();
    let mut ada = Browser::logged_in(&shop).await;
    let evil = r#""><script>alert('x')</script>"#;
    let fields = ["name", "street", "city", "postcode", "birthday", "wishes", "note", "contact"]
        .map(|name| (name, evil));
    assert_eq!(ada.post("/account/profile", &fields).await.status, StatusCode::SEE_OTHER);
    ada.post("/story/tasting", &[("name", evil)]).await;
    let mut order = ORDER;
    order[1].1 = evil;
    let placed = ada.post("/checkout", &order).await;
    let thanks = placed.headers[LOCATION].to_str().unwrap().to_owned();
    let query = form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>();
    order[4].1 = evil;
    let pages = [
        ada.get("/").await,
        ada.get("/account").await,
        ada.get("/checkout").await,
        ada.get(&thanks).await,
        ada.get(&format!("/catalogue?q={query}&kind={query}&sort={query}")).await,
        ada.get(&format!("/{query}")).await,
        ada.post("/checkout", &order).await,
        Browser::new(&shop).get(&format!("/login?next={query}")).await,
    ];
    for page in &pages {
        assert!(!page.text.contains("<script>alert"), "{}", page.text);
    }
    assert!(pages[1].text.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)"));
    assert!(!pages[0].headers.values().any(|value| value.as_bytes().contains(&b'<')));
}

#[tokio::test]
async fn a_changed_profile_and_password_hold_for_this_browser_only() {
    let shop = Shop::new();
    let mut ada = Browser::logged_in(&shop).await;
    let passwords = [("current-password", "lovelace"), ("new-password", "countess-1852")];
    assert_eq!(ada.post("/account/password", &passwords).await.status, StatusCode::SEE_OTHER);
    ada.get("/account").await;
    let profile =
        [("name", "Augusta"), ("interests", "herbal"), ("interests", "black"), ("interests", "<b>")];
    ada.post("/account/profile", &profile).await;
    let account = ada.get("/account").await.text;
    assert!(account.contains("Good to see you, Augusta") && account.contains(r#"value="black" selected"#));
    assert!(account.contains(r#"value="green" >"#));
    ada.get("/logout").await;
    ada.get("/login").await;
    let login = |password| [("email", "ada@example.test"), ("password", password)];
    assert_eq!(ada.post("/login", &login("lovelace")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ada.post("/login", &login("countess-1852")).await.status, StatusCode::SEE_OTHER);
    assert!(Browser::logged_in(&shop).await.get("/account").await.text.contains("Ada Byron"));
    assert!(!format!("{:?}", shop.log()).contains("countess-1852"));
}

#[tokio::test]
async fn the_log_answers_loopback_peers_only() {
    let shop = Shop::new();
    Browser::new(&shop).get("/help").await;
    let ask = async |peer: Option<&str>, forwarded: Option<&str>| {
        let mut request = Request::get("/__log?since=0").body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        if let Some(forwarded) = forwarded {
            request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        Browser::new(&shop).send(request).await
    };
    let told = ask(Some("127.0.0.1:5000"), None).await;
    let log: serde_json::Value = serde_json::from_str(&told.text).unwrap();
    assert_eq!(log[0]["path"], "/help");
    assert_eq!(log.as_array().unwrap().len(), 1, "asking for the log is not logged");
    assert_eq!(ask(Some("[::1]:5000"), Some("127.0.0.1")).await.status, StatusCode::OK);
    assert_eq!(ask(None, None).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ask(Some("192.0.2.7:5000"), None).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ask(Some("127.0.0.1:5000"), Some("192.0.2.7")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn oversized_forms_are_refused_and_logged() {
    let shop = Shop::new();
    let mut browser = Browser::new(&shop);
    let long = "x".repeat(70_000);
    assert_eq!(browser.post("/newsletter", &[("email", &long)]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(shop.log()[0].status, 413);
}

#[tokio::test]
async fn files_are_revalidated_by_their_tag() {
    let mut browser = Browser::new(&Shop::new());
    let sheet = browser.get("/assets/shop.css").await;
    let tag = sheet.headers[ETAG].clone();
    let request = Request::get("/assets/shop.css").header(IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
    let held = browser.send(request).await;
    assert_eq!((held.status, held.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let request =
        Request::get("/assets/shop.css").header(IF_NONE_MATCH, "\"other\"").body(Body::empty()).unwrap();
    assert_eq!(browser.send(request).await.status, StatusCode::OK);
    assert_eq!(browser.get("/assets/..%2fmod.rs").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn live_updates_come_while_somebody_watches_and_seats_are_freed() {
    let shop = Shop::new();
    let seats = shop.0.live.available_permits();
    let request = Request::get("/api/live").body(Body::empty()).unwrap();
    let mut stream = shop.router().oneshot(request).await.unwrap().into_body();
    for beat in 1..=8 {
        let event = stream.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(String::from_utf8_lossy(&event).contains(&format!(r#""beat":{beat},"#)));
    }
    assert_eq!(shop.0.live.available_permits(), seats - 1);
    drop(stream);
    assert_eq!(shop.0.live.available_permits(), seats);
}
