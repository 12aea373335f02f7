//! The tests of a configuration, read once: they are run, and by whoever measures them run again and again.
//!
//! Where the time goes (a release build, 1,000 components with a rule each, 20 tests, 2 cores): of 73 ms some 65 go
//! into reading and compiling the generation, as `grace validate` does it, and well under half a millisecond into each
//! test, because it is played with the part of the generation that it names (`quiet`). promtool takes 2.3 s for as
//! many: `cargo bench --bench config` shows both side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::config::reader::Problems;
use crate::config::{self, Loaded};
use crate::engine::Bundle;
use crate::replay::case::{self, Case};
use crate::replay::judge::{Verdict, judge};
use crate::replay::moment::Moment;
use crate::replay::quiet::Quiet;
use crate::replay::{Difference, Pattern, TestResult, Tested, pool, stage, timeline};
use crate::say::{Code, Diagnostic, Report};

/// The tests of a configuration.
#[derive(Debug, Default)]
pub struct Suite {
    pub(super) bundle: Option<Arc<Bundle>>,
    pub(super) tests: Vec<Test>,
    /// What is wrong with the files, with the texts of the test files.
    pub(super) report: Report,
}

/// One test, and the file it stands in.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) file: Arc<str>,
    pub(super) case: Case,
}

impl Suite {
    /// Reads the tests beside the rules in `dir`: those of all files, or of some (`rules/hunter.test.toml`, also named
    /// by the rule file that they test), and of them those that a pattern means.
    #[must_use]
    pub fn load(dir: &Path, only: &BTreeSet<String>, pattern: Option<&Pattern>) -> Self {
        let bundle = match config::load(dir) {
            Ok(Loaded { bundle, .. }) => Arc::new(bundle),
            Err(report) => return Self { report: *report, ..Self::default() },
        };
        let (mut texts, diagnostics) = config::test_files(dir);
        let rules_of = |name: &str| name.replace(".test.toml", ".toml");
        texts.retain(|name, _| {
            only.is_empty()
                || only.contains("rules/")
                || only.contains(&**name)
                || only.contains(&rules_of(name))
        });
        let problems = Problems::default();
        for found in diagnostics {
            problems.push(found);
        }
        if texts.is_empty() {
            let found = Diagnostic::error(Code::EmptyTest, "there are no rule tests");
            problems.push(found.help("write `rules/<id>.test.toml` beside the rules"));
        }
        let mut all = Vec::new();
        for (file, written) in &texts {
            let cases = case::read(&bundle, file, written, &problems).into_iter();
            all.extend(cases.map(|case| Test { file: Arc::clone(file), case }));
        }
        let mut report = Report { diagnostics: problems.take(), texts };
        report.tidy();
        if let Some(pattern) = pattern {
            all.retain(|test| pattern.meets(&test.file, &test.case.name));
            if all.is_empty() && !report.is_fatal() {
                let message = format!("no test's name contains `{}`", pattern.text());
                report.diagnostics.push(Diagnostic::error(Code::EmptyTest, message));
            }
        }
        Self { bundle: Some(bundle), tests: all, report }
    }

    /// Runs the tests, each with the part of the generation that it needs.
    #[must_use]
    pub fn run(&self) -> Tested {
        let quiet = self.bundle.as_deref().map(Quiet::of);
        self.run_with(|bundle, case| quiet.as_ref().and_then(|quiet| quiet.part(bundle, case)))
    }

    /// Runs the tests with the whole generation: slower, and always with the same results.
    #[must_use]
    pub fn run_whole(&self) -> Tested {
        self.run_with(|_, _| None)
    }

    fn run_with(&self, part: impl Fn(&Bundle, &Case) -> Option<Bundle> + Sync) -> Tested {
        let run = |test: &Test| {
            let bundle = self.bundle.as_deref()?;
            let part = part(bundle, &test.case);
            Some(test.run(part.as_ref().unwrap_or(bundle)))
        };
        let results = pool::each(&self.tests, run, |_| {}).into_iter().flatten().collect();
        Tested { report: self.report.clone(), results }
    }

    /// What is wrong with the files.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Is there anything because of which no test can run?
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.report.is_fatal()
    }

    /// The texts of the test files, by name.
    #[must_use]
    pub fn texts(&self) -> &BTreeMap<Arc<str>, Arc<str>> {
        &self.report.texts
    }
}

impl Test {
    /// Everything that happens in it.
    pub(super) fn play(&self, bundle: &Bundle) -> (Vec<Moment>, Vec<Verdict>) {
        let moments = stage::play(bundle, &self.case, &mut |_, _, _| {});
        let verdicts = judge(&self.case, &moments);
        (moments, verdicts)
    }

    fn run(&self, bundle: &Bundle) -> TestResult {
        let (moments, verdicts) = self.play(bundle);
        let difference = |verdict: &Verdict| Difference {
            at: verdict.at.clock(),
            wanted: verdict.wanted.clone(),
            was: verdict.was.clone(),
        };
        TestResult {
            file: self.file.to_string(),
            name: self.case.name.clone(),
            failures: verdicts.iter().map(Verdict::says).collect(),
            differences: verdicts.iter().map(difference).collect(),
            timeline: timeline::draw(&moments, &verdicts),
        }
    }
}
