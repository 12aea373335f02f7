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

mod differ;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State, Step, advance};
use crate::model::{GenerationId, Record, Time};
use crate::record::{Broken, JournalError, Reader, Recorded, decisions_digest, state_digest};

/// So many differences are kept; the others are counted.
const KEPT: usize = 100;

/// A state is weighed at every tick of so many, whatever happened.
const SELDOM: u64 = 64;

/// The state of so many components is soon written down.
const FEW: u64 = 16;

/// What came of deciding everything again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Proof {
    /// Ticks that gave the same, byte for byte.
    pub same: u64,
    /// Ticks that did not.
    pub different: u64,
    /// Ticks that cannot be decided again: their readings have expired, or those of ticks before.
    pub expired: u64,
    /// Ticks under a generation that this version of Grace does not take any more, or whose text is not the one that
    /// its digest names.
    pub unreadable: u64,
    /// Ticks whose numbers are left out.
    pub missing: u64,
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

/// A tick that was recorded with other decisions than its inputs give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Different {
    /// Its number.
    pub tick: u64,
    /// Its time.
    pub at: Time,
    /// The journal's entry of the tick.
    pub seq: i64,
    /// The rule or person whose decision differs, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The first field that differs.
    pub field: String,
    /// What was recorded there.
    pub recorded: String,
    /// What comes out now.
    pub derived: String,
    /// Where it comes from.
    pub cause: Cause,
}

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The journal was changed.
    Tampering,
    /// Another version of Grace decided it.
    Version {
        /// Which.
        version: String,
    },
    /// The same version decides otherwise: a defect of Grace, or a journal that was forged whole.
    Defect,
}

impl Proof {
    /// Was everything that can be decided again decided as recorded?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.different == 0 && self.unreadable == 0 && self.missing == 0 && self.broken.is_none()
    }
}

/// Decides everything again that a journal holds.
///
/// # Errors
/// The journal cannot be read.
pub fn prove(reader: &Reader) -> Result<Proof, JournalError> {
    let mut prover = Prover::new(None, reader.verify()?.broken);
    for recorded in reader.ticks(0) {
        prover.take(recorded?);
    }
    Ok(prover.finish())
}

/// Decides a history again.
#[derive(Debug, Default)]
pub struct Prover {
    proof: Proof,
    since: Option<Time>,
    version: Option<String>,
    bundle: Option<Arc<Bundle>>,
    state: Option<State>,
    /// A generation was named that cannot be read.
    lost: bool,
    /// The ticks before have expired.
    gap: bool,
    /// The number of the last tick.
    number: Option<u64>,
    /// The last tick, while nobody has weighed the state that came of it.
    last: Option<Said>,
}

impl Prover {
    /// One that counts what was recorded from `since` on, and knows where the journal's chain does not hold.
    #[must_use]
    pub fn new(since: Option<Time>, broken: Option<Broken>) -> Self {
        Self { since, proof: Proof { broken, ..Proof::default() }, ..Self::default() }
    }

    /// Something could not be read: nothing can be decided again before the next state that is kept.
    pub fn passed_by(&mut self) {
        (self.state, self.last, self.number) = (None, None, None);
        (self.lost, self.gap) = (true, false);
    }

