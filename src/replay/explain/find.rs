//! Finds the tick that is asked about: goes back to the nearest state that was kept before it, and decides from there
//! on again what was recorded. What lies before that state is not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Folder;
use crate::engine::{Bundle, Input, State, Step, step};
use crate::model::{ActId, GenerationId, Record, Span, Time};
use crate::record::Recorded;
use crate::replay::explain::FindError;
use crate::replay::source::{History, HistoryError};

/// Between two kept states a journal has fewer ticks than this; a history without any is decided in such pieces.
const PIECE: usize = 4096;

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
}

/// The times of the first and of the last tick.
///
/// # Errors
/// The history cannot be read, or holds no tick.
pub fn ends(history: &History) -> Result<(Time, Time), FindError> {
    let (mut first, mut last) = (None, None);
    if let History::Journal(reader) = history {
        last = reader.last_tick().map_err(HistoryError::from)?;
    }
    let whole = last.is_none();
    for recorded in history.all(None)? {
        if let Recorded::Tick { input, .. } = recorded? {
            first.get_or_insert(input.now);
            if !whole {
                break;
            }
            last = Some(input.now);
        }
    }
    last.map(|last| (first.unwrap_or(last), last)).ok_or(FindError::Empty)
}

/// The last tick at or before a time.
///
/// # Errors
/// The history cannot be read, or does not hold it.
pub fn tick_at(history: &History, at: Time) -> Result<Tick, FindError> {
    let mut since = at;
    loop {
        let mut walk = Walk::default();
        for recorded in history.all(Some(since))? {
            let recorded = recorded?;
            if now_of(&recorded).is_some_and(|now| now > at) {
                break;
            }
            walk.take(recorded)?;
        }
        let began = walk.began;
        let lost = walk.lost;
        if let Some(tick) = walk.last()? {
            return Ok(tick);
        }
        // The nearest state may be the one that the wanted tick left behind: the one before it is needed.
        match began {
            Some(began) if began <= since && matches!(history, History::Journal(_)) => {
                since = began - Span(1);
            }
            _ if lost => return Err(FindError::Expired { at, kept: ends(history)?.0 }),
            _ => {
                let (from, to) = ends(history)?;
                return Err(FindError::Outside { at, from, to });
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
        let ready = walk.pending.len() >= PIECE || intends(&recorded, act);
        walk.take(recorded)?;
        if ready && let Some(tick) = walk.through(|tick| makes(tick, act))? {
            return Ok(tick);
        }
    }
    let lost = walk.lost;
    if let Some(tick) = walk.through(|tick| makes(tick, act))? {
        return Ok(tick);
    }
    let newest = walk.state.map(|state| state.governed.last_act).unwrap_or_default();
    if lost || newest >= act {
        Err(FindError::ActExpired { act })
    } else {
        Err(FindError::NoAct { act, newest })
    }
}

/// How an act ended, where that was recorded: the time, and the entry.
///
/// # Errors
/// The history cannot be read.
pub fn end_of(history: &History, act: ActId, from: Time) -> Result<Option<(Time, Record)>, FindError> {
    let mut ticks = 0;
    for recorded in history.all(Some(from))? {
        let Recorded::Tick { input, records, .. } = recorded? else { continue };
        if input.now < from {
            continue;
        }
        let ends = |record: &Record| matches!(record, Record::End { act: ended, .. } if *ended == act);
        if let Some(record) = records.into_iter().find(ends) {
            return Ok(Some((input.now, record)));
        }
        ticks += 1;
        if ticks > END_WITHIN {
            break;
        }
    }
    Ok(None)
}

/// A time before an act, as late as kept states tell it; a history that is no journal is gone through from its
/// beginning.
fn before(history: &History, act: ActId) -> Result<Option<Time>, FindError> {
    let History::Journal(_) = history else { return Ok(None) };
    let (mut low, mut high) = ends(history)?;
    while (high - low).0 > 1000 {
        let middle = Time(low.0 + (high - low).0 / 2);
        let made = kept(history, middle)?.is_some_and(|state| state.governed.last_act >= act);
        if made { high = middle } else { low = middle }
    }
    Ok(Some(low))
}

/// The last state that was kept until a time, or else the first there is.
fn kept(history: &History, at: Time) -> Result<Option<Box<State>>, FindError> {
    for recorded in history.all(Some(at))? {
        match recorded? {
            Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => return Ok(Some(state)),
            Recorded::Tick { .. } => return Ok(None),
            Recorded::Generation { .. } | Recorded::Expired { .. } => {}
        }
    }
    Ok(None)
}

fn now_of(recorded: &Recorded) -> Option<Time> {
    match recorded {
        Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => Some(state.now),
        Recorded::Tick { input, .. } => Some(input.now),
        Recorded::Generation { .. } | Recorded::Expired { .. } => None,
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
    pending: Vec<Input>,
    /// What the next tick goes on from.
    ahead: (Option<Rules>, Option<State>),
    /// The time of the first state.
    began: Option<Time>,
    /// There were ticks whose readings have expired.
    lost: bool,
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
    fn take(&mut self, recorded: Recorded) -> Result<(), FindError> {
        match recorded {
            Recorded::Generation { id, files, .. } => {
                self.ahead.0 = Some(Rules { id, files, compiled: None });
            }
            Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } => {
                self.began.get_or_insert(state.now);
                self.ahead.1 = Some(*state);
            }
            Recorded::Expired { .. } => {
                self.lost = true;
                (self.state, self.ahead.1) = (None, None);
                self.pending.clear();
            }
            Recorded::Tick { input, .. } => self.tick(*input)?,
        }
        Ok(())
    }

    fn tick(&mut self, input: Input) -> Result<(), FindError> {
        if let Some(state) = self.ahead.1.take() {
            self.state = Some(state);
            self.pending.clear();
        } else if self.ahead.0.is_some() || self.pending.len() > PIECE {
            // Nothing was kept in between: the state is what those before leave behind.
            self.through(|_| false)?;
        }
        if let Some(rules) = self.ahead.0.take() {
            self.rules = Some(rules);
        }
        if self.state.is_some() {
            self.pending.push(input);
        } else {
            self.lost = true;
        }
        Ok(())
    }

    /// Decides again what is pending, up to the first tick that is wanted.
    fn through(&mut self, wanted: impl Fn(&Tick) -> bool) -> Result<Option<Tick>, FindError> {
        let (Some(rules), false) = (&mut self.rules, self.pending.is_empty()) else { return Ok(None) };
        let bundle = rules.bundle()?;
        for input in std::mem::take(&mut self.pending) {
            let Some(before) = self.state.take() else { break };
            let step = step(&bundle, &before, &input);
            let after = step.state.clone();
            let tick = Tick { bundle: Arc::clone(&bundle), before, input, step };
            if wanted(&tick) {
                return Ok(Some(tick));
            }
            self.state = Some(after);
        }
        Ok(None)
    }

    /// The last tick that was taken.
    fn last(mut self) -> Result<Option<Tick>, FindError> {
        let Some(last) = self.pending.last().map(|input| input.tick) else { return Ok(None) };
        self.through(|tick| tick.input.tick == last)
    }
}
