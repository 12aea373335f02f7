//! Was every recorded decision really what those rules say?
//!
//! Each recorded tick is decided again, from what went into it, under the generation that was active, and what comes
//! out is held against what the journal holds: the entries and the digest of all decisions, byte for byte. The state
//! goes on from tick to tick by itself, so that one that was changed on the way is found as well: its digest is held
//! against the recorded one wherever a tick left anything behind, wherever a state was kept, at the end, and at every
//! sixty-fourth tick besides (to write down a whole state each time would take longer than to decide). Of more than a
//! few components something is left behind all the time, and their state is long: the more there are, the less often it
//! is weighed, until only every sixty-fourth tick is left. Nothing gets lost by that: a state goes on from tick to tick,
//! and what is wrong in it stands there still when it is weighed next. A difference
//! is named by its tick, its rule and the first field that differs, and told apart: the journal was changed, another
//! version of Grace decided it, or Grace does not decide the same twice, which is a defect.
//!
//! What a start or a reload left behind is derived as well (`adoption.rs`), from the state before it. Not derived is what
//! only the shell writes (which entries those are says [`crate::model::Origin`]): processes that ended, writes that
//! waited, files and candidates that were refused, stops. No decision follows from them. Neither are the times by the
//! wall clock. Whoever can write the whole file can forge those; only the signed checkpoints show that.

pub(super) mod adoption;
mod cause;
mod differ;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State, Step, advance};
use crate::model::{GenerationId, Meaning, Record, Time};
use crate::record::{Broken, JournalError, Reader, Recorded, StateDigests, decisions_digest};
use crate::replay::alike::Alike;
use crate::replay::prove::said::Said;

pub use cause::{Cause, Different};

/// So many differences are kept; the others are counted.
const KEPT: usize = 100;

/// How a tick says that nothing failed.
const NONE: &str = "{}";

/// What came of deciding everything again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Proof {
    /// Ticks that gave the same, byte for byte.
    pub same: u64,
    /// Ticks that did not.
    pub different: u64,
    /// Ticks that cannot be decided again: their readings have expired.
    pub expired: u64,
    /// Ticks whose readings are there, and that cannot be decided again: they lie behind some that have expired, before
    /// the next state that is kept.
    pub behind: u64,
    /// Ticks under a generation that this version of Grace does not take any more, or whose text is not the one that
    /// its digest names.
    pub unreadable: u64,
    /// Ticks behind something that cannot be read, up to the next state that is kept, and ticks that cannot be read.
    pub uncovered: u64,
    /// Ticks whose numbers are left out.
    pub missing: u64,
    /// Ticks whose readings are gone and have not expired.
    pub lost: u64,
    /// Starts and reloads that gave the same, byte for byte.
    pub adopted: u64,
    /// Starts and reloads that did not.
    pub adopted_otherwise: u64,
    /// Of those that were decided again so many do not say which state came of them. Only the first versions wrote such,
    /// and nothing shows that it was one of them.
    pub unsaid: u64,
    /// The first and the last tick that was decided again.
    pub span: Option<(Time, Time)>,
    /// The generations that were active.
    pub generations: BTreeSet<GenerationId>,
    /// The versions of Grace that decided.
    pub versions: BTreeSet<String>,
    /// The first differences.
    pub differences: Vec<Different>,
    /// Where the journal's chain does not hold.
    pub broken: Option<Broken>,
}

impl Proof {
    /// Was everything that can be decided again decided as recorded?
    #[must_use]
    pub fn holds(&self) -> bool {
        let otherwise = [
            self.different,
            self.adopted_otherwise,
            self.unreadable,
            self.uncovered,
            self.missing,
            self.lost,
        ];
        otherwise == [0; 6] && self.broken.is_none()
    }
}

/// Decides everything again that a journal holds.
///
/// # Errors
/// The journal cannot be read.
pub fn prove(reader: &Reader) -> Result<Proof, JournalError> {
    let mut prover = Prover::new(None, reader.verify()?.broken);
    for recorded in reader.ticks(0) {
        prover.take(&recorded?);
    }
    Ok(prover.finish())
}

/// What lies before, up to which no kept state came since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Gap {
    /// Nothing.
    #[default]
    None,
    /// Ticks that have expired.
    Expired,
    /// Something that could not be read.
    Passed,
}

/// Where the state before a start or a reload comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Before {
    /// Nothing was before: it begins from nothing.
    #[default]
    First,
    /// A generation was named, and the state with which it was taken over has not come yet; it was the first.
    FirstNamed,
    /// Something was before.
    Later,
}

/// Decides a history again.
#[derive(Debug, Default)]
pub struct Prover {
    proof: Proof,
    since: Option<Time>,
    version: Option<String>,
    bundle: Option<Arc<Bundle>>,
    /// The generation before it, where that was another.
    before: Option<Arc<Bundle>>,
    state: Option<State>,
    /// A generation was named, and the state with which it was taken over has not come yet.
    named: bool,
    /// What a start or a reload has to begin from.
    origin: Before,
    /// A generation was named that cannot be read.
    lost: bool,
    /// Why there is no state to go on from.
    gap: Gap,
    /// The number of the last tick.
    number: Option<u64>,
    /// Ticks say how often components failed.
    tells_failures: bool,
    /// The last tick, while nobody has weighed the state that came of it.
    last: Option<Said>,
    /// What the last tick said of the statuses, where that is what came out.
    alike: Alike,
    digests: StateDigests,
}

