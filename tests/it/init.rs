//! `grace init`: a first set of files that is valid, tested and in form, whatever was asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Said, said};

fn grace(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    said(&command.args(args).env_remove("GRACE_CONFIG").output().expect("runs"))
}

fn init(dir: &Path, args: &[&str]) -> Said {
    grace(&[&["init", dir.to_str().expect("a path")], args].concat())
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn whatever_is_asked_for_is_valid_tested_and_in_form() {
    let http = &["--http", "http://127.0.0.1:8080/health?a=\"b\""][..];
    let (tcp, pid) = (&["--tcp", "[::1]:80"][..], &["--pid-file", "/run/my web.pid"][..]);
    let (name, program) =
        (&["--service", "my_web_2"][..], &["--argv", "/bin/sleep", "--x", "it's \"5\"\t{é}"][..]);
    let none: &[&str] = &[];
    let mut tried = 0;
    for start in [none, pid, program] {
        for (page, port) in [(none, none), (http, none), (none, tcp), (http, tcp)] {
            for name in [none, name] {
                let dir = tempfile::tempdir().expect("a folder");
                let target = dir.path().join("deep/er");
                let args = [name, page, port, start].concat();
                let done = init(&target, &args);
                assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
                assert!(
                    done.err.contains("next:") && done.out.lines().count() == files(&target).len(),
                    "{done:?}"
                );
                let there = target.to_str().expect("a path");
                for verb in [
                    &["validate", there, "--output", "short"][..],
                    &["test", there],
                    &["fmt", "--check", "--diff", there],
                ] {
                    let judged = grace(verb);
                    assert_eq!(judged.code, Some(0), "{args:?} {verb:?}: {judged:?}\n{}", story(&target));
                    assert!(!judged.out.contains("warning["), "{args:?}: {judged:?}\n{}", story(&target));
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 24);
}

fn story(dir: &Path) -> String {
    let rules = files(&dir.join("rules"));
    rules.iter().map(|path| fs::read_to_string(path).expect("a text")).collect()
}

#[test]
fn nothing_is_ever_overwritten() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("policies")).expect("made");
    std::os::unix::fs::symlink("/nowhere", dir.path().join("policies/system.toml")).expect("linked");
    let refused = init(dir.path(), &[]);
    assert!(
        refused.code == Some(2) && refused.err.contains("policies/system.toml is there already"),
        "{refused:?}"
    );
    assert_eq!(files(dir.path()).len(), 1, "nothing else was written");
    assert!(!dir.path().join("rules").exists());
    assert_eq!(init(dir.path(), &["--force"]).code, Some(2), "there is no such flag");
    let twice = tempfile::tempdir().expect("a folder");
    assert_eq!(init(twice.path(), &[]).code, Some(0));
    let before = story(twice.path());
    assert_eq!(init(twice.path(), &["--tcp", "127.0.0.1:1"]).code, Some(2));
    assert_eq!(story(twice.path()), before);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    // A file where a folder should be.
    fs::write(dir.path().join("schema"), "").expect("written");
    let refused = init(dir.path(), &[]);
    assert!(refused.code == Some(2) && refused.err.contains("nothing was written"), "{refused:?}");
    assert_eq!(files(dir.path()), [dir.path().join("schema")]);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "no folder either");
}

#[test]
fn what_would_not_be_valid_is_not_written() {
    for (args, says) in [
        (&["--service", "My-Web"][..], "cannot be the name"),
        (&["--service", "../x"], "cannot be the name"),
        (&["--http", "localhost:8080"], "is no URL"),
        (&["--http", "http://me:secret@web/"], "no place for a password"),
        (&["--tcp", "8080"], "is no address"),
        (&["--pid-file", "run/web.pid"], "is no whole path"),
        (&["--argv", "bin/web"], "half a path"),
        (&["--service", "database", "--argv", "/bin/web"], "a part of Grace"),
        (&["--pid-file", "/run/x", "--argv", "/bin/web"], "cannot be used with"),
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let refused = init(&dir.path().join("new"), args);
        assert_eq!(refused.code, Some(2), "{args:?}: {refused:?}");
        assert!(refused.out.contains(says) || refused.err.contains(says), "{args:?}: {refused:?}");
        assert!(!dir.path().join("new").exists(), "{args:?}");
    }
}

#[test]
fn others_cannot_write_what_was_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = dir.path().join("new");
    let binary = env!("CARGO_BIN_EXE_grace");
    let open = format!("umask 0; exec {binary} init {}", target.display());
    assert!(Command::new("sh").args(["-c", &open]).output().expect("runs").status.success());
    for path in files(&target).iter().flat_map(|path| [path.as_path(), path.parent().expect("a folder")]) {
        let mode = fs::metadata(path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o022, 0, "{}: {mode:o}", path.display());
    }
}

