//! How components are and were: the rows of `health_checks`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};

use crate::record::error::Fault;
use crate::record::reader::clamp;
use crate::record::rows::{HealthCheck, counter, json};
use crate::record::{JournalError, Reader};

/// So many rows are looked through for the newest look at each component. A grid tick looks at all of them,
/// so the last few ticks nearly always do.
const LOOK_BACK: usize = 10_000;

impl Reader {
    /// The newest look at each component that the last tick knew of, by name.
    pub fn health_checks(&self) -> Result<Vec<HealthCheck>, JournalError> {
        self.look(latest_checks)
    }

    /// The newest looks at one component, newest first.
    pub fn health_history(&self, component: &str, limit: usize) -> Result<Vec<HealthCheck>, JournalError> {
        self.look(|conn| {
            let mut query = conn.prepare_cached(
                "SELECT * FROM health_checks WHERE component = ?1 ORDER BY seq DESC LIMIT ?2",
            )?;
            let mut rows = query.query(params![component, clamp(limit)])?;
            let mut checks = Vec::new();
            while let Some(row) = rows.next()? {
                checks.push(HealthCheck::of(row)?);
            }
            Ok(checks)
        })
    }
}

fn latest_checks(conn: &Connection) -> Result<Vec<HealthCheck>, Fault> {
    let mut wanted = known(conn)?;
    let mut found = BTreeMap::new();
    let mut query = conn.prepare_cached("SELECT * FROM health_checks ORDER BY seq DESC LIMIT ?1")?;
    let mut rows = query.query([clamp(LOOK_BACK)])?;
    while !wanted.is_empty()
        && let Some(row) = rows.next()?
    {
        let component: String = row.get("component")?;
        if wanted.remove(&component) {
            found.insert(component, HealthCheck::of(row)?);
        }
    }
    Ok(found.into_values().collect())
}

/// The components that the last tick knew of.
fn known(conn: &Connection) -> Result<BTreeSet<String>, Fault> {
    let mut query = conn.prepare_cached(
        "SELECT key FROM json_each(
             (SELECT body FROM entries WHERE kind = 'tick' ORDER BY seq DESC LIMIT 1), '$.statuses')",
    )?;
    let names = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

impl HealthCheck {
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            tick: counter(row, "tick")?.unwrap_or(0),
            component: row.get("component")?,
            status: row.get("status")?,
            occasion: row.get("occasion")?,
            facts: json(row, "facts")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{ComponentId, FactId, Occasion, Reading, Readings, Record, Snapshot, Status, Time};
    use crate::record::pen::Pen;
    use crate::record::{Journal, chain};

    /// A tick that knew two components and looked at some of them.
    fn tick(journal: &Journal, at: i64, database: Status, looked_at: &[&str]) {
        let readings = |name: &&str| {
            let facts = [(FactId::new("p", "age_s"), Reading::float(1.5))].into_iter().collect();
            (ComponentId::from(*name), Readings { taken_at: Time(at), occasion: Occasion::Grid, facts })
        };
        let body = serde_json::to_string(&looked_at.iter().map(readings).collect::<Snapshot>()).unwrap();
        let record = Record::Tick {
            tick: 1,
            now: Time(at),
            statuses: BTreeMap::from([("database".into(), database), ("task_executor".into(), Status::Ok)]),
            failures: BTreeMap::new(),
            performed: Vec::new(),
            asked: Vec::new(),
            stop: false,
            grid: None,
            meaning: crate::model::Meaning::FIRST,
            readings: chain::digest(body.as_bytes()),
            decisions: String::new(),
            state: None,
        };
        journal
            .write(|transaction, figures| {
                let mut pen = Pen::take(transaction, figures, Time(at), Some(1))?;
                let seq = pen.write(&record)?;
                transaction.execute("INSERT INTO readings VALUES (?1, ?2)", params![seq, body])?;
                pen.finish()
            })
            .unwrap();
    }

    #[test]
    fn the_newest_look_at_each_component_may_be_of_different_ticks() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        tick(&journal, 1_000, Status::Ok, &["database", "task_executor"]);
        tick(&journal, 2_000, Status::Critical, &["database"]);
        let reader = Reader::open(dir.path()).unwrap();
        let checks = reader.health_checks().unwrap();
        let seen: Vec<_> =
            checks.iter().map(|check| (check.component.as_str(), check.status.as_str(), check.seq)).collect();
        assert_eq!(seen, [("database", "critical", 2), ("task_executor", "ok", 1)]);
        assert_eq!(checks[0].occasion.as_deref(), Some("grid"));
        assert_eq!(checks[0].facts.as_ref().map(|facts| &facts["p.age_s"]), Some(&1.5.into()));
        assert_eq!(checks[0].at, "1970-01-01T00:00:02Z");
        let history = reader.health_history("database", 9).unwrap();
        assert_eq!(history.iter().map(|check| check.seq).collect::<Vec<_>>(), [2, 1]);
        assert!(reader.verify().unwrap().is_whole());
    }

    #[test]
    fn a_check_outlives_its_facts() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        tick(&journal, 1_000, Status::Warn, &["database"]);
        journal.expire_readings(Time(5_000)).unwrap();
        let check = Reader::open(dir.path()).unwrap().health_history("database", 9).unwrap().remove(0);
        assert_eq!((check.status.as_str(), check.facts), ("warn", None));
    }
}
