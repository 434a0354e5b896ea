//! `tandem demo`: a shop, the proxy before it and the console, with nothing to set up.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::{FAILED, FINE, UNUSABLE, asked_to_stop, local_url, log, on_runtime};
use crate::api;
use crate::config::Config;
use crate::console::agents::Agents;
use crate::demo::{Contact, Shop};
use crate::policy::{Diagnostic, Policies};
use crate::protocol::agent::Role;
use crate::proxy::Site;
use crate::server::{self, Server};

/// The demo's policies: what every site wants, and what is private in the shop.
const POLICIES: [(&str, &str); 2] = [
    ("default.toml", include_str!("../../policies/default.toml")),
    ("shop.toml", include_str!("../../policies/demo/shop.toml")),
];

const AGENT: &str = "agent";
const ADMIN: &str = "admin";

/// What the demo can be told.
#[derive(Debug, Clone, Args)]
pub(super) struct Demo {
    /// Where the shop is to be found.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    site: SocketAddr,
    /// Where agents find their console.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))]
    console: SocketAddr,
    /// Where the shop's chat desk is to be found. By default at any free port.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    desk: SocketAddr,
    /// Where the demo keeps what it writes. By default a new folder among the temporary files.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Default for Demo {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Demo { site: local(8080), console: local(8081), desk: local(0), data: None }
    }
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
    #[error("{0}\n\nIs something else there? Choose another address: tandem demo {1} 127.0.0.1:PORT")]
    Taken(server::Error, &'static str),
    #[error(transparent)]
    Server(#[from] server::Error),
    #[error(transparent)]
    Agents(#[from] crate::console::agents::Error),
    #[error("the policies have mistakes")]
    Policies(Vec<Diagnostic>),
    #[error(
        "the chat desk can not be served: {0}\n\nChoose another address: tandem demo --desk 127.0.0.1:PORT"
    )]
    Desk(std::io::Error),
    #[error("the shop can not be served: {0}")]
    Shop(std::io::Error),
}

pub(super) fn run(demo: Demo) -> u8 {
    log("tandem=warn");
    on_runtime(async {
        match start(&demo).await {
            Ok(started) => {
                say(&started);
                asked_to_stop().await;
                started.server.stop().await;
                FINE
            }
            Err(Error::Policies(errors)) => {
                super::complain(&errors);
                UNUSABLE
            }
            Err(error) => {
                eprintln!("tandem demo: {error}");
                FAILED
            }
        }
    })
}

struct Started {
    server: Server,
    desk: SocketAddr,
    password: String,
    data: PathBuf,
}

async fn start(demo: &Demo) -> Result<Started, Error> {
    let data = demo.data.clone().unwrap_or_else(|| {
        let name = format!("tandem-demo-{:08x}", rand::rng().random::<u32>());
        std::env::temp_dir().join(name)
    });
    std::fs::create_dir_all(&data).map_err(|error| Error::Folder(data.clone(), error))?;

    // Files, so that they can be edited while the demo runs.
    let folder = data.join("policies");
    let policies = policies(&folder)?;
    let password = password(&data)?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Shop)?;
    let origin = listener.local_addr().map_err(Error::Shop)?;
    let desk = TcpListener::bind(demo.desk).await.map_err(Error::Desk)?;
    let desk_address = desk.local_addr().map_err(Error::Desk)?;
    let mut config = Config::new(Site::new(url(demo.site), url(origin)), url(demo.console), &data);
    config.proxy.listen = demo.site;
    config.console.listen = demo.console;
    config.console.settings.ancestors = vec![url(desk_address).origin().ascii_serialization()];
    let key = format!("{:032x}", rand::rng().random::<u128>());
    config.api.push(api::Key {
        name: "chat desk".to_owned(),
        sha256: Sha256::digest(&key).into(),
        rights: vec![api::Right::Invite, api::Right::End],
        rate: NonZeroU32::new(50).expect("fifty is not zero"),
    });
    let server = Server::start(config, policies).await.map_err(|error| match error {
        server::Error::Listen { address, .. } if address == demo.site => Error::Taken(error, "--site"),
        server::Error::Listen { address, .. } if address == demo.console => Error::Taken(error, "--console"),
        error => error.into(),
    })?;
    let shop = Shop::new();
    let contact = Contact { console: local(server.console()), key };
    let desk_routes = shop.desk(contact);
    server.run(async move {
        if let Err(error) = axum::serve(desk, desk_routes).await {
            tracing::error!(%error, "the chat desk stopped");
        }
    });
    server.run(async move {
        let service = shop.router().into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "the shop stopped");
        }
    });
    Ok(Started { server, desk: desk_address, password, data })
}

#[allow(clippy::print_stdout)] // What the command is for.
fn say(started: &Started) {
    let (site, console) = (local_url(started.server.site()), local_url(started.server.console()));
    let desk = local_url(started.desk);
    println!(
        "\n  The shop (the customer's side)    {site}\n  \
           The console (the agent's side)    {console}\n  \
           The shop's chat desk              {desk}\n\n  \
           Log in to the console as          {AGENT}\n  \
           with the password                 {}\n\n  \
           1. Open the shop and press Co-browse: it shows a session ID.\n  \
           2. Open the console in another window, log in, and enter that ID.\n  \
           3. Edit the rules in {}/policies; as {ADMIN} (the same password)\n     \
              see in the console under /admin how often each matches.\n  \
           4. Or chat with the shop from its Help page, answer at the chat desk,\n     \
              and offer co-browsing there: it starts and ends with the chat.\n\n  \
           Everything is kept in {} and may be deleted.\n  \
           Ctrl+C stops the demo.\n",
        started.password,
        started.data.display(),
        started.data.display(),
    );
}

/// Those that are there, or the demo's own.
fn policies(folder: &Path) -> Result<Policies, Error> {
    let failed = |error| Error::Folder(folder.to_owned(), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in POLICIES.iter().filter(|(name, _)| !folder.join(name).exists()) {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    Policies::load(folder).map_err(Error::Policies)
}

/// How this machine reaches what listens there.
fn local(address: SocketAddr) -> SocketAddr {
    match address.ip().is_unspecified() {
        true => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        false => address,
    }
}

fn url(address: SocketAddr) -> url::Url {
    local_url(address).parse().expect("an address makes a URL")
}

/// The password of both agents. In a data folder it stays the same, so that who is logged in stays so over a restart.
fn password(data: &Path) -> Result<String, Error> {
    let (file, kept) = (data.join("agents.toml"), data.join("password"));
    let mut agents = Agents::read(&file)?;
    if let Ok(password) = std::fs::read_to_string(&kept)
        && [AGENT, ADMIN].iter().all(|name| agents.verify(name, &password).is_some())
    {
        return Ok(password);
    }
    let password = easy_password();
    let mut private = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut private, 0o600);
    private
        .write(true)
        .create(true)
        .truncate(true)
        .open(&kept)
        .and_then(|mut file| file.write_all(password.as_bytes()))
        .map_err(|error| Error::Folder(kept, error))?;
    agents.add(AGENT, Role::Agent, &password)?;
    agents.add(ADMIN, Role::Admin, &password)?;
    agents.write(&file)?;
    Ok(password)
}

/// Easy to type, hard to guess: 30 letters and digits to the power of 12.
fn easy_password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstvwxyz23456789";
    let letter = |_| LETTERS[rand::rng().random_range(0..LETTERS.len())] as char;
    let letters: Vec<char> = (0..12).map(letter).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}
