//! What is given in a wrong way to the verbs that rehearse: it is refused, or told, and never taken for something else.

use std::fs;
use std::path::{Path, PathBuf};

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, files, forge, journal, recorded};

fn grace(data: &Path, args: &[&str]) -> Said {
    said(&command(data).args(args).output().unwrap())
}

/// A hang that is healed, and two things that a person does: a restart, and a mode that is given back.
const PERSON: &str = r#"
[test.a_person_acts]
start = "12:00:00"
end   = "13:00:00"
given = [
    { at = "12:10:00", set = { "reflection.running" = false } },
    { at = "12:20:10", component = "trigger_mesh", ask = "restart", actor = "uid:1" },
    { at = "12:20:20", ask = "approve", approval = 1, actor = "uid:2" },
    { at = "12:30:10", ask = "mode", mode = "read_only", actor = "uid:1" },
    { at = "12:40:10", ask = "mode", mode = "normal", actor = "uid:1" },
    { at = "12:40:20", ask = "approve", approval = 2, actor = "uid:2" },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:10:30", act = "restart" }]
"#;

fn rehearsed(gates: &[&str]) -> Said {
    let dir = files(Some(PERSON), &[]);
    let history = dir.path().join("rules/reflection_service.test.toml");
    let mut grace = command(Path::new("/nowhere/data"));
    grace.arg("simulate").arg("--config").arg(dir.path()).arg("--history").arg(&history);
    said(&grace.args(["--timeline"]).args(gates).output().unwrap())
}

#[test]
fn gates_count_what_rules_do_and_can_forbid_whatever_is_shown() {
    let all = rehearsed(&[]);
    for deed in
        ["restart reflection_service", "restart trigger_mesh", "mode read_only grace", "mode normal grace"]
    {
        assert!(all.out.contains(deed), "{deed}: {}", all.out);
        let forbidden = rehearsed(&["--forbid", deed]);
        assert_eq!(forbidden.code, Some(1), "{deed}: {forbidden:?}");
        assert!(forbidden.out.contains(&format!("`{deed}` is forbidden: {deed} at ")), "{}", forbidden.out);
    }
    // One restart of two was a rule's.
    assert_eq!(rehearsed(&["--max-actions", "1"]).code, Some(0));
    let many = rehearsed(&["--max-actions", "0"]);
    assert!(many.code == Some(1) && many.out.contains("1 heal acts by rules, and at most 0"), "{many:?}");
    for slip in ["restrt trigger_mesh", "mode nomal grace", "restart mesh_trigger", " "] {
        let refused = rehearsed(&["--forbid", slip]);
        assert_eq!(refused.code, Some(2), "{slip}: {refused:?}");
        assert!(refused.err.contains("could never meet anything"), "{slip}: {refused:?}");
    }
    assert_eq!(rehearsed(&["--forbid", "scale 7 task_executor"]).code, Some(0), "people can do that");
}

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn wishes_that_meet_nothing_and_reports_of_a_newer_form_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (wishes, code) in [
        (
            "approve = [\"restart trigger_mesh\", \"set_mode *\", \"scale 9 task_executor\", \"release person\"]",
            0,
        ),
        ("approve = [\"restrt trigger_mesh\"]", 2),
        ("approve = [\"restart trigger\"]", 2),
        ("approve = [\"restart *\"]\ndeny = [\"restart databse\"]", 2),
        ("deny = [\"set_mode emergncy\"]", 2),
    ] {
        let file = written(dir.path(), "wishes.toml", wishes);
        let run = rehearsed(&["--approve", file.to_str().unwrap()]);
        assert_eq!(run.code, Some(code), "{wishes}: {run:?}");
        assert!(code == 0 || run.err.contains("could never meet anything"), "{run:?}");
    }
    let report = dir.path().join("report.json");
    let path = report.to_str().unwrap();
    assert_eq!(rehearsed(&["--output", &format!("json={path}")]).code, Some(0));
    assert_eq!(rehearsed(&["--expect", path]).code, Some(0));
    let text = fs::read_to_string(&report).unwrap();
    fs::write(&report, text.replace("\"format_version\": 1", "\"format_version\": 2")).unwrap();
    let newer = rehearsed(&["--expect", path]);
    assert_eq!(newer.code, Some(2), "{newer:?}");
    assert!(newer.err.contains("is a report of form 2, and this version reads up to 1"), "{newer:?}");
}

