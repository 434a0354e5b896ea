//! The tables, and the way from those of earlier versions to them: `user_version` counts the steps that a file
//! has taken. A step that was released is never changed.

use rusqlite::Connection;

use super::Error;

/// Each leads from its own index to the next.
const STEPS: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS session (
         id      TEXT PRIMARY KEY,
         started INTEGER NOT NULL,
         ended   INTEGER,
         reason  TEXT
     ) STRICT, WITHOUT ROWID;",
    // Bytes are of those who write them: a key is a hash; record, about, event and who are texts in JSON.
    "ALTER TABLE session ADD COLUMN key BLOB;
     ALTER TABLE session ADD COLUMN record BLOB;
     ALTER TABLE session ADD COLUMN about BLOB;
     CREATE INDEX session_key ON session (key) WHERE key IS NOT NULL;
     CREATE INDEX session_ended ON session (ended);
     CREATE INDEX session_kept ON session (ended) WHERE key IS NOT NULL;
     CREATE TABLE event (
         session TEXT NOT NULL,
         at      INTEGER NOT NULL,
         event   BLOB NOT NULL
     ) STRICT;
     CREATE INDEX event_session ON event (session);
     CREATE INDEX event_at ON event (at);
     CREATE TABLE login (
         digest BLOB PRIMARY KEY,
         who    BLOB NOT NULL,
         until  INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;",
];

/// Settings of the connection, and the tables as this version knows them.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    // Acknowledged transactions are in the system's hands: they survive us, if not always the power.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = STEPS.len() as i64;
    let Ok(taken) = usize::try_from(version) else {
        return Err(Error::Newer { path: String::new(), version, known });
    };
    if version > known {
        return Err(Error::Newer { path: String::new(), version, known });
    }
    for (index, step) in STEPS.iter().enumerate().skip(taken) {
        let turn = connection.transaction()?;
        turn.execute_batch(step)?;
        turn.pragma_update(None, "user_version", index as i64 + 1)?;
        turn.commit()?;
    }
    Ok(())
}
