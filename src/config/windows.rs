//! Windows of planned downtime, as files say them.

use crate::config::reader::{Item, Table};
use crate::model::{Span, Window};
use crate::say::Code;

/// No window is longer: the next would begin before it ends.
const LONGEST: Span = Span::minutes(24 * 60);

/// Reads `windows` of a component, each with its place.
pub(super) fn read<'a>(table: &Table<'a>) -> Vec<(Item<'a>, Window)> {
    let items = table.get("windows").map(|item| item.items()).unwrap_or_default();
    items.into_iter().filter_map(|item| one(&item).map(|window| (item, window))).collect()
}

fn one(item: &Item) -> Option<Window> {
    let table = item.table()?;
    let at = table.need("at", "say when it begins, in UTC: `at = \"02:00\"`");
    let lasts = table.need("for", "say how long it lasts: `for = \"1h\"`");
    let days = table.get("days").map(|item| days(&item));
    let why = table.get("why").and_then(|item| item.text().map(str::to_owned));
    table.finish();
    let window = Window {
        at: at.and_then(|item| time_of_day(&item))?,
        lasts: lasts.and_then(|item| length(&item))?,
        days: days.unwrap_or([true; 7]),
        why: why.unwrap_or_else(|| "planned downtime".into()),
    };
    Some(window)
}

fn time_of_day(item: &Item) -> Option<Span> {
    let text = item.text()?;
    let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    let number =
        |text: &str, below: i64| text.parse::<i64>().ok().filter(|number| (0..below).contains(number));
    let found = parts.and_then(|(hour, minute)| Some((number(hour, 24)?, number(minute, 60)?)));
    let Some((hour, minute)) = found else {
        item.error(
            Code::BadValue,
            format!("`{text}` is no time of day"),
            "write hours and minutes in UTC: \"02:00\"",
        );
        return None;
    };
    Some(Span::minutes(hour * 60 + minute))
}

fn length(item: &Item) -> Option<Span> {
    let length = item.length()?;
    if length > LONGEST {
        item.error(
            Code::BadValue,
            "a window is at most a day long",
            "hold it by hand: `grace hold COMPONENT --for 3d`",
        );
        return None;
    }
    Some(length)
}

fn days(item: &Item) -> [bool; 7] {
    if item.items().is_empty() {
        item.error(Code::BadValue, "a window on no day", "name days, or leave `days` out for all of them");
    }
    let named: Vec<String> = item.items().iter().filter_map(|day| day.one_of(&Window::DAYS)).collect();
    Window::DAYS.map(|day| named.iter().any(|named| named == day))
}
