//! Plays a test: a world of given facts, on virtual time, with the real engine and the real schedule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Agenda, Bundle, HANDS, Input, Schedule, State, Step, adopt, clock_stepped, step};
use crate::evaluate::Component;
use crate::govern::{Block, Permit};
use crate::model::{
    Act, ActKind, Asked, By, ComponentId, Effect, FactId, Facts, Meaning, Occasion, Performed, ProbeKind,
    Reading, Readings, Snapshot, Span, StepDone, Time, Unit,
};
use crate::replay::case::Case;
use crate::replay::given::{Given, SOMEBODY, Source, When};
use crate::replay::moment::{Moment, Sight, Whys, shared};

/// A test that ticks more often than this has found an endless loop.
const MOST_TICKS: usize = 100_000;

/// Is shown each step from outside: the state before it, what went in, and what came out.
pub(super) type Watcher<'w> = dyn FnMut(&State, &Input, &Step) + 'w;

/// Everything that happens in a test, tick by tick.
pub(super) fn play(bundle: &Bundle, case: &Case, watcher: &mut Watcher) -> Vec<Moment> {
    let mut play = Play::new(bundle, case);
    std::iter::from_fn(|| play.tick(watcher)).collect()
}

/// A test that is played, a tick at a time.
pub(super) struct Play<'a> {
    stage: Stage<'a>,
    now: Time,
    end: Time,
    ticks: usize,
}

impl<'a> Play<'a> {
    pub(super) fn new(bundle: &'a Bundle, case: &'a Case) -> Self {
        Self { stage: Stage::new(bundle, case), now: case.start, end: case.end, ticks: 0 }
    }

    /// The next tick, as long as there is one.
    pub(super) fn tick(&mut self, watcher: &mut Watcher) -> Option<Moment> {
        while self.ticks < MOST_TICKS {
            // Whoever is away does not tick; what falls due meanwhile is late.
            let tick = self.stage.schedule.next(self.now).max(self.stage.back);
            // What is given or done at the very time of a tick is there for the tick to see.
            match self.stage.next_event().filter(|at| *at <= tick) {
                Some(at) if at <= self.end => {
                    self.now = self.now.max(at);
                    self.stage.happen(self.now);
                }
                _ if tick <= self.end => {
                    self.now = tick;
                    self.ticks += 1;
                    return Some(self.stage.tick(tick, watcher));
                }
                _ => return None,
            }
        }
        None
    }
}

