//! Recorded history through another set of rules: what stays exact, what is modelled, and what differs.

use std::collections::BTreeSet;
use std::path::Path;

use grace::config::{self, Folder};
use grace::engine::{Bundle, State, step};
use grace::model::{Span, Time};
use grace::record::Recorded;
use grace::replay::Suite;

use crate::daemon::{command, said};
use crate::histories::{HANGS, bundle, files, recorded, recorded_under, reviewed};
use grace::replay::simulate::{Approve, Change, Odds, Plan, Rehearsal, Simulation};

pub(crate) fn simulate(
    history: &[Recorded],
    rules: &Bundle,
    other: Option<&Bundle>,
    plan: &Plan,
) -> Rehearsal {
    let mut odds = Odds::default();
    for recorded in history {
        odds.take(recorded);
    }
    played(history, rules, other, plan, &odds)
}

fn played(
    history: &[Recorded],
    rules: &Bundle,
    other: Option<&Bundle>,
    plan: &Plan,
    odds: &Odds,
) -> Rehearsal {
    let mut simulation = Simulation::new(rules, other, plan, odds);
    for recorded in history {
        simulation.take(recorded).unwrap();
    }
    simulation.finish()
}

/// The same history from a state on that was kept before this tick, as a journal gives it.
fn from_a_kept_state(history: &[Recorded], at: &str) -> (Time, Vec<Recorded>) {
    let (mut rules, mut state, mut kept) = (None, State::default(), Vec::new());
    for (place, recorded) in history.iter().enumerate() {
        match recorded {
            Recorded::Generation { files, .. } => {
                rules = Some(Folder::of(files).compile(None).unwrap().bundle);
                kept.push(recorded.clone());
            }
            Recorded::Adopted { state: first, .. } => state = State::clone(first),
            Recorded::Tick { input, .. } if input.now.clock() == at => {
                kept.push(Recorded::Checkpoint { seq: 0, state: Box::new(state) });
                kept.extend_from_slice(&history[place..]);
                return (input.now, kept);
            }
            Recorded::Tick { input, .. } => state = step(rules.as_ref().unwrap(), &state, input).state,
            other => panic!("{other:?}"),
        }
    }
    panic!("no tick at {at}");
}

#[test]
fn who_is_ill_where_a_replay_begins_is_ill_from_there_on() {
    let (history, rules) = (recorded(HANGS), bundle(&[]));
    // Critical since 12:40:00, restarted at 12:40:30.
    let (since, kept) = from_a_kept_state(&history, "12:40:30");
    let plan = Plan { since: Some(since), ..Plan::default() };
    let found = simulate(&kept, &rules, None, &plan);
    let whole = simulate(&history, &rules, None, &plan);
    let ill = |found: &Rehearsal| {
        found
            .critical
            .iter()
            .map(|one| (one.component.to_string(), one.before_ms, one.after_ms))
            .collect::<Vec<_>>()
    };
    // Half a minute until the restart, 5 s until somebody looked, and as much of the third hang.
    assert_eq!(ill(&found), [("reflection_service".to_owned(), Span(70_000), Span(70_000))]);
    assert_eq!(ill(&whole), ill(&found));
}

fn at(found: &Rehearsal, change: Change) -> Vec<String> {
    let of = found.changes.iter().filter(|one| one.difference.change == change);
    of.map(|one| {
        let at = one.difference.at().unwrap().clock();
        format!("{at}{}", if one.modelled { " modelled" } else { "" })
    })
    .collect()
}

