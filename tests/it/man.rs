//! The manual's pages and the shells' completions: made of the grammar of the command line.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::daemon::{Said, said};

fn grace(args: &[&str]) -> Said {
    said(&Command::new(env!("CARGO_BIN_EXE_grace")).args(args).output().expect("runs"))
}

#[test]
fn every_verb_has_a_page_and_the_first_names_them_all() {
    let dir = tempfile::tempdir().expect("a folder");
    let written = grace(&["man", dir.path().join("man1").to_str().expect("a path")]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let help = grace(&["--help"]).out;
    let verbs = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty());
    let verbs: Vec<&str> =
        verbs.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    assert!(verbs.len() > 20, "{verbs:?}");
    let main = grace(&["man"]).out;
    for verb in verbs {
        let page = dir.path().join(format!("man1/grace-{verb}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.contains(".SH SYNOPSIS"), "{verb}: {text}");
        assert!(main.contains(&format!("\n.B {verb}\n")), "{verb}:\n{main}");
    }
    assert!(!main.contains("(1)"), "alone it names no other page");
    let beside = fs::read_to_string(dir.path().join("man1/grace.1")).expect("is there");
    assert!(beside.contains("grace\\-validate(1)"), "{beside}");
    assert_eq!(grace(&["man", "/dev/null/x"]).code, Some(2));
}

#[test]
fn completions_are_scripts_that_their_shells_read() {
    for (shell, says) in [
        ("bash", "complete -F _grace"),
        ("zsh", "#compdef grace"),
        ("fish", "complete -c grace"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let printed = grace(&["completions", shell]);
        assert!(printed.code == Some(0) && printed.out.contains(says), "{shell}: {printed:?}");
        assert!(printed.out.contains("validate") && printed.out.contains("config"), "{shell}");
        if shell == "bash" {
            let mut child = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("runs");
            child.stdin.take().expect("is piped").write_all(printed.out.as_bytes()).expect("writes");
            assert!(child.wait().expect("ends").success());
        }
    }
    assert_eq!(grace(&["completions", "tcsh"]).code, Some(2));
}
