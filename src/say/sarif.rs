//! A report in SARIF 2.1.0, which code scanning reads.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::say::{Code, Diagnostic, Edit, Place, Report, Severity, line_column};

/// The report as one SARIF log with one run.
#[must_use]
pub fn sarif(report: &Report) -> Value {
    let used: BTreeSet<Code> = report.diagnostics.iter().map(|found| found.code).collect();
    let rules: Vec<Value> = used.iter().copied().map(rule).collect();
    let results: Vec<Value> = report.diagnostics.iter().map(|found| result(report, found, &used)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "grace", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            // SARIF counts UTF-16 unless it is told otherwise.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.to_string(),
        "shortDescription": { "text": code.title() },
        "help": { "text": code.page(), "markdown": code.page() },
    })
}

fn result(report: &Report, found: &Diagnostic, used: &BTreeSet<Code>) -> Value {
    let level = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let help = found.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    let mut result = json!({
        "ruleId": found.code.to_string(),
        "ruleIndex": used.iter().position(|code| *code == found.code),
        "level": level,
        "message": { "text": format!("{}{help}", found.message) },
        "locations": found.place.iter().map(|place| location(report, place)).collect::<Vec<_>>(),
    });
    if let (Some(fix), Some(object)) = (&found.fix, result.as_object_mut()) {
        let changes: Vec<Value> = fix.edits.iter().map(|edit| change(report, edit)).collect();
        object.insert("fixes".into(), json!([{ "artifactChanges": changes }]));
    }
    result
}

fn location(report: &Report, place: &Place) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.file) },
        "region": region(report, place),
    } })
}

fn change(report: &Report, edit: &Edit) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&edit.place.file) },
        "replacements": [{
            "deletedRegion": region(report, &edit.place),
            "insertedContent": { "text": edit.text },
        }],
    })
}

fn region(report: &Report, place: &Place) -> Value {
    let at = |byte| report.texts.get(&place.file).map_or((1, 1), |text| line_column(text, byte));
    let ((line, column), (end_line, end_column)) = (at(place.span.0), at(place.span.1));
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// A relative reference; only what it must not hold is escaped.
fn uri(file: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-._~/".contains(c);
    let escape = |uri: String, byte| format!("{uri}%{byte:02X}");
    file.chars().fold(String::new(), |uri, c| {
        if plain(c) {
            uri + &*c.encode_utf8(&mut [0; 4])
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().fold(uri, escape)
        }
    })
}
