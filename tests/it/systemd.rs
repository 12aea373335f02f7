//! A real systemd runs the unit that `grace unit` prints: ready, status, reload, killed, hung, refused, stopped.

mod room;

use std::fs;
use std::process::Child;

use serde_json::Value;

use crate::scenarios::laid_over;
use room::Room;

/// What the test adds to the printed unit: a log that it can read, a shorter patience, and the reason of each end.
const DROP_IN: &str = "[Service]\nWatchdogSec=5s\nStandardOutput=append:/run/box/log\n\
                       StandardError=append:/run/box/log\nExecStopPost=/bin/echo ended: ${SERVICE_RESULT}\n";

const CGROUP: &str = "/sys/fs/cgroup/system.slice/grace.service/child";

/// A booted room in which Grace is installed and not started.
fn installed() -> Option<Room> {
    let room = Room::boot()?;
    let config = laid_over(std::path::Path::new("/nowhere"));
    fs::write(config.path().join("policies/system.toml"), "interval = \"1s\"\n").expect("written");
    room.ok(&["mkdir", "/run/config"]);
    for part in ["rules", "policies"] {
        fs::create_dir(room.file(part)).expect("made");
        for entry in fs::read_dir(config.path().join(part)).expect("a folder").flatten() {
            fs::copy(entry.path(), room.file(part).join(entry.file_name())).expect("copied");
        }
    }
    install(&room, "grace", &["/etc/grace", "/var/lib/grace"]);
    Some(room)
}

/// Copies the rules to their place, and installs the unit that Grace prints there.
fn install(room: &Room, name: &str, [config, data]: &[&str; 2]) {
    room.ok(&["mkdir", config]);
    room.ok(&["cp", "-r", "/run/box/rules", "/run/box/policies", config]);
    let unit = room.ok(&["/usr/local/bin/grace", "unit", "--config", config, "--data", data]);
    assert!(unit.contains("ExecStart=/usr/local/bin/grace run "), "{unit}");
    fs::write(room.file(&format!("units/{name}.service")), unit + "\n").expect("written");
    let drop_ins = room.file(&format!("units/{name}.service.d"));
    fs::create_dir(&drop_ins).expect("made");
    fs::write(drop_ins.join("test.conf"), DROP_IN).expect("written");
    room.ok(&["systemctl", "daemon-reload"]);
}

fn status(room: &Room) -> Value {
    let said = room.run(&["/usr/local/bin/grace", "--data", "/var/lib/grace", "status", "--output", "json"]);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}\n{}", room.log()))
}

/// A process in Grace's cgroup, as her services are. A component of kind `process` shows the same from the inside.
fn child(room: &Room) -> Child {
    room.ok(&["mkdir", CGROUP]);
    let child = room.leave_running(&format!("echo $$ > {CGROUP}/cgroup.procs; exec sleep 600"));
    room.until("the child is there", child_lives);
    child
}

fn child_lives(room: &Room) -> bool {
    room.run(&[
        "sh",
        "-c",
        &format!("pid=$(cat {CGROUP}/cgroup.procs) && [ \"$(cat /proc/$pid/comm)\" = sleep ]"),
    ])
    .code
        == Some(0)
}

#[test]
fn systemd_starts_watches_reloads_and_stops_grace_and_her_child_lives() {
    let before = outside();
    let Some(room) = installed() else { return };
    is_ready_when_started(&room);
    let mut child = child(&room);
    a_reload_activates_the_files(&room);
    a_refused_file_keeps_her_running(&room);
    killed_she_comes_back(&room);
    hung_she_is_killed_and_comes_back(&room);
    stops_and_leaves_the_child(&room);
    paths_with_odd_signs_work(&room);
    assert_ne!(
        room.run(&["touch", "/usr/share/there"]).code,
        Some(0),
        "the root file system cannot be written"
    );
    drop(room);
    child.wait().expect("ended with the room");
    assert_eq!(outside(), before, "nothing outside of the room is another");
}

/// What the room must not touch.
fn outside() -> Vec<Option<Vec<u8>>> {
    let there = |path: &str| std::path::Path::new(path).exists().then(Vec::new);
    let mut found: Vec<_> =
        ["/etc/passwd", "/etc/group", "/etc/hostname"].map(|file| fs::read(file).ok()).into();
    found.extend(["/etc/grace", "/var/lib/grace", "/usr/local/bin/grace", "/run/grace"].map(there));
    found
}

