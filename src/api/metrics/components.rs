//! How the components are.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::model::Status;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let seen = &known.state.health.components;
    let samples = known.bundle.components.keys().flat_map(|id| {
        let now = seen.get(id).map_or(Status::Unknown, |own| own.status);
        Status::ALL
            .map(|status| ([("component", id.as_str()), ("status", status.word())], i64::from(status == now)))
    });
    sheet.gauge(
        "component_status",
        "1 for the current status of the component, 0 for every other.",
        samples,
    )?;
    let holds = &known.state.governed.holds;
    let held = known.bundle.components.keys().map(|id| {
        let holds = holds.iter().any(|hold| hold.component.as_ref().is_none_or(|held| held == id));
        ([("component", id.as_str())], i64::from(holds))
    });
    sheet.gauge("component_held", "1 while a person or a window holds the component, or all are held.", held)
}
