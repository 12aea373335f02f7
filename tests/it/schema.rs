//! `grace schema`: what editors check files against, judged by the checkers of real editors.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::config::laid_out;
use crate::daemon::{Said, said};
use crate::scenarios::laid_over;

fn home() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn grace(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    said(&command.args(args).env_remove("GRACE_OUTPUT").output().expect("runs"))
}

fn names() -> Vec<String> {
    let list: Value =
        serde_json::from_str(&grace(&["schema", "--list", "--output", "json"]).out).expect("is JSON");
    list.as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Every schema within a schema.
fn all<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
    match schema {
        Value::Object(inside) => {
            found.push(schema);
            inside.values().for_each(|value| all(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| all(value, found)),
        _ => {}
    }
}

#[test]
fn every_kind_of_file_has_a_schema_that_leaves_nothing_open() {
    let names = names();
    assert_eq!(names.len(), 8, "{names:?}");
    for name in &names {
        let printed = grace(&["schema", name]);
        let schema: Value = serde_json::from_str(&printed.out).expect("is JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
        let mut inside = Vec::new();
        all(&schema, &mut inside);
        let mut tables = 0;
        for table in inside.iter().filter(|table| {
            table.get("properties").is_some_and(|keys| keys.get("type").is_none_or(|kind| !kind.is_string()))
        }) {
            // What only shuts out keys of another form declares none.
            if table["properties"].as_object().expect("keys").values().all(|value| *value == false) {
                continue;
            }
            tables += 1;
            assert_eq!(table["additionalProperties"], false, "{name}: {table}");
            for (key, value) in table["properties"].as_object().expect("keys") {
                assert!(value["description"].is_string(), "{name}: `{key}` says nothing: {value}");
            }
        }
        assert!(tables > 0, "{name}");
    }
    assert!(grace(&["schema"]).out.contains("rules/*.test.toml"));
    assert_eq!(grace(&["schema", "rulez"]).code, Some(2));
}

#[test]
fn all_of_them_are_written_over_older_ones() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = dir.path().join("a/b");
    let path = target.to_str().expect("a path");
    assert_eq!(grace(&["schema", "--dir", path]).code, Some(0));
    fs::write(target.join("rules.json"), "old").expect("written");
    assert_eq!(grace(&["schema", "--dir", path]).out.lines().count(), 8);
    for name in names() {
        let written = fs::read_to_string(target.join(format!("{name}.json"))).expect("is there");
        assert_eq!(written, grace(&["schema", &name]).out, "{name}");
    }
    assert_eq!(grace(&["schema", "--dir", "/dev/null/x"]).code, Some(2));
}

#[test]
fn the_table_of_facts_says_type_unit_and_meaning() {
    let human = grace(&["schema", "facts"]).out;
    let has = |words: &[&str]| human.lines().any(|line| words.iter().all(|word| line.contains(word)));
    for words in [
        &["probe kind builtin (reflection_service)"][..],
        &["age_s", "measure", "seconds", "time since the last reflection"],
        &["status_code", "count", "-", "missing where there was no answer"],
        &["state", "text", "what the exit code means"],
        &["incidents(w)", "count", "incidents begun in the last w"],
        &["action.stricter", "bool"],
    ] {
        assert!(has(words), "{words:?}:\n{human}");
    }
    let json: Value =
        serde_json::from_str(&grace(&["schema", "facts", "--output", "json"]).out).expect("is JSON");
    let probes = json["probes"].as_array().expect("a list");
    let http = probes.iter().find(|probe| probe["kind"] == "http").expect("is there");
    let latency = http["facts"].as_array().expect("a list").iter().find(|fact| fact["name"] == "latency_ms");
    assert_eq!(latency.expect("is there")["unit"], "milliseconds");
    assert_eq!(json["conditions"].as_array().expect("a list").len(), 4);
}

/// The checker of an editor, or another judge; on the build machine it is there.
pub(crate) fn judge(name: &str) -> Option<PathBuf> {
    let own = home().join("target/judges/bin").join(name);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(own).chain(std::env::split_paths(&paths).map(|path| path.join(name)));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no {name}, and CI installs it");
        writeln!(std::io::stderr(), "skipped: {name} is missing (.ci/run installs it into target/judges)")
            .expect("says so");
    }
    found
}

/// Makes a folder one whose files editors know, as `grace init` would.
fn with_schemas(dir: &Path) {
    for (sample, file) in [("tombi", "tombi.toml"), ("taplo", ".taplo.toml")] {
        fs::write(dir.join(file), grace(&["init", "--print", sample]).out).expect("written");
    }
    let schemas = dir.join("schema");
    assert_eq!(grace(&["schema", "--dir", schemas.to_str().expect("a path")]).code, Some(0));
}

/// What the judge finds wrong with these files; nothing where it finds nothing.
fn wrong(judge: &Path, dir: &Path, files: &[String]) -> Option<String> {
    let mut command = Command::new(judge);
    command.arg("lint").current_dir(dir).env("NO_COLOR", "1");
    if judge.ends_with("tombi") {
        command.arg("--offline");
    }
    let output = command.args(files).output().expect("runs");
    let says =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // A warning is a finding as well: a schema that an editor complains about is none.
    (!output.status.success() || says.contains("Warning")).then_some(says)
}

fn toml_files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["rules", "policies"] {
        for entry in fs::read_dir(dir.join(part)).expect(part) {
            let name = entry.expect(part).file_name().into_string().expect("a name");
            found.push(format!("{part}/{name}"));
        }
    }
    found.sort();
    found
}

