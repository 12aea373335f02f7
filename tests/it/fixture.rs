//! An incident becomes a test: it passes beside the rules of its time, and fails when they behave otherwise.

use std::collections::BTreeSet;
use std::path::Path;

use grace::model::{ComponentId, IncidentId, Record, Span};
use grace::record::Recorded;
use grace::replay::fixture::{Fixture, FixtureError, From, Wish, fixture};
use grace::replay::{History, Suite, Tested, run_tests};

/// The shipped files with these tests instead of the shipped ones, and with some text of theirs replaced.
fn files(test: Option<&Fixture>, edits: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rules", "policies"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if !name.ends_with(".test.toml") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let edits = edits.iter().filter(|(file, ..)| *file == name);
                let text = edits.fold(text, |text, (_, from, to)| {
                    assert!(text.contains(from), "{from} in {name}");
                    text.replace(from, to)
                });
                std::fs::write(dir.path().join(&name), text).unwrap();
            }
        }
    }
    if let Some(test) = test {
        let name = format!("rules/{}.test.toml", test.component);
        std::fs::write(dir.path().join(name), &test.text).unwrap();
    }
    dir
}

fn tested(test: &Fixture, edits: &[(&str, &str, &str)]) -> Tested {
    run_tests(files(Some(test), edits).path(), None)
}

fn wish(from: From) -> Wish {
    Wish { from, name: None, lead: None, tail: None }
}

fn made(history: &[Recorded], from: From) -> Result<Fixture, FixtureError> {
    fixture(&History::Played(history.to_vec()), &wish(from), &mut |_, _| {})
}

/// Every incident of a history.
fn incidents(history: &[Recorded]) -> Vec<IncidentId> {
    let records = history.iter().flat_map(|recorded| match recorded {
        Recorded::Tick { records, .. } => records.as_slice(),
        _ => &[],
    });
    let begun = |record: &Record| match record {
        Record::IncidentBegun { incident, .. } => Some(*incident),
        _ => None,
    };
    records.filter_map(begun).collect()
}

fn shipped() -> Vec<(String, Vec<Recorded>)> {
    Suite::load(Path::new(env!("CARGO_MANIFEST_DIR")), &BTreeSet::new(), None).histories()
}

fn of(name: &str) -> Vec<Recorded> {
    shipped().into_iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("{name}")).1
}

#[test]
fn every_incident_of_every_shipped_test_makes_a_test_that_passes() {
    let mut count = 0;
    for (name, history) in shipped() {
        for incident in incidents(&history) {
            let made = made(&history, From::Incident(incident)).unwrap_or_else(|why| panic!("{name}: {why}"));
            let tested = tested(&made, &[]);
            assert!(tested.passed(), "{name}: {:?} {:?}\n{}", tested.report, tested.results, made.text);
            let file = format!("rules/{}.test.toml", made.component);
            let form = grace::config::format::format(&file, &made.text, None).unwrap();
            assert_eq!(form, made.text, "{name}");
            if std::env::var_os("SHOW").is_some() {
                println!("# {name}, {:?} {} plays\n{}", made.given, made.plays, made.text);
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count} incidents");
}