struct Stage<'a> {
    bundle: &'a Bundle,
    interval: Option<Span>,
    state: State,
    schedule: Schedule,
    facts: BTreeMap<ComponentId, BTreeMap<FactId, Source>>,
    /// What is still to be given at a time, the earliest last.
    given: Vec<(Time, &'a Given)>,
    on: Vec<&'a Given>,
    /// Acts that are under way, and when they are done.
    under_way: Vec<(Time, ComponentId, Performed, Vec<&'a Given>)>,
    /// How late the probes of a component answer.
    late: BTreeMap<ComponentId, Span>,
    /// Looks that are under way, and when they are answered.
    looking: BTreeMap<ComponentId, (Time, Occasion)>,
    /// Late answers that wait for their tick, and when they came.
    answered: BTreeMap<ComponentId, (Time, Occasion)>,
    performed: Vec<Performed>,
    asked: Vec<Asked>,
    stop: bool,
    /// How far the wall clock is before Grace's own time, and how far it was when that was last told.
    wall: (i64, i64),
    /// Grace gets to work again at this time.
    back: Time,
    /// What the last moment saw.
    sight: Arc<Sight>,
    why: Arc<Whys>,
}

impl<'a> Stage<'a> {
    fn new(bundle: &'a Bundle, case: &'a Case) -> Self {
        let mut given: Vec<(Time, &Given)> = Vec::new();
        let mut on = Vec::new();
        for one in &case.given {
            match &one.when {
                When::At(at) => given.push((at.unwrap_or(case.start), one)),
                When::On { .. } => on.push(one),
            }
        }
        // Stable: what is written first is given first.
        given.reverse();
        given.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let state = beginning(bundle, case);
        Self {
            bundle,
            interval: case.interval,
            sight: Arc::new(Sight::of(&state)),
            why: Arc::default(),
            state,
            schedule: Schedule::new(case.interval.unwrap_or(bundle.system.interval)),
            facts: healthy(bundle),
            given,
            on,
            under_way: Vec::new(),
            late: BTreeMap::new(),
            looking: BTreeMap::new(),
            answered: BTreeMap::new(),
            performed: Vec::new(),
            asked: Vec::new(),
            stop: false,
            wall: (0, 0),
            back: case.start,
        }
    }

    fn next_event(&self) -> Option<Time> {
        let given = self.given.last().map(|(at, _)| *at);
        let looks = self.looking.values().map(|(at, _)| *at);
        given.into_iter().chain(looks).chain(self.under_way.iter().map(|(at, ..)| *at)).min()
    }

    /// Lets happen what is given or done at this time.
    fn happen(&mut self, now: Time) {
        while let Some((_, one)) = self.given.pop_if(|(at, _)| *at <= now) {
            self.give(one, now);
        }
        while let Some(look) = self.looking.iter().find(|(_, (at, _))| *at <= now) {
            let (component, answer) = (look.0.clone(), *look.1);
            self.looking.remove(&component);
            self.schedule.answered(&component);
            self.answered.insert(component, answer);
        }
        let (done, under_way): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.under_way).into_iter().partition(|(at, ..)| *at <= now);
        self.under_way = under_way;
        for (_, _, performed, effects) in done {
            self.performed.push(performed);
            self.schedule.urgent();
            for one in effects {
                self.give(one, now);
            }
        }
    }

    fn give(&mut self, one: &Given, now: Time) {
        if let Some(component) = &one.component {
            let facts = self.facts.entry(component.clone()).or_default();
            for (fact, source) in &one.facts {
                let source = match source {
                    Source::Since(None, unit) => Source::Since(Some(now), *unit),
                    other => other.clone(),
                };
                facts.insert(fact.clone(), source);
            }
            if let Some(late) = one.late {
                self.late.insert(component.clone(), late);
            }
            if one.report {
                self.schedule.wake(component.clone(), Occasion::SelfReport);
            }
        }
        if let Some((actor, reason, request)) = &one.asks {
            let ticket = u64::try_from(self.asked.len()).unwrap_or(0) + 1;
            let (actor, reason, request) = (actor.clone(), reason.clone(), request.clone());
            self.asked.push(Asked { ticket, ..Asked::by(actor, reason, request) });
            self.schedule.soon();
        }
        self.stop = one.stop.unwrap_or(self.stop);
        self.wall.0 = self.wall.0.saturating_add(one.clock.map_or(0, |step| step.0));
        self.back = self.back.max(one.away.map_or(now, |away| now + away));
    }

    fn tick(&mut self, now: Time, watcher: &mut Watcher) -> Moment {
        let agenda = self.schedule.begin(now);
        let input = Input {
            tick: self.state.tick + 1,
            now,
            snapshot: self.snapshot(&agenda, now),
            performed: std::mem::take(&mut self.performed),
            asked: std::mem::take(&mut self.asked),
            stop: self.stop,
            grid: self.interval,
            meaning: Meaning::default(),
        };
        let step = step(self.bundle, &self.state, &input);
        watcher(&self.state, &input, &step);
        let Step { state, mut records, permits, why, .. } = step;
        self.state = state;
        self.schedule.due(self.state.due());
        for permit in &permits {
            self.perform(permit, now);
        }
        // Behind each tick Grace looks at the wall clock.
        if let Some(record) = clock_stepped(self.wall.1, self.wall.0) {
            self.wall.1 = self.wall.0;
            records.push(record);
        }
        let writes = self.bundle.permitted(&self.state).writes;
        let (sight, why) = (shared(&mut self.sight, Sight::of(&self.state)), shared(&mut self.why, why));
        Moment { now, sight, records, why, writes }
    }

    fn snapshot(&mut self, agenda: &Agenda, now: Time) -> Snapshot {
        let mut snapshot = Snapshot::new();
        for component in self.bundle.components.keys() {
            let Some((taken_at, occasion)) = self.look(component, agenda, now) else { continue };
            let facts = self.facts.get(component).into_iter().flatten();
            let facts = facts.map(|(fact, source)| (fact.clone(), source.reading(now))).collect();
            snapshot.insert(component.clone(), Readings { taken_at, occasion, facts });
        }
        snapshot
    }

    /// When and why a component was looked at, if its readings are there. A slow look has a tick of its own, and until
    /// then nobody looks again.
    fn look(&mut self, component: &ComponentId, agenda: &Agenda, now: Time) -> Option<(Time, Occasion)> {
        let answered = self.answered.remove(component);
        let occasion = agenda.occasion(component).filter(|_| !self.looking.contains_key(component));
        let Some(occasion) = occasion else { return answered };
        match self.late.get(component) {
            Some(late) if *late > Span::ZERO => {
                self.schedule.look(component);
                self.looking.insert(component.clone(), (now + *late, occasion));
                answered
            }
            _ => Some((now, occasion)),
        }
    }

    /// An act is under way until its time is over; then what is given on it happens.
    fn perform(&mut self, permit: &Permit, now: Time) {
        let proposal = permit.proposal();
        let kinds: Vec<&str> = proposal.act.kinds().map(ActKind::word).collect();
        let effects: Vec<&Given> = self
            .on
            .iter()
            .filter(|one| match &one.when {
                When::On { kind, from, to } => {
                    kinds.contains(&kind.as_str())
                        && from.is_none_or(|from| from <= now)
                        && to.is_none_or(|to| now.slot(Span::seconds(1)) <= to)
                }
                When::At(_) => false,
            })
            .filter(|one| one.component == proposal.component)
            .copied()
            .collect();
        let fails = effects.iter().find_map(|one| one.fails.clone());
        let takes = effects.iter().map(|one| one.takes).max().unwrap_or(Span::ZERO);
        let steps = match &proposal.act {
            Act::Heal { .. } => vec!["stop", "start"],
            _ => vec!["send"],
        };
        let late = takes >= HANDS;
        let ok = fails.is_none() && !late;
        let steps = steps
            .into_iter()
            .map(|step| StepDone { step: step.into(), ok, took: Span::ZERO, detail: String::new() })
            .collect();
        let effect = match fails {
            _ if late => Effect::TimedOut,
            Some(why) => Effect::Failed { why },
            None => Effect::Done,
        };
        let takes = takes.min(HANDS);
        let performed = Performed { act: permit.act(), effect, steps };
        let component = proposal.component.clone().unwrap_or_else(|| "".into());
        self.under_way.push((now + takes, component, performed, effects));
    }
}

