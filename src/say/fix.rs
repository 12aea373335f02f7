//! A mend that can be written down: which stretches of which files become what.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::say::{Place, Report};

/// A mend as edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What becomes of which stretch; they do not touch each other.
    pub edits: Vec<Edit>,
    /// It can only be what was meant, so that a program may do it.
    pub safe: bool,
}

/// One stretch and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub place: Place,
    /// What stands there then.
    pub text: String,
}

impl Fix {
    /// Another text in one place.
    #[must_use]
    pub fn instead(place: Place, text: impl Into<String>) -> Self {
        Self { edits: vec![Edit { place, text: text.into() }], safe: false }
    }

    /// Nothing else can be meant.
    #[must_use]
    pub fn safe(mut self) -> Self {
        self.safe = true;
        self
    }
}

/// The texts of the files that the safe fixes of a report change. Of edits that touch each other the first counts:
/// the next look finds what is left.
#[must_use]
pub fn fixed(report: &Report) -> BTreeMap<Arc<str>, String> {
    let fixes = report.diagnostics.iter().filter_map(|found| found.fix.as_ref()).filter(|fix| fix.safe);
    let mut edits: BTreeMap<Arc<str>, Vec<&Edit>> = BTreeMap::new();
    for edit in fixes.flat_map(|fix| &fix.edits) {
        edits.entry(Arc::clone(&edit.place.file)).or_default().push(edit);
    }
    let changed = edits.into_iter().filter_map(|(file, edits)| {
        let text = apply(report.texts.get(&file)?, edits);
        Some((file, text))
    });
    changed.collect()
}

fn apply(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| edit.place.span);
    let (mut done, mut at) = (String::new(), 0);
    for edit in edits {
        let (from, to) = edit.place.span;
        let (Some(before), Some(_)) = (text.get(at..from), text.get(from..to)) else { continue };
        done.push_str(before);
        done.push_str(&edit.text);
        at = to;
    }
    done.push_str(text.get(at..).unwrap_or_default());
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::say::{Code, Diagnostic};

    #[test]
    fn safe_fixes_are_applied_and_those_that_touch_wait() {
        let file: Arc<str> = "a.toml".into();
        let mut report = Report::default();
        report.texts.insert(Arc::clone(&file), "afer = 1\nof = 2\n".into());
        for (span, text, safe) in
            [(0..4, "after", true), (2..6, "x", true), (9..11, "off", false), (14..15, "3", true)]
        {
            let fix = Fix { safe, ..Fix::instead(Place::new(&file, span), text) };
            report.diagnostics.push(Diagnostic::error(Code::UnknownKey, "no").fix(fix));
        }
        assert_eq!(fixed(&report).get(&file).map(String::as_str), Some("after = 1\nof = 3\n"));
    }
}
