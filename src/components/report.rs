//! How a part says that it has failed, without waiting to be asked.

use std::fmt;
use std::sync::Arc;

use crate::model::ComponentId;

/// Tells the supervisor that a component noticed its own failure.
#[derive(Clone)]
pub struct Reporter(pub Arc<dyn Fn(ComponentId) + Send + Sync>);

impl Reporter {
    /// Reports. It must not block: parts call it while they fall apart.
    pub fn report(&self, component: &ComponentId) {
        tracing::warn!(component = component.as_str(), "reports its own failure");
        (self.0)(component.clone());
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
