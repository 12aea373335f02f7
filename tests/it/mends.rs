//! `validate --fix` mends what can only be meant in one way, and nothing else; what one file says of the whole set.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::config::lay;
use crate::histories;

const HOME: &str = env!("CARGO_MANIFEST_DIR");

fn validate(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    command.arg("validate").args(words).current_dir(dir).output().expect("runs")
}

/// A set in which one piece of one file is another.
fn set(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let dir = lay::shipped(Path::new(HOME));
    let path = dir.path().join(file);
    let text = fs::read_to_string(&path).expect("read");
    assert!(text.contains(from), "{file} holds {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("written");
    dir
}

#[test]
fn what_can_only_be_meant_in_one_way_is_mended_and_all_else_left_alone() {
    let file = "rules/reflection_service.toml";
    for (from, to, mended) in [
        ("after ", "afer ", true),
        ("reflection.age_s > threshold.stale_s", "reflection.agee_s > threshold.stale_s", true),
        ("[\"restart\"]", "[\"restrt\"]", true),
        ("{ set_mode", "{ set_mod", true),
        ("after ", "# allow(GR4201): it is quick\nafter ", true),
        // There is one already: two would be worse.
        ("after ", "afterr = 2\nafter ", false),
        // It may be the declaration that is misspelt.
        ("stale_s = ", "stal_s = ", false),
        ("observation_only", "observation_onl", false),
    ] {
        let dir = set(file, from, to);
        let (whole, broken) = (fs::read_to_string(Path::new(HOME).join(file)), dir.path().join(file));
        let before = fs::read_to_string(&broken).expect("read");
        validate(dir.path(), &["--fix"]);
        let after = fs::read_to_string(&broken).expect("read");
        let wanted = if mended { whole.expect("read") } else { before };
        assert_eq!(after, wanted, "{from} -> {to}");
    }
}

#[test]
fn errors_of_other_files_count_and_their_mends_wait() {
    let dir = set("rules/database.toml", "tier", "teir");
    let said = validate(dir.path(), &["--fix", "policies/modes.toml", "--output", "json"]);
    assert_eq!(said.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(
        (&json["valid"], &json["diagnostics"][0]["file"]),
        (&false.into(), &"rules/database.toml".into())
    );
    assert!(fs::read_to_string(dir.path().join("rules/database.toml")).expect("read").contains("teir"));
}

#[test]
fn a_reader_that_goes_away_changes_no_verdict() {
    let (bad, other) =
        (set("rules/database.toml", "tier", "teir"), set("rules/database.toml", "250ms", "251ms"));
    let (good, data) = (lay::shipped(Path::new(HOME)), tempfile::tempdir().expect("a folder"));
    histories::journal(data.path(), &histories::recorded(histories::HANGS));
    histories::forge(data.path(), "UPDATE entries SET body = body || ' ' WHERE seq = 5");
    let text = |dir: &Path| dir.to_str().expect("UTF-8").to_owned();
    let (good, other, data) = (text(good.path()), text(other.path()), text(data.path()));
    let verbs: [&[&str]; 6] = [
        &["validate"],
        &["diff", &good, &other],
        &["prove", "--data", &data],
        &["prove", "--data", &data, "--output", "json"],
        &["audit", "verify", "--data", &data],
        &["audit", "verify", "--data", &data, "--output", "json"],
    ];
    for verb in verbs {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        let ended = command.args(verb).current_dir(bad.path()).stdout(writer).stderr(Stdio::null()).status();
        assert_eq!(ended.expect("runs").code(), Some(1), "{verb:?}");
    }
}

#[test]
fn a_report_replaces_no_rule_file() {
    let dir = set("rules/database.toml", "tier", "teir");
    let said = validate(dir.path(), &["--output", "json=rules/database.toml"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(fs::read_to_string(dir.path().join("rules/database.toml")).expect("read").contains("teir"));
}

#[test]
fn another_programs_file_is_not_brought_into_form() {
    let dir = lay::shipped(Path::new(HOME));
    let (other, text) = (dir.path().join("Cargo.toml"), "[package]\nname=\"x\"\n");
    fs::write(&other, text).expect("written");
    let ended = Command::new(env!("CARGO_BIN_EXE_grace")).arg("fmt").arg(&other).output().expect("runs");
    assert_ne!(ended.status.code(), Some(0));
    assert_eq!(fs::read_to_string(other).expect("read"), text);
    // Who stands in the folder may leave its name out.
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    let ended =
        command.args(["fmt", "--check", "database.toml"]).current_dir(dir.path().join("rules")).status();
    assert_eq!(ended.expect("runs").code(), Some(0));
}

#[test]
fn words_of_the_grammar_have_a_patch() {
    for (file, from, to) in [
        ("rules/hunter.toml", "\"block\"", "\"blok\""),
        ("rules/database.toml", "set_mode", "setmode"),
        ("policies/modes.toml", "\"write\"]", "\"wirte\"]"),
        ("policies/modes.toml", "\"queue\"", "\"queu\""),
        ("policies/governance.toml", "\"scale\"", "\"scal\""),
    ] {
        let dir = set(file, from, to);
        let said = validate(dir.path(), &["--output", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
        let word = |text: &str| text.trim_matches(['"', ']']).to_owned();
        let patch = json["diagnostics"][0]["fixes"][0].to_string();
        assert!(patch.contains(&word(from)), "{file}: {to}: {json}");
    }
}

#[test]
fn a_file_that_is_mended_in_two_rounds_is_named_once() {
    // The fact is only looked at when the key is right.
    let dir = set(
        "rules/reflection_service.toml",
        "critical = '!reflection.running",
        "critcal = '!reflection.runing",
    );
    let said = validate(dir.path(), &["--fix"]);
    let talk = String::from_utf8_lossy(&said.stderr);
    assert_eq!((said.status.code(), talk.matches("mended").count()), (Some(0), 1), "{talk}");
}

#[test]
fn what_is_no_toml_stands_at_the_same_places_for_validate_and_fmt() {
    let file = "rules/database.toml";
    for text in ["a = 1\na = 2\nb = = 3\nc = \n[x\n", "a = 1 b = 2\n\ta == 2", "\u{feff}a = 1\r\nb = \"\r\n"]
    {
        let dir = set(file, "[component]", "[component]");
        fs::write(dir.path().join(file), text).expect("written");
        let places = |words: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
            let said = command
                .args(words)
                .args(["--output", "short"])
                .current_dir(dir.path())
                .output()
                .expect("runs");
            let said = String::from_utf8(said.stdout).expect("UTF-8");
            let places: Vec<String> =
                said.lines().filter(|line| line.contains("[GR2001]")).map(str::to_owned).collect();
            assert!(!places.is_empty(), "{words:?}: {said}");
            places
        };
        assert_eq!(places(&["validate"]), places(&["fmt", "--check", file]), "{text:?}");
    }
}

#[test]
fn what_is_no_folder_is_said_once_and_with_its_name() {
    let dir = lay::shipped(Path::new(HOME));
    let says = |path: &Path| match grace::config::load(path) {
        Ok(_) => Vec::new(),
        Err(report) => grace::say::short(&report),
    };
    let file = dir.path().join("policies/modes.toml");
    let [line] = says(&file).try_into().expect("one line");
    assert!(line.contains("modes.toml` is not a folder"), "{line}");
    fs::create_dir(dir.path().join("rules/more.toml")).expect("made");
    let drawn = validate(dir.path(), &[]);
    let drawn = String::from_utf8(drawn.stdout).expect("UTF-8");
    assert!(drawn.contains("--> rules/more.toml"), "{drawn}");
}
