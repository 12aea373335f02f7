//! Hands that are others than those that were recorded: a component with another control. What it reads is what was recorded
//! until something is done to it; whether that would have helped, nobody knows.

use crate::engine::Bundle;
use crate::model::{Proposal, Time};
use crate::replay::simulate::record::healed;
use crate::replay::simulate::share::Known;
use crate::replay::simulate::twin::Twin;

impl Twin<'_> {
    /// Holds the controls against those of the rules that are active from now on.
    pub(super) fn hold_controls(&mut self, active: &Bundle) {
        for (id, component) in &self.bundle.components {
            let other = active.components.get(id).is_some_and(|active| active.control != component.control);
            if let Some(part) = self.parts.get_mut(id) {
                part.other_hand = other;
            }
        }
    }

    /// An act that the record has as well: what it says of its end is true of the recorded hand.
    pub(super) fn do_otherwise(&mut self, proposal: &Proposal, now: Time) {
        let part = healed(proposal).and_then(|of| self.parts.get_mut(of));
        let Some(part) = part.filter(|part| part.other_hand) else { return };
        self.apart = true;
        let action = proposal.act.label();
        part.part((self.tick, now), Known::Unknown, || {
            format!("{action} by another `control` than in the record")
        });
    }
}
