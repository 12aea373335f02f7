//! Compiles a condition where it stands, so that every fault in it has its place in the file.

use crate::condition::{Condition, Vocabulary};
use crate::config::reader::Item;
use crate::say::Diagnostic;

pub(super) fn compile(item: &Item, vocabulary: &Vocabulary) -> Option<Condition> {
    let faults = match Condition::compile(item.text()?, vocabulary) {
        Ok(condition) => return Some(condition),
        Err(faults) => faults,
    };
    for fault in faults {
        let place = item.file.place(item.within(&fault.span));
        let mut found = Diagnostic::error(fault.code, fault.message).at(place);
        found.help = fault.help;
        item.file.problems.push(found);
    }
    None
}
