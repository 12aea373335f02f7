//! Tries, from the permit to their end: what the hands report, and what later readings say.

use crate::condition::Truth;
use crate::evaluate::component::Rule;
use crate::evaluate::healing::{Happened, Healing, Means, next};
use crate::evaluate::scene::{EndedTry, Heard, Scene};
use crate::evaluate::state::{Health, Phase, Try};
use crate::evaluate::states::RuleState;
use crate::model::{
    ActId, By, ComponentId, Effect, HealResult, HealingResult, Meaning, Outcome, Performed, Record, Span,
    Status, StepDone, Time,
};

/// While a try is not verified the component is looked at this often, or as often as its first delay.
const LOOK_AGAIN: Span = Span::seconds(5);

/// A probe that hangs answers later than it should: that is no time in which nobody looked.
const SLOWEST: Span = Span::minutes(1);

impl Scene<'_> {
    /// Takes in what the hands report of one act.
    pub(super) fn performed(&self, health: &mut Health, report: &Performed, heard: &mut Heard) {
        let Some(open) = health.tries.get_mut(&report.act) else { return };
        if !matches!(open.phase, Phase::Performing) {
            return;
        }
        // With a step done (stopped, and then not started) it was begun, and has to be judged.
        if let (Effect::Withheld { why }, []) = (&report.effect, report.steps.as_slice()) {
            let detail = format!("not begun: {why}");
            return self.not_begun(health, report.act, &detail, heard);
        }
        if !self.components.contains_key(&open.component) {
            return gone(health, report, heard);
        }
        // What failed or was cut short is judged by the very next reading: perhaps it is well all the same.
        let (due, deadline) = match report.effect {
            Effect::Done => (self.now + open.verify.delay, self.now + open.verify.within),
            _ => (self.now, self.now),
        };
        open.phase = Phase::Verifying {
            effect: report.effect.clone(),
            steps: report.steps.clone(),
            due,
            deadline: deadline.max(due),
        };
    }

    fn not_begun(&self, health: &mut Health, act: ActId, detail: &str, heard: &mut Heard) {
        let Some(open) = health.tries.remove(&act) else { return };
        heard.records.push(Record::End {
            act,
            component: Some(open.component.clone()),
            // What was not begun is no try that failed, and is in no figure.
            outcome: (self.meaning < Meaning::VOTES).then_some(Outcome::Failed),
            result: HealResult::Failed,
            detail: detail.to_owned(),
            steps: Vec::new(),
        });
        heard.ended.push(EndedTry {
            act,
            component: open.component.clone(),
            by: open.by.clone(),
            outcome: None,
        });
        self.turn(health, &open, (Happened::NotBegun, None, false), heard);
    }

    /// Looks whether the open tries of a component are verified by its last reading, or can no longer be.
    pub(super) fn verify(&self, health: &mut Health, id: &ComponentId, heard: &mut Heard) {
        let open: Vec<ActId> =
            health.tries.iter().filter(|(_, open)| open.component == *id).map(|(act, _)| *act).collect();
        for act in open {
            self.verify_one(health, act, heard);
        }
    }

    fn verify_one(&self, health: &mut Health, act: ActId, heard: &mut Heard) {
        let Some(open) = health.tries.get(&act).cloned() else { return };
        let Phase::Verifying { effect, steps, due, deadline } = &open.phase else { return };
        let Some(own) = health.components.get(&open.component) else { return };
        if own.last.taken_at < *due {
            return;
        }
        let (status, well) = (own.status, self.is_well(health, &open) && !is_hollow(effect, &open));
        let missed = self.is_missed(effect, *deadline, own.last.taken_at);
        // What Grace did not see in time, or what another rule than asked calls well, is nobody's doing.
        let edited = open.edited && matches!(effect, Effect::Done);
        let seen = Seen { well, status, unread: self.is_unread(health, &open) };
        let judged = judge(effect, &seen, open.before, self.now >= *deadline);
        let Some(outcome) = judged.map(|told| if missed || edited { Outcome::Unknown } else { told }) else {
            let again = (self.now + open.verify.delay.max(LOOK_AGAIN)).min(*deadline);
            let phase = Phase::Verifying {
                effect: effect.clone(),
                steps: steps.clone(),
                due: again,
                deadline: *deadline,
            };
            health.tries.entry(act).and_modify(|open| open.phase = phase);
            return;
        };
        let mut detail = detail(effect, status, self.now - open.began);
        if missed {
            detail = format!("nobody looked within {} of the act; {detail}", open.verify.within);
        } else if edited {
            detail = format!("the rule is another one than when it acted; {detail}");
        } else if outcome == Outcome::Unknown && seen.unread {
            detail = format!("the rule's condition cannot be read; {detail}");
        }
        let unseen = missed || matches!(effect, Effect::Interrupted);
        let well = well && !(edited && open.before.works());
        self.end(health, act, &open, &End { outcome, well, unseen, detail, steps: steps.clone() }, heard);
    }

    /// Nobody looked in time: the first look behind the deadline comes so late that Grace was away. What it sees then is
    /// nobody's doing.
    fn is_missed(&self, effect: &Effect, deadline: Time, taken_at: Time) -> bool {
        let is_done = matches!(effect, Effect::Done) && self.meaning >= Meaning::VOTES;
        is_done && taken_at > deadline + self.grid.max(SLOWEST)
    }

    /// Well means: the component works, and the condition that asked for the try is false.
    fn is_well(&self, health: &Health, open: &Try) -> bool {
        let works = health.components.get(&open.component).is_some_and(|own| own.status.works());
        works
            && self
                .rule_of(&open.by)
                .is_none_or(|rule| self.ask(health, &open.component, &rule.when) == Truth::False)
    }

    /// The condition that asked for the try cannot be read any more. An older meaning did not ask.
    fn is_unread(&self, health: &Health, open: &Try) -> bool {
        let rule = self.rule_of(&open.by).filter(|_| self.meaning >= Meaning::VOTES);
        rule.is_some_and(|rule| self.ask(health, &open.component, &rule.when) == Truth::Unknown)
    }

    fn rule_of(&self, by: &By) -> Option<&Rule> {
        match by {
            By::Rule { rule, component } => self.components.get(component)?.rule(rule),
            By::Person { .. } => None,
        }
    }

    fn end(&self, health: &mut Health, act: ActId, open: &Try, end: &End, heard: &mut Heard) {
        health.tries.remove(&act);
        let result = if end.well { HealResult::Success } else { HealResult::Failed };
        let when = self.rule_of(&open.by).map(|rule| self.ask(health, &open.component, &rule.when));
        let holds = when.is_some_and(|when| when != Truth::False);
        // What was false meanwhile and holds again may fire again, and that is another healing.
        let firing = holds && (self.meaning < Meaning::VOTES || is_firing(health, open));
        let own = state_of(health, open).filter(|state| state.healing.and_then(Healing::act) == Some(act));
        let is_as_it_was = own.is_some_and(|state| !state.edited);
        // No further try follows, and whoever reads of this one should know why.
        let over = match when {
            Some(_) if end.well || firing || self.meaning < Meaning::VOTES => "",
            Some(Truth::False) => "; the rule's condition is false",
            Some(_) if is_as_it_was => "; the rule's condition was false meanwhile",
            Some(_) => "; the rule was changed meanwhile",
            None => "",
        };
        heard.records.push(Record::End {
            act,
            component: Some(open.component.clone()),
            outcome: Some(end.outcome),
            result,
            detail: format!("{}{over}", end.detail),
            steps: end.steps.clone(),
        });
        heard.ended.push(EndedTry {
            act,
            component: open.component.clone(),
            by: open.by.clone(),
            outcome: Some(end.outcome),
        });
        if let Some(own) = health.components.get_mut(&open.component) {
            own.ended(act, open, (end.outcome, self.now), self.meaning);
        }
        let happened = Happened::Ended { well: end.well, firing };
        self.turn(health, open, (happened, Some(end.outcome), end.unseen), heard);
    }

    /// Turns the healing of the rule that made a try, and says what that means. What became of the try is said beside what
    /// happened: only one that healed can claim what became well, and one during which Grace was away is not the last: a
    /// healing fails where she was there.
    fn turn(
        &self,
        health: &mut Health,
        open: &Try,
        (happened, outcome, unseen): (Happened, Option<Outcome>, bool),
        heard: &mut Heard,
    ) {
        let claims = outcome.is_none_or(|outcome| outcome == Outcome::Healed);
        let is_new = self.meaning >= Meaning::VOTES;
        let is_unseen = unseen && outcome == Some(Outcome::Unknown) && is_new;
        let By::Rule { rule, component } = &open.by else { return };
        let of = self.rule_of(&open.by);
        let attempts = if is_unseen { u32::MAX } else { of.map_or(1, |rule| rule.attempts) };
        let Some(state) = health.components.get_mut(component).and_then(|own| own.rules.get_mut(rule)) else {
            return;
        };
        let (after, means) = next(state.healing, happened, attempts);
        // A rule that became a shadow meanwhile wants no further try.
        state.healing = after.filter(|_| of.is_none_or(|rule| !rule.shadow));
        let means = match (after, state.healing, means) {
            (Some(Healing::Wanting { attempt: next @ 2.. }), None, _) => Means::Shadowed(next - 1),
            (_, _, Means::Success(attempts)) if !claims => Means::OverBetween(attempts),
            (_, _, Means::OverDuring(attempts)) if state.edited => Means::Edited(attempts),
            (_, _, Means::Failure(attempts)) if is_new && outcome == Some(Outcome::Unknown) => {
                Means::Unknown(attempts)
            }
            (_, _, means) => means,
        };
        state.edited &= state.healing.is_some();
        heard.records.extend(said(means, &open.by, component, self.meaning));
    }
}

