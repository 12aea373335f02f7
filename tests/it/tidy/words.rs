//! Words that are banned from a part of the house, or from all of it.

use super::paths;
use super::source::Source;

/// The half in which the same input gives the same bytes.
const PURE: [&str; 7] = ["say", "model", "condition", "evaluate", "figures", "govern", "engine"];

/// Single words that the pure half does not use. `Duration`, `UNIX_EPOCH` and `LazyLock` are values that never
/// change, and so are not among them. Maps that hash are: their order differs from run to run.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant",
    "tokio",
    "tracing",
    "rand",
    "getrandom",
    "uuid",
    "rustix",
    "notify",
    "rusqlite",
    "reqwest",
    "axum",
    "println",
    "eprintln",
    "print",
    "eprint",
    "dbg",
    "thread",
    "thread_local",
    "Mutex",
    "RwLock",
    "OnceLock",
    "async",
    "await",
    "unsafe",
    "HashMap",
    "HashSet",
    "RandomState",
];

/// Paths that the pure half does not use.
const IMPURE_PATHS: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::io",
    "std::process",
    "std::thread",
    "std::os",
    "std::sync::mpsc",
    "std::sync::atomic",
    "core::sync::atomic",
];

/// Names of crates, and the modules that may use them.
const CRATES: &[(&str, &[&str])] = &[
    ("rhai", &["condition"]),
    ("rusqlite", &["store", "record", "components"]),
    ("toml", &["config", "replay"]),
    ("toml_parser", &["config"]),
    ("axum", &["api"]),
    ("prometheus_client", &["api"]),
    ("clap", &["cli"]),
];

/// Ids of components that mean nothing else.
const COMPONENTS: [&str; 3] = ["reflection_service", "task_executor", "trigger_mesh"];

/// The files that know components by name: the built-ins themselves, and the table of their facts.
fn knows_components(path: &str) -> bool {
    path.starts_with("src/components/") || path == "src/model/schema.rs"
}

/// Impure words in the pure half.
pub(super) fn impure(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.module())) {
        for token in source.tokens.iter().filter(|token| IMPURE.contains(&token.text.as_str())) {
            // `receiver.notify` and `word("print")` are data; a field or a variant of a banned name is not code
            // that does it. Only `notify` is such a word here, and as a crate it is followed by `::`.
            if token.text != "notify" {
                breaches.push(format!("{}: `{}`", source.at(token.line), token.text));
            }
        }
        for named in paths::all(source) {
            let bad = IMPURE_PATHS.iter().find(|path| named.starts_with(path));
            let bad = bad.or_else(|| named.starts_with("notify").then_some(&"notify"));
            breaches.extend(bad.map(|path| format!("{}: `{path}`", source.at(named.line))));
        }
    }
    breaches
}

/// Crates that are used where they do not belong.
pub(super) fn crates(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        for named in paths::all(source) {
            for (name, homes) in CRATES {
                if named.starts_with(name) && !homes.contains(&source.module()) {
                    breaches.push(format!("{}: `{name}` belongs in {homes:?}", source.at(named.line)));
                }
            }
        }
    }
    breaches
}

/// Components named in generic code: as a word of code, or as a text that is a name.
///
/// A text with a blank in it is a sentence for people (help may take a real component as its example), and
/// `"database"` alone counts, because the word itself means more than the component.
pub(super) fn component_names(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| !knows_components(&source.path)) {
        let words = source.tokens.iter().filter(|token| COMPONENTS.contains(&token.text.as_str()));
        breaches.extend(words.map(|token| format!("{}: `{}`", source.at(token.line), token.text)));
        for literal in &source.texts {
            let name = literal.text == "database"
                || COMPONENTS.iter().any(|id| literal.text.contains(id)) && !literal.text.contains(' ');
            if name {
                breaches.push(format!("{}: {:?}", source.at(literal.line), literal.text));
            }
        }
    }
    breaches
}

/// Files that start programs and let them inherit the environment: it holds the way to systemd, and secrets. Who
/// becomes another program (`exec`) was started with an environment of its own already.
pub(super) fn inherited(sources: &[Source]) -> Vec<String> {
    let count = |source: &Source, words: &[&str]| {
        let parts = source.tokens.windows(words.len());
        parts.filter(|part| part.iter().map(|token| token.text.as_str()).eq(words.iter().copied())).count()
    };
    let open = |source: &&Source| {
        let own = count(source, &["env_clear", "(", ")"]) + count(source, &["exec", "(", ")"]);
        count(source, &["Command", "::", "new"]) > own
    };
    sources.iter().filter(open).map(|source| format!("{}: no `env_clear()`", source.path)).collect()
}

