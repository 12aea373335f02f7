//! Results of rule tests in the XML of `JUnit`, which every CI system reads.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::replay::{TestResult, Tested};
use crate::say::{self, Severity};

/// The results: a suite for each test file, one for what is wrong with the files themselves, and one for what the tests
/// reach too little of.
pub(super) fn xml<'t>(all: impl Iterator<Item = (&'t Tested, Vec<String>)>) -> String {
    let mut report = Report::new("grace test");
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for (tested, short_of) in all {
        for says in short_of {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(says.as_str());
            let name = says.split(':').next().unwrap_or_default();
            suite(&mut suites, "what the tests reach").add_test_case(TestCase::new(name, status));
        }
        let lines = say::short(&tested.report);
        for (found, line) in tested.report.diagnostics.iter().zip(lines) {
            if found.severity == Severity::Error {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(line).set_type(found.code.to_string());
                let name = found.place.as_ref().map_or("files", |place| &place.file);
                suite(&mut suites, name).add_test_case(TestCase::new(found.message.as_str(), status));
            }
        }
        for result in &tested.results {
            suite(&mut suites, &result.file).add_test_case(case(result));
        }
    }
    report.add_test_suites(suites.into_values());
    // Written to memory: what could fail is a letter that XML cannot hold, and those are taken out before.
    report.to_string().unwrap_or_default()
}

fn suite<'s, 't>(suites: &'s mut BTreeMap<&'t str, TestSuite>, name: &'t str) -> &'s mut TestSuite {
    suites.entry(name).or_insert_with(|| TestSuite::new(name))
}

fn case(result: &TestResult) -> TestCase {
    let status = if result.passed() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(result.failures.join("; ")).set_description(result.timeline.as_str());
        status
    };
    let mut case = TestCase::new(result.name.as_str(), status);
    case.set_classname(result.file.as_str());
    case
}
