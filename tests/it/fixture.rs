//! An incident becomes a test: it passes beside the rules of its time, and fails when they behave otherwise.

mod fast;
mod ill;
mod odd;
mod shadow;
mod slow;
mod standing;
mod told;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use grace::model::{ComponentId, IncidentId, Record, Span};
use grace::record::Recorded;
use grace::replay::fixture::{Fixture, FixtureError, From, Wish, fixture};
use grace::replay::{History, Suite, Tested, run_tests};

use crate::daemon::{Daemon, Said, command, said, until};

mod verb;

use verb::grace;

/// A hang of which a restart after two readings is the end.
const HANG: &str = r#"
[test.a_hang]
start = "12:00:00"
end   = "12:05:00"
given = [
    { at = "12:01:00", set = { "reflection.running" = false } },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:01:00", status = "critical" }]
"#;

/// The shipped files with these tests instead of the shipped ones, and with some text of theirs replaced.
fn files(made: Option<&Fixture>, edits: &[(&str, &str, &str)]) -> tempfile::TempDir {
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
    if let Some(made) = made {
        let name = format!("rules/{}.test.toml", made.component);
        std::fs::write(dir.path().join(name), &made.text).unwrap();
    }
    dir
}

fn tested(made: &Fixture, edits: &[(&str, &str, &str)]) -> Tested {
    run_tests(files(Some(made), edits).path(), None)
}

fn wish(from: From) -> Wish {
    Wish { from, name: None, lead: None, tail: None }
}

fn made(history: &[Recorded], from: From) -> Result<Fixture, FixtureError> {
    fixture(&History::Read(history.to_vec()), &wish(from), &mut |_, _| {})
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
            count += 1;
        }
    }
    assert!(count > 30, "{count} incidents");
}

#[test]
fn a_fixture_fails_where_the_rules_behave_otherwise() {
    let made = made(&of("scenario_1_reflection_service_hangs"), From::Incident(IncidentId(1))).unwrap();
    let file = "rules/reflection_service.toml";
    assert!(tested(&made, &[]).passed(), "{}", made.text);
    assert!(tested(&made, &[(file, "# 1 = critical", "# 1 is critical")]).passed());
    for (from, to) in [
        ("after      = 2", "after      = 5"),
        ("after      = 2", "after      = 1"),
        ("stale_s = \"2m\"", "stale_s = \"4m\""),
        ("late_s  = \"1m\"", "late_s  = \"110s\""),
        ("delay = \"5s\"", "delay = \"7s\""),
    ] {
        fails(&made, &[(file, from, to)]);
    }
    let failure = "on_failure = [{ set_mode = \"observation_only\", until = 'ok' }]\n";
    let healing = "verify     = { delay = \"5s\", within = \"30s\" }\nattempts   = 3\n";
    let no_restart = [
        (file, "do         = [\"restart\"]", "do         = [{ event = \"x.y\" }]"),
        (file, failure, ""),
        (file, healing, ""),
    ];
    fails(&made, &no_restart);
}

#[test]
fn how_old_it_was_while_it_worked_stays_in_the_test_to_the_last_digit() {
    // Its age is a sawtooth, and it stops in the middle of one tooth.
    let test = r#"
[test.sawtooth]
start = "12:00:00"
end   = "12:10:00"
series = { "reflection.age_s" = "1.5 9.75 4.25 7.125 3 2 1 0 0 0 0 0" }
given = [
    { at = "12:02:00", set = { "reflection.running" = false } },
    { on = "restart", set = { "reflection.running" = true } },
]
expect = [{ at = "12:02:30", act = "restart" }]
"#;
    let history = recorded("rules/reflection_service.test.toml", test);
    let (window, incident) =
        (window(&history, "reflection_service"), made(&history, From::Incident(IncidentId(1))).unwrap());
    for made in [window, incident] {
        assert!(made.text.contains("9.75"), "{}", made.text);
        for (stale, passes) in [("2m", true), ("10s", true), ("9s", false), ("5s", false)] {
            let to = format!("stale_s = \"{stale}\"");
            let edits = [("rules/reflection_service.toml", "stale_s = \"2m\"", to.as_str())];
            assert_eq!(tested(&made, &edits).passed(), passes, "{stale}\n{}", made.text);
        }
    }
}