impl Source {
    fn reading(&self, now: Time) -> Reading {
        match self {
            Self::Fixed(reading) => reading.clone(),
            Self::Since(since, unit) => {
                let seconds = since.map_or(0.0, |since| (now - since).as_seconds());
                Reading::float(if *unit == Unit::Milliseconds { seconds * 1000.0 } else { seconds })
            }
        }
    }
}

/// The state that a test begins with.
pub(super) fn beginning(bundle: &Bundle, case: &Case) -> State {
    let mut state = adopt(bundle, None, &State::default(), case.start).state;
    let blocked = case.given.iter().filter(|one| one.blocked).filter_map(|one| one.component.clone());
    state.governed.blocks.extend(blocked.map(|component| (component, from_before(case.start))));
    state
}

/// A block that stands when a test begins.
fn from_before(since: Time) -> Block {
    let by = By::Person { actor: SOMEBODY.into() };
    Block { since, by, reason: "the test begins with it".into() }
}

/// The facts of a component that is well.
pub(super) fn well(component: &Component) -> Facts {
    let mut facts = BTreeMap::new();
    for probe in &component.probes {
        for spec in ProbeKind::facts(&probe.kind, &component.id).unwrap_or_default().iter() {
            facts.insert(FactId::new(&probe.name, &spec.name), Reading::Value(spec.healthy_value()));
        }
    }
    facts.into_iter().collect()
}

/// A world in which all is well.
fn healthy(bundle: &Bundle) -> BTreeMap<ComponentId, BTreeMap<FactId, Source>> {
    let of = |component: &Component| {
        let facts = well(component).into_iter().map(|(fact, reading)| (fact, Source::Fixed(reading)));
        (component.id.clone(), facts.collect())
    };
    bundle.components.values().map(of).collect()
}
