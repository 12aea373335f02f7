//! One recorded history whose figures were computed by hand: two failures healed, one of them a relapse; a person's
//! restart of something that worked; a hold; ten minutes without Grace; a step of the clock; a mode for ten minutes.

use std::path::Path;

use grace::figures::Figures;
use grace::model::{Outcome, Record, Span, Status, Time};
use grace::record::{Reader, Since};
use serde_json::{Value, json};

use super::told::{
    NOON, Told, at, begun, end, ended, held, hold_ended, intent, moved, relapsed, started, stopped,
};

const A: &str = "database";
const B: &str = "task_executor";

/// Writes it, from 12:00 to 14:00.
pub(super) fn write(dir: &Path) -> Told {
    use Status::{Critical, Ok, Unknown, Warn};
    let mut told = Told::new(dir);
    told.tick(NOON, &[]);
    told.then("12:10:00", B, Warn, &[intent(B, 4, None)]);
    told.then("12:10:30", B, Unknown, &[]);
    told.then("12:11:00", B, Ok, &[end(B, 4, Outcome::Healed, Span::seconds(2))]);
    told.then("12:30:00", A, Critical, &[begun(A, 1)]);
    told.then("12:30:30", A, Critical, &[intent(A, 1, Some("restart"))]);
    let first = at("12:30:00");
    told.then("12:30:45", A, Ok, &[end(A, 1, Outcome::Healed, Span::ZERO), ended(A, 1, first)]);
    let relapse = [begun(A, 2), relapsed(A, 1), moved("normal", "read_only")];
    told.then("12:40:00", A, Critical, &relapse);
    told.then("12:40:30", A, Critical, &[intent(A, 2, Some("restart"))]);
    told.then("12:41:00", A, Critical, &[end(A, 2, Outcome::NoEffect, Span::ZERO)]);
    told.then("12:41:30", A, Critical, &[intent(A, 3, Some("restart"))]);
    let second = at("12:40:00");
    told.then("12:42:00", A, Ok, &[end(A, 3, Outcome::Healed, Span::ZERO), ended(A, 2, second)]);
    told.then("12:50:00", A, Ok, &[moved("read_only", "normal")]);
    told.then("13:00:10", B, Ok, &[held(B)]);
    told.then("13:05:00", B, Critical, &[begun(B, 3)]);
    told.then("13:20:10", B, Critical, &[hold_ended(B)]);
    told.then("13:25:00", B, Ok, &[ended(B, 3, at("13:05:00"))]);
    told.then("13:30:00", A, Ok, &[]);
    told.append(&[Record::ClockStepped { by_ms: 3_600_000 }]);
    told.then("13:40:00", A, Ok, &[]);
    told.append(&[stopped(), started()]);
    told.statuses.insert(A.into(), Unknown);
    told.tick(at("13:50:00"), &[]);
    told.then("13:51:00", A, Ok, &[]);
    told.then("14:00:00", A, Ok, &[]);
    told
}

fn of(figures: &Figures, component: &str) -> Value {
    let found = figures.components.iter().find(|one| one.component == component).expect("is there");
    serde_json::to_value(found).expect("is JSON")
}

/// The value holds at least this.
fn holds(found: &Value, wanted: &Value) {
    for (key, value) in wanted.as_object().expect("an object") {
        assert_eq!(&found[key], value, "{key}: {found:#}");
    }
}

fn lengths(count: u64, mean: f64, p50: f64, p95: f64) -> Value {
    json!({ "count": count, "mean_s": mean, "p50_s": p50, "p95_s": p95 })
}

