//! Puts the parts together: build does no I/O, start binds and serves, stop drains.

mod administration;
mod agents;
mod assets;
mod capture;
mod door;
mod inherit;
mod memory;
mod monitoring;
mod reload;

pub use self::inherit::Inherited;
pub use self::reload::Reloads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Api;
use crate::config::Config;
use crate::console::{self, Console};
use crate::policy::{self, Policies};
use crate::proxy::{self, AccessLog, Entrance, Front, Proxy};
use crate::session::{self, Links, Sessions};
use crate::store::{self, Store};
use crate::sync;
use crate::tls;

/// How long a stop waits, after the listeners cut off what is in flight, for what else there is.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    site: SocketAddr,
    console: SocketAddr,
    reloads: watch::Sender<Reloads>,
    front: Front,
    metrics: proxy::Metrics,
    log: Option<AccessLog>,
    limits: proxy::Limits,
    sessions: Sessions,
    tasks: TaskTracker,
    /// It takes no more work, and soon stops.
    leaving: CancellationToken,
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
    /// The access log can not be written.
    #[error("the access log can not be opened: {0}")]
    AccessLog(#[source] std::io::Error),
    /// The certificates can not be used.
    #[error(transparent)]
    Tls(#[from] tls::Error),
}

impl Server {
    /// Starts serving. Policies are read already: a server never runs without them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(config: Config, policies: Policies) -> Result<Server, Error> {
        Server::start_on(Inherited::default(), config, policies).await
    }

    /// The same, on listeners that are open already.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_on(
        mut inherited: Inherited,
        config: Config,
        policies: Policies,
    ) -> Result<Server, Error> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let store = Arc::new(Store::open(&config.store)?);
        let agents = console::agents::Agents::read(&config.console.agents)?;
        if agents.is_empty() {
            tracing::warn!(file = %config.console.agents.display(), "nobody can log in: add an agent with `tandem agent add`");
        }
        let site = entrance(inherited.site(config.proxy.listen).await?, &config.proxy.tls)?;
        let console = entrance(inherited.console(config.console.listen).await?, &config.console.tls)?;
        let addresses = (local(&site, config.proxy.listen), local(&console, config.console.listen));

        let mut registry = Registry::with_prefix("tandem");
        let counted = (session::Metrics::register(&mut registry), proxy::Metrics::register(&mut registry));
        let governed = policy::Metrics::register(&mut registry);
        let reloads = watch::Sender::default();
        let watched = policies.folder().map(|(folder, stamp)| (folder.to_owned(), stamp.clone()));
        policies.count_for(&governed);
        governed.in_force(policies.len());
        let sessions = Sessions::new(
            config.session.clone(),
            Arc::new(policies),
            store.clone(),
            counted.0,
            tasks.clone(),
            stop.clone(),
        );
        match sessions.restore().await? {
            0 => {}
            count => tracing::info!(sessions = count, "going on with the sessions of an earlier run"),
        }
        let (forgetting, age, stopped) = (sessions.clone(), config.history, stop.clone());
        tasks.spawn(async move { stopped.run_until_cancelled(forgetting.forget(age)).await });
        if let Some((folder, stamp)) = watched {
            let following = reload::follow(folder, stamp, sessions.clone(), governed, reloads.clone());
            let stop = stop.clone();
            tasks.spawn(async move { stop.run_until_cancelled(following).await });
        }
        let log = config.access_log.clone().map(|settings| AccessLog::start(settings, &counted.1, &tasks));
        let log = log.transpose().map_err(Error::AccessLog)?;
        let metrics = counted.1;
        let front = Front::new(front(&config, &sessions, &metrics, log.clone())?);
        let stopped = stop.clone();
        tasks.spawn(async move { stopped.run_until_cancelled(memory::give_back()).await });
        tasks.spawn(front.clone().serve(site, tasks.clone(), stop.clone()));
        let leaving = stop.child_token();
        let monitoring = monitoring::routes(registry, config.metrics.clone(), leaving.clone());
        let limits = config.limits.clone();
        let reports = administration::reports(sessions.clone(), reloads.subscribe(), leaving.clone());
        let (routes, agents) = console_routes(&config, &sessions, agents, store, reports)?;
        let (following, stopped) = (agents::follow(config.console.agents.clone(), agents), stop.clone());
        tasks.spawn(async move { stopped.run_until_cancelled(following).await });
        let routes = routes.merge(monitoring);
        let serving = proxy::serve_routes(
            routes,
            console,
            config.limits,
            config.trusted,
            metrics.clone(),
            tasks.clone(),
            stop.clone(),
        );
        tasks.spawn(serving);
        let (site, console) = addresses;
        Ok(Server { site, console, reloads, front, metrics, log, limits, sessions, tasks, leaving, stop })
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

    /// Puts changed settings in force: those of the sites, the widget, the proxies that are trusted and the limits of the
    /// site's listener. All others need a new start.
    ///
    /// # Errors
    /// [`Error`]; then nothing has changed.
    pub fn reload(&self, config: &Config) -> Result<(), Error> {
        self.front.replace(front(config, &self.sessions, &self.metrics, self.log.clone())?);
        Ok(())
    }

    /// Opens the access log anew, after it was renamed by who rotates logs.
    pub fn reopen_log(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }

    /// Tells everybody that the server stops, waits, for a bounded time, for what is in flight, and leaves the
    /// sessions in the store for the next server.
    pub async fn stop(self) {
        self.leaving.cancel();
        tokio::time::sleep(self.limits.stop_delay).await;
        self.stop.cancel();
        self.tasks.close();
        // It ends when nobody can write to it any more.
        drop((self.log, self.front));
        if tokio::time::timeout(self.limits.drain + PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "stopped with something still in flight");
        }
        if let Err(error) = self.sessions.flush().await {
            tracing::error!(%error, "the last words of sessions were not written");
        }
    }
}

fn front(
    config: &Config,
    sessions: &Sessions,
    metrics: &proxy::Metrics,
    log: Option<AccessLog>,
) -> Result<Arc<Proxy>, Error> {
    let sharing = Arc::new(capture::SessionCapture(sessions.clone()));
    let scripts = assets::Scripts::new(&config.widget, &config.sites);
    let settings = config.proxy_settings(scripts.tag());
    let own = sync::customer::routes(sessions.clone(), config.customers()).merge(scripts.routes());
    Ok(Proxy::new(settings, Router::new().nest("/.tandem", own), sharing, metrics, log)?)
}

fn console_routes(
    config: &Config,
    sessions: &Sessions,
    agents: console::agents::Agents,
    store: Arc<Store>,
    reports: console::Reports,
) -> Result<(Router, Arc<Console>), store::Error> {
    let links = Links::default();
    let api = Api::new(sessions.clone(), links.clone(), config.api.clone(), config.console.public.clone());
    let console = Console::new(
        sessions.clone(),
        agents,
        store,
        config.console.settings.clone(),
        links,
        (assets::CONSOLE, reports),
        config.console.public.scheme() == "https",
    )?;
    let door = Arc::new(door::ConsoleDoor(console.clone()));
    let agents = console.routes().merge(sync::agent::routes(sessions.clone(), config.socket, door));
    Ok((agents.merge(api.routes()), console))
}

fn entrance(listener: TcpListener, pairs: &[tls::Pair]) -> Result<Entrance, Error> {
    let tls = if pairs.is_empty() { None } else { Some(tls::Acceptor::new(pairs)?) };
    Ok(Entrance { listener, tls })
}

fn local(entrance: &Entrance, asked: SocketAddr) -> SocketAddr {
    entrance.listener.local_addr().unwrap_or(asked)
}
