//! Caution at a start: what Grace claims herself when she cannot trust what she remembers, or herself.

use crate::engine::{Bundle, State};
use crate::model::{Act, By, ClaimKey, Proposal, Record, RuleId};

/// The first half of a claim's key: the journal is not to be trusted.
pub const FORGOTTEN: &str = "journal";

/// The first half of a claim's key: Grace herself ends again and again.
pub const CRASH_LOOP: &str = "crash_loop";

/// The first half of the key of the claim that follows such an entry of a start; other entries claim nothing.
#[must_use]
pub fn caution_for(record: &Record) -> Option<&'static str> {
    match record {
        Record::JournalReplaced { .. } => Some(FORGOTTEN),
        Record::CrashLoop { .. } => Some(CRASH_LOOP),
        _ => None,
    }
}

/// Who claims it: as if it were a rule for a component of this name.
fn by(cause: &str) -> By {
    By::Rule { rule: RuleId::from(cause), component: "grace".into() }
}

/// The key of the claim: `cause/grace`.
#[must_use]
pub fn caution_key(cause: &str) -> ClaimKey {
    by(cause).claim_key()
}

/// Claims a mode in which nothing is healed automatically, until a person ends it.
///
/// The claim is one of a rule `cause` for a component `grace` (its key is `cause/grace`) without an `until`: so
/// `grace mode normal` and `grace mode release` by a person end it, and nothing else does. Where no edge leads
/// to the mode, the mode stays and the claim counts all the same. A claim that stands already is left as it is.
#[must_use]
pub fn caution(bundle: &Bundle, state: &mut State, cause: &str, reason: &str) -> Vec<Record> {
    let by = by(cause);
    let (key, mode) = (by.claim_key(), bundle.policies.modes.watchful().clone());
    let mut records = Vec::new();
    if state.governed.claims.contains_key(&key) {
        return records;
    }
    let act = Act::SetMode { mode, key, spot: None, lasts: None };
    let proposal = Proposal { by, act, reason: reason.to_owned(), component: None, attempt: 0, slow: false };
    let desk = bundle.desk(state.now, false);
    desk.contain(&mut state.governed, &proposal, &mut records);
    desk.settle(&mut state.governed, Some(&proposal), |_| false, &mut records);
    records
}
