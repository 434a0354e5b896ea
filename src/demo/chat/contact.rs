//! The co-browsing server's API, as a contact centre's own server uses it: with a key that no browser ever sees.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// For one request.
const TIME: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const ANSWER: usize = 64 << 10;

/// Where the API is, and the key to it.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Of the console's listener.
    pub console: SocketAddr,
    /// As it stands, of which the settings have the hash.
    pub key: String,
}

/// Why there is no answer to be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub(super) enum Error {
    #[error("no answer in time")]
    Late,
    #[error("the server can not be reached: {0}")]
    Connect(#[from] std::io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Body(#[from] Box<dyn std::error::Error + Send + Sync>),
    #[error("refused with status {0}")]
    Refused(u16),
}

impl Contact {
    /// A link that lets `agent` into a session, once: for a frame in the desk.
    pub(super) async fn join_link(&self, session: &str, agent: &str) -> Result<String, Error> {
        let answer = self.post(&format!("/sessions/{session}/join-links"), json!({ "name": agent })).await?;
        answer["url"].as_str().map(str::to_owned).ok_or_else(|| Error::Body("the answer has no `url`".into()))
    }

    /// Ends whatever co-browsing belongs to an interaction.
    pub(super) async fn end(&self, interaction: &str) -> Result<(), Error> {
        self.post(&format!("/interactions/{interaction}/end"), json!({})).await.map(drop)
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, Error> {
        tokio::time::timeout(TIME, self.ask(path, body)).await.unwrap_or(Err(Error::Late))
    }

    async fn ask(&self, path: &str, body: Value) -> Result<Value, Error> {
        let stream = TcpStream::connect(self.console).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = hyper::Request::post(format!("/api/v1{path}"))
            .header(HOST, self.console.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Error::Body(error.into()))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER).collect().await?.to_bytes();
            if !status.is_success() {
                return Err(Error::Refused(status.as_u16()));
            }
            Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
        };
        tokio::pin!(connection, exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            _ = &mut connection => exchange.await,
        }
    }
}
