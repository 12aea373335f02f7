//! A recommended change, made on the text of the files as a person would make it, so that it can be rehearsed and shown.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::reader::{File, Item, Problems, Table, parse};
use crate::config::{Folder, duration};
use crate::engine::Bundle;
use crate::evaluate::Rule;
use crate::model::{Change, ComponentId, RuleId, Span};
use crate::replay::mutate::edit::apply;
use crate::say::line_column;

/// A recommended change, made.
#[derive(Debug, Clone)]
pub struct Advised {
    /// The files that are otherwise than before.
    pub edits: Vec<Edit>,
    /// The generation that they make.
    pub bundle: Bundle,
}

/// One place of a file that is otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Edit {
    /// Which file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What stands there.
    pub before: String,
    /// What would stand there.
    pub after: String,
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named after what they hold; each variant says what it is")]
pub enum NotAdvised {
    /// The rule is not there any more.
    #[error("`{component}` has no rule `{rule}` in these files any more")]
    Gone { component: ComponentId, rule: RuleId },
    /// The place is not there.
    #[error("{file} has no {what} that could be changed")]
    NoPlace { file: String, what: String },
    /// The files would not be valid.
    #[error("with the change the files would not be valid: {why}")]
    Invalid { why: String },
}

/// Makes the change of a rule of a component in these files.
///
/// # Errors
/// Where the rule or the place is gone, or the files would not be valid: files are edited by hand meanwhile.
pub fn advised(
    files: &Bundle,
    (component, rule): (&ComponentId, &RuleId),
    change: &Change,
) -> Result<Advised, NotAdvised> {
    let known = files.components.get(component).and_then(|component| component.rule(rule));
    let known = known.filter(|rule| rule.heals());
    let known = known.ok_or_else(|| NotAdvised::Gone { component: component.clone(), rule: rule.clone() })?;
    let no_place = |what: &str| NotAdvised::NoPlace { file: known.file.clone(), what: what.to_owned() };
    let text = files.files.get(&known.file).ok_or_else(|| no_place("text"))?;
    let places = places(&known.file, text, known, change).ok_or_else(|| no_place(&change.to_string()))?;
    let edits = places.iter().map(|(place, after)| Edit {
        file: known.file.clone(),
        line: line_column(text, place.start).0,
        before: text.get(place.clone()).unwrap_or_default().to_owned(),
        after: after.trim_end().to_owned(),
    });
    let edits = edits.collect();
    let mut all: BTreeMap<String, String> = files.files.clone();
    all.insert(known.file.clone(), apply(text, &places));
    let loaded = Folder::of(&all).compile(None).map_err(|report| NotAdvised::Invalid {
        why: crate::say::reasons(&report).into_iter().next().unwrap_or_default(),
    })?;
    Ok(Advised { edits, bundle: loaded.bundle })
}

/// Where the file is otherwise, and what stands there then.
fn places(name: &str, text: &str, rule: &Rule, change: &Change) -> Option<Vec<(Range<usize>, String)>> {
    let (shared, problems) = (name.into(), Problems::default());
    let file = File { name: &shared, text, problems: &problems };
    let parsed = parse(file)?;
    let root = Table::new(file, "", parsed.get_ref(), parsed.span());
    let table =
        root.table("rule")?.named().into_iter().find(|(name, ..)| *name == rule.table())?.2.table()?;
    match change {
        Change::After { by } => after(text, &table, rule, *by),
        Change::Threshold { name, factor } => {
            let thresholds = root.table("threshold")?;
            let (_, _, item) = thresholds.named().into_iter().find(|(known, ..)| known == name)?;
            let raw = text.get(item.span.clone())?;
            Some(vec![(item.span.clone(), scaled(&item, raw, *factor)?)])
        }
        Change::NoHealing => no_healing(text, &table),
    }
}

/// The rule waits for so many readings more.
fn after(text: &str, table: &Table, rule: &Rule, by: u32) -> Option<Vec<(Range<usize>, String)>> {
    let more = rule.after.checked_add(by)?.to_string();
    let mut places = Vec::new();
    if let Some(of) = table.get("of") {
        places.push((of.span.clone(), rule.of.checked_add(by)?.to_string()));
    }
    if let Some(item) = table.get("after") {
        places.push((item.span.clone(), more));
    } else {
        places.push(beside_do(text, table.get("do")?.span.start, &more)?);
    }
    Some(places)
}

/// Where a rule says nothing of `after`: beside its `do`, in the notation of the file.
fn beside_do(text: &str, listed: usize, more: &str) -> Option<(Range<usize>, String)> {
    let begin = text.get(..listed)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(begin..listed)?;
    let key = before.trim_end().strip_suffix('=')?.trim();
    let place = match key.strip_suffix("do") {
        // A line of its own above it.
        Some("") => (begin..begin, format!("after = {more}\n")),
        Some(dotted) if dotted.ends_with('.') && !dotted.contains(['{', ',']) => {
            (begin..begin, format!("{dotted}after = {more}\n"))
        }
        // Before it in an inline table.
        Some(_) => {
            let at = begin + before.rfind("do")?;
            (at..at, format!("after = {more}, "))
        }
        None => return None,
    };
    Some(place)
}

/// A threshold so many times as large, in its own notation.
fn scaled(item: &Item, raw: &str, factor: f64) -> Option<String> {
    let Some(text) = item.value.as_str() else {
        let number = raw.replace('_', "").parse::<f64>().ok()? * factor;
        let whole = item.value.as_integer().is_some();
        return Some(if whole { format!("{:.0}", number.round()) } else { format!("{number:?}") });
    };
    if let Some(length) = duration(text) {
        return Some(format!("\"{}\"", length_times(length, factor)?));
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some(format!("\"{}{unit}\"", number.parse::<f64>().ok()? * factor))
}

fn length_times(length: Span, factor: f64) -> Option<Span> {
    let seconds = length.as_seconds() * factor;
    std::time::Duration::try_from_secs_f64(seconds).ok().map(Span::from)
}

/// A person is asked instead.
fn no_healing(text: &str, table: &Table) -> Option<Vec<(Range<usize>, String)>> {
    let listed = table.get("do")?;
    let heals = |item: &Item| {
        item.value.as_str() == Some("restart")
            || item.table().is_some_and(|table| table.named().iter().any(|(key, ..)| *key == "scale"))
    };
    let mut acts = vec!["{ task = \"Look after {label}: it is {status}\" }"];
    let items = listed.items();
    acts.extend(items.iter().filter(|item| !heals(item)).filter_map(|item| text.get(item.span.clone())));
    let mut places = vec![(listed.span.clone(), format!("[{}]", acts.join(", ")))];
    // Without a healing none can fail.
    places.extend(table.get("on_failure").map(|item| (item.span.clone(), "[]".to_owned())));
    Some(places)
}
