//! The tables of the working database, and the one place where a write becomes rows.
//!
//! Each write carries a key and is harmless when repeated: one that timed out and is done again by the drain
//! is there exactly once.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::model::{Job, TaskDeed, Time, Write};
use crate::store::{self, Schema, StoreError};

/// What the working database is: a number in the header of its file.
pub(super) const SCHEMA: Schema =
    Schema { name: "working database", application: 0x4752_776b, migrations: &[TABLES, AGES, DEEDS] };

/// Version 1.
const TABLES: &str = "
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE reflections (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, job TEXT NOT NULL, at INTEGER NOT NULL,
    result TEXT, done_at INTEGER
) STRICT;
CREATE INDEX jobs_open ON jobs (seq) WHERE done_at IS NULL;
CREATE VIEW incident_summaries AS
    SELECT job ->> 'component' AS component, job ->> 'seq' AS ended_seq, result AS summary, done_at AS at
    FROM jobs WHERE job ->> 'job' = 'sum_up' AND done_at IS NOT NULL;
";

/// Version 2: what is old is found without looking at all of it.
const AGES: &str = "
CREATE INDEX jobs_done ON jobs (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX reflections_at ON reflections (at);
";

/// Version 3: what was done about a task last, and whose it is.
const DEEDS: &str = "
ALTER TABLE tasks ADD COLUMN state TEXT NOT NULL DEFAULT 'open';
ALTER TABLE tasks ADD COLUMN assigned_to TEXT;
ALTER TABLE tasks ADD COLUMN changed_at INTEGER;
ALTER TABLE tasks ADD COLUMN changed_by TEXT;
ALTER TABLE tasks ADD COLUMN change_reason TEXT;
";

/// At most so many old rows of a table go in one call.
const AT_ONCE: i64 = 1_000;

/// Reflections that are kept: a bit more than a day of them. They are looked back upon, not audited.
const REFLECTIONS_KEPT: i64 = 10_000;

/// Opens the working database, and makes it where there is none.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    store::open(file, &SCHEMA)
}

/// Does a write, or finds that it is done already.
pub(crate) fn apply(tx: &Transaction<'_>, key: &str, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Task { text, by, at } => tx
            .prepare_cached("INSERT OR IGNORE INTO tasks (key, text, by, at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key, text, by, at.0])?,
        // What is repeated later does not undo what was done since.
        Write::TaskChanged { seq, what, by, reason, at } => {
            let to = if let TaskDeed::Assign { to } = what { Some(to) } else { None };
            tx.prepare_cached(
                "UPDATE tasks SET state = ?2, assigned_to = coalesce(?3, assigned_to), changed_by = ?4, change_reason = ?5,
                 changed_at = ?6 WHERE seq = ?1 AND (changed_at IS NULL OR changed_at <= ?6)",
            )?
            .execute(params![seq, what.done(), to, by, reason, at.0])?
        }
        Write::Reflection { text, at } => {
            tx.prepare_cached("INSERT OR IGNORE INTO reflections (key, text, at) VALUES (?1, ?2, ?3)")?
                .execute(params![key, text, at.0])?;
            tx.prepare_cached("DELETE FROM reflections WHERE seq <= (SELECT max(seq) FROM reflections) - ?1")?
                .execute([REFLECTIONS_KEPT])?
        }
        Write::Job { job, at } => tx
            .prepare_cached("INSERT OR IGNORE INTO jobs (key, job, at) VALUES (?1, ?2, ?3)")?
            .execute(params![key, to_json(job)?, at.0])?,
        Write::JobDone { key, result, at } => tx
            .prepare_cached("UPDATE jobs SET result = ?2, done_at = ?3 WHERE key = ?1 AND done_at IS NULL")?
            .execute(params![key, result, at.0])?,
    };
    Ok(())
}

