//! When Grace starts with caution: she cannot trust what she remembers. She then heals nothing by herself until a
//! person has looked and ends her claim.

use std::path::Path;

use crate::engine::{Bundle, CRASH_LOOP, FORGOTTEN, State, caution, caution_key, go_on_behind, is_behind};
use crate::model::Record;
use crate::record::{Journal, JournalError, Replaced};
use crate::supervisor::crash_loop::CrashLoop;

/// One reason for caution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reason {
    /// The first half of the claim's key.
    cause: &'static str,
    /// What happened, for people.
    says: String,
    /// The same for the journal.
    record: Record,
}

/// The journal is not the one that was written here last, or not whole: holds, blocks, budgets and claims may be
/// forgotten.
pub(super) fn forgotten(
    journal: &Journal,
    before: Option<&State>,
    data: &Path,
) -> Result<Option<Reason>, JournalError> {
    let (is_new, known) = (before.is_none(), before.cloned().unwrap_or_default());
    let (named, last, what) = match (journal.replaced(), journal.broken()) {
        (Some(Replaced { named, last: 0 }), _) => (Some(named), 0, "the journal was deleted".to_owned()),
        (Some(Replaced { named, last }), _) => {
            (Some(named), last, format!("the journal was replaced: it does not hold entry {named}"))
        }
        // What a person has looked at is no news at the next start.
        (None, Some(broken)) if journal.claim_ended(&caution_key(FORGOTTEN))? <= broken.seq => {
            (Some(broken.seq), *journal.tail().borrow(), format!("the journal is not whole: {broken}"))
        }
        // Whoever took a generation over kept a state with it.
        (None, _) if is_new && journal.generation()?.is_some() => {
            let last = *journal.tail().borrow();
            (Some(last), last, "the journal is there, and the state that it kept last is gone".to_owned())
        }
        // A first start makes the journal first. Where only the rest is there, the journal was taken away.
        (None, _) if is_new && data.join("grace.db").exists() => {
            (None, 0, "the journal was deleted".to_owned())
        }
        // The state that was kept is older than the entries: it would give the next act a number that one has.
        (None, _) if journal.last_act()? > known.governed.last_act => {
            let last = *journal.tail().borrow();
            (Some(last), last, "the journal's state is older than its entries".to_owned())
        }
        (None, _) => return Ok(None),
    };
    let says = format!("{what}; holds, blocks, budgets and claims may be forgotten");
    let taken = Some(journal.taken()?).filter(|taken| is_behind(taken, &known));
    let record = Record::JournalReplaced { named, last, taken };
    Ok(Some(Reason { cause: FORGOTTEN, says, record }))
}

/// Grace herself ends again and again soon after her start, and it may be by what she does.
pub(super) fn looped(found: CrashLoop) -> Reason {
    let CrashLoop { exits, within, good } = found;
    let says = format!("Grace ended {exits} times within a minute of her start in the last {within}");
    Reason { cause: CRASH_LOOP, says, record: Record::CrashLoop { exits, within, good } }
}

impl Reason {
    /// Says it loudly and claims a mode without healing; what is to be written down for that.
    pub(super) fn heed(self, bundle: &Bundle, state: &mut State) -> Vec<Record> {
        let normal = bundle.policies.modes.lowest();
        let mend = format!("when all is as it should be: `grace mode {normal} --reason ...`");
        tracing::error!("{}: nothing is healed by itself; {mend}", self.says);
        go_on_behind(&self.record, state);
        let mut records = vec![self.record];
        records.extend(caution(bundle, state, self.cause, &format!("{}; {mend}", self.says)));
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    #[test]
    fn what_is_gone_is_named_the_journal_or_only_its_state() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("grace.db"), "").expect("written");
        let journal = Journal::open(dir.path()).expect("opens");
        let says = |before: Option<&State>| {
            forgotten(&journal, before, dir.path()).expect("it can be read").map(|reason| reason.says)
        };
        assert!(says(None).is_some_and(|says| says.starts_with("the journal was deleted")));
        assert_eq!(says(Some(&State::default())), None);
        // A journal of the first versions, whose entries do not say which state came of them.
        let (generation, files) = ("g".into(), [("rules/a.toml".to_owned(), String::new())].into());
        let (kept, reset, dropped) = (Vec::new(), Vec::new(), Vec::new());
        let record =
            Record::Generation { generation, files, kept, reset, dropped, state: None, meaning: None };
        journal.append(Time(5), &[record]).expect("appends");
        assert!(says(None).is_some_and(|says| says.contains("the state that it kept last is gone")));
    }
}
