//! What only grows: everything since a component was first declared, for whoever counts on over restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::closed::Try;
use crate::figures::spent::Spent;
use crate::model::{ComponentId, ModeId, Outcome, Span, Time};

/// So many upper ends has the histogram of recovery, the one without an end apart. (A plain number: an optimising
/// compiler cannot ask lengths for theirs while it lays out what holds them.)
const ENDS: usize = 8;

/// So many ways a try can end.
const OUTCOMES: usize = 7;

/// The upper ends of the histogram of recovery: from a tick that came at once to an hour.
pub const BOUNDS: [Span; ENDS] = [
    Span::seconds(5),
    Span::seconds(15),
    Span::seconds(30),
    Span::seconds(60),
    Span::seconds(120),
    Span::seconds(300),
    Span::seconds(900),
    Span::seconds(3600),
];

/// One component's totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    /// What its time was spent on.
    pub spent: Spent,
    /// Incidents that began.
    pub incidents: u64,
    /// Incidents that ended, by the first bound that they do not exceed; the last place is for those beyond all.
    pub recoveries: [u64; ENDS + 1],
    /// How long those took in all.
    pub recovery: Span,
    /// Tries that ended, by their outcome, in the order of [`Outcome::ENDS`].
    pub ended: [u64; OUTCOMES],
    /// Tries that ended as healed, and it did not last.
    pub relapsed: u64,
    /// The downtime that tries caused.
    pub caused: Span,
    /// The downtime that tries ended.
    pub relieved: Span,
}

impl Total {
    pub(super) fn recovered(&mut self, length: Span) {
        let place = BOUNDS.iter().position(|bound| length <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.recoveries.get_mut(place) {
            *count += 1;
        }
        self.recovery.0 = self.recovery.0.saturating_add(length.0);
    }

    pub(super) fn tried(&mut self, ended: &Try) {
        const WAYS: [Outcome; OUTCOMES] = Outcome::ENDS;
        let place = WAYS.iter().position(|outcome| *outcome == ended.outcome);
        if let Some(count) = place.and_then(|place| self.ended.get_mut(place)) {
            *count += 1;
        }
        self.caused.0 = self.caused.0.saturating_add(ended.caused.0);
        self.relieved.0 = self.relieved.0.saturating_add(ended.relieved.0);
    }
}

/// All totals, as of the last tick.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// The last tick.
    pub now: Time,
    /// Each component that is declared, and how often it failed in a row now.
    pub components: BTreeMap<ComponentId, (Total, u32)>,
    /// How long it was which mode.
    pub modes: BTreeMap<ModeId, Span>,
    /// How often the mode moved from where to where.
    pub moves: BTreeMap<ModeId, BTreeMap<ModeId, u64>>,
    /// How long Grace did not look.
    pub unobserved: Span,
}
