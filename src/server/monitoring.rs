//! What those who run the server ask it: does it live, does it take work, what did it count.
//!
//! `/healthz` and `/readyz` say one word and answer everybody. `/metrics` tells nothing about a person, but much
//! about the business: it answers only addresses that the settings allow, asked directly and not through a proxy.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use ipnet::IpNet;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

/// What a proxy on the way adds: with one of these, the address may be the proxy's.
const PROXIED: [&str; 3] = ["x-forwarded-for", "forwarded", "via"];

/// OpenMetrics, version 1.0.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Monitoring {
    registry: Registry,
    readers: Vec<IpNet>,
    leaving: CancellationToken,
}

/// The routes. `registry` is complete; `readers` may read it; after `leaving` the server takes no more work.
pub(super) fn routes(registry: Registry, readers: Vec<IpNet>, leaving: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(Monitoring { registry, readers, leaving }))
}

async fn ready(State(monitoring): State<Arc<Monitoring>>) -> Response {
    match monitoring.leaving.is_cancelled() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response(),
        false => "ready\n".into_response(),
    }
}

async fn metrics(
    State(monitoring): State<Arc<Monitoring>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let address = address.ip().to_canonical();
    let allowed = monitoring.readers.iter().any(|network| network.contains(&address));
    if !allowed || PROXIED.iter().any(|name| headers.contains_key(*name)) {
        let why = "only for the addresses of `readers` in [metrics], asked directly\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let mut text = String::new();
    match encode(&mut text, &monitoring.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
