//! A report as people and programs want it: drawn with excerpts, one line each, or JSON.

use std::ops::Range;

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
            let snippet = Snippet::source(text.as_ref())
                .path(place.file.as_ref())
                .annotation(AnnotationKind::Primary.span(whole_letters(text, place.span)));
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
