//! Pages of what the journal holds, newest first, for those who go back further than the newest few.
//!
//! A page begins below an entry's number, so entries that come meanwhile move nothing.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::{Act, Time};
use crate::record::about::{ASKED, About};
use crate::record::error::Fault;
use crate::record::reader::clamp;
use crate::record::rows::{Approval, FromView, HealingAction, counter};
use crate::record::{JournalError, Reader};

/// Which page.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// Below this entry's number; the newest where nothing is said.
    pub before: Option<i64>,
    /// So many at the most.
    pub limit: usize,
    /// Only of this component.
    pub component: Option<String>,
}

/// One incident: from the first critical reading to the one that verified the component healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Incident {
    /// The entry that began it.
    pub seq: i64,
    /// Its number.
    pub incident: u64,
    /// Of which component.
    pub component: String,
    /// When it began.
    pub began_at: String,
    /// When it ended; none while it is open.
    pub ended_at: Option<String>,
}

/// One set of files that became active, or was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Activation {
    /// The entry.
    pub seq: i64,
    /// When.
    pub at: String,
    /// Its digest, of those that became active.
    pub generation: Option<String>,
    /// Every problem, of those that were refused.
    pub problems: Vec<String>,
}

/// One entry, as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its number.
    pub seq: i64,
    /// When it was written, by the wall clock.
    pub at: String,
    /// The tick that wrote it, where one did.
    pub tick: Option<u64>,
    /// What kind of record it is.
    pub kind: String,
    /// The type of the event that it is carried as.
    pub event: Option<String>,
    /// The component that it is about.
    pub component: Option<String>,
    /// What it is about, where the record only names a request for approval by its number. Told when it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The record.
    pub body: serde_json::Value,
    /// Its hash, in hex.
    pub hash: String,
}

impl Entry {
    fn read(which: &str) -> String {
        format!("SELECT seq, at, tick, kind, event, component, body, hash, {ASKED} {which}")
    }

    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        let (body, hash): (String, Vec<u8>) = (row.get("body")?, row.get("hash")?);
        Ok(Self {
            seq: row.get("seq")?,
            at: Time(row.get("at")?).to_string(),
            tick: counter(row, "tick")?,
            kind: row.get("kind")?,
            event: row.get("event")?,
            component: row.get("component")?,
            about: About::of(row)?.map(|about| about.says),
            body: serde_json::from_str(&body)?,
            hash: hex::encode(hash),
        })
    }
}

/// Is an entry `e` about the component `?3`? What was refused is about the one that was asked for, and what became of a request
/// for approval about the one that it is of.
macro_rules! is_about {
    () => {
        "(?3 IS NULL OR component = ?3 OR kind = 'refused' AND body ->> '$.asked.component' = ?3
          OR kind IN ('approved', 'approval_ended', 'refused')
             AND coalesce(e.body ->> '$.approval', e.body ->> '$.asked.approval') IN
                 (SELECT q.body ->> '$.approval' FROM entries q WHERE q.kind = 'approval_asked' AND q.component = ?3))"
    };
}

const ENTRIES: &str = concat!(
    "FROM entries e WHERE seq > ?1 AND (?2 IS NULL OR kind = ?2) AND ",
    is_about!(),
    " ORDER BY seq LIMIT ?4"
);

const ACTIONS: &str = "SELECT * FROM healing_actions
    WHERE seq < ?1 AND (?2 IS NULL OR component = ?2) AND (?4 IS NULL OR result IS ?4)
          AND (?5 IS NULL OR instr(', ' || action || ' ', ', ' || ?5 || ' ')
               OR instr(', ' || action || ',', ', ' || ?5 || ',')) ORDER BY seq DESC LIMIT ?3";

const APPROVALS: &str = "SELECT * FROM approvals
    WHERE seq < ?1 AND (?2 IS NULL OR component = ?2) AND (?4 IS NULL OR answer = ?4) ORDER BY seq DESC LIMIT ?3";

const INCIDENTS: &str = "SELECT b.seq, b.at, b.component, b.body ->> '$.incident' AS incident, e.at AS ended
    FROM entries b LEFT JOIN entries e ON e.component = b.component AND e.kind = 'incident_ended'
         AND e.body ->> '$.incident' = b.body ->> '$.incident'
    WHERE b.kind = 'incident_begun' AND b.seq < ?1 AND (?2 IS NULL OR b.component = ?2)
          AND (?4 IS NULL OR ?4 = (e.seq IS NULL)) ORDER BY b.seq DESC LIMIT ?3";

const ACTIVATIONS: &str =
    "SELECT seq, at, body ->> '$.generation' AS generation, body -> '$.problems' AS problems
    FROM entries WHERE kind IN ('generation', 'generation_rejected') AND seq < ?1 ORDER BY seq DESC LIMIT ?2";

/// Who ended something is named where its reason begins.
const SEARCH: &str = concat!(
    "FROM entries e WHERE seq < ?1 AND (?2 IS NULL OR kind = ?2) AND ",
    is_about!(),
    "     AND at >= ?4 AND at <= ?5 AND (?2 IS NOT NULL OR ?8 OR kind <> 'tick')
          AND (?6 IS NULL OR ?6 IN (body ->> '$.actor', body ->> '$.by.actor', body ->> '$.proposal.by.actor',
                                    body ->> '$.asked.actor', body ->> '$.claim.actor', body ->> '$.made.by')
               OR kind IN ('claim_ended', 'hold_ended', 'silence_ended', 'token_ended')
                  AND instr(body ->> '$.reason', 'ended by ' || ?6 || ': ') = 1)
    ORDER BY seq DESC LIMIT ?7"
);

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Below this entry's number.
    pub before: Option<i64>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only about this component.
    pub component: Option<String>,
    /// Only by this actor.
    pub actor: Option<String>,
    /// Written at this time or later, by the wall clock.
    pub since: Option<Time>,
    /// Written at this time or before.
    pub until: Option<Time>,
    /// Ticks as well.
    pub ticks: bool,
    /// So many at the most.
    pub limit: usize,
}