#[track_caller]
fn fails(made: &Fixture, edits: &[(&str, &str, &str)]) {
    let found = tested(made, edits);
    assert!(!found.report.is_fatal(), "{edits:?}: {:?}", found.report.diagnostics);
    assert!(!found.passed(), "{edits:?}: not noticed by\n{}", made.text);
}

/// The worst that it read while it worked is in the last tick: a rule that makes something of it has no time to act.
const NEAR_THE_END: &str = r#"
[test.near_the_end]
start = "12:00:00"
end   = "12:20:00"
given = [
    { set = { "reflection.age_s" = 4 } },
    { at = "12:10:00", set = { "reflection.running" = false } },
    { on = "restart", set = { "reflection.running" = true } },
    { at = "12:11:30", set = { "reflection.age_s" = 5.99 } },
]
expect = [{ at = "12:00:00", status = "ok" }]
"#;

#[test]
fn a_reading_that_came_near_counts_where_no_act_can_follow_from_it_any_more() {
    let history = recorded("rules/reflection_service.test.toml", NEAR_THE_END);
    let mut made = made(&history, From::Incident(IncidentId(1))).unwrap();
    assert!(made.text.contains("\"reflection.age_s\" = 5.99"), "{}", made.text);
    assert!(tested(&made, &[]).passed(), "{}", made.text);
    let edits = [("rules/reflection_service.toml", "stale_s = \"2m\"", "stale_s = \"5s\"")];
    fails(&made, &edits);
    // Nothing else in the test would notice.
    let (before, forbid) = made.text.split_once("forbid = [").unwrap();
    let behind = forbid.split_once("\nonly").unwrap().1;
    made.text = format!("{before}only{behind}");
    assert!(tested(&made, &edits).passed(), "{}", made.text);
}

#[test]
fn only_what_mattered_is_given() {
    let made = made(&of("not_healed_for_the_databases_fault"), From::Newest("reflection_service".into()));
    let made = made.unwrap();
    // The database is why nothing was healed: that stays.
    assert!(
        made.text.contains("component = \"database\", set = { \"ping.connected\" = false }"),
        "{}",
        made.text
    );
    assert!(made.text.contains("verdict = \"wait\""), "{}", made.text);
    let changed = [("rules/reflection_service.toml", "depends_on = [\"database\"]", "depends_on = []")];
    assert!(!tested(&made, &changed).passed());

    // Two others fail at the same time, and matter only to the third, of which the hunter tells it.
    let made = fixture_of("three_acts_at_once_are_not_too_many", "trigger_mesh");
    assert!(made.left_out.is_empty() && made.text.contains("security.failures_at_once"), "{}", made.text);
    let made = fixture_of("three_acts_at_once_are_not_too_many", "task_executor");
    let others = ["reflection_service", "trigger_mesh"].map(ComponentId::from);
    assert_eq!((made.given.0, made.left_out.as_slice()), (1, others.as_slice()), "{}", made.text);
}

fn fixture_of(test: &str, component: &str) -> Fixture {
    made(&of(test), From::Newest(component.into())).unwrap()
}

#[test]
fn what_was_spent_before_makes_the_window_wider() {
    let made =
        fixture_of("after_eight_tries_in_six_hours_the_next_waits_for_a_quarter_of_an_hour", "trigger_mesh");
    // Three incidents spend the budget of six hours; only the last was asked for.
    assert!(made.text.contains("start = \"12:00:00\""), "{}", made.text);
    assert!(made.text.contains("at = \"12:41:00\", act = \"restart\", attempt = 1"), "{}", made.text);
    assert!(tested(&made, &[]).passed());
    assert!(!tested(&made, &[("policies/budgets.toml", "max = 8", "max = 9")]).passed());
}

