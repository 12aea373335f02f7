//! How a database grows: a list of SQL texts, of which `user_version` says how many were run.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::{StoreError, copy, shrink};

/// What a database is and how it came to be so.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// What people call it: `journal`.
    pub name: &'static str,
    /// The number in the file's header by which this database is told from every other.
    pub application: i32,
    /// One SQL text a version, oldest first. A text that was released is never changed.
    pub migrations: &'static [&'static str],
}

/// What stands in the header of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    application: i32,
    version: i64,
    empty: bool,
}

impl Schema {
    /// The version this program makes.
    #[must_use]
    pub fn version(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Says, without changing anything, which version the database has; refuses a foreign or a newer one.
    pub(super) fn check(&self, conn: &Connection, path: &Path) -> Result<i64, StoreError> {
        let header = header(conn).map_err(|source| StoreError::sorted(path, source))?;
        if header.empty {
            return Ok(0);
        }
        if header.application != self.application {
            return Err(StoreError::Foreign { path: path.to_owned(), name: self.name });
        }
        if header.version > self.version() {
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found: header.version,
                known: self.version(),
            });
        }
        Ok(header.version)
    }

    /// Runs what was not run yet, each text with its new version in one transaction. Of a database that was there
    /// before, a copy is kept first.
    pub(super) fn migrate(&self, conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
        let found = self.check(conn, path)?;
        if (1..self.version()).contains(&found) {
            let kept = copy::keep_version(conn, path, found)?;
            tracing::info!(from = found, to = self.version(), kept = %kept.display(), "{} is migrated", self.name);
        }
        let mut version = found;
        while version < self.version() {
            self.step(conn).map_err(|source| StoreError::sorted(path, source))?;
            version = self.check(conn, path)?;
        }
        if version > found
            && let Err(source) = shrink::enable_later(conn)
        {
            shrink::complain(path, source);
        }
        Ok(())
    }

    fn step(&self, conn: &mut Connection) -> rusqlite::Result<()> {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked again under the lock: a second Grace may have been faster.
        let done = header(&transaction)?.version;
        if let Some(sql) = usize::try_from(done).ok().and_then(|done| self.migrations.get(done)) {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "application_id", self.application)?;
            transaction.pragma_update(None, "user_version", done + 1)?;
        }
        transaction.commit()
    }
}

fn header(conn: &Connection) -> rusqlite::Result<Header> {
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version = number("user_version")?;
    let application = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok(Header { application, version, empty: tables == 0 && version == 0 })
}

#[cfg(test)]
mod tests {
    use crate::store::{Schema, StoreError, open, open_read};

    const FIRST: &str = "CREATE TABLE a (n INT) STRICT";
    const GOOD: Schema = Schema { name: "sample", application: 7, migrations: &[FIRST] };

    fn with(migrations: &'static [&'static str]) -> Schema {
        Schema { migrations, ..GOOD }
    }

    #[test]
    fn it_grows_from_version_to_version_and_keeps_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sample.db");
        let conn = open(&file, &GOOD).unwrap();
        conn.execute_batch("INSERT INTO a VALUES (1)").unwrap();
        drop(conn);
        let next = with(&[FIRST, "ALTER TABLE a ADD COLUMN m INT"]);
        let kept = dir.path().join("sample.db.v1");
        let why = open_read(&file, &next).unwrap_err();
        assert!(matches!(why, StoreError::Older { found: 1, known: 2, .. }), "{why}");
        let conn = open(&file, &next).unwrap();
        let row: (i64, Option<i64>) =
            conn.query_row("SELECT n, m FROM a", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(row, (1, None));
        drop(conn);
        let before = open_read(&kept, &GOOD).unwrap();
        assert_eq!(before.query_row("SELECT n FROM a", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        assert!(matches!(open(&file, &GOOD).unwrap_err(), StoreError::Newer { found: 2, known: 1, .. }));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_version_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sample.db");
        drop(open(&file, &GOOD).unwrap());
        let bad = with(&[FIRST, "CREATE TABLE b (n INT) STRICT; nonsense"]);
        assert!(matches!(open(&file, &bad).unwrap_err(), StoreError::Sqlite { .. }));
        let conn = open(&file, &GOOD).unwrap();
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'b'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }
}
