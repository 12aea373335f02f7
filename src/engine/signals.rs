//! Signals of an attack, and what is frozen with them: an entry says what was known when it was written.

use crate::engine::run::Run;
use crate::model::{Act, By, ComponentId, Known, Meaning, Proposal, Record, Span};

/// Events of this family are evidence.
const SECURITY: &str = "security.";

/// So far back go the incidents and signals that are told: as far as history is kept.
const DAY: Span = Span::minutes(24 * 60);

impl Run<'_> {
    /// Remembers the signal that is announced, if it is one. What is about Grace herself is about everything. Of a component
    /// whose downtime is planned it is told, and is none: an upgrade looks like that.
    pub(super) fn note_signal(&mut self, proposal: &Proposal) {
        let Act::Event { event, component } = &proposal.act else { return };
        if self.meaning < Meaning::SIGNALS {
            return;
        }
        let own = self.bundle.components.get(component);
        let everywhere = own.is_some_and(crate::evaluate::Component::is_guard);
        let is_planned = self.meaning >= Meaning::VOTES && own.is_some_and(|own| self.is_planned(own));
        if is_planned && !everywhere {
            return;
        }
        self.state.health.signals.note(event, component, everywhere, self.desk.now);
    }

    /// Freezes what is known with the security events and blocks among the newest entries.
    pub(super) fn freeze(&mut self, since: usize) {
        if self.meaning < Meaning::SIGNALS {
            return;
        }
        let (records, health, now) = (&mut self.records, &self.state.health, self.desk.now);
        let known_of = |id: &ComponentId| {
            let own = health.components.get(id)?;
            Some(Box::new(Known {
                status: own.status,
                facts: own.last.facts.clone(),
                incidents: own.history.incidents(now, DAY),
                signals: health.signals.kinds(id, now, DAY).into_iter().map(str::to_owned).collect(),
            }))
        };
        for record in records.iter_mut().skip(since) {
            match record {
                Record::Announced { event, component, known, .. } if event.starts_with(SECURITY) => {
                    *known = known_of(component);
                }
                Record::Blocked { component, by: By::Rule { .. }, known, .. } => *known = known_of(component),
                _ => {}
            }
        }
    }
}
