//! A record that contradicts itself: decisions that the recorded inputs under the recorded rules do not give.
//!
//! `prove` looks for them everywhere and says what differs. `simulate` and `explain` decide recorded ticks again for
//! other reasons; where they do so under the rules that were active, they notice as much by the way, and say so: what
//! they tell of such a record is not to be trusted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Folder;
use crate::engine::Step;
use crate::model::{GenerationId, Meaning, Record, Time};
use crate::record::{Recorded, StateDigests, decisions_digest};
use crate::replay::alike::Alike;

/// What the journal says came out of a tick.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said<'r> {
    /// The entries that it left behind.
    pub(super) records: &'r [Record],
    /// The digest of all its decisions.
    pub(super) decisions: &'r str,
    /// The digest of the state that came of it; older journals lack it.
    pub(super) state: Option<&'r str>,
    /// How the components were after it, as JSON; a history that is played does not say.
    pub(super) statuses: Option<&'r str>,
    /// How often those failed that failed last.
    pub(super) failures: Option<&'r str>,
    /// What went in is not what was recorded.
    pub(super) changed: bool,
}

impl Said<'_> {
    /// Did something else come out?
    pub(super) fn differs(&self, step: &Step) -> bool {
        self.changed
            || self.differs_of_decisions(step)
            || self.differs_of_statuses(step)
            || self.differs_of_failures(step)
    }

    fn differs_of_decisions(&self, step: &Step) -> bool {
        step.records != self.records || decisions_digest(step) != self.decisions
    }

    fn differs_of_statuses(&self, step: &Step) -> bool {
        let differs = |said| serde_json::to_string(&step.state.statuses()).is_ok_and(|text| text != said);
        self.statuses.is_some_and(differs)
    }

    fn differs_of_failures(&self, step: &Step) -> bool {
        self.failures.is_some_and(|said| step.state.failures_text() != said)
    }

    /// Is the state that came of it another? So it is where a reading was changed that turned nothing round.
    pub(super) fn is_elsewhere(&self, step: &Step, digests: &mut StateDigests) -> bool {
        self.state.is_some_and(|said| digests.like(said, &step.state).is_some_and(|state| state != said))
    }
}

/// How a tick says that nothing failed.
const NONE: &str = "{}";

/// What a tick says of failures. Journals of the first versions left them out, which looks as if nothing had failed.
pub(super) fn failures(said: Option<&str>, meaning: Meaning) -> Option<&str> {
    said.filter(|text| meaning >= Meaning::TASKS || *text != NONE)
}

/// Is the text of a generation the one that its id, which is its digest, names?
pub(super) fn is_sound(id: &GenerationId, files: &BTreeMap<String, String>) -> bool {
    Folder::of(files).digest() == *id
}

/// One life of Grace, in which she does not decide by an older meaning than before.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    least: Option<Meaning>,
}

impl Life {
    /// Takes the next thing; says whether it is a tick that names an older meaning than one before it, or that lacks the
    /// digest of its state, which only those of the first meaning did. What was only played has neither that nor statuses.
    pub(super) fn falls(&mut self, recorded: &Recorded) -> bool {
        match recorded {
            Recorded::Started { .. } => {
                self.least = None;
                false
            }
            Recorded::Tick { input, state, statuses, .. } => {
                let lacks = state.is_none() && statuses.is_some() && !input.meaning.is_first();
                self.least.replace(input.meaning).is_some_and(|least| input.meaning < least) || lacks
            }
            _ => false,
        }
    }
}

/// How a run is held against the record.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// These are the rules that were active, in the state that was recorded: all has to come out as recorded.
    pub(super) follows: bool,
    /// It did not.
    pub(super) contradicts: bool,
    alike: Alike,
    digests: StateDigests,
    /// So many components were weighed.
    weighed: usize,
}

/// The states of so many components are held against their digests in every tick: more than an hour and a half of the shipped rules on the shipped grid, 3,276 ticks. To
/// make a digest takes more than half as long as to decide, so in what comes behind, as for `prove`, only ticks that left entries are, and
/// every so many. What that cannot find is a state that was another for a moment and is whole again: of readings that were
/// changed their own digest tells, at once and in every tick.
const WEIGHED: usize = 16_384;

