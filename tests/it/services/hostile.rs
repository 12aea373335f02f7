//! Trees of processes that do not want to end: whatever they do, nothing of them is left behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::house::{House, skip};

/// So many trees grow at the same time.
const WORKERS: u32 = 50;

fn rules(marker: &Path) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/tree.pl");
    format!(
        r#"
[component]
workers = {WORKERS}
[control]
kind = "process"
argv = ["/usr/bin/perl", "{}", "{}", "each"]
stop = {{ within = "100ms" }}
[probe.process]
kind = "process"
[status]
critical = 'process.workers > 100000'
"#,
        program.display(),
        marker.display()
    )
}

/// Who has the marker open.
fn holders(marker: &Path) -> Vec<i32> {
    let Ok(wanted) = fs::metadata(marker) else { return Vec::new() };
    let mut found = Vec::new();
    for process in procfs::process::all_processes().expect("a table").flatten() {
        let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", process.pid())) else { continue };
        let open = entries.flatten().any(|entry| {
            fs::metadata(entry.path())
                .is_ok_and(|file| (file.dev(), file.ino()) == (wanted.dev(), wanted.ino()))
        });
        if open {
            found.push(process.pid());
        }
    }
    found
}

fn so_many(trees: u32, mut house: House) {
    let marker = house.path().join("marker");
    house.start(&["--interval", "1s"]);
    for round in 0..trees / WORKERS {
        let said = house.grace(&["restart", "hostile", "--reason", "a test"]);
        // Nothing says that it is well: some of them are meant to end at once.
        assert!(said.out.contains("success"), "round {round}: {} {}\n{}", said.out, said.err, house.log());
        assert!(!holders(&marker).is_empty(), "round {round}: nothing was started");
    }
    let began = Instant::now();
    assert_eq!(house.stop(), Some(0));
    house.start(&["--interval", "1s", "--stop-services"]);
    assert_eq!(house.stop(), Some(0), "{}", house.log());
    let left = holders(&marker);
    assert!(left.is_empty(), "left after {:?}: {left:?}\n{}", began.elapsed(), house.log());
    let exits = house.journal("SELECT count(*) || '' FROM entries WHERE kind = 'process_exited'");
    assert!(exits[0].parse::<u32>().expect("a number") >= trees, "{exits:?}");
}

#[test]
fn a_thousand_hostile_trees_leave_nothing_behind() {
    let trees = std::env::var("GRACE_TREES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let house = House::new("hostile", "");
    let marker = house.path().join("marker");
    house.put("rules/hostile.toml", &rules(&marker));
    so_many(trees, house);
}

#[test]
fn without_control_groups_nothing_is_left_either() {
    let mut probe = std::process::Command::new("unshare");
    probe
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/sys/fs/cgroup"])
        .stderr(std::process::Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return skip("control groups cannot be hidden here: that takes root and `unshare`");
    }
    let hide = "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"";
    let house = House::new("hostile", "").wrapped(&["unshare", "--mount", "sh", "-c", hide, "sh"]);
    let marker = house.path().join("marker");
    house.put("rules/hostile.toml", &rules(&marker));
    so_many(WORKERS * 2, house);
}

#[test]
fn a_keeper_that_is_killed_leaves_no_second_copy_and_no_orphans() {
    let house = House::new("hostile", "");
    let marker = house.path().join("marker");
    let text = rules(&marker)
        .replace("\"each\"", "\"escapes\"")
        .replace(&format!("workers = {WORKERS}"), "workers = 1");
    house.put("rules/hostile.toml", &text);
    let mut house = house;
    house.start(&["--interval", "300ms"]);
    assert!(house.grace(&["restart", "hostile", "--reason", "a test"]).out.contains("success"));
    let before = house.worker("hostile", 0).expect("it runs");
    house.until("the whole tree is there", |_| holders(&marker).len() == 4);
    before.keeper.signal(rustix::process::Signal::KILL).expect("killed");
    std::thread::sleep(Duration::from_millis(100));
    // It goes on, and starting it again starts nothing.
    let said = house.grace(&["status"]);
    assert!(said.out.contains("running=true"), "{}", said.out);
    assert!(
        house.grace(&["restart", "hostile", "--reason", "again"]).out.contains("success"),
        "{}",
        house.log()
    );
    assert!(!before.main.is_alive());
    house.until("the old tree is gone and the new one there", |_| holders(&marker).len() == 4);
    house.stop();
    house.start(&["--stop-services"]);
    house.stop();
    assert!(holders(&marker).is_empty(), "{:?}", holders(&marker));
}
