//! Recorded history through another set of rules, with the real engine, on the time that was recorded.
//!
//! A [`Simulation`] is fed what a journal recorded, in order, and holds nothing of it: its memory does not grow with
//! the history. Each set of rules lives through it in a `twin`. As long as a component is acted upon as it was in the
//! record, its readings are what the rules would have seen: its future is *exact*. After the first act that differs
//! the record cannot tell any more what would have been. From there on the component's future is *modelled*: whether
//! an act that was never made would have helped is drawn by the recorded success rate of that act (`odds`), from a
//! seed, and `course` says which readings follow from it. Where the record has no such act at all, or leaves out what
//! a rule asks for, or where a probe or the grid of the ticks is another (`probes`), or another control does it (`hands`), the future is *unknown*, and the record's readings stand in for it.
//!
//! What was before the time that counts only leads up to it (`lead`).
//!
//! As long as rules that were active follow the record, each tick is held against it: a record that says something else
//! than its own inputs give contradicts itself, and the report names the first such tick. A record with holes is named as well
//! ([`crate::replay::Holes`]).
//!
//! Whatever is done alike is done as recorded, people's requests and answers included. Nothing here can reach a hand
//! or a probe.

mod answers;
mod compare;
mod course;
mod hands;
mod inject;
mod lead;
mod ledger;
mod looks;
mod odds;
mod past;
mod probes;
mod record;
mod report;
mod share;
mod twin;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State};
use crate::model::{GenerationId, Span, Time};
use crate::record::Recorded;
use crate::replay::contradiction::{Contradiction, Life, Said, failures, is_sound};
use crate::replay::holes::Finder;

pub use answers::{Approve, Wishes};
pub use compare::{Change, Deed, Difference, compare};
pub use inject::{Inject, InjectError, Struck};
pub use odds::Odds;
pub use report::{ActionCount, Certainty, Differing, ModeTime, Rehearsal, SickTime};

pub(in crate::replay) use record::alike;

use lead::Lead;
use ledger::Ledger;
use twin::Twin;

/// What a simulation is told besides the history and the rules.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What is counted begins here, and so do the rules; what was recorded before leads up to it as it was.
    pub since: Option<Time>,
    /// Who answers requests for approval that the record does not answer.
    pub approve: Approve,
    /// Faults that the record does not have.
    pub inject: Vec<Inject>,
    /// Where chance comes from: the same seed gives the same run.
    pub seed: u64,
}

/// A simulation under way.
pub struct Simulation<'b> {
    plan: &'b Plan,
    odds: &'b Odds,
    candidate: Twin<'b>,
    /// What is compared: another set of rules, or the record itself.
    other: Option<Twin<'b>>,
    recorded: Ledger,
    /// Until the time that counts begins.
    lead: Option<Lead>,
    /// Where faults are injected no run is as recorded, and the record is held against itself beside them.
    witness: Option<Lead>,
    /// The rules that were active, for states that others take over.
    active: Option<(GenerationId, Arc<Bundle>)>,
    past: past::Past,
    life: Life,
    /// The version of Grace that decided what is recorded.
    version: Option<String>,
    /// The first tick that contradicts its own inputs.
    contradiction: Option<Contradiction>,
    holes: Finder,
    ticks: u64,
    expired: u64,
    behind: u64,
    span: Option<(Time, Time)>,
}

impl<'b> Simulation<'b> {
    /// A simulation of `candidate`, compared with `other`, or else with what was recorded.
    #[must_use]
    pub fn new(candidate: &'b Bundle, other: Option<&'b Bundle>, plan: &'b Plan, odds: &'b Odds) -> Self {
        Self {
            plan,
            odds,
            candidate: Twin::new(candidate, plan, odds),
            other: other.map(|other| Twin::new(other, plan, odds)),
            recorded: Ledger::default(),
            lead: plan.since.map(|_| Lead::default()),
            witness: (!plan.inject.is_empty()).then(Lead::default),
            active: None,
            past: past::Past::default(),
            life: Life::default(),
            version: None,
            contradiction: None,
            holes: Finder::default(),
            ticks: 0,
            expired: 0,
            behind: 0,
            span: None,
        }
    }

    /// Takes the next recorded thing.
    ///
    /// # Errors
    /// The rules cannot take over the state that was recorded.
    pub fn take(&mut self, recorded: &Recorded) -> Result<(), Vec<String>> {
        if self.holes.take(recorded) {
            self.forget(false);
        }
        let falls = self.life.falls(recorded);
        match recorded {
            Recorded::Started { version, .. } => self.version = Some(version.clone()),
            Recorded::Generation { id, files, .. } => self.active(id, files),
            Recorded::Adopted { state, records, .. } => {
                self.hold_adoption(state, records);
                self.begin(state, true)?;
            }
            Recorded::Checkpoint { state, .. } => {
                self.past.goes_on();
                self.begin(state, false)?;
            }
            Recorded::Expired { lost, .. } if !*lost => self.forget(true),
            Recorded::Expired { .. } => {}
            Recorded::Tick {
                input, records, decisions, state, statuses, failures: failing, changed, ..
            } => {
                self.lead(input.now)?;
                self.past.goes_on();
                self.hold_rules(input.tick, input.now);
                let (decisions, state) = (decisions.as_str(), state.as_deref());
                let failures = failures(failing.as_deref(), input.meaning);
                let (statuses, changed) = (statuses.as_deref(), *changed || falls);
                self.tick(input, Said { records, decisions, state, statuses, failures, changed });
            }
        }
        Ok(())
    }

