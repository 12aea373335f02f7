//! A record that contradicts itself is told by whoever decides its ticks again, and not only by `prove`.

use std::path::Path;

use grace::model::Record;
use grace::record::{Reader, Recorded};
use grace::replay::simulate::{Odds, Plan, Rehearsal, Simulation};
use serde_json::Value;

use crate::daemon::{Said, command, said};
use crate::histories::{HANGS, bundle, forge, journal, recorded};

fn simulate(history: Vec<Recorded>, edits: &[(&str, &str, &str)]) -> Rehearsal {
    let (rules, plan, odds) = (bundle(edits), Plan::default(), Odds::default());
    let mut simulation = Simulation::new(&rules, None, &plan, &odds);
    for recorded in history {
        simulation.take(&recorded).unwrap();
    }
    simulation.finish()
}

/// Three hangs, without the first restart that was made.
fn without_the_first_restart() -> Vec<Recorded> {
    let mut history = recorded(HANGS);
    let restarts = history.iter_mut().find_map(|one| match one {
        Recorded::Tick { records, .. }
            if records.iter().any(|record| matches!(record, Record::Intent { .. })) =>
        {
            Some(records)
        }
        _ => None,
    });
    restarts.unwrap().retain(|record| !matches!(record, Record::Intent { .. }));
    history
}

#[test]
fn the_first_tick_that_contradicts_its_inputs_is_named() {
    assert_eq!(simulate(recorded(HANGS), &[]).contradiction, None);
    let found = simulate(without_the_first_restart(), &[]);
    // 12:00:00 is the first tick, so 12:10:30 is the twenty-second.
    let contradiction = found.contradiction.clone().unwrap();
    assert_eq!((contradiction.tick, contradiction.at.clock().as_str()), (22, "12:10:30"));
    assert!(found.is_doubtful() && contradiction.is_finding());
    // What differs only in the digest of its decisions is one as well.
    let mut history = recorded(HANGS);
    if let Some(Recorded::Tick { decisions, .. }) = history.last_mut() {
        *decisions = "another".into();
    }
    assert_eq!(simulate(history, &[]).contradiction.unwrap().tick, 241 + 6);
    // Other rules decide otherwise, and that says nothing of the record.
    let later = [("rules/reflection_service.toml", "after      = 2", "after      = 3")];
    assert_eq!(simulate(recorded(HANGS), &later).contradiction, None);
}

#[test]
fn a_reading_that_was_changed_and_turned_nothing_round_is_named_whatever_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    forge(
        dir.path(),
        "UPDATE readings SET body = replace(body, '\"reflection.age_s\":4.0', '\"reflection.age_s\":5.0')
         WHERE seq = (SELECT seq FROM entries WHERE kind = 'tick' AND tick = 70)",
    );
    let history: Vec<Recorded> = Reader::open(dir.path()).unwrap().ticks(0).map(Result::unwrap).collect();
    // Other rules are in another state long before it, and none of those can be weighed.
    let later = [("rules/reflection_service.toml", "after      = 2", "after      = 3")];
    for edits in [&[][..], &later] {
        let found = simulate(history.clone(), edits).contradiction;
        assert_eq!(found.map(|found| found.tick), Some(70), "{edits:?}");
    }
}

#[test]
fn what_another_version_decided_is_told_and_is_no_finding() {
    let mut history = without_the_first_restart();
    history.insert(0, Recorded::Started { seq: 0, version: "0.0.9".into() });
    let found = simulate(history, &[]);
    let contradiction = found.contradiction.clone().unwrap();
    assert!(
        !found.is_doubtful() && contradiction.says().starts_with("version 0.0.9 of Grace decided tick 22")
    );
}

/// What a journal of three hangs holds once one entry was changed, and the chain made anew, which nothing here looks at.
fn forged(change: impl Fn(&mut Recorded)) -> Vec<Recorded> {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let mut history: Vec<Recorded> = Reader::open(dir.path()).unwrap().ticks(0).map(Result::unwrap).collect();
    history.iter_mut().for_each(change);
    history
}

/// Changes the tick of this number.
fn at(number: u64, change: impl Fn(&mut Recorded)) -> Vec<Recorded> {
    forged(|one| {
        if matches!(one, Recorded::Tick { input, .. } if input.tick == number) {
            change(one);
        }
    })
}

