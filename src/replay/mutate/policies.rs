//! Mutants of the policy files.

use std::collections::BTreeSet;

use crate::config::reader::{Item, Table};
use crate::engine::Bundle;
use crate::model::ModeId;
use crate::replay::mutate::Made;
use crate::replay::mutate::edit::with_comma;

pub(super) fn governance(root: &Table, made: &mut Made) {
    for (_, _, item) in root.table("policy").iter().flat_map(Table::named) {
        item.table().into_iter().for_each(|table| policy(&table, made));
    }
}

fn policy(table: &Table, made: &mut Made) {
    for (name, place, item) in table.named() {
        match name {
            "when" => {
                made.condition(&item);
                made.remove(place.start..item.span.end);
            }
            "expires" => made.scale(&item),
            "approvers" => made.step(&item),
            "effect" => effect(table, &item, made),
            _ => {}
        }
    }
    // Whoever denies or reviews is a gate for each act; an `allow` is none.
    let strict = table.get("effect").is_some_and(|item| item.value.as_str() != Some("allow"));
    let acts = table.get("action").filter(|_| strict).map(|item| item.items()).unwrap_or_default();
    for item in acts {
        made.remove(item.span);
    }
}

/// Another effect; what only a review has goes with it.
fn effect(table: &Table, item: &Item, made: &mut Made) {
    for other in ["allow", "review", "deny"].into_iter().filter(|other| Some(*other) != item.value.as_str()) {
        let after = format!("\"{other}\"");
        let mut edits = vec![(item.span.clone(), after.clone())];
        let asks = |name: &str| other != "review" && matches!(name, "approvers" | "expires");
        for (_, place, asked) in table.named().into_iter().filter(|(name, ..)| asks(name)) {
            edits.push((with_comma(made.text, &(place.start..asked.span.end)), String::new()));
        }
        made.edits(item.span.clone(), &after, edits);
    }
}

pub(super) fn budgets(root: &Table, made: &mut Made) {
    if let Some(component) = root.table("component") {
        for budget in component.get("budget").map(|item| item.items()).unwrap_or_default() {
            let Some(budget) = budget.table() else { continue };
            budget.get("max").into_iter().for_each(|item| made.step(&item));
            budget.get("within").into_iter().for_each(|item| made.scale(&item));
        }
        component.get("in_flight").into_iter().for_each(|item| made.step(&item));
        component.get("slow_try").into_iter().for_each(|item| made.scale(&item));
    }
    let overall = root.table("overall").and_then(|overall| overall.get("in_flight"));
    if let Some(item) = overall {
        made.step(&item);
    }
    for (_, _, item) in root.table("backoff").iter().flat_map(Table::named) {
        made.scale(&item);
    }
}

pub(super) fn system(root: &Table, made: &mut Made) {
    root.get("interval").into_iter().for_each(|item| made.scale(&item));
}

pub(super) fn modes(root: &Table, bundle: &Bundle, claimed: &BTreeSet<&ModeId>, mutants: &mut Made) {
    for (name, _, item) in root.table("mode").iter().flat_map(Table::named) {
        let Some(mode) = item.table() else { continue };
        let permits = mode.get("permits").map(|item| item.items()).unwrap_or_default();
        for item in permits {
            mutants.remove(item.span);
        }
        for (key, place, item) in mode.named() {
            if key == "writes" && item.value.as_str() != Some("reject") {
                mutants.remove(place.start..item.span.end);
            }
        }
        let Some(to) = mode.table("to") else { continue };
        let rank = |mode: &str| bundle.policies.modes.rank(&ModeId::from(mode));
        for (item, edge) in to.get("rule").map(|item| item.texts()).unwrap_or_default() {
            // Rules move the mode up only to what they claim; down it falls by itself.
            if edge == "*" || rank(edge) < rank(name) || claimed.contains(&ModeId::from(edge)) {
                mutants.remove(item.span);
            }
        }
        for (item, _) in to.get("person").map(|item| item.texts()).unwrap_or_default() {
            mutants.remove(item.span);
        }
    }
}
