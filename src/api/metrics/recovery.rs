//! Incidents, and how long they took.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::figures::BOUNDS;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let Some(figures) = &known.figures else { return Ok(()) };
    let all = || figures.components.iter().map(|(id, (total, _))| ([("component", id.as_str())], total));
    sheet.counter(
        "incidents",
        "Incidents that began.",
        all().map(|(labels, total)| (labels, total.incidents)),
    )?;
    let ends = BOUNDS.iter().map(|bound| bound.as_seconds()).chain([f64::INFINITY]);
    let lengths = all().map(|(labels, total)| {
        (labels, total.recovery.as_seconds(), ends.clone().zip(total.recoveries).collect())
    });
    sheet.lengths(
        "incident_recovery",
        "From an incident's begin until the component was verified well, without what a person held.",
        lengths,
    )
}
