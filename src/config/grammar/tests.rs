//! The grammar and the reader know the same keys and words. Samples are made of the grammar, the reader reads them,
//! and both sides are compared: a key that only one of them knows fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{FileKind, Names, Shape, Table, rules};
use crate::config::reader::asked_in_tests;
use crate::config::{self, Folder};
use crate::evaluate::Text;
use crate::say::{Code, Report};

/// A word that is none anywhere.
const NONSENSE: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";

/// How words are written in a sample.
type Say = fn(&[&'static str]) -> &'static str;

/// Every way to write the value, each at least once; `key` names what people name.
fn ways(key: &str, shape: &Shape, say: Say) -> Vec<String> {
    match shape {
        Shape::Text(text) | Shape::Pattern(_, text) | Shape::Duration(text) | Shape::Size(text) => {
            vec![format!("{text:?}")]
        }
        Shape::Words(words) => vec![format!("{:?}", say(words))],
        Shape::Truth => vec!["true".into()],
        Shape::Whole(from, _) => vec![from.to_string()],
        Shape::Number(from, _) => vec![format!("{from:?}")],
        Shape::Condition(_) => vec!["'1 == 1'".into()],
        Shape::Reading | Shape::Threshold => vec!["1".into()],
        Shape::List(item, _) => vec![format!("[{}]", ways(key, item, say).join(", "))],
        Shape::Table(table) => {
            tables(table, say).iter().map(|table| format!("{{ {} }}", table.join(", "))).collect()
        }
        Shape::Any(shapes) => shapes.iter().flat_map(|shape| ways(key, shape, say)).collect(),
        Shape::Named(names, inside) => {
            let name = |at| match names {
                Names::Facts => format!("\"ping.{key}_{at}\""),
                _ => format!("{key}_{at}"),
            };
            let entries = ways(key, inside, say).into_iter().enumerate();
            let entries: Vec<String> = entries.map(|(at, way)| format!("{} = {way}", name(at))).collect();
            vec![format!("{{ {} }}", entries.join(", "))]
        }
    }
}

/// Tables that hold every key of every form in every way, as lines.
fn tables(table: &Table, say: Say) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for form in &table.forms {
        let ways: Vec<(&str, Vec<String>)> =
            form.keys.iter().map(|key| (key.name, ways(key.name, &key.shape, say))).collect();
        let most = ways.iter().map(|(_, ways)| ways.len()).max().unwrap_or(0);
        for at in 0..most {
            found.push(ways.iter().map(|(key, ways)| format!("{key} = {}", ways[at % ways.len()])).collect());
        }
    }
    found
}

/// The keys of every table in the shape, by the table's name.
fn keys(name: &str, shape: &Shape, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    match shape {
        Shape::Table(table) => {
            for key in table.forms.iter().flat_map(|form| &form.keys) {
                found.entry(name.to_owned()).or_default().insert(key.name);
                keys(key.name, &key.shape, found);
            }
        }
        Shape::List(inside, _) | Shape::Named(_, inside) => keys(name, inside, found),
        Shape::Any(shapes) => shapes.iter().for_each(|shape| keys(name, shape, found)),
        _ => {}
    }
}

fn words(shape: &Shape, found: &mut BTreeSet<BTreeSet<&'static str>>) {
    match shape {
        Shape::Words(words) => {
            found.insert(words.iter().copied().collect());
        }
        Shape::Table(table) => {
            table.forms.iter().flat_map(|form| &form.keys).for_each(|key| words(&key.shape, found));
        }
        Shape::List(inside, _) | Shape::Named(_, inside) => words(inside, found),
        Shape::Any(shapes) => shapes.iter().for_each(|shape| words(shape, found)),
        _ => {}
    }
}

/// Lays out samples of every kind of file and has them read; what was asked for is noted meanwhile.
fn read(say: Say) -> Report {
    let mut files = BTreeMap::new();
    for (kind, _, pattern) in FileKind::ALL.into_iter().filter(|(kind, ..)| *kind != FileKind::Test) {
        for (at, lines) in tables(&kind.table(), say).into_iter().enumerate() {
            // Each policy file is one, and has one form.
            files.insert(pattern.replace('*', &format!("sample_{at}")), lines.join("\n"));
        }
    }
    match Folder::of(&files).compile(None) {
        Ok(loaded) => loaded.report,
        Err(report) => *report,
    }
}

/// The same for test files, which are read where all others are right.
fn read_tests(say: Say) -> Report {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("a folder");
    for part in ["rules", "policies"] {
        fs::create_dir(dir.path().join(part)).expect("made");
        for entry in fs::read_dir(home.join(part)).expect(part).flatten() {
            if !entry.file_name().to_string_lossy().ends_with(".test.toml") {
                fs::copy(entry.path(), dir.path().join(part).join(entry.file_name())).expect("copied");
            }
        }
    }
    for (at, lines) in tables(&FileKind::Test.table(), say).into_iter().enumerate() {
        fs::write(dir.path().join(format!("rules/sample_{at}.test.toml")), lines.join("\n"))
            .expect("written");
    }
    crate::replay::run_tests(dir.path(), None).report
}

fn kind_of(file: &str) -> FileKind {
    FileKind::of_path(Path::new(file)).expect(file)
}

#[test]
fn the_reader_knows_every_key_of_the_grammar_and_the_grammar_every_key_of_the_reader() {
    asked_in_tests::take();
    let first: Say = |words| words[0];
    let mut unknown = read(first).diagnostics;
    let mut asked = asked_in_tests::take();
    unknown.extend(read_tests(first).diagnostics);
    // Below the tests lie the shipped files, with names of their own.
    asked.extend(asked_in_tests::take().into_iter().filter(|((file, _), _)| file.ends_with(".test.toml")));
    unknown.retain(|found| found.code == Code::UnknownKey || found.code == Code::Syntax);
    assert!(unknown.is_empty(), "the reader does not know: {unknown:#?}");

    let mut grammar: BTreeMap<FileKind, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for (kind, ..) in FileKind::ALL {
        keys("", &Shape::Table(kind.table()), grammar.entry(kind).or_default());
    }
    let mut met: BTreeSet<(FileKind, String)> = BTreeSet::new();
    for ((file, table), keys) in &asked {
        let kind = kind_of(file);
        let name = table.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
        let known = grammar[&kind].get(name);
        let known = known.unwrap_or_else(|| panic!("the grammar has no table `{table}` in {file}"));
        let more: Vec<_> = keys.difference(known).collect();
        assert!(more.is_empty(), "{file}: the grammar does not know {more:?} in `{table}`");
        met.insert((kind, name.to_owned()));
    }
    for (kind, tables) in &grammar {
        for name in tables.keys() {
            // Bounds are read as what people name, and each that is unknown is an error of its own.
            assert!(
                name == "limits" || met.contains(&(*kind, name.clone())),
                "the reader never read `{name}` of {kind:?}"
            );
        }
    }
}

#[test]
fn the_reader_and_the_grammar_have_the_same_words() {
    let say: Say = |words| if let [only] = words { only } else { NONSENSE };
    let mut reports = read(say).diagnostics;
    reports.extend(read_tests(say).diagnostics);
    let listed = |help: &str| -> Option<BTreeSet<String>> {
        let list = help.strip_prefix("there is: ")?;
        Some(list.split(", ").map(|word| word.trim_matches('`').to_owned()).collect())
    };
    let read: BTreeSet<BTreeSet<String>> =
        reports.iter().filter_map(|found| listed(found.help.as_ref()?)).collect();
    let mut grammar = BTreeSet::new();
    for (kind, ..) in FileKind::ALL {
        words(&Shape::Table(kind.table()), &mut grammar);
    }
    // An action is a word or a table, and the reader answers with both.
    let actions: BTreeSet<&str> = BTreeSet::from(["restart", "block"]);
    assert!(grammar.remove(&actions), "the actions in one word");
    for words in grammar.iter().filter(|words| words.len() > 1) {
        let words: BTreeSet<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert!(read.contains(&words), "the reader has other words than {words:?}:\n{read:#?}");
    }
    let tables = ["scale", "set_mode", "notify", "event", "task", "recommend"];
    let all: BTreeSet<String> = actions.into_iter().chain(tables).map(str::to_owned).collect();
    assert!(read.contains(&all), "the reader has other actions than {all:?}:\n{read:#?}");
}

#[test]
fn a_text_knows_the_names_that_its_pattern_lets_in() {
    assert!(rules::TEMPLATE.contains(&format!("({})", Text::NAMES.join("|"))), "{:?}", Text::NAMES);
}

#[test]
fn the_duration_of_an_example_is_one() {
    fn check(shape: &Shape) {
        match shape {
            Shape::Duration(text) => assert!(config::duration(text).is_some(), "{text}"),
            Shape::Table(table) => {
                table.forms.iter().flat_map(|form| &form.keys).for_each(|key| check(&key.shape));
            }
            Shape::List(inside, _) | Shape::Named(_, inside) => check(inside),
            Shape::Any(shapes) => shapes.iter().for_each(check),
            _ => {}
        }
    }
    for (kind, ..) in FileKind::ALL {
        check(&Shape::Table(kind.table()));
    }
}
