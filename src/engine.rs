//! One pure step: what was seen and asked goes in, everything that follows from it comes out.
//!
//! [`step`] is total and deterministic: the same bundle, state and input give the same bytes. It never waits
//! and never fails; a rule that cannot be evaluated is data in the answer, beside the good ones. Production,
//! rule tests and replay call this one function.
//!
//! Inside a step the order is fixed: what the hands report and what was seen; then what people ask; then what
//! rules want of Grace's own state (tightening, before anything acts); then claims that are over; and last the
//! heal acts, which see all of that.

mod activate;
mod adopt;
mod behind;
mod by_hand;
mod caution;
mod hear;
mod holds;
mod news;
mod planned;
mod recommendations;
mod requests;
mod run;
mod schedule;
mod signals;
mod tasks;
mod types;
mod wall;
mod windows;

use crate::govern::{About, Desk, Governed, Permit};
use crate::model::Proposal;

pub use activate::{Judged, activation, judge, locked_out};
pub use adopt::{Adopted, adopt, adopt_by, conflicts, start_over};
pub use behind::{go_on_behind, is_behind};
pub use caution::{CRASH_LOOP, FORGOTTEN, caution, caution_for, caution_key};
pub use hear::KeptBack;
pub use holds::{outlasts, standing, still_held};
pub use recommendations::{Open, Recommendations};
pub use schedule::{Agenda, HANDS, Schedule};
pub use tasks::{OpenTask, Tasks};
pub use types::{Bundle, Input, Notify, State, Step, System, TaskNotices};
pub use wall::clock_stepped;

/// What follows from one input.
#[must_use]
pub fn step(bundle: &Bundle, state: &State, input: &Input) -> Step {
    let mode = &state.governed.mode;
    play(run::Run::new(bundle, (state.clone(), mode), input).explained(), input)
}

/// The same step for whoever plays years of history: it takes the state instead of copying it, and leaves
/// out what only explains the decisions ([`Step::why`] and [`Step::questions`]).
#[must_use]
pub fn advance(bundle: &Bundle, state: State, input: &Input) -> Step {
    let mode = state.governed.mode.clone();
    play(run::Run::new(bundle, (state, &mode), input), input)
}

/// Is shown each proposal before it is decided: by whom, in which state, and what is known of its component.
pub type Watch<'w> = dyn FnMut(&Desk, &Governed, &Proposal, &About) + 'w;

/// The same step, while somebody looks on. What comes out is the same.
#[must_use]
pub fn step_watched<'a>(
    bundle: &'a Bundle,
    state: &'a State,
    input: &Input,
    watch: &'a mut Watch<'a>,
) -> Step {
    let mode = &state.governed.mode;
    play(run::Run::new(bundle, (state.clone(), mode), input).explained().watched(watch), input)
}

fn play(mut run: run::Run, input: &Input) -> Step {
    run.absorb(&input.snapshot, &input.performed);
    run.expire();
    for asked in &input.asked {
        run.answer(asked);
    }
    run.evaluate();
    run.review();
    run.tell_of_approvals();
    run.tell_of_tasks();
    run.finish()
}

/// Permits that hands have to perform; the others are done with the step.
fn needs_hands(permit: &Permit) -> bool {
    use crate::model::Act;
    matches!(permit.proposal().act, Act::Heal { .. } | Act::Notify { .. })
}
