//! From readings to statuses: what each component is, how often it failed, and when an incident began.

use std::collections::BTreeMap;

use crate::condition::Truth;
use crate::evaluate::component::Component;
use crate::evaluate::scene::{Heard, Scene};
use crate::evaluate::state::{ComponentHealth, Healed, Health, Incident, Try};
use crate::evaluate::world::View;
use crate::model::{ActId, ComponentId, IncidentId, Readings, Record, Span, Status};

/// Healed and failed again in this time is a relapse (a default that experience shows is right).
const RELAPSE: Span = Span::minutes(15);

/// After so many readings without a judgement somebody should know.
const STILL_UNKNOWN: u32 = 4;

impl Scene<'_> {
    /// Takes in one component's fresh readings. Answers whether they count, which they do once in a slot.
    pub(super) fn read(
        &self,
        health: &mut Health,
        id: &ComponentId,
        fresh: Readings,
        heard: &mut Heard,
    ) -> bool {
        let Some(component) = self.components.get(id) else {
            return false;
        };
        let own = health.components.entry(id.clone()).or_default();
        let slot = self.now.slot(self.grid);
        let counts = own.counted != Some(slot) || fresh.occasion.always_counts();
        own.counted = Some(slot);
        own.last = fresh;
        let Some(own) = health.components.get(id) else { return false };
        let status = Self::judge(&View { component, own, all: health, mode: self.mode, now: self.now });
        if let Some(own) = health.components.get_mut(id) {
            self.count(own, id, status, counts, heard);
        }
        if status == Status::Critical {
            self.open_incident(health, id, heard);
        }
        counts
    }

    /// Critical is asked before warn; an Unknown before a True is unknown.
    fn judge(view: &View) -> Status {
        let component = view.component;
        for (condition, status) in [(&component.critical, Status::Critical), (&component.warn, Status::Warn)]
        {
            let Some(condition) = condition else { continue };
            match condition.eval(view) {
                Truth::True => return status,
                Truth::Unknown => return Status::Unknown,
                Truth::False => {}
            }
        }
        Status::Ok
    }

    fn count(
        &self,
        own: &mut ComponentHealth,
        id: &ComponentId,
        status: Status,
        counts: bool,
        heard: &mut Heard,
    ) {
        let step = u32::from(counts);
        match status {
            Status::Ok | Status::Warn => (own.failures, own.unknowns) = (0, 0),
            Status::Critical => (own.failures, own.unknowns) = (own.failures.saturating_add(step), 0),
            Status::Unknown => own.unknowns = own.unknowns.saturating_add(step),
        }
        if status == Status::Unknown && counts && own.unknowns == STILL_UNKNOWN {
            heard.records.push(Record::StillUnknown { component: id.clone(), readings: own.unknowns });
        }
        if own.status != status {
            heard.records.push(Record::StatusChanged {
                component: id.clone(),
                from: own.status,
                to: status,
                failures: own.failures,
                reason: self.reason(own, id, status),
            });
            own.status = status;
            own.since = self.now;
        }
    }

    /// The facts that made the status, for people.
    fn reason(&self, own: &ComponentHealth, id: &ComponentId, status: Status) -> String {
        let facts: Vec<String> = own
            .last
            .facts
            .iter()
            .map(|(fact, reading)| match reading {
                crate::model::Reading::Value(value) => format!("{fact} = {value}"),
                crate::model::Reading::Missing => format!("{fact} is missing"),
                crate::model::Reading::Failed { failed } => format!("{fact} failed: {failed}"),
            })
            .collect();
        let condition = self.components.get(id).and_then(|component| match status {
            Status::Critical => component.critical.as_ref(),
            Status::Warn => component.warn.as_ref(),
            Status::Ok | Status::Unknown => None,
        });
        let because = condition.map(|condition| format!("{}: ", condition.source())).unwrap_or_default();
        format!("{because}{}", facts.join(", "))
    }

    fn open_incident(&self, health: &mut Health, id: &ComponentId, heard: &mut Heard) {
        let Some(own) = health.components.get_mut(id) else { return };
        if own.incident.is_some() {
            return;
        }
        health.last_incident = IncidentId(health.last_incident.0 + 1);
        own.incident = Some(Incident { id: health.last_incident, began: self.now });
        own.history.incident(self.now);
        heard.records.push(Record::IncidentBegun { component: id.clone(), incident: health.last_incident });
        if let Some(Healed { act, at }) = own.healed.take()
            && self.now - at <= RELAPSE
        {
            own.history.relapsed(act);
            heard.records.push(Record::Relapsed { act, component: id.clone() });
        }
    }
}

/// Ends the incident of a component that works and on which no try is open.
pub(super) fn close_incident(
    own: &mut ComponentHealth,
    tries: &BTreeMap<ActId, Try>,
    component: &Component,
    heard: &mut Heard,
) {
    if own.incident.is_none() || !own.status.works() {
        return;
    }
    let id = &component.id;
    if tries.values().any(|open| open.component == *id) {
        return;
    }
    if let Some(Incident { id: incident, began }) = own.incident.take() {
        heard.records.push(Record::IncidentEnded { component: id.clone(), incident, began });
    }
}
