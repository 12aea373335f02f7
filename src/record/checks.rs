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
