//! `grace diff` of directories and of revisions of git, whose links are followed as a checkout would.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::config::lay;

/// Runs git, as nobody in particular; nothing where there is none.
fn git(dir: &Path, words: &[&str]) -> Option<()> {
    let mut git = Command::new("git");
    let git = git.current_dir(dir).args(["-c", "user.name=x", "-c", "user.email=x@example.org"]).args(words);
    let Ok(ended) = git.output() else {
        assert!(std::env::var_os("CI").is_none(), "no git, and CI installs it");
        writeln!(std::io::stderr(), "skipped: git is missing").expect("written");
        return None;
    };
    assert!(ended.status.success(), "{words:?}: {ended:?}");
    Some(())
}

fn diff(config: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_grace"));
    command.arg("diff").args(words).arg("--config").arg(config).output().expect("runs")
}

fn committed(home: &Path) -> Option<()> {
    git(home, &["add", "--all"])?;
    git(home, &["commit", "--quiet", "--message", "x"])
}

#[test]
fn links_in_a_revision_are_followed() {
    let home = lay::shipped(Path::new(env!("CARGO_MANIFEST_DIR")));
    let config = home.path().join("config");
    let Some(()) = git(home.path(), &["init", "--quiet", "."]) else { return };
    fs::create_dir(&config).expect("made");
    fs::rename(home.path().join("rules"), config.join("rules")).expect("moved");
    // A folder and a file that several configurations share.
    fs::rename(config.join("rules/database.toml"), home.path().join("database.toml")).expect("moved");
    symlink("../../database.toml", config.join("rules/database.toml")).expect("linked");
    symlink("../policies", config.join("policies")).expect("linked");
    committed(home.path()).expect("git");
    let same = diff(&config, &["HEAD"]);
    assert_eq!((same.status.code(), same.stdout.len()), (Some(0), 0), "{same:?}");

    let shared = home.path().join("policies/system.toml");
    let text = fs::read_to_string(&shared).expect("read");
    fs::write(&shared, text.replace("90days", "91days")).expect("written");
    let said = diff(&config, &["HEAD"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let said = String::from_utf8(said.stdout).expect("UTF-8");
    assert_eq!(said, "system\n  - retention = \"90days\"\n  + retention = \"91days\"\n");

    symlink("/etc/passwd", config.join("rules/more.toml")).expect("linked");
    committed(home.path()).expect("git");
    let said = diff(&config, &["HEAD~1", "HEAD"]);
    let why = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(2), "{why}");
    assert!(why.contains("HEAD:rules/more.toml is a link that leads out of the repository"), "{why}");
}

#[test]
fn blanks_in_conditions_are_no_difference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (one, other) = (lay::shipped(root), lay::shipped(root));
    let file = other.path().join("rules/database.toml");
    let text = fs::read_to_string(&file).expect("read");
    let closer = text.replace(" || ", "||").replace("ping.latency_ms > ", "ping.latency_ms>  ");
    assert_ne!(closer, text);
    fs::write(&file, closer).expect("written");
    let said = diff(other.path(), &[one.path().to_str().expect("plain")]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
}
