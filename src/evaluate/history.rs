//! What happened to a component before: enough for the functions over history, bounded in time and number.

use serde::{Deserialize, Serialize};

use crate::model::{ActId, Outcome, Span, Time};

/// What failed together in this time does so again: a healing that lasts for minutes, and a slow try each quarter of an
/// hour, lie well within it.
const AGAIN: Span = Span::minutes(30);

/// Incidents and tries of the last day, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    incidents: Vec<Time>,
    /// Those of them that began while nobody wanted to hear of the component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quiet: Vec<Time>,
    tries: Vec<Ended>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    act: ActId,
    at: Time,
    outcome: Outcome,
}

impl History {
    /// So long they are kept: no window in a condition is longer.
    pub const KEPT: Span = Span::minutes(24 * 60);

    /// So long a window is at most in which it is asked who failed before. Those keep failing who failed in as long before it,
    /// and what failed together before is not told again: of the first of them that is asked as well, four windows back.
    pub const BEFORE: Span = Span(Self::KEPT.0 / 4);

    /// No more incidents and no more tries are kept: beyond them the number says nothing new.
    pub const MOST: u16 = 256;

    /// Did nothing happen?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.tries.is_empty()
    }

    /// An incident began; it is quiet where nobody wants to hear of the component.
    pub fn incident(&mut self, now: Time, is_quiet: bool) {
        self.incidents.push(now);
        trim(&mut self.incidents, now, |began| *began);
        self.quiet.extend(is_quiet.then_some(now));
        trim(&mut self.quiet, now, |began| *began);
    }

    /// Did nobody want to hear of the incident that began then?
    pub(super) fn was_quiet(&self, began: Time) -> bool {
        self.quiet.contains(&began)
    }

    /// A try ended.
    pub fn ended(&mut self, act: ActId, now: Time, outcome: Outcome) {
        self.tries.push(Ended { act, at: now, outcome });
        trim(&mut self.tries, now, |ended| ended.at);
    }

    /// What that try healed did not last.
    pub fn relapsed(&mut self, act: ActId) {
        self.tries
            .iter_mut()
            .filter(|ended| ended.act == act)
            .for_each(|ended| ended.outcome = Outcome::Relapsed);
    }

    /// Incidents begun in the last so long.
    #[must_use]
    pub fn incidents(&self, now: Time, window: Span) -> i64 {
        count(self.began(now, window))
    }

    /// When they began.
    pub(super) fn began(&self, now: Time, window: Span) -> impl Iterator<Item = Time> {
        self.incidents.iter().copied().filter(move |began| *began <= now && now - *began <= window)
    }

    /// Did one begin as well in the time of the same length before the last so long?
    pub(super) fn kept_failing(&self, now: Time, window: Span) -> bool {
        let earlier = Span(window.0.saturating_mul(2));
        self.began(now, earlier).any(|began| now - began > window)
    }

    /// Did all of these fail once, within so long of it, in the half hour before a failure, and not only now? Where nobody
    /// wanted to hear of any of them then, nobody was told, and it does not count.
    pub(super) fn failed_with<'h, I: Iterator<Item = &'h Self>>(
        &self,
        others: impl Fn() -> I,
        now: Time,
        window: Span,
    ) -> bool {
        let reach = AGAIN.0.max(window.0.saturating_mul(2));
        let (since, until) = (now.0.saturating_sub(reach), now.0.saturating_sub(window.0));
        let mut earlier = self.incidents.iter().filter(|began| (since..until).contains(&began.0));
        earlier.any(|mine| {
            let mut is_heard = !self.was_quiet(*mine);
            let near = |other: &Self| {
                let first = other.incidents.partition_point(|theirs| theirs.0 < mine.0 - window.0);
                let theirs = other.incidents.get(first);
                theirs.is_some_and(|theirs| {
                    is_heard |= !other.was_quiet(*theirs);
                    theirs.0 - mine.0 <= window.0 && theirs.0 < until
                })
            };
            others().all(near) && is_heard
        })
    }

    /// Tries ended in the last so long whose outcome is such.
    #[must_use]
    pub fn tries(&self, now: Time, window: Span, such: impl Fn(Outcome) -> bool) -> i64 {
        count(self.tries.iter().filter(|ended| now - ended.at <= window && such(ended.outcome)))
    }
}

fn count<T>(found: impl Iterator<Item = T>) -> i64 {
    i64::try_from(found.count()).unwrap_or(i64::MAX)
}

fn trim<T>(all: &mut Vec<T>, now: Time, at: impl Fn(&T) -> Time) {
    let surplus = all.len().saturating_sub(History::MOST.into());
    all.drain(..surplus);
    all.retain(|one| now - at(one) <= History::KEPT);
}
