//! Verbs about what was, and what would have been: they go through a recorded history with the engine that runs in
//! production, and nothing they do reaches the world.

mod confine;
pub(super) mod explain;
pub(super) mod fixture;
mod history;
pub(super) mod prove;
pub(super) mod recommendations;
pub(super) mod report;
pub(super) mod shadow;
pub(super) mod simulate;