#[test]
fn what_a_tick_says_of_the_components_is_held_against_what_comes_out() {
    assert_eq!(simulate(forged(|_| {}), &[]).contradiction, None);
    let quiet = at(10, |one| {
        if let Recorded::Tick { statuses, .. } = one {
            *statuses = Some(statuses.as_deref().unwrap().replacen("\"ok\"", "\"critical\"", 1).into());
        }
    });
    let failing = at(11, |one| {
        if let Recorded::Tick { failures, .. } = one {
            *failures = Some("{\"database\":3}".into());
        }
    });
    let older = at(12, |one| {
        if let Recorded::Tick { input, .. } = one {
            input.meaning = grace::model::Meaning::FIRST;
        }
    });
    // Without it nobody sees a reading that was changed and turned nothing round.
    let stripped = at(13, |one| {
        if let Recorded::Tick { state, .. } = one {
            *state = None;
        }
    });
    for (history, tick) in [(quiet, 10), (failing, 11), (older, 12), (stripped, 13)] {
        let found = simulate(history, &[]);
        assert_eq!(found.contradiction.clone().map(|one| one.tick), Some(tick));
        assert!(found.is_doubtful());
    }
}

#[test]
fn a_record_is_held_against_itself_while_faults_are_injected() {
    let inject = |history: Vec<Recorded>| {
        let inject = vec!["failing-heals reflection_service 1%".parse().unwrap()];
        let (rules, plan, odds) = (bundle(&[]), Plan { inject, ..Plan::default() }, Odds::default());
        let mut simulation = Simulation::new(&rules, None, &plan, &odds);
        for recorded in &history {
            simulation.take(recorded).unwrap();
        }
        simulation.finish().contradiction.map(|one| one.tick)
    };
    assert_eq!(inject(forged(|_| {})), None);
    let changed = at(100, |one| {
        if let Recorded::Tick { decisions, .. } = one {
            *decisions = "0".repeat(64);
        }
    });
    assert_eq!(inject(changed), Some(100));
}

#[test]
fn rules_whose_text_is_not_what_their_id_names_are_told() {
    let history = forged(|one| {
        if let Recorded::Generation { files, .. } = one {
            let text = files.get_mut("rules/reflection_service.toml").unwrap();
            *text = text.replace("stale_s = \"2m\"", "stale_s = \"9m\"");
        }
    });
    let found = simulate(history, &[]);
    let says = found.contradiction.as_ref().unwrap().says();
    assert!(found.is_doubtful() && says.contains("is not the one that its id names"), "{says}");
}

#[test]
fn a_start_that_does_not_come_out_of_what_was_before_is_told() {
    let history = forged(|one| {
        if let Recorded::Adopted { records, .. } = one {
            for record in records.iter_mut() {
                if let Record::Generation { dropped, .. } = record {
                    dropped.push("database".into());
                }
            }
        }
    });
    let found = simulate(history, &[]);
    let says = found.contradiction.as_ref().unwrap().says();
    assert!(found.is_doubtful() && says.contains("what it says of the start or reload"), "{says}");
}

#[test]
fn explain_and_fixture_warn_of_what_a_tick_says_of_components_and_of_rules_that_were_changed() {
    let says = "the record contradicts itself";
    for how in [
        "UPDATE entries SET body = replace(body, '\"reflection_service\":\"critical\"', '\"reflection_service\":\"ok\"')
         WHERE seq = (SELECT seq FROM entries WHERE kind = 'tick' AND tick = 22)",
        "UPDATE entries SET body = replace(body, 'stale_s = \\\"2m', 'stale_s = \\\"9m') WHERE kind = 'generation'",
    ] {
        let dir = tempfile::tempdir().unwrap();
        journal(dir.path(), &recorded(HANGS));
        forge(dir.path(), how);
        let told = grace(dir.path(), &["explain", "restart/reflection_service", "--at", "12:10:30"]);
        assert!(told.code == Some(1) && told.out.contains(says), "{how}: {told:?}");
        let made = grace(dir.path(), &["fixture", "--from", "1"]);
        assert!(made.code == Some(1) && made.err.contains(says), "{how}: {made:?}");
    }
}

fn grace(data: &Path, args: &[&str]) -> Said {
    said(&command(data).args(args).output().unwrap())
}

#[test]
fn simulate_warns_in_every_form_and_ends_with_1_though_its_gates_hold() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let gated = ["simulate", "--max-actions", "100"];
    let clean = grace(dir.path(), &gated);
    assert_eq!((clean.code, clean.out.contains("warning")), (Some(0), false), "{clean:?}");
    forge(
        dir.path(),
        "UPDATE entries SET body = replace(body, '\"attempt\":1', '\"attempt\":2')
         WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'intent')",
    );
    for (form, says) in [
        ("human", "warning: the record contradicts itself: what it says of tick 22 at"),
        ("short", "warning: the record contradicts itself: what it says of tick 22 at"),
        ("markdown", "> :warning: the record contradicts itself: what it says of tick 22 at"),
        ("json", "\"tick\": 22"),
    ] {
        let said = grace(dir.path(), &[&gated[..], &["--output", form]].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains(says), "{form}: {}", said.out);
        assert!(form == "json" || said.out.contains("grace prove"), "{form}: {}", said.out);
    }
}

