//! What happened in a test, line by line, with the differences marked where they belong.

use std::fmt::Write;

use crate::model::{HealResult, Outcome, Record, Status};
use crate::replay::judge::Verdict;
use crate::replay::moment::Moment;
use crate::replay::seen::heal_label;

/// The timeline; lines that begin with `!` are differences, each with what was expected above what was.
pub(super) fn draw(moments: &[Moment], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let mut verdicts = verdicts.iter().peekable();
    for (number, moment) in moments.iter().enumerate() {
        while let Some(verdict) = verdicts.next_if(|verdict| verdict.at < moment.second()) {
            difference(&mut text, verdict);
        }
        for record in moment.records.iter().filter(|record| number > 0 || !is_first_look(record)) {
            if let Some(says) = says(record) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {}  {says}", moment.now.clock());
            }
        }
    }
    verdicts.for_each(|verdict| difference(&mut text, verdict));
    text
}

fn difference(text: &mut String, verdict: &Verdict) {
    let at = verdict.at.clock();
    let _ = writeln!(text, "! {at}: {}", verdict.wanted);
    let _ = writeln!(text, "! {:width$}  was      {}", "", verdict.was, width = at.len());
}

/// That a component is well at the first look is no news: every test begins so.
fn is_first_look(record: &Record) -> bool {
    matches!(record, Record::StatusChanged { from: Status::Unknown, to: Status::Ok, .. })
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
        Record::End { act, outcome, result, detail, .. } => {
            let done = if *result == HealResult::Success { "done" } else { "failed" };
            let outcome = outcome.map_or(done, Outcome::word);
            format!("act {act} ended: {outcome} ({detail})")
        }
        Record::Relapsed { act, component } => format!("{component} relapsed after act {act}"),
        Record::HealingEnded { component, result, attempts, .. } => {
            let tries = if *attempts == 1 { "try" } else { "tries" };
            format!("healing of {component} ended: {result} after {attempts} {tries}")
        }
        Record::Decided { proposal, verdict, gate, .. } => {
            let gate = gate.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{verdict}: {} by {} ({gate})", proposal.act.label(), proposal.by)
        }
        Record::Shadowed { proposal, verdict, .. } => {
            format!("shadow {} would {} ({verdict})", proposal.by, proposal.act.label())
        }
        Record::ModeChanged { from, to, by, .. } => format!("mode {from} -> {to} by {by}"),
        Record::Claimed { key, claim } => format!("{key} claims {}", claim.mode),
        Record::ClaimEnded { key, reason, .. } => format!("the claim of {key} ended: {reason}"),
        Record::Blocked { component, by, .. } => format!("{component} is blocked by {by}"),
        Record::Unblocked { component, .. } => format!("{component} is unblocked"),
        Record::Announced { event, component, .. } => format!("event {event} about {component}"),
        Record::TaskCreated { text, .. } => format!("task: {text}"),
        Record::TaskChanged { task, what, actor, .. } => format!("task {task} is {} by {actor}", what.done()),
        Record::TaskEscalated { task, receiver, .. } => {
            format!("nobody looked at task {task}: {receiver} is told")
        }
        Record::Recommended { text, .. } => format!("recommended: {text}"),
        Record::RecommendationAnswered { recommendation, what, actor, .. } => {
            format!("recommendation {recommendation} is {} by {actor}", what.done())
        }
        Record::Reviewed { recommendation, verdict, detail, .. } => {
            format!("recommendation {recommendation} {}: {detail}", verdict.says())
        }
        Record::ApprovalAsked { approval, proposal, .. } => {
            format!("approval {approval} asked: {}", proposal.act.label())
        }
        Record::Refused { says, .. } => format!("refused: {says}"),
        Record::IncidentBegun { component, .. } => format!("incident of {component} begins"),
        Record::ClockStepped { by_ms } => format!("the wall clock was stepped by {by_ms} ms"),
        Record::IncidentEnded { component, .. } => format!("incident of {component} ends"),
        _ => return None,
    })
}
