//! Which files are in use, and whether those that were saved last are. The names are those of Prometheus' own.

use std::fmt;

use crate::api::metrics::sheet::{NONE, Sheet};
use crate::model::Span;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let (tally, rejected) = (&known.tally, known.rejected.as_ref());
    sheet.info(
        "generation",
        "The active generation: its digest, and the entry of the journal that made it active.",
        &[("digest", known.bundle.generation.as_str()), ("entry", &tally.activated.to_string())],
    )?;
    sheet.gauge(
        "config_last_reload_successful",
        "Whether the files are in use (1), or were refused and are not mended yet (0).",
        [(NONE, i64::from(rejected.is_none()))],
    )?;
    sheet.seconds(
        "config_last_reload_success_timestamp",
        "When files were accepted last, at the start or later; 0 when none were since the start.",
        tally.reloads.last_success.map_or(0.0, |at| Span(at.0).as_seconds()),
    )?;
    sheet.gauge(
        "config_rejected_diagnostics",
        "How many problems the refused files have; 0 when the files are in use.",
        [(NONE, rejected.map_or(0, |rejected| i64::try_from(rejected.problems.len()).unwrap_or(i64::MAX)))],
    )?;
    sheet.counter(
        "config_reloads",
        "Sets of files, saved or read at a SIGHUP, that were accepted or rejected since the start.",
        [
            ([("result", "accepted")], tally.reloads.accepted),
            ([("result", "rejected")], tally.reloads.rejected),
        ],
    )
}
