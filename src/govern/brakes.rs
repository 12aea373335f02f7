//! Brakes lie below the rules, so that no rule file can exceed them: one in flight, a backoff that resets
//! after a stable time, budgets in which work in flight counts, and slow tries instead of giving up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ActId, ComponentId, Gate, Span, Time};

/// The brakes as `policies/budgets.toml` declares them.
#[derive(Debug, Clone, PartialEq)]
pub struct Brakes {
    /// How many tries a component may have in what time.
    pub budgets: Vec<Budget>,
    /// How many acts may be in flight on one component.
    pub component_in_flight: u32,
    /// How often a slow try may be made.
    pub slow_try: Span,
    /// How many acts may be in flight in all.
    pub overall_in_flight: u32,
    /// How many components rules may block at a time.
    pub overall_blocks: u32,
    /// How tries are spaced.
    pub backoff: Backoff,
}

/// So many tries in that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub max: u32,
    /// In what time.
    pub within: Span,
}

/// The wait between tries: `first`, then `base`, doubled each time up to `cap`, and back to `first` after a
/// stable time. The defaults are Kubernetes' for crash loops (10 s to 300 s), widened to a 30-second grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the first try.
    pub first: Span,
    /// Before the second.
    pub base: Span,
    /// The longest.
    pub cap: Span,
    /// Up to this share longer, so that components do not act in step.
    pub jitter: f64,
    /// Stable for so long means that all is forgotten.
    pub reset: Span,
}

/// What was spent on one component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// When the automatic tries were begun, the oldest first.
    pub begun: Vec<Time>,
    /// How many tries there were since the last stable time.
    pub level: u32,
    /// When the last try ended, with its verification.
    pub ended: Option<Time>,
    /// Since when the component works.
    pub stable: Option<Time>,
}

/// Acts in flight, and what was spent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accounts {
    /// The heal acts that are not over.
    pub flights: BTreeMap<ActId, Flight>,
    /// What was spent on each component.
    pub spent: BTreeMap<ComponentId, Spent>,
}

impl Default for Brakes {
    /// What experience with other supervisors shows is right.
    fn default() -> Self {
        Self {
            budgets: vec![
                Budget { max: 3, within: Span::minutes(10) },
                Budget { max: 8, within: Span::minutes(360) },
            ],
            component_in_flight: 1,
            slow_try: Span::minutes(15),
            overall_in_flight: 3,
            overall_blocks: 5,
            backoff: Backoff {
                first: Span::ZERO,
                base: Span::seconds(30),
                cap: Span::minutes(5),
                jitter: 0.25,
                reset: Span::minutes(10),
            },
        }
    }
}

/// What is used of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The budget.
    pub budget: Budget,
    /// So many tries.
    pub tries: u32,
    /// Its gate, where it is spent.
    pub shut: Option<Gate>,
}

/// A heal act that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    /// On what it acts.
    pub component: ComponentId,
    /// A rule's, and so paid from the budget.
    pub automatic: bool,
}

impl Backoff {
    /// How long to wait before this try; `level` counts the tries before it.
    #[must_use]
    pub fn wait(&self, component: &ComponentId, level: u32) -> Span {
        let Some(doublings) = level.checked_sub(1) else { return self.first };
        let doubled =
            self.base.0.saturating_mul(1_i64.checked_shl(doublings).filter(|by| *by > 0).unwrap_or(i64::MAX));
        let plain = doubled.min(self.cap.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a share of a length"
        )]
        let more = (plain as f64 * self.jitter * share(component, level)) as i64;
        Span((plain + more).min(self.cap.0))
    }
}

