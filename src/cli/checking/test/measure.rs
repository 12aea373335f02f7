//! How good the tests are: what they have seen, and what they would notice.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::checking::test::show::Pen;
use crate::cli::terminal::out::Look;
use crate::replay::{Coverage, Gap, Mutant, Mutated, share};

/// Coverage for people.
pub(super) fn coverage(pen: Pen, coverage: &Coverage, min: Option<f64>, text: &mut String) {
    let kind = |(kind, seen, of): &(&str, usize, usize)| {
        format!("{kind} {seen} of {of} ({:.1} %)", share(*seen, *of))
    };
    let kinds: Vec<String> = coverage.kinds.iter().map(kind).collect();
    let percent = judged(pen, coverage.percent(), min);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "coverage: {percent}; {}", kinds.join(", "));
    for one in &coverage.gaps {
        let _ = writeln!(text, "    {}", gap(one));
    }
}

/// Something that no test has seen, with its place.
pub(super) fn gap(gap: &Gap) -> String {
    let (line, column) = gap.position;
    format!("{}:{line}:{column}: {}", gap.file, gap.says)
}

/// Mutants for people.
pub(super) fn mutated(pen: Pen, mutated: &Mutated, min: Option<f64>, text: &mut String) {
    let percent = judged(pen, mutated.percent(), min);
    let (killed, total, invalid) = (mutated.killed, mutated.total(), mutated.invalid);
    let _ = writeln!(text, "mutants: {percent}; {killed} of {total} noticed, {invalid} do not load");
    if mutated.left_out > 0 {
        let _ = writeln!(text, "    {} more were not tried: there are too many", mutated.left_out);
    }
    for one in &mutated.alive {
        let _ = writeln!(text, "    {}", mutant(one));
    }
}

/// A change that no test notices, with its place.
pub(super) fn mutant(mutant: &Mutant) -> String {
    let (line, column) = mutant.position;
    let change = match mutant.after.as_str() {
        "" => format!("that `{}` is left out", mutant.before),
        after => format!("`{}` -> `{after}`", mutant.before),
    };
    format!("{}:{line}:{column}: no test notices {change}", mutant.file)
}

fn judged(pen: Pen, percent: f64, min: Option<f64>) -> String {
    let look = if min.is_some_and(|min| percent < min) { Look::Bad } else { Look::Good };
    pen.paint(look, &format!("{percent:.1} %"))
}

/// Coverage for programs.
pub(super) fn coverage_json(coverage: &Coverage) -> Value {
    let kinds = coverage.kinds.iter();
    let kinds = kinds.map(|(kind, seen, of)| json!({ "kind": kind, "seen": seen, "of": of }));
    let gaps = coverage.gaps.iter().map(
        |gap| json!({ "file": gap.file, "line": gap.position.0, "column": gap.position.1, "says": gap.says }),
    );
    json!({
        "percent": coverage.percent(),
        "kinds": kinds.collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
    })
}

/// Mutants for programs.
pub(super) fn mutated_json(mutated: &Mutated) -> Value {
    let alive = mutated.alive.iter().map(|mutant| {
        json!({
            "file": mutant.file,
            "line": mutant.position.0,
            "column": mutant.position.1,
            "before": mutant.before,
            "after": mutant.after,
        })
    });
    json!({
        "percent": mutated.percent(),
        "killed": mutated.killed,
        "total": mutated.total(),
        "invalid": mutated.invalid,
        "left_out": mutated.left_out,
        "alive": alive.collect::<Vec<_>>(),
    })
}
