//! A report in the XML of `JUnit`, which CI servers read: one case for each file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::say::{Diagnostic, Report, Severity};

/// One suite; a case for each file, and one for what is wrong with no file. Errors fail it; warnings are what it said.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut found: BTreeMap<Option<Arc<str>>, Vec<&Diagnostic>> =
        report.texts.keys().map(|file| (Some(Arc::clone(file)), Vec::new())).collect();
    for one in &report.diagnostics {
        found.entry(one.place.as_ref().map(|place| Arc::clone(&place.file))).or_default().push(one);
    }
    let mut suite = TestSuite::new("grace validate");
    for (file, found) in &found {
        suite.add_test_case(case(report, file.as_deref().unwrap_or("configuration"), found));
    }
    let mut xml = quick_junit::Report::new("grace validate");
    xml.add_test_suite(suite);
    xml.to_string().unwrap_or_default()
}

fn case(report: &Report, name: &str, found: &[&Diagnostic]) -> TestCase {
    let lines = |severity| -> Vec<String> {
        let of = found.iter().filter(|found| found.severity == severity);
        of.map(|found| super::draw::line(report, found)).collect()
    };
    let (errors, warnings) = (lines(Severity::Error), lines(Severity::Warning));
    let status = if errors.is_empty() {
        TestCaseStatus::success()
    } else {
        let codes: BTreeSet<String> = found.iter().map(|found| found.code.to_string()).collect();
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(codes.into_iter().collect::<Vec<_>>().join(" "));
        status.set_message(errors.first().cloned().unwrap_or_default());
        status.set_description(errors.join("\n"));
        status
    };
    let mut case = TestCase::new(name, status);
    case.set_classname("grace.validate");
    if !warnings.is_empty() {
        case.set_system_out(warnings.join("\n"));
    }
    case
}
