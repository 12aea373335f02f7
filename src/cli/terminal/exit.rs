//! Exit codes: what a script goes by.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::cli) enum Exit {
    /// All is well.
    Clean = 0,
    /// It worked, and there is something to look at: invalid, failed, unhealthy.
    Findings = 1,
    /// It was not asked as it should be, or the input cannot be read.
    Usage = 2,
    /// Nobody answers on the socket.
    Unreachable = 3,
    /// Mode, policy or budget say no.
    Refused = 4,
    /// Somebody has to approve it first.
    Waiting = 5,
    /// It did not end in time; it may still.
    TimedOut = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