/// A number from 0 to 1 that is always the same for this component and try, so that a replay decides alike.
/// FNV-1a: short, and even enough for spreading.
fn share(component: &ComponentId, level: u32) -> f64 {
    let bytes = component.as_str().bytes().chain(level.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

impl Accounts {
    /// The gate that two acts must never be on one component at once; it binds people too.
    pub(super) fn in_flight(&self, brakes: &Brakes, component: &ComponentId) -> Option<Gate> {
        let on_it = self.flights.iter().filter(|(_, flight)| flight.component == *component);
        let running = u32::try_from(on_it.clone().count()).unwrap_or(u32::MAX);
        let first = on_it.map(|(act, _)| *act).next();
        first.filter(|_| running >= brakes.component_in_flight).map(|act| Gate::InFlight { act })
    }

    /// The gate that not too much happens at once.
    pub(super) fn crowded(&self, brakes: &Brakes) -> Option<Gate> {
        let running = u32::try_from(self.flights.len()).unwrap_or(u32::MAX);
        (running >= brakes.overall_in_flight).then_some(Gate::Crowded { running })
    }

    /// The gates of time: slow tries, backoff, budgets.
    pub(super) fn pace(
        &self,
        brakes: &Brakes,
        component: &ComponentId,
        slow: bool,
        now: Time,
    ) -> Option<Gate> {
        if slow {
            return self.slow(brakes, component, now);
        }
        let budgets = || self.budgets(brakes, component, now).into_iter().filter_map(|used| used.shut);
        self.resting(brakes, component, now).or_else(|| budgets().max_by_key(Gate::until))
    }

    /// The gate of a slow try.
    pub(super) fn slow(&self, brakes: &Brakes, component: &ComponentId, now: Time) -> Option<Gate> {
        self.spent.get(component)?.slow(brakes, now).map(|until| Gate::SlowTry { until })
    }

    /// The gate of the backoff.
    pub(super) fn resting(&self, brakes: &Brakes, component: &ComponentId, now: Time) -> Option<Gate> {
        let spent = self.spent.get(component)?;
        let rested = spent.ended.map(|ended| ended + brakes.backoff.wait(component, spent.level));
        rested.filter(|until| *until > now).map(|until| Gate::Backoff { until })
    }

    /// What is used of each budget, and its gate where it is spent.
    pub(super) fn budgets(&self, brakes: &Brakes, component: &ComponentId, now: Time) -> Vec<Used> {
        let nothing = Spent::default();
        let spent = self.spent.get(component).unwrap_or(&nothing);
        let of = |budget: &Budget| Used {
            budget: *budget,
            tries: u32::try_from(spent.within(budget, now).count()).unwrap_or(u32::MAX),
            shut: spent.exhausted(budget, brakes, now),
        };
        brakes.budgets.iter().map(of).collect()
    }

    /// A try begins.
    pub(super) fn begin(&mut self, act: ActId, component: &ComponentId, automatic: bool, now: Time) {
        self.flights.insert(act, Flight { component: component.clone(), automatic });
        if automatic {
            let spent = self.spent.entry(component.clone()).or_default();
            spent.begun.push(now);
            spent.level = spent.level.saturating_add(1);
        }
    }

    /// A try is over; where it was not even begun, it costs nothing.
    pub(crate) fn end(&mut self, act: ActId, begun: bool, now: Time) {
        let Some(flight) = self.flights.remove(&act) else { return };
        let spent = self.spent.entry(flight.component).or_default();
        if begun {
            spent.ended = Some(now);
        } else if flight.automatic {
            spent.begun.pop();
            spent.level = spent.level.saturating_sub(1);
        }
    }

    /// Notes whether the components work on which something was spent, where that is known: after a stable time the
    /// backoff starts anew.
    pub(crate) fn note(&mut self, brakes: &Brakes, works: impl Fn(&ComponentId) -> Option<bool>, now: Time) {
        let longest = brakes.budgets.iter().map(|budget| budget.within).max().unwrap_or_default();
        for (component, spent) in &mut self.spent {
            let Some(works) = works(component) else { continue };
            match (works, spent.stable) {
                (true, None) => spent.stable = Some(now),
                (true, Some(since)) if now - since >= brakes.backoff.reset => spent.level = 0,
                (true, Some(_)) => {}
                (false, _) => spent.stable = None,
            }
            spent.begun.retain(|begun| now - *begun < longest);
        }
    }
}

impl Spent {
    /// When the last try was made, however long ago: those that no budget counts any more are forgotten, its end is not.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        self.ended.max(self.begun.last().copied())
    }

    /// When the next slow try may be made, if not yet.
    fn slow(&self, brakes: &Brakes, now: Time) -> Option<Time> {
        self.last().map(|last| last + brakes.slow_try).filter(|until| *until > now)
    }

    /// The tries that a budget counts.
    fn within(&self, budget: &Budget, now: Time) -> impl Iterator<Item = Time> {
        let within = budget.within;
        self.begun.iter().copied().filter(move |begun| now - *begun < within)
    }

    /// The gate of a budget that is spent. It opens when the oldest try falls out of its window, or for one
    /// slow try, whichever is sooner: exhausted is loud, but never for ever.
    fn exhausted(&self, budget: &Budget, brakes: &Brakes, now: Time) -> Option<Gate> {
        let in_window: Vec<Time> = self.within(budget, now).collect();
        let over = in_window.len().checked_sub(usize::try_from(budget.max).unwrap_or(usize::MAX))?;
        let frees = in_window.get(over).map(|begun| *begun + budget.within)?;
        let until = frees.min(self.slow(brakes, now)?);
        Some(Gate::Budget { max: budget.max, within: budget.within, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_cap_with_a_jitter_that_only_lengthens() {
        let (brakes, id) = (Brakes::default(), ComponentId::from("web"));
        assert_eq!(brakes.backoff.wait(&id, 0), Span::ZERO);
        for (level, seconds) in [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (40, 300), (u32::MAX, 300)] {
            let wait = brakes.backoff.wait(&id, level);
            let plain = Span::seconds(seconds);
            let most = Span(plain.0 + plain.0 / 4).min(Span::minutes(5));
            assert!(wait >= plain && wait <= most, "{level}: {wait}");
            assert_eq!(wait, brakes.backoff.wait(&id, level), "the same again");
        }
    }

    #[test]
    fn a_spent_budget_opens_when_the_oldest_try_is_old_enough() {
        let (brakes, id, act) = (Brakes::default(), ComponentId::from("web"), ActId(1));
        let mut accounts = Accounts::default();
        for minute in [0, 3, 6] {
            let now = Time(minute * 60_000);
            assert_eq!(accounts.pace(&brakes, &id, false, now), None, "minute {minute}");
            accounts.begin(act, &id, true, now);
            accounts.end(act, true, now);
        }
        // The backoff after the third try is two minutes and a bit, so from the ninth minute the budget counts.
        let gate = accounts.pace(&brakes, &id, false, Time(9 * 60_000));
        let until = Time(10 * 60_000);
        assert_eq!(gate, Some(Gate::Budget { max: 3, within: Span::minutes(10), until }));
        assert_eq!(accounts.pace(&brakes, &id, false, until), None);
    }

    #[test]
    fn one_slow_try_is_made_however_much_is_spent() {
        let (brakes, id, act) = (Brakes::default(), ComponentId::from("web"), ActId(1));
        let mut accounts = Accounts::default();
        for minute in 0..8 {
            accounts.begin(act, &id, true, Time(minute * 60_000));
            accounts.end(act, true, Time(minute * 60_000));
        }
        let early = accounts.pace(&brakes, &id, true, Time(20 * 60_000));
        assert_eq!(early, Some(Gate::SlowTry { until: Time(22 * 60_000) }));
        assert_eq!(accounts.pace(&brakes, &id, true, Time(22 * 60_000)), None);
        assert_eq!(accounts.pace(&brakes, &id, false, Time(22 * 60_000)), None, "the budget's own slow try");
    }

    #[test]
    fn the_backoff_starts_anew_after_a_stable_time() {
        let (brakes, id, act) = (Brakes::default(), ComponentId::from("web"), ActId(1));
        let mut accounts = Accounts::default();
        accounts.begin(act, &id, true, Time(0));
        accounts.end(act, true, Time(0));
        accounts.note(&brakes, |_| Some(true), Time(0));
        accounts.note(&brakes, |_| Some(true), Time(9 * 60_000));
        assert_eq!(accounts.spent[&id].level, 1);
        accounts.note(&brakes, |_| Some(true), Time(10 * 60_000));
        assert_eq!(accounts.spent[&id].level, 0);
    }

    #[test]
    fn a_second_act_on_a_component_waits_and_a_fourth_anywhere() {
        let brakes = Brakes::default();
        let mut accounts = Accounts::default();
        for number in 1..=3 {
            let id = ComponentId::from(format!("c{number}"));
            assert_eq!(accounts.crowded(&brakes), None);
            accounts.begin(ActId(number), &id, true, Time(0));
            assert_eq!(accounts.in_flight(&brakes, &id), Some(Gate::InFlight { act: ActId(number) }));
        }
        assert_eq!(accounts.crowded(&brakes), Some(Gate::Crowded { running: 3 }));
    }
}
