//! Where the edges of the mode machine lead.

use std::collections::BTreeSet;

use crate::govern::{Edges, Mode, Modes};
use crate::model::ModeId;

/// Every mode that can be reached from this one over such edges.
pub(super) fn reached(
    modes: &Modes,
    from: &ModeId,
    leads: impl Fn(&Mode, &ModeId) -> bool,
) -> BTreeSet<ModeId> {
    let (mut found, mut todo) = (BTreeSet::from([from.clone()]), vec![from.clone()]);
    while let Some(id) = todo.pop() {
        let Some(mode) = modes.modes.get(&id) else { continue };
        for to in modes.modes.keys().filter(|to| leads(mode, to)) {
            if found.insert(to.clone()) {
                todo.push(to.clone());
            }
        }
    }
    found
}

/// Does such an edge lead there?
pub(super) fn leads(edges: &Edges, to: &ModeId) -> bool {
    match edges {
        Edges::Any => true,
        Edges::To(modes) => modes.contains(to),
    }
}
