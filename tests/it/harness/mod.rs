//! The rig: a site, a server before it, a model customer and a model agent, so that a test reads as a story.
//!
//! Every wait has a deadline; what was seen until then is printed when it strikes.

pub mod agent;
pub mod customer;
pub mod http;
pub mod page;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use tandem::config::Config;
use tandem::console::agents::Agents;
use tandem::policy::Policies;
use tandem::protocol::agent::Role;
use tandem::proxy::Site;
use tandem::server::Server;
use tempfile::TempDir;

pub use agent::Agent;
pub use customer::Customer;

/// How long a test waits for what it expects.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The agents of the rig and their password.
pub const AGENTS: [&str; 2] = ["ann", "ben"];
pub const PASSWORD: &str = "a good password";
/// Hashed once for all tests: it is slow on purpose.
static EVERYBODY: LazyLock<Agents> = LazyLock::new(|| {
    let mut everybody = Agents::default();
    for (name, role) in AGENTS
        .map(|name| (name, Role::Agent))
        .into_iter()
        .chain([("sue", Role::Supervisor), ("amy", Role::Admin)])
    {
        everybody.add(name, role, PASSWORD).unwrap();
    }
    everybody
});

pub const POLICY: &str = r##"
[[mask]]
select = "#ssn, .card"
label = "Your number is hidden from the agent"
[[hide]]
select = ".balance"
[[control]]
select = "form.newsletter [type=submit]"
agent = "enabled"
[[navigate]]
urls = ["/logout"]
agent = "denied"
"##;

const POLICY_FILE: &str = "policies/test.toml";

/// A server before a site, for one test.
pub struct Rig {
    pub site: SocketAddr,
    pub console: SocketAddr,
    server: Option<Server>,
    login: tokio::sync::OnceCell<String>,
    folder: TempDir,
    stop: tokio_util::sync::CancellationToken,
}

/// What a test wants to be different.
pub struct Setup {
    pub origin: Router,
    pub policy: String,
    pub change: Box<dyn FnOnce(&mut Config) + Send>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { origin: Router::new(), policy: POLICY.into(), change: Box::new(|_| ()) }
    }
}

impl Rig {
    pub async fn start() -> Rig {
        Rig::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        Rig::within(setup, folder).await
    }

    async fn within(setup: Setup, folder: TempDir) -> Rig {
        let stop = tokio_util::sync::CancellationToken::new();
        let origin = serve(setup.origin, stop.clone()).await;
        let mut config = configure(origin, folder.path());
        (setup.change)(&mut config);
        std::fs::create_dir_all(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join(POLICY_FILE), setup.policy).unwrap();
        let policies = Policies::load(&folder.path().join("policies")).unwrap();
        let server = Server::start(config, policies).await.unwrap();
        Rig {
            site: server.site(),
            console: server.console(),
            server: Some(server),
            login: Default::default(),
            folder,
            stop,
        }
    }

    /// Stops the server and starts another one with the same data.
    pub async fn restart(self) -> Rig {
        self.restart_with(Setup::default()).await
    }

    pub async fn restart_with(mut self, setup: Setup) -> Rig {
        self.server.take().unwrap().stop().await;
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Rig::within(setup, folder).await
    }

    /// A file of the server's folder.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The administrator saves the policy file.
    pub fn policy(&self, text: &str) {
        std::fs::write(self.folder.path().join(POLICY_FILE), text).unwrap();
    }

    /// The administrator takes the policy file away.
    pub fn no_policy(&self) {
        std::fs::remove_file(self.folder.path().join(POLICY_FILE)).unwrap();
    }

    /// Waits until so many changes of the policy file were found to be broken.
    pub async fn refuses_policies(&self, count: u64) {
        let mut reloads = self.server.as_ref().unwrap().reloads();
        let seen = reloads.clone();
        let wait = reloads.wait_for(|reloads| reloads.broken == count);
        let reloads = soon("a refused policy", || format!("{:?}", seen.borrow()), wait).await.unwrap();
        assert!(!reloads.errors.is_empty());
    }

    /// A customer who pressed the button.
    pub async fn customer(&self) -> Customer {
        Customer::start(self.site).await
    }

    /// An agent who is logged in. The rig logs in once: a password takes its time.
    pub async fn agent(&self) -> Agent {
        let log_in = async { Agent::log_in(self.console, AGENTS[0]).await.cookie };
        Agent::logged_in(self.console, self.login.get_or_init(|| log_in).await.clone())
    }

    /// A customer and an agent in a session, with a page.
    pub async fn session(&self, html: &[page::Piece]) -> (Customer, Agent) {
        let mut customer = self.customer().await;
        let mut agent = self.agent().await;
        agent.join(customer.id()).await;
        customer.show(html).await;
        agent.sees_page().await;
        (customer, agent)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn configure(origin: SocketAddr, folder: &Path) -> Config {
    let file = folder.join("agents.toml");
    // After a restart it is there, and has the same hashes: so logins live on.
    if !file.exists() {
        EVERYBODY.write(&file).unwrap();
    }
    let site = Site::new("http://shop.test".parse().unwrap(), format!("http://{origin}").parse().unwrap());
    let mut config = Config::new(site, "http://agents.test".parse().unwrap(), folder);
    config.proxy.listen = "127.0.0.1:0".parse().unwrap();
    config.console.listen = "127.0.0.1:0".parse().unwrap();
    // A model browser answers only while the test waits for it.
    config.socket.heartbeat = std::time::Duration::from_secs(60);
    config
}

/// Serves a site until the test is over.
pub async fn serve(site: Router, stop: tokio_util::sync::CancellationToken) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[allow(clippy::disallowed_methods)] // The rig's own: it ends with the test.
    tokio::spawn(async move {
        let service = site.into_make_service_with_connect_info::<SocketAddr>();
        let _ = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
    });
    address
}

/// Waits for what must come, or fails with what was seen.
pub async fn soon<T>(what: &str, seen: impl Fn() -> String, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, wait).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen; seen until then:\n{}", seen()),
    }
}

/// Everything that went over a wire, for the search for canaries.
#[derive(Debug, Clone, Default)]
pub struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    pub fn add(&self, bytes: &[u8]) {
        let mut all = self.0.lock().unwrap();
        all.extend_from_slice(bytes);
        all.push(b'\n');
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn contains(&self, text: &str) -> bool {
        memchr::memmem::find(&self.0.lock().unwrap(), text.as_bytes()).is_some()
    }
}
