//! How long components were how.

use std::fmt;

use crate::api::metrics::sheet::{NONE, Sheet};
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let Some(figures) = &known.figures else { return Ok(()) };
    let all = || figures.components.iter();
    let times = all().flat_map(|(id, (total, _))| {
        let spent = &total.spent;
        [
            ("ok", spent.ok),
            ("warn", spent.warn),
            ("critical", spent.critical),
            ("unknown", spent.unknown),
            ("planned", spent.planned),
        ]
        .map(|(word, time)| ([("component", id.as_str()), ("status", word)], time.as_seconds()))
    });
    sheet.amount(
        "component",
        "How long the component was how, up to the last tick; planned is critical while a person held it.",
        times,
    )?;
    sheet.amount(
        "unobserved",
        "How long Grace did not look: stopped, crashed, or too late by several grids.",
        [(NONE, figures.unobserved.as_seconds())],
    )?;
    sheet.gauge(
        "component_consecutive_failures",
        "How often the component failed in a row now.",
        all().map(|(id, (_, failures))| ([("component", id.as_str())], i64::from(*failures))),
    )
}
