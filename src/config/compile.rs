//! From texts to a bundle: read every file once, then compile what speaks of other files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeTable;

use crate::condition::Vocabulary;
use crate::config::conditions::compile as condition;
use crate::config::draft::{Draft, Each};
use crate::config::files::Texts;
use crate::config::known::{Can, Known};
use crate::config::lint::{self, Set};
use crate::config::reader::{File, Problems, Table, parse};
use crate::config::{access, policies, receivers, rules};
use crate::engine::Bundle;
use crate::evaluate::{Component, Rule};
use crate::govern::{Access, Brakes, Policies};
use crate::model::{ComponentId, FactId, FactNames, GenerationId, ModeId, Type, builtin};
use crate::say::{Code, Diagnostic, Place, suggest};

const POLICY_FILES: [&str; 6] = ["modes", "governance", "budgets", "system", "notify", "access"];

type Parsed<'a> = BTreeMap<&'a str, (File<'a>, Spanned<DeTable<'a>>)>;

/// The bundle that these texts make, unless a problem is fatal.
///
/// `unread` says that files could not be read: what refers to something that is not there may then be right.
/// `young` ones are looked at for what cannot be meant.
pub(super) fn compile(texts: &Texts, (unread, young): (bool, bool), problems: &Problems) -> Option<Bundle> {
    let file = |name, text| File { name, text, problems };
    let all: Vec<(&str, File)> = texts.iter().map(|(name, text)| (&**name, file(name, text))).collect();
    let parsed = parsed(&all);
    let whole = parsed.len() == all.len() && !unread;
    let root = |name: &str| parsed.get(name).map(|(file, table)| root_of(*file, table));
    check_policy_names(&parsed);
    let drafts = drafts(&parsed);
    let components: Vec<&str> =
        drafts.iter().filter(|draft| draft.each == Each::No).map(|draft| draft.id.as_str()).collect();
    // A file with syntax errors says nothing: what refers to it would only raise false alarms.
    let before = problems.len();
    let modes = root("policies/modes.toml").and_then(|root| policies::modes(&root));
    let modes_fine = problems.len() == before;
    let mode_names: Vec<&str> =
        modes.iter().flat_map(|modes| modes.modes.keys()).map(ModeId::as_str).collect();
    let seen = if whole { components.as_slice() } else { &[] };
    let before = problems.len();
    let governance =
        root("policies/governance.toml").map(|root| policies::governance(&root, &mode_names, seen));
    let governance_fine = problems.len() == before;
    let brakes = read_or(root("policies/budgets.toml"), Brakes::default, policies::brakes);
    let system = read_or(root("policies/system.toml"), policies::default_system, policies::system);
    let notify = read_or(root("policies/notify.toml"), Default::default, receivers::notify);
    let access = read_or(root("policies/access.toml"), Access::default, access::access);
    if whole {
        need(texts, problems);
    }
    if components.is_empty() && whole {
        let found = Diagnostic::error(Code::NoRules, "there is no rule file that declares a component");
        problems.push(found.help("a component's story is one file: `rules/<id>.toml`"));
    }
    // What a broken file declares is not known, so nothing that refers to it is wrong.
    let broken = |name: &str| !parsed.contains_key(name) && (texts.contains_key(name) || unread);
    let known = Known {
        modes: modes.as_ref().map(|modes| modes.modes.keys().cloned().collect()),
        lowest: modes.as_ref().map(|modes| modes.lowest().clone()),
        receivers: (!broken("policies/notify.toml")).then(|| notify.receivers.keys().cloned().collect()),
        all_components: whole && drafts.iter().all(|draft| draft.hidden.is_empty()),
        ..Known::default()
    };
    let components = build(&drafts, &known, &mode_names, young);
    if whole {
        check_circles(&drafts);
    }
    if young {
        let set = Set {
            drafts: &drafts,
            components: &components,
            modes: modes.as_ref().filter(|_| modes_fine),
            policies: governance.as_deref().filter(|_| governance_fine),
            brakes: &brakes,
            system: &system,
            access: &access,
            root: &root,
            whole: whole && problems.len() == 0,
        };
        lint::check(&set);
    }
    Some(Bundle {
        generation: digest(texts),
        files: texts.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect(),
        components,
        policies: Policies { modes: modes?, policies: governance?, brakes },
        system,
        access,
        notify,
    })
}

/// Those that are TOML.
fn parsed<'a>(all: &[(&'a str, File<'a>)]) -> Parsed<'a> {
    all.iter().filter_map(|(name, file)| Some((*name, (*file, parse(*file)?)))).collect()
}

/// What a file says, or what holds without it.
fn read_or<T>(root: Option<Table>, usual: impl FnOnce() -> T, read: impl FnOnce(&Table) -> T) -> T {
    root.map_or_else(usual, |root| read(&root))
}

