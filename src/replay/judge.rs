//! Holds what happened against what was expected.

use crate::model::{Act, ComponentId, HealResult, Proposal, Record, Time};
use crate::replay::case::{Case, Expect, Forbid, Kind};
use crate::replay::moment::Moment;
use crate::replay::wanted::Wanted;

/// Something that is not as it should be.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) at: Time,
    pub(super) says: String,
}

/// Everything that is not as it should be, in the order of time.
pub(super) fn judge(case: &Case, moments: &[Moment]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        case.expect.iter().flat_map(|expect| expected(expect, moments)).collect();
    verdicts.extend(case.forbid.iter().flat_map(|forbid| forbidden(forbid, moments)));
    verdicts.extend(case.only.iter().flat_map(|kind| unexpected(*kind, case, moments)));
    verdicts.sort_by_key(|verdict| verdict.at);
    verdicts
}

fn expected(expect: &Expect, moments: &[Moment]) -> Vec<Verdict> {
    let there: Vec<&Moment> = moments.iter().filter(|moment| moment.second() == expect.at).collect();
    let verdict = |says: String| Verdict { at: expect.at, says: format!("{}: {says}", expect.at.clock()) };
    if there.is_empty() {
        return vec![verdict("expected something, and there was no tick in this second".into())];
    }
    let of = expect.component.as_ref();
    let mut missing = Vec::new();
    for (what, holds) in expect.wanted.checks(of, &there) {
        if let Err(is) = holds {
            let is = if is.is_empty() { String::new() } else { format!(", and it was {is}") };
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            missing.push(verdict(format!("expected {what}{of}{is}")));
        }
    }
    missing
}

fn forbidden(forbid: &Forbid, moments: &[Moment]) -> Vec<Verdict> {
    let inside = |moment: &&Moment| {
        forbid.from.is_none_or(|from| moment.now >= from) && forbid.to.is_none_or(|to| moment.second() <= to)
    };
    let mut found = Vec::new();
    for moment in moments.iter().filter(inside) {
        let checks = forbid.wanted.checks(forbid.component.as_ref(), &[moment]);
        if !checks.is_empty() && checks.iter().all(|(_, holds)| holds.is_ok()) {
            let what: Vec<&str> = checks.iter().map(|(what, _)| what.as_str()).collect();
            let says = format!("{}: forbidden, and it happened: {}", moment.now.clock(), what.join(" and "));
            found.push(Verdict { at: moment.second(), says });
        }
    }
    found
}

/// Things of a kind that happened and that no expectation names.
fn unexpected(kind: Kind, case: &Case, moments: &[Moment]) -> Vec<Verdict> {
    let mut found = Vec::new();
    for moment in moments {
        for happened in moment.records.iter().filter_map(|record| Happened::of(kind, record)) {
            let named =
                case.expect.iter().any(|expect| expect.at == moment.second() && happened.is_named(expect));
            if !named {
                let says =
                    format!("{}: not expected, and it happened: {}", moment.now.clock(), happened.says());
                found.push(Verdict { at: moment.second(), says });
            }
        }
    }
    found
}

/// Something of a kind that `only` can name.
struct Happened<'r> {
    kind: Kind,
    what: String,
    component: Option<&'r ComponentId>,
}

impl<'r> Happened<'r> {
    fn of(kind: Kind, record: &'r Record) -> Option<Self> {
        let what = match (kind, record) {
            (Kind::Act, Record::Intent { proposal, .. }) => heal_label(proposal)?,
            (Kind::Mode, Record::ModeChanged { to, .. }) => to.to_string(),
            (Kind::Status, Record::StatusChanged { to, .. }) => to.to_string(),
            (Kind::Task, Record::TaskCreated { text, .. }) => text.clone(),
            _ => return None,
        };
        Some(Self { kind, what, component: record.component() })
    }

    fn is_named(&self, expect: &Expect) -> bool {
        let wanted = match self.kind {
            Kind::Act => expect.wanted.act.clone(),
            Kind::Mode => expect.wanted.mode.clone(),
            Kind::Status => expect.wanted.status.map(|status| status.to_string()),
            Kind::Task => expect.wanted.task.clone(),
        };
        let same_component = self.component.is_none() || expect.component.as_ref() == self.component;
        wanted.is_some_and(|wanted| wanted == self.what) && same_component
    }

    fn says(&self) -> String {
        let of = self.component.map(|of| format!(" of {of}")).unwrap_or_default();
        let kind = match self.kind {
            Kind::Act => "act",
            Kind::Mode => "mode",
            Kind::Status => "status",
            Kind::Task => "task",
        };
        format!("{kind} {}{of}", self.what)
    }
}

/// The label of a try; other acts have none here.
pub(super) fn heal_label(proposal: &Proposal) -> Option<String> {
    matches!(proposal.act, Act::Heal { .. }).then(|| proposal.act.label())
}

/// What was wanted, and whether it holds or what was there instead.
type Check = (String, Result<(), String>);

