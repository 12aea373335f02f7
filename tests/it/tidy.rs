//! Tidiness is a test: it reads the sources and fails with a list of every breach of the house's rules.
//!
//! The rules stand in the files beside this one, each with the bad samples that prove it can fail. What they
//! look at is code: comments, the contents of texts and unit tests are taken away first (`source`). Where a
//! rule turns out wrong, it is changed there and in the design, and never worked around.

mod floors;
mod house;
mod manifest;
mod paths;
mod rooms;
mod sizes;
mod source;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder that holds `Cargo.toml`.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn text(name: &str) -> String {
    fs::read_to_string(home().join(name)).expect(name)
}

#[track_caller]
fn none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}:\n  {}\n", breaches.join("\n  "));
}

#[test]
fn imports_go_down_only() {
    none("imports go down only, and siblings do not meet", &floors::check(&source::all(&home(), &["src"])));
}

#[test]
fn the_command_lines_rooms_have_floors_as_well() {
    none("imports between rooms go down only", &rooms::check(&source::all(&home(), &["src"])));
}

#[test]
fn replay_has_no_hands() {
    none("replay reaches nothing that acts", &floors::absences(&source::all(&home(), &["src"])));
}

#[test]
fn the_pure_half_is_pure() {
    let sources = source::all(&home(), &["src"]);
    none("no clock, files, async, randomness or logging in the pure half", &words::impure(&sources));
}

#[test]
fn every_crate_has_its_floor() {
    none("rhai and rusqlite stay where they belong", &words::crates(&source::all(&home(), &["src"])));
}

#[test]
fn components_are_named_in_their_own_module_only() {
    let sources = source::all(&home(), &["src"]);
    none("generic code knows no component by name", &words::component_names(&sources));
}

#[test]
fn programs_start_with_an_environment_of_their_own() {
    let sources = source::all(&home(), &["src"]);
    none("what Grace starts inherits nothing of her environment", &words::inherited(&sources));
}

#[test]
fn files_and_functions_are_small() {
    none("files and functions are small", &sizes::check(&source::all(&home(), &["src", "tests"])));
}

#[test]
fn every_file_says_what_it_is() {
    none("every file begins with `//!`", &house::unsaid(&source::all(&home(), &["src", "tests"])));
}

#[test]
fn nothing_is_switched_off() {
    let sources = source::all(&home(), &["src", "tests"]);
    none("no allow, no todo, no ignored test", &words::switched_off(&sources));
}

#[test]
fn the_readmes_codemap_is_the_house() {
    none("README's codemap lists lib.rs's modules", &house::codemap(&text("README.md"), &text("src/lib.rs")));
}

#[test]
fn lib_tells_the_story_from_the_ground_up() {
    none("lib.rs lists the modules by their floors", &house::story(&text("src/lib.rs")));
}

#[test]
fn the_top_level_is_short() {
    let names: Vec<String> = fs::read_dir(home())
        .expect("the house can be listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    none("the top level holds what it needs", &house::top_level(&names, &text(".gitignore")));
}

#[test]
fn every_dependency_says_why() {
    none("every dependency has a comment", &manifest::unexplained(&text("Cargo.toml")));
}
