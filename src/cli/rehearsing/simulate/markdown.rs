//! A simulation's report for a pull request.

use std::fmt::Write;

use crate::cli::rehearsing::simulate::Told;
use crate::cli::rehearsing::simulate::certain::{doubtful, length, percent, rates, why};
use crate::cli::rehearsing::simulate::gates::name;
use crate::cli::rehearsing::simulate::human::times;
use crate::cli::terminal::text::cleaned;
use crate::model::Span;
use crate::replay::simulate::{Change, Differing, Rehearsal};

/// More differences than this nobody reads in a pull request.
const MOST: usize = 50;

pub(super) fn text(told: &Told) -> String {
    let found = told.found;
    let mut text = String::from("## What these rules would have done\n\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "**{}**\n", found.headline().join(", "));
    if let Some((from, to)) = found.span {
        let (exact, modelled, unknown) = found.certainty();
        let _ = writeln!(
            text,
            "{} ticks from {from} to {to}; {:.1} % of it exact, {:.1} % modelled by recorded success rates, {:.1} % \
             unknown.\n",
            found.ticks,
            exact * 100.0,
            modelled * 100.0,
            unknown * 100.0
        );
    }
    for warning in found.warnings() {
        let _ = writeln!(text, "> :warning: {}\n", escaped(&warning));
    }
    for broken in told.broken {
        let _ = writeln!(text, "- :x: {}", escaped(broken));
    }
    if !told.broken.is_empty() {
        text.push('\n');
    }
    table(told, &mut text);
    certain(found, &mut text);
    for one in &found.faults {
        let _ = writeln!(text, "\nInjected `{}`: struck {}.", one.fault, times(one.times));
    }
    changes(told, &mut text);
    text
}

fn table(told: &Told, text: &mut String) {
    text.push_str("| | before | after | added | gone | moved |\n|---|--:|--:|--:|--:|--:|\n");
    for count in &told.found.actions {
        let _ = writeln!(
            text,
            "| {} `{}` | {} | {} | {} | {} | {} |",
            escaped(&count.action),
            count.component,
            count.before,
            count.after,
            count.added,
            count.gone,
            count.moved
        );
    }
    for mode in &told.found.modes {
        let (before, after) = (length(mode.before_ms), length(mode.after_ms));
        let _ = writeln!(text, "| time in `{}` | {before} | {after} | | | |", mode.mode);
    }
    for sick in &told.found.critical {
        let (before, after) = (length(sick.before_ms), length(sick.after_ms));
        if sick.before_ms != Span::ZERO || sick.after_ms != Span::ZERO {
            let _ = writeln!(text, "| `{}` critical | {before} | {after} | | | |", sick.component);
        }
    }
    let (before, after) = told.found.approvals;
    if (before, after) != (0, 0) {
        let _ = writeln!(text, "| approvals asked | {before} | {after} | | | |");
    }
}

/// How sure it is of each component that the record does not tell all of.
fn certain(found: &Rehearsal, text: &mut String) {
    if doubtful(found).next().is_none() {
        return;
    }
    text.push_str(
        "\n| not all exact | exact | modelled | unknown | why | recorded |\n|---|--:|--:|--:|---|---|\n",
    );
    for one in doubtful(found) {
        let (exact, modelled, unknown) = (percent(one.exact), percent(one.modelled), percent(one.unknown));
        let (why, rates) = (escaped(&why(one)), rates(found, one).unwrap_or_default());
        let (component, rates) = (&one.component, escaped(&rates));
        let _ = writeln!(text, "| `{component}` | {exact} | {modelled} | {unknown} | {why} | {rates} |");
    }
}

fn changes(told: &Told, text: &mut String) {
    let all = &told.found.changes;
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n<details><summary>{} acts differ</summary>\n", all.len());
    all.iter().take(MOST).for_each(|gone| change(gone, text));
    if all.len() > MOST {
        let _ = writeln!(text, "- and {} more", all.len() - MOST);
    }
    text.push_str("\n</details>\n");
}

fn change(gone: &Differing, text: &mut String) {
    let one = &gone.difference;
    // Of one that moved the place it left comes first, whichever of the two is earlier.
    let at = one.before.as_ref().map(|before| before.at).or_else(|| one.at());
    let (Some(at), Some(deed)) = (at, one.deed()) else { return };
    let what = format!("{} by {}", escaped(&name(deed)), escaped(&deed.by));
    let word = match (one.change, &one.after) {
        (Change::Added, _) => "added".to_owned(),
        (Change::Moved, Some(after)) => format!("moved to {}", after.at),
        _ => "gone".to_owned(),
    };
    let modelled = if gone.modelled { " (modelled)" } else { "" };
    let _ = writeln!(text, "- {at} {what}: {word}{modelled}");
}

/// What would be markup in Markdown is text.
pub(in crate::cli::rehearsing) fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in cleaned(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '@' | '~' | '&') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}
