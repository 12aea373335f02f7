//! The policy files: modes, governance, budgets, system.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::Vocabulary;
use crate::config::conditions::compile;
use crate::config::names::check_name;
use crate::config::reader::{Item, Table};
use crate::engine::System;
use crate::govern::{Backoff, Brakes, Budget, Edges, Mode, Modes, Permitted, Policy, PolicyEffect};
use crate::model::{ActKind, ModeId, PolicyId, Span, Writes};
use crate::say::Code;

/// An approval that nobody gives runs out after this long.
const EXPIRES: Span = Span::minutes(15);

pub(super) fn modes(root: &Table) -> Option<Modes> {
    let initial = root.need("initial", "name the mode Grace begins with: `initial = \"normal\"`");
    let declared = root
        .need("mode", "declare the modes: `mode.normal = { rank = 0, ... }`")
        .and_then(|item| item.table());
    root.finish();
    let names: BTreeSet<&str> = declared.iter().flat_map(Table::named).map(|(name, ..)| name).collect();
    let mut modes = BTreeMap::new();
    let mut ranks = BTreeMap::new();
    for (name, span, item) in declared.iter().flat_map(Table::named) {
        check_name("a mode", name, root.file, span);
        let Some(table) = item.table() else { continue };
        let mode = mode(&table, &names);
        if let Some(other) = ranks.insert(mode.rank, name).filter(|_| mode.rank != UNRANKED) {
            let message = format!("`{name}` has the rank of `{other}`");
            root.file.error(Code::Duplicate, table.head(), message, "each mode has a rank of its own");
        }
        modes.insert(ModeId::from(name), mode);
    }
    let item = initial?;
    let initial = mode_name(&item, &names)?;
    Some(Modes { initial, modes })
}

/// The rank of a mode whose rank cannot be read; a problem says so, and rules may still name the mode.
const UNRANKED: i64 = i64::MAX;

fn mode(table: &Table, names: &BTreeSet<&str>) -> Mode {
    let rank = table
        .need("rank", "the highest-ranked claim is the mode: `rank = 1`")
        .and_then(|item| item.whole(0..1000));
    let words = table.need("permits", "say what it permits: `permits = [\"heal\", \"control\", \"write\"]`");
    let words: Vec<&str> = words
        .map(|item| item.texts())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(item, word)| {
            if Permitted::WORDS.contains(&word) {
                return Some(word);
            }
            let message = format!("there is nothing called `{word}` to permit");
            item.file.unknown(Code::BadValue, item.span.clone(), message, (word, Permitted::WORDS));
            None
        })
        .collect();
    let writes = table.get("writes").and_then(|item| writes(&item));
    if let (true, Some(item)) = (words.contains(&"write"), table.get("writes")) {
        let help = "leave one of the two out: `writes` says what becomes of writes that are not permitted";
        item.error(Code::BadValue, "this mode permits `write`, so no write is queued or rejected", help);
    }
    let writes = if words.contains(&"write") { Writes::Allow } else { writes.unwrap_or(Writes::Reject) };
    let to = table.get("to").and_then(|item| item.table());
    let edges = |key| to.as_ref().and_then(|to| to.get(key)).map(|item| edges(&item, names));
    let (to_rule, to_person) = (edges("rule"), edges("person"));
    if let Some(to) = &to {
        to.finish();
    }
    table.finish();
    let nowhere = || Edges::To(BTreeSet::new());
    Mode {
        rank: rank.unwrap_or(UNRANKED),
        permits: Permitted { heal: words.contains(&"heal"), control: words.contains(&"control"), writes },
        to_rule: to_rule.unwrap_or_else(nowhere),
        to_person: to_person.unwrap_or_else(nowhere),
    }
}

fn writes(item: &Item) -> Option<Writes> {
    match item.text()? {
        "queue" => Some(Writes::Queue),
        "reject" => Some(Writes::Reject),
        other => {
            let known = (other, ["queue", "reject"]);
            let message = format!("writes cannot be `{other}`");
            item.file.unknown(Code::BadValue, item.span.clone(), message, known);
            None
        }
    }
}

