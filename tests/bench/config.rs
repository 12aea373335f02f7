//! What configuration tools take, beside promtool on as many rules: 20 tests over 1,000 rules, 1,000 and 10,000 rules
//! validated with every check. And how long it is from a saved file to the active generation, with 1,000 rules.
//!
//! `cargo bench --bench config`; promtool is in Debian's package `prometheus`, and without it Grace runs alone.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark says what it means, and what it measured"
)]

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RULES: usize = 1_000;
const CASES: usize = 20;
const RUNS: usize = 5;

fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (dir.path().join("grace"), dir.path().join("prometheus"));
    grace(&ours, RULES, 1);
    cases(&ours);
    prometheus(&theirs, RULES);
    let what = format!("{CASES} tests over {RULES} rules");
    beside(&what, (&["test"], &ours), (&["test", "rules", "tests.yml"], &theirs));
    beside("1,000 rules validated", (&["validate"], &ours), (&["check", "rules", "rules.yml"], &theirs));
    saved(&ours);
    let (ours, theirs) = (dir.path().join("grace10"), dir.path().join("prometheus10"));
    grace(&ours, RULES, 10);
    prometheus(&theirs, RULES * 10);
    beside("10,000 rules validated", (&["validate"], &ours), (&["check", "rules", "rules.yml"], &theirs));
}

/// Runs both, one after the other, again and again, and says what each takes.
fn beside(what: &str, (words, ours): (&[&str], &Path), (asked, theirs): (&[&str], &Path)) {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
        command.args(words).arg("--config").arg(ours);
        here.extend(timed(command));
        let mut command = Command::new("promtool");
        command.args(asked).current_dir(theirs);
        there.extend(timed(command));
    }
    assert_eq!(here.len(), RUNS, "every run of Grace goes well");
    let other = match there.as_slice() {
        [] => "promtool is not there: install Debian's package `prometheus`".to_owned(),
        _ => format!("promtool {:.1?}", median(there)),
    };
    println!("{what}, median of {RUNS} runs side by side: Grace {:.1?}, {other}", median(here));
}

/// From a save to the generation that is active, as the log of a running Grace tells it.
fn saved(config: &Path) {
    let data = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    command.args(["run", "--listen", "off", "--interval", "30m", "--config"]).arg(config);
    command.arg("--data").arg(data.path()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut log = BufReader::new(child.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    assert!(log.any(|line| line.starts_with("stop ")), "she starts");
    let file = config.join("rules/web_0500.toml");
    let text = fs::read_to_string(&file).expect("read");
    let mut times = Vec::new();
    for run in 0..RUNS {
        // The first tick, and the one for the files before, are over.
        std::thread::sleep(Duration::from_millis(2500));
        let start = Instant::now();
        fs::write(&file, format!("{text}# {run}\n")).expect("written");
        assert!(log.any(|line| line.contains("a new generation is active")), "it is taken");
        times.push(start.elapsed());
    }
    let _ = child.kill();
    let _ = child.wait();
    println!("a file saved among 1,000 rules until it is active, median of {RUNS}: {:.1?}", median(times));
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

/// So many components with so many rules each.
fn grace(dir: &Path, components: usize, rules: usize) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["rules", "policies"] {
        fs::create_dir_all(dir.join(folder)).expect("made");
    }
    for entry in fs::read_dir(home.join("policies")).expect("policies").flatten() {
        fs::copy(entry.path(), dir.join("policies").join(entry.file_name())).expect("copied");
    }
    for number in 0..components {
        let mut text = format!(
            "[control]\nkind = \"process\"\nargv = [\"/bin/true\"]\n\n[probe.http]\nkind = \"http\"\n\
             url = \"http://127.0.0.1:{}/\"\n\n[threshold]\nslow_ms = \"500ms\"\n\n[status]\n\
             critical = '!http.answered'\nwarn = 'http.latency_ms > threshold.slow_ms'\n",
            10_000 + number
        );
        for rule in 0..rules {
            let _ = writeln!(
                text,
                "\n[rule.restart{rule}]\nwhen = 'critical && failures > {rule}'\nafter = 2\ndo = [\"restart\"]\n\
                 verify = {{ delay = \"1s\", within = \"30s\" }}"
            );
        }
        fs::write(dir.join(format!("rules/web_{number:04}.toml")), text).expect("written");
    }
}

/// The tests of twenty of them.
fn cases(dir: &Path) {
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
fn prometheus(dir: &Path, alerts: usize) {
    fs::create_dir_all(dir).expect("made");
    let (mut rules, mut tests) = (String::from("groups:\n- name: web\n  rules:\n"), String::new());
    for number in 0..alerts {
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