/// Moves a history in time, as if it had been recorded then.
fn later(history: &[Recorded], by: Span) -> Vec<Recorded> {
    let mut all = history.to_vec();
    for recorded in &mut all {
        match recorded {
            Recorded::Tick { input, .. } => {
                input.now = input.now + by;
                input.snapshot.values_mut().for_each(|readings| readings.taken_at = readings.taken_at + by);
            }
            Recorded::Adopted { state, .. } => state.now = state.now + by,
            _ => {}
        }
    }
    all
}

#[test]
fn an_incident_across_midnight_is_moved_on_the_grid_and_says_so() {
    let history = later(&of("workers_lost_and_restarted"), Span::seconds(12 * 3600 - 15 - 15));
    let made = made(&history, From::Incident(IncidentId(1))).unwrap();
    assert!(made.text.contains("start = \"00:00:00\""), "{}", made.text);
    assert!(
        made.text.contains("Its times are others, on the same grid: 2024-10-04T23:59:30Z is 00:00:00 here."),
        "{}",
        made.text
    );
    assert!(tested(&made, &[]).passed(), "{}", made.text);
}

#[test]
fn ticks_that_come_late_belong_to_their_slot() {
    let mut history = of("scenario_1_reflection_service_hangs");
    for (number, recorded) in history.iter_mut().enumerate() {
        if let Recorded::Tick { input, .. } = recorded {
            input.now = input.now + Span(3 + i64::try_from(number % 5).unwrap());
        }
    }
    let made = made(&history, From::Incident(IncidentId(1))).unwrap();
    assert!(made.text.contains("at = \"12:00:30\", status = \"critical\""), "{}", made.text);
    assert!(tested(&made, &[]).passed(), "{}", made.text);
}

#[test]
fn what_programs_said_is_no_part_of_it() {
    let made = fixture_of("safe_mode_when_every_try_fails", "reflection_service");
    assert!(!made.text.contains("it does not start"), "{}", made.text);
    assert!(made.text.contains("fails = \"it failed, as recorded\""), "{}", made.text);
    let missing = window(&of("a_missing_reading_is_unknown_and_never_a_failure"), "reflection_service");
    assert!(!missing.text.contains("says so") && missing.text.contains("= \"missing\""), "{}", missing.text);
}

/// The whole of a history as a window.
fn window(history: &[Recorded], component: &str) -> Fixture {
    let times: Vec<_> = history
        .iter()
        .filter_map(|one| if let Recorded::Tick { input, .. } = one { Some(input.now) } else { None })
        .collect();
    let (first, last) = (*times.first().unwrap(), *times.last().unwrap());
    made(history, From::Window(component.into(), first, last)).unwrap()
}

#[test]
fn every_shipped_test_is_a_window_that_makes_a_test_that_passes() {
    let suite = Suite::load(Path::new(env!("CARGO_MANIFEST_DIR")), &BTreeSet::new(), None);
    let components = ["database", "reflection_service", "task_executor", "trigger_mesh"];
    for ((name, history), component) in suite.histories().into_iter().zip(components.into_iter().cycle()) {
        let made = window(&history, component);
        let tested = tested(&made, &[]);
        assert!(tested.passed(), "{name}: {:?}\n{}", tested.results, made.text);
    }
}

/// What a test beside the shipped rules records; it passes.
fn recorded(file: &str, test: &str) -> Vec<Recorded> {
    let dir = files(None, &[]);
    std::fs::write(dir.path().join(file), test).unwrap();
    let found = run_tests(dir.path(), None);
    assert!(found.passed(), "{:?} {:?}", found.report.diagnostics, found.results);
    Suite::load(dir.path(), &BTreeSet::new(), None).histories().remove(0).1
}

#[test]
fn acts_that_went_differently_are_told_apart() {
    // The first try fails, the second takes 12 seconds and helps.
    let test = r#"
[test.different_acts]
start = "12:00:00"
end   = "12:10:00"
given = [
    { at = "12:00:10", set = { "mesh.running" = false } },
    { on = "restart", to = "12:01:00", fails = "no" },
    { on = "restart", at = "12:01:01", takes = "12s", set = { "mesh.running" = true } },
]
expect = [
    { at = "12:01:00", act = "restart", outcome = "failed" },
    { at = "12:01:31", act = "restart", attempt = 2 },
    { at = "12:01:44", outcome = "healed" },
]
"#;
    let made = made(&recorded("rules/trigger_mesh.test.toml", test), From::Incident(IncidentId(1))).unwrap();
    assert!(tested(&made, &[]).passed(), "{}", made.text);
    assert!(made.text.contains("takes = \"12s\"") && made.text.contains("fails = "), "{}", made.text);
}