fn is_ready_when_started(room: &Room) {
    room.ok(&["systemctl", "start", "grace"]);
    let status = status(room);
    assert!(status["tick"].as_u64().is_some_and(|tick| tick >= 1), "the first tick is done: {status}");
    assert_eq!(room.property("grace", "ActiveState"), "active");
    room.until("the line of status", |room| {
        room.property("grace", "StatusText") == "mode normal; 4 components ok"
    });
    let pid = room.property("grace", "MainPID");
    let proc = room.sh(&format!("cat /proc/{pid}/status; ls -ld /var/lib/grace"));
    for part in [
        "Uid:\t990\t990",
        "NoNewPrivs:\t1",
        "CapBnd:\t0000000000000000",
        "Seccomp:\t2",
        "drwx------ 2 grace grace",
    ] {
        assert!(proc.contains(part), "{part}: {proc}");
    }
}

/// The command is done when SIGHUP is sent (`ExecReload=`); the unit says `reloading` until Grace is.
fn a_reload_activates_the_files(room: &Room) {
    let before = status(room)["generation"].clone();
    room.ok(&["sed", "-i", "s/250ms/300ms/", "/etc/grace/rules/database.toml"]);
    room.ok(&["systemctl", "reload", "grace"]);
    room.until("SIGHUP is dealt with", |room| room.log().contains("SIGHUP: what the files say is active"));
    room.until("the reload is over", |room| room.property("grace", "ActiveState") == "active");
    assert_ne!(status(room)["generation"], before);
    assert_eq!(room.property("grace", "NRestarts"), "0");
}

fn a_refused_file_keeps_her_running(room: &Room) {
    let pid = room.property("grace", "MainPID");
    room.ok(&["sed", "-i", "s/ping.connected/ping.conected/", "/etc/grace/rules/database.toml"]);
    room.ok(&["systemctl", "reload", "grace"]);
    room.until("systemd shows it", |room| {
        room.property("grace", "StatusText").contains("the files were refused")
    });
    room.until("the reload is over", |room| room.property("grace", "ActiveState") == "active");
    assert_eq!(room.property("grace", "MainPID"), pid);
    assert!(status(room)["rejected"].is_object());
    room.ok(&["sed", "-i", "s/ping.conected/ping.connected/", "/etc/grace/rules/database.toml"]);
    room.ok(&["systemctl", "reload", "grace"]);
    room.until("it is mended", |room| room.property("grace", "StatusText") == "mode normal; 4 components ok");
}

#[track_caller]
fn comes_back(room: &Room, restarts: &str, reason: &str) {
    room.until("she is back", |room| {
        room.property("grace", "NRestarts") == restarts && room.property("grace", "ActiveState") == "active"
    });
    assert!(room.log().contains(&format!("ended: {reason}\n")), "{}", room.log());
    assert!(status(room)["tick"].as_u64().is_some_and(|tick| tick >= 1));
    assert!(child_lives(room), "and the child never went");
}

fn killed_she_comes_back(room: &Room) {
    room.ok(&["systemctl", "kill", "--signal", "KILL", "--kill-whom", "main", "grace"]);
    comes_back(room, "1", "signal");
}

fn hung_she_is_killed_and_comes_back(room: &Room) {
    let pid = room.property("grace", "MainPID");
    room.ok(&["kill", "-STOP", &pid]);
    comes_back(room, "2", "watchdog");
}

fn stops_and_leaves_the_child(room: &Room) {
    room.ok(&["systemctl", "stop", "grace"]);
    assert_eq!(room.property("grace", "ActiveState"), "inactive");
    assert_eq!(room.property("grace", "Result"), "success");
    assert!(room.log().ends_with("ended: success\n"), "{}", room.log());
    assert!(child_lives(room));
    let verified = room.ok(&["/usr/local/bin/grace", "--data", "/var/lib/grace", "audit", "verify"]);
    assert!(verified.contains("entries hold"), "{verified}");
}

fn paths_with_odd_signs_work(room: &Room) {
    install(room, "odd", &["/etc/my $rules 100%", "/var/lib/my $data 'n' 50%"]);
    room.ok(&["systemctl", "start", "odd"]);
    room.ok(&["test", "-f", "/var/lib/my $data 'n' 50%/journal.db"]);
    room.ok(&["systemctl", "stop", "odd"]);
}
