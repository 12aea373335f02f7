//! What the meta-loop recommends, and what came of it.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let known = &known.state.recommendations;
    let open = |accepted: bool| known.open.values().filter(move |open| open.accepted == accepted).count();
    let states = [("open", open(false)), ("accepted", open(true))];
    sheet.gauge(
        "recommendations",
        "Recommendations that are not reviewed yet.",
        states.map(|(state, count)| ([("state", state)], i64::try_from(count).unwrap_or(i64::MAX))),
    )?;
    let hits = known.hits;
    let verdicts = [
        ("helped", hits.helped),
        ("did_not_help", hits.did_not_help),
        ("made_it_worse", hits.made_it_worse),
        ("not_enough_data", hits.not_enough_data),
    ];
    sheet.counter(
        "recommendations_reviewed",
        "Recommendations that were accepted and reviewed, by what came of them.",
        verdicts.map(|(verdict, count)| ([("verdict", verdict)], u64::from(count))),
    )
}
