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
    sheet.gauge("component_status", "1 for the current status of the component, 0 for every other.", samples)
}
