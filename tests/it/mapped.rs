//! A site under another name than its own: logins over two hosts, bodies in every encoding, and sessions.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use encoding_rs::Encoding;
use tandem::proxy::{Bodies, Host, Site};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::harness::http::{Answer, request};
use super::harness::page::el;
use super::harness::{Rig, Setup, serve};

const SHOP: &str = "http://www.cb.help.test";
const LOGIN: &str = "http://login.cb.help.test";

fn own(public: &str, name: &str, origin: &str, bodies: Bodies) -> Site {
    let host = Host::Own { name: Some(name.parse().unwrap()), bodies };
    Site { host, ..Site::new(public.parse().unwrap(), origin.parse().unwrap()) }
}

/// The shop `https://www.o.example` and the provider `https://login.o.example`, both under other names.
async fn two(shop: Router, login: Router, bodies: Bodies) -> Rig {
    let stop = tokio_util::sync::CancellationToken::new();
    let login = serve(login, stop).await;
    let change = move |config: &mut tandem::config::Config| {
        let origin = config.sites[0].origin.to_string();
        config.sites = vec![
            own(SHOP, "https://www.o.example", &origin, bodies),
            own(LOGIN, "https://login.o.example", &format!("http://{login}"), bodies),
        ];
    };
    Rig::with(Setup { origin: shop, change: Box::new(change), ..Setup::default() }).await
}

async fn shop(router: Router, bodies: Bodies) -> Rig {
    two(router, Router::new(), bodies).await
}

/// Asks for an absolute public URL.
async fn ask(rig: &Rig, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers = [&[("Host", host)], headers].concat();
    request(rig.site, method, &format!("/{path}"), &headers, body.as_bytes()).await
}

async fn page(rig: &Rig, path: &str) -> Answer {
    ask(rig, "GET", &format!("{SHOP}{path}"), &[("Sec-Fetch-Dest", "document")], "").await
}

fn html(text: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text.into()).into_response()
}

fn header_of<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[derive(serde::Deserialize)]
struct Authorize {
    redirect_uri: String,
    state: String,
}

/// A provider that is strict about who asks: addresses are those that are registered with it.
fn provider() -> Router {
    let back = |asked: &Authorize| format!("{}?code=1&state={}", asked.redirect_uri, asked.state);
    let ask = async |headers: HeaderMap, Query(asked): Query<Authorize>| {
        let known = asked.redirect_uri == "https://www.o.example/cb";
        if !known || header_of(&headers, "host") != "login.o.example" {
            return (StatusCode::BAD_REQUEST, asked.redirect_uri).into_response();
        }
        html(format!(
            "<form method=post action=\"https://login.o.example/authorize\"><input name=state value={}>\
             <input name=redirect_uri value=\"{}\"></form>",
            asked.state, asked.redirect_uri
        ))
    };
    let allow = async move |headers: HeaderMap, Form(asked): Form<Authorize>| {
        let sent = (header_of(&headers, "origin"), header_of(&headers, "referer"));
        if sent.0 != "https://login.o.example" || !sent.1.starts_with("https://login.o.example/authorize?") {
            return (StatusCode::FORBIDDEN, format!("{sent:?}")).into_response();
        }
        (StatusCode::FOUND, [(header::LOCATION, back(&asked))]).into_response()
    };
    Router::new().route("/authorize", get(ask).post(allow))
}