fn edges(item: &Item, names: &BTreeSet<&str>) -> Edges {
    let words = item.texts();
    if words.iter().any(|(_, word)| *word == "*") {
        return Edges::Any;
    }
    Edges::To(words.iter().filter_map(|(item, _)| mode_name(item, names)).collect())
}

fn mode_name(item: &Item, names: &BTreeSet<&str>) -> Option<ModeId> {
    let word = item.text()?;
    if names.contains(word) {
        return Some(ModeId::from(word));
    }
    let message = format!("there is no mode `{word}`");
    item.file.unknown_name(Code::UnknownMode, item.span.clone(), message, (word, names.iter().copied()));
    None
}

pub(super) fn governance(root: &Table, modes: &[&str], components: &[&str]) -> Vec<Policy> {
    let policies = root.need("policy", "without a policy everything is denied: `policy.NAME = { ... }`");
    root.finish();
    let mut found = Vec::new();
    for (name, span, item) in policies.and_then(|item| item.table()).iter().flat_map(Table::named) {
        check_name("a policy", name, root.file, span);
        found.extend(item.table().and_then(|table| policy(name, &table, modes, components)));
    }
    found
}

fn policy(name: &str, table: &Table, modes: &[&str], components: &[&str]) -> Option<Policy> {
    let by = table.get("by").and_then(|item| item.one_of(&["rule", "person"]));
    let help = "name the acts it is about: `action = [\"restart\"]`";
    let action = table.need("action", help).map(|item| actions(&item));
    let when = table
        .get("when")
        .map(|item| compile(&item, &vocabulary(by.as_deref(), action.as_ref(), modes, components)));
    let effect = table.need("effect", "say `effect = \"allow\"`, \"review\" or \"deny\"");
    let effect = effect.and_then(|item| item.one_of(&["allow", "review", "deny"]));
    let asked = [table.get("approvers"), table.get("expires")];
    let [approvers, expires] = &asked;
    let approvers = approvers.as_ref().and_then(|item| item.whole(1..11));
    let approvers = approvers.and_then(|count| u32::try_from(count).ok());
    let expires = expires.as_ref().and_then(Item::length);
    table.finish();
    if effect.as_deref().is_some_and(|effect| effect != "review") {
        for item in asked.iter().flatten() {
            let message = format!("`{}` says nothing here: only a review asks people", item.name);
            item.error(Code::BadValue, message, "write `effect = \"review\"`, or leave it out");
        }
    }
    let effect = match effect?.as_str() {
        "allow" => PolicyEffect::Allow,
        "deny" => PolicyEffect::Deny,
        _ => PolicyEffect::Review { approvers: approvers.unwrap_or(1), expires: expires.unwrap_or(EXPIRES) },
    };
    let when = match when {
        Some(compiled) => Some(compiled?),
        None => None,
    };
    Some(Policy { id: PolicyId::from(name), by, action: action?, when, effect })
}

/// A policy about acts that have no component cannot ask for one.
fn vocabulary(
    by: Option<&str>,
    action: Option<&BTreeSet<ActKind>>,
    modes: &[&str],
    components: &[&str],
) -> Vocabulary {
    let alone = [ActKind::SetMode, ActKind::Release, ActKind::Hold, ActKind::Activate];
    let of_nothing =
        by != Some("rule") && action.is_some_and(|action| alone.iter().any(|kind| action.contains(kind)));
    Vocabulary::of_policy(modes, if of_nothing { None } else { Some(components) })
}

fn actions(item: &Item) -> BTreeSet<ActKind> {
    let words = item.texts().into_iter().filter_map(|(item, word)| {
        let kind = ActKind::ALL.into_iter().find(|kind| kind.word() == word);
        if kind.is_none() {
            let known = (word, ActKind::ALL.map(ActKind::word));
            item.file.unknown(
                Code::UnknownAction,
                item.span.clone(),
                format!("there is no act `{word}`"),
                known,
            );
        }
        kind
    });
    let kinds = words.collect();
    if item.value.as_array().is_some_and(|list| list.is_empty()) {
        item.error(
            Code::NothingToDo,
            "a policy about no act matches nothing",
            "write `action = [\"restart\"]`",
        );
    }
    kinds
}

