//! What one run did and the other did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Span, Time};

/// One act of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// In which recorded tick, or behind which one.
    pub tick: u64,
    /// When.
    pub at: Time,
    /// On what.
    pub component: ComponentId,
    /// What: `restart`.
    pub action: String,
    /// By which rule or person.
    pub by: String,
    /// Why.
    pub reason: String,
    /// It is a heal act; others only tell something, or change Grace's own state.
    pub heals: bool,
    /// A rule did it, and no person.
    #[serde(default)]
    pub by_rule: bool,
    /// What it tells somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What became of an act in the other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The same act at the same time.
    Same,
    /// It is new.
    Added,
    /// It is missing.
    Gone,
    /// It is done up to a quarter of an hour earlier or later.
    Moved,
}

/// One act, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What became of it.
    pub change: Change,
    /// As it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Deed>,
    /// As it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Deed>,
}

impl Difference {
    /// The act, as it is, or as it was where it is no more.
    #[must_use]
    pub fn deed(&self) -> Option<&Deed> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// When it makes a difference first.
    #[must_use]
    pub fn at(&self) -> Option<Time> {
        [&self.before, &self.after].into_iter().flatten().map(|deed| deed.at).min()
    }
}

/// An act at another time is the same within this time: what comes later answers another failure.
const NEAR: Span = Span::minutes(15);

/// Which acts may be one and the same: what is told, only where the same one tells it.
type Kind<'d> = (&'d ComponentId, &'d str, Option<&'d str>);

/// Every act of both runs, in the order of their times.
#[must_use]
pub fn compare(before: &[Deed], after: &[Deed]) -> Vec<Difference> {
    let mut kinds: BTreeMap<Kind, (Vec<&Deed>, Vec<&Deed>)> = BTreeMap::new();
    for deed in before {
        kinds.entry(kind(deed)).or_default().0.push(deed);
    }
    for deed in after {
        kinds.entry(kind(deed)).or_default().1.push(deed);
    }
    let mut found: Vec<Difference> =
        kinds.into_values().flat_map(|(before, after)| pair(before, after)).collect();
    found.sort_by(|one, other| {
        let key =
            |of: &Difference| (of.at(), of.deed().map(|deed| (deed.component.clone(), deed.action.clone())));
        key(one).cmp(&key(other))
    });
    found
}

fn kind(deed: &Deed) -> Kind<'_> {
    let tells = deed.text.is_some() || deed.action.starts_with("event ");
    (&deed.component, &deed.action, tells.then_some(&*deed.by))
}

/// The acts of one kind: first those at the same time, then what is left, in order. What is told at the same time in other
/// words is another thing.
fn pair(mut before: Vec<&Deed>, mut after: Vec<&Deed>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |change, before: Option<&Deed>, after: Option<&Deed>| {
        found.push(Difference { change, before: before.cloned(), after: after.cloned() });
    };
    before.retain(|was| match after.iter().position(|is| is.at == was.at && says_the_same(was, is)) {
        Some(place) => {
            note(Change::Same, Some(was), Some(after.remove(place)));
            false
        }
        None => true,
    });
    before.retain(|was| {
        let near = (0..).zip(&after).map(|(place, is)| ((was.at - is.at).0.abs(), place));
        match near.filter(|(apart, _)| *apart > 0).min().filter(|(apart, _)| *apart <= NEAR.0) {
            Some((_, place)) => {
                note(Change::Moved, Some(was), Some(after.remove(place)));
                false
            }
            None => true,
        }
    });
    for was in before {
        note(Change::Gone, Some(was), None);
    }
    for is in after {
        note(Change::Added, None, Some(is));
    }
    found
}

/// Behind these words Grace writes a number that she counts: of one request for approval more or less, all behind it have
/// others. `task 3: ...`, `grace approve 3 --reason ...`.
const COUNTED: [&str; 7] = ["approval", "approve", "deny", "task", "acknowledge", "act", "incident"];

