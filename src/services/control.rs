//! The small trait that everything kept healthy stands behind: ask for facts, start, stop, scale.
//!
//! Probes and hands know only this face, so that a real service is healed like a part of Grace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use futures_util::future::BoxFuture;
use thiserror::Error;

use crate::model::{ComponentId, Reading};

/// What can be asked of a component and done to it.
///
/// Every call ends: facts within the time they are given, the rest in bounded time. Starting what runs and
/// stopping what stands still is no error, so that a try interrupted in its middle can be repeated.
pub trait Control: Send + Sync {
    /// The facts, named as in the probe kind's schema. The target's silence is a fact; `Missing` means that
    /// Grace could not look.
    fn facts(&self, within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>>;

    /// Could it be started? Asked before it is stopped: what runs badly is better than what cannot start again.
    fn check(&self) -> BoxFuture<'_, Result<(), ControlError>> {
        Box::pin(async { Ok(()) })
    }

    /// Starts it, with this many workers where it has workers. The text is for people.
    fn start(&self, workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>>;

    /// Stops it.
    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>>;

    /// Restarts it in one go, where it knows how to; nothing where a restart is a stop and a start.
    fn restart(&self) -> Option<BoxFuture<'_, Result<String, ControlError>>> {
        None
    }

    /// Asks its own status command, where it has one.
    fn status(&self) -> Option<BoxFuture<'_, Result<Ran, String>>> {
        None
    }

    /// So many workers it can have; nothing where it has none that could be more or fewer.
    fn most_workers(&self) -> Option<u32> {
        None
    }

    /// Gives it this many workers.
    fn scale(&self, workers: u32) -> BoxFuture<'_, Result<String, ControlError>>;
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code, 128 and more for a signal; nothing where it did not end in its time.
    pub code: Option<i32>,
    /// What it said, without secrets.
    pub output: String,
    /// What it complained of, without secrets.
    pub errors: String,
    /// How long it took, or how long was waited in vain.
    pub took: Duration,
}

/// Why a control did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ControlError {
    /// The component has nothing of that kind.
    #[error("{component} cannot {what}")]
    NotSupported {
        /// The component.
        component: ComponentId,
        /// What was asked.
        what: &'static str,
    },
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
}

/// Finds the control of a component. Tests give hostile doubles through it.
pub trait Controls: Send + Sync {
    /// The component's control, if there is such a component.
    fn control(&self, component: &ComponentId) -> Option<Arc<dyn Control>>;
}

impl Controls for BTreeMap<ComponentId, Arc<dyn Control>> {
    fn control(&self, component: &ComponentId) -> Option<Arc<dyn Control>> {
        self.get(component).cloned()
    }
}
