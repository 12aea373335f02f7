//! TLS: nothing is listened on beyond loopback without it, nobody unknown gets in, and a new certificate is taken up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::json;

use crate::daemon::{Daemon, command, until};

/// Makes a certificate for `localhost` and its key; false where there is no openssl.
fn certificate(dir: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    certificate_by(&mut Command::new("openssl"), dir, name)
}

fn certificate_by(openssl: &mut Command, dir: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
    let made = openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let Ok(made) = made else {
        assert!(std::env::var_os("CI").is_none(), "openssl or faketime is missing");
        std::io::stderr().write_all(b"skipped: there is no openssl, or no faketime\n").expect("said");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("set");
    Some((certificate, key))
}

fn curl(certificate: &Path, grace: &Daemon, path: &str, more: &[&str]) -> Output {
    let url = format!("https://localhost:{}{path}", grace.address().port());
    Command::new("curl")
        .arg("-sS")
        .arg("--cacert")
        .arg(certificate)
        .args(more)
        .arg(url)
        .output()
        .expect("curl")
}

fn status(certificate: &Path, grace: &Daemon, path: &str, more: &[&str]) -> String {
    let more = [&["-o", "/dev/null", "-w", "%{http_code}"], more].concat();
    String::from_utf8(curl(certificate, grace, path, &more).stdout).expect("a number")
}

#[test]
fn under_tls_a_token_says_who_asks_and_nobody_else_gets_in() {
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let Some((certificate, key)) = certificate(dir.path(), "first") else { return };
    let (shown, secret) = (certificate.display().to_string(), key.display().to_string());
    let flags = ["--tls-certificate", &shown, "--tls-key", &secret];
    let grace = Daemon::start_with(&flags);
    let status = |path: &str, more: &[&str]| status(&certificate, &grace, path, more);
    assert_eq!(status("/livez", &[]), "200");
    assert_eq!(status("/api/health/status", &[]), "401", "who comes from elsewhere is not on loopback");
    let made = grace.post("/api/tokens", &json!({ "name": "phone", "role": "viewer" }).to_string());
    let bearer = format!("authorization: Bearer {}", made.json()["secret"].as_str().expect("a secret"));
    assert_eq!(status("/api/health/status", &["-H", &bearer]), "200");
    assert_eq!(status("/api/holds", &["-H", &bearer, "-H", "origin: https://evil.example"]), "421");
    // Who speaks without TLS is hung up on.
    let mut plain = TcpStream::connect(grace.address()).expect("connects");
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("writes");
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));
    // A new certificate is taken up; one that cannot be used is not.
    std::fs::write(&key, "no key").expect("written");
    assert_eq!(status("/livez", &[]), "200");
    std::fs::remove_file(&key).expect("removed");
    let name = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    self::certificate(dir.path(), "second").expect("made before");
    until("the new one is used", || {
        name(curl(&certificate, &grace, "/livez", &["-v"])).contains("CN=second")
    });
}

/// What tells a file is more than when it was written.
#[test]
fn a_key_that_is_closed_afterwards_and_files_as_old_as_those_before_are_taken_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some((shown, secret)) = certificate(dir.path(), "first") else { return };
    let flags = [shown.display().to_string(), secret.display().to_string()];
    let grace = Daemon::start_with(&["--tls-certificate", &flags[0], "--tls-key", &flags[1]]);
    let is = |name: &str| {
        let said = curl(&shown, &grace, "/livez", &["-kv"]).stderr;
        String::from_utf8_lossy(&said).contains(&format!("CN={name}"))
    };
    assert!(is("first"));
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("set");
    let written = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).expect("a time");
    let moved = |name: &str, open: u32| {
        let beside = dir.path().join(name);
        std::fs::create_dir(&beside).expect("made");
        let (new, key) = certificate(&beside, name).expect("made before");
        mode(&key, open);
        for (new, old) in [(&new, &shown), (&key, &secret)] {
            let file = std::fs::File::options().append(true).open(new).expect("opens");
            file.set_modified(written(old)).expect("set");
            std::fs::rename(new, old).expect("moved");
        }
    };
    moved("second", 0o644);
    assert!(is("first") && is("first"), "everybody could read the key");
    let told = "the certificate was replaced, and the old one stays in use";
    assert_eq!(grace.log().matches(told).count(), 1, "{}", grace.log());
    mode(&secret, 0o600);
    assert!(is("second"), "{}", grace.log());
    moved("third", 0o600);
    assert!(is("third"), "{}", grace.log());
}

#[test]
fn a_certificate_whose_time_is_over_or_soon_is_told_of() {
    let dir = Arc::new(tempfile::tempdir().expect("a directory"));
    let mut long_ago = Command::new("faketime");
    let Some((shown, secret)) = certificate_by(long_ago.args(["2020-01-01", "openssl"]), dir.path(), "old")
    else {
        return;
    };
    let (shown, secret) = (shown.display().to_string(), secret.display().to_string());
    let grace = Daemon::start_with(&["--tls-certificate", &shown, "--tls-key", &secret]);
    let says = |words: &str| grace.log().contains(words);
    until("it is told", || says("the certificate's time is over at 2020-01-03"));
    assert!(says("replace it") && !says("replace it before"), "{}", grace.log());
    // The next one has two days.
    certificate(dir.path(), "next").expect("made before");
    until("the next one is used", || {
        let _ = TcpStream::connect(grace.address());
        says("replace it before")
    });
}

#[test]
fn what_cannot_be_safe_is_not_begun() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some((certificate, key)) = certificate(dir.path(), "one") else { return };
    let (shown, secret) = (certificate.display().to_string(), key.display().to_string());
    let missing = dir.path().join("missing.pem").display().to_string();
    let start = |flags: &[&str]| {
        let run = command(&dir.path().join("data")).arg("run").args(flags).output().expect("runs");
        String::from_utf8_lossy(&run.stderr).into_owned()
    };
    let open = start(&["--listen", "0.0.0.0:0"]);
    assert!(open.contains("that needs `--tls-certificate` and `--tls-key`"), "{open}");
    let half = start(&["--tls-certificate", &shown]);
    assert!(half.contains("--tls-key"), "{half}");
    let gone = start(&["--tls-certificate", &missing, "--tls-key", &secret]);
    assert!(gone.contains("missing.pem: cannot be read"), "{gone}");
    let swapped = start(&["--tls-certificate", &secret, "--tls-key", &shown]);
    assert!(swapped.contains("as PEM"), "{swapped}");
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("written");
    let empty = start(&["--tls-certificate", &empty.display().to_string(), "--tls-key", &secret]);
    assert!(empty.contains("empty.pem: holds no certificate as PEM"), "{empty}");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("set");
    let readable = start(&["--tls-certificate", &shown, "--tls-key", &secret]);
    assert!(readable.contains("everybody can read this private key"), "{readable}");
}
