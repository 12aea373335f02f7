//! What a simulation must not do, for CI.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::rehearsing::simulate::names;
use crate::cli::terminal::failure::Failure;
use crate::engine::Bundle;
use crate::replay::Pattern;
use crate::replay::simulate::{Change, Deed, Rehearsal, Wishes, compare};

/// The form of the reports that this version writes.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Gates as they stand on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct Gates {
    /// Gate: the rules may do at most so many heal acts
    #[arg(long, value_name = "N")]
    max_actions: Option<u64>,
    /// Gate: nothing may be one of these: `restart database`, `restart *`, `mode emergency *`, `notify oncall *`; a part
    /// of a name forbids all that hold it; may be repeated
    #[arg(long, value_name = "PATTERN")]
    forbid: Vec<String>,
    /// Gate: the acts are those of this file, which `--output json=FILE` wrote
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
}

/// Gates, ready to be asked.
#[derive(Debug)]
pub(super) struct Ready {
    max_actions: Option<u64>,
    forbid: Vec<Pattern>,
    expect: Option<Vec<Deed>>,
}

/// The form of a report.
#[derive(Deserialize)]
struct Form {
    format_version: u32,
}

/// So much of a former report as a gate needs.
#[derive(Deserialize)]
struct Former {
    simulation: FormerSimulation,
}

#[derive(Deserialize)]
struct FormerSimulation {
    deeds: Vec<Deed>,
}

impl Gates {
    /// The gates; one that could never meet anything under these rules is a slip.
    pub(super) fn read(&self, rules: &Bundle) -> Result<Ready, Failure> {
        let expect = self.expect.as_deref().map(former).transpose()?;
        let forbid: Vec<Pattern> = self.forbid.iter().map(|text| Pattern::new(text)).collect();
        for pattern in &forbid {
            let what = format!("`--forbid {}`", pattern.text());
            names::check(pattern, &what, &names::deeds(rules, pattern), forbids)?;
        }
        Ok(Ready { max_actions: self.max_actions, forbid, expect })
    }
}

impl Ready {
    pub(super) fn is_empty(&self) -> bool {
        self.max_actions.is_none() && self.forbid.is_empty() && self.expect.is_none()
    }

    /// The gates that do not hold, a sentence for each.
    pub(super) fn check(&self, found: &Rehearsal) -> Vec<String> {
        let mut broken = Vec::new();
        let heals = found.deeds.iter().filter(|deed| deed.heals && deed.by_rule).count();
        let done = u64::try_from(heals).unwrap_or(u64::MAX);
        if let Some(max) = self.max_actions.filter(|max| done > *max) {
            broken.push(format!("{done} heal acts by rules, and at most {max} may be"));
        }
        for pattern in &self.forbid {
            let mut meant = found.deeds.iter().filter(|deed| forbids(pattern, &name(deed)));
            if let Some(deed) = meant.next() {
                let more = meant.count();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                broken.push(format!(
                    "`{}` is forbidden: {} at {}{more}",
                    pattern.text(),
                    name(deed),
                    deed.at
                ));
            }
        }
        if let Some(expected) = &self.expect {
            broken.extend(differ(expected, &found.deeds));
        }
        broken
    }
}

/// A gate may forbid more than was thought of: part of a name is enough.
fn forbids(pattern: &Pattern, name: &str) -> bool {
    pattern.meets("", name)
}

/// An act as patterns name it.
pub(super) fn name(deed: &Deed) -> String {
    format!("{} {}", deed.action, deed.component)
}

/// What was expected and is not there, and what is there and was not expected: what a comparison calls different is.
fn differ(expected: &[Deed], found: &[Deed]) -> Vec<String> {
    let differ: Vec<_> =
        compare(expected, found).into_iter().filter(|one| one.change != Change::Same).collect();
    let missing = differ.iter().filter_map(|one| one.before.as_ref());
    let surplus = differ.iter().filter_map(|one| one.after.as_ref());
    let missing = missing.map(|deed| format!("expected, and not done: {}", says(deed)));
    missing.chain(surplus.map(|deed| format!("done, and not expected: {}", says(deed)))).collect()
}

