//! Probes and ticks that are others than those that were recorded, and facts that the record does not have: what would have been
//! read, and when, nobody knows.

use crate::engine::{Bundle, Input};
use crate::evaluate::Component;
use crate::model::{ComponentId, FactId, Span, Time};
use crate::replay::probes::{Other, others};
use crate::replay::simulate::share::Known;
use crate::replay::simulate::twin::Twin;

impl Twin<'_> {
    /// Holds the probes against those of the rules that were active, from this tick on.
    pub(super) fn hold_probes(&mut self, active: &Bundle, place: (u64, Time)) {
        self.recorded_grid = Some(active.system.interval);
        for (id, component) in &self.bundle.components {
            let Some(why) = active.components.get(id).and_then(|active| other(component, active)) else {
                continue;
            };
            self.apart = true;
            if let Some(part) = self.parts.get_mut(id) {
                part.part(place, Known::Unknown, || why);
            }
        }
    }

    /// Holds the grid of the ticks against the recorded one. Where a flag of the daemon sets it, no file does.
    pub(super) fn hold_grid(&mut self, input: &Input) {
        let Some(recorded) = self.recorded_grid.take() else { return };
        let own = self.bundle.system.interval;
        if own == recorded || input.grid.is_some_and(|grid| grid != recorded) {
            return;
        }
        self.apart = true;
        for part in self.parts.values_mut() {
            part.part((input.tick, input.now), Known::Unknown, || grid(own, recorded));
        }
    }

    /// A component is read for the first time.
    pub(super) fn meet(&mut self, id: &ComponentId, input: &Input) {
        self.unseen.remove(id);
        let (Some(part), Some(component)) = (self.parts.get_mut(id), self.bundle.components.get(id)) else {
            return;
        };
        part.seen = true;
        if self.counts {
            part.shares.begin(input.now);
        }
        let read = input.snapshot.get(id).map(|fresh| &fresh.facts);
        let lacks = |fact: &&FactId| read.is_none_or(|read| !read.contains_key(fact));
        part.unrecorded = component.facts.keys().filter(lacks).cloned().collect();
        if !part.unrecorded.is_empty() {
            part.part((self.tick, input.now), Known::Unknown, || "facts that were not recorded".into());
            self.apart = true;
        }
    }
}

fn grid(own: Span, recorded: Span) -> String {
    format!("a look every {own}, and every {recorded} in the record")
}

/// The first probe that is another one.
fn other(own: &Component, active: &Component) -> Option<String> {
    let (name, other) = others(own, active).next()?;
    Some(match other {
        Other::Kind => format!("probe `{name}` is another one than in the record"),
        Other::Timeout(own, recorded) => {
            format!("probe `{name}` has {own} instead of the recorded {recorded}")
        }
    })
}