    /// Takes the next recorded thing.
    pub fn take(&mut self, recorded: Recorded) {
        match recorded {
            Recorded::Started { version, .. } => self.version = Some(version),
            Recorded::Generation { id, files, .. } => {
                let known = self.bundle.as_ref().is_some_and(|bundle| bundle.generation == id);
                if !known {
                    let folder = Folder::of(&files);
                    let sound = folder.digest() == id;
                    let loaded = folder.compile(None).ok().filter(|_| sound);
                    self.bundle = loaded.map(|loaded| Arc::new(loaded.bundle));
                    self.lost = self.bundle.is_none();
                }
            }
            Recorded::Adopted { state, .. } => {
                self.weigh_last();
                self.begin(*state);
            }
            // One that goes on by itself needs none: it would only hide what was changed.
            Recorded::Checkpoint { state, .. } if self.state.is_none() => self.begin(*state),
            Recorded::Checkpoint { .. } => self.weigh_last(),
            Recorded::Expired { tick, .. } => {
                self.number = Some(tick);
                self.proof.expired += 1;
                (self.state, self.gap) = (None, true);
            }
            Recorded::Tick { seq, input, decisions, records, state, statuses } => {
                let (tick, now) = (input.tick, input.now);
                let next = self.number.replace(tick).map_or(tick, |last| last.saturating_add(1));
                self.proof.missing += tick.saturating_sub(next);
                self.tick(Said { seq, tick, now, decisions, records, state, statuses }, *input);
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
        if let Some(found) = said.weighs(state) {
            self.proof.same -= 1;
            let cause = self.cause(&said, None);
            self.differ(&said, found, cause);
        }
    }

    fn begin(&mut self, state: State) {
        (self.state, self.gap) = (Some(state), false);
    }

    fn tick(&mut self, said: Said, input: Input) {
        let counts = self.since.is_none_or(|since| said.now >= since);
        let (Some(bundle), Some(before)) = (&self.bundle, self.state.take()) else {
            let lost = self.lost && !self.gap;
            let ticks = if lost { &mut self.proof.unreadable } else { &mut self.proof.expired };
            *ticks += u64::from(counts);
            return;
        };
        let derived = advance(bundle, before, input);
        self.last = None;
        if counts {
            self.judge(&said, &derived);
            self.last = Some(said).filter(|said| !said.is_weighed(&derived.state));
        }
        self.state = Some(derived.state);
    }

    fn judge(&mut self, said: &Said, derived: &Step) {
        let from = self.proof.span.map_or(said.now, |(from, _)| from);
        self.proof.span = Some((from, said.now));
        if let Some(version) = self.version.as_ref().filter(|version| !self.proof.versions.contains(*version))
        {
            self.proof.versions.insert(version.clone());
        }
        if let Some(bundle) = &self.bundle
            && !self.proof.generations.contains(&bundle.generation)
        {
            self.proof.generations.insert(bundle.generation.clone());
        }
        let Some(found) = said.differs(derived) else {
            self.proof.same += 1;
            return;
        };
        let cause = self.cause(said, Some(derived));
        self.differ(said, found, cause);
    }

    fn differ(&mut self, said: &Said, found: differ::Found, cause: Cause) {
        self.proof.different += 1;
        if self.proof.differences.len() < KEPT {
            let (tick, at, seq) = (said.tick, said.now, said.seq);
            let differ::Found { by, field, recorded, derived } = found;
            self.proof.differences.push(Different { tick, at, seq, by, field, recorded, derived, cause });
        }
    }

    fn cause(&self, said: &Said, derived: Option<&Step>) -> Cause {
        // The digest says what was decided; entries that say otherwise were changed behind it.
        let behind = derived.is_some_and(|derived| {
            said.decisions == decisions_digest(derived) && said.records != derived.records
        });
        let after = self.proof.broken.as_ref().is_some_and(|broken| broken.seq <= said.last());
        if behind || after {
            return Cause::Tampering;
        }
        match &self.version {
            Some(version) if version != env!("CARGO_PKG_VERSION") => {
                Cause::Version { version: version.clone() }
            }
            _ => Cause::Defect,
        }
    }
}

/// What the journal says of one tick.
#[derive(Debug)]
struct Said {
    seq: i64,
    tick: u64,
    now: Time,
    decisions: String,
    records: Vec<Record>,
    state: Option<String>,
    statuses: Option<Box<str>>,
}

impl Said {
    /// The number of its last entry.
    fn last(&self) -> i64 {
        self.seq.saturating_add(i64::try_from(self.records.len()).unwrap_or(i64::MAX))
    }

    /// The first field that differs.
    fn differs(&self, derived: &Step) -> Option<differ::Found> {
        if let Some(found) = differ::records(&self.records, &derived.records) {
            return Some(found);
        }
        let digest = |field: &str, recorded: &str, derived: String| differ::Found {
            by: None,
            field: field.to_owned(),
            recorded: recorded.to_owned(),
            derived,
        };
        let decisions = decisions_digest(derived);
        if decisions != self.decisions {
            return Some(digest("permits or answers (digest)", &self.decisions, decisions));
        }
        if let Some(found) = self.statuses.as_deref().and_then(|said| differ::statuses(said, &derived.state))
        {
            return Some(found);
        }
        if self.is_weighed(&derived.state) { self.weighs(&derived.state) } else { None }
    }

    /// Is the state that came of it held against the recorded one at once?
    fn is_weighed(&self, state: &State) -> bool {
        let few = u64::try_from(state.health.components.len()).unwrap_or(u64::MAX) / FEW;
        let says = !self.records.is_empty() && self.tick.is_multiple_of(few.clamp(1, SELDOM));
        // Few components make a short state: then every tick is weighed, also one in which nothing was decided.
        few <= 1 || says || self.tick.is_multiple_of(SELDOM)
    }

    /// The difference of a state from the one that was recorded.
    fn weighs(&self, state: &State) -> Option<differ::Found> {
        let recorded = self.state.as_ref()?;
        let derived = state_digest(state).unwrap_or_default();
        (derived != *recorded).then(|| differ::Found {
            by: None,
            field: "state (digest)".to_owned(),
            recorded: recorded.clone(),
            derived,
        })
    }
}
