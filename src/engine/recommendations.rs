//! The meta-loop: recommendations with their evidence, and whether what came of them helped.
//!
//! A recommendation about a healing is remembered until its review date. What ends of that healing's tries from then on
//! is held against what was before: from when somebody accepted it, and from when the rule was changed, whichever came
//! last. Whoever accepts late loses nothing by it: what ended up to then is before, and the date is as far away as it was.
//! Whoever accepts nothing and changes nothing still learns that nothing became better.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::run::Run;
use crate::evaluate::{Counsel, EndedTry, Rule, What};
use crate::figures::interval::{Compared, compare};
use crate::model::{
    ActId, Advice, AdviceDeed, Answer, Asked, By, ComponentId, Effectiveness, Hits, Meaning, Outcome,
    RecommendationId, Record, RuleId, Tally, Time,
};

/// So many are remembered as open. Beyond that the oldest is let go: the journal has it.
const MOST: usize = 1_000;

/// The recommendations that wait for their review, and what became of the others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Recommendations {
    /// The newest one's number.
    pub last: RecommendationId,
    /// Those that are neither reviewed nor declined.
    pub open: BTreeMap<RecommendationId, Open>,
    /// What became of those that were accepted.
    #[serde(default, skip_serializing_if = "Hits::is_empty")]
    pub hits: Hits,
}

/// One recommendation that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// What is recommended.
    pub text: String,
    /// About which component.
    pub component: ComponentId,
    /// The rule that recommends it.
    pub by: By,
    /// Since when.
    pub at: Time,
    /// What is known of the healing, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// How the healing's tries ended since.
    #[serde(default, skip_serializing_if = "Tally::is_empty")]
    pub after: Tally,
    /// The newest of them that healed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healed: Option<ActId>,
    /// Somebody accepted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// The rule was changed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

impl Open {
    /// Is it about this healing?
    fn is_about(&self, component: &ComponentId, rule: &RuleId) -> bool {
        self.component == *component && self.advice.as_ref().is_some_and(|advice| advice.rule == *rule)
    }

    /// It is accepted now, when the healing's last tries had ended so: up to now is before, and as long as it was meant to
    /// take is after.
    fn put_off(&mut self, now: Time, ended: Tally) {
        let (at, changed) = (self.at, self.changed);
        let Some(advice) = &mut self.advice else { return };
        advice.review = now + (advice.review - at);
        if !changed {
            advice.before = ended;
        }
    }

    /// What comes from now on is what comes after.
    fn begin(&mut self) {
        self.after = Tally::default();
        self.healed = None;
    }

    fn ended(&mut self, act: ActId, outcome: Outcome, meaning: Meaning) {
        if !outcome.counts() {
            return;
        }
        self.after.closed = self.after.closed.saturating_add(1);
        let before = self.healed.filter(|_| meaning >= Meaning::VOTES);
        self.healed = (outcome == Outcome::Healed).then_some(act).or(before);
        if outcome == Outcome::Healed {
            self.after.healed = self.after.healed.saturating_add(1);
        }
    }

    fn relapsed(&mut self, act: ActId) {
        if self.healed.take_if(|healed| *healed == act).is_some() {
            self.after.healed = self.after.healed.saturating_sub(1);
        }
    }
}

impl Recommendations {
    /// Was there never one?
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.last == RecommendationId::default()
    }

    fn add(&mut self, open: Open) -> RecommendationId {
        self.last = RecommendationId(self.last.0 + 1);
        self.open.insert(self.last, open);
        while self.open.len() > MOST {
            self.open.pop_first();
        }
        self.last
    }

    /// The files changed: whatever is about a rule that is not as it was is judged by what comes from now on.
    pub(super) fn adopt(&mut self, same: impl Fn(&ComponentId, &RuleId) -> bool) {
        for open in self.open.values_mut() {
            let Some(advice) = &open.advice else { continue };
            if !same(&open.component, &advice.rule) {
                open.changed = true;
                open.begin();
            }
        }
    }
}

