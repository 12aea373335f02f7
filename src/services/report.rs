//! How a component says that it has failed, without waiting to be asked.

use std::fmt;
use std::sync::Arc;

use crate::model::{ComponentId, Record};

/// What there is to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A part of Grace noticed its own failure.
    Failed(ComponentId),
    /// A process ended that nobody had asked to.
    Exited(ComponentId),
    /// Something that the journal should hold.
    Noted(Box<Record>),
}

/// Tells the supervisor.
#[derive(Clone)]
pub struct Reporter(pub Arc<dyn Fn(News) + Send + Sync>);

impl Reporter {
    /// Reports a part's own failure. It must not block: parts call it while they fall apart.
    pub fn report(&self, component: &ComponentId) {
        tracing::warn!(component = component.as_str(), "reports its own failure");
        self.tell(News::Failed(component.clone()));
    }

    /// Tells. It does not block.
    pub fn tell(&self, news: News) {
        (self.0)(news);
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
