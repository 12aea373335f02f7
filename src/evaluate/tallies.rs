//! How the last tries of each healing rule ended: what conditions over healings see.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::condition::TallySymbol;
use crate::model::{ActId, By, ComponentId, Meaning, Outcome, RuleId, Tally, Value};

/// The last tries of each rule of each component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tallies(BTreeMap<ComponentId, BTreeMap<RuleId, Tries>>);

/// The last tries of one rule that ended and count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Tries {
    /// A letter for the end of each, the newest last: the state is written down with every tick, and so is small.
    ends: String,
    /// The newest; since what healed may relapse behind another try, the newest that healed.
    last: ActId,
}

/// Does a try that ended so count, and as what?
fn letter(outcome: Outcome) -> Option<char> {
    Some(match outcome {
        Outcome::Healed => HEALED,
        Outcome::Relapsed => RELAPSED,
        Outcome::NoEffect => 'n',
        Outcome::Worse => 'w',
        Outcome::Failed => 'f',
        Outcome::TimedOut => 't',
        Outcome::HealedByItself | Outcome::Unknown => return None,
    })
}

const HEALED: char = 'h';

const RELAPSED: char = 'r';

impl Tallies {
    /// So many of the newest tries of a rule are looked at: what was long ago says nothing of today.
    pub const NEWEST: u16 = 20;

    /// Is nothing counted?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A try ended. Those of people are no rule's.
    pub fn ended(
        &mut self,
        act: ActId,
        (component, by): (&ComponentId, &By),
        outcome: Outcome,
        meaning: Meaning,
    ) {
        let By::Rule { rule, .. } = by else { return };
        let Some(letter) = letter(outcome) else { return };
        let own = self.0.entry(component.clone()).or_default().entry(rule.clone()).or_default();
        own.ends.push(letter);
        if outcome == Outcome::Healed || meaning < Meaning::VOTES {
            own.last = act;
        }
        let surplus = own.ends.len().saturating_sub(Self::NEWEST.into());
        own.ends.drain(..surplus);
    }

    /// What that try healed did not last.
    pub fn relapsed(&mut self, act: ActId, component: &ComponentId) {
        let rules = self.0.get_mut(component).into_iter().flatten();
        for (_, own) in rules.filter(|(_, own)| own.last == act) {
            // The newest of those that healed, where it has not relapsed yet.
            let place = own
                .ends
                .rfind([HEALED, RELAPSED])
                .filter(|place| own.ends.get(*place..).is_some_and(|ends| ends.starts_with(HEALED)));
            if let Some(place) = place {
                own.ends.replace_range(place..=place, RELAPSED.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// Forgets a rule's tries: it is another one now, or what they said was taken up.
    pub fn forget(&mut self, component: &ComponentId, rule: &RuleId) {
        if let Some(own) = self.0.get_mut(component) {
            own.remove(rule);
        }
        self.0.retain(|_, own| !own.is_empty());
    }

    /// Forgets the tries of those rules that are not as they were.
    pub fn retain(&mut self, same: impl Fn(&ComponentId, &RuleId) -> bool) {
        for (component, own) in &mut self.0 {
            own.retain(|rule, _| same(component, rule));
        }
        self.0.retain(|_, own| !own.is_empty());
    }

    /// How the last tries of a rule ended.
    #[must_use]
    pub fn of(&self, component: &ComponentId, rule: &RuleId) -> Tally {
        let count = |letter: Option<char>| self.count(component, rule, letter);
        Tally { closed: count(None), healed: count(Some(HEALED)) }
    }

    fn count(&self, component: &ComponentId, rule: &RuleId, such: Option<char>) -> u32 {
        let ends = self.0.get(component).and_then(|own| own.get(rule)).map_or("", |own| &own.ends);
        let found = ends.chars().filter(|end| such.is_none_or(|such| such == *end)).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    }

    /// What a condition sees of it. Of no tries there is no share.
    pub(super) fn read(&self, component: &ComponentId, rule: &RuleId, asked: TallySymbol) -> Option<Value> {
        let closed = self.count(component, rule, None);
        let share = |letter| {
            let part = self.count(component, rule, Some(letter));
            Tally { closed, healed: part }.ratio().and_then(Value::float)
        };
        match asked {
            TallySymbol::Closed => Some(Value::Int(closed.into())),
            TallySymbol::SuccessRatio => share(HEALED),
            TallySymbol::RelapseRatio => share(RELAPSED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_counts_for_its_rule_and_only_where_its_end_says_something() {
        let (web, restart) = (ComponentId::from("web"), RuleId::from("restart"));
        let by = By::Rule { rule: restart.clone(), component: web.clone() };
        let mut tallies = Tallies::default();
        let now = Meaning::default();
        let ends = [Outcome::Healed, Outcome::NoEffect, Outcome::HealedByItself, Outcome::Unknown];
        for (act, outcome) in (1..).zip(ends) {
            tallies.ended(ActId(act), (&web, &by), outcome, now);
        }
        tallies.ended(ActId(9), (&web, &By::Person { actor: "uid:0".into() }), Outcome::Failed, now);
        assert_eq!(tallies.of(&web, &restart), Tally { closed: 2, healed: 1 });
        tallies.relapsed(ActId(2), &web);
        assert_eq!(tallies.of(&web, &restart).healed, 1, "only what healed can relapse");
        tallies.ended(ActId(10), (&web, &by), Outcome::Healed, now);
        tallies.ended(ActId(11), (&web, &by), Outcome::NoEffect, now);
        tallies.relapsed(ActId(1), &web);
        tallies.relapsed(ActId(10), &web);
        tallies.relapsed(ActId(10), &web);
        assert_eq!(tallies.of(&web, &restart), Tally { closed: 4, healed: 1 });
        let share = tallies.read(&web, &restart, TallySymbol::RelapseRatio);
        assert_eq!(share, Value::float(1.0 / 4.0));
        tallies.forget(&web, &restart);
        assert!(tallies.is_empty());
        assert_eq!(tallies.read(&web, &restart, TallySymbol::SuccessRatio), None);
    }

    #[test]
    fn what_was_long_ago_says_nothing_of_today() {
        let (web, restart) = (ComponentId::from("web"), RuleId::from("restart"));
        let by = By::Rule { rule: restart.clone(), component: web.clone() };
        let mut tallies = Tallies::default();
        for act in 0..1_000 {
            let outcome = if act < 985 { Outcome::Healed } else { Outcome::Failed };
            tallies.ended(ActId(act), (&web, &by), outcome, Meaning::default());
        }
        assert_eq!(tallies.of(&web, &restart), Tally { closed: 20, healed: 5 });
    }
}
