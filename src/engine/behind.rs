//! Going on behind numbers that the journal's entries have taken already, where the state that was kept is older than they are
//! or was lost: a number that was given twice would be refused, or mean two things.

use crate::engine::State;
use crate::model::{Record, Taken};

/// Is there a number among these that the state would give once more?
#[must_use]
pub fn is_behind(taken: &Taken, state: &State) -> bool {
    let mut after = state.clone();
    lift(taken, &mut after);
    after != *state
}

/// Lifts the state's numbers over those that such an entry of a start names; other entries name none.
pub fn go_on_behind(record: &Record, state: &mut State) {
    if let Record::JournalReplaced { taken: Some(taken), .. } = record {
        lift(taken, state);
    }
}

fn lift(taken: &Taken, state: &mut State) {
    let State { tick, health, governed, tasks, recommendations, .. } = state;
    *tick = taken.tick.max(*tick);
    governed.last_act = taken.act.max(governed.last_act);
    governed.last_approval = taken.approval.max(governed.last_approval);
    health.last_incident = taken.incident.max(health.last_incident);
    tasks.last = taken.task.max(tasks.last);
    recommendations.last = taken.recommendation.max(recommendations.last);
}
