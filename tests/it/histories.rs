//! Histories that tests make: rule tests played, as records and as journals.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use grace::config::{self, Folder};
use grace::engine::{Bundle, State, step};
use grace::model::{Meaning, Record};
use grace::record::{Journal, Recorded};
use grace::replay::Suite;

/// Three hangs, each healed by one restart; ages between them are a sawtooth of ten seconds.
pub(crate) const HANGS: &str = r#"
[test.three_hangs]
start = "12:00:00"
end   = "14:00:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:10:00", set = { "reflection.running" = false } },
    { at = "12:40:00", set = { "reflection.running" = false } },
    { at = "13:10:00", set = { "reflection.running" = false } },
    { at = "13:20:00", set = { "reflection.age_s" = 8 } },
    { at = "13:21:00", set = { "reflection.age_s" = 4 } },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;

/// The shipped files with one test instead of the shipped ones, and with some text of theirs replaced.
pub(crate) fn files(tests: Option<&str>, edits: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.ends_with(".test.toml") {
                let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
                let edits = edits.iter().filter(|(file, ..)| *file == format!("{folder}/{name}"));
                let text = edits.fold(text, |text, (_, from, to)| {
                    assert!(text.contains(from), "{from} in {name}");
                    text.replace(from, to)
                });
                std::fs::write(dir.path().join(folder).join(name), text).unwrap();
            }
        }
    }
    if let Some(tests) = tests {
        std::fs::write(dir.path().join("rules/reflection_service.test.toml"), tests).unwrap();
    }
    dir
}

pub(crate) fn bundle(changes: &[(&str, &str, &str)]) -> Bundle {
    config::load(files(None, changes).path()).unwrap().bundle
}

pub(crate) fn recorded(test: &str) -> Vec<Recorded> {
    recorded_under(test, &[])
}

/// What a test records under the shipped rules with some text replaced.
pub(crate) fn recorded_under(test: &str, edits: &[(&str, &str, &str)]) -> Vec<Recorded> {
    let suite = Suite::load(files(Some(test), edits).path(), &BTreeSet::new(), None);
    let mut histories = suite.histories();
    assert_eq!(histories.len(), 1, "{:?}", suite.run().report);
    histories.remove(0).1
}

/// Every restart by a rule waits for a person.
pub(crate) fn reviewed() -> (&'static str, String, &'static str) {
    let governance = std::fs::read_to_string("policies/governance.toml").unwrap();
    let line = governance.lines().find(|line| line.starts_with("policy.automatic_healing")).unwrap();
    let review = "policy.automatic_healing = { by = \"rule\", action = [\"restart\", \"scale\"], effect = \"review\" }";
    ("policies/governance.toml", line.to_owned(), review)
}

/// A start of this version with these rules.
pub(crate) fn started(bundle: &Bundle) -> Record {
    Record::Started {
        version: env!("CARGO_PKG_VERSION").into(),
        generation: bundle.generation.clone(),
        process: 1,
        interrupted: Vec::new(),
        meaning: Meaning::default(),
    }
}

/// A journal that holds a history, written as production writes it.
pub(crate) fn journal(dir: &Path, history: &[Recorded]) {
    let journal = Journal::open(dir).unwrap();
    let (mut bundle, mut state) = (None, State::default());
    for recorded in history {
        match recorded {
            Recorded::Generation { files, .. } => {
                bundle = Some(Arc::new(Folder::of(files).compile(None).unwrap().bundle));
            }
            Recorded::Adopted { state: first, .. } => {
                let bundle = bundle.as_ref().unwrap();
                let adopted = grace::engine::adopt(bundle, None, &State::default(), first.now);
                assert_eq!(adopted.state, **first);
                let mut records = vec![started(bundle)];
                records.extend(adopted.records);
                journal.adopt(first.now, &records, first).unwrap();
                state = State::clone(first);
            }
            Recorded::Tick { input, .. } => {
                let step = step(bundle.as_ref().unwrap(), &state, input);
                state = journal.commit(input.now, input, step).unwrap().state;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Changes one row of a journal behind its back.
pub(crate) fn forge(dir: &Path, how: &str) {
    let conn = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    conn.execute_batch("DROP TRIGGER entries_are_not_changed; DROP TRIGGER readings_are_not_changed;")
        .unwrap();
    let changed = conn.execute(how, []).unwrap();
    assert_eq!(changed, 1, "{how}");
}
