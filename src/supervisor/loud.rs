//! What an operator should find in the log without asking: what failed, what came back, what healing cannot do.
//! The journal has all of it; the log is what a terminal and `journalctl` show.

use tracing::Level;

use crate::model::{Gate, HealingResult, Record, Status};

/// What is to be said of one step once it is durable.
pub(super) fn lines(records: &[Record]) -> Vec<(Level, String)> {
    records.iter().filter_map(line).collect()
}

fn line(record: &Record) -> Option<(Level, String)> {
    let said = match record {
        Record::StatusChanged { component, from, to, reason, .. } => {
            let level = match (from, to) {
                // Everything is unknown before it was looked at once.
                (Status::Unknown, Status::Ok) => return None,
                (_, Status::Ok) => Level::INFO,
                (_, Status::Warn | Status::Unknown) => Level::WARN,
                (_, Status::Critical) => Level::ERROR,
            };
            // The condition that holds; what else was read is in the journal.
            let condition = reason.split(": ").next().unwrap_or_default();
            let because = if *to == Status::Ok { String::new() } else { format!(": {condition}") };
            (level, format!("{component} is {to}{because}"))
        }
        Record::HealingEnded { component, by, result: HealingResult::Failed, attempts, detail } => {
            (Level::ERROR, format!("healing {component} by {by} failed after {attempts} attempts: {detail}"))
        }
        Record::HealingEnded { component, by, result: HealingResult::Over, attempts, detail } => {
            (Level::INFO, format!("healing {component} by {by} is over after {attempts} attempts: {detail}"))
        }
        Record::Exhausted { component, by, gate } => {
            (Level::ERROR, format!("healing {component} by {by} waits for longer: {gate}"))
        }
        Record::Relapsed { component, act } => {
            (Level::WARN, format!("what act {act} had healed of {component} is there again soon after"))
        }
        Record::ModeChanged { from, to, reason, .. } => {
            (Level::WARN, format!("the mode changes from {from} to {to}: {reason}"))
        }
        Record::Blocked { component, reason, .. } => {
            (Level::WARN, format!("{component} is blocked: {reason}"))
        }
        Record::Decided { proposal, gate: Some(gate @ Gate::Blocks { .. }), .. } => {
            let component = proposal.component.as_ref().map(ToString::to_string).unwrap_or_default();
            (Level::ERROR, format!("{component} is not blocked by {}: {gate}", proposal.by))
        }
        _ => return None,
    };
    Some(said)
}

/// Says it.
pub(super) fn say(lines: Vec<(Level, String)>) {
    for (level, line) in lines {
        match level {
            Level::ERROR => tracing::error!("{line}"),
            Level::WARN => tracing::warn!("{line}"),
            _ => tracing::info!("{line}"),
        }
    }
}
