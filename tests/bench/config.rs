//! What configuration tools take, beside promtool on as many rules: 20 tests over 1,000 rules.
//!
//! `cargo bench --bench config`; promtool is in Debian's package `prometheus`, and without it Grace runs alone.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark says what it means, and what it measured"
)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RULES: usize = 1_000;
const CASES: usize = 20;
const RUNS: usize = 5;

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (dir.path().join("grace"), dir.path().join("prometheus"));
    grace(&ours);
    prometheus(&theirs);
    println!("{CASES} tests over {RULES} rules, median of {RUNS} runs side by side");
    let test = |_| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        command.args(["test", "--config"]).arg(&ours);
        timed(command)
    };
    let promtool = |_| {
        let mut command = Command::new("promtool");
        command.args(["test", "rules", "tests.yml"]).current_dir(&theirs);
        timed(command)
    };
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        here.extend(test(run));
        there.extend(promtool(run));
    }
    assert_eq!(here.len(), RUNS, "every run of grace test passes");
    println!("grace test           {:>8.1?}", median(here));
    if there.is_empty() {
        println!("promtool test rules  not there: install Debian's package `prometheus`");
    } else {
        println!("promtool test rules  {:>8.1?}", median(there));
    }
}

/// How long a command takes that goes well; nothing where it is not there.
fn timed(mut command: Command) -> Option<Duration> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().ok()?;
    assert!(status.success(), "{command:?} goes well");
    Some(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A thousand components with a rule each, and the tests of twenty of them.
fn grace(dir: &Path) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["rules", "policies"] {
        fs::create_dir_all(dir.join(folder)).expect("made");
    }
    for entry in fs::read_dir(home.join("policies")).expect("policies").flatten() {
        fs::copy(entry.path(), dir.join("policies").join(entry.file_name())).expect("copied");
    }
    for number in 0..RULES {
        let rule = format!(
            "[control]\nkind = \"process\"\nargv = [\"/bin/true\"]\n\n[probe.http]\nkind = \"http\"\n\
             url = \"http://127.0.0.1:{}/\"\n\n[threshold]\nslow_ms = \"500ms\"\n\n[status]\n\
             critical = '!http.answered'\nwarn = 'http.latency_ms > threshold.slow_ms'\n\n[rule.restart]\n\
             when = 'critical'\nafter = 2\ndo = [\"restart\"]\nverify = {{ delay = \"1s\", within = \"30s\" }}\n",
            10_000 + number
        );
        fs::write(dir.join(format!("rules/web_{number:04}.toml")), rule).expect("written");
    }
    for case in 0..CASES {
        let test = "[test.it_is_restarted]\nstart = \"12:00:00\"\nend = \"12:10:00\"\n\
                    series = { \"http.answered\" = \"true false false\" }\n\
                    given = [{ on = \"restart\", set = { \"http.answered\" = true } }]\n\
                    expect = [{ at = \"12:01:00\", act = \"restart\" }, { at = \"12:01:01\", outcome = \"healed\" }]\n";
        let number = case * RULES / CASES;
        fs::write(dir.join(format!("rules/web_{number:04}.test.toml")), test).expect("written");
    }
}

/// The same for Prometheus: an alert for each rule, and a test group for each test.
fn prometheus(dir: &Path) {
    fs::create_dir_all(dir).expect("made");
    let (mut rules, mut tests) = (String::from("groups:\n- name: web\n  rules:\n"), String::new());
    for number in 0..RULES {
        let _ = writeln!(
            rules,
            "  - alert: Web{number:04}\n    expr: answered{{job=\"web_{number:04}\"}} == 0\n    for: 30s"
        );
    }
    tests.push_str("rule_files: [rules.yml]\nevaluation_interval: 30s\ntests:\n");
    for case in 0..CASES {
        let number = case * RULES / CASES;
        let _ = writeln!(
            tests,
            "- interval: 30s\n  input_series:\n  - series: answered{{job=\"web_{number:04}\"}}\n    \
             values: '1 0 0 1x17'\n  alert_rule_test:\n  - eval_time: 1m\n    alertname: Web{number:04}\n    \
             exp_alerts:\n    - exp_labels: {{job: web_{number:04}}}"
        );
    }
    fs::write(dir.join("rules.yml"), rules).expect("written");
    fs::write(dir.join("tests.yml"), tests).expect("written");
}
