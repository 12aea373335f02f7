//! Histories written down tick by tick.

use std::collections::BTreeMap;
use std::path::Path;

use grace::engine::{State, adopt};
use grace::model::{
    Act, ActId, By, ComponentId, GenerationId, HealResult, HealStep, IncidentId, Meaning, Outcome, Proposal,
    Record, RuleId, Span, Status, StepDone, Time,
};
use grace::record::Journal;

/// 2026-11-23T12:00:00Z, the beginning of an hour.
pub(super) const NOON: Time = Time(1_795_435_200_000);

/// The time of that day: `12:30:05`.
pub(super) fn at(clock: &str) -> Time {
    Time::parse(&format!("2026-11-23T{clock}Z")).expect(clock)
}

/// A time as reports write it.
pub(super) fn time(text: &str) -> Time {
    Time::parse(text).expect(text)
}

/// A history under way.
pub(super) struct Told {
    pub(super) journal: Journal,
    tick: u64,
    pub(super) now: Time,
    pub(super) statuses: BTreeMap<ComponentId, Status>,
    failures: BTreeMap<ComponentId, u32>,
}

impl Told {
    /// Begins one in this directory. Its generation is the shipped one, under which all components are well.
    pub(super) fn new(dir: &Path) -> Self {
        let journal = Journal::open(dir).expect("opens");
        assert!(journal.take_up_figures().expect("reads"), "an empty journal is quick");
        let bundle = crate::histories::bundle(&[]);
        let statuses = bundle.components.keys().map(|id| (id.clone(), Status::Ok)).collect();
        let told = Self { journal, tick: 0, now: NOON, statuses, failures: BTreeMap::new() };
        let generation = Record::Generation {
            generation: bundle.generation.clone(),
            files: bundle.files,
            kept: Vec::new(),
            reset: Vec::new(),
            dropped: Vec::new(),
            state: None,
            meaning: None,
        };
        told.append(&[started(), generation]);
        told
    }

    pub(super) fn append(&self, records: &[Record]) {
        self.journal.append(self.now, records).expect("is written");
    }

    /// One tick, with what its step left behind.
    pub(super) fn tick(&mut self, now: Time, records: &[Record]) {
        self.tick += 1;
        self.now = now;
        for (id, status) in &self.statuses {
            match status {
                Status::Critical => *self.failures.entry(id.clone()).or_default() += 1,
                Status::Ok | Status::Warn => drop(self.failures.remove(id)),
                Status::Unknown => {}
            }
        }
        let tick = Record::Tick {
            tick: self.tick,
            now,
            statuses: self.statuses.clone(),
            failures: self.failures.clone(),
            performed: Vec::new(),
            asked: Vec::new(),
            stop: false,
            grid: None,
            meaning: Meaning::default(),
            readings: String::new(),
            decisions: String::new(),
            state: None,
        };
        let all: Vec<Record> = std::iter::once(tick).chain(records.iter().cloned()).collect();
        self.append(&all);
    }

    /// Ticks of the grid behind the last one, until just before a time.
    pub(super) fn on_until(&mut self, clock: &str) {
        let end = at(clock);
        let mut next = self.now.slot(Span::seconds(30)) + Span::seconds(30);
        while next < end {
            self.tick(next, &[]);
            next = next + Span::seconds(30);
        }
    }

    /// The ticks of the grid until a time, and one at it at which a component is so.
    pub(super) fn then(&mut self, clock: &str, component: &str, status: Status, records: &[Record]) {
        self.on_until(clock);
        self.statuses.insert(component.into(), status);
        self.tick(at(clock), records);
    }

    /// Keeps a state from which a Grace can go on.
    pub(super) fn keep_state(&self) {
        let bundle = crate::histories::bundle(&[]);
        let mut state = adopt(&bundle, None, &State::default(), self.now).state;
        (state.tick, state.now) = (self.tick, self.now);
        state.health.last_incident = IncidentId(100);
        self.journal.adopt(self.now, &[], &state).expect("is written");
    }
}

pub(super) fn started() -> Record {
    let generation = GenerationId::from("g");
    Record::Started {
        version: "0".into(),
        generation,
        process: 1,
        interrupted: Vec::new(),
        meaning: Meaning::FIRST,
    }
}

pub(super) fn stopped() -> Record {
    Record::Stopped { reason: "asked to".into() }
}

pub(super) fn begun(component: &str, incident: u64) -> Record {
    Record::IncidentBegun { component: component.into(), incident: IncidentId(incident) }
}

pub(super) fn ended(component: &str, incident: u64, began: Time) -> Record {
    Record::IncidentEnded { component: component.into(), incident: IncidentId(incident), began }
}

pub(super) fn intent(component: &str, act: u64, by: Option<&str>) -> Record {
    let component = ComponentId::from(component);
    let by = match by {
        Some(rule) => By::Rule { rule: RuleId::from(rule), component: component.clone() },
        None => By::Person { actor: "uid:1000".into() },
    };
    let act_of = Act::Heal { component: component.clone(), steps: vec![HealStep::Restart { workers: None }] };
    let proposal = Proposal {
        by,
        act: act_of,
        reason: "a test".into(),
        component: Some(component),
        attempt: 1,
        slow: false,
    };
    Record::Intent { act: ActId(act), proposal, policy: None }
}

pub(super) fn end(component: &str, act: u64, outcome: Outcome, took: Span) -> Record {
    let step = StepDone { step: "start".into(), ok: true, took, detail: String::new() };
    Record::End {
        act: ActId(act),
        component: Some(component.into()),
        outcome: Some(outcome),
        result: if outcome.is_success() { HealResult::Success } else { HealResult::Failed },
        detail: String::new(),
        steps: vec![step],
    }
}

pub(super) fn relapsed(component: &str, act: u64) -> Record {
    Record::Relapsed { act: ActId(act), component: component.into() }
}

pub(super) fn held(component: &str) -> Record {
    let (actor, reason) = ("uid:1000".into(), "maintenance".into());
    Record::Held { component: Some(component.into()), actor, reason, until: None }
}

pub(super) fn hold_ended(component: &str) -> Record {
    Record::HoldEnded { component: Some(component.into()), reason: "done".into() }
}

pub(super) fn moved(from: &str, to: &str) -> Record {
    let by = By::Person { actor: "uid:1000".into() };
    Record::ModeChanged { from: from.into(), to: to.into(), reason: "a test".into(), by }
}