#[test]
fn real_editors_accept_what_is_shipped() {
    for name in ["tombi", "taplo"] {
        let Some(judge) = judge(name) else { continue };
        let mut folders = vec![home()];
        for parent in ["tests/examples", "tests/config/scenarios"] {
            folders.extend(
                fs::read_dir(home().join(parent)).expect(parent).map(|entry| entry.expect(parent).path()),
            );
        }
        let mut files = 0;
        for folder in folders.iter().filter(|folder| folder.join("rules").is_dir()) {
            let laid = tempfile::tempdir().expect("a folder");
            for part in ["rules", "policies"] {
                fs::create_dir(laid.path().join(part)).expect("made");
                for entry in fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
                    fs::copy(entry.path(), laid.path().join(part).join(entry.file_name())).expect("copied");
                }
            }
            with_schemas(laid.path());
            let there = toml_files(laid.path());
            files += there.len();
            let says = wrong(&judge, laid.path(), &there);
            assert_eq!(
                says,
                None,
                "{name} refuses {}:\n{}",
                folder.display(),
                says.as_deref().unwrap_or_default()
            );
        }
        assert!(files > 40, "{files}");
    }
}

#[test]
fn real_editors_reject_what_is_broken() {
    for name in ["tombi", "taplo"] {
        let Some(judge) = judge(name) else { continue };
        for (file, old, new) in [
            ("rules/database.toml", "tier = 1", "teir = 1"),
            ("rules/database.toml", "tier = 1", "tier = \"1\""),
            ("rules/database.toml", "timeout = \"2s\"", "timeout = \"2 parsec\""),
            ("rules/database.toml", "slow_ms   = \"250ms\"", "slow_ms = 250"),
            ("rules/database.toml", "\"builtin\"", "\"built-in\""),
            ("rules/database.toml", "critical =", "# critical ="),
            ("rules/hunter.toml", "\"block\",", "\"blok\","),
            ("rules/hunter.toml", "each = \"component\"", "each = \"component\"\nstatus.critical = 'true'"),
            ("rules/hunter.toml", "each = \"component\"", ""),
            ("rules/hunter.toml", "{label} keeps", "{lable} keeps"),
            ("policies/modes.toml", "rank = 0", "rank = -1"),
            ("policies/governance.toml", "effect = \"review\"", "effect = \"revue\""),
            ("policies/budgets.toml", "jitter = 0.25", "jitter = 25"),
            ("policies/system.toml", "interval ", "intervall "),
            ("policies/notify.toml", "\"log\"", "\"mail\""),
            ("policies/access.toml", "[\"health\",", "[\"heal\","),
            ("policies/access.toml", "operator =", "operators ="),
        ] {
            let laid = laid_over(Path::new("/nowhere"));
            with_schemas(laid.path());
            let text = fs::read_to_string(laid.path().join(file)).expect(file);
            assert!(text.contains(old), "{file} holds {old}");
            fs::write(laid.path().join(file), text.replacen(old, new, 1)).expect("written");
            assert!(wrong(&judge, laid.path(), &[file.to_owned()]).is_some(), "{name} takes {new} in {file}");
        }
    }
}

