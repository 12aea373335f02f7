//! Whose looks at components the recorded ones are.
//!
//! A look at an act that was not done here is nobody's: it was taken for that act alone. But one that fell on a tick of
//! the grid would have been taken anyway, only for another reason: a schedule that finds a verification due there says
//! so instead of saying that it was time.

use std::borrow::Cow;

use crate::model::{Occasion, Readings, Span, Time};

/// The recorded ticks of one life of Grace.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The time of the last one.
    last: Option<Time>,
    /// It was one of the grid: everybody was probed.
    grid: bool,
}

impl Looks {
    /// A tick was recorded at this time. The first of a life and the first in a slot are ticks of the grid.
    pub(super) fn tick(&mut self, now: Time, grid: Span) {
        self.grid = self.last.is_none_or(|last| last.slot(grid) < now.slot(grid));
        self.last = Some(now);
    }

    /// A recorded look as it is here, where a verification is due or is not; nothing where there was no reason for it.
    pub(super) fn at<'r>(&self, fresh: &'r Readings, due: bool) -> Option<Cow<'r, Readings>> {
        match fresh.occasion {
            Occasion::Verification if !due && self.grid => {
                Some(Cow::Owned(Readings { occasion: Occasion::Grid, ..fresh.clone() }))
            }
            Occasion::Verification if !due => None,
            _ => Some(Cow::Borrowed(fresh)),
        }
    }
}