/// Is it the same, but for numbers that are counted?
fn says_the_same(one: &Deed, other: &Deed) -> bool {
    one.text == other.text || one.text.as_deref().map(uncounted) == other.text.as_deref().map(uncounted)
}

/// A text without the numbers that are counted.
fn uncounted(text: &str) -> String {
    let mut before = "";
    let words = text.split(' ').map(|word| {
        let counted = COUNTED.contains(&before);
        before = word.trim_start_matches('`');
        if counted { word.trim_start_matches(|letter: char| letter.is_ascii_digit()) } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(minute: i64) -> Deed {
        let (component, action, at) = (ComponentId::from("web"), "restart".to_owned(), Time(minute * 60_000));
        Deed {
            tick: 1,
            at,
            component,
            action,
            by: "r/web".into(),
            reason: String::new(),
            heals: true,
            by_rule: true,
            text: None,
        }
    }

    #[test]
    fn what_another_rule_tells_or_what_says_other_words_is_another_thing() {
        let told = |minute, by: &str, text: &str| Deed {
            action: "notify oncall".into(),
            by: by.into(),
            text: Some(text.into()),
            ..deed(minute)
        };
        let before =
            [told(1, "a/web", "it is ill"), told(5, "b/web", "look"), told(30, "a/web", "it is ill")];
        let after = [
            told(1, "a/web", "all is well"),
            told(4, "c/web", "look"),
            told(31, "a/web", "it is ill, still"),
        ];
        let found: Vec<_> = compare(&before, &after)
            .into_iter()
            .map(|one| (one.change, one.deed().map(|deed| (deed.by.clone(), deed.at.0 / 60_000))))
            .collect();
        let of = |by: &str, minute| Some((by.to_owned(), minute));
        for one in [
            (Change::Gone, of("a/web", 1)),
            (Change::Added, of("a/web", 1)),
            (Change::Added, of("c/web", 4)),
            (Change::Gone, of("b/web", 5)),
            (Change::Moved, of("a/web", 31)),
        ] {
            assert!(found.contains(&one), "{one:?} is not in {found:?}");
        }
        assert_eq!(found.len(), 5, "{found:?}");
    }

    #[test]
    fn only_numbers_that_are_counted_say_nothing() {
        let told = |text: &str| Deed { text: Some(text.into()), ..deed(1) };
        let wanted = |id: u64, runs_out: &str| {
            told(&format!(
                "approval {id} is wanted: restart of web, for r/web: it is ill; it runs out in {runs_out}; \
                 `grace approve {id} --reason ...` or `grace deny {id} --reason ...`"
            ))
        };
        for (one, other, same) in [
            (told("call 112"), told("call 911"), false),
            (told("call 112"), told("call 112"), true),
            (told("room 4, task 7: call 112"), told("room 4, task 12: call 112"), true),
            (told("task 7: call 112"), told("task 12: call 911"), false),
            (
                told("nobody looked at task 7 for 5m: x; `grace task acknowledge 7`"),
                told("nobody looked at task 8 for 5m: x; `grace task acknowledge 8`"),
                true,
            ),
            (wanted(3, "15m"), wanted(12, "15m"), true),
            (wanted(3, "15m"), wanted(3, "20m"), false),
            (told("x"), deed(1), false),
        ] {
            assert_eq!(says_the_same(&one, &other), same, "{one:?} {other:?}");
            let differs = compare(&[one], &[other]).iter().any(|one| one.change != Change::Same);
            assert_eq!(differs, !same);
        }
    }

    #[test]
    fn an_act_is_moved_a_quarter_of_an_hour_at_the_most() {
        let (before, after) = ([1, 20, 60].map(deed), [1, 22, 30, 76].map(deed));
        let found: Vec<_> = compare(&before, &after).iter().map(|one| (one.change, one.at())).collect();
        let at = |minute: i64| Some(Time(minute * 60_000));
        assert_eq!(
            found,
            [
                (Change::Same, at(1)),
                (Change::Moved, at(20)),
                (Change::Added, at(30)),
                (Change::Gone, at(60)),
                (Change::Added, at(76))
            ]
        );
    }
}
