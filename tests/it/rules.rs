//! How good rule tests are, and that measuring them tells the truth.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use grace::replay::{Coverage, Mutated, Pattern, Suite, Updates};
use grace::say::short;

use crate::scenarios::laid_over;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn suite(dir: &Path) -> Suite {
    Suite::load(dir, &BTreeSet::new(), None)
}

/// The shipped rules, with one file of tests.
fn with_tests(file: &str, text: &str) -> tempfile::TempDir {
    let laid = laid_over(Path::new("/nowhere"));
    fs::write(laid.path().join("rules").join(file), text).expect("written");
    laid
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(dir.join(file)).expect(file);
    assert!(text.contains(from), "{file} holds {from}");
    fs::write(dir.join(file), text.replace(from, to)).expect(file);
}

#[test]
fn the_shipped_tests_see_everything_of_the_shipped_rules() {
    let Coverage { kinds, gaps } = suite(&root()).coverage();
    assert!(gaps.is_empty(), "{gaps:#?}");
    assert!(kinds.iter().all(|(_, seen, of)| seen == of && *of > 0), "{kinds:?}");
}

#[test]
fn the_shipped_tests_notice_nine_of_ten_changes_of_the_shipped_rules() {
    let mutated = suite(&root()).mutate(|_, _| {});
    let lines: Vec<String> = mutated
        .alive
        .iter()
        .map(|one| format!("{}:{:?} `{}` -> `{}`", one.file, one.position, one.before, one.after))
        .collect();
    assert!(mutated.total() > 150, "only {} mutants were made", mutated.total());
    assert!(mutated.percent() >= 90.0, "{} %:\n{}", mutated.percent(), lines.join("\n"));
}

#[test]
fn a_part_of_the_generation_gives_the_same_results_as_the_whole() {
    let mut folders = vec![root()];
    let scenarios = fs::read_dir(root().join("tests/config/scenarios")).expect("scenarios").flatten();
    let laid: Vec<tempfile::TempDir> = scenarios.map(|entry| laid_over(&entry.path())).collect();
    folders.extend(laid.iter().map(|laid| laid.path().to_owned()));
    let mut compared = 0;
    for folder in folders {
        // As they are, and with a component that is never quiet, because it is not well on healthy readings.
        let (part, whole) = (suite(&folder).run(), suite(&folder).run_whole());
        assert_eq!(part.results, whole.results, "{}", folder.display());
        compared += part.results.len();
    }
    assert!(compared > 50, "only {compared} tests were compared");
}

#[test]
fn what_is_never_quiet_is_played_with_every_test() {
    let text = "[test.x]\nstart = \"14:00:00\"\nend = \"14:05:00\"\n\
                expect = [{ at = \"14:00:30\", mode = \"observation_only\" }]\n";
    let laid = with_tests("database.test.toml", text);
    // A rule of another component fires on healthy readings; it depends on the mode only where it stands.
    edit(
        laid.path(),
        "rules/trigger_mesh.toml",
        "when       = 'critical'",
        "when       = 'ok && mode == \"normal\"'",
    );
    edit(
        laid.path(),
        "rules/trigger_mesh.toml",
        "do         = [\"restart\"]",
        "do = [{ set_mode = \"observation_only\" }]",
    );
    edit(laid.path(), "rules/trigger_mesh.toml", "on_failure", "# on_failure");
    edit(laid.path(), "rules/trigger_mesh.toml", "verify", "# verify");
    edit(laid.path(), "rules/trigger_mesh.toml", "attempts", "# attempts");
    let suite = suite(laid.path());
    let tested = suite.run();
    assert!(tested.passed(), "{:?} {:?}", short(&tested.report), tested.results);
    assert_eq!(tested.results, suite.run_whole().results);
}

const ONE: &str = "# A story.\n[test.x]   # of its own\nstart = \"14:00:00\"\nend = \"14:05:00\"\n\
                   series = { \"mesh.running\" = \"true false false\" }\n";

#[test]
fn a_gap_is_told_with_its_place() {
    let laid = with_tests(
        "trigger_mesh.test.toml",
        &format!("{ONE}expect = [{{ at = \"14:00:30\", failures = 1 }}]\n"),
    );
    let Coverage { kinds, gaps } = suite(laid.path()).coverage();
    let said: Vec<String> =
        gaps.iter().map(|gap| format!("{}:{:?}: {}", gap.file, gap.position, gap.says)).collect();
    let mesh: Vec<&String> = said.iter().filter(|line| line.contains("trigger_mesh.toml")).collect();
    let expected = [
        "rules/trigger_mesh.toml:(14, 31): `mesh.routing` was never false",
        "rules/trigger_mesh.toml:(15, 13): `mesh.route_latency_ms > threshold.slow_ms` was never true",
    ];
    assert_eq!(&mesh[..2], expected, "{said:#?}");
    assert!(said.iter().any(|line| line.ends_with("policy manual_mode never decided")), "{said:#?}");
    assert!(said.iter().any(|line| line.ends_with("rule suspicious never fired")), "{said:#?}");
    assert_eq!(kinds.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>(), ["rules", "branches", "verdicts"]);
}

