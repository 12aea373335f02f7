//! A request for approval, as people read it who decide.

use crate::api::shapes::{ApprovalLine, EvidenceLine, Reach};
use crate::cli::terminal::times::relative;
use crate::model::{Reading, Time, act_of};
use crate::record::rows::Approval;

/// What waits: what, why, on what evidence, and what hangs on it.
pub(super) fn lines(line: &ApprovalLine, now: Time) -> Vec<String> {
    let mut lines = vec![
        format!("approval {}: {}", line.approval, act_of(&line.action, line.component.as_deref())),
        row("asked by", &format!("{}, {}: {}", line.asked_by, relative(&line.asked_at, now), line.reason)),
        row("policy", &line.policy),
        row("decides", &line.may_decide),
        row("given", &given(line)),
        row("expires", &relative(&line.expires, now)),
    ];
    lines.extend(line.changes.iter().map(|change| row("changes", change)));
    lines.extend(line.touches.iter().map(|touched| row("touches", touched)));
    lines.extend(line.reach.as_ref().map(|found| row("reach", &reach(found))));
    lines.extend(line.then.as_ref().map(|found| row("then", &evidence(found))));
    lines.extend(line.now.as_ref().map(|found| row("now", &evidence(found))));
    lines.push(row("act hash", &line.act_hash));
    lines
}

/// What became of one that waits no more.
pub(super) fn over(recorded: &Approval, now: Time) -> String {
    let what = act_of(&recorded.action, recorded.component.as_deref());
    let by = recorded.answered_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let at = recorded.answered_at.as_ref().map(|at| format!(", {}", relative(at, now))).unwrap_or_default();
    let why = recorded.answer_reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("approval {}: {what}: {}{by}{at}{why}", recorded.approval, recorded.answer)
}

fn row(name: &str, text: &str) -> String {
    format!("  {name:<9} {text}")
}

fn given(line: &ApprovalLine) -> String {
    let by = if line.given.is_empty() { String::new() } else { format!(", by {}", line.given.join(", ")) };
    format!("{} of {}{by}", line.given.len(), line.needs)
}

fn reach(reach: &Reach) -> String {
    let workers = reach.workers.map(|workers| format!(", {workers} workers")).unwrap_or_default();
    let needed = match reach.needed_by.as_slice() {
        [] => "no other component depends on it".to_owned(),
        some => format!("needed by {}", some.join(", ")),
    };
    format!("tier {}{workers}; {needed}", reach.tier)
}

fn evidence(evidence: &EvidenceLine) -> String {
    let facts = evidence.facts.iter().map(|(fact, reading)| match reading {
        Reading::Value(value) => format!("{fact} = {value}"),
        Reading::Missing => format!("{fact} is missing"),
        Reading::Failed { failed } => format!("{fact}: {failed}"),
    });
    let facts: Vec<String> = facts.collect();
    if facts.is_empty() {
        evidence.status.to_string()
    } else {
        format!("{}; {}", evidence.status, facts.join(", "))
    }
}
