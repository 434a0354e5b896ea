//! The way to a session's task: every call is a message, so that all that happens to a session has one order.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use url::Url;

use super::link::{AgentLink, CustomerLink, Fresh, Hello, JoinError};
use super::record::{About, TooMuch};
use super::resources::Resources;
use crate::protocol::agent::{FromAgent, Role};
use crate::protocol::customer::FromCustomer;
use crate::protocol::page::PageFrame;
use crate::protocol::session::AwayReason;
use crate::protocol::{EndReason, Phase, SessionId, Status};

/// The way to a session's task. Calls after its end do nothing, or say so.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) id: SessionId,
    pub(super) inbox: mpsc::Sender<Command>,
    pub(super) resources: Arc<Resources>,
    pub(super) status: watch::Receiver<Status>,
    pub(super) about: watch::Receiver<Arc<About>>,
    pub(super) shown: watch::Receiver<Option<Arc<str>>>,
    pub(super) started: u64,
    pub(super) site_name: Arc<str>,
}

impl Handle {
    /// The ID that is read aloud.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// What an agent may be given of the site.
    pub fn resources(&self) -> &Arc<Resources> {
        &self.resources
    }

    /// How the session stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// A tab of the customer's browser connected. Takes the place of its earlier connection. None after the end.
    pub async fn join_as_customer(&self, hello: Hello) -> Option<CustomerLink> {
        self.ask(|reply| Command::CustomerJoin { hello, reply }).await
    }

    /// A document of another host in a frame of the customer's page has a ticket of this session. None: it is not valid, or
    /// not any more. `origin`: where the browser says that the document is from.
    pub async fn join_as_inset(&self, ticket: String, origin: Url, url: Url) -> Option<CustomerLink> {
        if url.origin() != origin.origin() {
            return None;
        }
        self.ask(|reply| Command::InsetJoin { ticket, url, reply }).await.flatten()
    }

    /// Whether somebody of the console is in this session now, or holds it.
    pub fn admits(&self, name: &str) -> bool {
        let status = self.status.borrow();
        status.agent_name.as_deref() == Some(name) || status.watchers.iter().any(|watcher| watcher == name)
    }

    /// The customer's browser says something.
    pub async fn customer_says(&self, connection: u64, message: FromCustomer) {
        self.tell(Command::CustomerSays { connection, message }).await;
    }

    /// The customer's browser shows a piece of its page.
    pub async fn customer_shows(&self, connection: u64, frame: PageFrame) {
        self.tell(Command::CustomerShows { connection, frame }).await;
    }

    /// The customer's connection is gone.
    pub async fn customer_left(&self, connection: u64, why: AwayReason) {
        self.tell(Command::CustomerLeft { connection, why }).await;
    }

    /// An agent comes.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub async fn join_as_agent(&self, name: String, role: Role) -> Result<AgentLink, JoinError> {
        self.ask(|reply| Command::AgentJoin { name, role, reply }).await.unwrap_or(Err(JoinError::Ended))
    }

    /// An agent's browser says something.
    pub async fn agent_says(&self, connection: u64, message: FromAgent) {
        self.tell(Command::AgentSays { connection, message }).await;
    }

    /// A fresh view and the feed that continues it, for a mirror that fell behind or `diverged`. None after the end.
    pub async fn resync(&self, connection: u64, diverged: bool) -> Option<Fresh> {
        self.ask(|reply| Command::AgentResync { connection, diverged, reply }).await
    }

    /// An agent's connection is gone.
    pub async fn agent_left(&self, connection: u64, why: AwayReason) {
        self.tell(Command::AgentLeft { connection, why }).await;
    }

    /// A browser's answers are slow from now on, or are not any more.
    pub async fn paced(&self, connection: u64, slow: bool) {
        self.tell(Command::Paced { connection, slow }).await;
    }

    /// What the session is about, as last said.
    pub fn about(&self) -> Arc<About> {
        self.about.borrow().clone()
    }

    /// The address of the page that is shared, as its agent may see it, without query and fragment.
    pub fn address(&self) -> Option<Arc<str>> {
        self.shown.borrow().clone()
    }

    /// When the customer started it, in milliseconds since 1970.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// What the site's server is told that the session is called.
    pub fn site_name(&self) -> &str {
        &self.site_name
    }

    /// Says what the session is about, in place of what was said before.
    ///
    /// # Errors
    /// When it is too large.
    pub async fn attach(&self, about: About) -> Result<(), TooMuch> {
        about.check()?;
        self.ask(|reply| Command::Attach { about, reply }).await;
        Ok(())
    }

    /// Whether the customer's browser may save what this address brings: not as an agent's doing.
    pub async fn may_save(&self, url: Url) -> bool {
        self.ask(|reply| Command::Saves { url, reply }).await.unwrap_or(true)
    }

    /// Ends the session from outside. Returns once it has ended, by this or by something that came before.
    pub async fn end(&self, reason: EndReason) {
        self.tell(Command::End { reason }).await;
        // A task that is gone has ended too.
        let _ = self.status.clone().wait_for(|status| status.phase == Phase::Ended).await;
    }

    async fn tell(&self, command: Command) {
        // The task is gone only when the session has ended: there is nobody left to tell.
        let _ = self.inbox.send(command).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// What a session's task can be told.
#[derive(Debug)]
pub(super) enum Command {
    CustomerJoin { hello: Hello, reply: oneshot::Sender<CustomerLink> },
    InsetJoin { ticket: String, url: Url, reply: oneshot::Sender<Option<CustomerLink>> },
    CustomerSays { connection: u64, message: FromCustomer },
    CustomerShows { connection: u64, frame: PageFrame },
    CustomerLeft { connection: u64, why: AwayReason },
    AgentJoin { name: String, role: Role, reply: oneshot::Sender<Result<AgentLink, JoinError>> },
    AgentSays { connection: u64, message: FromAgent },
    AgentResync { diverged: bool, connection: u64, reply: oneshot::Sender<Fresh> },
    AgentLeft { connection: u64, why: AwayReason },
    Paced { connection: u64, slow: bool },
    Attach { about: About, reply: oneshot::Sender<()> },
    Saves { url: Url, reply: oneshot::Sender<bool> },
    End { reason: EndReason },
}

impl Command {
    /// Nodes and operations that it brings.
    pub(super) fn weight(&self) -> usize {
        match self {
            Command::CustomerShows { frame, .. } => frame.weight(),
            _ => 0,
        }
    }

    /// Whether it may take a look at the whole page.
    pub(super) fn is_about_page(&self) -> bool {
        match self {
            Command::CustomerSays { message, .. } => matches!(message, FromCustomer::Typed { .. }),
            Command::CustomerJoin { .. }
            | Command::CustomerLeft { .. }
            | Command::CustomerShows { .. }
            | Command::AgentJoin { .. }
            | Command::AgentResync { .. } => true,
            _ => false,
        }
    }
}
