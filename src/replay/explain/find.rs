//! Finds the tick that is asked about: goes back to the nearest state that was kept before it, and decides from there
//! on again what was recorded. What lies before that state is not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State, Step, step};
use crate::evaluate::RELAPSE;
use crate::model::{ActId, GenerationId, Record, Span, Time};
use crate::record::{Recorded, StateDigests};
use crate::replay::contradiction::{Contradiction, Life, Said, failures, is_sound};
use crate::replay::explain::FindError;
use crate::replay::explain::kept::{before, first_of, is_journal, last_of, resumes};
use crate::replay::holes::Finder;
use crate::replay::source::History;

/// Between two kept states a journal has fewer ticks than this; a history without any is decided in such pieces.
const PIECE: usize = 4096;

/// So long after the last tick it still counts: the next one may be on its way.
const BETWEEN: Span = Span::minutes(2);

/// An act has ended after so many ticks, or nobody waits for it.
const END_WITHIN: usize = 500;

/// One tick: what went in, and what came out.
#[derive(Debug)]
pub struct Tick {
    /// The rules and policies that were active.
    pub bundle: Arc<Bundle>,
    /// The state before.
    pub before: State,
    /// What went in.
    pub input: Input,
    /// What came out.
    pub step: Step,
    /// The record says that something else came out, of this tick or of one before it on the way from a kept state.
    pub contradiction: Option<Contradiction>,
}

/// The last tick at or before the end of a time; of several within it, the last that is preferred.
///
/// # Errors
/// The history cannot be read, or does not hold it.
pub fn tick_at(
    history: &History,
    (from, to): (Time, Time),
    preferred: impl Fn(&Tick) -> bool,
) -> Result<Tick, FindError> {
    let end = last_of(history)?;
    if from > end + BETWEEN {
        return Err(FindError::Outside { at: from, from: first_of(history)?, to: end });
    }
    // The state that a tick left behind is kept under its time: what is needed is the one before.
    let mut since = from - Span(1);
    loop {
        let mut walk = Walk::default();
        for recorded in history.all(Some(since))? {
            let recorded = recorded?;
            let gone = matches!(recorded, Recorded::Expired { .. });
            // Ticks whose readings are gone do not say when they were: they may lie behind the tick that is asked for.
            if now_of(&recorded).is_some_and(|now| now > to) || (gone && walk.is_there(from)) {
                break;
            }
            let first = walk.began.is_none();
            walk.take(recorded, from)?;
            // A journal has nothing before its oldest state but what has expired.
            if gone && first && is_journal(history) {
                break;
            }
        }
        let (began, lost, hole) = (walk.began, walk.lost, walk.holes.is_open());
        if let Some(tick) = walk.best(from, &preferred)? {
            return Ok(tick);
        }
        match began {
            // No tick came between that state and the time: the tick is the one that left it behind, or an earlier one.
            Some(began) if began <= since && !lost && is_journal(history) => since = began - Span(1),
            began if lost => {
                let kept = if began.is_some() || !is_journal(history) {
                    resumes(history, since, from)?
                } else {
                    first_of(history)?
                };
                return Err(if hole {
                    FindError::Lost { at: from, kept }
                } else {
                    FindError::Expired { at: from, kept }
                });
            }
            _ => {
                return Err(FindError::Outside { at: from, from: first_of(history)?, to: end });
            }
        }
    }
}

/// The tick that permitted an act.
///
/// # Errors
/// The history cannot be read, or does not hold it.
pub fn tick_of(history: &History, act: ActId) -> Result<Tick, FindError> {
    let mut walk = Walk::default();
    for recorded in history.all(before(history, act)?)? {
        let recorded = recorded?;
        if let Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } = &recorded
            && state.governed.last_act >= act
            && walk.state.is_some()
        {
            break;
        }
        let intended = now_of(&recorded).filter(|_| intends(&recorded, act));
        let ready = walk.pending.len() >= PIECE || intended.is_some();
        // Nothing that is pending is kept for its time.
        walk.take(recorded, Time::NEVER)?;
        if ready && let Some(tick) = walk.through(|tick| makes(tick, act))? {
            return Ok(tick);
        }
        if let Some(at) = intended.filter(|_| walk.state.is_some()) {
            return Err(FindError::Contradicted { act, at });
        }
    }
    let (lost, hole) = (walk.lost, walk.holes.is_open());
    if let Some(tick) = walk.through(|tick| makes(tick, act))? {
        return Ok(tick);
    }
    let newest = walk.state.map(|state| state.governed.last_act).unwrap_or_default();
    if lost && hole {
        Err(FindError::ActLost { act })
    } else if lost || newest >= act {
        Err(FindError::ActExpired { act })
    } else {
        Err(FindError::NoAct { act, newest })
    }
}

