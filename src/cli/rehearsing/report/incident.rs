//! One incident as a page: what it came to, what happened, why each act was made, and what else was considered.

use crate::cli::rehearsing::report::page::{Block, Page};
use crate::model::Span;
use crate::replay::explain::{Explanation, shown};
use crate::replay::incident::{Aftermath, Considered, Event, Explained, LeftOut, Unexplained};

/// So much of a text that others wrote is shown.
const SHOWN: usize = 400;

pub(super) fn page(told: &Aftermath) -> Page {
    let word = if told.left { "left open at" } else { "ended at" };
    let ended = told.ended.as_ref().map_or("still open".to_owned(), |ended| format!("{word} {ended}"));
    let mut lines = vec![format!("Began at {}, {ended}. Times are Grace's own.", told.began)];
    if told.cut {
        lines.push("There is more than is told here; the journal holds all of it.".into());
    }
    let mut blocks = vec![came_to(told), timeline(told)];
    let mut acts: Vec<Block> = told.acts.iter().map(act).collect();
    if let Some(left) = &told.unexplained {
        acts.insert(left.after.min(acts.len()), unexplained(left));
    }
    blocks.extend(acts);
    blocks.push(considered(told));
    Page { title: format!("Incident {} of {}", told.incident, told.component), lines, blocks }
}

pub(super) fn short(told: &Aftermath) -> String {
    let line = |one: &Event| format!("{} {}", one.at, cut(&one.what));
    let mut lines: Vec<String> = told.timeline.iter().map(line).collect();
    if let Some(left_out) = &told.left_out {
        lines.insert(left_out.after.min(lines.len()), format!("... {}", middle(left_out)));
    }
    lines.join("\n")
}

/// How much of the middle is left out.
fn middle(left_out: &LeftOut) -> String {
    let unread = if left_out.unread > 0 {
        format!(" and {} entries that were not read", left_out.unread)
    } else {
        String::new()
    };
    format!("{} things{unread} are left out here", left_out.things)
}

fn came_to(told: &Aftermath) -> Block {
    let mut rows = Vec::new();
    if let Some(found) = &told.figures {
        let mut row = |name: &str, length: Option<Span>| {
            rows.push(vec![name.to_owned(), length.map_or_else(|| "-".into(), |length| length.to_string())]);
        };
        row("down", Some(found.down_s));
        row("planned", Some(found.planned_s));
        row("unknown", Some(found.unknown_s));
        row("unobserved", Some(found.unobserved_s));
        // What is open has no length yet.
        if told.ended.is_some() {
            row("detection, at most", found.detection.mean_s);
            row("reaction: first act", found.reaction.mean_s);
            row("healing: intent to well", found.healing.mean_s);
            row("recovery", found.recovery.mean_s);
        }
        row("downtime caused by acts", Some(found.downtime_caused_s));
    }
    let open = told.ended.is_none().then(|| {
        "It is open: detection, reaction, healing and recovery are told when it has ended.".to_owned()
    });
    let lines = open.into_iter().collect();
    Block { title: "What it came to".into(), head: vec!["figure", "time"], rows, lines }
}

fn timeline(told: &Aftermath) -> Block {
    let row = |one: &Event| {
        let by = one.by.as_deref().unwrap_or("-");
        vec![one.at.clone(), one.seq.to_string(), cut(&one.what), cut(by), cut(&one.detail)]
    };
    let mut rows: Vec<Vec<String>> = told.timeline.iter().map(row).collect();
    if let Some(left_out) = &told.left_out {
        let said = ["...", "...", &middle(left_out), "-", ""].map(str::to_owned).to_vec();
        rows.insert(left_out.after.min(rows.len()), said);
    }
    let head = vec!["time", "entry", "what", "by", "detail"];
    Block { title: "What happened".into(), head, rows, lines: Vec::new() }
}

fn act(one: &Explained) -> Block {
    let title = format!("Why act {} was made", one.act);
    let Some(told) = &one.explanation else {
        let lacks = one.lacks.as_deref().unwrap_or("nothing is known of it");
        return Block { title, lines: vec![cut(lacks)], ..Block::default() };
    };
    let mut lines = vec![cut(&told.summary)];
    lines.extend(told.why.iter().map(|why| cut(why)));
    lines.extend(
        told.gates
            .iter()
            .filter(|gate| gate.decided || gate.until.is_some())
            .map(|gate| format!("gate {}: {}", gate.gate, cut(&gate.says))),
    );
    Block { title, head: vec!["fact", "value"], rows: facts(told), lines }
}

fn unexplained(left: &Unexplained) -> Block {
    let Unexplained { acts, first, last, .. } = left;
    let title = format!("{acts} more acts, from {first} to {last}");
    let line =
        format!("They are not explained here: `grace explain {first}` explains act {first}, and so each.");
    Block { title, lines: vec![line], ..Block::default() }
}

fn facts(told: &Explanation) -> Vec<Vec<String>> {
    let facts = told.seen.iter().flat_map(|seen| &seen.facts);
    facts
        .map(|fact| {
            let value = fact.value.as_ref().map(|value| shown(value, fact.unit));
            let lacks = || fact.lacks.clone().unwrap_or_else(|| "unknown".into());
            vec![fact.fact.clone(), cut(&value.unwrap_or_else(lacks))]
        })
        .collect()
}

fn considered(told: &Aftermath) -> Block {
    let all = &told.considered;
    let row = |one: &Considered| {
        vec![one.at.clone(), cut(&one.what), one.by.clone(), one.verdict.clone(), cut(&one.because)]
    };
    let lines =
        if all.is_empty() { vec!["Nothing was wanted that was not done.".into()] } else { Vec::new() };
    let mut rows: Vec<Vec<String>> = all.iter().map(row).collect();
    if let Some(left_out) = &told.considered_left_out {
        let said = ["...", &middle(left_out), "-", "-", ""].map(str::to_owned).to_vec();
        rows.insert(left_out.after.min(rows.len()), said);
    }
    let head = vec!["time", "what", "by", "verdict", "because"];
    Block { title: "What else was considered".into(), head, rows, lines }
}

/// A text of others, as far as there is room.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
