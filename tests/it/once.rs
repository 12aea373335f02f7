//! The first look: `run --once` tells what it found, and `/readyz` waits for it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::daemon::{Daemon, Said, command, said};
use crate::scenarios::laid_over;

const WELL: &str = "database ok\ngrace ok\nreflection_service ok\ntask_executor ok\ntrigger_mesh ok\n";

/// One look at the parts, and at a service of this text beside them.
fn once(service: Option<&str>) -> Said {
    let (dir, config) = (tempfile::tempdir().expect("a folder"), laid_over(Path::new("/nowhere")));
    if let Some(text) = service {
        fs::write(config.path().join("rules/web.toml"), text).expect("written");
    }
    let mut command = command(&dir.path().join("data"));
    command.args(["run", "--once", "--log", "json", "--output", "short", "--config"]).arg(config.path());
    said(&command.output().expect("runs"))
}

#[test]
fn where_all_is_well_it_says_so() {
    let well = once(None);
    assert_eq!((well.code, well.out.as_str()), (Some(0), WELL), "{well:?}");
    for line in well.err.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
}

#[test]
fn what_does_not_work_is_named() {
    let ill = once(Some(
        "[probe.port]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\n\n[status]\ncritical = '!port.connected'\n",
    ));
    assert_eq!((ill.code, ill.out), (Some(1), format!("{WELL}web critical\n")), "{}", ill.err);
}

const SLOW: &str = "[probe.slow]\nkind = \"command\"\nargv = [\"/bin/sleep\", \"1\"]\ntimeout = \"9s\"\n\n\
                    [status]\ncritical = 'slow.exit_code != 0'\n";

#[test]
fn a_slow_probe_is_waited_for() {
    let slow = once(Some(SLOW));
    assert_eq!((slow.code, slow.out), (Some(0), format!("{WELL}web ok\n")), "{}", slow.err);
}

#[test]
fn who_is_ready_has_looked_at_everything() {
    let (dir, config) = (tempfile::tempdir().expect("a folder"), laid_over(Path::new("/nowhere")));
    fs::write(config.path().join("rules/web.toml"), SLOW).expect("written");
    let folder = config.path().to_str().expect("UTF-8");
    let ready = Daemon::start_in(Arc::new(dir), &["--config", folder]);
    let status = ready.get("/api/health/status");
    let checks = status["health_checks"].as_array().expect("checks");
    assert_eq!(checks.len(), 6);
    assert!(checks.iter().all(|check| !check["checked_at"].is_null()), "{status}");
}