/// Lints that are switched off, tests that do not run, code that is not written.
pub(super) fn switched_off(sources: &[Source]) -> Vec<String> {
    const BANNED: &[&[&str]] = &[
        &["[", "allow", "("],
        &[",", "allow", "("],
        &["todo", "!"],
        &["unimplemented", "!"],
        &["[", "ignore"],
    ];
    let mut breaches = Vec::new();
    for source in sources {
        // Unit tests count here: what is switched off in them is switched off as well.
        let whole = Source::new(&source.path, &source.text.replace("cfg(test)", "cfg(tests)"));
        for banned in BANNED {
            for part in whole.tokens.windows(banned.len()) {
                if part.iter().map(|token| token.text.as_str()).eq(banned.iter().copied()) {
                    breaches.push(format!("{}: `{}`", source.at(part[0].line), banned.concat()));
                }
            }
        }
    }
    breaches
}

#[test]
fn every_impure_word_is_found() {
    for code in [
        "use std::time::{Duration, Instant};",
        "use std::{fmt, fs};",
        "fn a() { std::env::var(\"X\"); }",
        "fn a() { tracing::info!(\"x\"); }",
        "use std::collections::HashMap;",
        "async fn a() {}",
        "fn a() { println!(\"x\"); }",
        "use notify::Watcher;",
    ] {
        assert_eq!(impure(&[Source::new("src/govern/x.rs", code)]).len(), 1, "{code}");
        assert!(impure(&[Source::new("src/config/x.rs", code)]).is_empty(), "{code}");
    }
    let fine =
        "use std::time::{Duration, UNIX_EPOCH};\nfn a(random: u8) { b(\"tokio\", receiver.notify) } // Mutex";
    assert!(impure(&[Source::new("src/model/time.rs", fine)]).is_empty());
}

#[test]
fn a_crate_away_from_home_is_found() {
    let source = |path| [Source::new(path, "use rhai::Engine;")];
    assert_eq!(crates(&source("src/evaluate/x.rs")).len(), 1);
    assert!(crates(&source("src/condition/x.rs")).is_empty());
    assert_eq!(crates(&[Source::new("src/api/x.rs", "fn a() { rusqlite::open() }")]).len(), 1);
}

#[test]
fn a_component_in_generic_code_is_found() {
    let code = "fn a() { if id == \"task_executor\" || id == \"database\" { trigger_mesh() } }";
    assert_eq!(component_names(&[Source::new("src/act/x.rs", code)]).len(), 3);
    assert_eq!(
        component_names(&[Source::new("src/act/x.rs", "const A: &str = \"rules/trigger_mesh.toml\";")]).len(),
        1
    );
    assert!(component_names(&[Source::new("src/components/x.rs", code)]).is_empty());
    let help = "/// Such as `task_executor`.\nconst A: &str = \"write `grace restart task_executor`, or name the database\";";
    assert!(component_names(&[Source::new("src/cli/x.rs", help)]).is_empty());
}

#[test]
fn a_program_that_inherits_the_environment_is_found() {
    let file = |code| [Source::new("src/act/x.rs", code)];
    assert_eq!(inherited(&file("fn a() { std::process::Command::new(b).env(\"c\", d).spawn() }")).len(), 1);
    assert!(inherited(&file("fn a() { Command::new(b).env_clear().spawn() }")).is_empty());
}

#[test]
fn whatever_is_switched_off_is_found() {
    for code in [
        "#[allow(dead_code)]\nfn a() {}",
        "#![allow(clippy::all)]",
        "#[cfg_attr(debug, allow(x))]\nfn a() {}",
        "fn a() { todo!() }",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    #[ignore = \"slow\"]\n    fn a() {}\n}",
    ] {
        assert_eq!(switched_off(&[Source::new("src/act/x.rs", code)]).len(), 1, "{code}");
    }
    assert!(
        switched_off(&[Source::new("src/act/x.rs", "#[expect(x, reason = \"y\")]\nfn allow() {}")])
            .is_empty()
    );
}