/// The two hours, by hand. Consecutive failures are those of the window's end only while that is now.
pub(super) fn all(figures: &Figures, now: Option<u32>) {
    let found = serde_json::to_value(figures).expect("is JSON");
    holds(
        &found,
        &json!({
            "since": "2026-11-23T12:00:00Z", "until": "2026-11-23T14:00:00Z", "begins": null,
            "observed_s": 6600.0, "unobserved_s": 600.0, "clock_steps": 1, "clock_stepped_s": 3600.0,
            "left_out": 0,
        }),
    );
    // Down for 45 s and 120 s; unknown for a minute after the start.
    holds(
        &of(figures, A),
        &json!({
            "ended": null, "uptime_percent": 97.477, "up_s": 6375.0, "warn_s": 0.0, "down_s": 165.0,
            "planned_s": 0.0, "unknown_s": 60.0, "unobserved_s": 600.0,
            "failures_now": now, "failures_worst": 4,
            "incidents_begun": 2, "incidents_ended": 2, "incidents_open": 0, "incidents_left": 0,
            "recovery": lengths(2, 82.5, 45.0, 120.0),
            "detection": lengths(2, 30.0, 30.0, 30.0),
            "reaction": lengths(2, 30.0, 30.0, 30.0),
            "healing": lengths(2, 22.5, 15.0, 30.0),
            "tries": { "healed": 1, "no_effect": 1, "relapsed": 1 }, "tries_counted": 3,
            "success_percent": 33.333, "downtime_caused_s": 0.0, "downtime_ended_s": 165.0,
        }),
    );
    // Critical from 13:05 to 13:25, of which the hold, until 13:20:10, is planned.
    holds(
        &of(figures, B),
        &json!({
            "uptime_percent": 94.876, "up_s": 5370.0, "warn_s": 30.0, "down_s": 290.0, "planned_s": 910.0,
            "unknown_s": 30.0, "unobserved_s": 600.0, "failures_worst": 41,
            "recovery": lengths(1, 290.0, 290.0, 290.0),
            "tries": { "healed": 1 }, "success_percent": 100.0,
            "downtime_caused_s": 30.0, "downtime_ended_s": 0.0,
        }),
    );
    holds(
        &found["overall"],
        &json!({
            "tries_counted": 4, "success_percent": 50.0, "incidents_begun": 3, "down_s": 455.0,
            "recovery": lengths(3, 151.666, 120.0, 290.0),
        }),
    );
    holds(
        &found["modes"],
        &json!({
            "times": [{ "mode": "normal", "time_s": 6000.0 }, { "mode": "read_only", "time_s": 600.0 }],
            "transitions": [{ "from": "normal", "to": "read_only", "count": 1 },
                            { "from": "read_only", "to": "normal", "count": 1 }],
            "count": 2, "per_day": 24.0,
        }),
    );
}

#[test]
fn the_figures_are_those_computed_by_hand() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = write(dir.path());
    let reader = Reader::open(dir.path()).expect("opens");
    all(&reader.figures(None, None, None).expect("figures"), Some(0));
    all(&reader.figures(Some(Since::Last(Span::minutes(120))), None, None).expect("figures"), Some(0));
    let only = reader.figures(None, None, Some(B)).expect("figures");
    assert_eq!((only.components.len(), only.overall.down_s), (1, Span::seconds(290)));
    // Both ends within hours that are kept.
    let (since, until) = (Some(Since::At(at("12:40:15"))), Some(at("13:10:10")));
    let part = reader.figures(since, until, None).expect("figures");
    assert_eq!((part.observed_s, part.unobserved_s), (Span::seconds(1795), Span::ZERO));
    holds(
        &of(&part, A),
        &json!({
            "down_s": 105.0, "up_s": 1690.0, "failures_now": null, "failures_worst": 4, "incidents_begun": 0,
            "incidents_ended": 1, "incidents_open": 0, "tries": { "healed": 1, "no_effect": 1 },
        }),
    );
    holds(
        &of(&part, B),
        &json!({
            "down_s": 0.0, "planned_s": 310.0, "uptime_percent": 100.0, "incidents_begun": 1,
            "incidents_ended": 0, "incidents_open": 1, "success_percent": null,
        }),
    );
    holds(
        &serde_json::to_value(&part.modes).expect("is JSON"),
        &json!({
            "times": [{ "mode": "normal", "time_s": 1210.0 }, { "mode": "read_only", "time_s": 585.0 }],
            "transitions": [{ "from": "read_only", "to": "normal", "count": 1 }],
        }),
    );
    drop(told);
}

/// The last tick is the third failure in a row, and no time has gone by since.
#[test]
fn the_worst_in_a_row_is_never_less_than_what_stands_now() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    for (clock, failures) in [("12:00:30", 1), ("12:01:00", 2), ("12:01:30", 3)] {
        told.then(clock, A, Status::Critical, &[]);
        let found = Reader::open(dir.path()).expect("opens").figures(None, None, None).expect("figures");
        for measures in [&of(&found, A), &serde_json::to_value(&found.overall).expect("is JSON")] {
            holds(measures, &json!({ "failures_now": failures, "failures_worst": failures }));
        }
    }
    told.then("12:02:00", A, Status::Ok, &[]);
    let found = Reader::open(dir.path()).expect("opens").figures(None, None, None).expect("figures");
    holds(&of(&found, A), &json!({ "failures_now": 0, "failures_worst": 3 }));
}

