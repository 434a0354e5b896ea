//! What those who run the server can ask it.

use tandem::proxy::{AccessLogSettings, Site};

use crate::harness::http::request;
use crate::harness::page::text;
use crate::harness::{Rig, Setup, soon};
use crate::raw;

async fn metrics(rig: &Rig) -> String {
    let answer = request(rig.console, "GET", "/metrics", &[], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    answer.text()
}

/// The value of one line of `/metrics`, by all that stands before it.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn it_lives_and_takes_work() {
    let rig = Rig::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(request(rig.console, "GET", path, &[], b"").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn metrics_are_only_for_those_who_may_read_them() {
    let rig = Rig::start().await;
    for headers in [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 x")] {
        assert_eq!(request(rig.console, "GET", "/metrics", &[headers], b"").await.status, 403);
    }
    let nobody: Setup = Setup { change: Box::new(|config| config.metrics.clear()), ..Setup::default() };
    let rig = Rig::with(nobody).await;
    assert_eq!(request(rig.console, "GET", "/metrics", &[], b"").await.status, 403);
    assert_eq!(request(rig.site, "GET", "/metrics", &[], b"").await.status, 404, "the site's own path");
}

#[tokio::test]
async fn sessions_and_requests_are_counted() {
    let rig = Rig::start().await;
    let (_customer, _agent) = rig.session(&[text("Hello")]).await;
    request(rig.site, "GET", "/missing", &[], b"").await;
    let counted = metrics(&rig).await;
    assert_eq!(value(&counted, "tandem_session_active"), Some(1.0), "{counted}");
    assert_eq!(value(&counted, "tandem_session_started_total"), Some(1.0), "{counted}");
    let missing = value(&counted, "tandem_proxy_requests_total{site=\"shop.test\",status=\"4xx\"}");
    assert_eq!(missing, Some(1.0), "{counted}");
    request(rig.site, "GET", "/", &[("Host", "a b")], b"").await;
    let counted = metrics(&rig).await;
    let refused =
        value(&counted, "tandem_proxy_failures_total{site=\"none\",fault=\"client\",reason=\"malformed\"}");
    assert_eq!(refused, Some(1.0), "{counted}");
}

/// The lines of the access log, as soon as there are so many.
async fn lines(file: &std::path::Path, count: usize) -> Vec<serde_json::Value> {
    let read = || std::fs::read_to_string(file).unwrap_or_default();
    let enough = async {
        while read().lines().count() < count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    soon("lines of the access log", read, enough).await;
    read().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_access_log_has_every_request_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let log = AccessLogSettings { file: Some(file.clone()), ..Default::default() };
    let setup = Setup {
        origin: axum::Router::new().route("/page", axum::routing::get(async || "content")),
        change: Box::new(|config| {
            config.access_log = Some(log);
            // Nothing listens there.
            let mut lost = config.sites[0].clone();
            lost.public = "http://lost.test".parse().unwrap();
            lost.origin = "http://127.0.0.1:1".parse().unwrap();
            config.sites.push(lost);
        }),
        ..Setup::default()
    };
    let rig = Rig::with(setup).await;
    let secret = [("Host", "shop.test"), ("Cookie", "secret=1"), ("Referer", "http://shop.test/?secret")];
    request(rig.site, "GET", "/page?secret", &secret, b"").await;
    let failed = request(rig.site, "GET", "/page", &[("Host", "lost.test")], b"").await;
    let lines = lines(&file, 2).await;
    assert_eq!((&lines[0]["path"], &lines[0]["bytes"]), (&"/page".into(), &7.into()));
    assert!(lines[0]["origin_ms"].as_f64().unwrap() <= lines[0]["ms"].as_f64().unwrap());
    assert_eq!((&lines[1]["status"], &lines[1]["fault"]), (&502.into(), &"origin".into()));
    assert_eq!(lines[1]["reason"], "unreachable");
    assert!(failed.text().contains(lines[1]["id"].as_str().unwrap()), "the page has the ID of the log");
    assert!(!failed.text().contains("127.0.0.1"), "{}", failed.text());
    assert!(!std::fs::read_to_string(&file).unwrap().contains("secret"));
}

#[tokio::test]
async fn the_proxy_tells_what_it_did() {
    let rig = Rig::with(Setup {
        origin: axum::Router::new()
            .route("/page", axum::routing::get(async || axum::response::Html("<head>")))
            .route("/upload", axum::routing::post(async |body: String| body)),
        ..Setup::default()
    })
    .await;
    request(rig.site, "GET", "/page", &[("Sec-Fetch-Dest", "document")], b"").await;
    request(rig.site, "POST", "/upload", &[], &[b'x'; 1000]).await;
    request(rig.site, "GET", "/\x01", &[], b"").await;
    let all = metrics(&rig).await;
    let of = |name: &str| value(&all, &format!("tandem_proxy_{name}{{site=\"shop.test\"}}"));
    assert_eq!(of("pages_total"), Some(1.0), "{all}");
    assert_eq!(of("received_bytes_total"), Some(1000.0), "{all}");
    assert!(of("sent_bytes_total") > Some(1000.0), "{all}");
    for time in ["request", "origin", "own"] {
        assert_eq!(of(&format!("{time}_seconds_count")), Some(2.0), "{time}: {all}");
    }
    let site = |name: &str, label: &str| {
        value(&all, &format!("tandem_proxy_{name}_total{{listener=\"site\",{label}}}"))
    };
    assert_eq!(site("accepted", "protocol=\"http1\""), Some(3.0), "{all}");
    assert_eq!(site("limited", "limit=\"malformed\""), Some(1.0), "{all}");
}

#[tokio::test]
async fn connections_to_the_origin_are_counted() {
    let closes = |request: &str| match request.starts_with("GET /last ") {
        true => raw::Reply::Close(raw::response("Connection: close\r\n", "ok")),
        false => raw::Reply::Keep(raw::response("", "ok")),
    };
    let (rig, origin) = raw::rig_of(closes, |site| site).await;
    let counts = |name: &str| rig.counted(&format!("proxy_origin_{name}{{origin=\"{origin}\"}}"));
    for _ in 0..3 {
        rig.get("/", "").await;
    }
    assert_eq!((counts("opened_total"), counts("reused_total"), counts("connections")), (1.0, 2.0, 1.0));
    // A request with a body goes on a connection of another kind.
    let post = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx";
    rig.raw(post).await;
    assert_eq!((counts("opened_total"), counts("reused_total"), counts("connections")), (2.0, 2.0, 2.0));
    rig.get("/last", "").await;
    assert_eq!((counts("reused_total"), counts("connections")), (3.0, 1.0));

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let to_nobody = |site| Site { origin: raw::url(&format!("http://{nobody}")), ..site };
    let (rig, _) = raw::rig_of(|_| raw::Reply::Silence, to_nobody).await;
    assert!(rig.get("/", "").await.starts_with("HTTP/1.1 502 "));
    let failed = format!("proxy_origin_failed_total{{origin=\"{nobody}\",reason=\"unreachable\"}}");
    assert_eq!(rig.counted(&failed), 1.0);
}
