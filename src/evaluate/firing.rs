//! When a rule fires: its condition has held in enough readings, until it is false.

use crate::condition::Truth;
use crate::evaluate::component::{Component, Rule};
use crate::evaluate::healing::{Happened, Means, next};
use crate::evaluate::scene::{Heard, Scene};
use crate::evaluate::state::{ComponentHealth, Health, Phase};
use crate::evaluate::states::Said;
use crate::evaluate::states::{Firing, RuleState};
use crate::evaluate::tries::said;
use crate::evaluate::wishes::Wish;
use crate::model::{By, FactId, Record, Status, Why};

impl Scene<'_> {
    /// Moves every rule of a component by what its condition said; `counted` says whether the last reading counts, and
    /// `planned` whether it is in planned downtime, where nothing that comes back is a relapse.
    pub(super) fn fire(
        &self,
        own: &mut ComponentHealth,
        component: &Component,
        (truths, counted, planned): (&[Truth], bool, bool),
        heard: &mut Heard,
    ) {
        debug_assert!(
            component.rules.is_sorted_by(|a, b| a.id < b.id),
            "rules are in the order of their ids"
        );
        for (nth, (rule, truth)) in component.rules.iter().zip(truths).enumerate() {
            let Some(state) = own.rules.at_mut(nth, &rule.id) else { continue };
            let begins = self.turn_rule(rule, state, (*truth, counted), component, heard);
            // What comes back in planned downtime nobody undid, and what an incident undoes it has said itself.
            if planned && *truth == Truth::True {
                own.eased.remove(&rule.id);
            }
            if begins
                && own.incident.is_none()
                && let Some(act) = own.fires_again(&rule.id, self.now)
            {
                heard.records.push(Record::Relapsed { act, component: component.id.clone() });
            }
        }
    }

    /// Answers whether a healing begins.
    fn turn_rule(
        &self,
        rule: &Rule,
        state: &mut RuleState,
        (truth, counted): (Truth, bool),
        component: &Component,
        heard: &mut Heard,
    ) -> bool {
        let happened = self.advance(rule, state, truth, counted);
        // What is over for a rule that does nothing is the usual case.
        let news = |happened: &Happened| state.healing.is_some() || *happened != Happened::Ceased;
        // What a shadow rule wants opens no healing; one that it began before it was a shadow still ends.
        let opens = |happened: &Happened| !rule.shadow || *happened != Happened::Fired;
        let Some(happened) = happened.filter(news).filter(opens).filter(|_| rule.heals()) else {
            return false;
        };
        let begins = state.healing.is_none() && happened == Happened::Fired;
        let (after, means) = next(state.healing, happened, rule.attempts);
        state.healing = after;
        if means != Means::Nothing {
            let by = By::Rule { rule: rule.id.clone(), component: component.id.clone() };
            heard.records.extend(said(means, &by, &component.id, self.meaning));
        }
        begins
    }

    /// Moves a rule's window and firing. Unknown changes nothing.
    fn advance(&self, rule: &Rule, state: &mut RuleState, truth: Truth, counted: bool) -> Option<Happened> {
        match truth {
            Truth::Unknown => None,
            Truth::True => {
                if counted {
                    state.window.push(true, rule.of);
                }
                let fires = state.firing.is_none() && have(rule, state) >= rule.after;
                fires.then(|| {
                    state.firing = Some(Firing { since: self.now, said: Said::default() });
                    state.edited = false;
                    Happened::Fired
                })
            }
            Truth::False => {
                // A reading between two that count takes back what its slot said.
                if !counted {
                    state.window.pop();
                }
                state.window.push(false, rule.of);
                state.firing = None;
                state.withheld = None;
                state.edited = false;
                Some(Happened::Ceased)
            }
        }
    }

    /// What a rule is at, before governance had its say.
    pub(super) fn why(&self, health: &Health, component: &Component, rule: &Rule, truth: Truth) -> Why {
        let Some(own) = health.components.get(&component.id) else { return Why::Inactive };
        let Some(state) = own.rules.get(&rule.id) else { return Why::Inactive };
        if let Some(act) = state.healing.and_then(super::Healing::act)
            && let Some(open) = health.tries.get(&act)
        {
            return match open.phase {
                Phase::Performing => Why::Trying { act, attempt: open.attempt },
                Phase::Verifying { deadline, .. } => Why::Verifying { act, until: deadline },
            };
        }
        if let Some(firing) = &state.firing {
            return Why::Fired { since: firing.since };
        }
        match truth {
            Truth::True => Why::Pending { have: have(rule, state), need: rule.after },
            Truth::False => Why::Inactive,
            Truth::Unknown => Why::Unknown { missing: self.missing(health, (component, own), rule) },
        }
    }

    /// What a rule wants to try, and nobody can tell whether its condition still holds: what would have to be read.
    /// Unknown never acts.
    #[must_use]
    pub fn unread(&self, health: &Health, wish: &Wish) -> Option<Vec<FactId>> {
        let component = self.components.get(&wish.component)?;
        let (rule, own) = (component.rule(&wish.rule)?, health.components.get(&component.id)?);
        let is_known = self.ask(health, &component.id, &rule.when) != Truth::Unknown;
        (!is_known).then(|| self.missing(health, (component, own), rule))
    }

    /// The facts without which a rule's condition is unknown.
    fn missing(
        &self,
        health: &Health,
        (component, own): (&Component, &ComponentHealth),
        rule: &Rule,
    ) -> Vec<FactId> {
        let mut missing = rule.when.missing(&self.view(health, component, own));
        missing.extend(own.unread().filter(|_| own.status == Status::Unknown));
        missing.sort();
        missing.dedup();
        missing
    }
}

impl Rule {
    /// How many readings speak for it, of the [`Rule::after`] that it needs.
    #[must_use]
    pub fn readings(&self, state: &RuleState) -> u32 {
        have(self, state)
    }
}

/// How many readings speak for the rule: those in a row, or those of the last so many.
fn have(rule: &Rule, state: &RuleState) -> u32 {
    if rule.of == rule.after { state.window.in_a_row() } else { state.window.count() }
}
