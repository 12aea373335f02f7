//! Who wants to know that the ticks go on.

use std::fmt;
use std::sync::Arc;

/// Is called behind each tick that stands in the journal. A supervisor that hangs, or cannot write, calls nobody:
/// so silence means that Grace does not do her work, whatever else of her still answers.
#[derive(Clone, Default)]
pub struct OnTick(Option<Arc<dyn Fn() + Send + Sync>>);

impl OnTick {
    /// Has `call` called, on the supervisor's own thread: it must not wait for anything.
    pub fn new(call: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(call)))
    }

    pub(super) fn call(&self) {
        if let Some(call) = &self.0 {
            call();
        }
    }
}

impl fmt::Debug for OnTick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "OnTick(..)" } else { "OnTick(nobody)" })
    }
}
