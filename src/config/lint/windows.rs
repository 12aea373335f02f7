//! Windows of planned downtime that hold nothing, or for ever.

use crate::config::draft::Draft;
use crate::config::lint::brakes::below_tick;
use crate::config::lint::{Set, warn};
use crate::config::reader::Item;
use crate::model::{Span, Window};
use crate::say::Code;

/// A whole day.
const DAY: Span = Span::minutes(24 * 60);

/// Windows come again every week.
const WEEK: Span = Span(7 * DAY.0);

/// Every window of every component.
pub(super) fn check(set: &Set) {
    for draft in set.drafts {
        let all: Vec<(&Window, &Item)> = draft.windows.iter().zip(&draft.window_items).collect();
        for (window, item) in &all {
            look(set, draft, window, item);
        }
        if let [.., (_, last)] = &all[..]
            && !draft.windows.iter().any(|window| is_always_open(&[window]))
            && is_always_open(&all.iter().map(|(window, _)| *window).collect::<Vec<_>>())
        {
            let message = format!(
                "with the windows before it this one leaves no time out: `{}` is held for ever, and none of its rules does \
                 anything",
                draft.id
            );
            warn(last, Code::NothingAllows, message, "leave a time in which none of them is open");
        }
    }
}

fn look(set: &Set, draft: &Draft, window: &Window, item: &Item) {
    let lasts = item.table().and_then(|table| table.get("for"));
    let place = lasts.as_ref().unwrap_or(item);
    if window.lasts < set.system.interval {
        below_tick(set, place, &format!("a window of {}", window.lasts));
    }
    if is_always_open(&[window]) {
        let message = format!(
            "this window is always open: `{}` is held for ever, and none of its rules does anything",
            draft.id
        );
        warn(place, Code::NothingAllows, message, "give it a shorter `for`, or name `days`");
    }
}

/// Is at every moment of the week one of them open?
fn is_always_open(windows: &[&Window]) -> bool {
    let begins = windows.iter().flat_map(|window| {
        let days = (0..).zip(window.days).filter(|(_, on)| *on);
        days.map(|(day, _)| (DAY.0 * day + window.at.0, window.lasts.0))
    });
    // What begins late on Sunday reaches into Monday.
    let mut open: Vec<(i64, i64)> = begins
        .flat_map(|(begin, lasts)| [begin - WEEK.0, begin].map(|begin| (begin, begin + lasts)))
        .collect();
    open.sort_unstable();
    let open_until =
        open.into_iter().fold(0, |until, (begin, end)| if begin <= until { end.max(until) } else { until });
    open_until >= WEEK.0
}
