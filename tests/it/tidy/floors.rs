//! The house's floors. Imports go down only; modules on one floor do not know each other.

use std::collections::{BTreeMap, BTreeSet};

use super::paths;
use super::source::Source;

/// From the ground up. What shares a floor does not import each other.
pub(super) const FLOORS: &[&[&str]] = &[
    &["say"],
    &["model"],
    &["condition"],
    &["evaluate", "figures", "govern"],
    &["engine"],
    &["config"],
    &["store"],
    &["record"],
    &["replay", "services"],
    &["components"],
    &["probe", "act"],
    &["supervisor"],
    &["api"],
    &["client"],
    &["cli"],
    &["main"],
];

/// What must not be reachable, not even through others: a test or a replay can never restart anything.
const ABSENCES: &[(&str, &[&str])] = &[
    ("replay", &["act", "probe", "services", "components"]),
    ("evaluate", &["govern"]),
    ("govern", &["evaluate"]),
];

pub(super) fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Who imports whom, and where.
fn imports(source: &Source) -> Vec<(usize, Result<String, String>)> {
    let mut found = Vec::new();
    for named in paths::all(source) {
        let target = match named.first_two() {
            Some(("super", "super")) => Err("climbs with `super::super`; write `crate::`".to_owned()),
            Some(("crate" | "grace", module)) => Ok(module.to_owned()),
            Some(("super", module)) if source.is_root() => Ok(module.to_owned()),
            _ => continue,
        };
        found.push((named.line, target));
    }
    found
}

/// Every import that does not go down.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/lib.rs") {
        let own = source.module();
        let Some(here) = floor(own) else {
            breaches.push(format!("{}: `{own}` has no floor", source.path));
            continue;
        };
        for (line, target) in imports(source) {
            let problem = match target {
                Ok(target) if target == own => continue,
                Ok(target) => match floor(&target) {
                    None => format!("`{target}` has no floor"),
                    Some(there) if there > here => format!("{own} imports {target}, which is above it"),
                    Some(there) if there == here => format!("{own} imports its sibling {target}"),
                    Some(_) => continue,
                },
                Err(problem) => problem,
            };
            breaches.push(format!("{}: {problem}", source.at(line)));
        }
    }
    breaches
}

/// Every forbidden module that can be reached all the same.
pub(super) fn absences(sources: &[Source]) -> Vec<String> {
    let mut graph: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let targets = imports(source).into_iter().filter_map(|(_, target)| target.ok());
        graph.entry(source.module()).or_default().extend(targets);
    }
    let mut breaches = Vec::new();
    for (from, forbidden) in ABSENCES {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let mut todo = vec![((*from).to_owned(), (*from).to_owned())];
        while let Some((module, way)) = todo.pop() {
            if seen.contains_key(&module) {
                continue;
            }
            for next in graph.get(module.as_str()).into_iter().flatten() {
                todo.push((next.clone(), format!("{way} -> {next}")));
            }
            seen.insert(module, way);
        }
        let reached = forbidden.iter().filter_map(|module| seen.get(*module));
        breaches.extend(reached.map(|way| format!("{from} must not reach it: {way}")));
    }
    breaches
}

#[test]
fn every_wrong_import_is_found() {
    for (path, code, says) in [
        ("src/evaluate/mod.rs", "use crate::govern::Desk;", "evaluate imports its sibling govern"),
        ("src/model/act.rs", "use crate::{say::Code, engine};", "model imports engine, which is above it"),
        ("src/say/x.rs", "fn a() { crate::config::load() }", "say imports config, which is above it"),
        ("src/probe/a/b.rs", "fn a(_: &crate::act::Hands) {}", "probe imports its sibling act"),
        ("src/engine.rs", "use super::record;", "engine imports record, which is above it"),
        ("src/act/heal/x.rs", "use super::super::Hands;", "climbs with `super::super`"),
        ("src/utils.rs", "", "`utils` has no floor"),
        ("src/cli/run.rs", "use crate::helpers::x;", "`helpers` has no floor"),
    ] {
        let found = check(&[Source::new(path, code)]);
        assert!(found.len() == 1 && found[0].contains(says), "{path}: {found:?}");
    }
}

#[test]
fn a_right_import_is_no_breach() {
    let code = "//! See crate::act.\nuse crate::model::Act;\nuse crate::govern::desk;\n\
                #[cfg(test)]\nmod tests {\n    use crate::config::load;\n}\n";
    assert_eq!(check(&[Source::new("src/govern/x.rs", code)]), Vec::<String>::new());
    assert_eq!(check(&[Source::new("src/main.rs", "use grace::cli;")]), Vec::<String>::new());
}

#[test]
fn a_way_round_the_floors_is_found() {
    let files = [
        Source::new("src/replay/mod.rs", "use crate::record::x;"),
        Source::new("src/record/mod.rs", "use crate::components::y;"),
    ];
    let found = absences(&files);
    assert_eq!(found, ["replay must not reach it: replay -> record -> components"]);
}