/// One wrong word is one finding, and it stands where the word stands. taplo marks the table that holds it, and then
/// all that is in this table.
#[test]
fn a_real_editor_marks_the_word_that_is_wrong() {
    for (file, old, new, line, within) in [
        ("rules/database.toml", "after = 2", "aftr = 2", 20, 18..=22),
        ("rules/database.toml", "slow_ms   = \"250ms\"", "slow_ms   = 250", 11, 11..=11),
    ] {
        for name in ["tombi", "taplo"] {
            let Some(judge) = judge(name) else { continue };
            let laid = laid_over(Path::new("/nowhere"));
            with_schemas(laid.path());
            let text = fs::read_to_string(laid.path().join(file)).expect(file);
            assert!(text.contains(old), "{file} holds {old}");
            fs::write(laid.path().join(file), text.replacen(old, new, 1)).expect("written");
            let says = wrong(&judge, laid.path(), &[file.to_owned()]).expect("a finding");
            let lines = marked(&says);
            assert!(!says.contains("Warning"), "{name}: {says}");
            if name == "tombi" {
                assert_eq!(lines, [line], "{says}");
            } else {
                assert!(lines.iter().all(|line| within.contains(line)), "{lines:?} of {says}");
                assert!(lines.contains(&line), "{lines:?} of {says}");
            }
        }
    }
}

/// The lines that a judge points at: `at FILE:LINE:COLUMN` or `┌─ FILE:LINE:COLUMN`.
fn marked(says: &str) -> Vec<usize> {
    let places = says.lines().filter_map(|line| {
        let line = line.trim();
        line.strip_prefix("at ").or_else(|| line.strip_prefix("┌─ "))
    });
    places.map(|place| place.rsplit(':').nth(1).and_then(|line| line.parse().ok()).expect("a line")).collect()
}

/// What the reader says of shapes alone, a schema has to say as well.
#[test]
fn a_real_editor_finds_in_the_samples_what_a_schema_can_find() {
    let Some(judge) = judge("tombi") else { return };
    let (mut refused, mut missed, mut alarms) = (0, Vec::new(), Vec::new());
    for (name, report, dir) in laid_out("invalid") {
        // Lines such as `rules/database.toml:3:7: error[GR2002]: ...`, one mistake each.
        let shape = ["GR2001", "GR2002", "GR2003", "GR2004", "GR2105", "GR2107"];
        let only = !report.is_empty()
            && report
                .lines()
                .all(|line| line.contains(".toml:") && shape.iter().any(|code| line.contains(code)));
        let Some(file) = report.split(':').next().filter(|_| only) else { continue };
        with_schemas(dir.path());
        match wrong(&judge, dir.path(), &[file.to_owned()]) {
            Some(_) => refused += 1,
            None => missed.push(name),
        }
    }
    for (name, _, dir) in laid_out("valid") {
        with_schemas(dir.path());
        let files: Vec<String> = toml_files(dir.path())
            .into_iter()
            .filter(|file| {
                Path::new(file).extension().is_some_and(|end| end == "toml") && !file.contains("/.")
            })
            .collect();
        // The one is broken on purpose, and tombi reads no byte order mark.
        let beside = ["broken_test_file", "byte_order_mark"].contains(&name.as_str());
        if !beside && let Some(says) = wrong(&judge, dir.path(), &files) {
            alarms.push(format!("{name}: {says}"));
        }
    }
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
    assert!(refused >= 40, "{refused}");
    assert_eq!(missed, BEYOND_A_SCHEMA, "{refused} were refused");
}

/// Samples whose mistake lies between two places, which no schema sees: a probe that needs a control, and the type of
/// a fact that another file declares, the name of a file; a time that says when somebody is told, and nobody is named.
const BEYOND_A_SCHEMA: [&str; 5] = [
    "probe_command_of_nothing",
    "probe_process_of_nobody",
    "tasks_escalated_to_nobody",
    "test_wrong_fact_type",
    "unknown_policy_file",
];
