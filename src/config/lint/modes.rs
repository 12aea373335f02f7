//! The machine of modes: what is reached, what is left, and which claims ever matter.

use std::collections::BTreeSet;

use crate::config::lint::ways::{leads, reached};
use crate::config::lint::{Placed, Set, warn, way_out};
use crate::config::reader::{Item, Table};
use crate::evaluate::What;
use crate::govern::Modes;
use crate::model::ModeId;
use crate::say::Code;

/// Looks at the modes and at the claims that rules make.
pub(super) fn check(set: &Set, placed: &[Placed]) {
    let (Some(modes), Some(root)) = (set.modes, (set.root)("policies/modes.toml")) else { return };
    let claimed = claims(modes, placed);
    let reached = reached(modes, &modes.initial, |from, to| {
        leads(&from.to_person, to) || leads(&from.to_rule, to) && claimed.contains(to)
    });
    for (name, _, item) in root.table("mode").iter().flat_map(Table::named) {
        let id = ModeId::from(name);
        if id == modes.initial || !modes.modes.contains_key(&id) {
            continue;
        }
        if set.whole && !reached.contains(&id) && !claimed.contains(&id) {
            let help = "claim it in a rule, let a person set it (`to.person`), or leave it out";
            warn(&item, Code::UnreachableMode, format!("mode `{name}` is never reached"), help);
        }
    }
    way_out::check(set, modes, &root);
}

/// The modes that rules claim; says which claims can never matter.
fn claims(modes: &Modes, placed: &[Placed]) -> BTreeSet<ModeId> {
    let mut claimed = BTreeSet::new();
    // What a shadow rule claims moves nothing.
    for rule in placed.iter().filter(|placed| !placed.rule.shadow) {
        for (act, item) in rule.acts() {
            let What::SetMode(mode) = &act.what else { continue };
            if !modes.may_move_itself(&modes.initial, mode) {
                let message =
                    format!("no edge lets a rule move the mode to `{mode}`: the claim would never matter");
                let help = format!("add `{mode}` to `to.rule` of `{}` in policies/modes.toml", modes.initial);
                warn(&item, Code::FutileClaim, message, help);
            } else if let Some(until) = until(act, &item)
                && !modes
                    .modes
                    .iter()
                    .any(|(to, to_mode)| to_mode.rank < modes.rank(mode) && modes.may_move_itself(mode, to))
            {
                let message = format!(
                    "no edge lets the mode leave `{mode}` by itself, so `until` cannot end the claim"
                );
                let help = "leave `until` out: a person ends it; or add an edge to `to.rule` of the mode";
                warn(&until, Code::EndlessClaim, message, help);
            }
            claimed.insert(mode.clone());
        }
    }
    claimed
}

/// Where the condition stands that ends the claim.
fn until<'a>(act: &crate::evaluate::Item, item: &Item<'a>) -> Option<Item<'a>> {
    act.until.as_ref()?;
    item.table()?.get("until")
}
