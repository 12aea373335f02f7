//! That the ticks go on.

use std::fmt;

use crate::api::metrics::sheet::{NONE, Sheet};
use crate::model::Span;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let last = known.tally.last_tick;
    sheet.counter(
        "ticks",
        "Ticks that stand in the journal, those of earlier starts included.",
        [(NONE, known.state.tick)],
    )?;
    sheet.counter(
        "ticks_missed",
        "Ticks of the grid that were missed since the start because others took too long.",
        [(NONE, known.overruns)],
    )?;
    sheet.seconds(
        "tick_interval",
        "How long a slot of the grid is: so often comes a tick.",
        known.bundle.system.interval.as_seconds(),
    )?;
    sheet.seconds(
        "last_tick_timestamp",
        "When the last tick was written into the journal; 0 before the first of this start.",
        last.map_or(0.0, |tick| Span(tick.at.0).as_seconds()),
    )?;
    sheet.seconds(
        "last_tick_duration",
        "How long the last tick took until it stood in the journal, waiting for probes included.",
        last.map_or(0.0, |tick| tick.took.as_secs_f64()),
    )
}