#[test]
fn rules_begin_with_the_time_that_counts_however_its_history_is_read() {
    let history = recorded(HANGS);
    let odds = {
        let mut odds = Odds::default();
        for recorded in &history {
            odds.take(recorded);
        }
        odds
    };
    let (since, kept) = from_a_kept_state(&history, "13:00:00");
    let plan = Plan { since: Some(since), ..Plan::default() };
    for (edits, changes) in [
        (vec![], vec![]),
        (vec![("rules/reflection_service.toml", "after      = 2", "after      = 5")], vec!["13:10:30"]),
        (vec![("rules/reflection_service.toml", "stale_s = \"2m\"", "stale_s = \"5s\"")], vec!["13:20:30"]),
    ] {
        let rules = bundle(&edits);
        let whole = played(&history, &rules, None, &plan, &odds);
        assert_eq!(whole, played(&kept, &rules, None, &plan, &odds), "{edits:?}");
        let all: Vec<String> = whole.changes.iter().map(|one| one.difference.at().unwrap().clock()).collect();
        assert_eq!(all, changes, "{edits:?}");
        // The two hangs before it were healed as recorded, and nothing of them is these rules' doing.
        let parted = whole.certain.iter().filter_map(|one| one.parted_at).min();
        assert!(parted.is_none_or(|at| at >= since), "{:?}", whole.certain);
    }
}

#[test]
fn unchanged_rules_do_exactly_what_was_recorded() {
    for (name, history) in every_shipped_test() {
        let rules = bundle(&[]);
        let found = simulate(&history, &rules, None, &Plan::default());
        assert!(found.is_same(), "{name}: {:?}", found.changes);
        assert!(
            found.certain.iter().all(|one| (one.exact - 1.0).abs() < 1e-9),
            "{name}: {:?}",
            found.certain
        );
        assert!(found.modes.iter().all(|mode| mode.before_ms == mode.after_ms), "{name}: {:?}", found.modes);
        assert!(found.critical.iter().all(|of| of.before_ms == of.after_ms), "{name}: {:?}", found.critical);
    }
}

fn every_shipped_test() -> Vec<(String, Vec<Recorded>)> {
    Suite::load(Path::new("."), &BTreeSet::new(), None).histories()
}

#[test]
fn a_lower_threshold_adds_restarts_and_parts_only_its_own_component() {
    let rules = bundle(&[("rules/reflection_service.toml", "stale_s = \"2m\"", "stale_s = \"5s\"")]);
    let found = simulate(&recorded(HANGS), &rules, None, &Plan::default());
    // 8 s is over 5 s at 13:20:00 and 13:20:30: the second in a row is healed.
    assert_eq!(at(&found, Change::Added), ["13:20:30"]);
    assert_eq!(at(&found, Change::Gone), [""; 0]);
    for one in &found.certain {
        let (tick, parted) = (one.parted_tick, one.parted_at.map(grace::model::Time::clock));
        if one.component.as_str() == "reflection_service" {
            // The grid from 12:00:00 to 13:20:30 has 162 ticks; each of the three restarts has two more.
            assert_eq!((tick, parted.as_deref()), (Some(162 + 6), Some("13:20:30")), "{one:?}");
            assert!((one.exact - 80.5 / 120.0).abs() < 1e-9, "{one:?}");
        } else {
            assert_eq!((tick, one.exact), (None, 1.0), "{one:?}");
        }
    }
}

#[test]
fn a_later_threshold_misses_restarts_where_they_were_recorded() {
    let rules = bundle(&[("rules/reflection_service.toml", "after      = 2", "after      = 5")]);
    let found = simulate(&recorded(HANGS), &rules, None, &Plan::default());
    // The service stays ill without them, and the fifth failure in a row is healed.
    assert_eq!(at(&found, Change::Moved), ["12:10:30", "12:40:30 modelled", "13:10:30 modelled"]);
    let moved = &found.changes[0].difference;
    assert_eq!(moved.after.as_ref().unwrap().at.clock(), "12:12:00");
    assert_eq!(found.actions[0].before, 3);
    assert_eq!(found.actions[0].after, 3);
}

/// Nothing helps, and it comes back by itself. The shipped rules try it at 12:01:30, and look for the last time at
/// 12:02:00, which is a tick of the grid.
const COMES_BACK: &str = r#"
[test.comes_back]
start  = "12:00:00"
end    = "12:10:00"
series = { "reflection.running" = "true true false _ _ _ _ true true" }
expect = [{ at = "12:00:00", status = "ok" }]
"#;

