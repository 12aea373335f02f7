//! One transaction for everything that belongs together, or nothing.

use std::collections::BTreeMap;

use grace::engine::State;
use grace::model::Record;
use grace::record::{Journal, JournalError, Reader};

use super::sample::{NOON, end, input, intent, note, step};

#[test]
fn a_committed_step_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.state().unwrap(), None);
    let done = journal.commit(NOON, &input(1), step(1, vec![intent(1)])).unwrap();
    assert_eq!(done.seq, 2, "the tick and the intent");
    let done = journal.commit(NOON, &input(2), step(2, vec![end(1)])).unwrap();
    let state = done.state;
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.state().unwrap(), Some(state));
    assert_eq!(*journal.tail().borrow(), 4);
    let verified = Reader::open(dir.path()).unwrap().verify().unwrap();
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!((verified.entries, verified.readings, verified.expired), (4, 2, 0));
}

#[test]
fn a_refused_record_takes_its_whole_step_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let first = journal.commit(NOON, &input(1), step(1, vec![intent(1), end(1)])).unwrap();
    for (what, says, records) in [
        ("an end without an intent", "without an intent", vec![note("x"), end(2)]),
        ("a second end", "stands there already", vec![note("x"), end(1)]),
        ("a second intent", "start her again", vec![note("x"), intent(1)]),
    ] {
        let why = journal.commit(NOON, &input(2), step(2, records)).unwrap_err();
        assert!(matches!(&why, JournalError::Refused { says: said } if said.contains(says)), "{what}: {why}");
    }
    assert_eq!(journal.state().unwrap(), Some(first.state), "the state has not moved");
    assert_eq!(*journal.tail().borrow(), first.seq);
    assert_eq!(journal.append(NOON, &[note("after")]).unwrap(), first.seq + 1, "and no number is lost");
    assert!(Reader::open(dir.path()).unwrap().verify().unwrap().is_whole());
}

#[test]
fn the_text_of_a_generation_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let files = |text: &str| BTreeMap::from([("rules/a.toml".to_owned(), text.repeat(1000))]);
    let generation = |id: &str, text: &str| Record::Generation {
        generation: id.into(),
        files: files(text),
        kept: vec!["a".into()],
        reset: Vec::new(),
        dropped: Vec::new(),
        state: None,
        meaning: None,
    };
    assert_eq!(journal.generation().unwrap(), None);
    for (id, text) in [("one", "x"), ("two", "y"), ("one", "x")] {
        journal.adopt(NOON, &[generation(id, text)], &State::default()).unwrap();
    }
    assert_eq!(journal.generation().unwrap(), Some(("one".into(), files("x"))));
    let reader = Reader::open(dir.path()).unwrap();
    let lengths: Vec<_> =
        reader.events_after(0, 9).unwrap().iter().map(|event| event.data.to_string().len()).collect();
    assert!(lengths[0] > 1000 && lengths[1] > 1000 && lengths[2] < 200, "{lengths:?}");
    assert!(reader.verify().unwrap().is_whole());
}

#[test]
fn who_follows_the_tail_is_woken_and_cursors_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let mut tail = journal.tail();
    assert!(!tail.has_changed().unwrap());
    let seq = journal.append(NOON, &[note("a"), note("b")]).unwrap();
    assert_eq!((seq, *tail.borrow_and_update()), (2, 2));
    assert_eq!(journal.cursor("hunter").unwrap(), 0);
    journal.set_cursors(&[("hunter".into(), 2), ("governance".into(), 1)]).unwrap();
    journal.set_cursors(&[("hunter".into(), 1)]).unwrap();
    assert!(!tail.has_changed().unwrap(), "a cursor is no entry");
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!((journal.cursor("hunter").unwrap(), journal.cursor("governance").unwrap()), (1, 1));
}
