//! Puts the parts together: build does no I/O, start binds and serves, stop drains.

mod assets;
mod capture;
mod reload;

pub use self::reload::Reloads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::console::{self, Console};
use crate::policy::Policies;
use crate::proxy::{self, Proxy};
use crate::session::Sessions;
use crate::store::{self, Store};
use crate::sync;

/// How long a stop waits for what is in flight.
const DRAIN: Duration = Duration::from_secs(10);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    site: SocketAddr,
    console: SocketAddr,
    reloads: watch::Sender<Reloads>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address can not be listened on.
    #[error("can not listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The agents' file can not be used.
    #[error(transparent)]
    Agents(#[from] console::agents::Error),
    /// The store can not be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The proxy's settings make no sense.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
}

impl Server {
    /// Starts serving. Policies are read already: a server never runs without them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(config: Config, policies: Policies) -> Result<Server, Error> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let store = Arc::new(Store::open(&config.store)?);
        match store.end_all("server_shutdown")? {
            0 => {}
            sessions => tracing::info!(sessions, "ended what an earlier run left open"),
        }
        let agents = console::agents::Agents::read(&config.console.agents)?;
        if agents.is_empty() {
            tracing::warn!(file = %config.console.agents.display(), "nobody can log in: add an agent with `tandem agent add`");
        }
        let site = listen(config.proxy.listen).await?;
        let console = listen(config.console.listen).await?;
        let addresses = (local(&site, config.proxy.listen), local(&console, config.console.listen));

        let reloads = watch::Sender::default();
        let watched = policies.folder().map(|(folder, stamp)| (folder.to_owned(), stamp.clone()));
        let sessions =
            Sessions::new(config.session.clone(), Arc::new(policies), store, tasks.clone(), stop.clone());
        if let Some((folder, stamp)) = watched {
            let following = reload::follow(folder, stamp, sessions.clone(), reloads.clone());
            let stop = stop.clone();
            tasks.spawn(async move { stop.run_until_cancelled(following).await });
        }
        let proxy = Proxy::new(
            config.proxy_settings(assets::loader_tag()),
            own_routes(&config, &sessions),
            Arc::new(capture::SessionCapture(sessions.clone())),
        )?;
        tasks.spawn(proxy.serve(site, tasks.clone(), stop.clone()));
        tasks.spawn(serve_console(console, console_routes(&config, &sessions, agents), stop.clone()));
        Ok(Server { site: addresses.0, console: addresses.1, reloads, tasks, stop })
    }

    /// Where customers' browsers connect.
    pub fn site(&self) -> SocketAddr {
        self.site
    }

    /// Where agents' browsers connect.
    pub fn console(&self) -> SocketAddr {
        self.console
    }

    /// What becomes of changes to the policy files. Policies that were not read from a folder never change.
    pub fn reloads(&self) -> watch::Receiver<Reloads> {
        self.reloads.subscribe()
    }

    /// Runs something beside the server, until it stops.
    pub fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(work).await });
    }

    /// Tells every session that the server stops and waits, for a bounded time, for what is in flight.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "stopped with something still in flight");
        }
    }
}

/// What lives under `/.tandem/` on the site's host.
fn own_routes(config: &Config, sessions: &Sessions) -> Router {
    let own = sync::customer::routes(sessions.clone(), config.customers()).merge(assets::routes());
    Router::new().nest("/.tandem", own)
}

fn console_routes(config: &Config, sessions: &Sessions, agents: console::agents::Agents) -> Router {
    let console =
        Console::new(sessions.clone(), agents, assets::CONSOLE, config.console.public.scheme() == "https");
    let admission: sync::agent::Admission = Arc::new({
        let console = console.clone();
        move |headers| console.who(headers)
    });
    console.routes().merge(sync::agent::routes(sessions.clone(), config.socket, admission))
}

async fn serve_console(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "the console stopped");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}
