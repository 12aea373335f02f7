//! What figures have to know of a generation, read without compiling it: it may be one of a year ago, which this Grace
//! would no longer accept.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::figures::Terms;
use crate::model::{ModeId, Span};

/// The grid where nothing is said.
const INTERVAL: Span = Span::seconds(30);

#[derive(Default, Deserialize)]
struct System {
    interval: Option<String>,
}

#[derive(Default, Deserialize)]
struct Modes {
    #[serde(default)]
    mode: BTreeMap<String, Mode>,
}

#[derive(Deserialize)]
struct Mode {
    rank: i64,
}

/// The grid, and the mode while none is claimed. What cannot be read is as if nothing was said.
#[must_use]
pub fn terms(files: &BTreeMap<String, String>) -> Terms {
    let interval = read::<System>(files, "policies/system.toml").interval;
    let grid = interval.and_then(|text| super::duration(&text)).filter(|grid| grid.0 > 0);
    let modes = read::<Modes>(files, "policies/modes.toml").mode;
    let lowest = modes.iter().min_by_key(|(_, mode)| mode.rank);
    Terms { grid: grid.unwrap_or(INTERVAL), lowest: lowest.map(|(name, _)| ModeId::from(name.as_str())) }
}

fn read<T: Default + for<'d> Deserialize<'d>>(files: &BTreeMap<String, String>, name: &str) -> T {
    files.get(name).and_then(|text| toml::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_and_the_lowest_mode_are_found_and_what_cannot_be_read_is_as_nothing() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let said = BTreeMap::from([
            file("policies/system.toml", "interval = \"10s\"\nretention = \"90days\""),
            file(
                "policies/modes.toml",
                "initial = \"b\"\nmode.b = { rank = 4, permits = [] }\nmode.a = { rank = 7 }",
            ),
        ]);
        assert_eq!(terms(&said), Terms { grid: Span::seconds(10), lowest: Some("b".into()) });
        let nothing = Terms { grid: INTERVAL, lowest: None };
        let broken = BTreeMap::from([
            file("policies/system.toml", "interval = "),
            file("policies/modes.toml", "mode = 3"),
        ]);
        assert_eq!(terms(&BTreeMap::new()), nothing);
        assert_eq!(terms(&broken), nothing);
    }
}
