//! The examples in the help of the verbs that rehearse, explain and prove are commands that work as they are printed.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, files, journal, recorded};

/// What the examples name, and what is there instead.
const NAMES: [(&str, &str); 9] = [
    ("/srv/new", "."),
    (" --data /var/lib/grace", ""),
    ("2026-11-25T12:00:00Z..2026-11-25T12:10:00Z", "2024-10-04T12:05:00Z..2024-10-04T12:15:00Z"),
    ("--component web", "--component reflection_service"),
    ("--from web", "--from reflection_service"),
    ("--from 12", "--from 1"),
    ("explain 12", "explain 1"),
    ("restart/task_executor --at 14:01:00", "restart/task_executor --at 12:10:30"),
    ("restart/database --at 14:01:00", "restart/database --at 12:10:30"),
];

/// The examples of a verb: what stands behind a wider gap is for people.
fn examples(verb: &str) -> Vec<String> {
    let help = said(&command(Path::new("/nowhere")).args([verb, "--help"]).output().unwrap());
    assert!(help.out.contains("Exit codes: 0 "), "{verb}: {help:?}");
    let help =
        help.out.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("{verb} has examples")).to_owned();
    let lines = help.replace("\\\n    ", "");
    let lines = lines.lines().filter_map(|line| line.strip_prefix("  grace "));
    lines.map(|line| line.split("   ").next().unwrap().trim_end().to_owned()).collect()
}

/// Words as a shell takes them apart: these have no quotes but single ones.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| {
            if number % 2 == 1 {
                vec![part.to_owned()]
            } else {
                part.split_whitespace().map(str::to_owned).collect()
            }
        })
        .collect()
}

/// Runs git, as nobody in particular; nothing where there is none.
fn git(dir: &Path, words: &[&str]) -> Option<()> {
    let author = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
    let Ok(ended) = Command::new("git").current_dir(dir).args(author).args(words).output() else {
        assert!(std::env::var_os("CI").is_none(), "no git, and CI installs it");
        writeln!(std::io::stderr(), "skipped: git is missing").expect("written");
        return None;
    };
    assert!(ended.status.success(), "git {words:?}: {ended:?}");
    Some(())
}

#[test]
fn the_examples_of_the_help_work_as_they_are_printed() {
    let dir = files(Some(HANGS), &[]);
    std::fs::copy("rules/database.test.toml", dir.path().join("rules/database.test.toml")).unwrap();
    let Some(()) = git(dir.path(), &["init", "-q", "-b", "main"]) else { return };
    git(dir.path(), &["add", "--all"]).expect("git");
    git(dir.path(), &["commit", "-q", "-m", "x"]).expect("git");
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    journal(&data, &recorded(HANGS));
    let run = |line: &str| -> Said {
        let line = NAMES.iter().fold(line.to_owned(), |line, (from, to)| line.replace(from, to));
        said(&command(&data).current_dir(dir.path()).args(words(&line)).output().unwrap())
    };
    let export = run("audit export --to history.jsonl");
    assert_eq!(export.code, Some(0), "{export:?}");
    let mut count = 0;
    for verb in ["simulate", "fixture", "explain", "prove", "shadow"] {
        for line in examples(verb) {
            let told = run(&line);
            // A candidate is set and asked for where Grace runs; here none does.
            let fine = match verb {
                "shadow" => {
                    told.err.contains("cannot be reached") || told.err.contains("there is no candidate")
                }
                _ => matches!(told.code, Some(0 | 1)) && told.out.is_empty() == line.contains("--to"),
            };
            assert!(fine, "{line}: {told:?}");
            assert!(!told.err.contains("try '--help'"), "{line}: {told:?}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} examples");
}