#[test]
fn a_look_at_an_act_of_another_that_falls_on_the_grid_is_one_of_the_grid() {
    let late = bundle(&[("rules/reflection_service.toml", "after      = 2", "after      = 5")]);
    let history = recorded(COMES_BACK);
    let found = simulate(&history, &late, None, &Plan::default());
    let [count] = found.actions.as_slice() else { panic!("{found:?}") };
    // By hand: it fails at 12:01:00, 01:30, 02:00, 02:30 and 03:00, and works from 12:03:30 on.
    let after: Vec<String> = found
        .changes
        .iter()
        .filter_map(|one| one.difference.after.as_ref())
        .map(|deed| deed.at.clock())
        .collect();
    assert_eq!((count.after, after), (1, vec!["12:03:00".to_owned()]), "{found:?}");
    // Played anew under those rules it is the same.
    let file = ("rules/reflection_service.toml", "after      = 2", "after      = 5");
    let anew = simulate(&recorded_under(COMES_BACK, &[file]), &late, None, &Plan::default());
    assert_eq!(anew.actions.first().map(|count| (count.before, count.after)), Some((1, 1)), "{anew:?}");
    assert!(anew.is_same(), "{:?}", anew.changes);
}

#[test]
fn two_sets_of_rules_are_compared_over_one_history() {
    let (early, late) =
        (bundle(&[("rules/reflection_service.toml", "after      = 2", "after      = 1")]), bundle(&[]));
    let history = recorded(HANGS);
    let found = simulate(&history, &late, Some(&early), &Plan::default());
    assert_eq!(at(&found, Change::Moved).len(), 3);
    let found = simulate(&history, &early, Some(&early), &Plan::default());
    assert!(found.is_same(), "{:?}", found.changes);
}

/// A hang that no restart ends.
const LASTS: &str = r#"
[test.one_hang]
start = "12:00:00"
end   = "12:30:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:10:00", set = { "reflection.running" = false } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;

#[test]
fn other_rules_look_at_their_own_times_and_are_not_exact_from_there_on() {
    let verify = |delay| ("rules/reflection_service.toml", "delay = \"5s\"", delay);
    let base = |base| ("policies/budgets.toml", "base = \"30s\"", base);
    for (test, edit, first) in [
        (HANGS, verify("delay = \"1s\""), Some(("12:10:31", "12:10:31"))),
        (HANGS, verify("delay = \"10s\""), Some(("12:10:35", "12:10:40"))),
        (HANGS, verify("delay = \"29s\""), Some(("12:10:35", "12:10:59"))),
        (LASTS, base("base = \"20s\""), None),
        (LASTS, base("base = \"45s\""), None),
    ] {
        let rules = bundle(&[edit]);
        let found = simulate(&recorded(test), &rules, None, &Plan::default());
        // The same world, recorded under these rules.
        let real = simulate(&recorded_under(test, &[edit]), &rules, None, &Plan::default());
        // What a hand takes that was never asked is a guess of a millisecond.
        let alike = |one: &[i64], other: &[i64]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| (one - other).abs() <= 10)
        };
        let done = |found: &Rehearsal| found.deeds.iter().map(|deed| deed.at.0).collect::<Vec<_>>();
        assert!(alike(&done(&found), &done(&real)), "{edit:?}: {:?} and {:?}", done(&found), done(&real));
        let ill = |found: &Rehearsal| found.critical.iter().map(|of| of.after_ms.0).collect::<Vec<_>>();
        assert!(alike(&ill(&found), &ill(&real)), "{edit:?}: {:?} and {:?}", ill(&found), ill(&real));
        let of = |found: &Rehearsal| {
            found.certain.iter().find(|one| one.component.as_str() == "reflection_service").cloned().unwrap()
        };
        let (parted, why) = (of(&found).parted_at.unwrap().clock(), of(&found).why.unwrap());
        assert!(why.starts_with("it is looked at at "), "{edit:?}: {why}");
        if let Some((at, looks)) = first {
            assert!(parted == at && why.contains(&format!("at at {looks}")), "{edit:?}: {parted}, {why}");
        }
        assert!((of(&real).exact - 1.0).abs() < 1e-9, "{edit:?}");
    }
}

