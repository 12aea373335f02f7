//! Verbs that only look at what was: they open nothing for writing, connect nowhere and signal nobody.

use std::process::Command;

use crate::daemon::Daemon;
use crate::services::house::skip;

/// What would change the world: everything that opens for writing, and everything else of these names.
const CALLS: &str = "openat,open,creat,connect,bind,kill,tkill,tgkill,pidfd_send_signal,rename,renameat,renameat2,unlink,\
                     unlinkat,mkdir,mkdirat,ftruncate,truncate,pwrite64,chmod,fchmod,fchmodat";

/// Does this line of a trace tell of a call that succeeded and could change anything?
fn changes(line: &str) -> bool {
    let done = !line.contains(" = -1 ") && line.contains(" = ");
    let opens = ["openat(", "open("].iter().any(|name| line.contains(name));
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| line.contains(flag));
    let named = CALLS.split(',').any(|name| line.contains(&format!("{name}(")));
    done && named && (!opens || writes)
}

#[test]
fn rehearsing_beside_a_running_grace_changes_nothing() {
    if let Err(why) = Command::new("strace").arg("-V").output() {
        return skip(&format!("no strace, which is in Debian's package of that name: {why}"));
    }
    let grace = Daemon::start();
    let said = grace.grace(&["fault", "inject", "reflection_service", "hang", "--age", "3m"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let acted = || grace.get("/api/health/status")["healing_actions"].as_array().map_or(0, Vec::len);
    crate::daemon::until("it was healed", || acted() > 0);
    let trace = grace.data().join("trace");
    for verb in [&["simulate"][..], &["prove"], &["explain", "restart/reflection_service"]] {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", &format!("trace={CALLS}"), "-o"]).arg(&trace);
        command
            .arg(env!("CARGO_BIN_EXE_grace"))
            .args(verb)
            .args(["--output", "json", "--data"])
            .arg(grace.data());
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&ended.stderr));
        let told = std::fs::read_to_string(&trace).unwrap();
        assert!(told.contains("journal.db"), "the journal was read: {told}");
        let found: Vec<&str> = told.lines().filter(|line| changes(line)).collect();
        assert!(found.is_empty(), "{verb:?}: {found:#?}");
    }
}

#[test]
fn a_trace_that_tells_of_a_change_is_found() {
    for (line, found) in [
        ("7 openat(AT_FDCWD, \"/a/journal.db\", O_RDONLY|O_CLOEXEC) = 3", false),
        (
            "7 openat(AT_FDCWD, \"/a/journal.db-wal\", O_RDWR|O_CREAT, 0600) = -1 EACCES (Permission denied)",
            false,
        ),
        ("7 openat(AT_FDCWD, \"/a/journal.db-wal\", O_RDWR|O_CREAT, 0600) = 4", true),
        ("7 connect(5, {sa_family=AF_UNIX, sun_path=\"/a\"}, 110) = 0", true),
        ("7 kill(12, SIGTERM) = 0", true),
        ("7 unlink(\"/a\") = 0", true),
    ] {
        assert_eq!(changes(line), found, "{line}");
    }
}

#[test]
fn a_copy_with_its_log_and_without_the_logs_index_is_proved_and_nothing_is_made_beside_it() {
    let grace = Daemon::start();
    crate::daemon::until("there are entries", || grace.data().join("journal.db-wal").is_file());
    let copy = tempfile::tempdir().unwrap();
    // A kill leaves the newest entries in the log alone.
    grace.signal("-KILL");
    let names = ["journal.db", "journal.db-wal"];
    let data = grace.data();
    for name in names {
        std::fs::copy(data.join(name), copy.path().join(name)).unwrap();
    }
    let log = std::fs::metadata(copy.path().join("journal.db-wal")).unwrap().len();
    assert!(log > 0, "the log holds something");
    let proved = crate::daemon::said(&crate::daemon::command(copy.path()).arg("prove").output().unwrap());
    assert!(proved.code == Some(0) && proved.out.contains("proved"), "{proved:?}");
    let there = crate::daemon::said(&crate::daemon::command(&data).arg("prove").output().unwrap());
    assert_eq!(proved.out, there.out, "all of the log was read");
    let mut left: Vec<_> =
        std::fs::read_dir(copy.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, names);
    assert_eq!(std::fs::metadata(copy.path().join("journal.db-wal")).unwrap().len(), log);
}
