//! The command line: reads the arguments, does what they say, answers an exit code.
//!
//! Exit codes: 0 fine, 1 failed, 2 bad usage or settings.

mod agents;
mod demo;
mod preview;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::policy::{Diagnostic, Policies};
use crate::server::{Inherited, Server};

/// A command that did what it should.
const FINE: u8 = 0;
/// One that failed, or found something wrong.
const FAILED: u8 = 1;
/// One that was given what it can not work with.
const UNUSABLE: u8 = 2;

/// Proxy-based co-browse server.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a small shop, the proxy before it and the console, to try everything on this machine.
    Demo(demo::Demo),
    /// Run the server.
    Serve {
        /// The settings file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check settings and policies; prints every error.
    Check {
        /// The settings file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Work with policy files.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Work with the agents' file.
    Agent {
        #[command(subcommand)]
        command: agents::AgentCommand,
    },
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check policy files; prints every error.
    Check {
        /// Policy files, or folders of them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show one page as an agent would see it, and how often each rule matched.
    Preview(Box<preview::Arguments>),
    /// Print the JSON Schema of a policy file, for editors.
    Schema,
}

/// Does what the arguments of this process say.
pub fn run() -> ExitCode {
    // clap itself exits with 2 on bad usage.
    let arguments = Arguments::parse();
    ExitCode::from(match arguments.command {
        None => demo::run(demo::Demo::default()),
        Some(Command::Demo(demo)) => demo::run(demo),
        Some(Command::Serve { config }) => serve(&config),
        Some(Command::Check { config }) => check(&config),
        Some(Command::Policy { command: PolicyCommand::Check { files } }) => check_policies(&files),
        Some(Command::Policy { command: PolicyCommand::Schema }) => print_schema(),
        Some(Command::Policy { command: PolicyCommand::Preview(arguments) }) => preview::run(&arguments),
        Some(Command::Agent { command }) => agents::run(command),
    })
}

fn serve(path: &Path) -> u8 {
    log("info");
    let (config, policies) = match settings(path) {
        Ok(settings) => settings,
        Err(errors) => {
            complain(&errors);
            return UNUSABLE;
        }
    };
    on_runtime(async {
        let inherited = match Inherited::from_env() {
            Ok(inherited) => inherited,
            Err(error) => {
                eprintln!("tandem: what was passed on is no listener: {error}");
                return FAILED;
            }
        };
        let server = match Server::start_on(inherited, config, policies).await {
            Ok(server) => server,
            Err(error) => {
                eprintln!("tandem: {error}");
                return FAILED;
            }
        };
        // Signals first: whoever reads that it serves may send one.
        let (stop, reloads) = (asked_to_stop(), hang_ups(&server, path));
        tracing::info!(site = %server.site(), console = %server.console(), "serving");
        tokio::select! {
            () = stop => {}
            () = reloads => {}
        }
        server.stop().await;
        FINE
    })
}

/// Follows SIGHUP for ever, from now on: opens the access log anew and reads the settings again.
fn hang_ups(server: &Server, path: &Path) -> impl Future<Output = ()> {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    async move {
        let Ok(mut signal) = signal else { return std::future::pending().await };
        while signal.recv().await.is_some() {
            server.reopen_log();
            reload(server, path).await;
        }
        std::future::pending().await
    }
}

async fn reload(server: &Server, path: &Path) {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || Config::read(&path)).await;
    let reloaded = match read {
        Ok(Ok(config)) => server.reload(&config).map_err(|error| vec![error.to_string()]),
        Ok(Err(errors)) => Err(errors.iter().map(ToString::to_string).collect()),
        Err(error) => Err(vec![error.to_string()]),
    };
    match reloaded {
        Ok(()) => tracing::info!("changed settings are in force"),
        Err(errors) => {
            errors.iter().for_each(|error| tracing::error!("{error}"));
            tracing::error!("changed settings are broken; those before stay in force");
        }
    }
}

fn check(path: &Path) -> u8 {
    match settings(path) {
        Ok(_) => FINE,
        Err(errors) => {
            complain(&errors);
            FAILED
        }
    }
}

/// Reads settings and policies; what is wrong in either is told together.
fn settings(path: &Path) -> Result<(Config, Policies), Vec<Diagnostic>> {
    let config = Config::read(path)?;
    let policies = Policies::load(&config.policies)?;
    Ok((config, policies))
}

#[allow(clippy::print_stdout)] // What the command is for.
fn print_schema() -> u8 {
    println!("{:#}", crate::policy::schema());
    FINE
}

fn check_policies(files: &[PathBuf]) -> u8 {
    let errors = match Policies::of_files(files) {
        Ok(policies) => {
            policies.warnings().iter().for_each(|warning| eprintln!("{warning}\n"));
            Vec::new()
        }
        Err(errors) => errors,
    };
    complain(&errors);
    if errors.is_empty() { FINE } else { FAILED }
}

fn complain(errors: &[Diagnostic]) {
    for error in errors {
        eprintln!("{error}\n");
    }
    if !errors.is_empty() {
        eprintln!("{} {} found", errors.len(), if errors.len() == 1 { "error" } else { "errors" });
    }
}

/// Logs to standard error; `RUST_LOG` says how much.
fn log(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

fn on_runtime(work: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("tandem: {error}");
            FAILED
        }
    }
}

/// Resolves when the process is told to stop, from now on.
fn asked_to_stop() -> impl Future<Output = ()> {
    let signal = |kind| tokio::signal::unix::signal(kind);
    let terminated = signal(tokio::signal::unix::SignalKind::terminate());
    let interrupted = signal(tokio::signal::unix::SignalKind::interrupt());
    let one = async |signal: std::io::Result<tokio::signal::unix::Signal>| match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    async move {
        tokio::select! {
            () = one(terminated) => {}
            () = one(interrupted) => {}
        }
    }
}

/// The address that people type for one that is listened on.
fn local_url(address: SocketAddr) -> String {
    match address.ip().is_loopback() || address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    }
}
