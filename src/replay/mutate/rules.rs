//! Mutants of a rule file.

use crate::config::reader::{Item, Table};
use crate::replay::mutate::Made;

pub(super) fn rules(root: &Table, made: &mut Made) {
    if let Some(component) = root.table("component") {
        component.get("tier").into_iter().for_each(|item| made.step(&item));
        let needs = component.get("depends_on").map(|item| item.items()).unwrap_or_default();
        for item in needs {
            made.remove(item.span);
        }
    }
    for (_, _, item) in root.table("threshold").iter().flat_map(Table::named) {
        made.scale(&item);
    }
    if let Some(status) = root.table("status") {
        let conditions = [status.get("critical"), status.get("warn")];
        conditions.iter().flatten().for_each(|item| made.condition(item));
    }
    for (_, _, item) in root.table("rule").iter().flat_map(Table::named) {
        item.table().into_iter().for_each(|table| rule(&table, made));
    }
}

fn rule(table: &Table, made: &mut Made) {
    let shadow = table.get("shadow").and_then(|item| item.truth()).unwrap_or(false);
    table.get("when").into_iter().for_each(|item| made.condition(&item));
    for (name, place, item) in table.named() {
        if name == "shadow" {
            made.remove(place.start..item.span.end);
        }
        if !matches!(name, "after" | "of") && (name != "attempts" || shadow) {
            continue;
        }
        made.step(&item);
        // One less than two is the default already.
        let text = item.value.as_integer().map(toml::de::DeInteger::as_str).unwrap_or_default();
        if name == "of" || name == "after" && !matches!(text, "1" | "2") {
            made.remove(place.start..item.span.end);
        }
    }
    if let Some(verify) = table.table("verify").filter(|_| !shadow) {
        let lengths = [verify.get("delay"), verify.get("within")];
        lengths.iter().flatten().for_each(|item| made.scale(item));
    }
    for key in ["do", "on_failure"].into_iter().filter(|key| *key == "do" || !shadow) {
        let items = table.get(key).map(|item| item.items()).unwrap_or_default();
        for item in &items {
            action(item, shadow, made);
        }
    }
}

fn action(item: &Item, shadow: bool, made: &mut Made) {
    made.remove(item.span.clone());
    let Some(table) = item.value.as_table().and_then(|_| item.table()) else { return };
    for (name, place, value) in table.named() {
        match name {
            "until" if !shadow => {
                made.condition(&value);
                made.remove(place.start..value.span.end);
            }
            "scale" => made.step(&value),
            _ => {}
        }
    }
}