impl Wanted {
    /// Each wanted thing held against what was there in one second: states as they were at its end, and
    /// whatever happened in it.
    fn checks(&self, of: Option<&ComponentId>, there: &[&Moment]) -> Vec<Check> {
        let mut checks = Vec::new();
        self.states(of, there, &mut checks);
        self.events(of, there, &mut checks);
        checks
    }

    fn states(&self, of: Option<&ComponentId>, there: &[&Moment], checks: &mut Vec<Check>) {
        let Some(last) = there.last() else { return };
        let own = of.and_then(|of| last.state.health.components.get(of));
        let mut same = |what: String, wanted: String, is: Option<String>| {
            let is = is.unwrap_or_else(|| "not known".into());
            checks.push((what, if wanted == is { Ok(()) } else { Err(is) }));
        };
        if let Some(status) = self.status {
            same(format!("status {status}"), status.to_string(), own.map(|own| own.status.to_string()));
        }
        if let Some(failures) = self.failures {
            let is = own.map(|own| own.failures.to_string());
            same(format!("{failures} failures"), failures.to_string(), is);
        }
        if let Some(mode) = &self.mode {
            same(format!("mode {mode}"), mode.clone(), Some(last.state.governed.mode.to_string()));
        }
        if let Some(blocked) = self.blocked {
            let is = of.is_some_and(|of| last.state.governed.blocks.contains_key(of));
            same(format!("blocked = {blocked}"), blocked.to_string(), Some(is.to_string()));
        }
    }

    fn events(&self, of: Option<&ComponentId>, there: &[&Moment], checks: &mut Vec<Check>) {
        let records: Vec<&Record> = there.iter().flat_map(|moment| &moment.records).collect();
        let mine =
            |record: &&&Record| of.is_none() || record.component().is_none() || record.component() == of;
        let mut any = |what: String, found: &dyn Fn(&Record) -> bool| {
            let holds = records.iter().filter(mine).any(|record| found(record));
            checks.push((what, if holds { Ok(()) } else { Err(String::new()) }));
        };
        if let Some(act) = &self.act {
            let attempt = self.attempt.map(|attempt| format!(", try {attempt}")).unwrap_or_default();
            any(format!("act {act}{attempt}"), &|record| self.is_act(act, record));
        }
        if let Some(event) = &self.event {
            any(format!("event {event}"), &|record| record.event() == Some(event.as_str()));
        }
        if let Some(task) = &self.task {
            any(
                format!("task {task:?}"),
                &|record| matches!(record, Record::TaskCreated { text, .. } if text == task),
            );
        }
        if self.outcome.is_some() || self.result.is_some() {
            let wanted = self.outcome.clone().or_else(|| self.result.clone()).unwrap_or_default();
            any(format!("outcome {wanted}"), &|record| self.is_end(record));
        }
        if self.verdict.is_some() || self.why.is_some() {
            let holds = self.decided(of, there);
            let what = format!(
                "verdict {} because {}",
                self.verdict.as_deref().unwrap_or("of any kind"),
                self.why.as_deref().unwrap_or("of anything")
            );
            checks.push((what, if holds { Ok(()) } else { Err(String::new()) }));
        }
    }

    fn is_act(&self, act: &str, record: &Record) -> bool {
        let Record::Intent { proposal, .. } = record else { return false };
        heal_label(proposal).is_some_and(|label| label == act)
            && self.attempt.is_none_or(|attempt| proposal.attempt == attempt)
    }

    fn is_end(&self, record: &Record) -> bool {
        let (word, success) = match record {
            Record::End { outcome: Some(outcome), result, .. } => {
                (outcome.word(), *result == HealResult::Success)
            }
            Record::Relapsed { .. } => ("relapsed", false),
            _ => return false,
        };
        let result = if success { "success" } else { "failed" };
        self.outcome.as_deref().is_none_or(|wanted| wanted == word)
            && self.result.as_deref().is_none_or(|wanted| wanted == result)
    }

    /// Was there a decision of this kind, or does a rule say that it waits for this reason?
    fn decided(&self, of: Option<&ComponentId>, there: &[&Moment]) -> bool {
        let why_fits = |text: String| self.why.as_ref().is_none_or(|why| text.contains(why.as_str()));
        let decisions = there.iter().flat_map(|moment| &moment.records).filter_map(|record| match record {
            Record::Decided { proposal, verdict, gate, .. } => Some((proposal, verdict.to_string(), gate)),
            _ => None,
        });
        let decided = decisions
            .filter(|(proposal, ..)| {
                of.is_none() || proposal.component.is_none() || proposal.component.as_ref() == of
            })
            .any(|(_, verdict, gate)| {
                self.verdict.as_ref().is_none_or(|wanted| *wanted == verdict)
                    && why_fits(gate.as_ref().map(ToString::to_string).unwrap_or_default())
            });
        let whys =
            there.iter().flat_map(|moment| &moment.why).filter(|(id, _)| of.is_none_or(|of| of == *id));
        decided
            || (self.verdict.is_none()
                && whys.flat_map(|(_, rules)| rules.values()).any(|why| why_fits(why.to_string())))
    }
}