#[test]
fn samples_are_printed_and_what_is_written_is_what_is_printed() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(init(dir.path(), &[]).code, Some(0));
    for (sample, file) in [("tombi", "tombi.toml"), ("taplo", ".taplo.toml")] {
        let printed = grace(&["init", "--print", sample]);
        assert_eq!(printed.out, fs::read_to_string(dir.path().join(file)).expect("is there"));
        // Each schema that it names was written.
        let named: Vec<&str> = printed.out.split('"').filter(|word| word.starts_with("schema/")).collect();
        assert_eq!(named.len(), 8, "{named:?}");
        for name in named {
            assert!(dir.path().join(name).is_file(), "{name}");
        }
    }
    for (sample, says) in
        [("github", "grace test"), ("gitlab", "grace validate"), ("pre-commit", "grace fmt --check")]
    {
        let printed = grace(&["init", "--print", sample]);
        assert!(printed.code == Some(0) && printed.out.contains(says), "{printed:?}");
        assert!(printed.out.starts_with("# ."), "its first line says where it goes");
    }
    let bare = tempfile::tempdir().expect("a folder");
    assert_eq!(init(bare.path(), &["--no-editor"]).code, Some(0));
    assert_eq!(files(bare.path()).len(), 8);
}

/// The hooks that this repository offers to others are those that `grace init` prints.
#[test]
fn the_hooks_are_the_same_everywhere() {
    let lines = |text: &str, key: &str| -> Vec<String> {
        let found = text.lines().map(|line| line.trim_start_matches([' ', '-']));
        found.filter_map(|line| line.strip_prefix(key)).map(|word| word.trim().to_owned()).collect()
    };
    let printed = grace(&["init", "--print", "pre-commit"]).out;
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let offered = fs::read_to_string(hooks).expect("is there");
    for key in ["id:", "entry:", "files:", "language:", "pass_filenames:"] {
        assert!(!lines(&printed, key).is_empty(), "{key}");
        assert_eq!(lines(&printed, key), lines(&offered, key), "{key}");
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn programs_get_one_document_whatever_is_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = dir.path().join("new");
    let refused = init(&target, &["--service", "My-Web", "--output", "json"]);
    let report = json(&refused.out);
    assert_eq!((refused.code, report["valid"].as_bool()), (Some(2), Some(false)), "{refused:?}");
    assert_eq!(report["diagnostics"][0]["code"], "GR2006");
    let written = init(&target, &["--output", "json"]);
    let names = json(&written.out)["written"].as_array().map(Vec::len);
    assert_eq!((written.code, names), (Some(0), Some(files(&target).len())), "{written:?}");
    for (sample, file) in [
        ("rules", "rules/web.toml"),
        ("test", "rules/web.test.toml"),
        ("pre-commit", ".pre-commit-config.yaml"),
        ("github", ".github/workflows/grace.yml"),
        ("gitlab", ".gitlab-ci.yml"),
        ("tombi", "tombi.toml"),
        ("taplo", ".taplo.toml"),
    ] {
        let plain = grace(&["init", "--print", sample]).out;
        let printed = json(&grace(&["init", "--print", sample, "--output", "json"]).out);
        assert_eq!((printed["format_version"].as_i64(), printed["file"].as_str()), (Some(1), Some(file)));
        assert_eq!(printed["text"].as_str().map(str::trim_end), Some(plain.trim_end()), "{sample}");
    }
}

#[test]
fn what_is_printed_of_a_service_is_of_the_one_that_was_named() {
    let about = ["--service", "api", "--http", "http://127.0.0.1:9000/"];
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(init(dir.path(), &about).code, Some(0));
    for (sample, file) in [("rules", "rules/api.toml"), ("test", "rules/api.test.toml")] {
        let printed = grace(&[&["init", "--print", sample], &about[..]].concat());
        assert_eq!(printed.out, fs::read_to_string(dir.path().join(file)).expect("is there"), "{printed:?}");
    }
    let refused = grace(&["init", "--print", "rules", "--service", "../x"]);
    assert!(refused.code == Some(2) && refused.out.contains("cannot be the name"), "{refused:?}");
}

#[test]
fn nothing_that_was_said_beside_print_is_ignored() {
    for (flags, says) in [
        (&["--service", "api"][..], "leave out --service"),
        (&["--tcp", "127.0.0.1:1"], "leave out --tcp"),
        (&["--http", "http://x/"], "leave out --http"),
        (&["--pid-file", "/run/x"], "leave out --pid-file"),
        (&["--argv", "/bin/x"], "leave out --argv"),
        (&["--no-editor"], "cannot be used with"),
        (&["there"], "cannot be used with"),
    ] {
        let refused = grace(&[&["init", "--print", "github"], flags].concat());
        assert!(refused.code == Some(2) && refused.out.is_empty(), "{flags:?}: {refused:?}");
        assert!(refused.err.contains(says), "{flags:?}: {refused:?}");
    }
}
