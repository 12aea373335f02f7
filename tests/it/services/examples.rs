//! The examples of `tests/examples`, as they are but for ports and folders, with the real programs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use grace::services::{Identity, Table};
use rustix::process::Signal;

use super::house::{House, port, skip};

/// An example with these texts replaced; nothing where its program is not on this machine.
fn example(name: &str, program: &str, replaced: &[(&str, &str)]) -> Option<House> {
    if !Path::new(program).exists() {
        skip(&format!("{program} is missing"));
        return None;
    }
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/examples/{name}"));
    let mut rules = fs::read_to_string(from.join(format!("rules/{name}.toml"))).expect("read");
    for (text, by) in replaced {
        assert!(rules.contains(text), "the example says `{text}`");
        rules = rules.replace(text, by);
    }
    let house = House::new(name, &rules);
    fs::copy(from.join("policies/budgets.toml"), house.config().join("policies/budgets.toml"))
        .expect("copied");
    Some(house)
}

/// The process of the only worker, when it is another than this one and alive.
fn another(house: &House, name: &str, before: Identity) -> Option<Identity> {
    house.worker(name, 0).map(|slot| slot.main).filter(|main| *main != before && main.is_alive())
}

fn main_of(house: &House, name: &str) -> Identity {
    house.worker(name, 0).expect("it runs").main
}

/// Healed, verified, and away from the second after the last tick.
fn settled(house: &House, name: &str) {
    house.until("it is well", |house| {
        house.is(name, "ok")
            && house
                .journal("SELECT coalesce(result, 'open') FROM healing_actions")
                .iter()
                .all(|result| result != "open")
    });
    std::thread::sleep(Duration::from_millis(1100));
}

fn says(port: u16, word: &str, answer: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
    let mut heard = [0; 64];
    stream.write_all(word.as_bytes()).is_ok()
        && stream
            .read(&mut heard)
            .is_ok_and(|length| String::from_utf8_lossy(&heard[..length]).contains(answer))
}

#[test]
fn a_real_redis_is_kept_alive_and_outlives_grace() {
    let port = port();
    let replaced = [("6379", port.to_string())];
    let replaced: Vec<(&str, &str)> = replaced.iter().map(|(text, by)| (*text, by.as_str())).collect();
    let Some(mut house) = example("redis", "/usr/bin/redis-server", &replaced) else { return };
    house.start(&["--interval", "2s"]);
    settled(&house, "redis");
    // Grace is killed over a Redis with a client: the same Redis, and the connection lives.
    let before = main_of(&house, "redis");
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    house.kill();
    house.start(&["--interval", "2s"]);
    house.until("she has looked", |house| house.is("redis", "ok"));
    client.write_all(b"PING\r\n").expect("the connection lives");
    let mut heard = [0; 5];
    client.read_exact(&mut heard).expect("it answers");
    assert_eq!((&heard, main_of(&house, "redis")), (b"+PONG", before));
    // Then Redis is killed: healed at once.
    settled(&house, "redis");
    let killed = Instant::now();
    before.signal(Signal::KILL).expect("killed");
    house.until("another answers", |house| {
        another(house, "redis", before).is_some() && says(port, "PING\r\n", "+PONG")
    });
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    // And stopped: it still accepts, and never answers.
    settled(&house, "redis");
    let before = main_of(&house, "redis");
    before.signal(Signal::STOP).expect("stopped");
    house.until("its silence is seen", |house| house.is("redis", "critical"));
    house.until("another answers", |house| {
        another(house, "redis", before).is_some() && says(port, "PING\r\n", "+PONG")
    });
    assert!(!before.is_alive());
}

#[test]
fn a_real_nginx_is_healed_of_its_orphans() {
    let (port, dir) = (port(), tempfile::tempdir().expect("a folder"));
    let conf = dir.path().join("nginx.conf");
    let (path, log) = (dir.path().display(), dir.path().join("error.log"));
    fs::write(
        &conf,
        format!(
            "worker_processes 2;\npid {path}/nginx.pid;\nerror_log {};\nevents {{}}\nhttp {{ access_log off;\n\
             client_body_temp_path {path}/a; proxy_temp_path {path}/b; fastcgi_temp_path {path}/c;\n\
             uwsgi_temp_path {path}/d; scgi_temp_path {path}/e;\n\
             server {{ listen 127.0.0.1:{port}; return 200 well; }} }}\n",
            log.display()
        ),
    )
    .expect("written");
    let (conf, port_text) = (conf.display().to_string(), format!(":{port}/"));
    let replaced = [("/etc/nginx/nginx.conf", conf.as_str()), (":80/", port_text.as_str())];
    let Some(mut house) = example("nginx", "/usr/sbin/nginx", &replaced) else { return };
    house.start(&["--interval", "1s"]);
    settled(&house, "nginx");
    let slot = house.worker("nginx", 0).expect("it runs");
    let workers = Table::read().descendants(&[slot.main]);
    assert_eq!(workers.len(), 2, "{workers:?}");
    // A killed master leaves workers that hold the port: another could not start.
    slot.main.signal(Signal::KILL).expect("killed");
    house.until("another master answers", |house| {
        another(house, "nginx", slot.main).is_some() && says(port, "GET / HTTP/1.0\r\n\r\n", "200")
    });
    house.until("no orphan is left", |_| workers.iter().all(|worker| !worker.is_alive()));
    settled(&house, "nginx");
}

