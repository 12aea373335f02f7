//! Is there a way out of each mode for a person? Edges have to lead, and policies must not close what they open.
//!
//! A move is left out only where it is certain that it is refused: a policy's condition that asks who the person is,
//! or anything else that files do not know, may be either.

use std::collections::BTreeSet;

use crate::config::lint::asked::Asked;
use crate::config::lint::ways::{leads, reached};
use crate::config::lint::{Set, error};
use crate::config::reader::{Item, Table};
use crate::govern::{Mode, Modes, Policy};
use crate::model::{ActKind, ModeId};
use crate::say::Code;

/// Says of which modes no person finds back to where Grace begins.
pub(super) fn check(set: &Set, modes: &Modes, root: &Table) {
    let mut closed = Vec::new();
    for (name, _, item) in root.table("mode").iter().flat_map(Table::named) {
        let id = ModeId::from(name);
        if id == modes.initial || !modes.modes.contains_key(&id) {
            continue;
        }
        if !reached(modes, &id, |from, to| leads(&from.to_person, to)).contains(&modes.initial) {
            no_edge(modes, &id, &item);
        } else if let Some(policies) = set.policies.filter(|_| set.whole)
            && !policies_let(modes, policies, &id)
        {
            closed.push((id, item));
        }
    }
    if let (Some(policies), false) = (set.policies, closed.is_empty()) {
        no_policy(set, policies, &closed);
    }
}

fn no_edge(modes: &Modes, id: &ModeId, item: &Item) {
    let place = item.table().and_then(|table| table.table("to")?.get("person"));
    let message = format!("no way out of `{id}` for a person");
    let help =
        format!("let people leave it: `person = [\"{}\"]` or `person = [\"*\"]` in its `to`", modes.initial);
    error(place.as_ref().unwrap_or(item), Code::NoWayOut, message, help);
}

/// One report for all modes: at the policy that denies, where one does.
fn no_policy(set: &Set, policies: &[Policy], closed: &[(ModeId, Item)]) {
    let names: Vec<String> = closed.iter().map(|(id, _)| format!("`{id}`")).collect();
    let names = names.join(", ");
    let denier = closed.iter().find_map(|(id, _)| {
        [ActKind::SetMode, ActKind::Release].iter().find_map(|kind| looser(*kind, id).denier(policies))
    });
    let declared = (set.root)("policies/governance.toml").and_then(|root| root.table("policy"));
    let place = denier.and_then(|denier| {
        let item = declared?.named().into_iter().find(|(name, ..)| *name == denier.id.as_str())?.2;
        Some(item.table().and_then(|table| table.get("effect")).unwrap_or(item))
    });
    match (denier, place, closed.first()) {
        (Some(denier), Some(place), _) => {
            let message =
                format!("no way out of {names} for a person: `{}` denies whatever permits more", denier.id);
            let help = "let others approve it (`effect = \"review\"`), or narrow what is denied";
            error(&place, Code::NoWayOut, message, help);
        }
        (_, _, Some((_, item))) => {
            let message =
                format!("no way out of {names} for a person: no policy allows or reviews what permits more");
            let help = "add `set_mode` and `release` by a person to a policy with `effect = \"review\"`";
            error(item, Code::NoWayOut, message, help);
        }
        _ => {}
    }
}

/// Do policies leave a way from here to where Grace begins?
fn policies_let(modes: &Modes, policies: &[Policy], from: &ModeId) -> bool {
    let mut found = BTreeSet::from([from]);
    let mut todo = vec![from];
    while let Some((id, mode)) = todo.pop().and_then(|id| modes.modes.get_key_value(id)) {
        for (to, next) in modes.modes.iter().filter(|(to, _)| leads(&mode.to_person, to)) {
            if !found.contains(to) && may_move(modes, policies, (id, mode), next) {
                found.insert(to);
                todo.push(to);
            }
        }
    }
    found.contains(&modes.initial)
}

/// Can a person's act move the mode so? Where another claim stands that forbids as much, a lower mode permits no more.
fn may_move(modes: &Modes, policies: &[Policy], (id, mode): (&ModeId, &Mode), to: &Mode) -> bool {
    let below = modes.modes.iter().filter(|(other, mode)| mode.rank <= to.rank && *other != modes.lowest());
    let mut stand = below.map(|(_, mode)| mode.permits).chain([to.permits]);
    let covered = stand.any(|permits| permits.within(mode.permits));
    let mut kinds = [false, true].into_iter().filter(|stricter| !stricter || covered);
    kinds.any(|stricter| {
        [ActKind::SetMode, ActKind::Release]
            .into_iter()
            .any(|kind| Asked { stricter: Some(stricter), ..looser(kind, id) }.could_pass(policies))
    })
}

/// A person's act in this mode, after which more is permitted.
fn looser(kind: ActKind, mode: &ModeId) -> Asked<'_> {
    Asked { by: "person", kind, component: None, mode: Some(mode.as_str()), stricter: Some(false) }
}
