//! One set of rules that lives through a recorded history.

mod permits;
mod timing;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Bundle, Input, State, Step, adopt, advance, caution, conflicts};
use crate::evaluate::Component;
use crate::model::{
    ActId, Asked, By, ComponentId, Effect, Facts, Meaning, Occasion, Performed, Reading, Readings, Record,
    Snapshot, Span, Time,
};
use crate::replay::contradiction::{Held, Said};
use crate::replay::simulate::course::{Course, Part, failure};
use crate::replay::simulate::inject::{self, Struck};
use crate::replay::simulate::ledger::Ledger;
use crate::replay::simulate::looks::Looks;
use crate::replay::simulate::share::Known;
use crate::replay::simulate::{Odds, Plan, answers};

/// Between two recorded ticks there is no reason for more ticks than this.
const MOST_BETWEEN: usize = 200;

/// A set of rules, and the world as it is with them.
pub(super) struct Twin<'b> {
    pub(super) bundle: &'b Bundle,
    plan: &'b Plan,
    odds: &'b Odds,
    pub(super) state: Option<State>,
    pub(super) parts: BTreeMap<ComponentId, Part>,
    /// Recorded acts in flight, and the simulated ones that they are.
    same: BTreeMap<ActId, ActId>,
    under_way: Vec<UnderWay>,
    answers: answers::Answers,
    /// When each injected fault that lasts began last: the failures of components, and the jumps of the clock.
    begun: BTreeMap<usize, Time>,
    /// How often each injected fault struck.
    struck: BTreeMap<usize, u64>,
    pub(super) ledger: Ledger,
    /// Anything is other than in the record.
    pub(super) apart: bool,
    /// The grid that the recorded files say, until it was held against the own one.
    pub(super) recorded_grid: Option<Span>,
    pub(super) record: Held,
    /// What was never read so far.
    pub(super) unseen: BTreeSet<ComponentId>,
    /// The time that counts has begun.
    pub(super) counts: bool,
    /// The recorded tick that is played, or was played last.
    pub(super) tick: u64,
    stop: bool,
    grid: Option<Span>,
    looks: Looks,
    /// What was reported and asked while the clock jumped.
    late: (Vec<Performed>, Vec<Asked>),
}

/// An act that nobody ever did.
struct UnderWay {
    done: Time,
    act: ActId,
    component: Option<ComponentId>,
    heals: bool,
    /// The hands broke it off: it took longer than they may.
    late: bool,
}

impl<'b> Twin<'b> {
    pub(super) fn new(bundle: &'b Bundle, plan: &'b Plan, odds: &'b Odds) -> Self {
        Self {
            bundle,
            plan,
            odds,
            state: None,
            parts: bundle.components.keys().map(|id| (id.clone(), Part::default())).collect(),
            same: BTreeMap::new(),
            under_way: Vec::new(),
            answers: answers::Answers::default(),
            begun: BTreeMap::new(),
            struck: BTreeMap::new(),
            ledger: Ledger::default(),
            apart: !plan.inject.is_empty(),
            recorded_grid: None,
            record: Held::default(),
            unseen: bundle.components.keys().cloned().collect(),
            counts: false,
            tick: 0,
            stop: false,
            grid: None,
            looks: Looks::default(),
            late: (Vec::new(), Vec::new()),
        }
    }

    /// The state, where it is the recorded one.
    pub(super) fn recorded(&self) -> Option<&State> {
        self.state.as_ref().filter(|_| self.record.follows && !self.apart && !self.record.contradicts)
    }

    /// Is there a state to go on from?
    pub(super) fn began(&self) -> bool {
        self.state.is_some()
    }

    /// What was recorded next has expired or is gone: nobody knows how it went on. From the next state that was recorded
    /// on it goes on as if it began there; what it did until here, and what is certain of it, stays.
    pub(super) fn forget(&mut self) {
        self.record.follows = false;
        self.state = None;
        self.apart = !self.plan.inject.is_empty();
        self.same.clear();
        self.under_way.clear();
        self.begun.clear();
        self.late = (Vec::new(), Vec::new());
        self.answers = answers::Answers::default();
    }