/// How an act ended, as it was recorded.
#[derive(Debug, Clone)]
pub struct Ending {
    /// When.
    pub at: Time,
    /// The entry.
    pub record: Record,
    /// When what it had healed failed again so soon that the act had not healed it.
    pub relapsed: Option<Time>,
    /// The record says that something else came out of that tick.
    pub contradiction: Option<Contradiction>,
}

/// How an act ended, where that was recorded. Its tick is decided again where that can be.
///
/// # Errors
/// The history cannot be read.
pub fn end_of(history: &History, act: ActId, from: Time) -> Result<Option<Ending>, FindError> {
    let mut ticks = 0;
    for recorded in history.all(Some(from))? {
        let Recorded::Tick { input, records, .. } = recorded? else { continue };
        if input.now < from {
            continue;
        }
        let ends = |record: &Record| matches!(record, Record::End { act: ended, .. } if *ended == act);
        if let Some(record) = records.into_iter().find(ends) {
            let at = input.now;
            let contradiction = tick_at(history, (at, at), |_| true).ok().and_then(|tick| tick.contradiction);
            let relapsed = relapsed(history, act, at)?;
            return Ok(Some(Ending { at, record, relapsed, contradiction }));
        }
        ticks += 1;
        if ticks > END_WITHIN {
            break;
        }
    }
    Ok(None)
}

/// When what an act had healed until then was found to have relapsed.
fn relapsed(history: &History, act: ActId, ended: Time) -> Result<Option<Time>, FindError> {
    let says = |record: &Record| matches!(record, Record::Relapsed { act: relapsed, .. } if *relapsed == act);
    for recorded in history.all(Some(ended))? {
        let Recorded::Tick { input, records, .. } = recorded? else { continue };
        if input.now > ended + RELAPSE {
            break;
        }
        if records.iter().any(says) {
            return Ok(Some(input.now));
        }
    }
    Ok(None)
}

fn now_of(recorded: &Recorded) -> Option<Time> {
    match recorded {
        Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => Some(state.now),
        Recorded::Tick { input, .. } => Some(input.now),
        _ => None,
    }
}

fn intends(recorded: &Recorded, act: ActId) -> bool {
    let Recorded::Tick { records, .. } = recorded else { return false };
    records.iter().any(|record| matches!(record, Record::Intent { act: intended, .. } if *intended == act))
}

/// Did this tick permit the act? An act that needs no hands has a number as well, and no intent.
fn makes(tick: &Tick, act: ActId) -> bool {
    tick.before.governed.last_act < act && act <= tick.step.state.governed.last_act
}

/// A way through a history. What was kept is held until a tick needs it, so that the tick before stays in sight.
#[derive(Default)]
struct Walk {
    rules: Option<Rules>,
    state: Option<State>,
    /// Ticks since that state that nobody has decided again yet.
    pending: Vec<Pending>,
    /// The version of Grace that decided them.
    version: Option<String>,
    /// The first tick since that state of which the record says something else.
    contradiction: Option<Contradiction>,
    life: Life,
    /// What the next tick goes on from.
    ahead: Ahead,
    /// The time of the first state.
    began: Option<Time>,
    /// There were ticks whose readings are gone, or that nobody can decide again.
    lost: bool,
    /// A tick came before any state.
    led: bool,
    /// What of them has not expired.
    holes: Finder,
}

/// A tick as it was recorded.
#[derive(Clone)]
struct Pending {
    input: Input,
    records: Vec<Record>,
    decisions: String,
    state: Option<String>,
    statuses: Option<Box<str>>,
    failures: Option<Box<str>>,
    changed: bool,
}

/// What lies between two ticks.
#[derive(Default)]
struct Ahead {
    rules: Option<Rules>,
    state: Option<State>,
    /// It is the state of a start or a reload, and not only what the tick before left behind.
    adopted: bool,
}

/// A generation that is compiled when a tick asks for it.
#[derive(Clone)]
struct Rules {
    id: GenerationId,
    files: BTreeMap<String, String>,
    compiled: Option<Arc<Bundle>>,
}

impl Rules {
    fn bundle(&mut self) -> Result<Arc<Bundle>, FindError> {
        if let Some(bundle) = &self.compiled {
            return Ok(Arc::clone(bundle));
        }
        let loaded = Folder::of(&self.files).compile(None);
        let loaded = loaded.map_err(|_| FindError::Rules { generation: self.id.clone() })?;
        Ok(Arc::clone(self.compiled.insert(Arc::new(loaded.bundle))))
    }
}

impl Walk {
    /// Has it come to a tick from this time on?
    fn is_there(&self, from: Time) -> bool {
        self.pending.iter().any(|pending| pending.input.now >= from)
    }

