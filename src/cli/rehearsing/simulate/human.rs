//! A simulation's report for people: tables, and what differs in the order of time.

use std::fmt::Write;

use crate::cli::rehearsing::simulate::Told;
use crate::cli::rehearsing::simulate::certain::{doubtful, length, percent, rates, why};
use crate::cli::rehearsing::simulate::gates::name;
use crate::cli::terminal::columns::{Cell, columns, head};
use crate::cli::terminal::out::{Look, Out, Output};
use crate::cli::terminal::text::cleaned;
use crate::model::Span;
use crate::replay::simulate::{Change, Deed, Differing, Rehearsal};

pub(super) fn text(told: &Told, out: Option<Out>) -> String {
    let pen = out.unwrap_or(Out::new(Output::Human).plain());
    let found = told.found;
    let mut lines = vec![title(told)];
    let warning = |says: String| format!("{} {}", pen.paint(Look::Bad, "warning:"), cleaned(&says));
    lines.extend(found.warnings().into_iter().map(warning));
    lines.extend(tables(pen, found));
    lines.push(certain(pen, found));
    lines.extend(
        found.faults.iter().map(|one| format!("injected {}: struck {}", one.fault, times(one.times))),
    );
    lines.extend(timeline(pen, told));
    lines.push(String::new());
    for line in found.headline() {
        lines.push(pen.paint(Look::Head, &line));
    }
    for broken in told.broken {
        lines.push(format!("{} {}", pen.paint(Look::Bad, "gate:"), cleaned(broken)));
    }
    lines.join("\n")
}

/// `once`, `3 times`.
pub(super) fn times(times: u64) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

fn title(told: &Told) -> String {
    let found = told.found;
    let mut text = format!("{} ticks", found.ticks);
    if let Some((from, to)) = found.span {
        // Writing to a string cannot fail.
        let _ = write!(text, " from {from} to {to}");
    }
    let digest: String = told.rules.generation.as_str().chars().take(12).collect();
    let against = if told.compared == "running" { "what was recorded" } else { told.compared };
    let _ = write!(text, "; rules {digest} against {against}");
    if found.expired > 0 {
        let _ = write!(text, "; {} ticks have expired", found.expired);
    }
    if found.behind > 0 {
        let _ = write!(text, "; {} behind them, before the next kept state, are not played", found.behind);
    }
    text
}

fn tables(pen: Out, found: &Rehearsal) -> Vec<String> {
    let mut rows: Vec<Vec<Cell>> = vec![head(&["", "before", "after", ""])];
    let number = |text: String| (Look::Plain, text);
    for count in &found.actions {
        let mut says = Vec::new();
        for (number, word) in [(count.added, "added"), (count.gone, "gone"), (count.moved, "moved")] {
            if number > 0 {
                says.push(format!("{number} {word}"));
            }
        }
        let look = if says.is_empty() { Look::Plain } else { Look::Odd };
        rows.push(vec![
            (Look::Plain, format!("{} {}", count.action, count.component)),
            number(count.before.to_string()),
            number(count.after.to_string()),
            (look, says.join(", ")),
        ]);
    }
    for mode in &found.modes {
        let changed = mode.before_ms != mode.after_ms || mode.entered_before != mode.entered_after;
        let says = if changed {
            format!("entered {} and {} times", mode.entered_before, mode.entered_after)
        } else {
            String::new()
        };
        let (before, after) = (length(mode.before_ms), length(mode.after_ms));
        rows.push(vec![
            (Look::Plain, format!("in {}", mode.mode)),
            number(before),
            number(after),
            (Look::Odd, says),
        ]);
    }
    for sick in &found.critical {
        if sick.before_ms == Span::ZERO && sick.after_ms == Span::ZERO {
            continue;
        }
        let says = format!("{} and {} incidents", sick.incidents_before, sick.incidents_after);
        let (before, after) = (length(sick.before_ms), length(sick.after_ms));
        rows.push(vec![
            (Look::Plain, format!("{} critical", sick.component)),
            number(before),
            number(after),
            (Look::Dim, says),
        ]);
    }
    if found.approvals != (0, 0) {
        let (before, after) = found.approvals;
        let row = [before, after].map(|count| number(count.to_string()));
        rows.push(std::iter::once((Look::Plain, "approvals asked".to_owned())).chain(row).collect());
    }
    columns(pen, &rows)
}

fn certain(pen: Out, found: &Rehearsal) -> String {
    let (exact, modelled, unknown) = found.certainty();
    let mut text =
        format!("exact {}, modelled {}, unknown {}", percent(exact), percent(modelled), percent(unknown));
    for one in doubtful(found) {
        let rates = rates(found, one).map(|rates| format!("; recorded: {rates}")).unwrap_or_default();
        let (component, exact) = (pen.paint(Look::Odd, one.component.as_str()), percent(one.exact));
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {component} exact {exact}; {}{rates}", why(one));
    }
    text
}

/// What differs, and where it is wanted what does not, in the order of time.
fn timeline(pen: Out, told: &Told) -> Vec<String> {
    let mut lines: Vec<(crate::model::Time, String)> = Vec::new();
    for gone in &told.found.changes {
        if let Some(at) = gone.difference.at() {
            lines.push((at, difference(pen, gone)));
        }
    }
    if told.all {
        let differs =
            |deed: &Deed| told.found.changes.iter().any(|gone| gone.difference.after.as_ref() == Some(deed));
        for deed in told.found.deeds.iter().filter(|deed| !differs(deed)) {
            lines.push((deed.at, format!("  {}  {}", deed.at, says(deed))));
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn difference(pen: Out, gone: &Differing) -> String {
    let one = &gone.difference;
    let text = match (one.change, &one.before, &one.after) {
        (Change::Moved, Some(before), Some(after)) => {
            format!("~ {}  {} moved to {}", before.at, says(before), after.at)
        }
        (_, Some(before), None) => format!("- {}  {}", before.at, says(before)),
        (_, _, Some(after)) => format!("+ {}  {}", after.at, says(after)),
        _ => String::new(),
    };
    let look = match one.change {
        Change::Added => Look::Good,
        Change::Gone => Look::Bad,
        Change::Moved | Change::Same => Look::Odd,
    };
    let modelled = if gone.modelled { pen.paint(Look::Dim, "  (modelled)") } else { String::new() };
    format!("{}{modelled}", pen.paint(look, &text))
}

fn says(deed: &Deed) -> String {
    cleaned(&format!("{} by {}", name(deed), deed.by))
}

/// One line for each act that differs, and for each gate that does not hold.
pub(super) fn short(told: &Told) -> String {
    let mut lines = Vec::new();
    for gone in &told.found.changes {
        let one = &gone.difference;
        let word = match one.change {
            Change::Added => "added",
            Change::Gone => "gone",
            Change::Moved => "moved",
            Change::Same => "same",
        };
        let (Some(at), Some(deed)) = (one.at(), one.deed()) else { continue };
        lines.push(format!("{at} {word} {}", says(deed)));
    }
    lines.extend(told.found.warnings().iter().map(|says| format!("warning: {}", cleaned(says))));
    lines.extend(told.broken.iter().map(|broken| format!("gate: {}", cleaned(broken))));
    lines.join("\n")
}
