//! Where a history ends, what states were kept in it, and what lies before and between them.

use crate::engine::State;
use crate::model::{ActId, Time};
use crate::record::Recorded;
use crate::replay::explain::FindError;
use crate::replay::holes::Finder;
use crate::replay::source::{History, HistoryError};

pub(super) fn is_journal(history: &History) -> bool {
    matches!(history, History::Journal(_))
}

/// The time of the last tick.
///
/// # Errors
/// The history cannot be read, or holds no tick.
pub fn last_of(history: &History) -> Result<Time, FindError> {
    let mut last = None;
    if let History::Journal(reader) = history {
        last = reader.last_tick().map_err(HistoryError::from)?;
    } else {
        for recorded in history.all(None)? {
            if let Recorded::Tick { input, .. } = recorded? {
                last = Some(input.now);
            }
        }
    }
    last.ok_or(FindError::Empty)
}

/// The time from which on ticks can be decided again.
pub(super) fn first_of(history: &History) -> Result<Time, FindError> {
    let last = last_of(history)?;
    if !is_journal(history) {
        return Ok(first_state(history)?.unwrap_or(last));
    }
    if let Some(state) = kept(history, Time(0))? {
        return Ok(state.now);
    }
    let (_, high) = halve(history, last, |_| true)?;
    Ok(kept(history, high)?.map_or(last, |state| state.now))
}

/// The time of the first state behind ticks whose readings are gone, or behind a hole. What is no journal is gone through from
/// its beginning, so there it is the first that comes behind the time that was asked for.
pub(super) fn resumes(history: &History, since: Time, asked: Time) -> Result<Time, FindError> {
    let (mut lost, mut holes) = (false, Finder::default());
    for recorded in history.all(Some(since))? {
        let recorded = recorded?;
        lost |= holes.take(&recorded) || matches!(recorded, Recorded::Expired { .. });
        if let (true, Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. }) = (lost, recorded)
            && (is_journal(history) || state.now >= asked)
        {
            return Ok(state.now);
        }
    }
    last_of(history)
}

/// The time of the first state of all.
fn first_state(history: &History) -> Result<Option<Time>, FindError> {
    for recorded in history.all(None)? {
        if let Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } = recorded? {
            return Ok(Some(state.now));
        }
    }
    Ok(None)
}

/// A time before an act, as late as kept states tell it; a history that is no journal is gone through from its
/// beginning.
pub(super) fn before(history: &History, act: ActId) -> Result<Option<Time>, FindError> {
    if !is_journal(history) {
        return Ok(None);
    }
    let made = |state: &State| state.governed.last_act >= act;
    let (low, high) = halve(history, last_of(history)?, made)?;
    if kept(history, low)?.is_none() && kept(history, high)?.is_some_and(|state| made(&state)) {
        let lost = begins_with_a_hole(history)?;
        return Err(if lost { FindError::ActLost { act } } else { FindError::ActExpired { act } });
    }
    Ok(Some(low))
}

/// Are the first readings that are gone a hole, and not what has expired?
fn begins_with_a_hole(history: &History) -> Result<bool, FindError> {
    for recorded in history.all(None)? {
        if let Recorded::Expired { lost, .. } = recorded? {
            return Ok(lost);
        }
    }
    Ok(false)
}

/// The two times, a second apart, between which kept states begin to be such.
fn halve(history: &History, last: Time, such: impl Fn(&State) -> bool) -> Result<(Time, Time), FindError> {
    let (mut low, mut high) = (Time(0), last);
    while (high - low).0 > 1000 {
        let middle = Time(low.0 + (high - low).0 / 2);
        if kept(history, middle)?.is_some_and(|state| such(&state)) { high = middle } else { low = middle }
    }
    Ok((low, high))
}

/// The last state that was kept until a time, or else the first there is; nothing where readings have expired before it.
fn kept(history: &History, at: Time) -> Result<Option<Box<State>>, FindError> {
    let mut led = false;
    for recorded in history.all(Some(at))? {
        let recorded = recorded?;
        // A state that a tick left behind comes behind that tick.
        if matches!(recorded, Recorded::Tick { .. } | Recorded::Expired { .. })
            && std::mem::replace(&mut led, true)
        {
            break;
        }
        if let Recorded::Adopted { state, .. } | Recorded::Checkpoint { state, .. } = recorded {
            return Ok(Some(state));
        }
    }
    Ok(None)
}
