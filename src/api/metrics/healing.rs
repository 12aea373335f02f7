//! What was tried, and what became of it.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::model::Outcome;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let tries = &known.tally.tries;
    // Those that never happened are there as well: a first one is seen as a rise.
    let ended = known.bundle.components.keys().flat_map(|id| {
        let own = tries.get(id);
        Outcome::ENDS.map(|outcome| {
            let count = own.and_then(|own| own.ended.get(&outcome)).copied().unwrap_or(0);
            ([("component", id.as_str()), ("outcome", outcome.word())], count)
        })
    });
    sheet.counter(
        "healing_actions",
        "Tries of rules and people to heal the component that ended since the start, by what later readings say of them.",
        ended,
    )?;
    let relapsed = known.bundle.components.keys().map(|id| {
        let count = tries.get(id).map_or(0, |own| own.relapsed);
        ([("component", id.as_str())], count)
    });
    sheet.counter(
        "healing_relapses",
        "Tries that ended as healed since the start, and the component failed again soon after.",
        relapsed,
    )
}
