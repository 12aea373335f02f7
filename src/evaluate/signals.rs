//! Signals of an attack: which kinds were announced about whom, and when last.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Span, Time};

/// What the types of these events begin with.
const PREFIX: &str = "security.signal.";

/// No window in a condition is longer.
const KEPT: Span = Span::minutes(24 * 60);

/// No more kinds are kept of one component. Rules declare them, so that only reloads could bring more.
const MOST: usize = 64;

/// When each kind of signal was announced last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Signals {
    /// About single components.
    own: BTreeMap<ComponentId, BTreeMap<String, Time>>,
    /// About Grace herself, and so about everything that she looks after.
    everywhere: BTreeMap<String, Time>,
}

impl Signals {
    /// Was there none in the last day?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.everywhere.is_empty()
    }

    /// An event was announced; others than signals are passed by. `everywhere` says that it is about Grace herself.
    pub fn note(&mut self, event: &str, component: &ComponentId, everywhere: bool, now: Time) {
        let Some(kind) = event.strip_prefix(PREFIX) else { return };
        let known =
            if everywhere { &mut self.everywhere } else { self.own.entry(component.clone()).or_default() };
        known.insert(kind.to_owned(), now);
        while known.len() > MOST {
            let oldest = known.iter().min_by_key(|(_, at)| **at).map(|(kind, _)| kind.clone());
            oldest.and_then(|kind| known.remove(&kind));
        }
    }

    /// Forgets what no window reaches.
    pub fn forget(&mut self, now: Time) {
        self.everywhere.retain(|_, at| now - *at <= KEPT);
        self.own.retain(|_, known| {
            known.retain(|_, at| now - *at <= KEPT);
            !known.is_empty()
        });
    }

    /// How many kinds were announced in the last so long about a component or about Grace herself. One kind counts
    /// once, however often and about both it was announced: two are independent of each other.
    #[must_use]
    pub fn count(&self, component: &ComponentId, now: Time, window: Span) -> i64 {
        i64::try_from(self.kinds(component, now, window).len()).unwrap_or(i64::MAX)
    }

    /// Those kinds.
    #[must_use]
    pub fn kinds(&self, component: &ComponentId, now: Time, window: Span) -> BTreeSet<&str> {
        let known = self.own.get(component).into_iter().flatten().chain(&self.everywhere);
        known.filter(|(_, at)| now - **at <= window).map(|(kind, _)| kind.as_str()).collect()
    }

    /// The same of the last day, as a text says them.
    #[must_use]
    pub fn says(&self, component: &ComponentId, now: Time) -> String {
        let kinds: Vec<&str> = self.kinds(component, now, KEPT).into_iter().collect();
        if kinds.is_empty() {
            return "no signal of an attack".to_owned();
        }
        let what = if kinds.len() == 1 { "signal" } else { "signals" };
        format!("{what} of an attack: {}", kinds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Time {
        Time(minutes * MINUTE)
    }

    #[test]
    fn a_kind_counts_once_and_as_long_as_the_window_reaches() {
        let (web, mail) = (ComponentId::from("web"), ComponentId::from("mail"));
        let mut signals = Signals::default();
        for minute in 0..5 {
            signals.note("security.signal.binary_changed", &web, false, at(minute));
        }
        signals.note("security.signal.rules_changed", &mail, true, at(4));
        signals.note("security.suspicious_failures", &web, false, at(4));
        let count = |id, minutes| signals.count(id, at(minutes), Span::minutes(10));
        assert_eq!((count(&web, 4), count(&mail, 4)), (2, 1));
        assert_eq!((count(&web, 14), count(&web, 15)), (2, 0), "the border of the window belongs to it");
        assert_eq!(signals.says(&web, at(4)), "signals of an attack: binary_changed, rules_changed");
        assert_eq!(Signals::default().says(&web, at(4)), "no signal of an attack");
    }

    #[test]
    fn a_flood_of_kinds_stays_bounded_and_a_day_later_nothing_is_left() {
        let web = ComponentId::from("web");
        let mut signals = Signals::default();
        for number in 0..10_000 {
            signals.note(&format!("security.signal.s{number}"), &web, number % 2 == 0, at(number));
            signals.forget(at(number));
        }
        assert_eq!(signals.kinds(&web, at(9_999), KEPT).len(), 2 * MOST);
        signals.forget(at(9_999 + 24 * 60 + 1));
        assert!(signals.is_empty());
    }
}