#[test]
fn what_policy_holds_for_review_waits_for_whom_the_plan_says() {
    let (file, line, review) = reviewed();
    let changes = [(file, line.as_str(), review)];
    let rules = bundle(&changes);
    let history = recorded(HANGS);
    let run = |approve| simulate(&history, &rules, None, &Plan { approve, ..Plan::default() });
    let restarts = |found: &Rehearsal| {
        let restarts = found.actions.iter().find(|count| count.action == "restart").unwrap();
        (restarts.before, restarts.after)
    };
    let never = run(Approve::Never);
    assert_eq!(restarts(&never), (3, 0), "{never:?}");
    assert!(never.approvals.1 > 0);
    let auto = run(Approve::Auto);
    assert_eq!(restarts(&auto), (3, 3), "{auto:?}");
    // A name is meant whole: what only begins so is another's.
    for (wishes, approved) in [
        ("restart reflection_service", 3),
        ("restart *", 3),
        ("restart reflection", 0),
        ("reflection_service", 0),
    ] {
        let named = run(Approve::Wishes(format!("approve = [\"{wishes}\"]").parse().unwrap()));
        assert_eq!(restarts(&named), (3, approved), "{wishes}");
    }
}

#[test]
fn a_component_that_was_not_recorded_is_unknown() {
    let dir = files(None, &[]);
    let extra =
        "[probe.ping]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\n\n[status]\ncritical = '!ping.connected'\n";
    std::fs::write(dir.path().join("rules/extra.toml"), extra).unwrap();
    let rules = config::load(dir.path()).unwrap().bundle;
    let found = simulate(&recorded(HANGS), &rules, None, &Plan::default());
    let extra = found.certain.iter().find(|one| one.component.as_str() == "extra").unwrap();
    assert_eq!((extra.exact, extra.unknown), (0.0, 1.0));
    assert!(found.is_same(), "{:?}", found.changes);
}

