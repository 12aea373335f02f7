//! Are the figures that were kept those that the entries come to? They are no part of the chain, so that whoever changes
//! them breaks nothing else; and a report is read by people who see no entries.

use rusqlite::{Connection, Row, Transaction};

use crate::figures::Fold;
use crate::model::Time;
use crate::record::error::Fault;
use crate::record::figures::keep;
use crate::record::figures::keep::Kept;
use crate::record::figures::portion::portion;
use crate::record::tables::FIGURES;
use crate::record::{JournalError, Reader};

/// So many entries are folded before what came of them is put aside.
const BATCH: i64 = 1_000;

/// What is kept: hours, and what ended.
const HOURS: &str = "SELECT hour, seq, body, fold FROM figure_hours ORDER BY hour";
const ENDS: &str =
    "SELECT kind, id, component, began, ended, body FROM figure_rows ORDER BY kind, id, component";

impl Reader {
    /// What was kept of the figures and does not follow from the entries. What another version kept, or is kept of
    /// entries that are not there, says nothing: it is made anew with the next start.
    pub fn altered_figures(&self) -> Result<Vec<String>, JournalError> {
        self.look(|conn| {
            let transaction = conn.unchecked_transaction()?;
            let Kept::Fits(_, upto) = keep::newest(&transaction)? else { return Ok(Vec::new()) };
            // A private database that goes to a temporary file where it does not fit the cache, so that a journal of any
            // length takes as much memory.
            let mut anew = Connection::open("")?;
            anew.execute_batch(FIGURES)?;
            fold(&transaction, &mut anew, upto)?;
            let hour = differs((&transaction, &anew, HOURS), |row| Ok(row.get::<_, i64>(0)?))?;
            let hour = hour.map(|hour| format!("the hour from {}", Time(hour)));
            let key = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let end: Option<(String, i64, String)> = differs((&transaction, &anew, ENDS), key)?;
            let end = end.map(|(kind, id, of)| format!("{kind} {id} {of}").trim_end().to_owned());
            let says =
                |what| format!("the figures that are kept do not follow from the entries: first {what}");
            Ok([hour, end].into_iter().flatten().map(says).collect())
        })
    }
}

/// Keeps elsewhere what the entries come to. The entry behind `upto` ended what was kept last.
fn fold(conn: &Transaction<'_>, anew: &mut Connection, upto: i64) -> Result<(), Fault> {
    let (mut fold, mut after) = (Fold::default(), 0);
    while after <= upto {
        let (last, made) = portion(conn, &mut fold, (after, BATCH.min(upto + 1 - after)))?;
        let transaction = anew.transaction()?;
        made.keep(&transaction)?;
        transaction.commit()?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(())
}

/// What finds the first row that is not the same on both sides, or is on one only.
fn differs<K: Ord>(
    (kept, anew, query): (&Connection, &Connection, &str),
    key: impl Fn(&Row<'_>) -> Result<K, Fault>,
) -> Result<Option<K>, Fault> {
    let (mut kept, mut anew) = (kept.prepare(query)?, anew.prepare(query)?);
    let columns = kept.column_count();
    let (mut kept, mut anew) = (kept.query([])?, anew.query([])?);
    loop {
        match (kept.next()?, anew.next()?) {
            (None, None) => return Ok(None),
            (Some(kept), Some(anew)) => {
                for column in 0..columns {
                    if kept.get_ref(column)? != anew.get_ref(column)? {
                        return Ok(Some(key(kept)?.min(key(anew)?)));
                    }
                }
            }
            (Some(row), None) | (None, Some(row)) => return key(row).map(Some),
        }
    }
}
