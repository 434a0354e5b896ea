//! A model of a customer's browser.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::http::request;
use super::page::{PageWriter, Piece};
use super::{DEADLINE, soon};

pub struct Customer {
    site: SocketAddr,
    id: String,
    pub cookie: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub page: PageWriter,
    pub heard: Vec<Value>,
    pub url: String,
    tab: String,
    shared: Option<u32>,
}

impl Customer {
    /// Presses the button and connects.
    pub async fn start(site: SocketAddr) -> Customer {
        let origin = format!("http://{site}");
        let answer =
            request(site, "POST", "/.tandem/session", &[("Origin", &origin), ("Tandem", "1")], b"").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id =
            serde_json::from_str::<Value>(&answer.text()).unwrap()["sessionId"].as_str().unwrap().to_owned();
        let cookie = answer.cookie().unwrap();
        let tab = "first".to_owned();
        let socket = connect(site, &cookie, &tab, true).await;
        let url = format!("{origin}/");
        Customer {
            site,
            id,
            cookie,
            socket,
            page: PageWriter::default(),
            heard: Vec::new(),
            url,
            tab,
            shared: None,
        }
    }

    /// Opens another tab, and looks at it or not.
    pub async fn opens_tab(&self, tab: &str, looking: bool) -> Customer {
        Customer {
            site: self.site,
            id: self.id.clone(),
            cookie: self.cookie.clone(),
            socket: connect(self.site, &self.cookie, tab, looking).await,
            page: PageWriter::default(),
            heard: Vec::new(),
            url: self.url.clone(),
            tab: tab.to_owned(),
            shared: None,
        }
    }

    /// A ticket for what the frame with this `id` attribute shows.
    pub async fn invites(&mut self, id: &str) -> String {
        let (frame, epoch) = (self.node(id), self.page.epoch);
        self.says(json!({ "type": "invite", "epoch": epoch, "frame": frame })).await;
        let ticket = self.hears("ticket").await;
        assert_eq!(ticket["frame"], frame);
        ticket["ticket"].as_str().unwrap().to_owned()
    }

