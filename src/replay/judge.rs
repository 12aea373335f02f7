//! Holds what happened against what was expected.

use crate::model::{ComponentId, Record, Time};
use crate::replay::case::{Case, Expect, Forbid, Kind};
use crate::replay::moment::{Moment, Stamp};
use crate::replay::seen::{Seen, heal_label};

/// Something that is not as it should be.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) at: Time,
    /// `expected ...`, or what was not.
    pub(super) wanted: String,
    /// What was there instead.
    pub(super) was: String,
    /// The expectation, by its number, and its key, where it is one that says a value.
    pub(super) of: Option<(usize, &'static str)>,
}

impl Verdict {
    /// All of it in one line.
    pub(super) fn says(&self) -> String {
        format!("{}: {}, and it was {}", self.at.clock(), self.wanted, self.was)
    }
}

/// Everything that is not as it should be, in the order of time.
pub(super) fn judge(case: &Case, moments: &[Moment]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (number, expect) in case.expect.iter().enumerate() {
        verdicts.extend(expected(number, expect, moments));
    }
    verdicts.extend(case.forbid.iter().flat_map(|forbid| forbidden(forbid, moments)));
    verdicts.extend(case.only.iter().flat_map(|kind| unexpected(*kind, case, moments)));
    verdicts.sort_by_key(|verdict| verdict.at);
    verdicts
}

/// The ticks that are meant.
pub(super) fn meant(moments: &[Moment], at: Stamp) -> Vec<&Moment> {
    moments.iter().filter(|moment| at.means(moment)).collect()
}

fn expected(number: usize, expect: &Expect, moments: &[Moment]) -> Vec<Verdict> {
    let there = meant(moments, expect.at);
    let verdict = |what: &str, was: &str, key: Option<&'static str>| Verdict {
        at: expect.at.at,
        wanted: format!("expected {what}"),
        was: was.to_owned(),
        of: key.map(|key| (number, key)),
    };
    let of = expect.component.as_ref();
    if there.is_empty() {
        let none = if expect.at.fine { "no tick then" } else { "no tick in this second" };
        return vec![verdict("something", none, Some("at"))];
    }
    let said = of.map(|of| format!(" of {of}")).unwrap_or_default();
    let checks = expect.wanted.checks(&Seen { of, there: &there });
    let failed = checks.iter().filter_map(|check| Some((check, check.was.as_ref()?)));
    failed.map(|(check, was)| verdict(&format!("{}{said}", check.what), was, Some(check.key))).collect()
}

fn forbidden(forbid: &Forbid, moments: &[Moment]) -> Vec<Verdict> {
    let inside = |moment: &&Moment| {
        forbid.from.is_none_or(|from| moment.now >= from) && forbid.to.is_none_or(|to| moment.second() <= to)
    };
    let mut found = Vec::new();
    for moment in moments.iter().filter(inside) {
        let checks = forbid.wanted.checks(&Seen { of: forbid.component.as_ref(), there: &[moment] });
        if !checks.is_empty() && checks.iter().all(|check| check.was.is_none()) {
            let what: Vec<&str> = checks.iter().map(|check| check.what.as_str()).collect();
            let wanted = format!("forbidden {}", what.join(" and "));
            found.push(Verdict { at: moment.second(), wanted, was: "so all the same".into(), of: None });
        }
    }
    found
}

/// Things of a kind that happened and that no expectation names.
pub(super) fn unexpected(kind: Kind, case: &Case, moments: &[Moment]) -> Vec<Verdict> {
    let mut found = Vec::new();
    for moment in moments {
        for happened in moment.records.iter().filter_map(|record| Happened::of(kind, record)) {
            let named = case.expect.iter().any(|expect| expect.at.means(moment) && happened.is_named(expect));
            if !named {
                let wanted = format!("not expected any {} that is not named", kind.word());
                let was = happened.says();
                found.push(Verdict { at: moment.second(), wanted, was, of: None });
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
            (Kind::Shadow, Record::Shadowed { proposal, .. }) => proposal.act.label(),
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
            Kind::Shadow => expect.wanted.shadow.clone(),
        };
        let same_component = self.component.is_none() || expect.component.as_ref() == self.component;
        wanted.is_some_and(|wanted| wanted == self.what) && same_component
    }

    fn says(&self) -> String {
        let of = self.component.map(|of| format!(" of {of}")).unwrap_or_default();
        format!("{} {}{of}", self.kind.word(), self.what)
    }
}
