//! The figures of a window, as every surface tells them.
//!
//! Programs read lengths in seconds (`_s`), exact to the millisecond, and null where there is no figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::figures::number::{Percent, maybe_seconds, seconds};
use crate::model::{Span, Time};

/// The figures of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Where the window begins, on Grace's own time.
    pub since: String,
    /// Where it ends: at the last tick, where nothing else was asked.
    pub until: String,
    /// The first tick of the journal, where the window was asked to begin before it: nothing before is covered.
    pub begins: Option<String>,
    /// So long Grace looked.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub observed_s: Span,
    /// So long she did not: stopped, crashed, or too late by several grids.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub unobserved_s: Span,
    /// How often the wall clock was stepped. Figures go by Grace's own time, which was not.
    pub clock_steps: u64,
    /// By how much in all; forward is more than nothing.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub clock_stepped_s: Span,
    /// All components together.
    pub overall: Measures,
    /// Each component that was declared in the window.
    pub components: Vec<Component>,
    /// So many more that are no longer declared are left out.
    pub left_out: u64,
    /// The modes.
    pub modes: Modes,
    /// What came of the recommendations that were reviewed in the window, where somebody had accepted them.
    pub recommendations: Reviews,
}

/// What came of recommendations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Reviews {
    /// So many helped.
    pub helped: u64,
    /// So many did not.
    pub did_not_help: u64,
    /// So many made it worse.
    pub made_it_worse: u64,
    /// Of so many nobody can say.
    pub not_enough_data: u64,
    /// Those that helped, of those of which it can be said.
    #[schema(value_type = Option<f64>)]
    pub hit_percent: Option<Percent>,
}

/// How well one healing rule of a component heals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Healing {
    /// Which rule.
    pub rule: String,
    /// What it does.
    pub action: String,
    /// Its tries that ended in the window and count.
    pub tries_counted: u64,
    /// Those that healed and lasted.
    pub healed: u64,
    /// `healed`, of those that count.
    #[schema(value_type = Option<f64>)]
    pub success_percent: Option<Percent>,
    /// Between these the true share lies, with 95 % (Wilson).
    #[schema(value_type = Option<Vec<f64>>)]
    pub success_between_percent: Option<[Percent; 2]>,
}

/// One component's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Which.
    pub component: String,
    /// Since when it is no longer declared.
    pub ended: Option<String>,
    /// Its figures.
    #[serde(flatten)]
    pub measures: Measures,
    /// Its healing rules, each with what it does.
    pub healings: Vec<Healing>,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Measures {
    /// Up, of up and down. None where it was neither.
    #[schema(value_type = Option<f64>)]
    pub uptime_percent: Option<Percent>,
    /// `ok` or `warn`.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub up_s: Span,
    /// The part of it that was `warn`.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub warn_s: Span,
    /// `critical`, and nobody held it.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub down_s: Span,
    /// `critical` while a person held it, or all: neither up nor down.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub planned_s: Span,
    /// `unknown`: neither up nor down.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub unknown_s: Span,
    /// It was declared, and Grace did not look.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub unobserved_s: Span,
    /// Consecutive failures at the window's end; none where that is in the past.
    pub failures_now: Option<u32>,
    /// The most that stood in the window.
    pub failures_worst: u32,
    /// Incidents that began in the window.
    pub incidents_begun: u64,
    /// Incidents that ended in it.
    pub incidents_ended: u64,
    /// Incidents that were open at its end.
    pub incidents_open: u64,
    /// Incidents that did not end: their component was no longer declared.
    pub incidents_left: u64,
    /// From an incident's begin until it was verified well (MTTR), without what a person held.
    pub recovery: Lengths,
    /// From the last tick of the grid that saw it well to the incident's begin: it took at most so long.
    pub detection: Lengths,
    /// From an incident's begin to the first act.
    pub reaction: Lengths,
    /// From the intent of the act that healed until that was seen.
    pub healing: Lengths,
    /// Tries that ended in the window, by what became of them.
    pub tries: BTreeMap<String, u64>,
    /// Tries that count: all but `healed_by_itself` and `unknown`.
    pub tries_counted: u64,
    /// `healed`, of those that count.
    #[schema(value_type = Option<f64>)]
    pub success_percent: Option<Percent>,
    /// Downtime that tries caused on what worked when they began.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub downtime_caused_s: Span,
    /// Downtime that tries ended.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub downtime_ended_s: Span,
}

