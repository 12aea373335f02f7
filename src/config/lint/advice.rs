//! Recommendations that can come to nothing: a change that no file can take, a review before anything was seen.

use std::collections::BTreeSet;

use crate::config::draft::Draft;
use crate::config::lint::{Placed, Set, brakes, warn};
use crate::config::reader::Item;
use crate::evaluate::{Rule, What};
use crate::model::{Change, Value};
use crate::say::{Code, suggest};

/// What stands beside the recommendations of a rule that looks at healings.
pub(super) fn rule(set: &Set, placed: &Placed) {
    for (act, item) in placed.acts() {
        let What::Recommend(_, Some(counsel)) = &act.what else { continue };
        let beside = |key| item.table().and_then(|table| table.get(key));
        if let Some(review) = beside("review").filter(|_| counsel.review < set.system.interval) {
            brakes::below_tick(set, &review, &format!("a review after {}", counsel.review));
        }
        if let (Some(Change::Threshold { name, factor }), Some(item)) = (&counsel.change, beside("change")) {
            threshold(set, &item, name, *factor);
        }
    }
}

/// Is there a number of this name to change, in a file with a rule that heals?
fn threshold(set: &Set, item: &Item, name: &str, factor: f64) {
    let known = numbers(set);
    if set.whole && !known.contains(name) {
        let message = format!("no file with a rule that heals has a number `threshold.{name}`");
        warn(item, Code::FutileChange, message, suggest(name, known.iter().copied()));
    } else if (factor - 1.0).abs() < f64::EPSILON {
        warn(item, Code::FutileChange, "`* 1` changes nothing", "write another factor, such as `* 1.5`");
    }
}

/// The thresholds that are numbers, in all files with a rule that heals.
fn numbers<'s>(set: &'s Set) -> BTreeSet<&'s str> {
    let rules = set.components.values().flat_map(|component| &component.rules);
    let healing: BTreeSet<&str> = rules.filter(|rule| rule.heals()).map(|rule: &Rule| &*rule.file).collect();
    let heals = |draft: &&Draft| draft.rules.iter().any(|(.., table)| healing.contains(&**table.file.name));
    let thresholds = set.drafts.iter().filter(heals).flat_map(|draft| &draft.thresholds);
    thresholds
        .filter(|(_, value)| matches!(value, Value::Int(_) | Value::Float(_)))
        .map(|(name, _)| name.as_str())
        .collect()
}
