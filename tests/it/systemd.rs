//! A real systemd runs the unit that `grace unit` prints: ready, status, reload, killed, hung, refused, stopped.

mod room;

use std::fs;
use std::io::Write;
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
    install(&room, "grace", &["--config", "/etc/grace", "--data", "/var/lib/grace"]);
    Some(room)
}

/// Copies the rules to their place, and installs the unit that Grace prints there.
fn install(room: &Room, name: &str, args: &[&str]) {
    room.ok(&["mkdir", "-p", args[1]]);
    room.ok(&["cp", "-r", "/run/box/rules", "/run/box/policies", args[1]]);
    let unit = room.ok(&[&["/usr/local/bin/grace", "unit"], args].concat());
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

/// A process in Grace's cgroup, as her services are; `redis_outlives_grace` shows the same with one that she started.
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
    other_units_start(&room);
    if has_services(&room) {
        services_work_in_the_sandbox(&room);
        redis_outlives_grace(&room);
    }
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
        room.property("grace", "StatusText") == "mode normal; 5 components ok"
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
    room.until("it is mended", |room| room.property("grace", "StatusText") == "mode normal; 5 components ok");
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

/// Are the programs there that the services here are made of? On the build machine they are.
fn has_services(room: &Room) -> bool {
    let missing = |program: &&str| room.run(&["which", program]).code != Some(0);
    let missing: Vec<_> =
        ["redis-server", "redis-cli", "nginx", "curl", "ip"].into_iter().filter(missing).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "{missing:?} are missing, and CI installs them");
        writeln!(std::io::stderr(), "skipped: no services in the sandbox, {missing:?} are missing")
            .expect("says so");
        return false;
    }
    room.ok(&["ip", "link", "set", "lo", "up"]);
    true
}

/// A component of kind `process` in the sandbox: it lives through Grace's death and stop, and she finds it again.
fn redis_outlives_grace(room: &Room) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/redis/rules/redis.toml");
    let rules = fs::read(example).expect("the example is there");
    fs::write(room.file("redis.toml"), rules).expect("written");
    room.ok(&["cp", "/run/box/redis.toml", "/etc/grace/rules/"]);
    let well = |room: &Room| {
        room.until("all is well", |room| room.property("grace", "StatusText").ends_with("; 6 components ok"));
        room.sh("redis-cli info server | grep process_id")
    };
    room.ok(&["systemctl", "start", "grace"]);
    let first = well(room);
    room.ok(&["systemctl", "kill", "--signal", "KILL", "--kill-whom", "main", "grace"]);
    room.until("she is back", |room| {
        room.property("grace", "NRestarts") == "1" && room.property("grace", "ActiveState") == "active"
    });
    assert_eq!(well(room), first, "no second one, and not another");
    room.ok(&["systemctl", "stop", "grace"]);
    assert_eq!(room.ok(&["redis-cli", "ping"]), "PONG");
    room.ok(&["systemctl", "start", "grace"]);
    assert_eq!(well(room), first, "she found it again");
    room.ok(&["systemctl", "stop", "grace"]);
    room.ok(&["redis-cli", "shutdown", "nosave"]);
    room.ok(&["rm", "/etc/grace/rules/redis.toml"]);
}

fn other_units_start(room: &Room) {
    let odd = ["--config", "/etc/my $rules 100%", "--data", "/var/lib/my $data 'n' 50%"];
    let as_root = ["--config", "/etc/root", "--data", "/var/lib/root", "--user", "root"];
    for (name, args) in [("odd", &odd[..]), ("root", &as_root)] {
        install(room, name, args);
        room.ok(&["systemctl", "start", name]);
        room.ok(&["test", "-f", &format!("{}/journal.db", args[3])]);
        room.ok(&["systemctl", "stop", name]);
        assert_eq!(room.property(name, "Result"), "success");
    }
}

/// Real services in the place of Grace: what she starts inherits exactly this.
const SERVICES: &str = r#"
cd /var/lib/grace
redis-server --port 0 --unixsocket /run/grace/redis.sock --save "" --appendonly yes &
until redis-cli -s /run/grace/redis.sock set a b; do sleep 0.1; done
redis-cli -s /run/grace/redis.sock bgrewriteaof
kill $!
wait $! && echo redis works
echo 'error_log stderr; pid /run/grace/nginx.pid; daemon off; events {}
http { access_log off; client_body_temp_path /tmp/n1; proxy_temp_path /tmp/n2; fastcgi_temp_path /tmp/n3;
uwsgi_temp_path /tmp/n4; scgi_temp_path /tmp/n5; server { listen 127.0.0.1:8080; return 200 "nginx works\n"; } }' > nginx.conf
nginx -c /var/lib/grace/nginx.conf &
until curl -s http://127.0.0.1:8080/; do sleep 0.1; done
kill $!
wait $! && echo nginx ends
"#;

fn services_work_in_the_sandbox(room: &Room) {
    let unit = fs::read_to_string(room.file("units/grace.service")).expect("read");
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).expect("a command");
    let unit = unit.replace(line, "ExecStart=/bin/sh /run/box/services.sh");
    let unit = unit.replace("Type=notify\n", "Type=oneshot\n").replace("Restart=always\n", "");
    fs::write(room.file("units/sandbox.service"), unit).expect("written");
    fs::create_dir(room.file("units/sandbox.service.d")).expect("made");
    fs::write(room.file("units/sandbox.service.d/test.conf"), DROP_IN.replace("WatchdogSec=5s\n", ""))
        .expect("written");
    fs::write(room.file("services.sh"), SERVICES).expect("written");
    room.ok(&["systemctl", "daemon-reload"]);
    let ran = room.run(&["timeout", "30", "systemctl", "start", "sandbox"]);
    let log = room.log();
    assert_eq!(ran.code, Some(0), "{ran:?}\n{log}");
    for word in ["redis works", "nginx works", "nginx ends"] {
        assert!(log.contains(word), "{word}:\n{log}");
    }
}
