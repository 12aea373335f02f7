//! The injected faults of the database, felt by each call on the database's own thread.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::DatabaseError;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// Nothing.
    #[default]
    None,
    /// The connection is lost.
    Down,
    /// Each call takes so much longer.
    Slow(Duration),
    /// Writes fail.
    FailWrites,
}

/// The fault that is in force.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    kind: Mutex<Kind>,
    changed: Condvar,
}

impl Trouble {
    /// Begins or ends a fault; calls that are being slowed feel the change at once.
    pub(crate) fn set(&self, kind: Kind) {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind;
        self.changed.notify_all();
    }

    /// What a call feels before it is done.
    pub(crate) fn feel(&self, writes: bool) -> Result<(), DatabaseError> {
        let kind = self.kind.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *kind;
        let now = match before {
            Kind::Slow(by) => {
                let slept = self.changed.wait_timeout_while(kind, by, |kind| *kind == before);
                *slept.unwrap_or_else(PoisonError::into_inner).0
            }
            _ => before,
        };
        match now {
            Kind::Down => Err(DatabaseError::Lost),
            Kind::FailWrites if writes => Err(DatabaseError::Sqlite("disk I/O error (injected)".into())),
            _ => Ok(()),
        }
    }
}
