//! The agents' file: who may log in, with which role, and an argon2id hash of the password (RFC 9106).

use std::collections::BTreeMap;
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::protocol::agent::Role;

/// Longest name and password that are looked at, in bytes.
const LONGEST: usize = 256;

/// Everybody who may log in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    #[serde(default)]
    agent: BTreeMap<String, Agent>,
    /// Compared with when the name is unknown, so that an answer takes as long as with a known one.
    #[serde(skip, default)]
    nobody: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    role: Role,
    password: String,
}

/// Why the file can not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It can not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{path}:{line}:{column}: {message}")]
    Format {
        /// Which.
        path: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A name or password that can not be.
    #[error("a name needs 1 to {LONGEST} characters, a password 8 to {LONGEST}")]
    Length,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

impl Agents {
    /// Reads the file; an absent one holds nobody.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn read(path: &Path) -> Result<Agents, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::File { path: path.display().to_string(), source }),
        };
        let mut agents: Agents = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let before = text.get(..start).unwrap_or_default();
            Error::Format {
                path: path.display().to_string(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                message: error.message().to_owned(),
            }
        })?;
        agents.nobody = Some(hash("no password of anybody")?);
        Ok(agents)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it can not be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = toml::to_string(self).map_err(|_| Error::Hash)?;
        // Whole or not at all: a server that runs reads it.
        let new = path.with_extension("new");
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, path))
            .map_err(|source| Error::File { path: path.display().to_string(), source })
    }

    /// Adds somebody, or gives them a new password and role.
    ///
    /// # Errors
    /// When name or password have no sensible length.
    pub fn add(&mut self, name: &str, role: Role, password: &str) -> Result<(), Error> {
        if name.is_empty() || name.len() > LONGEST || !(8..=LONGEST).contains(&password.len()) {
            return Err(Error::Length);
        }
        self.agent.insert(name.to_owned(), Agent { role, password: hash(password)? });
        Ok(())
    }

    /// Whether nobody can log in.
    pub fn is_empty(&self) -> bool {
        self.agent.is_empty()
    }

    /// Takes somebody out. Answers whether they were there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.agent.remove(name).is_some()
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Role)> {
        self.agent.iter().map(|(name, agent)| (name.as_str(), agent.role))
    }

    /// Changes with the role and the password of `name`; says nothing about either.
    pub(super) fn mark(&self, name: &str) -> Option<String> {
        let agent = self.agent.get(name)?;
        let digest = Sha256::digest(format!("{:?} {}", agent.role, agent.password));
        Some(URL_SAFE_NO_PAD.encode(digest))
    }

    /// The role of `name`.
    pub fn role(&self, name: &str) -> Option<Role> {
        self.agent.get(name).map(|agent| agent.role)
    }

    /// The role of `name`, if the password is right. Takes some tens of milliseconds, right or wrong.
    pub fn verify(&self, name: &str, password: &str) -> Option<Role> {
        if password.len() > LONGEST {
            return None;
        }
        let known = self.agent.get(name);
        let hash = known.map(|agent| agent.password.as_str()).or(self.nobody.as_deref())?;
        let right = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known.filter(|_| right).map(|agent| agent.role)
    }
}

fn hash(password: &str) -> Result<String, Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| Error::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_added_can_log_in_with_the_right_password_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.toml");
        let mut agents = Agents::read(&path).unwrap();
        agents.add("ann", Role::Agent, "correct horse").unwrap();
        agents.write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("correct horse"));
        let agents = Agents::read(&path).unwrap();
        assert_eq!(agents.verify("ann", "correct horse"), Some(Role::Agent));
        assert_eq!(agents.verify("ann", "battery staple"), None);
        assert_eq!(agents.verify("bob", "no password of anybody"), None);
    }

    #[test]
    fn a_broken_file_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.toml");
        std::fs::write(&path, "[agent.ann]\nrole = \"agent\"\npasword = \"x\"\n").unwrap();
        let error = Agents::read(&path).unwrap_err().to_string();
        assert!(error.contains("agents.toml:3:1") || error.contains("agents.toml:1:"), "{error}");
    }
}