#[test]
fn an_export_in_another_order_is_refused_by_every_verb_that_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let file = dir.path().join("history.jsonl");
    let path = file.to_str().unwrap();
    assert_eq!(grace(dir.path(), &["audit", "export", "--to", path]).code, Some(0));
    // Nothing takes the place of a file that nobody said should go.
    for more in [&[][..], &["--entries"]] {
        fs::write(&file, "somebody's").unwrap();
        let export = [&["audit", "export", "--to", path], more].concat();
        let refused = grace(dir.path(), &export);
        assert!(refused.code == Some(2) && refused.err.contains("add `--force`"), "{refused:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's");
    }
    assert_eq!(grace(dir.path(), &["audit", "export", "--to", path, "--force"]).code, Some(0));
    let verbs = [
        vec!["simulate", "--history", path],
        vec!["explain", "restart/reflection_service", "--at", "12:10:30", "--history", path],
        vec!["fixture", "--from", "3", "--history", path],
    ];
    for verb in &verbs {
        assert_eq!(grace(dir.path(), verb).code, Some(0), "{verb:?}");
    }
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(20, 21);
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    for verb in &verbs {
        let refused = grace(dir.path(), verb);
        assert_eq!(refused.code, Some(2), "{verb:?}: {refused:?}");
        assert!(
            refused.err.contains("history.jsonl:22: entry ") && refused.err.contains("another order"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_reading_that_was_changed_and_turned_nothing_round_contradicts_the_record() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    assert_eq!(grace(dir.path(), &["simulate"]).code, Some(0));
    // 4 s are as well as 5, in a tick that left nothing else behind.
    forge(
        dir.path(),
        "UPDATE readings SET body = replace(body, '\"reflection.age_s\":4.0', '\"reflection.age_s\":5.0')
         WHERE seq = (SELECT seq FROM entries WHERE kind = 'tick' AND tick = 11)",
    );
    let told = grace(dir.path(), &["simulate"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("the record contradicts itself: what it says of tick 11 at"), "{}", told.out);
}

/// Something at a path that is no file.
fn fifo(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
}

#[test]
fn what_is_no_file_is_refused_at_once_by_every_verb_that_reads_a_history() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    fifo(&pipe);
    for other in [pipe.as_path(), dir.path()] {
        let refused = grace(dir.path(), &["simulate", "--history", other.to_str().unwrap()]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.err.contains("is no regular file, and a history is read more than once"),
            "{refused:?}"
        );
    }
    let verbs: [&[&str]; 5] = [
        &["simulate"],
        &["explain", "restart/database"],
        &["prove"],
        &["audit", "verify"],
        &["run", "--listen", "off", "--config", "."],
    ];
    for (make, says) in [
        (fifo as fn(&Path), "this is no regular file, and no database"),
        (|path: &Path| fs::create_dir(path).unwrap(), "this is no regular file, and no database"),
    ] {
        let data = tempfile::tempdir().unwrap();
        make(&data.path().join("journal.db"));
        for verb in verbs {
            let refused = grace(data.path(), verb);
            assert!(refused.code != Some(0) && refused.err.contains(says), "{verb:?}: {refused:?}");
        }
    }
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("journal.db"), "").unwrap();
    for verb in &verbs[..4] {
        let refused = grace(data.path(), verb);
        assert!(
            refused.code != Some(0) && refused.err.contains("this file is empty, and no database"),
            "{refused:?}"
        );
    }
}

#[test]
fn times_and_lengths_are_taken_as_the_help_says_or_refused_with_what_would_be() {
    let history = "rules/database.test.toml::scenario_2_database_connection_lost";
    let at = |at: &str| {
        grace(Path::new("/nowhere"), &["explain", "read_only/database", "--at", at, "--history", history])
    };
    assert_eq!(at("2024-10-04T16:01:00+02:00").out, at("2024-10-04T14:01:00Z").out);
    assert_eq!(at("2024-10-04T16:01:00+02:00").code, Some(0));
    let long = grace(Path::new("/nowhere"), &["simulate", "--since", "10000d", "--history", history]);
    assert!(long.code == Some(2) && long.err.contains("at most ten years (3660d)"), "{long:?}");
}

#[test]
fn a_reading_that_cannot_be_read_is_named_by_its_entry_in_every_verb_that_needs_it() {
    for body in ["'{'", "x'ff'", "replace(body, ':true', ':[true]')"] {
        let dir = tempfile::tempdir().unwrap();
        journal(dir.path(), &recorded(HANGS));
        let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
        conn.execute_batch("DROP TRIGGER readings_are_not_changed").unwrap();
        let seq: i64 = conn
            .query_row("SELECT seq FROM entries WHERE kind = 'tick' AND tick = 10", [], |row| row.get(0))
            .unwrap();
        // Where a table is strict a text stays one.
        let body = body.replace("x'ff'", "CAST(x'ff' AS TEXT)");
        conn.execute(&format!("UPDATE readings SET body = {body} WHERE seq = ?1"), [seq]).unwrap();
        drop(conn);
        let file = dir.path().join("history.jsonl");
        for verb in [
            vec!["simulate"],
            vec!["audit", "export", "--to", file.to_str().unwrap()],
            vec!["explain", "restart/reflection_service", "--at", "12:10:30"],
            vec!["fixture", "--from", "1"],
        ] {
            let told = grace(dir.path(), &verb);
            assert_eq!(told.code, Some(2), "{verb:?} {body}: {told:?}");
            assert!(told.err.contains(&format!("entry {seq} of the journal")), "{verb:?} {body}: {told:?}");
        }
        assert!(!file.exists());
    }
}
