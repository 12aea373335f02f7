//! When the heartbeat is sent: behind a tick that stands in the journal, and never else. So silence means that Grace does not do
//! her work, whatever of her still answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

use crate::act;
use crate::model::{Heartbeat, Span, Time};

/// Sends it, and remembers when it did.
#[derive(Debug, Default)]
pub(super) struct Heart {
    last: Option<Time>,
    way: Arc<Way>,
}

/// One on the way, and how the last one went.
#[derive(Debug, Default)]
struct Way {
    busy: AtomicBool,
    complained: AtomicBool,
}

/// A tick that comes a little early is not waited for again.
const EARLY: Span = Span(500);

impl Heart {
    /// A tick stands in the journal. It waits for nothing: one that is still on the way is not overtaken by another.
    pub(super) fn beat(&mut self, heart: Option<&Heartbeat>, now: Time, runtime: &Handle) {
        let Some(heart) = heart else { return };
        if self.last.is_some_and(|last| now + EARLY - last < heart.every)
            || self.way.busy.swap(true, Ordering::AcqRel)
        {
            return;
        }
        self.last = Some(now);
        let (heart, way) = (heart.clone(), Arc::clone(&self.way));
        runtime.spawn(async move {
            let told = act::beat(&heart).await;
            way.says(told);
            way.busy.store(false, Ordering::Release);
        });
    }
}

impl Way {
    /// That it fails is said once, and once that it works again.
    fn says(&self, told: Result<(), String>) {
        let complained = self.complained.swap(told.is_err(), Ordering::AcqRel);
        match told {
            Err(why) if !complained => {
                tracing::warn!("no heartbeat could be sent: {why}; everything else goes on");
            }
            Err(why) => tracing::debug!("no heartbeat could be sent: {why}"),
            Ok(()) if complained => tracing::info!("heartbeats are sent again"),
            Ok(()) => {}
        }
    }
}
