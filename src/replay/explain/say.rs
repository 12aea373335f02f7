//! The answer in one sentence.

use crate::model::{Act, By, Why};
use crate::replay::explain::shape::{Explanation, GateState};
use crate::replay::explain::{Case, Met};

/// What a rule did or did not do, and why.
pub(super) fn of_rule(case: &Case, told: &Explanation, met: &[Met], holds: bool) -> String {
    let name = format!("{}/{}", case.rule.id, case.component.id);
    if let Some(act) = told.act {
        return met.first().map_or(name, |made| made_because(act, made));
    }
    let done: Vec<String> = told.did.iter().map(|deed| deed.what.clone()).collect();
    if let Some(first) = told.did.first().filter(|_| told.acted) {
        let held = met.iter().find(|met| met.act.is_none());
        let held = held.map(|met| format!(" (held back: {}, {})", met.proposal.act.label(), closed(told)));
        let but = held.unwrap_or_default();
        return format!("{name} acted: {}{but}, because {}", done.join(", "), first.reason);
    }
    format!("{name} did nothing: {}", idle(case, told, holds))
}

/// Why nothing was done.
fn idle(case: &Case, told: &Explanation, holds: bool) -> String {
    let status = told.seen.as_ref().map(|seen| format!("{} is {}", case.component.label, seen.status));
    let status = status.unwrap_or_else(|| format!("{} was never read", case.component.label));
    let why = case.tick.step.why.get(&case.component.id).and_then(|whys| whys.get(&case.rule.id));
    let when = case.rule.when.source();
    match why {
        Some(Why::Fired { .. }) => {
            let claim = told.claim.as_ref().map(|claim| format!("; its claim of {} stands", claim.mode));
            format!("{}{}", closed(told), claim.unwrap_or_default())
        }
        Some(Why::Inactive) | None if !holds => format!("{status}, and `{when}` is false"),
        Some(Why::Pending { have, need }) => {
            format!("{status} and `{when}` is true, but only in {have} of {need} readings yet")
        }
        Some(Why::Unknown { .. }) => {
            format!("{status}; {}", why.map(ToString::to_string).unwrap_or_default())
        }
        _ => closed(told),
    }
}

fn closed(told: &Explanation) -> String {
    let gate = told.gates.iter().find(|gate| gate.state == GateState::Closed);
    gate.map_or("nothing stops it".into(), |gate| gate.says.clone())
}

/// An act that no rule wanted.
pub(super) fn of_no_rule(made: &Met) -> String {
    made.act.map(|act| made_because(act, made)).unwrap_or_default()
}

fn made_because(act: crate::model::ActId, made: &Met) -> String {
    let proposal = &made.proposal;
    // Some acts name it themselves.
    let named = matches!(
        proposal.act,
        Act::Hold { .. } | Act::EndHold { .. } | Act::Silence { .. } | Act::EndSilence { .. }
    );
    let on = proposal.component.as_ref().filter(|_| !named).map(|on| format!(" {on}")).unwrap_or_default();
    let reason = &proposal.reason;
    if let Act::Notify { text, approval: Some(approval), .. } = &proposal.act {
        let label = proposal.act.label();
        return format!(
            "act {act}, {label}, is the news of approval {approval}, which no rule has to ask for: {text}"
        );
    }
    match &proposal.by {
        By::Rule { rule, component } => {
            let attempt = match (proposal.attempt, proposal.slow) {
                (0, _) => String::new(),
                (attempt, false) => format!(", try {attempt}"),
                (attempt, true) => format!(", slow try {attempt}"),
            };
            format!(
                "act {act}, {}{on}, was made by {rule}/{component}{attempt} because {reason}",
                proposal.act.label()
            )
        }
        By::Person { actor } => {
            format!(
                "act {act}, {}{on}, was made because {actor} asked for it: {reason}",
                proposal.act.label()
            )
        }
    }
}
