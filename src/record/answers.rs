//! Changes that were asked for with a key of the caller's own, and how they were answered: over restarts of Grace as well, so
//! that none is made twice.
//!
//! They have a file of their own and no part in the chain: what was done stands in the journal whatever becomes of them. A
//! change is noted before it is made, so that one which a crash cut short is known to have begun.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Row, params};

use crate::model::Time;
use crate::record::JournalError;
use crate::record::error::Fault;
use crate::store::{self, Schema};

/// Its name in the data directory.
const FILE: &str = "answers.db";

const SCHEMA: Schema = Schema {
    name: "answers",
    application: 0x6772_6173, // "gras"
    migrations: &["CREATE TABLE answers (
        caller  TEXT NOT NULL,
        key     TEXT NOT NULL,
        asked   TEXT NOT NULL,  -- the digest of the request
        at      INTEGER NOT NULL,
        status  INTEGER,        -- none while there is no answer
        headers TEXT,           -- an array of names and values
        body    BLOB,
        PRIMARY KEY (caller, key)
    ) STRICT, WITHOUT ROWID;"],
};

/// The file.
#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    conn: Mutex<Connection>,
}

/// A change that was asked for with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// Who asked.
    pub caller: String,
    /// Their key.
    pub key: String,
    /// The digest of the request.
    pub asked: String,
    /// When, on Grace's own time line: a wall clock that is stepped makes it neither older nor younger.
    pub at: Time,
    /// How it was answered; nothing where Grace ended before that.
    pub answer: Option<KeptAnswer>,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answers {
    /// Opens the file; makes it where it is missing.
    ///
    /// # Errors
    /// It cannot be opened or made.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(FILE);
        let conn = store::open(&path, &SCHEMA).map_err(JournalError::Store)?;
        Ok(Self { path, conn: Mutex::new(conn) })
    }

    /// All that were asked since then, the oldest first; older ones are forgotten.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn since(&self, since: Time) -> Result<Vec<Keyed>, JournalError> {
        self.with(|conn| {
            conn.execute("DELETE FROM answers WHERE at < ?1", [since.0])?;
            let mut query = conn.prepare("SELECT * FROM answers ORDER BY at")?;
            let mut rows = query.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(keyed(row)?);
            }
            Ok(found)
        })
    }

    /// A change is about to be made.
    ///
    /// # Errors
    /// It could not be noted; then it must not be made.
    pub fn begin(&self, (caller, key): (&str, &str), asked: &str, at: Time) -> Result<(), JournalError> {
        self.with(|conn| {
            let note = "INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, NULL, NULL, NULL)";
            conn.prepare_cached(note)?.execute(params![caller, key, asked, at.0])?;
            Ok(())
        })
    }

    /// It is answered; without an answer nothing was done, and the key is free again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(&self, (caller, key): (&str, &str), answer: Option<&KeptAnswer>) -> Result<(), JournalError> {
        self.with(|conn| {
            let Some(KeptAnswer { status, headers, body }) = answer else {
                let free = "DELETE FROM answers WHERE caller = ?1 AND key = ?2";
                conn.prepare_cached(free)?.execute(params![caller, key])?;
                return Ok(());
            };
            let headers = serde_json::to_string(headers)?;
            let note =
                "UPDATE answers SET status = ?3, headers = ?4, body = ?5 WHERE caller = ?1 AND key = ?2";
            conn.prepare_cached(note)?.execute(params![caller, key, status, headers, body])?;
            Ok(())
        })
    }

    fn with<T>(&self, job: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, JournalError> {
        let conn: MutexGuard<'_, _> = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        job(&conn).map_err(|fault| fault.about(&self.path))
    }
}

fn keyed(row: &Row<'_>) -> Result<Keyed, Fault> {
    let status: Option<u16> = row.get("status")?;
    let answer = match status {
        None => None,
        Some(status) => {
            let headers: String = row.get("headers")?;
            Some(KeptAnswer { status, headers: serde_json::from_str(&headers)?, body: row.get("body")? })
        }
    };
    Ok(Keyed {
        caller: row.get("caller")?,
        key: row.get("key")?,
        asked: row.get("asked")?,
        at: Time(row.get("at")?),
        answer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_there_after_a_restart_and_what_was_cut_short_too() {
        let dir = tempfile::tempdir().expect("a folder");
        let answers = Answers::open(dir.path()).expect("made");
        for key in ["old", "done", "free", "cut"] {
            let at = Time(if key == "old" { 1 } else { 1_000 });
            answers.begin(("uid:0", key), "digest", at).expect("noted");
        }
        let headers = vec![("location".to_owned(), "/x".to_owned())];
        let answer = KeptAnswer { status: 202, headers, body: b"{}".to_vec() };
        answers.end(("uid:0", "done"), Some(&answer)).expect("noted");
        answers.end(("uid:0", "free"), None).expect("noted");
        drop(answers);
        let found = Answers::open(dir.path()).expect("there").since(Time(1_000)).expect("read");
        let keys: Vec<_> = found.iter().map(|one| (one.key.as_str(), one.answer.clone())).collect();
        assert_eq!(keys, [("cut", None), ("done", Some(answer))]);
    }
}
