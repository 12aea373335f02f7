//! Results of rule tests for people and programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::checking::test::{Args, Ran, measure, rewrite};
use crate::cli::terminal::out::{Look, Out};
use crate::replay::TestResult;
use crate::say;

/// Paints for a terminal; without one it leaves a text as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen(pub(super) Option<Out>);

impl Pen {
    pub(super) fn paint(self, look: Look, text: &str) -> String {
        self.0.map_or_else(|| text.to_owned(), |out| out.paint(look, text))
    }
}

/// Everything that came of one configuration, for people.
pub(super) fn human(pen: Pen, ran: &Ran, args: &Args) -> String {
    let mut text = say::human(&ran.tested.report, pen.0.is_some_and(Out::has_colour));
    if !text.is_empty() {
        text.push('\n');
    }
    ran.updates.iter().for_each(|updates| rewrite::show(pen, updates, &mut text));
    ran.tested.results.iter().for_each(|result| one(pen, result, args.verbose, &mut text));
    ran.coverage.iter().for_each(|found| measure::coverage(pen, found, args.coverage, &mut text));
    ran.mutated.iter().for_each(|found| measure::mutated(pen, found, args.mutate, &mut text));
    text
}

/// One result: what differs, `was` below what was expected, and then everything that happened.
fn one(pen: Pen, result: &TestResult, verbose: bool, text: &mut String) {
    let word = if result.passed() { pen.paint(Look::Good, "ok") } else { pen.paint(Look::Bad, "FAILED") };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "{word} {}: {}", result.file, say::plain(&result.name));
    for difference in &result.differences {
        let (at, blank) = (&difference.at, " ".repeat(difference.at.len()));
        let _ = writeln!(text, "    {at}  {}", pen.paint(Look::Bad, &say::plain(&difference.wanted)));
        let _ = writeln!(text, "    {blank}  was      {}", say::plain(&difference.was));
    }
    if verbose || !result.passed() {
        for line in result.timeline.lines() {
            let look = if line.starts_with('!') { Look::Bad } else { Look::Dim };
            let _ = writeln!(text, "    | {}", pen.paint(look, &say::plain(line)));
        }
    }
}

/// One line for each thing that is wrong.
pub(super) fn short(ran: &Ran) -> String {
    let mut lines = say::short(&ran.tested.report);
    for result in &ran.tested.results {
        lines.extend(result.failures.iter().map(|says| format!("{}: {}: {says}", result.file, result.name)));
    }
    lines.extend(
        ran.updates.iter().flat_map(|updates| &updates.left).map(|left| format!("left alone: {left}")),
    );
    lines.extend(ran.coverage.iter().flat_map(|found| &found.gaps).map(measure::gap));
    lines.extend(ran.mutated.iter().flat_map(|found| &found.alive).map(measure::mutant));
    lines.into_iter().map(|line| say::plain(&line) + "\n").collect()
}

/// The last line, for people.
pub(super) fn summary(out: Out, all: &[Ran], args: &Args) -> String {
    let tests = || all.iter().flat_map(|ran| &ran.tested.results);
    let failed = tests().filter(|result| !result.passed()).count();
    let passed = all.iter().all(|ran| super::passed(ran, args));
    let (look, word) = if passed { (Look::Good, "passed") } else { (Look::Bad, "failed") };
    let mut text = format!("{}: {} tests ran, {failed} failed", out.paint(look, word), tests().count());
    if args.mutate.is_some() && !all.iter().all(|ran| ran.tested.passed()) {
        text.push_str("; no mutant was tried, because a test that fails already notices nothing");
    }
    for says in all.iter().flat_map(|ran| super::short_of(ran, args)) {
        text.push_str("; ");
        text.push_str(&says);
    }
    text
}

/// One result for programs.
pub(super) fn result(result: &TestResult) -> Value {
    let differences = result
        .differences
        .iter()
        .map(|difference| json!({ "at": difference.at, "wanted": difference.wanted, "was": difference.was }));
    json!({
        "file": result.file,
        "name": result.name,
        "passed": result.passed(),
        "failures": result.failures,
        "differences": differences.collect::<Vec<_>>(),
        "timeline": result.timeline,
    })
}
