//! Windows of planned downtime that hold nothing, or for ever.

use crate::config::draft::Draft;
use crate::config::lint::brakes::below_tick;
use crate::config::lint::{Set, warn};
use crate::config::reader::Item;
use crate::model::{Span, Window};
use crate::say::Code;

/// A whole day.
const DAY: Span = Span::minutes(24 * 60);

/// Every window of every component.
pub(super) fn check(set: &Set) {
    let all = set
        .drafts
        .iter()
        .flat_map(|draft| draft.windows.iter().zip(&draft.window_items).map(move |one| (draft, one)));
    for (draft, (window, item)) in all {
        look(set, draft, window, item);
    }
}

fn look(set: &Set, draft: &Draft, window: &Window, item: &Item) {
    let lasts = item.table().and_then(|table| table.get("for"));
    let place = lasts.as_ref().unwrap_or(item);
    if window.lasts < set.system.interval {
        below_tick(set, place, &format!("a window of {}", window.lasts));
    }
    if window.lasts >= DAY && window.days == [true; 7] {
        let message = format!(
            "this window is always open: `{}` is held for ever, and none of its rules does anything",
            draft.id
        );
        warn(place, Code::NothingAllows, message, "give it a shorter `for`, or name `days`");
    }
}
