//! A report that goes into a file is there whole, or the one before it is.

use crate::daemon::{command, said};
use crate::histories::{HANGS, journal, recorded};

#[test]
fn a_report_that_cannot_be_written_whole_leaves_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &recorded(HANGS));
    let file = dir.path().join("report.json");
    std::fs::write(&file, "the one before\n").unwrap();
    let history = dir.path().join("history.jsonl");
    let exported = said(
        &command(dir.path()).args(["audit", "export", "--to", history.to_str().unwrap()]).output().unwrap(),
    );
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let output = format!("json={}", file.display());
    let args = ["simulate", "--history", history.to_str().unwrap(), "--timeline", "--output", &output];
    // Room for 1,024 bytes at most: the system ends whoever writes more.
    let mut small = std::process::Command::new("/bin/sh");
    small.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_grace")]).args(args).env_clear();
    let ended = said(
        &small.current_dir(dir.path()).arg("--config").arg(env!("CARGO_MANIFEST_DIR")).output().unwrap(),
    );
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "the one before\n");
    let whole = said(&command(dir.path()).args(args).output().unwrap());
    assert!(whole.code.is_some() && std::fs::read_to_string(&file).unwrap().ends_with("}\n"), "{whole:?}");
    assert!(std::fs::metadata(&file).unwrap().len() > 1024);
}
