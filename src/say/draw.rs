//! A report as people and programs want it: drawn with excerpts, one line each, or JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::say::{Diagnostic, Report, Severity};

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
            let span = place.span.0.min(text.len())..place.span.1.min(text.len());
            let snippet = Snippet::source(text.as_ref())
                .path(place.file.as_ref())
                .annotation(AnnotationKind::Primary.span(span));
            Group::with_title(title).element(snippet)
        }
        None => Group::with_title(title),
    };
    let group = match (&found.help, &found.place) {
        (Some(help), _) => group.element(Level::HELP.message(help.as_str())),
        (None, _) => group,
    };
    renderer.render(&[group])
}

/// One line for each problem: `rules/database.toml:3:7: error[GR2002]: ... (help)`.
#[must_use]
pub fn short(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(|found| line(report, found)).collect()
}

fn line(report: &Report, found: &Diagnostic) -> String {
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
    })
}
