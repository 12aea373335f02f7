//! What a test can expect or forbid.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::reader::{Item, Table};
use crate::evaluate::What;
use crate::model::{Record, Status};
use crate::replay::words::Names;
use crate::say::Code;

/// What can be expected or forbidden; everything named has to hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) status: Option<Status>,
    pub(super) failures: Option<u32>,
    pub(super) mode: Option<String>,
    pub(super) blocked: Option<bool>,
    pub(super) act: Option<String>,
    pub(super) attempt: Option<u32>,
    pub(super) outcome: Option<String>,
    pub(super) result: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) why: Option<String>,
    pub(super) event: Option<String>,
    pub(super) task: Option<String>,
    pub(super) writes: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) notify: Option<String>,
    pub(super) recommend: Option<String>,
    pub(super) shadow: Option<String>,
    /// Where the value of each key stands, for those who write it anew.
    pub(super) spans: BTreeMap<&'static str, Range<usize>>,
}

/// The keys that an expectation can have besides its time and its component.
const KEYS: [&str; 17] = [
    "status",
    "failures",
    "mode",
    "blocked",
    "act",
    "attempt",
    "outcome",
    "result",
    "verdict",
    "why",
    "event",
    "task",
    "writes",
    "policy",
    "notify",
    "recommend",
    "shadow",
];

/// Reads what a table wants.
pub(super) fn wanted(names: &Names, table: &Table) -> Wanted {
    let text = |key| table.get(key).and_then(|item| item.text().map(str::to_owned));
    let count = |key| {
        table.get(key).and_then(|item| item.whole(0..1_000_000)).and_then(|count| u32::try_from(count).ok())
    };
    Wanted {
        status: table.get("status").and_then(|item| status(&item)),
        failures: count("failures"),
        mode: table.get("mode").and_then(|item| names.mode(&item)),
        blocked: table.get("blocked").and_then(|item| item.truth()),
        act: table.get("act").and_then(|item| act(&item)),
        attempt: count("attempt"),
        outcome: table.get("outcome").and_then(|item| item.one_of(&OUTCOMES)),
        result: table.get("result").and_then(|item| item.one_of(&["success", "failed"])),
        verdict: table.get("verdict").and_then(|item| item.one_of(&["allow", "review", "deny", "wait"])),
        why: text("why"),
        event: table.get("event").and_then(|item| event(names, &item)),
        task: text("task"),
        writes: table.get("writes").and_then(|item| item.one_of(&["allow", "queue", "reject"])),
        policy: table.get("policy").and_then(|item| policy(names, &item)),
        notify: table.get("notify").and_then(|item| receiver(names, &item)),
        recommend: text("recommend"),
        shadow: table.get("shadow").and_then(|item| shadow(names, &item)),
        spans: KEYS.iter().filter_map(|key| Some((*key, table.get(key)?.span))).collect(),
    }
}

impl Wanted {
    /// Complains of an expectation that expects nothing, unless `before` other problems came to more.
    pub(super) fn complain(&self, table: &Table, before: usize) {
        if table.file.problems.len() > before {
            return;
        }
        if self.spans.is_empty() {
            let help =
                "name at least one of status, failures, mode, act, outcome, verdict, event, task, blocked";
            table.file.error(Code::EmptyTest, table.head(), "nothing is expected here", help);
        }
        if let (None, Some(attempt)) = (&self.act, self.spans.get("attempt")) {
            let help = "name the act: `act = \"restart\"`";
            table.file.error(Code::EmptyTest, attempt.clone(), "a try of which act?", help);
        }
    }
}

/// A policy of the generation; another could never decide anything.
fn policy(names: &Names, item: &Item) -> Option<String> {
    item.one_of(&names.bundle.policies.policies.iter().map(|policy| policy.id.as_str()).collect::<Vec<_>>())
}

fn receiver(names: &Names, item: &Item) -> Option<String> {
    item.one_of(
        &names.bundle.notify.receivers.keys().map(crate::model::ReceiverId::as_str).collect::<Vec<_>>(),
    )
}

/// A type of event that can happen: one of Grace's own, or one that a rule announces.
fn event(names: &Names, item: &Item) -> Option<String> {
    let rules = names.bundle.components.values().flat_map(|component| &component.rules);
    let announced =
        rules.flat_map(|rule| rule.acts.iter().chain(&rule.on_failure)).filter_map(|item| match &item.what {
            What::Event(event) => Some(event.as_str()),
            _ => None,
        });
    item.one_of(&Record::EVENTS.iter().copied().chain(announced).collect::<Vec<_>>())
}

/// Something that a shadow rule of the generation wants; nothing else could be told of one.
fn shadow(names: &Names, item: &Item) -> Option<String> {
    let rules = names.bundle.components.values().flat_map(|component| &component.rules);
    let wanted: Vec<String> =
        rules.filter(|rule| rule.shadow).flat_map(crate::evaluate::Rule::wants).collect();
    item.one_of(&wanted.iter().map(String::as_str).collect::<Vec<_>>())
}

const OUTCOMES: [&str; 8] =
    ["healed", "healed_by_itself", "no_effect", "worse", "relapsed", "failed", "timed_out", "unknown"];

fn status(item: &Item) -> Option<Status> {
    let word = item.one_of(&Status::ALL.map(Status::word))?;
    Status::ALL.into_iter().find(|status| status.word() == word)
}

/// What hands do, as the journal words it: `restart`, `scale 3`, or several behind commas. Another word could
/// never happen, and to forbid it would forbid nothing.
fn act(item: &Item) -> Option<String> {
    let text = item.text()?;
    let fine = |step: &str| {
        step == "restart" || step.strip_prefix("scale ").is_some_and(|count| count.parse::<u32>().is_ok())
    };
    if text.split(", ").all(fine) {
        return Some(text.to_owned());
    }
    item.error(Code::UnknownAction, format!("there is no act `{text}`"), "write `restart` or `scale 3`");
    None
}