fn shop_with_login() -> Router {
    let login = async || {
        let to = "https://login.o.example/authorize?redirect_uri=https%3A%2F%2Fwww.o.example%2Fcb&state=s1";
        let cookie = "__Host-state=s1; Path=/; Secure; HttpOnly";
        (StatusCode::FOUND, [(header::LOCATION, to), (header::SET_COOKIE, cookie)])
    };
    let back = async |headers: HeaderMap, Query(query): Query<std::collections::HashMap<String, String>>| {
        if query["state"] != "s1" || header_of(&headers, "cookie") != "__Host-state=s1" {
            return StatusCode::FORBIDDEN.into_response();
        }
        let cookie = "sid=1; Domain=.o.example; Secure; SameSite=None";
        (
            StatusCode::SEE_OTHER,
            [(header::LOCATION, "https://www.o.example/home"), (header::SET_COOKIE, cookie)],
        )
            .into_response()
    };
    let elsewhere = async || {
        let to = "https://login.elsewhere.example/a?redirect_uri=https%3A%2F%2Fwww.o.example%2Fcb&n=https://www.o.example/";
        (StatusCode::FOUND, [(header::LOCATION, to)])
    };
    Router::new().route("/login", get(login)).route("/cb", get(back)).route("/elsewhere", get(elsewhere))
}

#[tokio::test]
async fn a_login_over_a_second_mapped_host_works() {
    let rig = two(shop_with_login(), provider(), Bodies::default()).await;
    let begun = page(&rig, "/login").await;
    let to = begun.header("location").unwrap().to_owned();
    assert!(to.starts_with(&format!("{LOGIN}/authorize?")), "{to}");
    let form = ask(&rig, "GET", &to, &[("Sec-Fetch-Dest", "document")], "").await;
    assert_eq!(form.status, 200, "{}", form.text());
    assert!(form.text().contains(&format!("action=\"{LOGIN}/authorize\"")), "{}", form.text());
    assert!(form.text().contains("value=\"https://www.o.example/cb\""), "a value is the site's own business");
    let sent = [("Origin", LOGIN), ("Referer", &*to), ("Content-Type", "application/x-www-form-urlencoded")];
    let body = "state=s1&redirect_uri=https%3A%2F%2Fwww.o.example%2Fcb";
    let allowed = ask(&rig, "POST", &format!("{LOGIN}/authorize"), &sent, body).await;
    let to = allowed.header("location").expect("a redirect").to_owned();
    assert_eq!(to, format!("{SHOP}/cb?code=1&state=s1"));
    let state = begun.cookie().unwrap();
    let home = ask(&rig, "GET", &to, &[("Cookie", &state)], "").await;
    assert_eq!((home.status, home.header("location")), (303, Some(&*format!("{SHOP}/home"))));
    assert_eq!(home.header("set-cookie"), Some("sid=1; Domain=cb.help.test"));
    // A page's script names the address that it sees.
    let made = format!("{LOGIN}/authorize?redirect_uri=http%3A%2F%2Fwww.cb.help.test%2Fcb&state=s1");
    assert_eq!(ask(&rig, "GET", &made, &[], "").await.status, 200);
}

#[tokio::test]
async fn a_login_over_an_unmapped_host_is_asked_as_without_the_proxy() {
    let rig = shop(shop_with_login(), Bodies::default()).await;
    let begun = page(&rig, "/elsewhere").await;
    let to = "https://login.elsewhere.example/a?redirect_uri=https%3A%2F%2Fwww.o.example%2Fcb&n=https://www.o.example/";
    assert_eq!(begun.header("location"), Some(to));
}

#[tokio::test]
async fn the_origin_sees_itself_and_nobody_else() {
    let echo = async |headers: HeaderMap| format!("{headers:?}");
    let rig = shop(Router::new().route("/", any(echo)), Bodies::default()).await;
    let sent = [("Origin", SHOP), ("X-Forwarded-Host", "www.cb.help.test")];
    let seen = ask(&rig, "POST", &format!("{SHOP}/"), &sent, "x").await.text();
    assert!(!seen.contains("help.test"), "{seen}");
    for part in [
        "\"host\": \"www.o.example\"",
        "\"x-forwarded-host\": \"www.o.example\"",
        "\"x-forwarded-proto\": \"https\"",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn a_websocket_comes_from_the_origin_itself() {
    let socket = async |headers: HeaderMap, upgrade: WebSocketUpgrade| {
        if header_of(&headers, "origin") != "https://www.o.example" {
            return StatusCode::FORBIDDEN.into_response();
        }
        upgrade.on_upgrade(async |_| ())
    };
    let rig = shop(Router::new().route("/live", get(socket)), Bodies::default()).await;
    let mut request = "ws://www.cb.help.test/live".into_client_request().unwrap();
    request.headers_mut().insert("origin", SHOP.parse().unwrap());
    let stream = tokio::net::TcpStream::connect(rig.site).await.unwrap();
    tokio_tungstenite::client_async(request, stream).await.expect("a socket");
}

/// Files by path: type and content.
fn files(files: &'static [(&'static str, &'static str, &'static str)]) -> Router {
    files.iter().fold(Router::new(), |router, (path, kind, content)| {
        let answer = async || ([(header::CONTENT_TYPE, *kind), (header::ETAG, "\"v1\"")], *content);
        router.route(path, get(answer))
    })
}