impl Run<'_> {
    /// Counts how tries ended, for the healing rules and for what is recommended of them.
    pub(super) fn count(&mut self, ended: &[EndedTry], records: &[Record]) {
        if self.meaning < Meaning::RECOMMENDATIONS {
            return;
        }
        let (tallies, open) = (&mut self.state.health.tallies, &mut self.state.recommendations.open);
        for record in records {
            let Record::Relapsed { act, component } = record else { continue };
            tallies.relapsed(*act, component);
            for open in open.values_mut() {
                open.relapsed(*act);
            }
        }
        for EndedTry { act, component, by, outcome } in ended {
            let (By::Rule { rule, .. }, Some(outcome)) = (by, outcome) else { continue };
            tallies.ended(*act, (component, by), *outcome, self.meaning);
            let about = open.values_mut().filter(|open| open.is_about(component, rule));
            for open in about {
                open.ended(*act, *outcome, self.meaning);
            }
        }
    }

    /// Remembers what a rule recommends. Of one healing there is one recommendation at a time: a second would be judged
    /// by the same tries.
    pub(super) fn recommend(&mut self, text: String, component: ComponentId, by: By) -> Option<Record> {
        if self.meaning < Meaning::RECOMMENDATIONS {
            let (recommendation, advice) = (None, None);
            return Some(Record::Recommended { recommendation, text, component, by, advice });
        }
        let advice = self.advice(&component, &by);
        let known = &self.state.recommendations.open;
        if advice.as_ref().is_some_and(|new| known.values().any(|open| open.is_about(&component, &new.rule)))
        {
            return None;
        }
        let open = Open {
            text: text.clone(),
            component: component.clone(),
            by: by.clone(),
            at: self.desk.now,
            advice: advice.clone(),
            after: Tally::default(),
            healed: None,
            accepted: false,
            changed: false,
        };
        let recommendation = Some(self.state.recommendations.add(open));
        Some(Record::Recommended { recommendation, text, component, by, advice: advice.map(Box::new) })
    }

    /// What is known of the healing that a rule looks at.
    fn advice(&self, component: &ComponentId, by: &By) -> Option<Advice> {
        let By::Rule { rule, .. } = by else { return None };
        let declared = self.bundle.components.get(component)?;
        let says = declared.rule(rule)?;
        let healing = says.healing.as_ref()?;
        let Counsel { expects, review, change } = counsel(says)?.clone();
        let steps: Vec<String> = declared.rule(healing)?.steps().iter().map(ToString::to_string).collect();
        Some(Advice {
            rule: healing.clone(),
            action: steps.join(", "),
            before: self.state.health.tallies.of(component, healing),
            expects,
            review: self.desk.now + review,
            change,
        })
    }

    /// What a person says to a recommendation.
    pub(super) fn answer_advice(&mut self, asked: &Asked, id: RecommendationId, what: AdviceDeed) -> Answer {
        let known = &mut self.state.recommendations.open;
        let Some(open) = known.get_mut(&id) else {
            let says = self.no_advice(id);
            return self.unknown(asked, says);
        };
        let component = open.component.clone();
        let about = open.advice.as_ref().map(|advice| advice.rule.clone());
        match what {
            AdviceDeed::Accept if open.accepted => {
                return Answer::Done { says: format!("recommendation {id} was accepted before") };
            }
            AdviceDeed::Accept if about.is_some() => {
                open.accepted = true;
                if let Some(rule) = about.filter(|_| self.meaning >= Meaning::VOTES) {
                    open.put_off(self.desk.now, self.state.health.tallies.of(&component, &rule));
                }
                // What came since a change is what came after it, whoever was quicker.
                if !open.changed {
                    open.begin();
                }
            }
            // Nothing could be compared: with the answer it is over.
            AdviceDeed::Accept | AdviceDeed::Decline => drop(known.remove(&id)),
        }
        let taken = known.get(&id).and_then(|open| open.advice.as_ref());
        let says = match taken {
            Some(Advice { review, .. }) => {
                format!(
                    "recommendation {id} is accepted; now make the change: what comes of it is judged at {review}"
                )
            }
            None => format!("recommendation {id} is {}", what.done()),
        };
        let taken = taken.filter(|_| self.meaning >= Meaning::VOTES);
        let (review, before) = (taken.map(|advice| advice.review), taken.map(|advice| advice.before));
        let (actor, reason) = (asked.actor.clone(), asked.reason.clone());
        self.records.push(Record::RecommendationAnswered {
            recommendation: id,
            what,
            component,
            actor,
            reason,
            review,
            before,
        });
        Answer::Done { says }
    }

    fn no_advice(&self, id: RecommendationId) -> String {
        let known = &self.state.recommendations;
        if id <= known.last && id > RecommendationId::default() {
            return format!("recommendation {id} is reviewed or declined");
        }
        let open: Vec<String> = known.open.keys().rev().take(10).map(ToString::to_string).collect();
        let there =
            if open.is_empty() { "none is open".to_owned() } else { format!("open are {}", open.join(", ")) };
        format!("there is no recommendation {id}; {there}")
    }

    /// Compares before and after wherever the review date has come, or the rule is gone.
    pub(super) fn review(&mut self) {
        let now = self.desk.now;
        let is_due = |open: &Open| {
            let advice = open.advice.as_ref()?;
            let declared = self.bundle.components.get(&open.component);
            let there = declared.and_then(|own| own.rule(&advice.rule)).is_some_and(Rule::heals);
            (now >= advice.review || !there).then(|| (advice.clone(), there))
        };
        let known = &self.state.recommendations.open;
        let due: Vec<(RecommendationId, Advice, bool)> = known
            .iter()
            .filter_map(|(id, open)| is_due(open).map(|(advice, there)| (*id, advice, there)))
            .collect();
        for (id, advice, there) in due {
            let Some(open) = self.state.recommendations.open.remove(&id) else { continue };
            self.reviewed(id, open, &advice, there);
        }
    }

    fn reviewed(&mut self, id: RecommendationId, open: Open, advice: &Advice, there: bool) {
        let Compared { verdict, difference } = compare(advice.before, open.after, advice.expects);
        if open.accepted {
            self.state.recommendations.hits.add(verdict);
        }
        // What was said before is taken up; what comes from now on says whether it has to be said again.
        self.state.health.tallies.forget(&open.component, &advice.rule);
        let detail = detail(&open, advice, there);
        let worse = (verdict == Effectiveness::MadeItWorse).then(|| {
            format!("{} heals less since it was changed: {detail}; take the change back", advice.rule)
        });
        self.records.push(Record::Reviewed {
            recommendation: id,
            component: open.component.clone(),
            rule: advice.rule.clone(),
            verdict,
            accepted: open.accepted,
            changed: open.changed,
            before: advice.before,
            after: open.after,
            difference,
            hits: self.state.recommendations.hits,
            detail,
        });
        if let Some(text) = worse {
            let task = self.task(text, open.component, open.by);
            self.records.push(task);
        }
    }
}

/// What stands beside the recommendation of a rule.
fn counsel(rule: &Rule) -> Option<&Counsel> {
    rule.acts.iter().find_map(|item| match &item.what {
        What::Recommend(_, counsel) => counsel.as_ref(),
        _ => None,
    })
}

fn detail(open: &Open, advice: &Advice, there: bool) -> String {
    let (before, after) = (advice.before, open.after);
    if !there {
        return format!("the rule is no longer there; {before} tries healed before, {after} after");
    }
    let what = match (open.accepted, open.changed) {
        (true, true) => "accepted, and the rule was changed",
        (true, false) => "accepted, and the rule was not changed",
        (false, true) => "nobody accepted it, and the rule was changed",
        (false, false) => "nobody accepted it, and the rule was not changed",
    };
    format!("{what}; {before} tries healed before, {after} after")
}
