//! Events: journal entries as CloudEvents 1.0.

use serde::{Deserialize, Serialize};

use crate::model::Time;
use crate::record::about::About;
use crate::record::error::Fault;

/// One event. Its id is the number of the entry it was made from, so it means the same after any restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// The number of the entry.
    pub id: String,
    /// Always `/grace`.
    pub source: String,
    /// Its type: `health.component_failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The component it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was written, by the wall clock, in RFC 3339.
    pub time: String,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What it is about, where the record only names a request for approval by its number: `restart of database, asked by
    /// token:ann: it looks odd`. Told when it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The record.
    pub data: serde_json::Value,
}

impl Event {
    /// The number of the entry; 0 where the id is none of ours.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.id.parse().unwrap_or(0)
    }

    /// Makes one of a row of `seq, at, event, component, body, asked`.
    pub(super) fn of(row: &rusqlite::Row<'_>) -> Result<Self, Fault> {
        let (body, component): (String, Option<String>) = (row.get(4)?, row.get(3)?);
        let about = About::of(row)?;
        let subject = component.or_else(|| about.as_ref()?.component.clone());
        Ok(Self {
            specversion: "1.0".into(),
            id: row.get::<_, i64>(0)?.to_string(),
            source: "/grace".into(),
            kind: row.get(2)?,
            subject,
            time: Time(row.get(1)?).to_string(),
            datacontenttype: "application/json".into(),
            about: about.map(|about| about.says),
            data: serde_json::from_str(&body)?,
        })
    }
}
