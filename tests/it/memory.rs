//! How much memory a rehearsal needs does not depend on how long its history is, and what nobody asked for takes none.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::daemon::{Daemon, command};
use crate::histories::files;

/// A rule test with a tick each second.
fn lasting(until: &str) -> String {
    format!(
        "[test.long]\nstart = \"00:00:00\"\nend = \"{until}\"\ninterval = \"1s\"\n\
         given = [{{ at = \"00:05:00\", set = {{ \"reflection.running\" = false }} }}]\n\
         expect = [{{ at = \"00:00:00\", status = \"ok\" }}]\n"
    )
}

/// The most memory that a command took while it ran, in kilobytes.
fn peak(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let code = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most = most.max(now.unwrap_or(0));
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(code.success() && most > 0, "{code}");
    most
}

#[test]
fn a_long_rule_test_needs_no_more_memory_than_a_short_one() {
    for verb in ["prove", "test"] {
        let [short, long] = ["00:10:00", "02:00:00"].map(|until| {
            let dir = files(Some(&lasting(until)), &[]);
            let mut grace = command(Path::new("/nowhere/data"));
            grace.arg(verb).arg("--config").arg(dir.path());
            if verb == "prove" {
                grace.arg("--history").arg(dir.path().join("rules/reflection_service.test.toml"));
            }
            peak(grace.stdout(Stdio::null()).spawn().unwrap())
        });
        // 6,600 ticks more were 100 MB and more when all of them were kept.
        assert!(long < short + 40_000, "{verb}: {short} kB, and {long} kB where the test is longer");
    }
}

/// What the first heap holds, in kilobytes: that of the thread which makes everything at the start. How many more there are
/// depends on how many cores a machine has.
fn heap(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps")).expect("its maps");
    let (_, heap) = text.split_once("[heap]").expect("a heap");
    let line = heap.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn the_document_of_the_api_takes_no_memory_before_somebody_asks_for_it() {
    let grace = Daemon::start();
    let rests = heap(grace.pid());
    // 1.7 MB; with the document made at the start they were 6.3.
    assert!(rests < 4_000, "{rests} kB at rest");
    assert!(grace.get("/openapi.json")["paths"].is_object());
}
