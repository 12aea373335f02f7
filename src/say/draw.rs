//! A report as people and programs want it: drawn with excerpts, one line each, or JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use serde_json::{Value, json};

use crate::say::{Diagnostic, Edit, Fix, Report, Severity, line_column};

/// The report with source excerpts and carets, as rustc draws them.
#[must_use]
pub fn human(report: &Report, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let drawn: Vec<String> = report.diagnostics.iter().map(|found| one(report, found, &renderer)).collect();
    drawn.join("\n\n")
}

fn one(report: &Report, found: &Diagnostic, renderer: &Renderer) -> String {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let code = found.code.to_string();
    let title = level.primary_title(found.message.as_str()).id(code);
    let text = found.place.as_ref().and_then(|place| Some((place, report.texts.get(&place.file)?)));
    let group = match text {
        Some((place, text)) => {
            let snippet = Snippet::source(text.as_ref())
                .path(place.file.as_ref())
                .annotation(AnnotationKind::Primary.span(whole_letters(text, place.span)));
            Group::with_title(title).element(snippet)
        }
        None => match &found.place {
            Some(place) => Group::with_title(title).element(Origin::path(place.file.as_ref())),
            None => Group::with_title(title),
        },
    };
    match (&found.help, found.fix.as_ref().and_then(|fix| patched(report, fix))) {
        (help, Some(snippet)) => {
            let says = help.as_deref().unwrap_or("write");
            let mend = Group::with_title(Level::HELP.secondary_title(says)).element(snippet);
            renderer.render(&[group, mend])
        }
        (Some(help), None) => renderer.render(&[group.element(Level::HELP.message(help.as_str()))]),
        (None, None) => renderer.render(&[group]),
    }
}

/// The lines as a fix would leave them. All edits of one fix are in one file.
fn patched<'a>(report: &'a Report, fix: &'a Fix) -> Option<Snippet<'a, Patch<'a>>> {
    let file = &fix.edits.first()?.place.file;
    let text = report.texts.get(file)?;
    let patches =
        fix.edits.iter().map(|edit| Patch::new(whole_letters(text, edit.place.span), edit.text.as_str()));
    Some(Snippet::source(text.as_ref()).path(file.as_ref()).patches(patches))
}

/// A stretch that begins and ends between letters and inside the text: the renderer panics at any other.
fn whole_letters(text: &str, (from, to): (usize, usize)) -> Range<usize> {
    let from = text.floor_char_boundary(from);
    from..text.ceil_char_boundary(to).max(from)
}

/// One line for each problem: `rules/database.toml:3:7: error[GR2002]: ... (help)`.
#[must_use]
pub fn short(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(|found| line(report, found)).collect()
}

/// So many reasons against a generation are told.
const MOST_REASONS: usize = 50;

/// Why a generation cannot be used, one line for each reason: warnings are none, and of many the first are told.
#[must_use]
pub fn reasons(report: &Report) -> Vec<String> {
    let errors = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let count = report.count(Severity::Error);
    let mut lines: Vec<String> = errors.take(MOST_REASONS).map(|found| line(report, found)).collect();
    if count > MOST_REASONS {
        lines.push(format!("and {} more problems: `grace validate` tells them", count - MOST_REASONS));
    }
    lines
}

pub(super) fn line(report: &Report, found: &Diagnostic) -> String {
    let place = match (&found.place, report.position(found)) {
        (Some(place), Some((line, column))) => format!("{}:{line}:{column}: ", place.file),
        (Some(place), None) => format!("{}: ", place.file),
        (None, _) => String::new(),
    };
    let help = found.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{place}{}[{}]: {}{help}", found.severity.word(), found.code, found.message)
}

/// The report as one JSON object.
#[must_use]
pub fn to_json(report: &Report) -> Value {
    let diagnostics: Vec<Value> = report.diagnostics.iter().map(|found| object(report, found)).collect();
    json!({
        "format_version": 1,
        "valid": !report.is_fatal(),
        "counts": {
            "error": report.count(Severity::Error),
            "warning": report.count(Severity::Warning),
        },
        "diagnostics": diagnostics,
    })
}

fn object(report: &Report, found: &Diagnostic) -> Value {
    let (line, column) = report.position(found).unzip();
    json!({
        "code": found.code.to_string(),
        "severity": found.severity.word(),
        "message": found.message,
        "file": found.place.as_ref().map(|place| place.file.as_ref()),
        "line": line,
        "column": column,
        "help": found.help,
        "fixes": found.fix.iter().map(|fix| fix_object(report, found, fix)).collect::<Vec<_>>(),
    })
}

fn fix_object(report: &Report, found: &Diagnostic, fix: &Fix) -> Value {
    let edits: Vec<Value> = fix.edits.iter().map(|edit| edit_object(report, edit)).collect();
    json!({ "message": found.help, "safe": fix.safe, "edits": edits })
}

fn edit_object(report: &Report, Edit { place, text }: &Edit) -> Value {
    let at = |byte| report.texts.get(&place.file).map(|text| line_column(text, byte)).unzip();
    let ((line, column), (end_line, end_column)) = (at(place.span.0), at(place.span.1));
    json!({
        "file": place.file.as_ref(),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::{Code, Place};

    #[test]
    fn a_problem_is_drawn_wherever_its_place_lies() {
        let (name, text) = ("a.toml".into(), "ü\nя = 'ё'".into());
        let mut report = Report::default();
        for from in 0..12 {
            for to in 0..12 {
                let place = Place::new(&name, from..to);
                report.diagnostics.push(Diagnostic::error(Code::BadValue, "no").at(place));
            }
        }
        report.texts.insert(name, text);
        assert_eq!(human(&report, true).matches("GR2005").count(), 144);
    }
}
