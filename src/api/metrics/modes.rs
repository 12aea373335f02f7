//! Which mode it is, how long it was which, and how often it moved.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::model::{ModeId, Span};
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let now = &known.state.governed.mode;
    let modes = || known.bundle.policies.modes.modes.keys();
    sheet.gauge(
        "mode",
        "1 for the current mode, 0 for every other that is declared.",
        modes().map(|mode| ([("mode", mode.as_str())], i64::from(mode == now))),
    )?;
    let Some(figures) = &known.figures else { return Ok(()) };
    let time = |mode: &ModeId| figures.modes.get(mode).copied().unwrap_or(Span::ZERO).as_seconds();
    sheet.amount(
        "mode",
        "How long it was this mode, up to the last tick; while Grace did not look it was none.",
        modes().map(|mode| ([("mode", mode.as_str())], time(mode))),
    )?;
    let edges = modes().flat_map(|from| modes().filter(move |to| from != *to).map(move |to| (from, to)));
    let count =
        |from: &ModeId, to| figures.moves.get(from).and_then(|to_all| to_all.get(to)).copied().unwrap_or(0);
    sheet.counter(
        "mode_transitions",
        "How often the mode moved from one to another.",
        edges.map(|(from, to)| ([("from", from.as_str()), ("to", to.as_str())], count(from, to))),
    )
}
