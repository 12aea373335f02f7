//! What was tried, and what became of it.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::model::Outcome;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let Some(figures) = &known.figures else { return Ok(()) };
    let all = || figures.components.iter().map(|(id, (total, _))| ([("component", id.as_str())], total));
    // Those that never happened are there as well: a first one is seen as a rise.
    let ended = all().flat_map(|([component], total)| {
        let word = move |outcome: &Outcome| [component, ("outcome", outcome.word())];
        Outcome::ENDS.iter().map(word).zip(total.ended)
    });
    sheet.counter(
        "healing_actions",
        "Tries of rules and people to heal the component that ended, by what later readings say of them.",
        ended,
    )?;
    sheet.counter(
        "healing_relapses",
        "Tries that ended as healed, and what they healed was there again soon after.",
        all().map(|(labels, total)| (labels, total.relapsed)),
    )?;
    let downtime = all().flat_map(|([component], total)| {
        [("caused", total.caused), ("ended", total.relieved)]
            .map(|(word, length)| ([component, ("tries", word)], length.as_seconds()))
    });
    sheet.amount(
        "healing_downtime",
        "Downtime that tries caused on what worked when they began, and downtime that tries ended.",
        downtime,
    )
}