/// Down from 12:10 to 12:20: held for five minutes before the act, and never while the second one was down.
#[test]
fn what_was_planned_is_in_no_reaction_and_in_no_downtime_that_a_try_ended() {
    use Status::{Critical, Ok};
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    told.then("12:10:00", A, Critical, &[begun(A, 1)]);
    told.then("12:11:00", A, Critical, &[held(A)]);
    told.then("12:16:00", A, Critical, &[hold_ended(A)]);
    told.then("12:18:00", A, Critical, &[intent(A, 1, Some("restart"))]);
    let first = [end(A, 1, Outcome::Healed, Span::ZERO), ended(A, 1, at("12:10:00"))];
    told.then("12:20:00", A, Ok, &first);
    // Held before it began and until it ended, and a person restarts it: nobody waited for a reaction.
    told.then("12:30:00", B, Ok, &[held(B)]);
    told.then("12:31:00", B, Critical, &[begun(B, 2)]);
    told.then("12:32:00", B, Critical, &[intent(B, 2, None)]);
    let second = [end(B, 2, Outcome::Healed, Span::ZERO), ended(B, 2, at("12:31:00"))];
    told.then("12:33:00", B, Ok, &second);
    let found = Reader::open(dir.path()).expect("opens").figures(None, None, None).expect("figures");
    holds(
        &of(&found, A),
        &json!({
            "down_s": 300.0, "planned_s": 300.0, "recovery": lengths(1, 300.0, 300.0, 300.0),
            "reaction": lengths(1, 180.0, 180.0, 180.0), "downtime_ended_s": 300.0,
        }),
    );
    holds(&of(&found, B), &json!({ "down_s": 0.0, "planned_s": 120.0, "downtime_ended_s": 0.0 }));
    let none = &of(&found, B)["reaction"];
    assert_eq!((&none["count"], &none["mean_s"]), (&json!(0), &json!(null)));
}

#[test]
fn windows_that_hold_nothing_are_told_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = Told::new(dir.path());
    let reader = Reader::open(dir.path()).expect("opens");
    let says = |since: Option<Since>, until: Option<Time>, only: Option<&str>| {
        reader.figures(since, until, only).expect_err("no figures").to_string()
    };
    assert_eq!(says(None, None, None), "there are no figures yet: the journal holds no tick");
    drop(told);
    let dir = tempfile::tempdir().expect("a directory");
    let _told = write(dir.path());
    let reader = Reader::open(dir.path()).expect("opens");
    let says = |since: Option<Since>, until: Option<Time>, only: Option<&str>| {
        reader.figures(since, until, only).expect_err("no figures").to_string()
    };
    let future = says(Some(Since::At(at("15:00:00"))), None, None);
    assert!(future.contains("the last tick was at 2026-11-23T14:00:00Z"), "{future}");
    let before = says(None, Some(at("11:00:00")), None);
    assert!(before.contains("the journal begins at 2026-11-23T12:00:00Z"), "{before}");
    let backwards = says(Some(Since::At(at("13:00:00"))), Some(at("12:30:00")), None);
    assert!(backwards.contains("let it begin earlier"), "{backwards}");
    let unknown = says(None, None, Some("databse"));
    assert!(unknown.contains("did you mean `database`?"), "{unknown}");
    let early = reader.figures(Some(Since::Last(Span::minutes(24 * 60))), None, None).expect("figures");
    assert_eq!(early.begins.as_deref(), Some("2026-11-23T12:00:00Z"));
}

/// Grace is away from 12:10 to 12:20, and finds it down: nobody knows since when.
#[test]
fn what_stopped_while_nobody_looked_has_no_time_of_detection() {
    use Status::{Critical, Ok};
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    told.then("12:10:00", A, Ok, &[]);
    told.append(&[stopped(), started()]);
    told.statuses.insert(A.into(), Critical);
    told.tick(at("12:20:00"), &[begun(A, 1)]);
    told.then("12:21:00", A, Ok, &[ended(A, 1, at("12:20:00"))]);
    told.then("12:30:00", A, Critical, &[begun(A, 2)]);
    told.then("12:31:00", A, Ok, &[ended(A, 2, at("12:30:00"))]);
    let found = Reader::open(dir.path()).expect("opens").figures(None, None, None).expect("figures");
    let wanted = json!({
        "unobserved_s": 600.0, "down_s": 120.0, "incidents_ended": 2,
        "detection": lengths(1, 30.0, 30.0, 30.0), "recovery": lengths(2, 60.0, 60.0, 60.0),
    });
    holds(&of(&found, A), &wanted);
}

/// Down from 12:10, held until 12:12, and Grace is away from 12:11 to 12:20: the hold was over long before she saw it.
#[test]
fn a_hold_that_ran_out_while_nobody_looked_planned_nothing_behind_its_end() {
    use Status::{Critical, Ok};
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    told.then("12:10:00", A, Critical, &[begun(A, 1)]);
    let until = Some(at("12:12:00"));
    let hold =
        Record::Held { component: Some(A.into()), actor: "ann".into(), reason: "a disk".into(), until };
    told.then("12:11:00", A, Critical, &[hold]);
    told.append(&[stopped(), started()]);
    told.tick(at("12:20:00"), &[hold_ended(A)]);
    told.then("12:21:00", A, Ok, &[ended(A, 1, at("12:10:00"))]);
    let found = Reader::open(dir.path()).expect("opens").figures(None, None, None).expect("figures");
    holds(&of(&found, A), &json!({ "recovery": lengths(1, 600.0, 600.0, 600.0), "unobserved_s": 540.0 }));
}
