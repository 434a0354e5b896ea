//! The integration API: what a contact centre's own systems may ask and say of sessions, over HTTP with a bearer
//! key (RFC 6750), described by the OpenAPI document that the same code makes.
//!
//! Nothing of a page is ever in an answer. Every error is a problem of RFC 9457.

mod keys;
mod problem;
mod routes;
mod words;

use std::sync::Arc;

use axum::{Json, Router};
use url::Url;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::keys::Keys;
pub use self::keys::{Key, Right};
use crate::session::{Links, Sessions};

/// Where the API is found on the console's listener.
pub const PATH: &str = "/api/v1";

/// What the API works with.
pub struct Api {
    sessions: Sessions,
    links: Links,
    keys: Keys,
    console: Url,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tandem",
        description = "Sessions of co-browsing, for the systems of a contact centre.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    security(("key" = [])),
    tags(
        (name = "sessions", description = "One visit of a customer that is shared."),
        (name = "interactions", description = "Chats and calls that sessions belong to.")
    )
)]
struct Description;

impl Api {
    /// `links` are those that the console takes; `console` is how agents' browsers reach it.
    pub fn new(sessions: Sessions, links: Links, keys: Vec<Key>, console: Url) -> Api {
        Api { sessions, links, keys: Keys::new(keys), console }
    }

    /// All routes, below [`PATH`].
    pub fn routes(self) -> Router {
        let (router, description) = described();
        let description = Json(description);
        let own = router
            .route("/openapi.json", axum::routing::get(async || description))
            .fallback(problem::no_such_route)
            .method_not_allowed_fallback(problem::no_such_method)
            .with_state(Arc::new(self));
        Router::new().nest(PATH, own)
    }
}

/// The routes, and the document that describes them.
fn described() -> (Router<Arc<Api>>, utoipa::openapi::OpenApi) {
    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(routes::list))
        .routes(routes!(routes::read, routes::change))
        .routes(routes!(routes::history))
        .routes(routes!(routes::end))
        .routes(routes!(routes::invite))
        .routes(routes!(routes::end_interaction))
        .split_for_parts();
    description.servers = Some(vec![utoipa::openapi::Server::new(PATH)]);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(bearer));
    (router, description)
}
