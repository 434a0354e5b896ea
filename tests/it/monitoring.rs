//! What those who run the server can ask it.

use crate::harness::http::request;
use crate::harness::page::text;
use crate::harness::{Rig, Setup};

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