/// Lengths of time, in short. Percentiles are those of the nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Lengths {
    /// So many.
    pub count: u64,
    /// Their mean, cut behind the millisecond.
    #[serde(with = "maybe_seconds")]
    #[schema(value_type = Option<f64>)]
    pub mean_s: Option<Span>,
    /// Half of them are not longer.
    #[serde(with = "maybe_seconds")]
    #[schema(value_type = Option<f64>)]
    pub p50_s: Option<Span>,
    /// 95 in 100 of them are not longer.
    #[serde(with = "maybe_seconds")]
    #[schema(value_type = Option<f64>)]
    pub p95_s: Option<Span>,
}

/// The modes in the window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Modes {
    /// How long it was which; while Grace did not look it was none.
    pub times: Vec<ModeTime>,
    /// How often it moved from where to where.
    pub transitions: Vec<Transition>,
    /// How often in all.
    pub count: u64,
    /// How often a day, cut behind the third digit.
    pub per_day: Option<f64>,
}

/// How long it was one mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModeTime {
    /// Which.
    pub mode: String,
    /// How long.
    #[serde(with = "seconds")]
    #[schema(value_type = f64)]
    pub time_s: Span,
}

/// How often the mode moved along one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transition {
    /// From this mode.
    pub from: String,
    /// To this one.
    pub to: String,
    /// So often.
    pub count: u64,
}

impl Lengths {
    /// Of these.
    #[must_use]
    pub fn of(mut all: Vec<Span>) -> Self {
        all.sort_unstable();
        let sum = all.iter().fold(0, |sum: i128, one| sum + i128::from(one.0));
        let count = all.len();
        let mean = i128::try_from(count).ok().and_then(|count| sum.checked_div(count));
        // The smallest of which at least so many in a hundred are not longer.
        let rank = |percent: usize| all.get((count * percent).div_ceil(100).checked_sub(1)?).copied();
        Self {
            count: count as u64,
            mean_s: mean.and_then(|mean| i64::try_from(mean).ok()).map(Span),
            p50_s: rank(50),
            p95_s: rank(95),
        }
    }
}

/// From when to when: behind the one, up to and with the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its begin.
    pub since: Time,
    /// Its end.
    pub until: Time,
    /// The first tick of all: nothing is before it, so a window that begins with it holds it as well.
    pub first: Time,
}

impl Window {
    /// Does it hold this time?
    #[must_use]
    pub fn holds(self, at: Time) -> bool {
        self.is_behind(at) && at <= self.until
    }

    /// Does this lie behind its begin?
    #[must_use]
    pub fn is_behind(self, at: Time) -> bool {
        self.since < at || at == self.first && self.since <= at
    }

    /// How much of that lies in it.
    #[must_use]
    pub fn overlap(self, began: Time, ended: Time) -> Span {
        Span((ended.min(self.until) - began.max(self.since)).0.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let of = |numbers: &[i64]| Lengths::of(numbers.iter().copied().map(Span).collect());
        let lengths = |count, mean, p50, p95| Lengths {
            count,
            mean_s: Some(Span(mean)),
            p50_s: Some(Span(p50)),
            p95_s: Some(Span(p95)),
        };
        assert_eq!(of(&[]), Lengths::default());
        assert_eq!(of(&[7]), lengths(1, 7, 7, 7));
        assert_eq!(of(&[4, 1]), lengths(2, 2, 1, 4));
        let twenty: Vec<i64> = (1..=20).collect();
        assert_eq!(of(&twenty), lengths(20, 10, 10, 19));
    }
}
