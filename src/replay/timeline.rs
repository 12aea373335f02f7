//! What happened in a test, line by line, with the differences marked where they belong.

use std::fmt::Write;

use crate::model::{Outcome, Record};
use crate::replay::judge::{Verdict, heal_label};
use crate::replay::moment::Moment;

/// The timeline; lines that begin with `!` are differences.
pub(super) fn draw(moments: &[Moment], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let mut verdicts = verdicts.iter().peekable();
    let mut line = |mark: char, says: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{mark} {says}");
    };
    for moment in moments {
        while let Some(verdict) = verdicts.next_if(|verdict| verdict.at < moment.second()) {
            line('!', &verdict.says);
        }
        for record in &moment.records {
            if let Some(says) = says(record) {
                line(' ', &format!("{}  {says}", moment.now.clock()));
            }
        }
    }
    verdicts.for_each(|verdict| line('!', &verdict.says));
    text
}

/// What a record says in a timeline; much of the journal is no news here.
fn says(record: &Record) -> Option<String> {
    Some(match record {
        Record::StatusChanged { component, to, failures, .. } => {
            format!("{component} is {to} (failures {failures})")
        }
        Record::Intent { act, proposal, .. } => {
            let of = proposal.component.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
            let label = heal_label(proposal).unwrap_or_else(|| proposal.act.label());
            format!("act {act}: {label}{of}, try {} by {}", proposal.attempt, proposal.by)
        }
        Record::End { act, outcome, detail, .. } => {
            let outcome = outcome.map_or("done", Outcome::word);
            format!("act {act} ended: {outcome} ({detail})")
        }
        Record::Relapsed { act, component } => format!("{component} relapsed after act {act}"),
        Record::HealingEnded { component, result, attempts, .. } => {
            format!("healing of {component} ended: {result:?} after {attempts} tries")
        }
        Record::Decided { proposal, verdict, gate, .. } => {
            let gate = gate.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{verdict}: {} by {} ({gate})", proposal.act.label(), proposal.by)
        }
        Record::ModeChanged { from, to, by, .. } => format!("mode {from} -> {to} by {by}"),
        Record::Claimed { key, claim } => format!("{key} claims {}", claim.mode),
        Record::ClaimEnded { key, reason, .. } => format!("the claim of {key} ended: {reason}"),
        Record::Blocked { component, by, .. } => format!("{component} is blocked by {by}"),
        Record::Unblocked { component, .. } => format!("{component} is unblocked"),
        Record::Announced { event, component, .. } => format!("event {event} about {component}"),
        Record::TaskCreated { text, .. } => format!("task: {text}"),
        Record::ApprovalAsked { approval, proposal, .. } => {
            format!("approval {approval} asked: {}", proposal.act.label())
        }
        Record::Refused { says, .. } => format!("refused: {says}"),
        Record::IncidentBegun { component, .. } => format!("incident of {component} begins"),
        Record::IncidentEnded { component, .. } => format!("incident of {component} ends"),
        _ => return None,
    })
}
