//! Components that are no longer declared, journals of older Graces, and transactions that came to nothing.

use std::path::Path;

use grace::figures::{Fold, Terms};
use grace::model::{ActId, HealResult, Outcome, Record, Span, Status};
use grace::record::{Journal, Reader, Since};

use super::by_hand;
use super::told::{NOON, Told, at, begun, end, intent};

#[test]
fn a_components_figures_end_with_the_generation_that_declared_it_last() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = Told::new(dir.path());
    told.tick(NOON, &[]);
    told.then("12:10:00", "database", Status::Critical, &[begun("database", 1)]);
    told.on_until("12:20:00");
    told.statuses.remove("database");
    told.tick(at("12:20:00"), &[]);
    told.on_until("14:00:00");
    told.statuses.insert("database".into(), Status::Ok);
    told.tick(at("14:00:00"), &[]);
    told.on_until("14:10:00");
    let reader = Reader::open(dir.path()).expect("opens");
    let of = |since: &str, until: &str| {
        let figures = reader.figures(Some(Since::At(at(since))), Some(at(until)), None).expect("figures");
        figures.components.into_iter().find(|one| one.component == "database")
    };
    let first = of("12:00:00", "13:00:00").expect("it was declared");
    assert_eq!(first.ended.as_deref(), Some("2026-11-23T12:20:00Z"));
    let measures = &first.measures;
    assert_eq!((measures.up_s, measures.down_s), (Span::minutes(10), Span::minutes(10)));
    assert_eq!((measures.incidents_left, measures.incidents_ended, measures.incidents_open), (1, 0, 0));
    assert_eq!((measures.recovery.count, measures.unobserved_s), (0, Span::ZERO));
    assert!(of("12:30:00", "13:30:00").is_none(), "nobody declared it then");
    let again = of("12:00:00", "14:09:30").expect("it is declared");
    assert_eq!((again.ended, again.measures.up_s), (None, Span::seconds(19 * 60 + 30)));
    let totals = told.journal.totals().expect("figures");
    let total = totals.components["database"].0;
    assert_eq!((total.spent.critical, total.incidents), (Span::ZERO, 0), "they begin anew");
}

#[test]
fn older_ticks_that_do_not_count_failures_are_counted_by_the_grid() {
    let mut fold = Fold::default();
    fold.terms(&Terms { grid: Span::seconds(30), lowest: None });
    let (none, mut statuses) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    for (seq, (clock, status)) in [
        ("12:00:00", Status::Critical),
        ("12:00:05", Status::Critical),
        ("12:00:30", Status::Unknown),
        ("12:01:00", Status::Critical),
        ("12:01:30", Status::Critical),
    ]
    .into_iter()
    .enumerate()
    {
        statuses.insert("web".into(), status);
        let seen = grace::figures::Seen { now: at(clock), grid: None, statuses: &statuses, failures: &none };
        fold.tick(i64::try_from(seq).expect("small"), seen);
    }
    assert_eq!(fold.totals().components["web"].1, 3);
}

#[test]
fn a_shorter_grid_makes_no_downtime_of_what_was_seen_by_the_longer_one() {
    let terms = |seconds| Terms { grid: Span::seconds(seconds), lowest: None };
    let (none, statuses) =
        (std::collections::BTreeMap::new(), [("web".into(), Status::Ok)].into_iter().collect());
    let unobserved = |grids: [i64; 2], clocks: [&str; 4]| {
        let mut fold = Fold::default();
        fold.terms(&terms(grids[0]));
        for (seq, clock) in (0..).zip(clocks) {
            if seq == 2 {
                fold.terms(&terms(grids[1]));
            }
            let seen =
                grace::figures::Seen { now: at(clock), grid: None, statuses: &statuses, failures: &none };
            fold.tick(seq, seen);
        }
        fold.totals().unobserved
    };
    // The third tick was waited for by half hours, and comes as soon as files say so.
    let clocks = ["12:00:00", "12:30:00", "12:50:00", "12:50:30"];
    assert_eq!(unobserved([1_800, 30], clocks), Span::ZERO);
    // From there on the new grid says who was away.
    let clocks = ["12:00:00", "12:30:00", "12:50:00", "12:53:00"];
    assert_eq!(unobserved([1_800, 30], clocks), Span::minutes(3));
    // And the first tick of a longer one is not late.
    assert_eq!(unobserved([30, 1_800], ["12:00:00", "12:00:30", "12:30:00", "13:00:00"]), Span::ZERO);
}