const FILES: &[(&str, &str, &str)] = &[
    (
        "/",
        "text/html",
        "<head></head><a href=\"https://login.o.example/\">https://login.o.example/</a><link rel=stylesheet \
         href=\"/pinned.css?a&amp;b\" integrity=\"sha256-x\"><script>'https://www.o.example/'</script>",
    ),
    ("/a.css", "text/css", "a{background:url(https://www.o.example/a.png)}"),
    ("/pinned.css", "text/css", "a{background:url(https://www.o.example/a.png)}"),
    ("/data.json", "application/json", r#"{"url":"https:\/\/www.o.example\/a"}"#),
    ("/a.js", "text/javascript", "fetch('https://www.o.example/a')"),
    ("/a.png", "image/png", "https://www.o.example/"),
];

#[tokio::test]
async fn bodies_are_mapped_by_what_they_are() {
    let rig = shop(files(FILES), Bodies::default()).await;
    let home = page(&rig, "/").await.text();
    assert!(home.contains(&format!("<a href=\"{LOGIN}/\">https://login.o.example/</a>")), "{home}");
    assert!(home.contains("/.tandem/loader.js") && home.contains("'https://www.o.example/'"), "{home}");
    let get = async |path: &str, dest: &str| {
        ask(
            &rig,
            "GET",
            &format!("{SHOP}{path}"),
            &[("Sec-Fetch-Dest", dest), ("Accept-Encoding", "gzip")],
            "",
        )
        .await
    };
    let fragment = get("/", "empty").await.text();
    assert!(fragment.contains(&format!("href=\"{LOGIN}/\"")) && !fragment.contains(".tandem"), "{fragment}");
    assert_eq!(get("/a.css", "style").await.text(), "a{background:url(http://www.cb.help.test/a.png)}");
    for (path, dest) in
        [("/pinned.css?a&b", "style"), ("/data.json", "empty"), ("/a.js", "script"), ("/a.png", "image")]
    {
        let answer = get(path, dest).await;
        let content = FILES.iter().find(|file| path.starts_with(file.0) && file.0.len() > 1).unwrap().2;
        assert_eq!(answer.text(), content, "{path}");
        assert_eq!(answer.header("etag"), Some("\"v1\""), "{path}");
    }
    let rig = shop(files(FILES), Bodies { json: true, javascript: true }).await;
    for (path, expected) in [
        ("/data.json", r#"{"url":"http:\/\/www.cb.help.test\/a"}"#),
        ("/a.js", "fetch('http://www.cb.help.test/a')"),
    ] {
        assert_eq!(ask(&rig, "GET", &format!("{SHOP}{path}"), &[], "").await.text(), expected);
    }
}

#[tokio::test]
async fn what_was_mapped_is_confirmed_only_as_mapped() {
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = asked.clone();
    let css = async move |headers: HeaderMap| {
        seen.lock().unwrap().push(header_of(&headers, "if-none-match").to_owned());
        match header_of(&headers, "if-none-match") {
            "\"v1\"" => (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"v1\"")]).into_response(),
            _ => ([(header::CONTENT_TYPE, "text/css"), (header::ETAG, "\"v1\"")], "a{}").into_response(),
        }
    };
    let rig = shop(Router::new().route("/a.css", get(css)), Bodies::default()).await;
    let url = format!("{SHOP}/a.css");
    let first = ask(&rig, "GET", &url, &[("Sec-Fetch-Dest", "style")], "").await;
    let mark = first.header("etag").unwrap().to_owned();
    assert!(mark.starts_with("W/\"v1-t"), "{mark}");
    let again = ask(&rig, "GET", &url, &[("Sec-Fetch-Dest", "style"), ("If-None-Match", &mark)], "").await;
    assert_eq!((again.status, again.header("etag")), (304, Some(&*mark)));
    let other = "W/\"v1-t00000000s\"";
    let again = ask(&rig, "GET", &url, &[("Sec-Fetch-Dest", "style"), ("If-None-Match", other)], "").await;
    assert_eq!(again.status, 200, "what was mapped in another way is not what we have");
    assert_eq!(*asked.lock().unwrap(), ["", "\"v1\"", ""]);
}

