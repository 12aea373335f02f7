//! The engine without hands: rule tests on virtual time, and recorded ticks decided again.
//!
//! Nothing here can reach a probe, a hand or a service: a test or a replay can never restart anything. Both
//! call [`crate::engine::step`] and keep the times of [`crate::engine::Schedule`], as production does.

mod again;
mod case;
mod given;
mod judge;
mod moment;
mod series;
mod stage;
mod timeline;
mod wanted;
mod words;

use std::path::Path;
use std::sync::Arc;

pub use again::{Again, Different, again};

use crate::config::reader::Problems;
use crate::config::{self, Loaded};
use crate::engine::Bundle;
use crate::say::{Code, Diagnostic, Report};

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
    /// What was expected and did not happen, or happened and was forbidden.
    pub failures: Vec<String>,
    /// Everything that happened, with the differences marked.
    pub timeline: String,
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
    let bundle = match config::load(dir) {
        Ok(Loaded { bundle, .. }) => bundle,
        Err(report) => return Tested { report: *report, results: Vec::new() },
    };
    let (texts, diagnostics) = config::test_files(dir);
    let problems = Problems::default();
    for found in diagnostics {
        problems.push(found);
    }
    if texts.is_empty() {
        let found = Diagnostic::error(Code::EmptyTest, "there are no rule tests");
        problems.push(found.help("write `rules/<id>.test.toml` beside the rules"));
    }
    let mut results = Vec::new();
    for (name, text) in &texts {
        results.extend(run_file(&bundle, (name, text), pattern, &problems));
    }
    let mut report = Report { diagnostics: problems.take(), texts };
    report.tidy();
    if let (true, Some(pattern)) = (results.is_empty() && !report.is_fatal(), pattern) {
        let found = Diagnostic::error(Code::EmptyTest, format!("no test's name contains `{pattern}`"));
        report.diagnostics.push(found);
    }
    Tested { report, results }
}

fn run_file(
    bundle: &Bundle,
    (name, text): (&Arc<str>, &Arc<str>),
    pattern: Option<&str>,
    problems: &Problems,
) -> Vec<TestResult> {
    let cases = case::read(bundle, name, text, problems);
    let wanted = cases.into_iter().filter(|case| pattern.is_none_or(|pattern| case.name.contains(pattern)));
    wanted.map(|case| run(bundle, name, &case)).collect()
}

fn run(bundle: &Bundle, file: &str, case: &case::Case) -> TestResult {
    let moments = stage::play(bundle, case);
    let verdicts = judge::judge(case, &moments);
    TestResult {
        file: file.to_owned(),
        name: case.name.clone(),
        failures: verdicts.iter().map(|verdict| verdict.says.clone()).collect(),
        timeline: timeline::draw(&moments, &verdicts),
    }
}
