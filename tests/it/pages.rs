//! What `grace explain` says is true: the wrong example of each page is found, with that page's code alone, and the
//! right one is taken without a word.

use std::fs;
use std::path::Path;

use grace::say::{Code, Report};
use grace::{config, replay};

use crate::config::lay;

/// What the examples of a page are laid over, beside the shipped files.
const BASE: &str = r#"
[control]
kind = "process"
argv = ["/usr/bin/web"]

[probe.http]
kind    = "http"
url     = "http://127.0.0.1:8080/health"

[threshold]
slow_ms = "1s"

[status]
critical = '!http.answered'

[rule.restart]
when   = 'critical'
do     = ["restart"]
verify = { delay = "5s", within = "30s" }
"#;

/// One example: which file, whether it is the whole of it, and its text.
struct Example<'p> {
    file: &'p str,
    whole: bool,
    text: String,
}

#[test]
fn every_page_begins_with_its_code_and_shows_what_it_means() {
    for code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "{code}");
        assert!(page.contains("**Why it matters.**"), "{code}");
        let examples = if of_a_machine(*code) { "```console" } else { "Wrong:\n" };
        assert!(page.contains(examples), "{code} has no example");
        // What stands in a fence is what a program says.
        let text = page.split("```").step_by(2).flat_map(str::lines);
        assert!(text.into_iter().all(|line| line.chars().count() <= 120), "{code} has long lines");
    }
}

#[test]
fn the_wrong_example_of_a_page_is_found_and_the_right_one_is_taken() {
    let mut problems = Vec::new();
    for code in Code::ALL.iter().filter(|code| !of_a_machine(**code)) {
        let (wrong, right) = code.page().split_once("\nRight:\n").expect("both examples");
        let found = |page| found(&examples(page), *code);
        let (wrong, right) = (found(wrong.split_once("\nWrong:\n").expect("an example").1), found(right));
        if wrong != [code.to_string()] {
            problems.push(format!("{code}: the wrong example gives {wrong:?}"));
        }
        if !right.is_empty() {
            problems.push(format!("{code}: the right example gives {right:?}"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Codes about files and machines: no text shows them.
fn of_a_machine(code: Code) -> bool {
    matches!(code.number(), 1000..2000 | 6000..7000)
}

/// The codes that are found in a set with these examples, each once.
fn found(examples: &[Example], code: Code) -> Vec<String> {
    assert!(!examples.is_empty(), "{code} has no example");
    let dir = lay::shipped(Path::new(env!("CARGO_MANIFEST_DIR")));
    fs::write(dir.path().join("rules/web.toml"), BASE).expect("written");
    for example in examples {
        let path = dir.path().join(example.file);
        let text = if example.whole { example.text.clone() } else { merged(&path, &example.text, code) };
        fs::write(path, text).expect("written");
    }
    let report =
        if code == Code::EmptyTest { replay::run_tests(dir.path(), None).report } else { load(dir.path()) };
    let mut codes: Vec<String> = report.diagnostics.iter().map(|found| found.code.to_string()).collect();
    codes.dedup();
    codes
}

fn load(dir: &Path) -> Report {
    config::Folder::read(dir).compile(None).map_or_else(|report| *report, |loaded| loaded.report)
}

/// The fenced examples of a part of a page.
fn examples(page: &str) -> Vec<Example<'_>> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if let Some(about) = line.strip_prefix("```toml ") {
            let (file, how) = about.split_once(' ').unwrap_or((about, ""));
            found.push(Example { file, whole: how == "whole", text: String::new() });
            inside = true;
        } else if line == "```" {
            inside = false;
        } else if let (true, Some(example)) = (inside, found.last_mut()) {
            example.text.push_str(line);
            example.text.push('\n');
        }
    }
    found
}

/// A text laid over a file, key by key.
fn merged(path: &Path, text: &str, code: Code) -> String {
    let parse = |text: &str| text.parse::<toml::Table>().unwrap_or_else(|why| panic!("{code}: {why}"));
    let mut base = parse(&fs::read_to_string(path).unwrap_or_default());
    merge(&mut base, parse(text));
    base.to_string()
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(over)) => merge(below, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
