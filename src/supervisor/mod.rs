//! The loop: the sole owner of the state. Everything that can happen reaches it as one closed enum of signals;
//! everything it decides leaves it as committed permits, answers and one published picture.

mod handle;
mod lock;
mod on_tick;
mod published;
mod pulse;
mod reload;
mod signal;
mod start;

pub use handle::{AskError, Handle};
pub use on_tick::OnTick;
pub use published::{Published, Rejected};
pub use start::{ExitReason, Running, StartError, start};

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
    /// What is called behind each tick.
    pub on_tick: OnTick,
}