    /// The time of the last tick that was taken.
    #[must_use]
    pub fn now(&self) -> Option<Time> {
        self.span.map(|(_, now)| now)
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Rehearsal {
        self.expired += self.lead.as_ref().map_or(0, |lead| lead.expired);
        let Some((from, to)) = self.span else {
            let (expired, behind, holes) = (self.expired, self.behind, self.holes.found());
            return Rehearsal { expired, behind, holes, ..Rehearsal::default() };
        };
        self.candidate.finish(to);
        if let Some(other) = &mut self.other {
            other.finish(to);
        }
        let before = self.other.as_ref().map_or(&self.recorded, |other| &other.ledger);
        let changes = compare(before.deeds(), self.candidate.ledger.deeds());
        let rates =
            self.odds.rates().map(|(id, action, rate)| (id.clone(), action.to_owned(), rate)).collect();
        report::report(report::Sum {
            span: (from, to),
            ticks: self.ticks,
            expired: self.expired,
            behind: self.behind,
            before,
            twins: std::iter::once(&self.candidate).chain(&self.other).collect(),
            changes,
            rates,
            contradiction: self.contradiction,
            holes: self.holes.found(),
        })
    }

    fn active(&mut self, id: &GenerationId, files: &BTreeMap<String, String>) {
        self.past.named(id, is_sound(id, files));
        if self.active.as_ref().is_none_or(|(known, _)| known != id) {
            let loaded = Folder::of(files).compile(None).ok();
            let before = std::mem::replace(
                &mut self.active,
                loaded.map(|loaded| (id.clone(), Arc::new(loaded.bundle))),
            );
            self.past.before = before.map(|(_, bundle)| bundle);
        }
    }

    /// A state that was recorded: others begin with it, or go on from it.
    fn begin(&mut self, state: &State, adopted: bool) -> Result<(), Vec<String>> {
        if let Some(witness) = self.witness.as_mut().filter(|witness| adopted || witness.known().is_none()) {
            witness.adopt(state.clone());
        }
        if let Some(lead) = &mut self.lead {
            lead.adopt(state.clone());
            return Ok(());
        }
        if adopted || !self.candidate.began() { self.adopt(state) } else { Ok(()) }
    }

    /// The time that counts begins with the first tick of it, in the state that led up to it.
    fn lead(&mut self, now: Time) -> Result<(), Vec<String>> {
        let Some(lead) = self.lead.take_if(|_| self.plan.since.is_none_or(|since| now >= since)) else {
            return Ok(());
        };
        self.expired += lead.expired;
        lead.state().map_or(Ok(()), |state| self.adopt(&state))
    }

    fn adopt(&mut self, state: &State) -> Result<(), Vec<String>> {
        let active = self.active.as_ref().map(|(_, bundle)| bundle.as_ref());
        // Behind a hole neither the record nor a run sees what changed meanwhile.
        self.recorded.adopt(state, self.candidate.began() && self.counts(state.now));
        for twin in std::iter::once(&mut self.candidate).chain(&mut self.other) {
            twin.adopt(active, state)?;
        }
        Ok(())
    }

    /// What comes next has expired, or is gone for another reason.
    fn forget(&mut self, expired: bool) {
        self.past.goes_on();
        self.witness.iter_mut().for_each(|witness| witness.forget(expired));
        if let Some(lead) = &mut self.lead {
            return lead.forget(expired);
        }
        self.expired += u64::from(expired);
        self.candidate.forget();
        self.other.iter_mut().for_each(Twin::forget);
    }

    fn counts(&self, now: Time) -> bool {
        self.plan.since.is_none_or(|since| now >= since)
    }

    fn tick(&mut self, input: &Input, said: Said) {
        let (tick, now) = (input.tick, input.now);
        let active = self.active.as_ref().map(|(_, bundle)| bundle.as_ref());
        let mut contradicts = false;
        for recorded in self.witness.iter_mut().chain(&mut self.lead) {
            contradicts |= recorded.tick(active, input, &said);
        }
        if contradicts {
            self.contradicts(tick, now);
        }
        if self.lead.is_some() {
            return;
        }
        let counts = self.counts(input.now);
        if !self.candidate.began() {
            self.behind += u64::from(counts && !self.holes.pass_by());
            return;
        }
        if counts {
            self.ticks += 1;
            let from = self.span.map_or(input.now, |(from, _)| from);
            self.span = Some((from, input.now));
        }
        let grid = input.grid.or(self.active.as_ref().map(|(_, bundle)| bundle.system.interval));
        let gap = Span(grid.unwrap_or_default().0.saturating_mul(4)).max(GAP);
        self.recorded.pass(input.now, gap, counts);
        self.recorded.record(said.records, (tick, now), counts);
        if let Some(other) = &mut self.other {
            other.tick(input, said, counts);
        }
        self.candidate.tick(input, said, counts);
        let contradicts =
            std::iter::once(&self.candidate).chain(&self.other).any(|twin| twin.record.contradicts);
        if contradicts {
            self.contradicts(tick, now);
        }
    }

    /// The first tick that does so counts.
    fn contradicts(&mut self, tick: u64, now: Time) {
        let version = self.version.as_deref();
        self.contradiction.get_or_insert_with(|| Contradiction::new(tick, now, version));
    }
}

/// A longer time between two ticks is time in which Grace did not run: it is nobody's.
const GAP: Span = Span::minutes(2);
