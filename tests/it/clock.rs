//! A wall clock that jumps by an hour either way, under the real binary: nothing is healed early, late or twice.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grace::record::Reader;

use crate::scenarios::laid_over;

/// The library of Debian's package `faketime`: it shifts the wall clock of one process and leaves the steady one.
pub(crate) const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

const PATIENCE: Duration = Duration::from_secs(40);

fn grace(data: &Path, words: &[&str]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    command.args(words).arg("--data").arg(data).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("the binary starts").success()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_wall_clock_that_jumps_an_hour_either_way_changes_no_decision() {
    if !Path::new(FAKETIME).exists() {
        assert!(std::env::var_os("CI").is_none(), "{FAKETIME} is missing, and CI installs it");
        let why = format!("skipped: {FAKETIME} is missing (Debian's package faketime)\n");
        // Straight to the terminal: a skip is said even where output is captured.
        std::io::stderr().write_all(why.as_bytes()).expect("said");
        return;
    }
    let (config, data) = (laid_over(Path::new("/nowhere")), tempfile::tempdir().expect("a folder"));
    let shift = data.path().join("shift");
    fs::write(&shift, "+0").expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_grace"))
        .args(["run", "--interval", "500ms", "--allow-faults", "--listen", "off"])
        .arg("--config")
        .arg(config.path())
        .arg("--data")
        .arg(data.path())
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_TIMESTAMP_FILE", &shift)
        .env("FAKETIME_NO_CACHE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    until("it is well", || grace(data.path(), &["status"]));
    let reader = Reader::open(data.path()).expect("a journal");
    let steps = || {
        let events = reader.events_after(0, 10_000).expect("read");
        events.iter().filter(|event| event.kind == "grace.clock_stepped").count()
    };
    for (index, (jump, component, fault)) in
        [("+1h", "task_executor", "kill-workers"), ("-1h", "trigger_mesh", "stop")].into_iter().enumerate()
    {
        assert!(grace(data.path(), &["fault", "inject", component, fault]));
        fs::write(&shift, jump).expect("written");
        until("the step is noticed", || steps() > index);
        until("it is healed once", || {
            let actions = reader.healing_actions(10).expect("rows");
            actions.len() == index + 1
                && actions.iter().all(|action| action.result.as_deref() == Some("success"))
        });
        until("it is well", || grace(data.path(), &["status"]));
    }
    assert!(reader.verify().expect("read").is_whole());
    child.kill().expect("killed");
    child.wait().expect("gone");
}
