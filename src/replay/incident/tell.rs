//! What an entry says of an incident, in words.

use crate::model::{HealResult, Outcome, Record, StepDone, TaskDeed};

/// What happened, whose doing it was, and what was said of it.
pub(super) type Words = (String, Option<String>, String);

/// An entry in words; what tells nothing of an incident has none.
pub(super) fn event(record: &Record) -> Option<Words> {
    health(record).or_else(|| act(record)).or_else(|| people(record)).or_else(|| grace(record))
}

fn plain(what: impl Into<String>, detail: impl Into<String>) -> Words {
    (what.into(), None, detail.into())
}

fn by(what: impl Into<String>, by: &impl ToString, detail: impl Into<String>) -> Words {
    (what.into(), Some(by.to_string()), detail.into())
}

/// How the component was.
fn health(record: &Record) -> Option<Words> {
    Some(match record {
        Record::StatusChanged { from, to, failures, reason, .. } => {
            let failures = if *failures > 0 { format!(", {failures} in a row") } else { String::new() };
            plain(format!("{from} to {to}{failures}"), reason.clone())
        }
        Record::StillUnknown { readings, .. } => plain(format!("unknown for {readings} readings"), ""),
        Record::IncidentBegun { incident, .. } => plain(format!("incident {incident} began"), ""),
        Record::IncidentEnded { incident, .. } => {
            plain(format!("incident {incident} ended"), "verified healthy")
        }
        Record::ProcessExited { worker, pid, code, lasted, asked, output, .. } => {
            let code =
                code.map_or_else(|| "with a code that nobody saw".into(), |code| format!("with {code}"));
            let asked = if *asked { ", as asked" } else { "" };
            plain(
                format!("process {pid} (worker {worker}) ended {code} after {lasted}{asked}"),
                output.clone(),
            )
        }
        Record::ProcessAdopted { worker, pid, .. } => {
            plain(format!("process {pid} (worker {worker}) was found alive and taken over"), "")
        }
        _ => return None,
    })
}

/// What was done.
fn act(record: &Record) -> Option<Words> {
    Some(match record {
        Record::Intent { act, proposal, policy } => {
            let policy = policy.as_ref().map(|policy| format!("; policy {policy}")).unwrap_or_default();
            let tries =
                if proposal.attempt > 1 { format!(", try {}", proposal.attempt) } else { String::new() };
            let detail = format!("{}{policy}", proposal.reason);
            by(format!("act {act}: {}{tries}", proposal.act.label()), &proposal.by, detail)
        }
        Record::End { act, outcome, result, detail, steps, .. } => {
            let word = outcome.map_or_else(|| how(*result), Outcome::word);
            plain(format!("act {act} ended: {word}"), format!("{detail}{}", of(steps)))
        }
        Record::Relapsed { act, .. } => plain(format!("what act {act} had healed did not last"), ""),
        Record::HealingEnded { by: who, result, attempts, detail, .. } => {
            let tries = if *attempts == 1 { "try" } else { "tries" };
            by(format!("the healing ended: {result} after {attempts} {tries}"), who, detail.clone())
        }
        Record::Exhausted { by: who, gate, .. } => by("a brake stops it for longer", who, gate.to_string()),
        Record::Blocked { by: who, reason, .. } => by("blocked", who, reason.clone()),
        Record::Announced { event, by: who, reason, .. } => by(format!("event {event}"), who, reason.clone()),
        Record::TaskCreated { text, by: who, .. } => by("a person is asked", who, text.clone()),
        Record::Recommended { text, by: who, .. } => by("a change is recommended", who, text.clone()),
        _ => return None,
    })
}

