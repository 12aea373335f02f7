//! Odd programs, odd files and odd moments: a clear reason each time, and nothing that runs twice or is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::house::{House, skip};

const RESTART: &str = r#""restart""#;

/// A service of this program that is started once it does not run.
fn service(argv: &str, more: &str, act: &str) -> House {
    let rules = format!(
        r#"
[control]
kind = "process"
argv = {argv}
{more}
[probe.process]
kind = "process"
[status]
critical = '!process.running'
[rule.start]
when = 'critical'
do = [{act}]
verify = {{ delay = "100ms", within = "2s" }}
"#
    );
    House::new("odd", &rules)
}

fn details(house: &House) -> Vec<String> {
    house.journal(
        "SELECT coalesce(outcome, 'open') || ': ' || coalesce(detail, '') FROM healing_actions ORDER BY seq",
    )
}

#[test]
fn what_cannot_be_started_says_why() {
    let dir = tempfile::tempdir().expect("a folder");
    let plain = dir.path().join("plain");
    fs::write(&plain, "no program").expect("written");
    let plain = format!("[\"{}\"]", plain.display());
    // What a check before a restart says, and what the launch itself says where nothing was checked.
    for (argv, more, checked, launched) in [
        (
            r#"["/no/such/program"]"#,
            "",
            "there is no program /no/such/program",
            "cannot start /no/such/program: No such file",
        ),
        (
            r#"["no-such-program-in-path"]"#,
            "",
            "there is no program no-such-program-in-path",
            "cannot start no-such-program-in-path: No such file",
        ),
        (plain.as_str(), "", "cannot run", "Permission denied"),
        (r#"["/"]"#, "", "cannot run /", "Permission denied"),
        (
            r#"["/bin/sleep", "60"]"#,
            "user = \"nobody-of-this-name\"",
            "no user `nobody-of-this-name`",
            "no user `nobody-of-this-name`",
        ),
        (
            r#"["/bin/sleep", "60"]"#,
            "dir = \"/no/such/folder\"",
            "cannot work in /no/such/folder",
            "cannot work in /no/such/folder",
        ),
        (
            r#"["/bin/sleep", "60"]"#,
            "env = { A = { file = \"/no/such/file\" } }",
            "the environment's `A`: /no/such/file",
            "the environment's `A`: /no/such/file",
        ),
        (
            r#"["/bin/sleep", "60"]"#,
            "env = { A = { env = \"NOT_SET_ANYWHERE\" } }",
            "`NOT_SET_ANYWHERE` is not in",
            "`NOT_SET_ANYWHERE` is not in",
        ),
    ] {
        for (act, says) in [(RESTART, checked), ("{ scale = 1 }", launched)] {
            let mut house = service(argv, more, act);
            house.start(&["--interval", "500ms"]);
            house.until("a try has ended", |house| {
                details(house).iter().any(|detail| detail.starts_with("failed"))
            });
            let found = details(&house);
            assert!(found.iter().any(|detail| detail.contains(says)), "{argv} {more} {act}: {found:?}");
            house
                .until("nothing is written down of what never ran", |house| house.worker("odd", 0).is_none());
        }
    }
}

#[test]
fn what_ends_again_at_once_is_no_success_and_its_last_words_are_kept() {
    let mut house = service(
        r#"["/bin/sh", "-c", "echo trying; sleep 0.02; echo the licence has run out >&2; exit 9"]"#,
        "",
        RESTART,
    );
    house.start(&["--interval", "30m"]);
    house.until("a healing has failed", |house| {
        !house.journal("SELECT kind FROM entries WHERE kind = 'healing_ended'").is_empty()
    });
    assert!(details(&house).iter().all(|detail| detail.starts_with("no_effect")), "{:?}", details(&house));
    let ends = house.journal(
        "SELECT (body ->> '$.code') || (body ->> '$.output') FROM entries WHERE kind = 'process_exited'",
    );
    assert!(
        ends.len() >= 3 && ends.iter().all(|end| end == "9trying\nthe licence has run out\n"),
        "{ends:?}"
    );
    let events = house.grace(&["events", "--pattern", "health.process_exited"]);
    assert!(
        events.out.contains("ended with 9") && events.out.contains("the licence has run out"),
        "{}",
        events.out
    );
}

#[test]
fn what_dies_a_second_after_it_was_verified_is_a_relapse() {
    let mut house = service(r#"["/bin/sh", "-c", "sleep 1; exit 9"]"#, "", RESTART);
    house.start(&["--interval", "30m"]);
    house.until("it has relapsed", |house| {
        details(house).iter().any(|detail| detail.starts_with("relapsed")) && details(house).len() > 1
    });
}

#[test]
fn a_crash_loop_follows_the_backoff_is_loud_and_ends_with_its_cause() {
    let dir = tempfile::tempdir().expect("a folder");
    let cause = dir.path().join("bad-configuration");
    fs::write(&cause, "").expect("written");
    let argv = format!(r#"["/bin/sh", "-c", "test -e {} && exit 1; exec sleep 600"]"#, cause.display());
    let mut house = service(&argv, "", RESTART);
    house.put(
        "policies/budgets.toml",
        "component = { budget = [{ max = 1000, within = \"10m\" }], slow_try = \"4s\" }\n\
         backoff = { base = \"1s\", cap = \"8s\", jitter = 0.0 }\n",
    );
    house.start(&["--interval", "30m"]);
    house.until("three tries have failed and a slow one as well", |house| details(house).len() > 4);
    let begun: Vec<i64> = house
        .journal("SELECT (SELECT body ->> '$.now' FROM entries t WHERE t.kind = 'tick' AND t.tick = i.tick) || '' FROM entries i WHERE kind = 'intent' ORDER BY seq")
        .iter()
        .map(|now| now.parse().expect("a time"))
        .collect();
    let waits: Vec<i64> = begun.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Each try is verified for two seconds; then 1 s, 2 s, and once the healing has failed 4 s between slow tries.
    for (wait, least) in waits.iter().zip([3_000, 4_000, 6_000, 6_000]) {
        assert!((least..least + 2_500).contains(wait), "{waits:?}");
    }
    let loud =
        house.journal("SELECT event FROM entries WHERE kind IN ('healing_ended', 'exhausted') ORDER BY seq");
    assert_eq!(loud[..2], ["health.healing_ended", "health.healing_exhausted"]);
    fs::remove_file(&cause).expect("mended");
    let mended = Instant::now();
    house.until("it runs", |house| house.is("odd", "ok"));
    assert!(mended.elapsed() < Duration::from_secs(4 + 2 + 6), "{:?}", mended.elapsed());
}

#[test]
fn hundreds_of_exits_in_one_second_are_one_healing() {
    const WORKERS: u32 = 200;
    let mut house = service(r#"["/bin/sleep", "600"]"#, "[component]\nworkers = 200\n", RESTART);
    let rules = fs::read_to_string(house.config().join("rules/odd.toml")).expect("read");
    house.put(
        "rules/odd.toml",
        &rules
            .replace("'!process.running'", "'process.workers < process.wanted'")
            .replace("\"2s\"", "\"20s\""),
    );
    house.start(&["--interval", "30m"]);
    let well = |house: &House| {
        house.fact("odd", "process.workers") == WORKERS
            && house.is("odd", "ok")
            && details(house).iter().all(|detail| !detail.starts_with("open"))
    };
    house.until("all run", well);
    std::thread::sleep(Duration::from_millis(1100));
    for number in 0..WORKERS {
        house.worker("odd", number).expect("it runs").main.signal(Signal::KILL).expect("killed");
    }
    house.until("all ends are told", |house| {
        house.journal("SELECT count(*) || '' FROM entries WHERE kind = 'process_exited'")[0]
            .parse::<u32>()
            .expect("a number")
            >= WORKERS
    });
    house.until("all run again", well);
    let told = house.journal("SELECT count(DISTINCT body ->> '$.worker') || ' ' || min(body ->> '$.code') FROM entries WHERE kind = 'process_exited'");
    assert_eq!(told, [format!("{WORKERS} 137")]);
    assert!(details(&house).len() <= 3, "no storm: {:?}", details(&house));
}

#[test]
fn a_planted_secret_is_found_nowhere() {
    const SECRET: &str = "hunter2-is-not-a-good-password";
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("written");
    // It says its secret aloud, and so does a command that fails; a server is told it and hangs up.
    let more = format!(
        "env = {{ TOKEN = {{ file = \"{0}\" }} }}\n\
         [probe.said]\nkind = \"command\"\nargv = [\"/bin/sh\", \"-c\", \"echo state=$TOKEN; echo $TOKEN >&2; exit 3\"]\n\
         env = {{ TOKEN = {{ file = \"{0}\" }} }}\nformat = \"pairs\"\nfacts = {{ state = \"text\" }}\n\
         [probe.page]\nkind = \"http\"\nurl = \"http://127.0.0.1:9/\"\nheaders = {{ authorization = {{ file = \"{0}\" }} }}\n\
         [probe.port]\nkind = \"tcp\"\naddress = \"127.0.0.1:9\"\nsend = {{ file = \"{0}\" }}\n",
        file.display()
    );
    let mut house = service(r#"["/bin/sh", "-c", "env; echo $TOKEN >&2; sleep 1; exit 1"]"#, &more, RESTART);
    house.start(&["--interval", "500ms"]);
    house.until("it has ended twice", |house| {
        house.journal("SELECT kind FROM entries WHERE kind = 'process_exited'").len() > 1
    });
    let ps = Command::new("ps").args(["axww", "-o", "args"]).output().expect("ps is there");
    let status = house.grace(&["status"]);
    let events = house.grace(&["events"]);
    let whole = house.grace(&["status", "--output", "json"]);
    assert!(whole.out.contains("[hidden]"), "the place where it stood: {}", whole.out);
    house.kill();
    let mut searched =
        vec![ps.stdout, status.out.into(), whole.out.into(), events.out.into(), house.log().into()];
    let mut folders = vec![house.data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").path()) {
            match fs::metadata(&entry) {
                Ok(found) if found.is_dir() => folders.push(entry),
                Ok(found) if found.is_file() => searched.push(fs::read(entry).expect("read")),
                _ => {}
            }
        }
    }
    assert!(searched.len() > 8);
    for text in searched {
        let found = text.windows(SECRET.len()).position(|part| part == SECRET.as_bytes());
        assert_eq!(
            found,
            None,
            "{}",
            String::from_utf8_lossy(&text[found.unwrap_or(0).saturating_sub(200)..])
        );
    }
}

#[test]
fn a_service_runs_as_whom_and_within_what_its_file_says() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can start a process as somebody else");
    }
    let more =
        "user = \"nobody\"\nlimits = { open_files = 123, core_bytes = 0 }\nenv = { COLOUR = \"blue\" }\n";
    let show =
        r#"["/bin/sh", "-c", "id -un; pwd; ulimit -n; echo $COLOUR $HOME $GRACE_COMPONENT; exec sleep 600"]"#;
    let mut house = service(show, more, RESTART);
    fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    house.start(&["--interval", "500ms"]);
    house.until("it runs", |house| house.is("odd", "ok"));
    // It runs before it has said all, and what it says is written down a moment later.
    let said =
        |house: &House| fs::read_to_string(house.data().join("services/odd/0.out")).unwrap_or_default();
    house.until("it said all", |house| said(house).lines().count() == 4);
    let out = said(&house);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "nobody");
    assert!(lines[1].ends_with("services/odd/work"), "{out}");
    assert_eq!(lines[2..], ["123", "blue /nonexistent odd"]);
    let main = house.worker("odd", 0).expect("it runs").main;
    let environment = fs::read_to_string(format!("/proc/{}/environ", main.pid)).expect("read");
    assert!(
        !environment.contains("GRACE_LOG"),
        "nothing of Grace's own environment is passed on: {environment}"
    );
}

#[test]
fn somebody_elses_process_is_watched_by_its_pid_file_and_its_end_is_seen_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, touched) = (dir.path().join("a.pid"), dir.path().join("restarted"));
    let mut child = Command::new("sleep").arg("600").spawn().expect("starts");
    fs::write(&file, child.id().to_string()).expect("written");
    let rules = format!(
        r#"
[control]
kind = "command"
start = ["/bin/false"]
stop = ["/bin/false"]
restart = ["/usr/bin/touch", "{}"]
[probe.process]
kind = "process"
pid_file = "{}"
name = "sleep"
[status]
critical = '!process.running'
[rule.restart]
when = 'critical'
do = ["restart"]
"#,
        touched.display(),
        file.display()
    );
    let mut house = House::new("theirs", &rules);
    house.start(&["--interval", "30m"]);
    house.until("it is well", |house| house.is("theirs", "ok"));
    assert_eq!(house.fact("theirs", "process.pid"), child.id());
    std::thread::sleep(Duration::from_millis(1100));
    child.kill().expect("killed");
    child.wait().expect("collected");
    house.until("its own restart was called", |_| touched.exists());
    let steps = house.journal("SELECT (steps ->> '$[0].step') || (steps ->> '$[0].ok') FROM healing_actions WHERE steps IS NOT NULL");
    assert!(steps.iter().all(|step| step == "restart1"), "one step, not a stop and a start: {steps:?}");
    // A file that others can write is no word of the service's.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("opened");
    house.kill();
    house.start(&["--interval", "500ms"]);
    house.until("nobody can tell", |house| house.is("theirs", "unknown"));
    assert!(Path::new(&house.data()).exists());
}