/// Lets done jobs and reflections from before `before` go and gives their room back, a bounded number of both a call.
/// Says whether anything went; tasks are for people, and stay.
pub(crate) fn expire(connection: &mut Connection, before: Time) -> rusqlite::Result<bool> {
    let tx = connection.transaction()?;
    let mut gone = 0;
    for old in [
        "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE done_at < ?1 AND at < ?1 ORDER BY done_at LIMIT ?2)",
        "DELETE FROM reflections WHERE seq IN (SELECT seq FROM reflections WHERE at < ?1 ORDER BY at LIMIT ?2)",
    ] {
        gone += tx.prepare_cached(old)?.execute(params![before.0, AT_ONCE])?;
    }
    let cut = store::shrink(&tx)?;
    tx.commit()?;
    Ok(gone > 0 || cut > 0)
}

/// A real read, so that an answer proves that the file can be read and not only that a thread runs.
pub(crate) fn ping(connection: &Connection) -> rusqlite::Result<()> {
    // `schema_version` stands in the file's header, which is read anew for each statement.
    connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0)).map(drop)
}

/// A job that is not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenJob {
    /// Its key.
    pub(crate) key: String,
    /// What to do; none where this Grace does not know such a job.
    pub(crate) job: Option<Job>,
    /// When it was given.
    pub(crate) at: Time,
}

/// The oldest jobs that are not done yet.
pub(crate) fn open_jobs(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<OpenJob>> {
    connection
        .prepare_cached("SELECT key, job, at FROM jobs WHERE done_at IS NULL ORDER BY seq LIMIT ?1")?
        .query_map([limit], |row| {
            let job: String = row.get(1)?;
            Ok(OpenJob { key: row.get(0)?, job: serde_json::from_str(&job).ok(), at: Time(row.get(2)?) })
        })?
        .collect()
}

/// How many jobs are not done yet.
pub(crate) fn count_open_jobs(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM jobs WHERE done_at IS NULL")?
        .query_row([], |row| row.get(0))
}

/// A task for people, as it stands in the working database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TaskRow {
    /// Its number.
    pub seq: i64,
    /// The key of the write that brought it.
    pub key: String,
    /// What to do.
    pub text: String,
    /// Who asks.
    pub by: String,
    /// When it was asked.
    pub at: Time,
    /// What was done about it last: `open`, `acknowledged`, `assigned`, `closed`.
    pub state: String,
    /// Whose it is.
    pub assigned_to: Option<String>,
    /// When something was done about it last.
    pub changed_at: Option<Time>,
    /// Who did that.
    pub changed_by: Option<String>,
    /// And why.
    pub change_reason: Option<String>,
}

/// What was done last about one task.
pub(crate) fn task_state(connection: &Connection, seq: i64) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT state FROM tasks WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()
}