    /// Goes on from a start or a reload that was recorded, or begins there.
    pub(super) fn adopt(&mut self, active: Option<&Bundle>, recorded: &State) -> Result<(), Vec<String>> {
        self.looks = Looks::default();
        let by = self.answering();
        let same_rules = active.is_some_and(|active| active.generation == self.bundle.generation);
        let own = match &self.state {
            Some(own) if self.apart || !same_rules => own,
            _ => {
                self.same.extend(recorded.in_flight().into_iter().map(|act| (act, act)));
                self.apart |= same_rules && !self.answers.take_over(by, &recorded.governed);
                recorded
            }
        };
        let fresh = self.state.is_none();
        let follows = same_rules && std::ptr::eq(own, recorded);
        let mut state = if follows {
            recorded.clone()
        } else {
            let clash = conflicts(self.bundle, own);
            if !clash.is_empty() {
                return Err(clash);
            }
            let before = if fresh { active } else { Some(self.bundle) };
            let mut state = adopt(self.bundle, before, own, recorded.now).state;
            state.health.unseen_as(&recorded.health);
            state
        };
        self.record.follows = follows;
        self.be_cautious(recorded, &mut state);
        self.ledger.adopt(&state, false);
        for (id, own) in state.health.components.iter().filter(|_| fresh) {
            self.parts.entry(id.clone()).and_modify(|part| part.note(own));
        }
        self.state = Some(state);
        if let Some(active) = active {
            self.hold_controls(active);
            self.hold_timing(active);
        }
        if let Some(active) = active.filter(|_| !same_rules) {
            self.hold_probes(active, (recorded.tick, recorded.now));
        }
        Ok(())
    }