fn root_of<'a>(file: File<'a>, table: &'a Spanned<DeTable<'a>>) -> Table<'a> {
    Table::new(file, "", table.get_ref(), table.span())
}

/// The digest that names a generation: of the files' names and texts, each with its length before it.
pub(super) fn digest(texts: &Texts) -> GenerationId {
    let mut hash = Sha256::new();
    for part in texts.iter().flat_map(|(name, text)| [name, text]) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    GenerationId::from(hex::encode(hash.finalize()))
}

fn drafts<'a>(parsed: &'a Parsed<'a>) -> Vec<Draft<'a>> {
    let rules = parsed
        .iter()
        .filter_map(|(name, parsed)| Some((name.strip_prefix("rules/")?.strip_suffix(".toml")?, parsed)));
    rules.map(|(stem, (file, table))| Draft::read(&root_of(*file, table), stem)).collect()
}

fn check_policy_names(parsed: &Parsed) {
    for (name, (file, _)) in parsed {
        let Some(stem) = name.strip_prefix("policies/").and_then(|name| name.strip_suffix(".toml")) else {
            continue;
        };
        if !POLICY_FILES.contains(&stem) {
            let message = format!("`{stem}.toml` is no policy file");
            let names = POLICY_FILES.map(|name| format!("{name}.toml"));
            let help = suggest(&format!("{stem}.toml"), names.iter().map(String::as_str));
            file.error(Code::UnknownKey, 0..0, message, help);
        }
    }
}

fn need(texts: &Texts, problems: &Problems) {
    for (file, says) in [
        ("modes", "which modes there are"),
        ("governance", "who may do what; without it everything is denied"),
    ] {
        let name = format!("policies/{file}.toml");
        if !texts.contains_key(name.as_str()) {
            let found = Diagnostic::error(Code::MissingKey, format!("there is no `{name}`"));
            problems.push(found.help(format!("it says {says}")));
        }
    }
}

/// Compiles every component with its rules and those written for each component.
fn build(drafts: &[Draft], known: &Known, modes: &[&str], young: bool) -> BTreeMap<ComponentId, Component> {
    let facts: BTreeMap<ComponentId, BTreeMap<FactId, Type>> = drafts
        .iter()
        .filter(|draft| draft.each == Each::No)
        .map(|draft| (draft.id.clone(), draft.facts.clone()))
        .collect();
    // A generation that ran may name a component that is gone since.
    let names = (young && known.all_components).then(|| Type::words(facts.keys().map(ComponentId::as_str)));
    let others = Arc::new(facts);
    let (each, own): (Vec<&Draft>, Vec<&Draft>) = drafts.iter().partition(|draft| draft.each != Each::No);
    let mut built = BTreeMap::new();
    let mut rows = BTreeSet::new();
    for draft in own {
        let names_of_facts = row(&mut rows, draft);
        let seen = |mut seen: Vocabulary, thresholds: &Draft| {
            draft.facts.iter().for_each(|(fact, kind)| seen.fact(fact, kind.clone()));
            seen.in_row(&names_of_facts);
            seen.changes(&draft.changes);
            thresholds.thresholds.iter().for_each(|(name, value)| seen.threshold(name, value.clone()));
            draft.hidden.iter().chain(&thresholds.hidden).for_each(|beginning| seen.hide(beginning));
            if !known.all_components {
                seen.hide_others();
            }
            seen
        };
        let status = seen(Vocabulary::of_status(), draft);
        let known = Known { workers: draft.workers, can: can(draft), ..known.clone() };
        let words = |file: &Draft| {
            let mut words = seen(Vocabulary::of_rule(modes, Arc::clone(&others)), file);
            if let Some(names) = &names {
                words.components(names);
            }
            words
        };
        let rules = rules_of(draft, &each, &words, &known);
        let component = Component {
            id: draft.id.clone(),
            label: draft.label.clone().unwrap_or_else(|| draft.id.spaced()),
            tier: draft.tier,
            protected: draft.protected,
            windows: draft.windows.clone(),
            depends_on: draft.depends_on.iter().map(|(_, id)| id.clone()).collect(),
            workers: draft.workers,
            control: draft.control.clone(),
            probes: draft.probes.clone(),
            facts: draft.facts.clone(),
            names: names_of_facts,
            critical: draft.critical.as_ref().and_then(|item| condition(item, &status)),
            warn: draft.warn.as_ref().and_then(|item| condition(item, &status)),
            rules,
        };
        built.insert(draft.id.clone(), component);
    }
    share(&mut built);
    built
}

