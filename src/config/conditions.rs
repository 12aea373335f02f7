//! Compiles a condition where it stands, so that every fault in it has its place in the file.

use crate::condition::{Condition, Vocabulary};
use crate::config::reader::Item;
use crate::say::Diagnostic;

pub(super) fn compile(item: &Item, vocabulary: &Vocabulary) -> Option<Condition> {
    let text = item.text()?;
    let faults = match Condition::compile(text, vocabulary) {
        Ok(condition) => return Some(condition),
        Err(faults) => faults,
    };
    for fault in faults {
        let span = item.within(&fault.span);
        let mut found = Diagnostic::error(fault.code, fault.message).at(item.file.place(span.clone()));
        found.help = fault.help;
        if let Some((meant, sure)) = &fault.instead {
            let word = text.get(fault.span).unwrap_or_default();
            found.fix = item.file.instead(span, word, (meant, *sure));
        }
        item.file.problems.push(found);
    }
    None
}
