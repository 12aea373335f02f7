//! Everything that can be looked at and acted upon: Grace's own parts, and the services of the generation.

use std::sync::Arc;

use crate::components::Components;
use crate::engine::Bundle;
use crate::model::ComponentId;
use crate::services::{Control, Controls, Declared, Services};

/// Both, behind one face.
pub(super) struct Reach {
    pub(super) components: Arc<Components>,
    pub(super) services: Services,
}

impl Controls for Reach {
    fn control(&self, component: &ComponentId) -> Option<Arc<dyn Control>> {
        self.components.control(component).or_else(|| self.services.control(component))
    }
}

/// What a generation says of its services.
pub(super) fn declared(bundle: &Bundle) -> Declared {
    let of = |component: &crate::evaluate::Component| {
        let control = component.control.clone()?;
        Some((component.id.clone(), (control, component.workers.unwrap_or(1))))
    };
    bundle.components.values().filter_map(of).collect()
}