/// An act has ended whose component was dropped meanwhile: no reading will ever tell what it did.
fn gone(health: &mut Health, report: &Performed, heard: &mut Heard) {
    let Some(open) = health.tries.remove(&report.act) else { return };
    let (act, component, by) = (report.act, open.component, open.by);
    let outcome = Outcome::Unknown;
    heard.records.push(Record::End {
        act,
        component: Some(component.clone()),
        outcome: Some(outcome),
        result: HealResult::Failed,
        detail: "the component is no longer declared".to_owned(),
        steps: report.steps.clone(),
    });
    heard.ended.push(EndedTry { act, component, by, outcome: Some(outcome) });
}

/// Does the rule that made this try still fire?
fn is_firing(health: &Health, open: &Try) -> bool {
    state_of(health, open).is_some_and(|state| state.firing.is_some())
}

/// What the rule that made this try is at.
fn state_of<'h>(health: &'h Health, open: &Try) -> Option<&'h RuleState> {
    let By::Rule { rule, component } = &open.by else { return None };
    health.components.get(component)?.rules.get(rule)
}

/// How a try ended.
struct End {
    outcome: Outcome,
    well: bool,
    /// Grace was away: nobody can tell.
    unseen: bool,
    detail: String,
    steps: Vec<StepDone>,
}