impl Reader {
    /// The newest entries that are such, newest first.
    pub fn search(&self, search: &Search) -> Result<Vec<Entry>, JournalError> {
        let Search { before, kind, component, actor, since, until, ticks, limit } = search;
        let (since, until) = (since.map_or(i64::MIN, |at| at.0), until.map_or(i64::MAX, |at| at.0));
        let before = before.unwrap_or(i64::MAX);
        let given = params![before, kind, component, since, until, actor, clamp(*limit), ticks];
        self.look(|conn| all(conn, &Entry::read(SEARCH), given, Entry::of))
    }

    /// Entries after one, in order; of a kind, where one is named.
    pub fn entries(
        &self,
        after: i64,
        limit: usize,
        (kind, component): (Option<&str>, Option<&str>),
    ) -> Result<Vec<Entry>, JournalError> {
        self.look(|conn| {
            all(conn, &Entry::read(ENTRIES), params![after, kind, component, clamp(limit)], Entry::of)
        })
    }

    /// Tries of healings; of those that ended so or did such a thing, where that is named.
    pub fn actions(
        &self,
        page: &Paging,
        (result, kind): (Option<&str>, Option<&str>),
    ) -> Result<Vec<HealingAction>, JournalError> {
        let Paging { before, limit, component } = page;
        let before = before.unwrap_or(i64::MAX);
        self.look(|conn| {
            all(conn, ACTIONS, params![before, component, clamp(*limit), result, kind], HealingAction::of)
        })
    }

    /// One act.
    pub fn action(&self, act: u64) -> Result<Option<HealingAction>, JournalError> {
        self.one("SELECT * FROM healing_actions WHERE act = ?1", act, HealingAction::of)
    }

    /// Requests for approval; of those that wait, were approved or ended, where that is named.
    pub fn approvals_page(&self, page: &Paging, answer: Option<&str>) -> Result<Vec<Approval>, JournalError> {
        let Paging { before, limit, component } = page;
        let before = before.unwrap_or(i64::MAX);
        self.look(|conn| {
            all(conn, APPROVALS, params![before, component, clamp(*limit), answer], Approval::of)
        })
    }

    /// One request for approval.
    pub fn approval(&self, approval: u64) -> Result<Option<Approval>, JournalError> {
        self.one("SELECT * FROM approvals WHERE approval = ?1", approval, Approval::of)
    }

    /// The act that a request for approval was about.
    pub fn approval_act(&self, approval: u64) -> Result<Option<Act>, JournalError> {
        let query = "SELECT body -> '$.proposal.act' AS act FROM entries
                     WHERE kind = 'approval_asked' AND body ->> '$.approval' = ?1 ORDER BY seq DESC LIMIT 1";
        let act: Option<String> = self.one(query, approval, |row| Ok(row.get("act")?))?;
        // What this Grace cannot read is shown as the view shows it.
        Ok(act.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Why a request for approval ended without its act; nothing where it did not.
    pub fn approval_end(&self, approval: u64) -> Result<Option<String>, JournalError> {
        let query = "SELECT body ->> '$.reason' AS reason FROM entries
                     WHERE kind = 'approval_ended' AND body ->> '$.approval' = ?1 ORDER BY seq DESC LIMIT 1";
        self.one(query, approval, |row| Ok(row.get("reason")?))
    }

    /// Incidents; of those that are open or over, where that is named.
    pub fn incidents(&self, page: &Paging, open: Option<bool>) -> Result<Vec<Incident>, JournalError> {
        let Paging { before, limit, component } = page;
        let before = before.unwrap_or(i64::MAX);
        let of = |row: &Row<'_>| {
            let ended: Option<i64> = row.get("ended")?;
            Ok(Incident {
                seq: row.get("seq")?,
                incident: counter(row, "incident")?.unwrap_or(0),
                component: row.get("component")?,
                began_at: Time(row.get("at")?).to_string(),
                ended_at: ended.map(|at| Time(at).to_string()),
            })
        };
        self.look(|conn| all(conn, INCIDENTS, params![before, component, clamp(*limit), open], of))
    }

    /// Sets of files that became active or were refused.
    pub fn activations(&self, page: &Paging) -> Result<Vec<Activation>, JournalError> {
        let of = |row: &Row<'_>| {
            let problems: Option<String> = row.get("problems")?;
            Ok(Activation {
                seq: row.get("seq")?,
                at: Time(row.get("at")?).to_string(),
                generation: row.get("generation")?,
                problems: problems.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default(),
            })
        };
        let before = page.before.unwrap_or(i64::MAX);
        self.look(|conn| all(conn, ACTIVATIONS, params![before, clamp(page.limit)], of))
    }

    fn one<T>(
        &self,
        query: &str,
        number: u64,
        of: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, JournalError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        self.look(|conn| {
            let mut query = conn.prepare_cached(query)?;
            query.query_row([number], |row| Ok(of(row))).optional()?.transpose()
        })
    }
}

fn all<T>(
    conn: &Connection,
    query: &str,
    given: impl rusqlite::Params,
    of: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut query = conn.prepare_cached(query)?;
    let mut rows = query.query(given)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(of(row)?);
    }
    Ok(found)
}
