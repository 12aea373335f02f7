//! How long a component was how, in a stretch of time.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Status};

/// What a stretch of time was spent on, and the worst that was seen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "[i64; 6]", into = "[i64; 6]")]
pub struct Spent {
    /// Operating normally.
    pub ok: Span,
    /// Degraded: it works.
    pub warn: Span,
    /// Down, and nobody held it.
    pub critical: Span,
    /// Nobody could tell.
    pub unknown: Span,
    /// Down while a person held it, or all.
    pub planned: Span,
    /// The most consecutive failures that stood in it.
    pub worst: u32,
}

impl Spent {
    /// So long it worked.
    #[must_use]
    pub fn up(&self) -> Span {
        Span(self.ok.0.saturating_add(self.warn.0))
    }

    /// So long Grace looked at it.
    #[must_use]
    pub fn observed(&self) -> Span {
        let rest = [self.critical, self.unknown, self.planned];
        Span(rest.iter().fold(self.up().0, |sum, part| sum.saturating_add(part.0)))
    }

    /// Adds a length of time in which it was so.
    pub(super) fn add(&mut self, status: Status, held: bool, length: Span) {
        let part = match status {
            Status::Ok => &mut self.ok,
            Status::Warn => &mut self.warn,
            Status::Critical if held => &mut self.planned,
            Status::Critical => &mut self.critical,
            Status::Unknown => &mut self.unknown,
        };
        part.0 = part.0.saturating_add(length.0);
    }

    /// Adds another stretch.
    pub fn join(&mut self, other: &Self) {
        for (own, more) in [
            (&mut self.ok, other.ok),
            (&mut self.warn, other.warn),
            (&mut self.critical, other.critical),
            (&mut self.unknown, other.unknown),
            (&mut self.planned, other.planned),
        ] {
            own.0 = own.0.saturating_add(more.0);
        }
        self.worst = self.worst.max(other.worst);
    }
}

/// A list is a third as long as names would be, and there is one for each component and hour.
impl From<Spent> for [i64; 6] {
    fn from(spent: Spent) -> Self {
        let Spent { ok, warn, critical, unknown, planned, worst } = spent;
        [ok.0, warn.0, critical.0, unknown.0, planned.0, i64::from(worst)]
    }
}

impl From<[i64; 6]> for Spent {
    fn from([ok, warn, critical, unknown, planned, worst]: [i64; 6]) -> Self {
        Self {
            ok: Span(ok),
            warn: Span(warn),
            critical: Span(critical),
            unknown: Span(unknown),
            planned: Span(planned),
            worst: u32::try_from(worst).unwrap_or(u32::MAX),
        }
    }
}