    /// Takes the next recorded thing. From the time `keep` on nothing that is pending is dropped.
    fn take(&mut self, recorded: Recorded, keep: Time) -> Result<(), FindError> {
        let falls = self.life.falls(&recorded);
        self.holes.take(&recorded);
        match recorded {
            Recorded::Tick { input, records, decisions, state, statuses, failures, changed, .. } => {
                let changed = changed || falls;
                let input = *input;
                let pending = Pending { input, records, decisions, state, statuses, failures, changed };
                return self.tick(pending, keep);
            }
            Recorded::Started { version, .. } => self.version = Some(version),
            Recorded::Generation { id, files, .. } => {
                self.ahead.rules = Some(Rules { id, files, compiled: None });
            }
            Recorded::Expired { .. } => {
                self.lost = true;
                (self.state, self.ahead.state) = (None, None);
                self.pending.clear();
            }
            other => self.state(other),
        }
        Ok(())
    }

    fn state(&mut self, recorded: Recorded) {
        self.ahead.adopted |= matches!(recorded, Recorded::Adopted { .. });
        if let Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } = recorded {
            self.began.get_or_insert(state.now);
            self.ahead.state = Some(*state);
        }
    }

    fn tick(&mut self, tick: Pending, keep: Time) -> Result<(), FindError> {
        let ahead = std::mem::take(&mut self.ahead);
        let wanted = !ahead.adopted && self.pending.iter().any(|pending| pending.input.now >= keep);
        match ahead.state {
            // A kept state is what those before leave behind; they stay in sight.
            Some(_) if wanted => {}
            Some(state) => {
                self.state = Some(state);
                self.contradiction = None;
                self.pending.clear();
            }
            // Nothing was kept in between: the state is what those before leave behind.
            None if ahead.rules.is_some() || self.pending.len() > PIECE => {
                self.through(|_| false)?;
            }
            None => {}
        }
        if let Some(rules) = ahead.rules {
            self.rules = Some(rules);
        }
        if self.state.is_some() {
            self.pending.push(tick);
        } else {
            // The first may be the one that left the first state behind, which comes behind it.
            self.lost |= std::mem::replace(&mut self.led, true);
        }
        Ok(())
    }

    /// Decides again what is pending, up to the first tick that is wanted.
    fn through(&mut self, wanted: impl Fn(&Tick) -> bool) -> Result<Option<Tick>, FindError> {
        let (Some(rules), false) = (&mut self.rules, self.pending.is_empty()) else { return Ok(None) };
        let bundle = rules.bundle()?;
        let unsound = (!is_sound(&rules.id, &rules.files)).then(|| rules.id.clone());
        let mut digests = StateDigests::default();
        for pending in std::mem::take(&mut self.pending) {
            let Pending { input, records, decisions, state, statuses, failures: failing, changed } = pending;
            let Some(before) = self.state.take() else { break };
            let step = step(&bundle, &before, &input);
            let after = step.state.clone();
            let failures = failures(failing.as_deref(), input.meaning);
            let (statuses, state) = (statuses.as_deref(), state.as_deref());
            let decisions = decisions.as_str();
            let said = Said { records: &records, decisions, state, statuses, failures, changed };
            if let (None, Some(generation)) = (&self.contradiction, &unsound) {
                let found = Contradiction::of_rules(input.tick, input.now, generation.clone());
                self.contradiction = Some(found);
            }
            if self.contradiction.is_none() && (said.differs(&step) || said.is_elsewhere(&step, &mut digests))
            {
                let version = self.version.as_deref();
                self.contradiction = Some(Contradiction::new(input.tick, input.now, version));
            }
            let contradiction = self.contradiction.clone();
            let tick = Tick { bundle: Arc::clone(&bundle), before, input, step, contradiction };
            if wanted(&tick) {
                return Ok(Some(tick));
            }
            self.state = Some(after);
        }
        Ok(None)
    }

    /// The last tick that was taken; of those from a time on, the last that is preferred.
    fn best(mut self, from: Time, preferred: &impl Fn(&Tick) -> bool) -> Result<Option<Tick>, FindError> {
        let Some(last) = self.pending.last().map(|pending| pending.input.tick) else { return Ok(None) };
        let found = std::cell::Cell::new(None);
        let (rules, state, pending) = (self.rules.clone(), self.state.clone(), self.pending.clone());
        let contradiction = self.contradiction.clone();
        let end = self.through(|tick| {
            if tick.input.now >= from && preferred(tick) {
                found.set(Some(tick.input.tick));
            }
            tick.input.tick == last
        })?;
        match found.get().filter(|found| *found != last) {
            None => Ok(end),
            Some(wanted) => {
                (self.rules, self.state, self.pending) = (rules, state, pending);
                self.contradiction = contradiction;
                self.through(|tick| tick.input.tick == wanted)
            }
        }
    }
}
