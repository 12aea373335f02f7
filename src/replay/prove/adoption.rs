//! A start or a reload, derived again: from the state before it, the generation that was taken over, and the one before.
//!
//! Everything it left behind follows from those, byte for byte: what was kept and dropped, tries of components that are
//! declared no more, the mode, approvals that became void, which acts a start found cut short, and the state with which
//! Grace went on. What cannot be derived is what the shell found: that the journal was replaced, or that Grace ended again
//! and again (and in which words she gave it as her reason to heal nothing by herself: what she then claims is derived),
//! which version started, and as which process.

use crate::engine::{Bundle, State, adopt_by, caution, caution_for, caution_key, go_on_behind, start_over};
use crate::model::{ClaimKey, Meaning, Record};
use crate::record::state_digest_like;

/// What comes out: the entries, but for the files of the generation, and the state.
pub(in crate::replay) fn derived(
    (bundle, before): (&Bundle, Option<&Bundle>),
    state: &State,
    kept: &State,
    recorded: &[Record],
) -> (Vec<Record>, State) {
    // Grace's own time never goes back: the state that was kept is as old as the start or the reload.
    let meaning = recorded.iter().find_map(meaning_of).unwrap_or(Meaning::FIRST);
    let adopted = adopt_by(meaning, (bundle, before), state, kept.now);
    let mut after = adopted.state;
    let start = recorded.first().and_then(|first| started(first, bundle, state));
    if let Some(Record::Started { meaning, .. }) = &start {
        start_over(&mut after, *meaning);
    }
    let cautious = start.is_some();
    let mut records: Vec<Record> = start.into_iter().chain(adopted.records).collect();
    let causes = recorded.iter().filter_map(|record| Some((record, caution_for(record)?)));
    for (record, cause) in causes.filter(|_| cautious) {
        records.push(record.clone());
        go_on_behind(record, &mut after);
        records.extend(caution(bundle, &mut after, cause, reason(recorded, &caution_key(cause))));
    }
    let said = recorded.iter().find_map(|record| match record {
        Record::Generation { state, .. } => state.as_deref(),
        _ => None,
    });
    for record in &mut records {
        if let Record::Generation { files, state, .. } = record {
            files.clear();
            *state = said.and_then(|said| state_digest_like(said, &after));
        }
    }
    (records, after)
}

/// By which meaning a generation was taken over; those of before do not say.
fn meaning_of(record: &Record) -> Option<Meaning> {
    if let Record::Generation { meaning, .. } = record { *meaning } else { None }
}

/// The start as it has to be, where it is one.
fn started(first: &Record, bundle: &Bundle, state: &State) -> Option<Record> {
    let Record::Started { version, process, meaning, .. } = first else { return None };
    Some(Record::Started {
        version: version.clone(),
        generation: bundle.generation.clone(),
        process: *process,
        interrupted: state.in_flight(),
        meaning: *meaning,
    })
}

/// In which words it was claimed.
fn reason<'r>(recorded: &'r [Record], wanted: &ClaimKey) -> &'r str {
    let claimed = recorded.iter().find_map(|record| match record {
        Record::Claimed { key, claim } if key == wanted => Some(claim.reason.as_str()),
        _ => None,
    });
    claimed.unwrap_or_default()
}
