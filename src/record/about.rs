//! What an entry is about that only names a request for approval by its number: the request stands earlier in the journal, and
//! whoever reads of its end should not have to look for it.

use rusqlite::Row;

use crate::model::{ComponentId, Record, act_of};
use crate::record::error::Fault;

/// The column `asked` of an entry `e`: the record of the request that it names, where it names one.
pub(super) const ASKED: &str = "CASE
        WHEN e.kind IN ('approved', 'approval_ended', 'refused')
             AND coalesce(e.body ->> '$.approval', e.body ->> '$.asked.approval') IS NOT NULL THEN
        (SELECT q.body FROM entries q WHERE q.kind = 'approval_asked' AND q.seq < e.seq
             AND q.body ->> '$.approval' = coalesce(e.body ->> '$.approval', e.body ->> '$.asked.approval')
         ORDER BY q.seq DESC LIMIT 1) END AS asked";

/// The request that an entry names.
pub(super) struct About {
    /// The component that it was about.
    pub(super) component: Option<String>,
    /// `restart of database, asked by token:ann: it looks odd`
    pub(super) says: String,
}

impl About {
    /// Of a row with [`ASKED`]. What this Grace cannot read is not told.
    pub(super) fn of(row: &Row<'_>) -> Result<Option<Self>, Fault> {
        let asked: Option<String> = row.get("asked")?;
        let Some(Ok(Record::ApprovalAsked { proposal, .. })) = asked.map(|body| serde_json::from_str(&body))
        else {
            return Ok(None);
        };
        let component = proposal.component.as_ref().map(ComponentId::as_str);
        let what = act_of(&proposal.act.words(), component);
        let says = format!("{what}, asked by {}: {}", proposal.by, proposal.reason);
        Ok(Some(Self { component: component.map(str::to_owned), says }))
    }
}
