//! What the house shows to whoever comes in: the pages of its files, the codemap, the top level.

use super::floors::floor;
use super::source::Source;

/// Files that do not begin by saying what they are.
pub(super) fn unsaid(sources: &[Source]) -> Vec<String> {
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    silent.map(|source| format!("{}: does not begin with `//!`", source.path)).collect()
}

/// The modules of `lib.rs`, in its order.
fn modules(lib: &str) -> Vec<&str> {
    let named = lib.lines().filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")));
    named.filter_map(|rest| rest.strip_suffix(';')).collect()
}

/// The modules that the README's codemap lists: rows that begin with a name in backticks.
fn listed(readme: &str) -> Vec<&str> {
    let map = readme.lines().skip_while(|line| *line != "## Codemap").skip(1);
    let rows = map.take_while(|line| !line.starts_with("## "));
    rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// Differences between the codemap and `lib.rs`.
pub(super) fn codemap(readme: &str, lib: &str) -> Vec<String> {
    let (there, here) = (modules(lib), listed(readme));
    if there == here && !there.is_empty() {
        Vec::new()
    } else {
        vec![format!("lib.rs has {there:?}"), format!("README has {here:?}")]
    }
}

/// Modules that stand in `lib.rs` before what they are built on.
pub(super) fn story(lib: &str) -> Vec<String> {
    let modules = modules(lib);
    let floors: Vec<Option<usize>> = modules.iter().map(|module| floor(module)).collect();
    let pairs = modules.windows(2).zip(floors.windows(2));
    let wrong = pairs.filter(|(_, floors)| floors[0].is_none() || floors[1] < floors[0]);
    wrong.map(|(names, _)| format!("`{}` stands before `{}`", names[0], names[1])).collect()
}

/// Names at the top level that have no business there. What git ignores may lie about.
pub(super) fn top_level(names: &[String], ignored: &str) -> Vec<String> {
    const KNOWN: [&str; 9] = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "rules",
        "policies",
        "tests",
        "README.md",
        "rustfmt.toml",
        "clippy.toml",
    ];
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let fine = |name: &str| {
        KNOWN.contains(&name)
            || name.starts_with('.')
            || name.starts_with("LICENSE")
            || ignored.contains(&name)
    };
    names.iter().filter(|name| !fine(name)).map(|name| format!("`{name}` is not of this house")).collect()
}

#[test]
fn a_silent_file_is_found() {
    assert_eq!(unsaid(&[Source::new("src/x.rs", "use std::fmt;\n")]).len(), 1);
    assert!(unsaid(&[Source::new("src/x.rs", "//! What it is.\n")]).is_empty());
}

#[test]
fn a_codemap_that_is_out_of_date_is_found() {
    let lib = "pub mod say;\npub mod model;\n";
    let readme =
        |rows: &str| format!("# x\n\n| `other` | table |\n\n## Codemap\n\n{rows}\n## Next\n\n| `y` |\n");
    assert!(codemap(&readme("| `say` | speaks |\n| `model` | words |\n"), lib).is_empty());
    for wrong in ["", "| `model` | words |\n| `say` | speaks |\n", "| `say` | speaks |\n"] {
        assert_eq!(codemap(&readme(wrong), lib).len(), 2, "{wrong}");
    }
}

#[test]
fn a_story_told_backwards_is_found() {
    assert_eq!(story("pub mod model;\npub mod say;\n"), ["`model` stands before `say`"]);
    assert_eq!(story("pub mod say;\npub mod govern;\npub mod evaluate;\n"), Vec::<String>::new());
}

#[test]
fn a_stranger_at_the_top_level_is_found() {
    let names = ["src", ".ci", "LICENSE-MIT", "target", "notes.txt"].map(str::to_owned);
    assert_eq!(top_level(&names, "/target\n"), ["`notes.txt` is not of this house"]);
}
