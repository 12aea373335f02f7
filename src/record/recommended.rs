//! What rules recommended, what people said to it, and what came of it.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::Change;
use crate::record::error::Fault;
use crate::record::rows::{FromView, counter, json, newest};
use crate::record::{JournalError, Reader};

/// One recommendation. `state` is `open`, `accepted`, `declined` or `reviewed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the columns of the view of the same name")]
pub struct Recommendation {
    pub seq: i64,
    /// Its number; one of an early journal has none.
    pub recommendation: Option<u64>,
    pub at: String,
    pub text: String,
    pub component: String,
    pub by: String,
    pub state: String,
    /// The healing that it is about, where it is about one.
    pub rule: Option<String>,
    pub action: Option<String>,
    /// Tries that had ended and count, and how many of them healed.
    pub closed_before: Option<u64>,
    pub healed_before: Option<u64>,
    /// The share that is expected to heal after the change.
    pub expects: Option<f64>,
    /// When before and after are compared.
    pub review: Option<String>,
    /// The change, where it can be named.
    #[schema(value_type = Option<Object>)]
    pub change: Option<serde_json::Value>,
    pub answered_at: Option<String>,
    pub answered_by: Option<String>,
    pub answer_reason: Option<String>,
    pub reviewed_at: Option<String>,
    /// `helped`, `did_not_help`, `made_it_worse` or `not_enough_data`.
    pub verdict: Option<String>,
    /// Tries that ended since; of an open one so far.
    pub closed_after: Option<u64>,
    pub healed_after: Option<u64>,
    /// So much more of the tries heal than before, with the ends of its interval of 95 %.
    #[schema(value_type = Option<Vec<f64>>)]
    pub difference: Option<serde_json::Value>,
    pub detail: Option<String>,
    /// The rule was changed since it was recommended; of one that is not reviewed yet, by a Grace that runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rule_changed: bool,
}

impl Recommendation {
    /// The change that it names, where it can still be made as it was meant.
    ///
    /// # Errors
    /// There is none, or it may have been made already; why.
    pub fn changes(&self) -> Result<Change, String> {
        if !matches!(self.state.as_str(), "open" | "accepted") {
            return Err(format!("it is {}: nothing is to be changed for it", self.state));
        }
        if self.rule_changed {
            let rule = self.rule.as_deref().unwrap_or_default();
            return Err(format!(
                "`{rule}` was changed since: what is recommended was said of the rule as it was"
            ));
        }
        let change = self.change.clone().and_then(|change| serde_json::from_value(change).ok());
        change.ok_or_else(|| "it names no change".into())
    }
}

impl FromView for Recommendation {
    const QUERY: &'static str = "SELECT * FROM recommendations ORDER BY seq DESC LIMIT ?1";
    fn of(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            seq: row.get("seq")?,
            recommendation: counter(row, "recommendation")?,
            at: row.get("at")?,
            text: row.get("text")?,
            component: row.get("component")?,
            by: row.get("by")?,
            state: row.get("state")?,
            rule: row.get("rule")?,
            action: row.get("action")?,
            closed_before: counter(row, "closed_before")?,
            healed_before: counter(row, "healed_before")?,
            expects: row.get("expects")?,
            review: row.get("review")?,
            change: json(row, "change")?,
            answered_at: row.get("answered_at")?,
            answered_by: row.get("answered_by")?,
            answer_reason: row.get("answer_reason")?,
            reviewed_at: row.get("reviewed_at")?,
            verdict: row.get("verdict")?,
            closed_after: counter(row, "closed_after")?,
            healed_after: counter(row, "healed_after")?,
            difference: json(row, "difference")?,
            detail: row.get("detail")?,
            rule_changed: false,
        })
    }
}

impl Reader {
    /// The newest recommendations, newest first.
    pub fn recommendations(&self, limit: usize) -> Result<Vec<Recommendation>, JournalError> {
        self.look(|conn| newest(conn, limit))
    }

    /// One recommendation by its number.
    pub fn recommendation(&self, number: u64) -> Result<Option<Recommendation>, JournalError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.look(|conn| {
            let mut query = conn.prepare_cached("SELECT * FROM recommendations WHERE recommendation = ?1")?;
            query.query_row(params![number], |row| Ok(Recommendation::of(row))).optional()?.transpose()
        })
    }
}
