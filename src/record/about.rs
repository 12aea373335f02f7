//! What an entry is about that only names requests for approval by their numbers: each stands earlier in the journal, and
//! whoever reads of its end, or of a vote that it has lost, should not have to look for it.

use rusqlite::Row;

use crate::model::{ComponentId, Proposal, Record, act_of};
use crate::record::error::Fault;

/// The column `asked` of an entry `e`: the records of the requests that it names, where it names any. A token's end names
/// those that have lost a vote.
pub(super) const ASKED: &str = "CASE
        WHEN e.kind IN ('approved', 'approval_ended', 'refused')
             AND coalesce(e.body ->> '$.approval', e.body ->> '$.asked.approval') IS NOT NULL THEN
        (SELECT '[' || q.body || ']' FROM entries q WHERE q.kind = 'approval_asked' AND q.seq < e.seq
             AND q.body ->> '$.approval' = coalesce(e.body ->> '$.approval', e.body ->> '$.asked.approval')
         ORDER BY q.seq DESC LIMIT 1)
        WHEN e.kind = 'token_ended' AND e.body ->> '$.votes' IS NOT NULL THEN
        (SELECT json_group_array(json(coalesce((SELECT q.body FROM entries q
             WHERE q.kind = 'approval_asked' AND q.seq < e.seq AND q.body ->> '$.approval' = v.value
             ORDER BY q.seq DESC LIMIT 1), 'null'))) FROM json_each(e.body, '$.votes') v) END AS asked";

/// The requests that an entry names.
pub(super) struct About {
    /// The component that they were about, where it is the same.
    pub(super) component: Option<String>,
    /// `restart of database, asked by token:ann: it looks odd`
    pub(super) says: String,
}

impl About {
    /// Of a row with [`ASKED`]. What this Grace cannot read is not told.
    pub(super) fn of(row: &Row<'_>) -> Result<Option<Self>, Fault> {
        let asked: Option<String> = row.get("asked")?;
        let asked: Vec<serde_json::Value> =
            asked.and_then(|all| serde_json::from_str(&all).ok()).unwrap_or_default();
        let each = asked.into_iter().filter_map(|one| match serde_json::from_value(one) {
            Ok(Record::ApprovalAsked { proposal, .. }) => Some(Self::proposed(&proposal)),
            _ => None,
        });
        Ok(each.reduce(|one, other| one.and(&other)))
    }

    fn proposed(proposal: &Proposal) -> Self {
        let component = proposal.component.as_ref().map(ComponentId::as_str);
        let what = act_of(&proposal.act.words(), component);
        let says = format!("{what}, asked by {}: {}", proposal.by, proposal.reason);
        Self { component: component.map(str::to_owned), says }
    }

    fn and(self, other: &Self) -> Self {
        let component = self.component.filter(|one| other.component.as_ref() == Some(one));
        Self { component, says: format!("{}; {}", self.says, other.says) }
    }
}