#[test]
fn a_record_that_no_test_can_show_is_refused_with_the_first_difference() {
    let mut history = of("scenario_1_reflection_service_hangs");
    for recorded in &mut history {
        if let Recorded::Tick { records, .. } = recorded {
            records.retain(|record| !matches!(record, Record::Intent { .. }));
        }
    }
    let why = made(&history, From::Incident(IncidentId(1))).unwrap_err();
    assert!(matches!(why, FixtureError::Differs { .. }), "{why}");
    let says = why.to_string();
    assert!(says.contains("and the play act restart, try 1 at 12:01:00"), "{says}");
    assert!(says.contains("nearest comes a test from 2024-10-04T1"), "{says}");
}

#[test]
fn readings_that_expired_other_rules_and_other_incidents_are_named() {
    let history = of("scenario_3_suspicious_repeated_failures");
    let says = made(&history, From::Incident(IncidentId(9))).unwrap_err().to_string();
    assert_eq!(
        says,
        "there is no incident 9 in this history; the nearest: 3 (task_executor), 2 (task_executor), 1 (task_executor)"
    );
    let says = made(&history, From::Newest("database".into())).unwrap_err().to_string();
    assert!(says.starts_with("database has no incident in this history; the nearest: 3"), "{says}");

    let expired = |from: usize, to: usize| {
        let mut history = of("scenario_3_suspicious_repeated_failures");
        for (number, recorded) in history.iter_mut().enumerate() {
            if let Recorded::Tick { seq, input, .. } = recorded
                && (from..to).contains(&number)
            {
                *recorded = Recorded::Expired { seq: *seq, tick: input.tick, lost: false };
            }
        }
        made(&history, From::Incident(IncidentId(2)))
    };
    // The second incident begins with the fourteenth tick; the first tick comes behind generation and state.
    let why = expired(17, 20).unwrap_err();
    assert!(matches!(why, FixtureError::Expired { .. }), "{why}");
    let why = expired(0, 10).unwrap_err();
    assert!(matches!(why, FixtureError::Differs { .. }), "what relapsed was healed before: {why}");

    let mut history = of("scenario_3_suspicious_repeated_failures");
    let mut other = history[0].clone();
    if let Recorded::Generation { id, .. } = &mut other {
        *id = "another".into();
    }
    history.insert(history.len() - 20, other);
    let says = made(&history, From::Incident(IncidentId(3))).unwrap_err().to_string();
    assert!(says.contains("other rules became active at 2024-10-04T16:"), "{says}");
}

#[test]
fn what_stood_ill_all_through_a_window_is_shown_and_not_forbidden() {
    let history = of("scenario_2_database_connection_lost");
    let at = |clock: &str| format!("2024-10-04T{clock}Z").parse::<humantime::Timestamp>().unwrap();
    let at = |clock: &str| Span::from(at(clock).duration_since(std::time::UNIX_EPOCH).unwrap());
    let at = |clock: &str| grace::model::Time(0) + at(clock);
    // Nothing changes in it: the database is critical from 14:00:30 on, and recovers at 14:05:30.
    let made = made(&history, From::Window("database".into(), at("14:02:00"), at("14:04:00"))).unwrap();
    assert!(made.text.contains("status = \"critical\""), "{}", made.text);
    assert!(made.text.contains("mode = \"read_only\""), "{}", made.text);
    assert!(made.text.contains("ping."), "{}", made.text);
    assert!(tested(&made, &[]).passed(), "{}", made.text);
    let gutted = "'!ping.connected && ping.latency_ms > 99000.0'";
    fails(
        &made,
        &[("rules/database.toml", "'!ping.connected || ping.latency_ms > threshold.broken_ms'", gutted)],
    );
}
