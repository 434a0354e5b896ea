//! Logins: who a secret belongs to, and until when. Of the secret itself there is a hash.

use rusqlite::params;

use super::{Error, Store, now};

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Of the secret.
    pub digest: [u8; 32],
    /// Who, in the words of who notes it.
    pub who: Vec<u8>,
    /// Seconds since 1970.
    pub until: i64,
}

impl Store {
    /// Remembers a login.
    ///
    /// # Errors
    /// When the store fails, as with all of these.
    pub fn add_login(&self, login: &Login) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO login (digest, who, until) VALUES (?1, ?2, ?3)";
        self.lock()?.prepare_cached(sql)?.execute(params![login.digest, login.who, login.until])?;
        Ok(())
    }

    /// Forgets one.
    pub fn remove_login(&self, digest: &[u8; 32]) -> Result<(), Error> {
        self.lock()?.prepare_cached("DELETE FROM login WHERE digest = ?1")?.execute([digest])?;
        Ok(())
    }

    /// Those that still hold; the others are forgotten.
    pub fn logins(&self) -> Result<Vec<Login>, Error> {
        let connection = self.lock()?;
        connection.execute("DELETE FROM login WHERE until <= ?1", [now()])?;
        let mut query = connection.prepare("SELECT digest, who, until FROM login")?;
        let rows = query
            .query_map([], |row| Ok(Login { digest: row.get(0)?, who: row.get(1)?, until: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
