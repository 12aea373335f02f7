//! The engine without hands: rule tests on virtual time, and recorded ticks decided again.
//!
//! What was recorded comes from a `source`. `simulate` plays it through other rules, `prove` decides it again and compares,
//! `explain` takes one tick of it apart, `incident` tells one from its begin to its end, and `fixture` makes a rule test of it. `advise` makes a recommended change on
//! the text of the files, so that it can be simulated. `beside` lets a candidate live through each
//! live tick.
//!
//! A test file is read (`case`, `given`, `series`, `wanted`), played (`stage`), judged (`seen`, `judge`) and drawn
//! (`timeline`). How good the tests are, two others say: `coverage` what they have seen of the rules, `mutate` which
//! changes of the rules they would notice. `update` writes expectations anew.
//!
//! Nothing here can reach a probe, a hand or a service: a test or a replay can never restart anything. All of
//! it calls [`crate::engine::step`], or [`crate::engine::advance`], which is the same one; tests keep the times of [`crate::engine::Schedule`], as production does.

pub mod advise;
mod alike;
mod beside;
mod case;
mod contradiction;
mod coverage;
pub mod explain;
pub mod fixture;
mod given;
mod history;
mod holes;
pub mod incident;
mod judge;
mod moment;
mod mutate;
mod pattern;
mod pool;
mod probes;
pub mod prove;
mod quiet;
mod seen;
mod series;
pub mod simulate;
mod sites;
mod source;
mod stage;
mod suite;
mod timeline;
mod update;
mod wanted;
mod words;

use std::collections::BTreeSet;
use std::path::Path;

pub use beside::{Beside, Only, is_half, other_probes};
pub use contradiction::Contradiction;
pub use coverage::{Coverage, Gap, share};
pub use holes::{Finder as HoleFinder, Holes};
pub use mutate::{Mutant, Mutated};
pub use pattern::Pattern;
pub use source::{History, HistoryError, ahead, before};
pub use suite::Suite;
pub use update::{Updated, Updates};

use crate::say::Report;

/// What became of the rule tests of a folder.
#[derive(Debug, Default)]
pub struct Tested {
    /// What is wrong with the files; tests run only where nothing is.
    pub report: Report,
    /// Each test that ran.
    pub results: Vec<TestResult>,
}

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The file it stands in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What was expected and did not happen, or happened and was forbidden: a line for each.
    pub failures: Vec<String>,
    /// The same in its parts.
    pub differences: Vec<Difference>,
    /// Everything that happened, with the differences marked.
    pub timeline: String,
}

/// Something that is not as a test says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// When: a time of day.
    pub at: String,
    /// What was expected, or forbidden.
    pub wanted: String,
    /// What was there.
    pub was: String,
}

impl TestResult {
    /// Did everything happen as expected?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Tested {
    /// Did tests run, and pass, all of them?
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.report.is_fatal() && !self.results.is_empty() && self.results.iter().all(TestResult::passed)
    }
}

/// Runs the tests beside the rules in `dir` whose name contains `pattern`.
#[must_use]
pub fn run_tests(dir: &Path, pattern: Option<&str>) -> Tested {
    Suite::load(dir, &BTreeSet::new(), pattern.map(Pattern::new).as_ref()).run()
}