/// A component's rules, with those that are written for each component and for each of its rules that heals.
fn rules_of(own: &Draft, each: &[&Draft], words: &dyn Fn(&Draft) -> Vocabulary, known: &Known) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let of_components = each.iter().copied().filter(|file| file.each == Each::Component);
    for file in std::iter::once(own).chain(of_components) {
        let words = words(file);
        for (name, span, table) in &file.rules {
            let Some(rule) = rules::read(name, table, &words, known) else { continue };
            if let Some(other) = rules.iter().find(|other| other.id == rule.id) {
                let message =
                    format!("component `{}` has a rule `{name}` already, in {}", own.id, other.file);
                table.file.error(Code::Duplicate, span.clone(), message, "give one of them another name");
            }
            rules.push(rule);
        }
    }
    let of_healings = each.iter().filter(|file| file.each == Each::Healing);
    let made: Vec<Rule> = of_healings.flat_map(|file| healings(file, &rules, &words(file), known)).collect();
    rules.extend(made);
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}

/// The rules of a file that are written for each rule that heals.
fn healings(file: &Draft, rules: &[Rule], words: &Vocabulary, known: &Known) -> Vec<Rule> {
    let mut made: Vec<Rule> = Vec::new();
    for healing in rules.iter().filter(|rule| rule.heals() && !rule.shadow) {
        let mut words = words.clone();
        words.healing(&healing.id);
        let known = Known { healing: Some(healing.id.clone()), ..known.clone() };
        made.extend(
            file.rules.iter().filter_map(|(name, _, table)| rules::read(name, table, &words, &known)),
        );
    }
    made
}

/// The names of a component's facts, which it has in common with all that have the same.
fn row(known: &mut BTreeSet<FactNames>, draft: &Draft) -> FactNames {
    let names: FactNames = draft.facts.keys().cloned().collect();
    let row = known.get(&names).cloned().unwrap_or(names);
    known.insert(row.clone());
    row
}

/// Lets components that are watched alike have their conditions in common.
fn share(components: &mut BTreeMap<ComponentId, Component>) {
    let mut known = BTreeMap::new();
    for component in components.values_mut() {
        let rules = component.rules.iter_mut().map(|rule| &mut rule.when);
        let statuses = component.critical.iter_mut().chain(&mut component.warn);
        statuses.chain(rules).for_each(|condition| condition.share(&mut known));
    }
}

/// What can be done to the component: Grace's own parts know themselves what they can.
fn can(draft: &Draft) -> Can {
    match &draft.control {
        _ if builtin(draft.id.as_str()).is_some() => Can::Scale,
        Some(control) if !control.has_workers() => Can::Restart,
        // A probe that cannot be read may have meant a part of Grace.
        None if !draft.controlled && draft.hidden.is_empty() => Can::Nothing,
        Some(_) | None => Can::Scale,
    }
}

/// Components that wait for each other would wait for ever.
fn check_circles(drafts: &[Draft]) {
    let needs: BTreeMap<&ComponentId, Vec<&ComponentId>> =
        drafts.iter().map(|draft| (&draft.id, draft.depends_on.iter().map(|(_, id)| id).collect())).collect();
    for draft in drafts.iter().filter(|draft| draft.each == Each::No) {
        for (item, id) in &draft.depends_on {
            let known = drafts
                .iter()
                .filter(|other| other.each == Each::No && other.id != draft.id)
                .map(|other| other.id.as_str());
            if !drafts.iter().any(|other| other.each == Each::No && other.id == *id) {
                let message = format!("there is no component `{id}`");
                item.file.unknown_name(
                    Code::UnknownComponent,
                    item.span.clone(),
                    message,
                    (id.as_str(), known),
                );
            } else if let Some(way) = way(&needs, id, &draft.id) {
                let message = format!("`{}` would wait for itself: {} -> {way}", draft.id, draft.id);
                item.error(Code::Circle, message, "leave one of these dependencies out");
            }
        }
    }
}

/// The shortest way from one component to another along what they depend on: `a -> b -> c`.
fn way(
    needs: &BTreeMap<&ComponentId, Vec<&ComponentId>>,
    from: &ComponentId,
    to: &ComponentId,
) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut todo = VecDeque::from([(from, from.to_string())]);
    while let Some((id, way)) = todo.pop_front() {
        if id == to {
            return Some(way);
        }
        if seen.insert(id) {
            todo.extend(needs.get(id).into_iter().flatten().map(|next| (*next, format!("{way} -> {next}"))));
        }
    }
    None
}

/// A file that is a proper prefix of its active text was cut off while it was written.
pub(super) fn check_cut_off(texts: &Texts, active: &BTreeMap<String, String>, problems: &Problems) {
    for (name, text) in texts {
        let Some(before) = active.get(&**name) else { continue };
        if text.len() < before.len() && before.starts_with(&**text) {
            let found = Diagnostic::error(Code::CutOff, "is the beginning of the active file and then stops");
            let place = Place::new(name, text.len()..text.len());
            problems.push(found.at(place).help("if that is meant, change something before the end as well"));
        }
    }
}