#[test]
fn what_did_not_come_to_be_is_in_no_figure() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = by_hand::write(dir.path());
    let end = Record::End {
        act: ActId(77),
        component: Some("database".into()),
        outcome: Some(grace::model::Outcome::Healed),
        result: HealResult::Success,
        detail: String::new(),
        steps: Vec::new(),
    };
    // Its mode counts for the figures, and its end has no intent: all of it is refused.
    let moved = super::told::moved("normal", "emergency");
    told.journal.append(at("14:00:00"), &[moved, end]).expect_err("an end without an intent");
    told.then("14:00:30", "database", Status::Ok, &[]);
    let totals = told.journal.totals().expect("figures");
    drop(told);
    let anew = Journal::open(dir.path()).expect("opens");
    assert!(anew.take_up_figures().expect("reads"));
    assert_eq!(anew.totals(), Some(totals.clone()));
    assert!(!totals.modes.contains_key("emergency"));
    assert_eq!(altered(dir.path()), Vec::<String>::new());
}

#[test]
fn a_try_that_was_not_begun_is_in_no_figure() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = by_hand::write(dir.path());
    let Record::End { act, component, detail, .. } = end("database", 9, Outcome::Failed, Span::ZERO) else {
        unreachable!("it is an end")
    };
    let not_begun =
        Record::End { act, component, detail, outcome: None, result: HealResult::Failed, steps: Vec::new() };
    let before = told.journal.totals();
    told.then("14:00:30", "database", Status::Ok, &[intent("database", 9, Some("restart")), not_begun]);
    let ends = |totals: Option<std::sync::Arc<grace::figures::Totals>>| {
        totals.expect("figures").components["database"].0.ended
    };
    assert_eq!(ends(told.journal.totals()), ends(before));
}

fn altered(data: &Path) -> Vec<String> {
    Reader::open(data).expect("opens").altered_figures().expect("figures")
}

#[test]
fn figures_that_somebody_changed_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(by_hand::write(dir.path()));
    assert_eq!(altered(dir.path()), Vec::<String>::new());
    let file = dir.path().join("journal.db");
    let kept = dir.path().join("kept.db");
    std::fs::copy(&file, &kept).expect("copied");
    for (change, first) in [
        ("UPDATE figure_hours SET body = replace(body, '0', '1')", "the hour from 2026-11-23T12:00:00"),
        (
            "UPDATE figure_hours SET fold = '{}' WHERE hour = (SELECT min(hour) FROM figure_hours)",
            "the hour from 2026-11-23T12:00:00",
        ),
        ("DELETE FROM figure_hours WHERE hour < 1795438800000", "the hour from 2026-11-23T1"),
        ("DELETE FROM figure_rows WHERE kind = 'incident'", "incident 1 database"),
        (
            "UPDATE figure_rows SET component = 'web' WHERE kind = 'incident' AND id = 2",
            "incident 2 database",
        ),
        (
            "INSERT INTO figure_rows SELECT kind, 99, component, began, ended, body FROM figure_rows LIMIT 1",
            " 99",
        ),
    ] {
        std::fs::copy(&kept, &file).expect("copied");
        let conn = rusqlite::Connection::open(&file).expect("opens");
        assert!(conn.execute(change, []).expect(change) > 0, "{change}");
        drop(conn);
        let told = altered(dir.path());
        assert!(told.len() == 1 && told.iter().all(|one| one.contains(first)), "{change}: {told:?}");
    }
}

#[test]
fn whichever_act_relapses_is_the_one_whose_success_is_gone() {
    use grace::model::Outcome::{Healed, NoEffect};
    let dir = tempfile::tempdir().expect("a directory");
    let mut told = super::told::Told::new(dir.path());
    told.tick(super::told::NOON, &[]);
    let web = "database";
    // Two of people, and another rule's behind them: the journal names the first.
    for (minute, act, outcome, by) in [
        (1, 1, Healed, None),
        (3, 2, Healed, None),
        (5, 3, NoEffect, Some("restart")),
        (6, 4, Healed, Some("x")),
    ] {
        told.then(&format!("12:{minute:02}:00"), web, Status::Ok, &[super::told::intent(web, act, by)]);
        let end = super::told::end(web, act, outcome, Span::ZERO);
        told.then(&format!("12:{minute:02}:30"), web, Status::Ok, &[end]);
    }
    told.then(
        "12:08:00",
        web,
        Status::Critical,
        &[super::told::begun(web, 1), super::told::relapsed(web, 1)],
    );
    told.then("12:09:00", web, Status::Critical, &[]);
    drop(told);
    let reader = grace::record::Reader::open(dir.path()).expect("opens");
    let figures = reader.figures(None, None, Some(web)).expect("there are ticks");
    let tries = &figures.components.first().expect("it is declared").measures.tries;
    let of = |outcome: &str| tries.get(outcome).copied().unwrap_or(0);
    assert_eq!((of("healed"), of("relapsed"), of("no_effect")), (2, 1, 1), "{tries:?}");
}
