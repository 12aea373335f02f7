//! Each of the eight outcomes really comes out of the engine, and figures count it as what it is.

use std::collections::BTreeSet;

use grace::figures::Percent;
use grace::model::{Outcome, Span};
use grace::record::Reader;

use crate::histories::{journal, recorded};

const COMPONENT: &str = "reflection_service";

/// What happens, and as what the last try ends; the downtime that it caused, and that it ended, in seconds.
const CASES: &[(&str, &str, Outcome, i64, i64)] = &[
    (
        "the restart heals",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } },
           { on = "restart", set = { "reflection.running" = true, "reflection.age_s" = 1 } }"#,
        Outcome::Healed,
        0,
        35,
    ),
    (
        "the restart fails, and still it is well",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } },
           { on = "restart", fails = "no", set = { "reflection.running" = true, "reflection.age_s" = 1 } }"#,
        Outcome::HealedByItself,
        0,
        0,
    ),
    (
        "the restart changes nothing",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } }"#,
        Outcome::NoEffect,
        0,
        0,
    ),
    (
        "a person restarts what works, and it works no more",
        r#"{ at = "12:00:10", ask = "restart", actor = "uid:1000" },
           { at = "12:00:20", ask = "approve", approval = 1, actor = "uid:1001" },
           { on = "restart", set = { "reflection.running" = false } }"#,
        Outcome::Worse,
        25,
        0,
    ),
    (
        "the restart heals, and does not last",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } },
           { on = "restart", to = "12:01:20", set = { "reflection.running" = true, "reflection.age_s" = 1 } },
           { at = "12:01:40", set = { "reflection.running" = false } }"#,
        Outcome::Relapsed,
        0,
        35,
    ),
    (
        "the restart fails",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } },
           { on = "restart", fails = "it does not start" }"#,
        Outcome::Failed,
        0,
        0,
    ),
    (
        "the restart does not end",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } }, { on = "restart", takes = "5m" }"#,
        Outcome::TimedOut,
        0,
        0,
    ),
    (
        "nobody can look afterwards",
        r#"{ at = "12:00:10", set = { "reflection.running" = false } },
           { on = "restart", set = { "reflection.running" = "missing", "reflection.age_s" = "missing" } }"#,
        Outcome::Unknown,
        0,
        0,
    ),
];

#[test]
fn each_of_the_eight_outcomes_comes_out_of_the_engine_and_is_counted_as_what_it_is() {
    let mut seen = BTreeSet::new();
    for (name, given, outcome, caused, ended) in CASES {
        let test = format!(
            "[test.case]\nstart = \"12:00:00\"\nend = \"12:02:10\"\ngiven = [\n{given}\n]\n\
             expect = [{{ at = \"12:00:00\", status = \"ok\" }}]\n"
        );
        let dir = tempfile::tempdir().expect("a directory");
        journal(dir.path(), &recorded(&test));
        let figures = Reader::open(dir.path()).expect("opens").figures(None, None, Some(COMPONENT));
        let found = figures.expect(name).overall;
        let words: Vec<&str> = found.tries.keys().map(String::as_str).collect();
        assert!(words.contains(&outcome.word()), "{name}: {found:#?}");
        let counts = !matches!(outcome, Outcome::HealedByItself | Outcome::Unknown);
        let percent = counts.then_some(if *outcome == Outcome::Healed { 100.0 } else { 0.0 });
        // What became ill of it is tried by rules as well, and that has no effect.
        let alone = words.iter().all(|word| [outcome.word(), "no_effect"].contains(word));
        assert!(alone && found.success_percent.map(Percent::number) == percent, "{name}: {found:#?}");
        assert_eq!(found.downtime_caused_s, Span::seconds(*caused), "{name}");
        assert_eq!(found.downtime_ended_s, Span::seconds(*ended), "{name}");
        seen.insert(*outcome);
    }
    let all = Outcome::ENDS.into_iter().chain([Outcome::Relapsed]).collect();
    assert_eq!(seen, all);
}