/// The newest tasks, newest first.
pub(crate) fn tasks(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<TaskRow>> {
    connection
        .prepare_cached(
            "SELECT * FROM (SELECT * FROM tasks ORDER BY seq DESC LIMIT ?1)
             UNION SELECT * FROM (SELECT * FROM tasks WHERE state <> 'closed' ORDER BY seq DESC LIMIT 1000)
             ORDER BY seq DESC",
        )?
        .query_map([limit], |row| {
            Ok(TaskRow {
                seq: row.get("seq")?,
                key: row.get("key")?,
                text: row.get("text")?,
                by: row.get("by")?,
                at: Time(row.get("at")?),
                state: row.get("state")?,
                assigned_to: row.get("assigned_to")?,
                changed_at: row.get::<_, Option<i64>>("changed_at")?.map(Time),
                changed_by: row.get("changed_by")?,
                change_reason: row.get("change_reason")?,
            })
        })?
        .collect()
}

fn to_json(job: &Job) -> rusqlite::Result<String> {
    serde_json::to_string(job).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_memory() -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(&[TABLES, AGES, DEEDS].concat()).expect("tables");
        connection
    }

    fn write(connection: &mut Connection, key: &str, write: &Write) {
        let tx = connection.transaction().expect("begins");
        apply(&tx, key, write).expect("applies");
        tx.commit().expect("commits");
    }

    fn sum_up(seq: i64) -> Write {
        Write::Job { job: Job::SumUp { component: "database".into(), seq }, at: Time(5) }
    }

    #[test]
    fn a_repeated_write_is_there_once_and_order_is_kept() {
        let mut db = in_memory();
        let task = |text: &str| Write::Task { text: text.into(), by: "uid:0".into(), at: Time(1) };
        for (key, text) in [("a", "one"), ("b", "two"), ("a", "one")] {
            write(&mut db, key, &task(text));
        }
        let texts: Vec<_> = tasks(&db, 10).expect("reads").into_iter().map(|t| t.text).collect();
        assert_eq!(texts, ["two", "one"]);
    }

    #[test]
    fn a_job_is_open_until_it_is_done_and_its_first_end_stands() {
        let mut db = in_memory();
        write(&mut db, "j1", &sum_up(7));
        write(&mut db, "j2", &sum_up(8));
        let done = |result: &str| Write::JobDone { key: "j1".into(), result: result.into(), at: Time(9) };
        write(&mut db, "d1", &done("summed up"));
        write(&mut db, "d2", &done("again"));
        let open = open_jobs(&db, 10).expect("reads");
        assert_eq!(open.iter().map(|j| j.key.as_str()).collect::<Vec<_>>(), ["j2"]);
        let summary: (String, i64, String) = db
            .query_row("SELECT component, ended_seq, summary FROM incident_summaries", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .expect("reads");
        assert_eq!(summary, ("database".into(), 7, "summed up".into()));
    }

    #[test]
    fn what_is_old_and_done_goes_and_what_people_wait_for_stays() {
        let mut db = in_memory();
        for at in [10, 20] {
            write(
                &mut db,
                &format!("t{at}"),
                &Write::Task { text: "a".into(), by: "b".into(), at: Time(at) },
            );
            write(&mut db, &format!("r{at}"), &Write::Reflection { text: "a".into(), at: Time(at) });
            write(&mut db, &format!("open{at}"), &sum_up(at));
            write(&mut db, &format!("done{at}"), &sum_up(at));
            let done = Write::JobDone { key: format!("done{at}"), result: "ok".into(), at: Time(at) };
            write(&mut db, &format!("end{at}"), &done);
        }
        assert!(expire(&mut db, Time(15)).expect("expires"));
        assert!(!expire(&mut db, Time(15)).expect("expires"), "nothing is left to do");
        let keys = "SELECT key FROM tasks UNION ALL SELECT key FROM reflections UNION ALL SELECT key FROM jobs ORDER BY 1";
        let mut query = db.prepare(keys).expect("prepares");
        let keys: Vec<String> = query.query_map([], |row| row.get(0)).expect("reads").flatten().collect();
        assert_eq!(keys, ["done20", "open10", "open20", "r20", "t10", "t20"]);
    }

    #[test]
    fn version_1_is_migrated_and_keeps_its_rows() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("grace.db");
        let first = Schema { migrations: &[TABLES], ..SCHEMA };
        let mut db = store::open(&file, &first).expect("opens");
        write(&mut db, "j", &sum_up(7));
        drop(db);
        let db = open(&file).expect("migrates");
        assert_eq!(count_open_jobs(&db).expect("reads"), 1);
        assert!(dir.path().join("grace.db.v1").exists());
    }

    #[test]
    fn a_job_of_a_newer_grace_is_seen_and_not_understood() {
        let db = in_memory();
        db.execute("INSERT INTO jobs (key, job, at) VALUES ('n', '{\"job\":\"later\"}', 1)", [])
            .expect("inserts");
        let open = open_jobs(&db, 10).expect("reads");
        assert_eq!(open, [OpenJob { key: "n".into(), job: None, at: Time(1) }]);
    }
}