#[test]
fn a_real_postgresql_whose_whole_tree_was_stopped_is_healed() {
    let bin = "/usr/lib/postgresql/15/bin";
    let (port, dir) = (port(), tempfile::tempdir().expect("a folder"));
    let main = dir.path().join("main");
    let (data, port_text) = (main.display().to_string(), format!("\"-p\", \"{port}\""));
    let argv = format!("\"-D\", \"{data}\", \"-p\", \"{port}\", \"-c\", \"unix_socket_directories=\"");
    let replaced = [
        (
            "\"-D\", \"/var/lib/postgresql/15/main\", \"-c\", \"config_file=/etc/postgresql/15/main/postgresql.conf\"",
            argv.as_str(),
        ),
        ("\"-p\", \"5432\"", port_text.as_str()),
    ];
    let Some(mut house) = example("postgres", &format!("{bin}/postgres"), &replaced) else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("PostgreSQL runs as its own user, and only root can start it so");
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    fs::create_dir(&main).expect("made");
    let chown = Command::new("chown").arg("postgres").arg(&main).status().expect("runs");
    assert!(chown.success());
    let mut initdb = Command::new("setpriv");
    initdb.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(format!("{bin}/initdb"));
    let made = initdb.args(["-D", &data, "-A", "trust", "-N"]).env("LC_ALL", "C").output().expect("runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    house.start(&["--interval", "2s"]);
    settled(&house, "postgres");
    let before = main_of(&house, "postgres");
    let mut tree = Table::read().descendants(&[before]);
    assert!(tree.len() > 3, "{tree:?}");
    tree.insert(before);
    for process in &tree {
        process.signal(Signal::STOP).expect("stopped");
    }
    house.until("another accepts", |house| {
        another(house, "postgres", before).is_some() && house.is("postgres", "ok")
    });
    assert!(tree.iter().all(|process| !process.is_alive()), "nothing of the old tree is left");
}

#[test]
fn a_web_service_that_is_wrong_silent_or_slow_is_healed() {
    let (port, dir) = (port(), tempfile::tempdir().expect("a folder"));
    let manner = dir.path().join("manner");
    fs::write(&manner, "ok").expect("written");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/web.pl");
    let argv = format!("\"/usr/bin/perl\", \"{}\", \"{port}\", \"{}\"", program.display(), manner.display());
    let url = format!("127.0.0.1:{port}");
    let replaced = [
        ("\"/usr/bin/python3\", \"-m\", \"http.server\", \"8080\", \"--bind\", \"127.0.0.1\"", argv.as_str()),
        ("127.0.0.1:8080", url.as_str()),
    ];
    let Some(mut house) = example("web", "/usr/bin/perl", &replaced) else { return };
    house.put("policies/budgets.toml", super::house::NO_BRAKES);
    house.start(&["--interval", "3s"]);
    settled(&house, "web");
    for fault in ["500", "hang", "slow"] {
        let before = main_of(&house, "web");
        let began = Instant::now();
        fs::write(&manner, fault).expect("written");
        house.until("it is started anew", |house| another(house, "web", before).is_some());
        // One interval, the probe's time-out of a second, and what a busy machine needs.
        assert!(began.elapsed() < Duration::from_secs(3 + 1 + 6), "{fault}: {:?}", began.elapsed());
        fs::write(&manner, "ok").expect("written");
        settled(&house, "web");
    }
}

#[test]
fn a_real_monitoring_plugin_gives_typed_facts() {
    let plugin = "/usr/lib/nagios/plugins/check_http";
    if !Path::new(plugin).exists() {
        return skip(&format!("{plugin} is missing (Debian's package monitoring-plugins-basic)"));
    }
    let (port, dir) = (port(), tempfile::tempdir().expect("a folder"));
    let manner = dir.path().join("manner");
    fs::write(&manner, "ok").expect("written");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/web.pl");
    let mut web =
        Command::new("perl").arg(program).arg(port.to_string()).arg(&manner).spawn().expect("starts");
    let rules = format!(
        r#"
[probe.page]
kind    = "command"
argv    = ["{plugin}", "-H", "127.0.0.1", "-p", "{port}", "-t", "5"]
format  = "nagios"
facts   = {{ took_ms = {{ from = "time", type = "measure" }}, size_bytes = {{ from = "size", type = "measure" }} }}
[threshold]
slow_ms = "1s"
[status]
critical = 'page.state == "critical" || page.state == "unknown"'
warn     = 'page.state == "warning" || page.took_ms > threshold.slow_ms'
"#
    );
    let mut house = House::new("shop", &rules);
    house.start(&["--interval", "1s"]);
    house.until("it is well", |house| house.is("shop", "ok"));
    let took = house.fact("shop", "page.took_ms").as_f64().expect("a number");
    assert!(took > 0.0 && took < 5_000.0, "{took}");
    assert!(house.fact("shop", "page.size_bytes").as_f64().expect("a number") > 10.0);
    assert!(house.fact("shop", "page.message").as_str().expect("a text").starts_with("HTTP OK"));
    fs::write(&manner, "slow").expect("written");
    house.until("it is slow", |house| house.is("shop", "warn"));
    fs::write(&manner, "500").expect("written");
    house.until("it is broken", |house| house.is("shop", "critical"));
    assert_eq!(house.fact("shop", "page.exit_code"), 2);
    web.kill().expect("killed");
    web.wait().expect("gone");
}

#[test]
fn every_example_is_valid_and_its_tests_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut seen = 0;
    for example in fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry").path()) {
        if !example.join("rules").is_dir() {
            continue;
        }
        seen += 1;
        for verb in ["validate", "test"] {
            let ended =
                Command::new(env!("CARGO_BIN_EXE_grace")).arg(verb).arg(&example).output().expect("runs");
            let said = String::from_utf8_lossy(&ended.stdout);
            assert!(ended.status.success(), "{verb} {}: {said}", example.display());
        }
    }
    assert_eq!(seen, 4);
}
