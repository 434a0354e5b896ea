//! What outlives the server: sessions that go on after a restart, what became of those that ended, and agents'
//! logins, in SQLite. Knows ids, bytes and times only; what opens something is kept as a hash.
//!
//! One server uses a folder at a time. A transaction that was acknowledged survives the end of the process,
//! however sudden; what a loss of power may take are the last moments.

mod logins;
mod schema;
mod sessions;

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode};

pub use logins::Login;
pub use sessions::{Event, Known, Note, Open};

/// The file with everything in it.
const FILE: &str = "tandem.sqlite3";
/// Held while a server runs.
const LOCK: &str = "tandem.lock";
/// How long to wait for an earlier server that is about to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// The record of all sessions of this server.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// Locked for as long as this lives; the system lets go of it when the process ends, also when it is killed.
    _lock: Option<File>,
}

/// The store can not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder can not be made or written to.
    #[error("can not use the data folder {path}: {source}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Two servers would end each other's sessions.
    #[error("another server uses the data folder {path}")]
    InUse {
        /// Which.
        path: String,
    },
    /// The file is no store, or a damaged one.
    #[error(
        "{path} is damaged or no store of this program: put a backup in its place, or move it away and start anew \
         (sessions that were open are lost then)"
    )]
    Damaged {
        /// Which.
        path: String,
    },
    /// The file was written by a version that this one does not know.
    #[error(
        "{path} was written by a newer version of this program (its format is {version}, this version knows {known})"
    )]
    Newer {
        /// Which.
        path: String,
        /// Of the file.
        version: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// SQLite's own word.
    #[error("the session store failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A task that used the store died while it held the lock.
    #[error("the session store was left in an unknown state")]
    Poisoned,
}

impl Store {
    /// Opens (or makes) the store in a folder, which only this user may read. Waits a moment for an earlier server.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(folder: &Path) -> Result<Store, Error> {
        let wrong = |source| Error::Folder { path: folder.display().to_string(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrong)?;
        let lock = File::create(folder.join(LOCK)).map_err(wrong)?;
        take(&lock).map_err(|error| match error {
            TryLockError::WouldBlock => Error::InUse { path: folder.display().to_string() },
            TryLockError::Error(source) => wrong(source),
        })?;
        let path = folder.join(FILE);
        let named = |error| match error {
            Error::Newer { version, known, .. } => {
                Error::Newer { path: path.display().to_string(), version, known }
            }
            Error::Database(rusqlite::Error::SqliteFailure(failure, _))
                if matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) =>
            {
                Error::Damaged { path: path.display().to_string() }
            }
            error => error,
        };
        let connection = Connection::open(&path).map_err(Error::from).map_err(named)?;
        Store::with(connection, Some(lock)).map_err(named)
    }

    /// A store that forgets everything when it is dropped.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn in_memory() -> Result<Store, Error> {
        Store::with(Connection::open_in_memory()?, None)
    }

    fn with(mut connection: Connection, lock: Option<File>) -> Result<Store, Error> {
        schema::prepare(&mut connection)?;
        Ok(Store { connection: Mutex::new(connection), _lock: lock })
    }

    fn lock(&self) -> Result<MutexGuard<'_, Connection>, Error> {
        self.connection.lock().map_err(|_| Error::Poisoned)
    }
}

fn take(lock: &File) -> Result<(), TryLockError> {
    #[allow(clippy::disallowed_methods)] // No task waits here: a server that starts does.
    let since = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(50));
            }
            taken => return taken,
        }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests;