    fn answering(&self) -> answers::By<'b> {
        answers::By { approve: &self.plan.approve, odds: self.odds }
    }

    /// What Grace claimed at a start because she did not trust her memory holds for every set of rules.
    fn be_cautious(&self, recorded: &State, state: &mut State) {
        for (key, claim) in &recorded.governed.claims {
            let By::Rule { rule, component } = &claim.by else { continue };
            let by_grace = component.as_str() == "grace" && !self.bundle.components.contains_key(component);
            if by_grace && !state.governed.claims.contains_key(key) {
                let _ = caution(self.bundle, state, rule.as_str(), &claim.reason);
            }
        }
    }

    /// One recorded tick, and what happens here before it.
    pub(super) fn tick(&mut self, input: &Input, said: Said, counts: bool) {
        self.tick = input.tick;
        self.looks.tick(input.now, input.grid.unwrap_or(self.bundle.system.interval));
        self.hold_grid(input);
        self.hold_looks(input);
        if !self.apart {
            return self.step(input, said, counts);
        }
        if let Some((fault, begin)) = inject::jumped(&self.plan.inject, self.plan.seed, input.now) {
            self.begins(fault, begin);
            return self.skip(input, said.records);
        }
        self.between(input, counts);
        self.strike(input);
        let made = self.input(input);
        (self.stop, self.grid) = (input.stop, input.grid);
        self.step(&made, said, counts);
    }

    /// The clock jumps over a recorded tick: nothing is seen in it. What the hands reported and people asked meanwhile
    /// comes with the next one, and what was done in it is not done.
    fn skip(&mut self, input: &Input, records: &[Record]) {
        for part in self.parts.values_mut() {
            part.part((self.tick, input.now), Known::Modelled, || "an injected jump of the clock".into());
        }
        self.late.0.extend(input.performed.iter().cloned());
        self.late.1.extend(input.asked.iter().cloned());
        let by = self.answering();
        if let Some(state) = self.state.take() {
            self.answers.note(by, (&[], &state.governed), records);
            self.hand_over(&[], records, &state, input.now);
            self.state = Some(state);
        }
    }

    /// The run is over.
    pub(super) fn finish(&mut self, now: Time) {
        self.parts.values_mut().for_each(|part| part.shares.pass(now));
    }

    fn step(&mut self, input: &Input, said: Said, counts: bool) {
        let Some(before) = self.state.take() else { return };
        let (now, gap) = (input.now, self.gap(input));
        self.look(input, counts);
        let next = advance(self.bundle, before, input);
        self.record.hold(self.apart, &said, &next);
        self.note(&next);
        self.ledger.pass(now, gap, counts);
        self.ledger.record(&next.records, (self.tick, now), counts);
        let by = self.answering();
        self.apart |= !self.answers.note(by, (&next.records, &next.state.governed), said.records);
        self.hand_over(&next.permits, said.records, &next.state, now);
        self.state = Some(next.state);
    }

    /// A longer time between two ticks is time in which nobody ran.
    pub(super) fn gap(&self, input: &Input) -> Span {
        let grid = input.grid.unwrap_or(self.bundle.system.interval);
        Span(grid.0.saturating_mul(4)).max(super::GAP)
    }

    /// Notes what is read for the first time.
    fn look(&mut self, input: &Input, counts: bool) {
        if counts && !self.counts {
            self.counts = true;
            self.parts.values_mut().filter(|part| part.seen).for_each(|part| part.shares.begin(input.now));
        }
        let fresh: Vec<_> =
            self.unseen.iter().filter(|id| input.snapshot.contains_key(*id)).cloned().collect();
        for id in &fresh {
            self.meet(id, input);
        }
    }

    /// Notes how components read when their statuses changed.
    fn note(&mut self, next: &Step) {
        for record in &next.records {
            let Record::StatusChanged { component, .. } = record else { continue };
            let own = next.state.health.components.get(component);
            if let (Some(own), Some(part)) = (own, self.parts.get_mut(component)) {
                part.note(own);
            }
        }
    }

    /// Ticks that the record does not have: acts that nobody did are done, and somebody looks whether they helped.
    fn between(&mut self, next: &Input, counts: bool) {
        for _ in 0..MOST_BETWEEN {
            let Some(at) = self.next_due().filter(|at| *at < next.now) else { return };
            let Some(state) = &self.state else { return };
            let due = state.due();
            let due: Vec<ComponentId> = due
                .into_iter()
                .filter(|(id, due)| *due <= at && self.parts.get(id).is_some_and(Part::is_apart))
                .map(|(id, _)| id)
                .collect();
            let performed = self.performed(&[], at);
            let mut snapshot = Snapshot::new();
            for id in due {
                let Some(facts) = self.best_known(&id, next) else { continue };
                let fresh = Readings { taken_at: at, occasion: Occasion::Verification, facts };
                if let Some(readings) = self.read(&id, &fresh, at) {
                    snapshot.insert(id, readings);
                }
            }
            let (tick, asked) = (self.next_tick(), Vec::new());
            let (stop, grid, meaning) = (self.stop, self.grid, Meaning::default());
            let input = Input { tick, now: at, snapshot, performed, asked, stop, grid, meaning };
            self.step(&input, Said::default(), counts);
        }
    }

    /// What is best known of a component between two recorded ticks: of an act that the record has as well, what is seen next
    /// there; else what was seen last.
    fn best_known(&self, id: &ComponentId, next: &Input) -> Option<Facts> {
        let health = &self.state.as_ref()?.health;
        let part = self.parts.get(id)?;
        let tried =
            part.course == Course::Recorded && health.tries.values().any(|open| open.component == *id);
        let next = next.snapshot.get(id).filter(|_| tried).map(|fresh| &fresh.facts);
        let last = || health.components.get(id).map(|own| &own.last.facts);
        next.or(part.fresh.as_ref()).or_else(last).cloned()
    }

    /// When something falls due that the record knows nothing of.
    fn next_due(&self) -> Option<Time> {
        let state = self.state.as_ref()?;
        let done = self.under_way.iter().map(|act| act.done).min();
        let due = state.due();
        let due = due.iter().filter(|(id, _)| self.parts.get(*id).is_some_and(Part::is_apart));
        let next = due.map(|(_, at)| *at).chain(done).min()?;
        // Time goes on, whatever is overdue.
        Some(next.max(state.now + Span(1)))
    }

    fn next_tick(&self) -> u64 {
        self.state.as_ref().map_or(1, |state| state.tick + 1)
    }

    /// Lets injected failures begin.
    fn strike(&mut self, input: &Input) {
        for (fault, component, (begin, end)) in inject::down(&self.plan.inject, self.plan.seed, input.now) {
            if self.begun.get(&fault) == Some(&begin) {
                continue;
            }
            let (declared, part) = (self.bundle.components.get(component), self.parts.get_mut(component));
            let (Some(declared), Some(part)) = (declared, part) else { continue };
            let Some(facts) = failure(declared, part.ill.as_ref()) else { continue };
            part.part((self.tick, input.now), Known::Modelled, || "an injected failure".into());
            // One that has begun already may last longer.
            let end = match part.course {
                Course::Ill { until: Some(until), .. } => until.max(end),
                _ => end,
            };
            part.course = Course::Ill { facts, until: Some(end) };
            self.begins(fault, begin);
        }
    }

    /// A fault that lasts is there; it strikes when it begins.
    fn begins(&mut self, fault: usize, begin: Time) {
        if self.begun.insert(fault, begin) != Some(begin) {
            self.struck_by(fault);
        }
    }

    pub(super) fn struck_by(&mut self, fault: usize) {
        *self.struck.entry(fault).or_default() += 1;
    }

    /// What came of each injected fault.
    pub(super) fn struck(&self) -> Vec<Struck> {
        let times = |place| self.struck.get(&place).copied().unwrap_or_default();
        let all = self.plan.inject.iter().enumerate();
        all.map(|(place, fault)| Struck { fault: fault.to_string(), times: times(place) }).collect()
    }

    /// A recorded input as it is here.
    fn input(&mut self, recorded: &Input) -> Input {
        let (mut performed, mut asked) = std::mem::take(&mut self.late);
        performed.extend(recorded.performed.iter().cloned());
        asked.extend(recorded.asked.iter().cloned());
        let mut snapshot = Snapshot::new();
        for (id, fresh) in &recorded.snapshot {
            let Some(fresh) = self.looks.at(fresh, self.is_due(id, recorded.now)) else {
                self.hear_of(id, fresh);
                continue;
            };
            if let Some(readings) = self.read(id, &fresh, recorded.now) {
                snapshot.insert(id.clone(), readings);
            }
        }
        Input {
            tick: self.next_tick(),
            now: recorded.now,
            snapshot,
            performed: self.performed(&performed, recorded.now),
            asked: self.answers.asked(&asked),
            stop: recorded.stop,
            grid: recorded.grid,
            meaning: recorded.meaning,
        }
    }

    /// Is a verification of this component due here as it was in the record, or one of its own?
    fn is_due(&self, id: &ComponentId, now: Time) -> bool {
        let apart = self.parts.get(id).is_some_and(Part::is_apart);
        !apart || self.state.as_ref().is_some_and(|state| state.due().get(id).is_some_and(|due| *due <= now))
    }

    /// What a component reads where the record has `fresh` readings; nothing where the rules do not know it.
    fn read(&mut self, id: &ComponentId, fresh: &Readings, now: Time) -> Option<Readings> {
        let component: &Component = self.bundle.components.get(id)?;
        let part = self.parts.get_mut(id)?;
        if part.is_apart() && fresh.occasion != Occasion::Verification {
            part.fresh = Some(fresh.facts.clone());
        }
        let mut readings = if part.is_apart() { part.read(now, component, fresh) } else { fresh.clone() };
        if let Some(fault) = inject::lost(&self.plan.inject, self.plan.seed, id, now) {
            part.part((self.tick, now), Known::Modelled, || "a lost probe was injected".into());
            for reading in readings.facts.values_mut() {
                *reading = Reading::Failed { failed: "lost, as the simulation was told".into() };
            }
            self.struck_by(fault);
        }
        Some(readings)
    }

    /// A recorded look that is none here still says how its component was.
    fn hear_of(&mut self, id: &ComponentId, fresh: &Readings) {
        if let Some(part) = self.parts.get_mut(id) {
            part.fresh = Some(fresh.facts.clone());
        }
    }

    /// What the hands report: of recorded acts as recorded, of others when their time is over.
    fn performed(&mut self, recorded: &[Performed], now: Time) -> Vec<Performed> {
        let same = &mut self.same;
        let mut all: Vec<Performed> = recorded
            .iter()
            .filter_map(|report| Some(Performed { act: same.remove(&report.act)?, ..report.clone() }))
            .collect();
        for over in self.under_way.extract_if(.., |act| act.done <= now) {
            let effect = if over.late { Effect::TimedOut } else { Effect::Done };
            all.push(Performed { act: over.act, effect, steps: Vec::new() });
            if let Some(part) = over.component.as_ref().and_then(|id| self.parts.get_mut(id))
                && over.heals
            {
                part.heal();
            }
        }
        all
    }
}