/// A state goes on into the next one: what was changed and stays shows in this many ticks.
const EVERY: u64 = 64;

/// The state of so many components is soon written down.
const FEW: u64 = 16;

impl Held {
    /// Holds one tick against it, as long as nothing is other than in the record.
    pub(super) fn hold(&mut self, apart: bool, said: &Said, step: &Step) {
        // Whatever the rules, and however far the run is from the record.
        self.contradicts |= said.changed;
        if !self.follows || apart || self.contradicts {
            return;
        }
        self.contradicts =
            said.differs_of_decisions(step) || self.tells_otherwise(said, step) || self.weighs(said, step);
    }

    /// Is what it says of the components not what comes out?
    fn tells_otherwise(&mut self, said: &Said, step: &Step) -> bool {
        if let Some(statuses) = said.statuses.filter(|statuses| !self.alike.still(statuses, step)) {
            if said.differs_of_statuses(step) {
                return true;
            }
            self.alike.note(statuses, step);
        }
        said.differs_of_failures(step)
    }

    /// Is the state another than the recorded one?
    fn weighs(&mut self, said: &Said, step: &Step) -> bool {
        let tick = step.state.tick;
        let components = u64::try_from(step.state.health.components.len()).unwrap_or(u64::MAX);
        // The more components, the longer a state: of those that say something the fewer are held against it.
        let says = !said.records.is_empty() && tick.is_multiple_of((components / FEW).clamp(1, EVERY));
        let due = self.weighed < WEIGHED || says || tick.is_multiple_of(EVERY);
        if self.contradicts || !due {
            return false;
        }
        self.weighed += step.state.health.components.len();
        said.is_elsewhere(step, &mut self.digests)
    }
}

/// A tick whose recorded decisions are not those that its inputs give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Contradiction {
    /// Its number.
    pub tick: u64,
    /// Its time.
    #[schema(value_type = i64)]
    pub at: Time,
    /// The version of Grace that decided it, where that is another than this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The rules that it was decided under, where their text is not the one that their id names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub generation: Option<GenerationId>,
    /// It is the start or the reload behind this tick.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adoption: bool,
}

impl Contradiction {
    pub(super) fn new(tick: u64, at: Time, version: Option<&str>) -> Self {
        let version = version.filter(|version| *version != env!("CARGO_PKG_VERSION")).map(str::to_owned);
        Self { tick, at, version, generation: None, adoption: false }
    }

    /// The text of the rules is not the recorded one.
    pub(super) fn of_rules(tick: u64, at: Time, generation: GenerationId) -> Self {
        Self { generation: Some(generation), ..Self::new(tick, at, None) }
    }

    /// A start or a reload that does not come out.
    pub(super) fn of_adoption(tick: u64, at: Time, version: Option<&str>) -> Self {
        Self { adoption: true, ..Self::new(tick, at, version) }
    }

    /// Is it a finding? Another version may decide otherwise, and nothing is wrong with the record.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.version.is_none()
    }

    /// It in one sentence.
    #[must_use]
    pub fn says(&self) -> String {
        let Self { tick, at, version, generation, adoption } = self;
        if let Some(generation) = generation {
            return format!(
                "the record contradicts itself: the text of generation {}, under which tick {tick} at {at} was decided, is \
                 not the one that its id names; run `grace prove`",
                generation.short()
            );
        }
        if *adoption && version.is_none() {
            return format!(
                "the record contradicts itself: what it says of the start or reload at {at}, behind tick {tick}, does not \
                 come out of what was before; run `grace prove`"
            );
        }
        match version {
            None => format!(
                "the record contradicts itself: what it says of tick {tick} at {at} does not come out of its own \
                 inputs under its own rules; run `grace prove`"
            ),
            Some(version) => format!(
                "version {version} of Grace decided tick {tick} at {at} otherwise than this version would; run \
                 `grace prove`"
            ),
        }
    }
}