#[tokio::test]
async fn what_a_script_has_fetched_is_not_confirmed_as_the_page() {
    let answer = async |headers: HeaderMap| match header_of(&headers, "if-none-match") {
        "\"v1\"" => (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"v1\"")]).into_response(),
        _ => ([(header::CONTENT_TYPE, "text/html"), (header::ETAG, "\"v1\"")], "<p>Page").into_response(),
    };
    let rig = shop(Router::new().route("/", get(answer)), Bodies::default()).await;
    let url = format!("{SHOP}/");
    for [first, second] in [["empty", "document"], ["document", "empty"]] {
        let fetched = ask(&rig, "GET", &url, &[("Sec-Fetch-Dest", first)], "").await;
        let etag = fetched.header("etag").unwrap();
        let mut conditional = [("Sec-Fetch-Dest", second), ("If-None-Match", etag)];
        let other = ask(&rig, "GET", &url, &conditional, "").await;
        assert_eq!(other.status, 200, "{second} after {first}");
        let has_loader = String::from_utf8_lossy(&other.body).contains("loader.js");
        assert_eq!(has_loader, second == "document");
        conditional[0].1 = first;
        let again = ask(&rig, "GET", &url, &conditional, "").await;
        assert_eq!((again.status, again.header("etag")), (304, Some(etag)));
    }
}

#[tokio::test]
async fn pages_in_every_encoding_keep_their_letters() {
    for (label, letters) in [
        ("windows-1252", "naïve “café”"),
        ("windows-1251", "Привет"),
        ("shift_jis", "ソ表示ミ能"),
        ("euc-jp", "日本語"),
        ("iso-2022-jp", "日本語のページ"),
        ("gbk", "你好乗亂"),
        ("gb18030", "你好\u{20ac}𠮷"),
        ("big5", "功許蓋"),
        ("euc-kr", "안녕하세요"),
        ("utf-8", "żółć 你好"),
        ("utf-16le", "żółć 你好 😀"),
        ("utf-16be", "żółć 你好 😀"),
    ] {
        let text = |url: &str, tag: &str| {
            format!(
                "<!-- {letters} --><html lang=\"{letters}\"><head>{tag}<title>{letters}</title></head>\
                 <a title=\"{letters}\" href=\"{url}/{letters}\">{letters}</a>"
            )
        };
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let encoded = encode(encoding, &text("https://login.o.example", ""));
        let kind = format!("text/html; charset={label}");
        let answer = async move || ([(header::CONTENT_TYPE, kind)], encoded);
        let rig = shop(Router::new().route("/", get(answer)), Bodies::default()).await;
        let got = page(&rig, "/").await;
        let (shown, _) = encoding.decode_without_bom_handling(&got.body);
        let tag = &shown[shown.find("<script").expect(label)..shown.find("<title>").unwrap()];
        assert!(tag.contains("/.tandem/loader.js"), "{label}: {shown}");
        assert_eq!(shown, text(LOGIN, tag), "{label}");
    }
}

