//! Writes the expectations of failing tests anew, as it really happened.
//!
//! Only the values of keys that are there are written, at their place in the text, so that comments and layout stay.
//! A state is written as it was. Something that did not happen is written as the one thing of its kind that did; where
//! nothing or several things of the kind happened in that second, `at` moves to the nearest second in which all that
//! the expectation names happened. What cannot be written so, and what was forbidden or not named, stays for a person;
//! acts and changes of the mode that a test never speaks of are told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use crate::replay::case::{Case, Expect, Kind};
use crate::replay::judge::{Verdict, meant, unexpected};
use crate::replay::moment::{Moment, Stamp};
use crate::replay::seen::Seen;
use crate::replay::suite::{Suite, Test};
use crate::replay::wanted::Wanted;

/// A test file that is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The file.
    pub file: String,
    /// Its text until now.
    pub before: String,
    /// Its text from now on.
    pub after: String,
}

/// Test files that are written anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updates {
    /// Each file that changes.
    pub files: Vec<Updated>,
    /// How many values change.
    pub values: usize,
    /// What happened in which test without anything that it could be held against: a line for each.
    pub left: Vec<String>,
}

/// A place in a file, and what it says from now on.
type Change = (Range<usize>, String);

/// Keys whose values are states at the end of a second.
const STATES: [&str; 5] = ["status", "failures", "mode", "writes", "blocked"];

/// Values that are written without quotes.
const BARE: [&str; 3] = ["failures", "attempt", "blocked"];

impl Suite {
    /// What the files of failing tests would say if they said what happened.
    #[must_use]
    pub fn updates(&self) -> Updates {
        let Some(bundle) = self.bundle.as_deref() else { return Updates::default() };
        let mut edits: BTreeMap<&Arc<str>, BTreeMap<usize, Change>> = BTreeMap::new();
        let mut updates = Updates::default();
        for test in &self.tests {
            let (moments, verdicts) = test.play(bundle);
            for (place, value) in changes(test, &moments, &verdicts) {
                edits.entry(&test.file).or_default().insert(place.start, (place, value));
            }
            let left =
                [Kind::Act, Kind::Mode].into_iter().filter_map(|kind| left(kind, &test.case, &moments));
            updates.left.extend(left.map(|says| format!("{}: {}: {says}", test.file, test.case.name)));
        }
        for (file, edits) in edits {
            let Some(before) = self.texts().get(file) else { continue };
            let mut after = before.to_string();
            // From the end to the beginning, so that no place moves before its turn.
            for (place, value) in edits.values().rev() {
                after.replace_range(place.clone(), value);
            }
            updates.values += edits.len();
            updates.files.push(Updated { file: file.to_string(), before: before.to_string(), after });
        }
        updates
    }
}

fn changes(test: &Test, moments: &[Moment], verdicts: &[Verdict]) -> Vec<Change> {
    let wrong: BTreeSet<usize> = verdicts.iter().filter_map(|verdict| Some(verdict.of?.0)).collect();
    let expects = wrong.into_iter().filter_map(|number| test.case.expect.get(number));
    expects.flat_map(|expect| rewritten(expect, moments)).collect()
}

/// What happened of a kind, where the test neither names one nor says that there is no other.
fn left(kind: Kind, case: &Case, moments: &[Moment]) -> Option<String> {
    let word = kind.word();
    let names = |wanted: &Wanted| wanted.spans.contains_key(word);
    let asks = case.only.contains(&kind)
        || case.expect.iter().any(|expect| names(&expect.wanted))
        || case.forbid.iter().any(|forbid| names(&forbid.wanted));
    let happened = if asks { Vec::new() } else { unexpected(kind, case, moments) };
    let (first, more) = (happened.first()?, happened.len() - 1);
    let (at, was) = (first.at.clock(), &first.was);
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    Some(format!(
        "{was} at {at}{more}: no expectation names `{word}`; add `{{ at = \"{at}\", {word} = ... }}`, or `only = [\"{word}\"]`"
    ))
}

/// New values for one expectation.
fn rewritten(expect: &Expect, moments: &[Moment]) -> Vec<Change> {
    if let Some(changes) = as_it_was(expect, moments, expect.at) {
        return changes;
    }
    let mut stamps: Vec<Stamp> = moments.iter().map(|moment| Stamp::of(moment, expect.at.fine)).collect();
    stamps.dedup();
    stamps.sort_by_key(|one| (one.at - expect.at.at).0.abs());
    let Some(at) = stamps.into_iter().find(|at| happened(expect, moments, *at)) else { return Vec::new() };
    let mut changes = vec![(expect.place.clone(), quoted(&at.clock()))];
    changes.extend(as_it_was(expect, moments, at).unwrap_or_default());
    changes
}

/// Does all that the expectation names, states apart, happen in this second?
fn happened(expect: &Expect, moments: &[Moment], at: Stamp) -> bool {
    let there = meant(moments, at);
    let checks = expect.wanted.checks(&Seen { of: expect.component.as_ref(), there: &there });
    let mut named = checks.iter().filter(|check| !STATES.contains(&check.key)).peekable();
    named.peek().is_some() && named.all(|check| check.was.is_none())
}

/// New values as it was in this second; nothing where one of them cannot be told.
fn as_it_was(expect: &Expect, moments: &[Moment], at: Stamp) -> Option<Vec<Change>> {
    let there = meant(moments, at);
    let seen = Seen { of: expect.component.as_ref(), there: &there };
    if there.is_empty() {
        return None;
    }
    let mut changes = Vec::new();
    for check in expect.wanted.checks(&seen).iter().filter(|check| check.was.is_some()) {
        let value = if STATES.contains(&check.key) {
            seen.state(check.key)?
        } else {
            match seen.happened(check.key).as_slice() {
                [only] => only.clone(),
                _ => return None,
            }
        };
        let place = expect.wanted.spans.get(check.key)?.clone();
        let value = if BARE.contains(&check.key) { value } else { quoted(&value) };
        changes.push((place, value));
    }
    Some(changes)
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
