//! For how long a component's future was exact, modelled or unknown.

use serde::Serialize;

use crate::model::{Span, Time};

/// How far the record tells what would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Known {
    /// As recorded.
    #[default]
    Exact,
    /// By the recorded success rate of acts.
    Modelled,
    /// Not at all.
    Unknown,
}

/// The times so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    known: Known,
    /// Since when that is counted.
    since: Option<Time>,
    pub(super) exact: Span,
    pub(super) modelled: Span,
    pub(super) unknown: Span,
}

impl Shares {
    pub(super) fn known(&self) -> Known {
        self.known
    }

    /// From now on that much is known. Nothing makes a future exact again.
    pub(super) fn turn(&mut self, known: Known, now: Time) {
        self.pass(now);
        self.known = known;
    }

    /// Counting begins, if it has not.
    pub(super) fn begin(&mut self, now: Time) {
        self.since.get_or_insert(now);
    }

    /// Time has gone by.
    pub(super) fn pass(&mut self, now: Time) {
        let Some(since) = self.since.replace(now) else {
            self.since = None;
            return;
        };
        let sum = match self.known {
            Known::Exact => &mut self.exact,
            Known::Modelled => &mut self.modelled,
            Known::Unknown => &mut self.unknown,
        };
        *sum = Span(sum.0.saturating_add((now - since).0.max(0)));
    }
}
