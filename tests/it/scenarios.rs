//! Behaviour as data: folders laid over the shipped files, whose rule tests have to pass.

use std::fs;
use std::path::{Path, PathBuf};

use grace::engine::Bundle;
use grace::replay::{TestResult, run_tests};
use grace::say::short;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lays a folder's files over the shipped ones, without the shipped tests and what `without.txt` names.
pub(crate) fn laid_over(folder: &Path) -> tempfile::TempDir {
    let there = tempfile::tempdir().expect("a folder");
    for part in ["rules", "policies"] {
        fs::create_dir(there.path().join(part)).expect("made");
        copy(&root().join(part), &there.path().join(part), |name| !name.ends_with(".test.toml"));
        if folder.join(part).is_dir() {
            copy(&folder.join(part), &there.path().join(part), |_| true);
        }
    }
    let without = fs::read_to_string(folder.join("without.txt")).unwrap_or_default();
    for name in without.lines() {
        fs::remove_file(there.path().join(name)).expect(name);
    }
    there
}

/// The shipped rules with a service of this text beside them.
pub(crate) fn with_service(name: &str, text: &str) -> Bundle {
    let laid = laid_over(Path::new("/nowhere"));
    fs::write(laid.path().join(format!("rules/{name}.toml")), text).expect("written");
    grace::config::load(laid.path()).unwrap_or_else(|report| panic!("{:?}", short(&report))).bundle
}

/// The same with a process that is critical while it does not run, and these rules of it.
pub(crate) fn with_process(name: &str, rules: &str) -> Bundle {
    const HEAD: &str = r#"
[component]
tier = 2

[control]
kind = "process"
argv = ["/usr/bin/true"]

[probe.p]
kind = "process"

[status]
critical = '!p.running'
"#;
    with_service(name, &format!("{HEAD}{rules}"))
}

fn copy(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        if wanted(&name) {
            fs::copy(entry.path(), to.join(&name)).expect("copied");
        }
    }
}

fn failures(dir: &Path) -> Vec<String> {
    let tested = run_tests(dir, None);
    let mut wrong = short(&tested.report);
    let failed = tested.results.iter().filter(|result| !result.passed());
    wrong.extend(failed.map(|TestResult { name, timeline, .. }| format!("{name}\n{timeline}")));
    if tested.results.is_empty() {
        wrong.push("no test ran".into());
    }
    wrong
}

#[test]
fn each_scenario_goes_as_its_tests_say() {
    let scenarios = root().join("tests/config/scenarios");
    let mut wrong = Vec::new();
    let mut folders = 0;
    for entry in fs::read_dir(scenarios).expect("there are scenarios").flatten() {
        folders += 1;
        let laid = laid_over(&entry.path());
        let name = entry.file_name().into_string().expect("a plain name");
        wrong.extend(failures(laid.path()).into_iter().map(|says| format!("{name}: {says}")));
    }
    assert!(folders >= 5, "only {folders} scenarios were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_shipped_tests_pass() {
    let wrong = failures(&root());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_changed_rule_makes_the_scenarios_fail_with_the_difference_marked() {
    let laid = laid_over(Path::new("/nowhere"));
    let copy_of = |name: &str| {
        let text = fs::read_to_string(root().join("rules").join(name)).expect(name);
        fs::write(laid.path().join("rules").join(name), text.replace("after      = 2", "after      = 3"))
            .expect(name);
    };
    for name in ["reflection_service.toml", "reflection_service.test.toml"] {
        copy_of(name);
    }
    let tested = run_tests(laid.path(), Some("scenario_1"));
    assert!(!tested.report.is_fatal(), "{:?}", short(&tested.report));
    let [result] = tested.results.as_slice() else { panic!("one test") };
    assert!(!result.passed());
    assert!(result.timeline.contains("! 12:01:00: expected act restart, try 1"), "{}", result.timeline);
    assert!(
        result.timeline.contains("pending") || result.timeline.contains("12:01:30"),
        "{}",
        result.timeline
    );
}

#[test]
fn a_test_that_cannot_fail_is_refused() {
    for (text, says) in [
        ("", "GR2003"),
        ("[test.x]\nstart = \"12:00:00\"\nend = \"12:01:00\"\n", "GR5001"),
        (
            "[test.x]\nstart = \"12:00:00\"\nend = \"12:01:00\"\nexpect = [{ at = \"12:00:30\", statsu = \"ok\" }]\n",
            "did you mean `status`",
        ),
        ("[test.x]\nstart = \"12:00:00\"\nend = \"12:01:00\"\nexpect = [{ at = \"12:00:30\" }]\n", "GR5001"),
        (
            "[test.x]\nstart = \"12:00:00\"\nend = \"11:01:00\"\nexpect = [{ at = \"12:00:30\", status = \"ok\" }]\n",
            "cannot end then",
        ),
        (
            "[test.x]\nstart = \"25:00:00\"\nend = \"12:01:00\"\nexpect = [{ at = \"12:00:30\", status = \"ok\" }]\n",
            "no time of day",
        ),
        (
            "[test.x]\nstart = \"12:00:00\"\nend = \"12:01:00\"\nseries = { \"ping.conected\" = \"true\" }\nexpect = [{ at = \"12:00:30\", status = \"ok\" }]\n",
            "did you mean `ping.connected`",
        ),
        (
            "[test.x]\nstart = \"12:00:00\"\nend = \"12:01:00\"\nseries = { \"ping.connected\" = \"yes\" }\nexpect = [{ at = \"12:00:30\", status = \"ok\" }]\n",
            "`yes` is no part of a series",
        ),
    ] {
        let laid = laid_over(Path::new("/nowhere"));
        fs::write(laid.path().join("rules/database.test.toml"), text).expect("written");
        let tested = run_tests(laid.path(), None);
        let said = short(&tested.report).join("\n");
        assert!(!tested.passed() && said.contains(says), "{text}: {said}");
        assert!(tested.results.is_empty(), "no test of a broken file runs");
    }
}