#[test]
fn validate_live_says_what_files_cannot_show_and_acts_on_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let touched = dir.path().join("touched");
    let rules = format!(
        r#"
[control]
kind = "process"
argv = ["/usr/bin/no-such-server"]
user = "nobody-of-this-name"
[probe.process]
kind = "process"
[probe.run]
kind = "command"
argv = ["/usr/bin/touch", "{}"]
[probe.missing]
kind = "command"
argv = ["no-such-plugin"]
dir = "/no/such/folder"
env = {{ TOKEN = {{ file = "/no/such/secret" }} }}
[probe.port]
kind = "tcp"
address = "127.0.0.1:9"
[probe.page]
kind = "http"
url = "http://127.0.0.1:9/health"
[status]
critical = '!process.running || !port.answered || !page.answered || run.exit_code != 0 || missing.exit_code != 0'
"#,
        touched.display()
    );
    let house = House::new("live", &rules);
    assert_eq!(house.grace(&["validate"]).code, Some(0), "the files themselves are right");
    let said = house.grace(&["validate", "--live", "--output", "short"]);
    assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
    for line in [
        "rules/live.toml:5:9: error[GR6002]: there is no user `nobody-of-this-name` on this machine",
        "error[GR6001]: there is no program no-such-plugin",
        "error[GR6003]: Grace's user cannot work in /no/such/folder",
        "error[GR6005]: /no/such/secret: No such file",
        "rules/live.toml:18:12: warning[GR6004]: 127.0.0.1:9 does not accept",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert!(!touched.exists() && !house.data().exists(), "nothing was run or made");
    let well = house.config().join("rules/live.toml");
    fs::write(&well, "[control]\nkind = \"process\"\nargv = [\"sleep\", \"60\"]\n[probe.p]\nkind = \"process\"\n[status]\ncritical = '!p.running'\n").expect("written");
    let said = house.grace(&["validate", "--live"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
}

/// Each of these makes a probe that never tells what it is there for.
#[test]
fn a_file_that_a_probe_cannot_look_at_is_told_beforehand() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name).display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    let large = fs::File::create(at("large")).expect("made");
    large.set_len(70 * 1024 * 1024).expect("a hole takes no room");
    fs::write(at("well"), "x").expect("written");
    let probe = |name: &str, path: &str| format!("[probe.{name}]\nkind = \"file\"\npath = \"{path}\"\n");
    let folder = dir.path().display().to_string();
    let rules =
        [("well", at("well")), ("folder", folder.clone()), ("pipe", at("pipe")), ("large", at("large"))]
            .map(|(name, path)| probe(name, &path))
            .concat();
    let house = House::new(
        "live",
        &format!(
            "{rules}[status]\ncritical = '!well.exists || !folder.exists || !pipe.exists || large.file_changed'\n"
        ),
    );
    let said = house.grace(&["validate", "--live", "--output", "short"]);
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    for (line, what) in [
        (6, format!("{folder} is a directory, and a `file` probe looks at a regular file")),
        (9, format!("{} is a pipe, and a `file` probe looks at a regular file", at("pipe"))),
        (12, format!("{} is larger than 64 MiB, and its content is not compared", at("large"))),
    ] {
        let wanted = format!("rules/live.toml:{line}:9: warning[GR6004]: {what}");
        assert!(said.out.contains(&wanted), "{wanted}\n{}", said.out);
    }
    assert_eq!(said.out.lines().filter(|line| line.contains("GR6004")).count(), 3, "{}", said.out);
}

/// Else it falls silent at the first beat, and whoever waits for it raises an alarm.
#[test]
fn a_heartbeat_whose_url_cannot_be_read_is_told_beforehand() {
    let house = House::new(
        "live",
        "[probe.well]\nkind = \"file\"\npath = \"/etc/passwd\"\n[status]\ncritical = '!well.exists'\n",
    );
    let notify = house.config().join("policies/notify.toml");
    let text = fs::read_to_string(&notify).expect("there");
    let beats = |file: &str| {
        fs::write(&notify, format!("heartbeat = {{ url_file = \"{file}\", every = \"1m\" }}\n{text}"))
            .expect("written");
        house.grace(&["validate", "--live", "--output", "short"])
    };
    let said = beats("/no/such/url");
    assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
    assert!(
        said.out.contains("policies/notify.toml:1:27: error[GR6005]: /no/such/url: No such file"),
        "{}",
        said.out
    );
    let url = house.config().join("url");
    fs::write(&url, "http://127.0.0.1:9/beat").expect("written");
    let said = beats(url.to_str().expect("a path"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
}
