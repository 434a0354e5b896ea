//! Sessions: what has to be known to go on with one, what happened in it, how it ended.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Error, Store, now};

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

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its ID.
    pub id: String,
    /// By which its customer is known: a hash.
    pub key: Vec<u8>,
    /// As last noted. None in a store of a version that kept none.
    pub record: Option<Vec<u8>>,
    /// As last noted.
    pub about: Option<Vec<u8>>,
}

/// A session that has ended. Times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When it was started.
    pub started: i64,
    /// When it ended.
    pub ended: i64,
    /// Why.
    pub reason: String,
    /// As last noted, until it is forgotten.
    pub about: Option<Vec<u8>>,
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What, in the words of who notes it.
    pub event: Vec<u8>,
}

/// What is new about a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// Replaces what was there.
    pub record: Option<Vec<u8>>,
    /// Replaces what was there; kept after the end.
    pub about: Option<Vec<u8>>,
    /// Added to what was there.
    pub events: Vec<Event>,
}

impl Store {
    /// Takes an ID for a new session. False when it was ever used.
    ///
    /// # Errors
    /// When the store fails, as with all of these.
    pub fn claim(&self, id: &str, key: &[u8], record: &[u8]) -> Result<bool, Error> {
        let sql =
            "INSERT INTO session (id, started, key, record) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        Ok(self.lock()?.prepare_cached(sql)?.execute(params![id, now(), key, record])? == 1)
    }

    /// Writes down what is new of many sessions, all or nothing. A session that has ended takes nothing more.
    pub fn note(&self, notes: &[(String, Note)]) -> Result<(), Error> {
        let mut connection = self.lock()?;
        let turn = connection.transaction()?;
        for (id, note) in notes {
            write(&turn, id, note)?;
        }
        turn.commit()?;
        Ok(())
    }

    /// Records how a session ended, with what was still to be noted. The first reason stands. What served to go on
    /// with it is forgotten; its customer is still known, to be told why it ended.
    pub fn end(&self, id: &str, reason: &str, note: &Note) -> Result<(), Error> {
        let mut connection = self.lock()?;
        let turn = connection.transaction()?;
        write(&turn, id, note)?;
        let sql = "UPDATE session SET ended = ?2, reason = ?3, record = NULL \
                   WHERE id = ?1 AND ended IS NULL";
        turn.prepare_cached(sql)?.execute(params![id, now(), reason])?;
        turn.commit()?;
        Ok(())
    }

    /// Every session that has not ended.
    pub fn open_sessions(&self) -> Result<Vec<Open>, Error> {
        let connection = self.lock()?;
        let mut query =
            connection.prepare("SELECT id, key, record, about FROM session WHERE ended IS NULL")?;
        let rows = query.query_map([], |row| {
            let key = row.get::<_, Option<_>>(1)?.unwrap_or_default();
            Ok(Open { id: row.get(0)?, key, record: row.get(2)?, about: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What became of an ID.
    pub fn known(&self, id: &str) -> Result<Known, Error> {
        let reason = self
            .lock()?
            .prepare_cached("SELECT reason FROM session WHERE id = ?1")?
            .query_row([id], |row| row.get::<_, Option<String>>(0))
            .optional()?;
        Ok(match reason {
            None => Known::Never,
            Some(None) => Known::Open,
            Some(Some(reason)) => Known::Ended(reason),
        })
    }

    /// A session that has ended.
    pub fn past(&self, id: &str) -> Result<Option<Past>, Error> {
        let sql = "SELECT started, ended, reason, about FROM session WHERE id = ?1 AND ended IS NOT NULL";
        let past = self.lock()?.prepare_cached(sql)?.query_row([id], |row| {
            let reason = row.get::<_, Option<_>>(2)?.unwrap_or_default();
            Ok(Past { started: row.get(0)?, ended: row.get(1)?, reason, about: row.get(3)? })
        });
        Ok(past.optional()?)
    }

    /// Why the session of this customer ended. None when it has not, or was never there.
    pub fn end_of(&self, key: &[u8]) -> Result<Option<String>, Error> {
        let sql = "SELECT reason FROM session WHERE key = ?1 AND ended IS NOT NULL";
        Ok(self.lock()?.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()?)
    }

    /// What was noted of a session, in order; nothing of what was kept for too long.
    pub fn events(&self, id: &str) -> Result<Vec<Event>, Error> {
        let connection = self.lock()?;
        let mut query =
            connection.prepare_cached("SELECT at, event FROM event WHERE session = ?1 ORDER BY at, rowid")?;
        let rows = query.query_map([id], |row| {
            Ok(Event { at: row.get::<_, i64>(0)?.unsigned_abs(), event: row.get(1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets what happened before `time` (seconds since 1970), and what sessions were about that ended before it.
    /// That there was such an ID stays known. Answers how many events that were.
    pub fn forget(&self, time: i64) -> Result<usize, Error> {
        let mut connection = self.lock()?;
        let turn = connection.transaction()?;
        let forget = "UPDATE session SET about = NULL, key = NULL WHERE ended < ?1 AND key IS NOT NULL";
        turn.execute(forget, [time])?;
        let events = turn.execute("DELETE FROM event WHERE at < ?1", [time.saturating_mul(1000)])?;
        turn.commit()?;
        Ok(events)
    }
}

fn write(turn: &Transaction<'_>, id: &str, note: &Note) -> Result<(), rusqlite::Error> {
    let known = "UPDATE session SET record = coalesce(?2, record), about = coalesce(?3, about) \
                 WHERE id = ?1 AND ended IS NULL";
    if turn.prepare_cached(known)?.execute(params![id, note.record, note.about])? == 0 {
        return Ok(());
    }
    let mut add = turn.prepare_cached("INSERT INTO event (session, at, event) VALUES (?1, ?2, ?3)")?;
    for event in &note.events {
        add.execute(params![id, i64::try_from(event.at).unwrap_or(i64::MAX), event.event])?;
    }
    Ok(())
}
