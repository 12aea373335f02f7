//! The unit that `grace unit` prints, as people read it and as systemd's own judge does.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use crate::daemon::{Said, said};
use crate::scenarios::laid_over;

fn unit(args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    said(
        &command
            .arg("unit")
            .args(args)
            .env_remove("GRACE_CONFIG")
            .env_remove("GRACE_DATA")
            .output()
            .expect("runs"),
    )
}

fn printed(args: &[&str]) -> String {
    let said = unit(args);
    assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
    said.out
}

#[test]
fn the_unit_says_what_was_asked_for() {
    let config = laid_over(Path::new("/nowhere"));
    let system = config.path().join("policies/system.toml");
    fs::write(&system, "interval = \"2s\"\nsocket_group = \"adm\"\n").expect("written");
    let shared = config.path().to_str().expect("a path");
    let home = env!("CARGO_MANIFEST_DIR");
    let cases: [(&[&str], &[&str], &[&str]); 8] = [
        (
            &["--config", home],
            &[
                "Type=notify",
                "ExecReload=/bin/kill -HUP $MAINPID",
                "User=grace",
                "Group=grace",
                "WatchdogSec=90s",
            ],
            &["SupplementaryGroups=", "--stop-services\n"],
        ),
        (
            &["--binary", "/usr/bin/grace", "--config", home],
            &[
                "StateDirectory=grace",
                "StateDirectoryMode=0700",
                "KillMode=process",
                "NotifyAccess=main",
                "Delegate=yes",
            ],
            &["ConfigurationDirectory="],
        ),
        (&["--systemd", "253", "--config", home], &["Type=notify-reload"], &["ExecReload="]),
        (
            &["--config", shared],
            &["WatchdogSec=10s", "SupplementaryGroups=adm", "StateDirectoryMode=0711"],
            &["StateDirectoryMode=0700"],
        ),
        (
            &["--config", home, "--user", "root"],
            &["ProtectSystem=full"],
            &["\nUser=", "\nGroup=", "\nNoNewPrivileges=", "\nSystemCallFilter=", "\nReadWritePaths="],
        ),
        (&["--config", home, "--user", "web-1"], &["User=web-1", "ProtectSystem=strict"], &["\nGroup="]),
        (
            &["--config", home, "--stop-services"],
            &["KillMode=process", "TimeoutStopSec=90s", "--data /var/lib/grace --stop-services"],
            &["KillMode=mixed"],
        ),
        (
            &["--config", home, "--data", "/srv/my $data/100%", "--writable", "/var/lib/redis"],
            &[
                "--data \"/srv/my $$data/100%%\"",
                "ReadWritePaths=\"/srv/my $data/100%%\" /var/lib/redis -/tmp -/var/tmp",
            ],
            &["StateDirectory="],
        ),
    ];
    for (args, there, absent) in cases {
        let text = printed(args);
        let has = |part: &str| text.contains(&format!("\n{part}")) || text.contains(&format!("{part}\n"));
        assert!(there.iter().all(|part| has(part)), "{args:?}:\n{text}");
        assert!(absent.iter().all(|part| !text.contains(part)), "{args:?}:\n{text}");
    }
}

#[test]
fn an_installed_grace_needs_no_flags() {
    let said = unit(&["--binary", "/usr/bin/grace", "--config", "/etc/grace"]);
    if said.code == Some(0) {
        assert!(
            said.out.contains("ExecStart=/usr/bin/grace run --config /etc/grace --data /var/lib/grace\n")
        );
        assert!(said.out.contains("\nConfigurationDirectory=grace\n"), "{said:?}");
    }
    assert_eq!(said, unit(&["--binary", "/usr/bin/grace"]), "the same without a word");
}

#[test]
fn what_a_unit_cannot_hold_is_refused() {
    let broken = laid_over(Path::new("/nowhere"));
    fs::write(broken.path().join("policies/system.toml"), "intervall = \"2s\"\n").expect("written");
    let broken = broken.path().to_str().expect("a path");
    for (args, says) in [
        (["--binary", "grace"], "begin at the root"),
        (["--binary", "/a\"b"], "double quote"),
        (["--binary", "/a'b"], "a quote in it"),
        (["--binary", "/a/../b"], "goes up"),
        (["--data", "/a\nExecStart=/bin/sh"], "line end"),
        (["--data", "/a\\"], "backslash"),
        (["--writable", "/a\u{1b}"], "control character"),
        (["--systemd", "246"], "247 or newer"),
        (["--systemd", "v252"], "systemctl --version"),
        (["--user", "root;id"], "letters, digits"),
        (["--user", "0day"], "no digit at the front"),
        (["--config", broken], "intervall"),
    ] {
        let said = unit(&args);
        assert!(said.code == Some(2) && said.err.contains(says) && said.out.is_empty(), "{args:?}: {said:?}");
    }
}

/// systemd's own judge, where it is installed. On the build machine it is.
fn analyze(args: &[&str], file: &Path) -> Option<Output> {
    let output = Command::new("systemd-analyze").args(args).arg(file).output();
    if let Err(error) = &output {
        assert!(std::env::var_os("CI").is_none(), "no systemd-analyze, and CI installs it: {error}");
        writeln!(std::io::stderr(), "skipped: systemd-analyze is missing ({error})").expect("says so");
    }
    output.ok()
}

#[test]
fn systemd_finds_nothing_wrong_and_little_exposed() {
    let dir = tempfile::tempdir().expect("a folder");
    let odd = dir.path().join("my $HOME 100% 'data'");
    fs::create_dir(&odd).expect("made");
    let binary = dir.path().join("$HOME 100% grace");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_grace"), &binary).expect("linked");
    let (odd, binary) = (odd.to_str().expect("a path"), binary.to_str().expect("a path"));
    let home = env!("CARGO_MANIFEST_DIR");
    for (args, exposed) in [
        (&["--config", home][..], "25"),
        (&["--config", home, "--stop-services", "--writable", odd], "25"),
        (&["--config", home, "--binary", binary, "--data", odd], "25"),
        (&["--config", home, "--user", "root"], "80"),
    ] {
        let file = dir.path().join("grace.service");
        fs::write(&file, printed(args)).expect("written");
        let Some(verified) = analyze(&["verify", "--man=no"], &file) else { return };
        let says = String::from_utf8_lossy(&verified.stderr);
        assert!(verified.status.success() && says.is_empty(), "{args:?}: {says}");
        let threshold = format!("--threshold={exposed}");
        let Some(judged) = analyze(&["security", "--offline=true", &threshold], &file) else { return };
        assert!(judged.status.success(), "{args:?}: {}", String::from_utf8_lossy(&judged.stdout));
    }
}
