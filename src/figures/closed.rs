//! What is over and has a length: incidents, tries, the time in which nobody looked.

use serde::{Deserialize, Serialize};

use crate::model::{ActId, ComponentId, Effectiveness, IncidentId, ModeId, Outcome, RuleId, Span, Time};

/// One thing that is over. Percentiles are exact, because each is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Closed {
    /// An incident ended.
    Incident(Incident),
    /// A try ended.
    Try(Try),
    /// Grace did not look for a while.
    Gap(Stretch),
    /// A component was no longer declared.
    Life(Life),
    /// The mode changed.
    Mode(Move),
    /// The wall clock was stepped.
    Clock(Stepped),
    /// A recommendation was reviewed.
    Review(Review),
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub incident: IncidentId,
    /// Of which component.
    pub component: ComponentId,
    /// When it began.
    pub began: Time,
    /// When it ended.
    pub ended: Time,
    /// So much of it a person held the component, or all.
    pub planned: Span,
    /// From the last tick of the grid that saw it well: it took at most so long until the failure was seen.
    pub detect: Option<Span>,
    /// From its begin to the first act.
    pub act: Option<Span>,
    /// From the intent of the act that healed it until that was seen.
    pub heal: Option<Span>,
    /// It did not end: its component was no longer declared.
    pub left: bool,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// Its act.
    pub act: ActId,
    /// On what.
    pub component: ComponentId,
    /// The rule that wanted it; a person's has none.
    pub rule: Option<RuleId>,
    /// What was done: `restart`.
    pub action: String,
    /// When it was permitted.
    pub began: Time,
    /// When it ended.
    pub ended: Time,
    /// What became of it; `relapsed` where what it healed did not last.
    pub outcome: Outcome,
    /// The downtime that it caused.
    pub caused: Span,
    /// The downtime that it ended.
    pub relieved: Span,
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The entry that ended it.
    pub seq: i64,
    /// The last tick before.
    pub began: Time,
    /// The first tick behind.
    pub ended: Time,
}

/// How long a component was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The entry that ended it.
    pub seq: i64,
    /// Which component.
    pub component: ComponentId,
    /// The first tick with it.
    pub began: Time,
    /// The first tick without it.
    pub ended: Time,
}

/// The mode moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Its entry.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// From this mode.
    pub from: ModeId,
    /// To this one.
    pub to: ModeId,
}

/// The wall clock was stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stepped {
    /// Its entry.
    pub seq: i64,
    /// The tick before it was noticed.
    pub at: Time,
    /// By how much; forward is more than nothing.
    pub by: Span,
}

/// A recommendation was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its entry.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// About which component.
    pub component: ComponentId,
    /// What came of it.
    pub verdict: Effectiveness,
    /// Somebody had accepted it.
    pub accepted: bool,
}

impl Closed {
    /// What tells it from all others: its kind, a number, and a component where the number is shared.
    #[must_use]
    pub fn key(&self) -> (&'static str, i64, &str) {
        let number = |counter: u64| i64::try_from(counter).unwrap_or(i64::MAX);
        match self {
            Self::Incident(one) => ("incident", number(one.incident.0), one.component.as_str()),
            Self::Try(one) => ("try", number(one.act.0), one.component.as_str()),
            Self::Gap(one) => ("gap", one.seq, ""),
            Self::Life(one) => ("life", one.seq, one.component.as_str()),
            Self::Mode(one) => ("mode", one.seq, ""),
            Self::Clock(one) => ("clock", one.seq, ""),
            Self::Review(one) => ("review", one.seq, one.component.as_str()),
        }
    }

    /// From when to when it was.
    #[must_use]
    pub fn times(&self) -> (Time, Time) {
        match self {
            Self::Incident(one) => (one.began, one.ended),
            Self::Try(one) => (one.began, one.ended),
            Self::Gap(one) => (one.began, one.ended),
            Self::Life(one) => (one.began, one.ended),
            Self::Mode(one) => (one.at, one.at),
            Self::Clock(one) => (one.at, one.at),
            Self::Review(one) => (one.at, one.at),
        }
    }
}
