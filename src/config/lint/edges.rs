//! Edges between modes that say nothing: to the mode itself, twice, or beside one that leads everywhere.

use std::collections::BTreeSet;

use crate::config::lint::{Set, warn};
use crate::config::reader::Table;
use crate::say::Code;

/// Looks at every edge as it is written.
pub(super) fn check(set: &Set) {
    let modes = (set.root)("policies/modes.toml").and_then(|root| root.table("mode"));
    for (name, _, item) in modes.iter().flat_map(Table::named) {
        let Some(to) = item.table().and_then(|table| table.table("to")) else { continue };
        for key in ["rule", "person"] {
            let Some(edges) = to.get(key).map(|item| item.texts()) else { continue };
            let everywhere = edges.iter().any(|(_, word)| *word == "*");
            let mut seen = BTreeSet::new();
            for (place, word) in edges {
                let message = if word == name {
                    format!("`{name}` need not lead to itself")
                } else if !seen.insert(word) {
                    format!("`{word}` stands here twice")
                } else if everywhere && word != "*" {
                    format!("`*` leads to `{word}` already")
                } else {
                    continue;
                };
                warn(&place, Code::DeadEdge, message, "leave it out");
            }
        }
    }
}