/// An act, and by whom and in which words where it tells something.
fn says(deed: &Deed) -> String {
    let text = deed.text.as_ref().map(|text| format!(" by {}: {text}", deed.by));
    let by = text.unwrap_or_else(|| {
        let event = deed.action.starts_with("event ");
        if event { format!(" by {}", deed.by) } else { String::new() }
    });
    format!("{} at {}{by}", name(deed), deed.at)
}

fn former(path: &Path) -> Result<Vec<Deed>, Failure> {
    let (text, path) = (text(path)?, path.display());
    let strange = |why: serde_json::Error| {
        Failure::Usage(format!("{path} is no report of `grace simulate --output json`: {why}"))
    };
    // A newer form may hold anything else: its number is read by itself.
    let Form { format_version: form } = serde_json::from_str(&text).map_err(strange)?;
    if form > FORMAT_VERSION {
        return Err(Failure::Usage(format!(
            "{path} is a report of form {form}, and this version reads up to {FORMAT_VERSION}; write it again with this one"
        )));
    }
    let read: Former = serde_json::from_str(&text).map_err(strange)?;
    Ok(read.simulation.deeds)
}

/// The wishes in a file; one that no request could ever meet, under these rules or those they are compared with, is a slip.
pub(super) fn wishes(path: &Path, rules: &[&Bundle]) -> Result<Wishes, Failure> {
    let read: Result<Wishes, String> = text(path)?.parse();
    let wishes = read.map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))?;
    for pattern in wishes.approve.iter().chain(&wishes.deny) {
        let what = format!("{}: `{}`", path.display(), pattern.text());
        let possible: Vec<String> = rules.iter().flat_map(|rules| names::requests(rules, pattern)).collect();
        names::check(pattern, &what, &possible, Pattern::names)?;
    }
    Ok(wishes)
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|why| Failure::Usage(format!("cannot read {}: {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    fn deed(minute: i64) -> Deed {
        Deed {
            tick: 1,
            at: Time(minute * 60_000),
            component: "web".into(),
            action: "restart".into(),
            by: "r/web".into(),
            reason: String::new(),
            heals: true,
            by_rule: true,
            text: None,
        }
    }

    #[test]
    fn what_is_done_twice_is_expected_twice() {
        let (once, twice) = (vec![deed(1), deed(2)], vec![deed(1), deed(2), deed(1)]);
        assert!(differ(&once, &once).is_empty() && differ(&twice, &twice).is_empty());
        let (more, less) = (differ(&once, &twice), differ(&twice, &once));
        assert!(
            more.len() == 1 && more.iter().all(|one| one.starts_with("done, and not expected")),
            "{more:?}"
        );
        assert!(
            less.len() == 1 && less.iter().all(|one| one.starts_with("expected, and not done")),
            "{less:?}"
        );
    }

    #[test]
    fn what_says_other_words_or_is_told_by_another_rule_was_not_expected() {
        let told = |by: &str, text: &str| {
            vec![Deed { action: "notify oncall".into(), by: by.into(), text: Some(text.into()), ..deed(1) }]
        };
        let expected = told("r/web", "call 112");
        assert!(differ(&expected, &expected).is_empty());
        for (other, says) in [
            (told("r/web", "call 911"), "notify oncall web at 1970-01-01T00:01:00Z by r/web: call 911"),
            (told("s/web", "call 112"), "notify oncall web at 1970-01-01T00:01:00Z by s/web: call 112"),
        ] {
            let found = differ(&expected, &other);
            assert_eq!(found.len(), 2, "{found:?}");
            assert_eq!(found.last(), Some(&format!("done, and not expected: {says}")));
        }
    }
}