impl Prover {
    /// One that counts what was recorded from `since` on, and knows where the journal's chain does not hold.
    #[must_use]
    pub fn new(since: Option<Time>, broken: Option<Broken>) -> Self {
        Self { since, proof: Proof { broken, ..Proof::default() }, ..Self::default() }
    }

    /// Something could not be read, maybe a tick: nothing can be decided again before the next state that is kept.
    pub fn passed_by(&mut self, tick: bool) {
        (self.state, self.last, self.number) = (None, None, None);
        self.alike = Alike::default();
        (self.gap, self.origin) = (Gap::Passed, Before::Later);
        self.proof.uncovered += u64::from(tick);
    }

    /// Takes the next recorded thing.
    pub fn take(&mut self, recorded: &Recorded) {
        match recorded {
            Recorded::Started { version, .. } => self.version = Some(version.clone()),
            Recorded::Generation { id, files, .. } => self.generation(id, files),
            Recorded::Adopted { seq, state, records } => {
                self.weigh_last();
                self.adopt(*seq, state, records);
            }
            // One that goes on by itself needs none: it would only hide what was changed.
            Recorded::Checkpoint { state, .. } if self.state.is_none() => self.begin((**state).clone()),
            Recorded::Checkpoint { .. } => {
                self.named = false;
                self.weigh_last();
            }
            Recorded::Expired { tick, lost, .. } => {
                self.named = false;
                self.number = Some(*tick);
                *(if *lost { &mut self.proof.lost } else { &mut self.proof.expired }) += 1;
                let gap = if *lost { Gap::Passed } else { Gap::Expired };
                (self.state, self.gap, self.origin) = (None, gap, Before::Later);
            }
            Recorded::Tick { seq, input, decisions, records, state, statuses, failures, .. } => {
                let (tick, now) = (input.tick, input.now);
                // Journals of the first versions left them out.
                self.tells_failures |=
                    input.meaning >= Meaning::TASKS || failures.as_deref().is_some_and(|text| text != NONE);
                let failures = failures.clone().filter(|text| self.tells_failures || &**text != NONE);
                // One alone may have left the first state behind; none of those that follow it can be without one.
                if self.number.is_some() && self.state.is_none() && self.gap == Gap::None && !self.lost {
                    self.gap = Gap::Passed;
                }
                let next = self.number.replace(tick).map_or(tick, |last| last.saturating_add(1));
                self.proof.missing += tick.saturating_sub(next);
                let said = Said {
                    seq: *seq,
                    tick,
                    now,
                    decisions: decisions.clone(),
                    records: records.clone(),
                    state: state.clone(),
                    statuses: statuses.clone(),
                    failures,
                };
                self.tick(said, input);
            }
        }
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Proof {
        self.weigh_last();
        self.proof
    }

    /// Holds the state after the last tick against its recorded digest, where that was not done yet.
    fn weigh_last(&mut self) {
        let (Some(said), Some(state)) = (self.last.take(), &self.state) else { return };
        if let Some(found) = said.weighs(state, &mut self.digests) {
            self.proof.same -= 1;
            let cause = self.cause(&said, None);
            self.differ(&said, found, cause);
        }
    }

    fn begin(&mut self, state: State) {
        (self.named, self.alike) = (false, Alike::default());
        (self.state, self.gap, self.origin) = (Some(state), Gap::None, Before::Later);
    }

    fn generation(&mut self, id: &GenerationId, files: &BTreeMap<String, String>) {
        self.named = true;
        self.origin = match self.origin {
            Before::First => Before::FirstNamed,
            // The state of the one before has expired, so that this one begins from something unknown.
            Before::FirstNamed | Before::Later => Before::Later,
        };
        self.before = None;
        if self.bundle.as_ref().is_some_and(|bundle| bundle.generation == *id) {
            return;
        }
        let folder = Folder::of(files);
        let sound = folder.digest() == *id;
        let loaded = folder.compile(None).ok().filter(|_| sound);
        self.before = std::mem::replace(&mut self.bundle, loaded.map(|loaded| Arc::new(loaded.bundle)));
        self.lost = self.bundle.is_none();
    }

    /// A start or a reload: what it says is held against what comes out, where the state before it is known.
    fn adopt(&mut self, seq: i64, kept: &State, records: &[Record]) {
        let first = (self.origin == Before::FirstNamed).then(State::default);
        let before = self.state.take().or(first).filter(|_| !records.is_empty());
        let newer = records.iter().find_map(|record| match record {
            Record::Started { meaning, .. } | Record::Generation { meaning: Some(meaning), .. } => {
                differ::newer(*meaning)
            }
            _ => None,
        });
        let is_newer = newer.is_some();
        let found = match (&self.bundle, before) {
            _ if is_newer => newer,
            (Some(bundle), Some(before)) => {
                let bundles = (bundle.as_ref(), self.before.as_deref());
                let (derived, state) = adoption::derived(bundles, &before, kept, records);
                differ::records(records, &derived).or_else(|| differ::states(kept, &state))
            }
            _ => return self.begin(kept.clone()),
        };
        // One that is told to be another is gone on with as it was kept: what follows is decided from it.
        let counts = self.since.is_none_or(|since| kept.now >= since);
        match found {
            Some(found) if counts => self.differ_adoption((seq, records), kept, found, is_newer),
            _ => self.proof.adopted += u64::from(counts),
        }
        self.begin(kept.clone());
    }

    fn differ_adoption(
        &mut self,
        (last, records): (i64, &[Record]),
        kept: &State,
        found: differ::Found,
        is_newer: bool,
    ) {
        let before = i64::try_from(records.len().saturating_sub(1)).unwrap_or(i64::MAX);
        let place = Spot { tick: kept.tick, now: kept.now, seq: last.saturating_sub(before), adoption: true };
        let cause = self.comes_from((false, is_newer), last);
        self.proof.adopted_otherwise += 1;
        self.keep(place, found, cause);
    }

    fn tick(&mut self, said: Said, input: &Input) {
        let counts = self.since.is_none_or(|since| said.now >= since);
        // A start or a reload whose state is left out could have been anything.
        if std::mem::take(&mut self.named) && self.state.is_some() {
            self.passed_by(false);
            self.number = Some(said.tick);
        }
        let (Some(bundle), Some(before)) = (&self.bundle, self.state.take()) else {
            let ticks = match self.gap {
                Gap::Passed => &mut self.proof.uncovered,
                Gap::None if self.lost => &mut self.proof.unreadable,
                Gap::None | Gap::Expired => &mut self.proof.behind,
            };
            *ticks += u64::from(counts);
            self.origin = Before::Later;
            return;
        };
        let derived = advance(bundle, before, input);
        self.last = None;
        if counts {
            self.judge(&said, input.meaning, &derived);
            let known = input.meaning <= Meaning::default();
            self.last = Some(said).filter(|said| known && !said.is_weighed(&derived.state));
        }
        self.state = Some(derived.state);
    }

    fn judge(&mut self, said: &Said, meaning: Meaning, derived: &Step) {
        let from = self.proof.span.map_or(said.now, |(from, _)| from);
        self.proof.span = Some((from, said.now));
        self.proof.unsaid += u64::from(said.state.is_none());
        if let Some(version) = self.version.as_ref().filter(|version| !self.proof.versions.contains(*version))
        {
            self.proof.versions.insert(version.clone());
        }
        if let Some(bundle) = &self.bundle
            && !self.proof.generations.contains(&bundle.generation)
        {
            self.proof.generations.insert(bundle.generation.clone());
        }
        if let Some(found) = differ::newer(meaning) {
            self.alike = Alike::default();
            let cause = self.comes_from((false, true), said.last());
            return self.differ(said, found, cause);
        }
        let Some(found) = said.differs(derived, &self.alike, &mut self.digests) else {
            self.proof.same += 1;
            if let Some(said) = &said.statuses {
                self.alike.note(said, derived);
            }
            return;
        };
        self.alike = Alike::default();
        let cause = self.cause(said, Some(derived));
        self.differ(said, found, cause);
    }

    fn differ(&mut self, said: &Said, found: differ::Found, cause: Cause) {
        self.proof.different += 1;
        self.keep(Spot { tick: said.tick, now: said.now, seq: said.seq, adoption: false }, found, cause);
    }

    fn keep(&mut self, place: Spot, found: differ::Found, cause: Cause) {
        if self.proof.differences.len() < KEPT {
            let Spot { tick, now: at, seq, adoption } = place;
            let differ::Found { by, field, recorded, derived } = found;
            let one = Different { tick, adoption, at, seq, by, field, recorded, derived, cause };
            self.proof.differences.push(one);
        }
    }

    fn cause(&self, said: &Said, derived: Option<&Step>) -> Cause {
        // The digest says what was decided; entries that say otherwise were changed behind it.
        let behind = derived.is_some_and(|derived| {
            said.decisions == decisions_digest(derived) && said.records != derived.records
        });
        self.comes_from((behind, false), said.last())
    }

    /// Where a difference of something comes from whose last entry is this one: somebody changed it behind its decision, or
    /// a newer version decided it.
    fn comes_from(&self, (behind, is_newer): (bool, bool), last: i64) -> Cause {
        let after = self.proof.broken.as_ref().is_some_and(|broken| broken.seq <= last);
        if behind || after {
            return Cause::Tampering;
        }
        match &self.version {
            Some(version) if is_newer || version != env!("CARGO_PKG_VERSION") => {
                Cause::Version { version: version.clone() }
            }
            None if is_newer => Cause::Version { version: "unknown".into() },
            _ => Cause::Defect,
        }
    }
}

/// Where a difference is.
#[derive(Debug, Clone, Copy)]
struct Spot {
    tick: u64,
    now: Time,
    seq: i64,
    adoption: bool,
}
