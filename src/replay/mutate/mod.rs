//! Mutants: small changes of the rule and policy files, each of which some test should notice.
//!
//! A mutant is made on the text, at a place that a person could have mistyped, and compiled through the same pipeline
//! as any file; one that does not load is none. Then the tests are played with it, those of the changed file first,
//! until one fails.
//!
//! | where | what |
//! |---|---|
//! | conditions | `>` is `<=` and `>=`, and the like; `&&` is `\|\|`, and the other way; `!` is left out; a number is doubled and halved |
//! | `[threshold]`, `verify`, budgets, backoff, `slow_try`, `expires`, `interval` | doubled and halved |
//! | `after`, `of`, `attempts`, `scale`, `tier`, `max`, `in_flight`, `approvers` | one more and one less |
//! | gates | without an action of `do` or `on_failure`, `until`, `after`, `of`, `shadow`, a `depends_on`, a policy's `when`, an act that a policy denies or reviews, a word of `permits`, `writes`, an edge |
//! | `effect` | each of the other two |
//!
//! What no rule test could ever notice is left alone: what only hands and eyes read (`[control]`, `[probe]`,
//! `workers`), words for people (`label`, `why`, `text`, comments), what only the daemon reads (`retention`,
//! `crash_loop`, `socket_group`, receivers), the number of a `rank` (only the order counts), a removal that leaves
//! the same default (`after = 1`, `writes = "reject"`), what a shadow rule never comes to (`until`, `verify`, `attempts`,
//! `on_failure`), and an edge for rules up to a mode that no rule claims.

pub(in crate::replay) mod edit;
mod expression;
mod policies;
mod rules;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::config::Folder;
use crate::config::reader::{File, Problems, Table, parse};
use crate::engine::Bundle;
use crate::evaluate::What;
use crate::model::ModeId;
use crate::replay::coverage::share;
use crate::replay::pool;
use crate::replay::quiet::Quiet;
use crate::replay::suite::{Suite, Test};
use crate::say::line_column;

/// So many mutants are tried; of more, evenly spread ones.
const MOST: usize = 2_000;

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The file.
    pub file: String,
    /// Line and column of the change, from 1.
    pub position: (usize, usize),
    /// What stands there.
    pub before: String,
    /// What the mutant says instead; nothing where it leaves it out.
    pub after: String,
    edits: Vec<(Range<usize>, String)>,
}

/// What became of the mutants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mutated {
    /// How many some test noticed.
    pub killed: usize,
    /// Those that no test noticed.
    pub alive: Vec<Mutant>,
    /// Changes that do not load, and so cannot be made.
    pub invalid: usize,
    /// Mutants that were not tried, because there are too many.
    pub left_out: usize,
}

impl Mutated {
    /// How many could be noticed.
    #[must_use]
    pub fn total(&self) -> usize {
        self.killed + self.alive.len()
    }

    /// How many were noticed, of a hundred; of none all.
    #[must_use]
    pub fn percent(&self) -> f64 {
        share(self.killed, self.total())
    }
}

/// What became of one mutant.
enum Fate {
    Killed,
    Alive,
    Invalid,
}

impl Suite {
    /// Makes the mutants and looks which of them the tests notice; `progress` hears how many of how many are done.
    #[must_use]
    pub fn mutate(&self, mut progress: impl FnMut(usize, usize)) -> Mutated {
        let Some(bundle) = self.bundle.as_deref() else { return Mutated::default() };
        let all = mutants(bundle);
        let every = all.len().div_ceil(MOST).max(1);
        let count = all.len();
        let tried: Vec<Mutant> = all.into_iter().step_by(every).collect();
        let fates =
            pool::each(&tried, |mutant| self.fate(bundle, mutant), |done| progress(done, tried.len()));
        let mut mutated = Mutated { left_out: count - tried.len(), ..Mutated::default() };
        for (mutant, fate) in tried.into_iter().zip(fates) {
            match fate {
                Fate::Killed => mutated.killed += 1,
                Fate::Invalid => mutated.invalid += 1,
                Fate::Alive => mutated.alive.push(mutant),
            }
        }
        mutated
    }

    fn fate(&self, bundle: &Bundle, mutant: &Mutant) -> Fate {
        let mut files = bundle.files.clone();
        if let Some(text) = files.get_mut(&mutant.file) {
            *text = edit::apply(text, &mutant.edits);
        }
        let Ok(loaded) = Folder::of(&files).compile(None) else { return Fate::Invalid };
        let quiet = Quiet::of(&loaded.bundle);
        let own = mutant.file.replace(".toml", ".test.toml");
        let is_own = |test: &&Test| *test.file == *own;
        let ordered = self.tests.iter().filter(is_own).chain(self.tests.iter().filter(|test| !is_own(test)));
        let notices = |test: &Test| {
            let part = quiet.part(&loaded.bundle, &test.case);
            !test.play(part.as_ref().unwrap_or(&loaded.bundle)).1.is_empty()
        };
        if ordered.into_iter().any(notices) { Fate::Killed } else { Fate::Alive }
    }
}

/// Every mutant of a generation, in the order of files and places.
fn mutants(bundle: &Bundle) -> Vec<Mutant> {
    let claimed: BTreeSet<&ModeId> = claimed(bundle).collect();
    let mut all = Vec::new();
    for (name, text) in &bundle.files {
        let (shared, problems) = (name.as_str().into(), Problems::default());
        let file = File { name: &shared, text, problems: &problems };
        let Some(parsed) = parse(file) else { continue };
        let root = Table::new(file, "", parsed.get_ref(), parsed.span());
        let mut made = Made { text, file: name, mutants: Vec::new() };
        match name.as_str() {
            "policies/governance.toml" => policies::governance(&root, &mut made),
            "policies/budgets.toml" => policies::budgets(&root, &mut made),
            "policies/modes.toml" => policies::modes(&root, bundle, &claimed, &mut made),
            "policies/system.toml" => policies::system(&root, &mut made),
            rules if rules.starts_with("rules/") => rules::rules(&root, &mut made),
            _ => {}
        }
        made.mutants.sort_by(|a, b| (a.position, &a.after).cmp(&(b.position, &b.after)));
        all.append(&mut made.mutants);
    }
    all
}

/// The modes that rules claim.
fn claimed(bundle: &Bundle) -> impl Iterator<Item = &ModeId> {
    let rules = bundle.components.values().flat_map(|component| &component.rules);
    let items = rules.flat_map(|rule| rule.acts.iter().chain(&rule.on_failure));
    items.filter_map(|item| match &item.what {
        What::SetMode(mode) => Some(mode),
        _ => None,
    })
}

/// The mutants of one file as they are made.
struct Made<'t> {
    text: &'t str,
    file: &'t str,
    mutants: Vec<Mutant>,
}

impl Made<'_> {
    /// Writes something else at a place.
    fn replace(&mut self, place: Range<usize>, after: &str) {
        self.edits(place.clone(), after, vec![(place, after.to_owned())]);
    }

    /// Leaves a stretch out, with the comma that belongs to it.
    fn remove(&mut self, place: Range<usize>) {
        let wider = edit::with_comma(self.text, &place);
        self.edits(place, "", vec![(wider, String::new())]);
    }

    fn edits(&mut self, place: Range<usize>, after: &str, edits: Vec<(Range<usize>, String)>) {
        let before = self.text.get(place.clone()).unwrap_or_default();
        if before != after {
            self.mutants.push(Mutant {
                file: self.file.to_owned(),
                position: line_column(self.text, place.start),
                before: before.to_owned(),
                after: after.to_owned(),
                edits,
            });
        }
    }
}