fn encode(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    // What the standard's encoders do not write.
    if encoding == encoding_rs::UTF_16LE {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    } else if encoding == encoding_rs::UTF_16BE {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    } else {
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable, "{text} in {}", encoding.name());
        bytes.into_owned()
    }
}

#[tokio::test]
async fn a_byte_order_mark_tells_more_than_the_header() {
    for little in [true, false] {
        let bytes = |text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
        };
        let sent = bytes("\u{feff}<html><head><title>ż");
        let answer = async move || ([(header::CONTENT_TYPE, "text/html; charset=windows-1252")], sent);
        let rig = shop(Router::new().route("/", get(answer)), Bodies::default()).await;
        let got = page(&rig, "/").await.body;
        assert!(
            got.starts_with(&bytes("\u{feff}<html><head><script src=\"/.tandem/loader.js?v=")),
            "{got:?}"
        );
        assert!(got.ends_with(&bytes("></script><title>ż")), "{got:?}");
    }
}

#[tokio::test]
async fn an_agent_sees_what_a_second_host_serves() {
    let picture =
        async || ([(header::CONTENT_TYPE, "image/svg+xml")], "<svg xmlns='http://www.w3.org/2000/svg'/>");
    let css =
        async || ([(header::CONTENT_TYPE, "text/css")], "b{background:url(https://login.o.example/b.svg)}");
    let second =
        Router::new().route("/a.svg", get(picture)).route("/b.svg", get(picture)).route("/a.css", get(css));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let second = serve(second, stop.clone()).await;
    let change = move |config: &mut tandem::config::Config| {
        let origin = config.sites[0].origin.to_string();
        config.proxy.listen = port;
        config.sites = vec![
            own(&format!("http://{port}"), "https://www.o.example", &origin, Bodies::default()),
            own(LOGIN, "https://login.o.example", &format!("http://{second}"), Bodies::default()),
        ];
    };
    let rig = Rig::with(Setup { change: Box::new(change), ..Setup::default() }).await;
    let (customer, agent) = rig
        .session(&[
            el("link", &[("id", "sheet"), ("rel", "stylesheet"), ("href", &format!("{LOGIN}/a.css"))], &[]),
            el("img", &[("id", "picture"), ("src", &format!("{LOGIN}/a.svg"))], &[]),
        ])
        .await;
    let fetch = async |path: &str, dest: &str| {
        let sent = [("Cookie", &*customer.cookie), ("Sec-Fetch-Dest", dest)];
        ask(&rig, "GET", &format!("{LOGIN}{path}"), &sent, "").await
    };
    assert!(fetch("/a.css", "style").await.text().contains(LOGIN));
    for picture in ["/a.svg", "/b.svg"] {
        assert_eq!(fetch(picture, "image").await.status, 200);
    }
    let shown = agent.mirror.attribute(customer.node("picture"), "src").unwrap().to_owned();
    assert!(!shown.contains("help.test"), "{shown}");
    assert!(agent.get(&shown).await.text().contains("<svg"));
    let sheet = agent.mirror.attribute(customer.node("sheet"), "href").unwrap().to_owned();
    let sheet = agent.get(&sheet).await.text();
    let inner = sheet.split('"').nth(1).expect(&sheet);
    assert!(agent.get(inner).await.text().contains("<svg"), "{sheet}");
}

#[tokio::test]
async fn a_session_holds_on_all_hosts_of_the_site() {
    let rig = two(Router::new(), Router::new(), Bodies::default()).await;
    let started =
        ask(&rig, "POST", &format!("{SHOP}/.tandem/session"), &[("Origin", SHOP), ("Tandem", "1")], "").await;
    assert_eq!(started.status, 201);
    assert!(started.header("set-cookie").unwrap().contains("; Domain=cb.help.test"), "{}", started.head);
}
