//! `tandem agent`: who may log in to the console. A server that runs takes a changed file within some seconds.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::{FAILED, FINE};
use crate::console::agents::Agents;
use crate::protocol::agent::Role;

#[derive(Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Add somebody who may log in to the console, or give them a new password.
    Add {
        /// To log in with, and shown to customers.
        name: String,
        /// What they may do.
        #[arg(long, value_enum, default_value = "agent")]
        role: RoleArgument,
        /// Read the password from standard input and ask nothing.
        #[arg(long)]
        password_stdin: bool,
        /// The agents' file.
        #[arg(long, default_value = "agents.toml")]
        file: PathBuf,
    },
    /// Take somebody out; a server that runs logs them out.
    Remove {
        /// Whom.
        name: String,
        /// The agents' file.
        #[arg(long, default_value = "agents.toml")]
        file: PathBuf,
    },
    /// Print everybody, with their role.
    List {
        /// The agents' file.
        #[arg(long, default_value = "agents.toml")]
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleArgument {
    Agent,
    Supervisor,
    Admin,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Role {
        match role {
            RoleArgument::Agent => Role::Agent,
            RoleArgument::Supervisor => Role::Supervisor,
            RoleArgument::Admin => Role::Admin,
        }
    }
}

pub(super) fn run(command: AgentCommand) -> u8 {
    match command {
        AgentCommand::Add { name, role, password_stdin, file } => {
            add(&name, role.into(), password_stdin, &file)
        }
        AgentCommand::Remove { name, file } => remove(&name, &file),
        AgentCommand::List { file } => list(&file),
    }
}

fn add(name: &str, role: Role, from_stdin: bool, file: &Path) -> u8 {
    if !from_stdin && std::io::stdin().is_terminal() {
        eprintln!("Password for {name} (it is shown as you type; --password-stdin reads it from a pipe):");
    }
    let mut password = String::new();
    if let Err(error) = std::io::stdin().lock().read_line(&mut password) {
        eprintln!("tandem: the password can not be read: {error}");
        return FAILED;
    }
    let password = password.trim_end_matches(['\r', '\n']);
    let added = Agents::read(file).and_then(|mut agents| {
        agents.add(name, role, password)?;
        agents.write(file)
    });
    match added {
        Ok(()) => FINE,
        Err(error) => {
            eprintln!("tandem: {error}");
            FAILED
        }
    }
}

fn remove(name: &str, file: &Path) -> u8 {
    let removed = Agents::read(file).and_then(|mut agents| {
        let known = agents.remove(name);
        agents.write(file).map(|()| known)
    });
    match removed {
        Ok(true) => FINE,
        Ok(false) => {
            eprintln!("tandem: {} has nobody of the name {name}", file.display());
            FAILED
        }
        Err(error) => {
            eprintln!("tandem: {error}");
            FAILED
        }
    }
}

#[allow(clippy::print_stdout)] // What it is for.
fn list(file: &Path) -> u8 {
    match Agents::read(file) {
        Ok(agents) => {
            for (name, role) in agents.iter() {
                let role = match role {
                    Role::Agent => "agent",
                    Role::Supervisor => "supervisor",
                    Role::Admin => "admin",
                };
                println!("{role:<12}{name}");
            }
            FINE
        }
        Err(error) => {
            eprintln!("tandem: {error}");
            FAILED
        }
    }
}