#[test]
fn explain_warns_of_a_tick_that_was_recorded_otherwise_and_of_an_act_that_was_never_made() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let (rule, at) = ("restart/reflection_service", "12:10:30");
    let clean = grace(dir.path(), &["explain", rule, "--at", at]);
    assert_eq!((clean.code, clean.out.contains("warning")), (Some(0), false), "{clean:?}");
    // What was read of the second hang is none any more.
    forge(
        dir.path(),
        "UPDATE readings SET body = replace(body, '\"reflection.running\":false', '\"reflection.running\":true')
         WHERE seq = (SELECT e.seq FROM entries e WHERE kind = 'tick' AND tick =
                      (SELECT tick FROM entries WHERE kind = 'intent' ORDER BY seq LIMIT 1))",
    );
    let said = grace(dir.path(), &["explain", rule, "--at", at]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("warning: the record contradicts itself"), "{}", said.out);
    let json = grace(dir.path(), &["explain", rule, "--at", at, "--output", "json"]);
    let told: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["contradiction"]["tick"], 22);
    let act = grace(dir.path(), &["explain", "1"]);
    assert_eq!(act.code, Some(2), "{act:?}");
    assert!(act.err.contains("act 1 is written down at") && act.err.contains("grace prove"), "{act:?}");
}

#[test]
fn fixture_warns_of_an_export_and_of_a_journal_that_contradict_themselves() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let file = dir.path().join("history.jsonl");
    let path = file.to_str().unwrap();
    assert_eq!(grace(dir.path(), &["audit", "export", "--to", path]).code, Some(0));
    // The second of three hangs: the first is before its window.
    let made = |history: &[&str]| grace(dir.path(), &[&["fixture", "--from", "2"], history].concat());
    let clean = made(&["--history", path]);
    assert_eq!((clean.code, clean.err.contains("warning")), (Some(0), false), "{clean:?}");
    // What is told of nothing in the test: only the digest says otherwise.
    let text = std::fs::read_to_string(&file).unwrap();
    let tick = text.lines().find(|line| line.contains("\"tick\":82,")).unwrap();
    let (before, behind) = tick.split_once("\"decisions\":\"").unwrap();
    let other = format!("{before}\"decisions\":\"0000{}", &behind[4..]);
    std::fs::write(&file, text.replacen(tick, &other, 1)).unwrap();
    let says = "grace: warning: the record contradicts itself: what it says of tick 82 at";
    let doubtful = made(&["--history", path]);
    assert!(doubtful.code == Some(1) && doubtful.err.contains(says), "{doubtful:?}");
    assert_eq!(doubtful.out, clean.out, "the test is there all the same");
    let json: Value = serde_json::from_str(&made(&["--history", path, "--output", "json"]).out).unwrap();
    assert_eq!(json["contradiction"]["tick"], 82);
    // An act that was left out makes another play, and the record is said to contradict itself besides.
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"attempt\":1", "\"attempt\":2", 9);
    std::fs::write(&file, text).unwrap();
    let other = made(&["--history", path]);
    assert!(other.code == Some(1) && other.err.contains("the record contradicts itself"), "{other:?}");
}

#[test]
fn explain_warns_of_an_act_whose_end_was_recorded_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let clean = grace(dir.path(), &["explain", "1"]);
    assert_eq!((clean.code, clean.out.contains("warning")), (Some(0), false), "{clean:?}");
    assert!(clean.out.contains("healed"), "{clean:?}");
    forge(
        dir.path(),
        "UPDATE entries SET body = replace(body, '\"healed\"', '\"no_effect\"')
         WHERE seq = (SELECT min(seq) FROM entries WHERE kind = 'end')",
    );
    let said = grace(dir.path(), &["explain", "1"]);
    assert!(said.code == Some(1) && said.out.contains("no_effect"), "{said:?}");
    assert!(said.out.contains("warning: the record contradicts itself"), "{said:?}");
}

/// A full disk is no finding.
#[test]
fn what_cannot_be_said_is_no_failed_proof() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let said = said(&command(dir.path()).arg("prove").stdout(full).output().unwrap());
    assert!(said.code == Some(2) && said.err.contains("cannot write"), "{said:?}");
}