/// Two requests: nobody answers the first, and the second is approved.
const ANSWERED: &str = r#"
[test.two_requests]
start = "12:00:00"
end   = "13:00:00"
given = [
    { at = "12:05:00", component = "trigger_mesh", set = { "mesh.running" = false, "mesh.routing" = false } },
    { at = "12:25:00", component = "trigger_mesh", set = { "mesh.running" = true, "mesh.routing" = true } },
    { at = "12:10:00", set = { "reflection.running" = false } },
    { at = "12:12:10", ask = "approve", approval = 2, actor = "uid:1" },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:12:11", act = "restart" }]
"#;

#[test]
fn an_answer_goes_to_the_request_it_was_given_for_whatever_another_component_asks() {
    let (file, line, review) = reviewed();
    let policy = (file, line.as_str(), review);
    let probe = std::fs::read_to_string("rules/trigger_mesh.toml").unwrap();
    let name = probe.lines().find_map(|line| line.strip_prefix("[probe.")?.strip_suffix(']')).unwrap();
    let history = recorded_under(&ANSWERED.replace("mesh.r", &format!("{name}.r")), &[policy]);
    // Neither fewer requests before it, nor the same one a reading later, takes the answer away.
    let after = probe.lines().find(|line| line.starts_with("after")).unwrap_or("do ").to_owned();
    let late = format!("after = 40\n{}", if after == "do " { "do " } else { "" });
    for edits in [
        vec![policy, ("rules/trigger_mesh.toml", after.as_str(), late.as_str())],
        vec![policy, ("rules/reflection_service.toml", "after      = 2", "after      = 3")],
    ] {
        let rules = bundle(&edits);
        let found = simulate(&history, &rules, None, &Plan::default());
        let restarts =
            found.actions.iter().find(|count| count.component.as_str() == "reflection_service").unwrap();
        assert_eq!((restarts.before, restarts.after, restarts.gone), (1, 1, 0), "{found:?}");
    }
}

#[test]
fn a_comparison_is_no_surer_than_the_less_certain_of_both_runs() {
    let (usual, eager) =
        (bundle(&[]), bundle(&[("rules/reflection_service.toml", "stale_s = \"2m\"", "stale_s = \"5s\"")]));
    let history = recorded(HANGS);
    let there = simulate(&history, &usual, Some(&eager), &Plan::default());
    let back = simulate(&history, &eager, Some(&usual), &Plan::default());
    assert_eq!(there.certainty(), back.certainty());
    assert!(there.certainty().0 < 1.0);
}

#[test]
fn words_and_modes_are_part_of_what_differs() {
    let rules = bundle(&[(
        "rules/reflection_service.toml",
        "do         = [\"restart\"]",
        "do = [\"restart\", { notify = \"oncall\" }]",
    )]);
    let found = simulate(&recorded(HANGS), &rules, None, &Plan::default());
    assert!(!found.is_same());
    let told = found.actions.iter().find(|count| count.action == "notify oncall").unwrap();
    assert_eq!((told.before, told.after), (0, 3));
}

#[test]
fn people_read_how_sure_each_component_is_from_how_many_tries_and_what_waits() {
    let (file, line, review) = reviewed();
    let rules = files(None, &[(file, line.as_str(), review)]);
    let before = files(Some(HANGS), &[]);
    let history = before.path().join("rules/reflection_service.test.toml");
    let run = |form: &str| {
        let mut grace = command(Path::new("/nowhere/data"));
        grace.arg("simulate").arg("--config").arg(rules.path()).arg("--history").arg(&history);
        said(&grace.args(["--output", form]).output().unwrap()).out
    };
    let page = run("markdown");
    for row in [
        "| `reflection_service` critical | 1m 45s | 1h 50m | | | |",
        "| approvals asked | 0 | 1 | | | |",
        "| `reflection_service` | 8.8 % | 91.2 % | 0.0 % | from 2024-10-04T12:10:30Z: no restart where it was recorded \
         | restart helped 3 of 3 times |",
    ] {
        assert!(page.lines().any(|line| line == row), "{row}\n{page}");
    }
    assert!(!page.contains("| `database` |"), "what is exact needs no row: {page}");
    let human = run("human");
    assert!(
        human.contains("no restart where it was recorded; recorded: restart helped 3 of 3 times"),
        "{human}"
    );
}

#[test]
fn what_is_told_in_other_words_or_by_another_rule_is_neither_the_same_nor_expected() {
    let told = |rule: &str, text: &str| {
        let line = format!("do = [\"restart\", {{ notify = \"oncall\", text = \"call {text}\" }}]");
        let edits = [
            ("rules/reflection_service.toml", "do         = [\"restart\"]", line.as_str()),
            ("rules/reflection_service.toml", "[rule.restart]", rule),
        ];
        files(Some(HANGS), &edits)
    };
    let one = told("[rule.restart]", "112");
    let history = one.path().join("rules/reflection_service.test.toml");
    let report = one.path().join("report.json");
    let run = |dir: &tempfile::TempDir, more: &[&str]| {
        let mut grace = command(Path::new("/nowhere/data"));
        grace.arg("simulate").arg("--config").arg(dir.path()).arg("--history").arg(&history);
        said(&grace.args(more).output().unwrap())
    };
    assert_eq!(run(&one, &["--output", &format!("json={}", report.display())]).code, Some(0));
    let expect = ["--expect", report.to_str().unwrap()];
    let same = run(&one, &expect);
    assert_eq!(same.code, Some(0), "{same:?}");
    for (other, way, what) in [
        (told("[rule.restart]", "911"), "with other words", "by restart/reflection_service: call 911"),
        (told("[rule.again]", "112"), "by another rule", "by again/reflection_service: call 112"),
    ] {
        let compared = run(&other, &["--compare", one.path().to_str().unwrap()]);
        let headline = format!("3 notify oncall of reflection_service {way}");
        assert!(compared.out.contains(&headline) && !compared.out.contains("at other times"), "{compared:?}");
        let gate = run(&other, &expect);
        assert_eq!(gate.code, Some(1), "{gate:?}");
        assert!(
            gate.out.contains(&format!(
                "done, and not expected: notify oncall reflection_service at 2024-10-04T12:10:30Z {what}"
            )),
            "{gate:?}"
        );
    }
}