    /// A document at `url` of another host uses a ticket; `origin` is where its browser says that it is from.
    pub async fn inset(&self, ticket: &str, origin: &str, url: &str) -> Customer {
        let query: String = form_urlencoded(&[("ticket", ticket), ("url", url)]);
        let asked = format!("ws://{}/.tandem/session/inset?{query}", self.site);
        let mut request = asked.into_client_request().unwrap();
        let host = origin.split("//").nth(1).unwrap_or_default();
        request.headers_mut().insert("host", host.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        Customer {
            site: self.site,
            id: self.id.clone(),
            cookie: String::new(),
            socket: tokio_tungstenite::connect_async(request).await.unwrap().0,
            page: PageWriter::default(),
            heard: Vec::new(),
            url: url.to_owned(),
            tab: String::new(),
            shared: None,
        }
    }

    /// Sends all of such a document once the server asks for it.
    pub async fn show_inset(&mut self, body: &[Piece]) {
        let first = self.hears("share_inset").await["first"].as_u64().unwrap() as u32;
        let url = self.url.clone();
        let frame = self.page.snapshot_from(first, 0, &url, body);
        self.send_bytes(frame).await;
    }

    /// Looks at this tab.
    pub async fn looks(&mut self) {
        self.says(json!({ "type": "looking", "url": self.url })).await;
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Goes to another page, or loads this one again: a new connection.
    pub async fn reconnect(&mut self) {
        let _ = self.socket.close(None).await;
        self.socket = connect(self.site, &self.cookie, &self.tab, true).await;
        self.shared = None;
    }

    /// Connects to the server that was started in place of the one before.
    pub async fn return_to(&mut self, site: SocketAddr) {
        self.site = site;
        self.reconnect().await;
    }

    /// Connects over what was open already.
    pub async fn connects_over(&mut self, open: TcpStream) {
        let request = opening(self.site, &self.cookie, &self.tab, true);
        let stream = MaybeTlsStream::Plain(open);
        self.socket = tokio_tungstenite::client_async(request, stream).await.unwrap().0;
        self.shared = None;
    }

    /// Closes the tab.
    pub async fn vanish(&mut self) {
        let _ = self.socket.close(None).await;
    }

    /// Loses the network: the connection goes without a word.
    pub async fn loses_the_network(&mut self) {
        use tokio::io::AsyncWriteExt as _;
        let _ = self.socket.get_mut().shutdown().await;
    }

    /// Sends a snapshot once the server asks for it.
    pub async fn show(&mut self, body: &[Piece]) {
        let epoch = match self.shared {
            Some(epoch) => epoch,
            None => self.hears("share").await["epoch"].as_u64().unwrap() as u32,
        };
        let url = self.url.clone();
        let frame = self.page.snapshot(epoch, &url, body);
        self.send_bytes(frame).await;
    }

    /// The wire's number of the element with this `id` attribute.
    pub fn node(&self, id: &str) -> u32 {
        self.page.ids[id]
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::Binary(bytes.into())).await;
    }

    pub async fn says(&mut self, message: Value) {
        let _ = self.socket.send(Message::Text(message.to_string().into())).await;
    }

    /// Allows what the agent asked for.
    pub async fn allows(&mut self) {
        let last = self.heard.iter().rev().find(|message| message["type"] == "status");
        if last.is_none_or(|message| message["status"]["writeRequested"] != true) {
            self.hears_status(|status| status["writeRequested"] == true).await;
        }
        self.says(json!({ "type": "answer", "allow": true })).await;
    }

    /// The newest message of this type that has come.
    pub fn hears_last(&self, kind: &str) -> &Value {
        self.heard.iter().rev().find(|message| message["type"] == kind).expect("it has come")
    }

    /// Waits for a message of this type.
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
                Ok(message) if right(&message) => return message,
                Ok(_) if tokio::time::Instant::now() < until => {}
                Ok(_) => panic!("{what} did not come; heard: {:#?}", self.heard),
                Err(code) => panic!("closed with {code} before {what}; heard: {:#?}", self.heard),
            }
        }
    }

    /// Waits until the server closes the connection; answers its code and reason.
    pub async fn is_closed(&mut self) -> (u16, String) {
        loop {
            if let Err(closed) = self.next("the end of the connection").await {
                let (code, reason) = closed.split_once(' ').unwrap();
                return (code.parse().unwrap(), reason.to_owned());
            }
        }
    }

    /// Says so much more to a server that has closed the connection, closes it too, and waits for the end. Answers
    /// what went wrong with the socket.
    pub async fn talks_on(&mut self) -> std::io::Result<()> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        // By hand: after a close tungstenite says nothing any more. Final texts of 65,535 bytes, masked with zeros.
        let mut text = vec![0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0];
        text.resize(text.len() + 0xFFFF, 0);
        let close = [0x88, 0x80, 0, 0, 0, 0];
        let socket = self.socket.get_mut();
        for _ in 0..40 {
            socket.write_all(&text).await?;
        }
        socket.write_all(&close).await?;
        let end = soon("the end", || "it does not come".into(), socket.read_to_end(&mut Vec::new())).await;
        end.map(drop)
    }

    async fn next(&mut self, what: &str) -> Result<Value, String> {
        loop {
            let heard = &self.heard;
            match soon("what the customer waits for", || format!("{what}\n{heard:#?}"), self.socket.next())
                .await
            {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "share" {
                        self.shared = message["epoch"].as_u64().map(|epoch| epoch as u32);
                    }
                    self.heard.push(message.clone());
                    return Ok(message);
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(format!("{} {}", u16::from(frame.code), frame.reason));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err("1006 lost".into()),
            }
        }
    }
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let mut url = url::Url::parse("http://x/").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

async fn connect(
    site: SocketAddr,
    cookie: &str,
    tab: &str,
    looking: bool,
) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    tokio_tungstenite::connect_async(opening(site, cookie, tab, looking)).await.unwrap().0
}

fn opening(site: SocketAddr, cookie: &str, tab: &str, looking: bool) -> Request {
    let looking = u8::from(looking);
    let url =
        format!("ws://{site}/.tandem/session/socket?url=http%3A%2F%2F{site}%2F&tab={tab}&looking={looking}");
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("origin", format!("http://{site}").parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request
}