/// What people did, and the modes.
fn people(record: &Record) -> Option<Words> {
    Some(match record {
        Record::ApprovalAsked { approval, proposal, policy, expires } => {
            let detail = format!("policy {policy}; expires at {expires}");
            by(format!("approval {approval} asked: {}", proposal.act.label()), &proposal.by, detail)
        }
        Record::Approved { approval, actor, reason, break_glass } => {
            let glass = if *break_glass { ", breaking the glass" } else { "" };
            by(format!("approval {approval} given{glass}"), actor, reason.clone())
        }
        Record::ApprovalEnded { approval, actor, reason } => {
            let who = actor.as_ref().map(ToString::to_string);
            (format!("approval {approval} ended"), who, reason.clone())
        }
        Record::Refused { asked, says } => by("a request was refused", &asked.actor, says.clone()),
        Record::Held { component, actor, reason, .. } => {
            let what = if component.is_some() { "held" } else { "every component held" };
            by(what, actor, reason.clone())
        }
        Record::TaskChanged { task, what, actor, reason, .. } => {
            let what = match what {
                TaskDeed::Acknowledge => "acknowledged".to_owned(),
                TaskDeed::Assign { to } => format!("assigned to {to}"),
                TaskDeed::Close => "closed".to_owned(),
            };
            by(format!("task {task} {what}"), actor, reason.clone())
        }
        Record::TaskEscalated { task, receiver, .. } => {
            plain(format!("nobody looked at task {task}: {receiver} is told"), "")
        }
        Record::RecommendationAnswered { recommendation, what, actor, reason, .. } => {
            by(format!("recommendation {recommendation} {}", what.done()), actor, reason.clone())
        }
        Record::Reviewed { recommendation, verdict, detail, .. } => {
            plain(format!("recommendation {recommendation} {}", verdict.says()), detail.clone())
        }
        Record::HoldEnded { reason, .. } => plain("the hold ended", reason.clone()),
        Record::Silenced { actor, reason, .. } => by("silenced", actor, reason.clone()),
        Record::SilenceEnded { reason, .. } => plain("the silence ended", reason.clone()),
        Record::Unblocked { by: who, reason, .. } => by("the block was lifted", who, reason.clone()),
        Record::Claimed { key, claim } => {
            by(format!("mode {} claimed", claim.mode), key, claim.reason.clone())
        }
        Record::ClaimEnded { key, mode, reason } => {
            by(format!("the claim of mode {mode} ended"), key, reason.clone())
        }
        Record::ModeChanged { from, to, reason, by: who } => {
            by(format!("mode {from} to {to}"), who, reason.clone())
        }
        _ => return None,
    })
}

/// What happened to Grace herself.
fn grace(record: &Record) -> Option<Words> {
    Some(match record {
        Record::Started { version, .. } => plain(format!("grace {version} started"), ""),
        Record::Stopped { reason } => plain("grace stopped", reason.clone()),
        Record::Generation { generation, .. } => {
            plain(format!("generation {} became active", generation.short()), "")
        }
        Record::GenerationRejected { problems } => {
            plain("files were refused", problems.first().cloned().unwrap_or_default())
        }
        Record::ClockStepped { by_ms } => plain(format!("the wall clock was stepped by {by_ms} ms"), ""),
        Record::DiskFull { .. } => plain("the disk was full", ""),
        Record::JournalReplaced { .. } => plain("the journal is not the one that was written last", ""),
        Record::AuditKey { before: Some(_), .. } => plain("another key signs checkpoints", ""),
        Record::CrashLoop { exits, within, .. } => {
            plain(format!("grace ended {exits} times within {within}"), "")
        }
        _ => return None,
    })
}

fn how(result: HealResult) -> &'static str {
    match result {
        HealResult::Success => "success",
        HealResult::Failed => "failed",
    }
}

/// The steps of an act, and what each of them said.
fn of(steps: &[StepDone]) -> String {
    let step = |one: &StepDone| {
        let (well, said) = (if one.ok { "" } else { " failed" }, one.detail.as_str());
        let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
        format!("{}{well} in {}{said}", one.step, one.took)
    };
    let all: Vec<String> = steps.iter().map(step).collect();
    if all.is_empty() { String::new() } else { format!("; {}", all.join(", ")) }
}
