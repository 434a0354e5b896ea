//! What outlives a session: its ID and how it ended, in SQLite. Keeps that an ID is used once, for ever, also
//! over restarts. Holds ids and reasons, never content.

use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

/// The record of all sessions of this server.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
}

/// The store can not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder can not be made.
    #[error("can not make the data folder {path}: {source}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite's own word.
    #[error("the session store failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A task that used the store died while it held the lock.
    #[error("the session store was left in an unknown state")]
    Poisoned,
}

/// What the store knows of an ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Never used.
    Never,
    /// Belongs to a session that has not ended.
    Open,
    /// Belongs to a session that ended, for this reason.
    Ended(String),
}

impl Store {
    /// Opens (or makes) the store in a folder.
    pub fn open(folder: &Path) -> Result<Store, Error> {
        std::fs::create_dir_all(folder)
            .map_err(|source| Error::Folder { path: folder.display().to_string(), source })?;
        Store::with(Connection::open(folder.join("tandem.sqlite3"))?)
    }

    /// A store that forgets everything when it is dropped.
    pub fn in_memory() -> Result<Store, Error> {
        Store::with(Connection::open_in_memory()?)
    }

    fn with(connection: Connection) -> Result<Store, Error> {
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS session (
                 id      TEXT PRIMARY KEY,
                 started INTEGER NOT NULL,
                 ended   INTEGER,
                 reason  TEXT
             ) STRICT, WITHOUT ROWID;",
        )?;
        Ok(Store { connection: Mutex::new(connection) })
    }

    /// Takes an ID for a new session. False when it was ever used.
    pub fn claim(&self, id: &str) -> Result<bool, Error> {
        let sql = "INSERT INTO session (id, started) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        Ok(self.lock()?.execute(sql, params![id, now()])? == 1)
    }

    /// Records how a session ended. The first reason stands.
    pub fn end(&self, id: &str, reason: &str) -> Result<(), Error> {
        let sql = "UPDATE session SET ended = ?2, reason = ?3 WHERE id = ?1 AND ended IS NULL";
        self.lock()?.execute(sql, params![id, now(), reason])?;
        Ok(())
    }

    /// Ends what an earlier run of the server left open. Answers how many sessions that were.
    pub fn end_all(&self, reason: &str) -> Result<usize, Error> {
        let sql = "UPDATE session SET ended = ?1, reason = ?2 WHERE ended IS NULL";
        Ok(self.lock()?.execute(sql, params![now(), reason])?)
    }

    /// What became of an ID.
    pub fn known(&self, id: &str) -> Result<Known, Error> {
        let row = self
            .lock()?
            .query_row("SELECT reason FROM session WHERE id = ?1", [id], |row| {
                row.get::<_, Option<String>>(0)
            })
            .optional()?;
        Ok(match row {
            None => Known::Never,
            Some(None) => Known::Open,
            Some(Some(reason)) => Known::Ended(reason),
        })
    }

    fn lock(&self) -> Result<std::sync::MutexGuard<'_, Connection>, Error> {
        self.connection.lock().map_err(|_| Error::Poisoned)
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_once_also_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.known("A").unwrap(), Known::Never);
        assert!(store.claim("A").unwrap());
        assert!(!store.claim("A").unwrap());
        assert_eq!(store.known("A").unwrap(), Known::Open);
        store.end("A", "customer_exit").unwrap();
        store.end("A", "agent_exit").unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.known("A").unwrap(), Known::Ended("customer_exit".into()));
        assert!(!store.claim("A").unwrap());
    }

    #[test]
    fn what_a_crash_left_open_is_ended() {
        let store = Store::in_memory().unwrap();
        store.claim("A").unwrap();
        store.claim("B").unwrap();
        store.end("A", "agent_exit").unwrap();
        assert_eq!(store.end_all("server_shutdown").unwrap(), 1);
        assert_eq!(store.known("B").unwrap(), Known::Ended("server_shutdown".into()));
    }
}
