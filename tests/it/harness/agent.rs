//! A model of an agent's browser, which may also be a hostile one: it can send anything. Keeps every byte it gets.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tandem::protocol::wire::inflate;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::http::{Answer, request};
use super::page::Mirror;
use super::{DEADLINE, PASSWORD, Transcript, soon};

pub struct Agent {
    console: SocketAddr,
    pub cookie: String,
    session: String,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    pub mirror: Mirror,
    pub heard: Vec<Value>,
    pub received: Transcript,
    seq: u32,
}

impl Agent {
    pub async fn log_in(console: SocketAddr, name: &str) -> Agent {
        let answer = log_in(console, name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Agent::logged_in(console, answer.cookie().unwrap())
    }

    /// Somebody who logged in before.
    pub fn logged_in(console: SocketAddr, cookie: String) -> Agent {
        Agent {
            console,
            cookie,
            session: String::new(),
            socket: None,
            mirror: Mirror::default(),
            heard: Vec::new(),
            received: Transcript::default(),
            seq: 0,
        }
    }

    /// The console of the server that was started in place of the one before.
    pub fn return_to(&mut self, console: SocketAddr) {
        self.console = console;
        self.mirror = Mirror::default();
    }

    pub async fn get(&self, path: &str) -> Answer {
        let answer = request(self.console, "GET", path, &[("Cookie", &self.cookie)], b"").await;
        self.received.add(answer.head.as_bytes());
        self.received.add(&answer.body);
        answer
    }

    /// Types a session ID; answers the status and the problem, if there is one.
    pub async fn looks_up(&self, id: &str) -> (u16, String) {
        let answer = self.get(&format!("/console/session/{}", id.replace(' ', "%20"))).await;
        let problem = serde_json::from_str::<Value>(&answer.text()).unwrap_or_default();
        (answer.status, problem["error"].as_str().unwrap_or_default().to_owned())
    }

    /// Joins and waits for the first status.
    pub async fn join(&mut self, id: &str) {
        self.connect(id).await;
        self.hears("welcome").await;
    }

    pub async fn connect(&mut self, id: &str) {
        let url = format!("ws://{}/console/session/{id}/socket", self.console);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", format!("http://{}", self.console).parse().unwrap());
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        self.session = id.to_owned();
        self.socket = Some(tokio_tungstenite::connect_async(request).await.unwrap().0);
    }

    pub async fn vanish(&mut self) {
        if let Some(mut socket) = self.socket.take() {
            let _ = socket.close(None).await;
        }
    }

    /// Loses the network: the connection goes without a word.
    pub async fn loses_the_network(&mut self) {
        use tokio::io::AsyncWriteExt as _;
        if let Some(socket) = &mut self.socket {
            let _ = socket.get_mut().shutdown().await;
        }
    }

    pub async fn says(&mut self, message: Value) {
        self.send(Message::Text(message.to_string().into())).await;
    }

    pub async fn send(&mut self, message: Message) {
        let _ = self.socket.as_mut().unwrap().send(message).await;
    }

    /// Asks for an action; answers why it was refused, or `done`.
    pub async fn acts(&mut self, action: Value) -> String {
        let seq = self.asks(action).await;
        self.outcome(seq).await
    }

    pub async fn asks(&mut self, action: Value) -> u32 {
        self.seq += 1;
        self.says(json!({ "type": "act", "seq": self.seq, "epoch": self.mirror.epoch, "action": action }))
            .await;
        self.seq
    }

    pub async fn outcome(&mut self, seq: u32) -> String {
        let right = |message: &Value| message["seq"] == seq;
        let message = self.hears_that("the outcome", right).await;
        message["reason"].as_str().unwrap_or("done").to_owned()
    }

    /// Waits until the view was built anew.
    pub async fn sees_page(&mut self) {
        let begun = self.mirror.begun;
        self.sees_that("a page", |mirror| mirror.begun > begun).await;
    }

    /// Waits until this text is in the view.
    pub async fn sees(&mut self, text: &str) {
        self.sees_that(text, |mirror| mirror.text().contains(text)).await;
    }

    pub async fn sees_that(&mut self, what: &str, right: impl Fn(&Mirror) -> bool) {
        while !right(&self.mirror) {
            if let Err(code) = self.next(what).await {
                panic!("closed with {code} before {what}; the view: {:#?}", self.mirror);
            }
        }
    }

    pub async fn hears(&mut self, kind: &str) -> Value {
        self.hears_that(kind, |message| message["type"] == kind).await
    }

    pub async fn hears_status(&mut self, right: impl Fn(&Value) -> bool) -> Value {
        self.hears_that("a status", |message| message["type"] == "status" && right(&message["status"])).await
    }

    pub async fn hears_that(&mut self, what: &str, right: impl Fn(&Value) -> bool) -> Value {
        // Where much else is said, each message alone would be in time.
        let until = tokio::time::Instant::now() + DEADLINE;
        loop {
            match self.next(what).await {
                Ok(Some(message)) if right(&message) => return message,
                Ok(_) if tokio::time::Instant::now() < until => {}
                Ok(_) => panic!("{what} did not come; heard: {:#?}", self.heard),
                Err(code) => panic!("closed with {code} before {what}; heard: {:#?}", self.heard),
            }
        }
    }

    pub async fn is_closed(&mut self) -> (u16, String) {
        loop {
            if let Err(closed) = self.next("the end of the connection").await {
                let (code, reason) = closed.split_once(' ').unwrap();
                return (code.parse().unwrap(), reason.to_owned());
            }
        }
    }

    async fn next(&mut self, what: &str) -> Result<Option<Value>, String> {
        let (mirror, heard) = (&self.mirror, &self.heard);
        let socket = self.socket.as_mut().expect("the agent has joined");
        match soon("what the agent waits for", || format!("{what}\n{mirror:#?}\n{heard:#?}"), socket.next())
            .await
        {
            Some(Ok(Message::Text(text))) => {
                self.received.add(text.as_bytes());
                let message: Value = serde_json::from_str(&text).unwrap();
                self.heard.push(message.clone());
                Ok(Some(message))
            }
            Some(Ok(Message::Binary(bytes))) => {
                self.received.add(&inflate(&bytes, 64 << 20).unwrap());
                self.mirror.apply(&bytes);
                Ok(None)
            }
            Some(Ok(Message::Close(Some(frame)))) => {
                Err(format!("{} {}", u16::from(frame.code), frame.reason))
            }
            Some(Ok(_)) => Ok(None),
            Some(Err(_)) | None => Err("1006 lost".into()),
        }
    }
}

/// What the login form sends.
pub async fn log_in(console: SocketAddr, name: &str, password: &str) -> Answer {
    let body = json!({ "username": name, "password": password }).to_string();
    let headers = [("Content-Type", "application/json"), ("Tandem", "1")];
    request(console, "POST", "/console/login", &headers, body.as_bytes()).await
}