/// Where a person acts on what works, there was nothing to heal: a failure is one, however well it goes on.
fn is_hollow(effect: &Effect, open: &Try) -> bool {
    matches!(open.by, By::Person { .. }) && open.before.works() && !matches!(effect, Effect::Done)
}

/// What readings say of a try.
struct Seen {
    /// The component works, and the condition that asked for the try is false.
    well: bool,
    status: Status,
    /// That condition cannot be read.
    unread: bool,
}

/// What became of a try, or nothing while it can still be verified.
fn judge(effect: &Effect, seen: &Seen, before: Status, late: bool) -> Option<Outcome> {
    let Seen { well, status, unread } = *seen;
    match effect {
        Effect::Interrupted => Some(Outcome::Unknown),
        Effect::Failed { .. } | Effect::TimedOut | Effect::Withheld { .. } if well => {
            Some(Outcome::HealedByItself)
        }
        Effect::Failed { .. } | Effect::Withheld { .. } => Some(Outcome::Failed),
        Effect::TimedOut => Some(Outcome::TimedOut),
        Effect::Done if well => Some(Outcome::Healed),
        Effect::Done if !late => None,
        Effect::Done if status == Status::Unknown => Some(Outcome::Unknown),
        Effect::Done if before.works() && !status.works() => Some(Outcome::Worse),
        Effect::Done if status.works() && unread => Some(Outcome::Unknown),
        Effect::Done => Some(Outcome::NoEffect),
    }
}

fn detail(effect: &Effect, status: Status, took: Span) -> String {
    match effect {
        Effect::Done => format!("{status} {took} after the permit"),
        Effect::Failed { why } => format!("{why}; then {status}"),
        Effect::TimedOut => format!("the act did not end in its time; then {status}"),
        Effect::Withheld { why } => format!("broken off: {why}; then {status}"),
        Effect::Interrupted => format!("Grace stopped while the act ran; the next reading says {status}"),
    }
}

const VERIFIED: &str = "verified healthy";

const OVER: &str = "the rule's condition is false again, and no try can claim it";

const EDITED: &str = "the rule was changed";

const SHADOWED: &str = "the rule is a shadow now, and makes no further try";

/// What a turn of a healing means, for the journal. Older meanings took what is over for success, or did not say it, and
/// ended once more with a slow try that healed.
pub(super) fn said(means: Means, by: &By, component: &ComponentId, meaning: Meaning) -> Option<Record> {
    use HealingResult::{Failed, Over, Success};
    let is_new = meaning >= Meaning::VOTES;
    let (result, attempts, detail) = match means {
        Means::Success(attempts) => (Success, attempts, VERIFIED),
        Means::Failure(attempts) => (Failed, attempts, "every try failed"),
        Means::Unknown(attempts) => {
            (Failed, attempts, "no try is known to have healed, and the last one nobody could judge")
        }
        Means::OverBetween(attempts) | Means::OverDuring(attempts) if is_new => (Over, attempts, OVER),
        Means::Shadowed(attempts) if is_new => (Over, attempts, SHADOWED),
        Means::Edited(attempts) => (Over, attempts, EDITED),
        Means::OverBetween(attempts) | Means::Late(attempts) if !is_new => (Success, attempts, VERIFIED),
        Means::Nothing
        | Means::OverBetween(_)
        | Means::OverDuring(_)
        | Means::Shadowed(_)
        | Means::Late(_) => return None,
    };
    let (component, by, detail) = (component.clone(), by.clone(), detail.to_owned());
    Some(Record::HealingEnded { component, by, result, attempts, detail })
}

impl Health {
    /// When each component has to be looked at to verify a try.
    pub fn due(&self) -> impl Iterator<Item = (&ComponentId, Time)> {
        self.tries.values().filter_map(|open| match open.phase {
            Phase::Verifying { due, .. } => Some((&open.component, due)),
            Phase::Performing => None,
        })
    }

    /// The acts that the hands are at.
    pub fn performing(&self) -> impl Iterator<Item = ActId> + '_ {
        self.tries.iter().filter(|(_, open)| matches!(open.phase, Phase::Performing)).map(|(act, _)| *act)
    }
}
