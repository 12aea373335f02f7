//! Where a replay of the last so long begins.

use rusqlite::{OptionalExtension, Row, params};

use crate::model::{Record, Time};
use crate::record::error::Fault;
use crate::record::replay::Ticks;
use crate::record::{JournalError, Reader, state};

impl Reader {
    /// The time of the newest tick that can be read, on Grace's own time line; nothing before the first.
    pub fn last_tick(&self) -> Result<Option<Time>, JournalError> {
        self.look(|conn| {
            let mut newest =
                conn.prepare_cached("SELECT body FROM entries WHERE kind = 'tick' ORDER BY seq DESC")?;
            let mut rows = newest.query([])?;
            while let Some(row) = rows.next()? {
                // One that was changed so that it cannot be read is passed by.
                let body = row.get_ref(0)?.as_str().ok().map(serde_json::from_str);
                if let Some(Ok(Record::Tick { now, .. })) = body {
                    return Ok(Some(now));
                }
            }
            Ok(None)
        })
    }

    /// Everything about acts, in order: intents, ends and relapses, and the answers to requests for approval.
    pub fn acts(&self, mut each: impl FnMut(Record)) -> Result<(), JournalError> {
        self.look(|conn| {
            // Each kind lies in order in its index already. Merged so, nothing is sorted, which would take a file of
            // its own where there are many, and whoever only looks can make none.
            let mut query = conn.prepare_cached(
                "SELECT seq, body FROM entries WHERE kind = 'intent'
                 UNION ALL SELECT seq, body FROM entries WHERE kind = 'end'
                 UNION ALL SELECT seq, body FROM entries WHERE kind = 'relapsed'
                 UNION ALL SELECT seq, body FROM entries WHERE kind = 'approved'
                 UNION ALL SELECT seq, body FROM entries WHERE kind = 'approval_ended'
                 ORDER BY seq",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let seq = row.get(0)?;
                each(read(row).map_err(|fault| fault.at(seq))?);
            }
            Ok(())
        })
    }

    /// What was recorded from `since` on, and before it what a replay needs to get there: it begins with the last
    /// state that was kept until then, and says first which generation was active. Without a time, all there is.
    pub fn ticks_since(&self, since: Option<Time>) -> Result<Ticks<'_>, JournalError> {
        let Some(since) = since else { return Ok(self.ticks(0)) };
        self.look(|conn| {
            // One that is no JSON any more is told where the ticks come to it, with the entry that it was kept with.
            let kept = "SELECT seq FROM checkpoints
                        WHERE CASE WHEN json_valid(body) THEN body ->> '$.now' < ?1 ELSE false END
                        ORDER BY seq DESC LIMIT 1";
            let kept = conn.query_row(kept, params![since.0], |row| row.get::<_, i64>(0)).optional()?;
            let Some(from) = kept.map(|seq| seq - 1).filter(|from| *from > 0) else {
                return Ok(self.ticks(0));
            };
            let active = "SELECT seq, body ->> '$.generation' FROM entries
                          WHERE kind = 'generation' AND seq <= ?1 ORDER BY seq DESC LIMIT 1";
            let active = conn.query_row(active, [from], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
            // Before the first generation nothing is but its start, which says which Grace decided.
            let Some((seq, id)) = active.optional()? else { return Ok(self.ticks(0)) };
            let files = state::generation_text(conn, &id)?;
            let all = self.ticks(from).under(seq, id.as_str().into(), files);
            let started = "SELECT seq, body ->> '$.version' FROM entries
                           WHERE kind = 'started' AND seq <= ?1 ORDER BY seq DESC LIMIT 1";
            let started = conn.query_row(started, [from], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
            Ok(match started.optional()? {
                Some((seq, version)) => all.by(seq, version),
                None => all,
            })
        })
    }
}

fn read(row: &Row<'_>) -> Result<Record, Fault> {
    Ok(serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?)
}
