//! A real Prometheus scrapes Grace, the alerts that she exports fire there, and a real Alertmanager receives them.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::daemon::{Answer, Daemon, exchange, until};
use crate::services::house::{port, skip};

/// A program of this test's own, which ends with it.
struct Server(Child);

impl Server {
    /// Starts it; nothing where it is not there.
    fn start(dir: &Path, program: &str, package: &str, args: &[String]) -> Option<Self> {
        let log = Arc::new(fs::File::create(dir.join(format!("{program}.log"))).expect("is made"));
        let quiet = || Stdio::from(log.try_clone().expect("is open"));
        match Command::new(program).args(args).current_dir(dir).stdout(quiet()).stderr(quiet()).spawn() {
            Ok(child) => Some(Self(child)),
            Err(why) => {
                skip(&format!("no {program}, which is in Debian's package `{package}`: {why}"));
                None
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(port: u16, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n\r\n");
    match TcpStream::connect(("127.0.0.1", port)) {
        Ok(stream) => exchange(stream, &request),
        Err(_) => Answer { status: 0, head: String::new(), body: String::new() },
    }
}

/// The exported alerts, with waits that a test can wait for.
fn write_files(dir: &Path, grace: &Daemon, alertmanager: u16) {
    let alerts = grace.grace(&["export", "alerts"]).out;
    let soon: String = alerts
        .lines()
        .map(|line| {
            if line.trim_start().starts_with("for:") {
                "        for: 1s\n".into()
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    fs::write(dir.join("alerts.yml"), soon).expect("is written");
    let (target, period) = (grace.address(), "1s");
    let prometheus = format!(
        "global: {{ scrape_interval: {period}, evaluation_interval: {period} }}\n\
         rule_files: [alerts.yml]\n\
         scrape_configs: [{{ job_name: grace, static_configs: [{{ targets: [\"{target}\"] }}] }}]\n\
         alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: [\"127.0.0.1:{alertmanager}\"] }}] }}] }}\n"
    );
    fs::write(dir.join("prometheus.yml"), prometheus).expect("is written");
    let receiver = "route: { receiver: nobody, group_wait: 0s }\nreceivers: [{ name: nobody }]\n";
    fs::write(dir.join("alertmanager.yml"), receiver).expect("is written");
}

#[test]
fn a_failing_component_fires_in_a_real_prometheus_and_a_real_alertmanager_receives() {
    let grace = Daemon::start();
    let dir = tempfile::tempdir().expect("a directory");
    let (prometheus, alertmanager) = (port(), port());
    write_files(dir.path(), &grace, alertmanager);
    let listen = |port: u16| format!("--web.listen-address=127.0.0.1:{port}");
    let args = [
        "--config.file=alertmanager.yml".to_owned(),
        "--storage.path=alertmanager".to_owned(),
        "--cluster.listen-address=".to_owned(),
        listen(alertmanager),
    ];
    let package = "prometheus-alertmanager";
    let Some(_alertmanager) = Server::start(dir.path(), package, package, &args) else { return };
    let args = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=prometheus".to_owned(),
        listen(prometheus),
    ];
    let Some(_prometheus) = Server::start(dir.path(), "prometheus", "prometheus", &args) else { return };
    until("Prometheus scrapes her", || {
        let found = get(prometheus, "/api/v1/query?query=up%7Bjob%3D%22grace%22%7D%20%3D%3D%201");
        found.body.contains("\"job\":\"grace\"")
    });
    // Nothing heals it then; whoever held it would know, and no alert comes.
    assert_eq!(
        grace.grace(&["mode", "observation_only", "--reason", "a test", "--for", "10m"]).code,
        Some(0)
    );
    assert_eq!(grace.grace(&["fault", "inject", "task_executor", "kill-workers"]).code, Some(0));
    until("the alert fires in Prometheus", || {
        let found = get(prometheus, "/api/v1/alerts").body;
        found.contains("GraceComponentCritical") && found.contains("\"state\":\"firing\"")
    });
    until("Alertmanager receives it", || {
        let found = get(alertmanager, "/api/v2/alerts").body;
        found.contains("GraceComponentCritical") && found.contains("\"component\":\"task_executor\"")
    });
    let alerts = get(prometheus, "/api/v1/rules").body;
    assert!(!alerts.contains("\"health\":\"err\""), "{alerts}");
}