pub(super) fn brakes(root: &Table) -> Brakes {
    let mut brakes = Brakes::default();
    let count = |table: &Table, key| {
        table.get(key).and_then(|item| item.whole(1..1001)).and_then(|count| u32::try_from(count).ok())
    };
    if let Some(table) = root.table("component") {
        if let Some(list) = table.get("budget") {
            if list.value.as_array().is_some_and(|list| list.is_empty()) {
                let help = "write `budget = [{ max = 3, within = \"10m\" }]`";
                list.error(Code::BadValue, "without a budget nothing ends a storm of tries", help);
            }
            brakes.budgets = list.items().iter().filter_map(|item| budget(item)).collect();
        }
        brakes.component_in_flight = count(&table, "in_flight").unwrap_or(brakes.component_in_flight);
        set_length(&mut brakes.slow_try, &table, "slow_try");
        table.finish();
    }
    if let Some(table) = root.table("overall") {
        brakes.overall_in_flight = count(&table, "in_flight").unwrap_or(brakes.overall_in_flight);
        brakes.overall_blocks = count(&table, "blocks").unwrap_or(brakes.overall_blocks);
        table.finish();
    }
    if let Some(table) = root.table("backoff") {
        backoff(&mut brakes.backoff, &table);
    }
    root.finish();
    brakes
}

fn set(length: &mut Span, table: &Table, key: &'static str) {
    if let Some(read) = table.get(key).and_then(|item| item.duration()) {
        *length = read;
    }
}

fn set_length(length: &mut Span, table: &Table, key: &'static str) {
    if let Some(read) = table.get(key).and_then(|item| item.length()) {
        *length = read;
    }
}

fn backoff(backoff: &mut Backoff, table: &Table) {
    set(&mut backoff.first, table, "first");
    set(&mut backoff.base, table, "base");
    set(&mut backoff.cap, table, "cap");
    set(&mut backoff.reset, table, "reset");
    if let Some(item) = table.get("jitter") {
        match item.number() {
            Some(jitter) if (0.0..=1.0).contains(&jitter) => backoff.jitter = jitter,
            Some(_) => item.error(Code::BadValue, "a jitter is a share from 0 to 1", "write `jitter = 0.25`"),
            None => {}
        }
    }
    table.finish();
    if backoff.cap < backoff.base {
        let help = "`cap` is at least as long as `base`";
        table.file.error(Code::Unverifiable, table.head(), "the backoff's cap is below its base", help);
    }
}

fn budget(item: &Item) -> Option<Budget> {
    let table = item.table()?;
    let max = table.need("max", "write `{ max = 3, within = \"10m\" }`").and_then(|item| item.whole(1..1001));
    let within = table.need("within", "write `{ max = 3, within = \"10m\" }`").and_then(|item| item.length());
    table.finish();
    Some(Budget { max: u32::try_from(max?).ok()?, within: within? })
}

/// How Grace runs where nobody says otherwise: the seed's 30 seconds, and 90 days of readings.
pub(super) fn default_system() -> System {
    System {
        interval: Span::seconds(30),
        retention: Span::minutes(90 * 24 * 60),
        crash_loop: (3, Span::minutes(10)),
        checkpoint: Span::minutes(10),
        socket_group: None,
    }
}

pub(super) fn system(root: &Table) -> System {
    let mut system = default_system();
    if let Some(item) = root.get("interval")
        && let Some(interval) = item.duration()
    {
        system.interval = interval;
        if interval < Span(100) {
            item.error(Code::BadValue, "the tick is shorter than 100ms", "the usual tick is \"30s\"");
        }
    }
    set_length(&mut system.retention, root, "retention");
    set_length(&mut system.checkpoint, root, "checkpoint");
    if let Some(table) = root.table("crash_loop") {
        let max =
            table.get("max").and_then(|item| item.whole(1..1001)).and_then(|max| u32::try_from(max).ok());
        system.crash_loop.0 = max.unwrap_or(system.crash_loop.0);
        set_length(&mut system.crash_loop.1, &table, "within");
        table.finish();
    }
    system.socket_group = root.get("socket_group").and_then(|item| item.text().map(str::to_owned));
    root.finish();
    system
}