#[test]
fn a_change_that_no_test_notices_is_told_with_its_place() {
    let text = format!("{ONE}expect = [{{ at = \"14:01:00\", act = \"restart\" }}]\n");
    let laid = with_tests("trigger_mesh.test.toml", &text);
    let mut heard = (0, 0);
    let mutated = suite(laid.path()).mutate(|done, of| heard = (done, of));
    let Mutated { alive, killed, invalid, left_out } = &mutated;
    assert_eq!(heard, (killed + alive.len() + invalid, heard.0), "every mutant was tried");
    assert_eq!(*left_out, 0);
    let mesh: Vec<(usize, &str, &str)> = alive
        .iter()
        .filter(|mutant| mutant.file == "rules/trigger_mesh.toml")
        .map(|mutant| (mutant.position.0, mutant.before.as_str(), mutant.after.as_str()))
        .collect();
    // Nobody looks at the threshold; one reading more or less, and a restart that is missing, are noticed.
    assert!(mesh.contains(&(11, "\"500ms\"", "\"1s\"")), "{mesh:?}");
    assert!(!mesh.iter().any(|(_, before, _)| ["2", "\"restart\"", "!"].contains(before)), "{mesh:?}");
}

/// The text of a test file after an update, and what fails then.
fn updated(text: &str) -> (String, Vec<String>) {
    let laid = with_tests("trigger_mesh.test.toml", text);
    let Updates { files, .. } = suite(laid.path()).updates();
    let text = files.first().map_or(text, |file| file.after.as_str()).to_owned();
    fs::write(laid.path().join("rules/trigger_mesh.test.toml"), &text).expect("written");
    let results = suite(laid.path()).run().results;
    (text, results.into_iter().flat_map(|result| result.failures).collect())
}

#[test]
fn an_update_writes_what_happened_and_leaves_the_rest_alone() {
    let test = |first: &str, second: &str, third: &str| {
        format!(
            "{ONE}expect = [\n    {{ at = \"14:00:30\", {first} }},   # a comment\n    \
             {{ at = \"14:01:00\", {second} }},\n    {{ at = \"14:01:30\", outcome = {third} }},\n]\n"
        )
    };
    let wrong = test(
        "status = \"ok\", failures = 7",
        "act = \"restart\", attempt = 3, mode = 'read_only'",
        "'healed'",
    );
    let right = test(
        "status = \"critical\", failures = 1",
        "act = \"restart\", attempt = 1, mode = \"normal\"",
        "\"no_effect\"",
    );
    assert_eq!(updated(&wrong), (right.clone(), Vec::new()));
    assert_eq!(updated(&right), (right.clone(), Vec::new()), "what passes is not touched");
    // What is forbidden stays for a person.
    let (now, left) = updated(&format!("{wrong}forbid = [{{ act = \"restart\" }}]\n"));
    assert!(now.starts_with(&right), "{now}");
    let tries = ["14:01:00", "14:02:01", "14:03:32"];
    assert_eq!(left, tries.map(|at| format!("{at}: forbidden act restart, and it was so all the same")));
}

#[test]
fn an_update_moves_a_time_to_where_all_that_is_named_happened() {
    let test = |at: &str, rest: &str| format!("{ONE}expect = [{{ at = \"{at}\", {rest} }}]\n");
    let early = test("14:01:20", "outcome = \"no_effect\", failures = 9");
    let right = test("14:01:30", "outcome = \"no_effect\", failures = 3");
    assert_eq!(updated(&early), (right, Vec::new()));
    // What never happened cannot be written.
    let never = test("14:01:20", "outcome = \"healed\"");
    let (now, left) = updated(&never);
    assert_eq!((now, left.len()), (never, 1));
}

#[test]
fn tests_are_found_by_pattern_and_by_file() {
    let count = |only: &[&str], pattern: Option<&str>| {
        let only = only.iter().map(|name| (*name).to_owned()).collect();
        let tested = Suite::load(&root(), &only, pattern.map(Pattern::new).as_ref()).run();
        if tested.report.is_fatal() { None } else { Some(tested.results.len()) }
    };
    let all = count(&[], None).expect("tests");
    assert_eq!(count(&["rules/"], None), Some(all));
    assert!(count(&["rules/hunter.test.toml"], None).is_some_and(|count| count < all));
    assert_eq!(count(&["rules/hunter.toml"], None), count(&["rules/hunter.test.toml"], None));
    assert_eq!(count(&[], Some("scenario_*")), Some(3));
    assert_eq!(count(&[], Some("hunter.test.toml::scenario_3")), Some(1));
    assert_eq!(count(&[], Some("scenario_9")), None);
    assert_eq!(count(&["rules/nobody.test.toml"], None), None);
}
