//! The loop: the sole owner of the state. Everything that can happen reaches it as one closed enum of signals;
//! everything it decides leaves it as committed permits, answers and one published picture.
//!
//! Before the loop there is a start, which goes on where the last life ended, and with caution where that life, or what is
//! left of it, cannot be trusted; beside it, what is done to a whole data directory: a backup and a restore.

mod backup;
mod candidate;
mod caution;
mod crash_loop;
mod error;
mod farewell;
mod generation;
mod half;
mod handle;
mod heartbeat;
mod housekeep;
mod lock;
mod loud;
mod maker;
mod on_tick;
mod pending;
mod published;
mod pulse;
mod reach;
mod reload;
mod restore;
mod sealer;
mod shadow;
mod signal;
mod start;
mod stop;
mod tally;
mod warden;

pub use backup::{BackupError, backup};
pub use candidate::{ShadowError, Shadowing};
pub use error::StartError;
pub use handle::{AskError, Handle};
pub use on_tick::OnTick;
pub use published::{Published, Rejected};
pub use restore::{Restored, restore};
pub use start::{ExitReason, Running, start};
pub use tally::{LastTick, Reloads, Tally};

use std::path::PathBuf;

use crate::model::Span;

/// How Grace is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds `rules/` and `policies/`.
    pub config: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The grid, where it is not the files'.
    pub interval: Option<Span>,
    /// Faults may be injected.
    pub allow_faults: bool,
    /// One tick and its consequences, then stop.
    pub once: bool,
    /// When Grace is asked to stop, she stops the processes that she started as well.
    pub stop_services: bool,
    /// Where signed checkpoints go, where it is not the data directory.
    pub checkpoints: Option<PathBuf>,
    /// What is called behind each tick.
    pub on_tick: OnTick,
}
