//! What files would change, in a few lines for those who decide about them.

use std::collections::BTreeMap;

use crate::config::diff::{Change, diff};

/// So many lines are enough to decide by; who wants all of them asks `grace diff`.
const LINES: usize = 60;

/// And so many letters of each.
const LETTERS: usize = 160;

/// Texts by the names of their files.
type Files = BTreeMap<String, String>;

/// The files that are not the same, each with what became of it.
#[must_use]
pub fn files_changed(before: &Files, after: &Files) -> Vec<(String, &'static str)> {
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), "removed"));
    let here = after.iter().filter_map(|(name, text)| match before.get(name) {
        None => Some((name.clone(), "added")),
        Some(was) => (was != text).then(|| (name.clone(), "changed")),
    });
    let mut all: Vec<_> = gone.chain(here).collect();
    all.sort();
    all
}

/// The same, and what of rules, policies and the rest is added, removed or another.
#[must_use]
pub fn changes(before: &Files, after: &Files) -> Vec<String> {
    let mut lines: Vec<String> =
        files_changed(before, after).into_iter().map(|(name, word)| format!("{name} is {word}")).collect();
    // Both were read already.
    let found = diff(before, after).unwrap_or_default();
    if found.is_empty() && !lines.is_empty() {
        lines.push("comments, order or spelling alone: every key is worth the same".into());
    }
    for of_one in found.chunk_by(|a, b| a.subject == b.subject) {
        lines.extend(told(of_one));
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("and {more} more lines: see `grace diff`"));
    }
    lines.into_iter().map(short).collect()
}

/// What is different in one rule, policy, mode or the like.
fn told(of_one: &[Change]) -> Vec<String> {
    let Some(first) = of_one.first() else { return Vec::new() };
    let subject = &first.subject;
    if of_one.iter().all(|change| change.before.is_none()) {
        return vec![format!("+ {subject}")];
    }
    if of_one.iter().all(|change| change.after.is_none()) {
        return vec![format!("- {subject}")];
    }
    of_one.iter().map(|change| format!("~ {subject}: {}", key(change))).collect()
}

fn key(change: &Change) -> String {
    // What programs and servers are told may be secret.
    let foreign = change.key.split('.').any(|part| part == "env" || part == "headers");
    let shown = |value: &Option<String>| match value {
        None => "nothing".to_owned(),
        Some(_) if foreign => "(not shown)".to_owned(),
        Some(value) => value.clone(),
    };
    format!("{} = {}, was {}", change.key, shown(&change.after), shown(&change.before))
}

fn short(line: String) -> String {
    if line.chars().count() <= LETTERS {
        return line;
    }
    let cut: String = line.chars().take(LETTERS - 1).collect();
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn it_says_what_is_added_removed_and_another() {
        let rule = "[rule.restart]\nwhen = 'critical'\nafter = 2\n[probe.p]\nheaders = { key = \"old\" }\n";
        let policy = "policy.a = { action = [\"restart\"], effect = \"allow\" }\n";
        let before =
            files(&[("rules/web.toml", rule), ("policies/governance.toml", policy), ("rules/x.toml", "")]);
        let after = files(&[
            ("rules/web.toml", &rule.replace("after = 2", "after = 3").replace("old", "new")),
            ("policies/governance.toml", &policy.replace("policy.a", "policy.b")),
            ("rules/y.toml", ""),
        ]);
        let expected = [
            "policies/governance.toml is changed",
            "rules/web.toml is changed",
            "rules/x.toml is removed",
            "rules/y.toml is added",
            "- policy a",
            "+ policy b",
            "~ probe p of web: headers.key = (not shown), was (not shown)",
            "~ rule restart of web: after = 3, was 2",
            "- x",
            "+ y",
        ];
        assert_eq!(changes(&before, &after), expected);
        let spelt = files(&[("rules/web.toml", &format!("# why\n{rule}"))]);
        let said = changes(&files(&[("rules/web.toml", rule)]), &spelt);
        assert!(said.len() == 2 && said[1].starts_with("comments, order or spelling"), "{said:?}");
        assert!(changes(&before, &before).is_empty());
    }

    #[test]
    fn it_says_no_more_than_somebody_reads() {
        let line = |n: u32| format!("a{n} = \"{}\"\n", "x".repeat(500));
        let many = (0..200).map(line).collect::<Vec<_>>().concat();
        let before = files(&[("rules/web.toml", "a0 = 1\n")]);
        let said = changes(&before, &files(&[("rules/web.toml", &many)]));
        assert_eq!(said.len(), LINES + 1);
        assert!(said.iter().all(|line| line.chars().count() <= LETTERS), "{said:?}");
        assert!(said[LINES].starts_with("and 1"), "{said:?}");
    }
}
