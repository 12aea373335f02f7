//! From readings to statuses: what each component is, how often it failed, and when an incident began.

use std::collections::BTreeMap;

use crate::condition::Truth;
use crate::evaluate::component::Component;
use crate::evaluate::scene::{Foreseen, Heard, Scene};
use crate::evaluate::state::{ComponentHealth, Incident, Try};
use crate::model::{ActId, ComponentId, Facts, IncidentId, Reading, Readings, Record, Status};

/// After so many readings without a judgement somebody should know.
const STILL_UNKNOWN: u32 = 4;

impl Scene<'_> {
    /// Takes in one component's fresh readings. Answers whether they count, which they do once in a slot. An incident that is
    /// planned, or that is there at the first look of all or behind a start, begins like any other, and is no failure that
    /// history counts.
    pub(super) fn read(
        &self,
        component: &Component,
        own: &mut ComponentHealth,
        fresh: &Readings,
        foreseen: Option<&Foreseen>,
        (last_incident, heard): (&mut IncidentId, &mut Heard),
    ) -> bool {
        // What was never looked at may never have run, and what stopped while Grace was away stopped nobody knows when.
        let is_first = own.counted.is_none() || own.unseen;
        let is_no_failure =
            foreseen.is_some_and(|foreseen| is_first || foreseen.planned.contains(&component.id));
        let is_quiet = foreseen.is_some_and(|foreseen| foreseen.silenced.contains(&component.id));
        if is_first && foreseen.is_some() {
            // Nor is it known of what came back while nobody looked.
            own.eased.clear();
        }
        let slot = self.now.slot(self.grid);
        let counts = own.counted != Some(slot) || fresh.occasion.always_counts();
        own.counted = Some(slot);
        own.last.clone_from(fresh);
        own.last.facts.name_by(&component.names);
        let status = component.judge(&own.last.facts);
        own.unseen &= status == Status::Unknown;
        self.count(own, component, status, counts, heard);
        if status == Status::Critical {
            self.open_incident(own, &component.id, (is_no_failure, is_quiet), (last_incident, heard));
        }
        counts
    }

    fn count(
        &self,
        own: &mut ComponentHealth,
        component: &Component,
        status: Status,
        counts: bool,
        heard: &mut Heard,
    ) {
        let id = &component.id;
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
                reason: reason(own, component, status),
            });
            own.status = status;
            own.since = self.now;
        }
    }

    fn open_incident(
        &self,
        own: &mut ComponentHealth,
        id: &ComponentId,
        (is_no_failure, is_quiet): (bool, bool),
        (last, heard): (&mut IncidentId, &mut Heard),
    ) {
        if own.incident.is_some() {
            return;
        }
        *last = IncidentId(last.0 + 1);
        own.incident = Some(Incident { id: *last, began: self.now });
        heard.records.push(Record::IncidentBegun { component: id.clone(), incident: *last });
        if is_no_failure {
            return;
        }
        own.history.incident(self.now, is_quiet);
        if let Some(act) = own.failed_again(self.now) {
            heard.records.push(Record::Relapsed { act, component: id.clone() });
        }
    }
}

impl Component {
    /// How the component is that reads this: its status sees its own facts and nothing else. Critical is asked before
    /// warn; an Unknown before a True is unknown.
    #[must_use]
    pub fn judge(&self, facts: &Facts) -> Status {
        for (condition, status) in [(&self.critical, Status::Critical), (&self.warn, Status::Warn)] {
            match condition.as_ref().map_or(Truth::False, |condition| condition.eval(facts)) {
                Truth::True => return status,
                Truth::Unknown => return Status::Unknown,
                Truth::False => {}
            }
        }
        Status::Ok
    }
}

/// The facts that made the status, for people.
fn reason(own: &ComponentHealth, component: &Component, status: Status) -> String {
    let facts: Vec<String> = own
        .last
        .facts
        .iter()
        .map(|(fact, reading)| match reading {
            Reading::Value(value) => format!("{fact} = {value}"),
            Reading::Missing => format!("{fact} is missing"),
            Reading::Failed { failed } => format!("{fact} failed: {failed}"),
        })
        .collect();
    let condition = match status {
        Status::Critical => component.critical.as_ref(),
        Status::Warn => component.warn.as_ref(),
        Status::Ok | Status::Unknown => None,
    };
    let because = condition.map(|condition| format!("{}: ", condition.source())).unwrap_or_default();
    format!("{because}{}", facts.join(", "))
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
