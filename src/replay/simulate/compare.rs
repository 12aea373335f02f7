//! What one run did and the other did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Time};

/// One act of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// In which recorded tick, or behind which one.
    pub tick: u64,
    /// When.
    pub at: Time,
    /// On what.
    pub component: ComponentId,
    /// What: `restart`.
    pub action: String,
    /// By which rule or person.
    pub by: String,
    /// Why.
    pub reason: String,
    /// In which incident of the component, counted in the record.
    #[serde(skip)]
    pub(super) incident: u64,
}

/// What became of an act in the other run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The same act at the same time.
    Same,
    /// It is new.
    Added,
    /// It is missing.
    Gone,
    /// It is done earlier or later in the same incident.
    Moved,
}

/// One act, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What became of it.
    pub change: Change,
    /// As it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Deed>,
    /// As it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Deed>,
}

impl Difference {
    /// The act, as it is, or as it was where it is no more.
    #[must_use]
    pub fn deed(&self) -> Option<&Deed> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// When it makes a difference first.
    #[must_use]
    pub fn at(&self) -> Option<Time> {
        [&self.before, &self.after].into_iter().flatten().map(|deed| deed.at).min()
    }
}

/// Which acts may be one and the same.
type Kind<'d> = (&'d ComponentId, &'d str, u64);

/// Every act of both runs, in the order of their times.
pub(super) fn compare(before: &[Deed], after: &[Deed]) -> Vec<Difference> {
    let mut kinds: BTreeMap<Kind, (Vec<&Deed>, Vec<&Deed>)> = BTreeMap::new();
    for deed in before {
        kinds.entry(kind(deed)).or_default().0.push(deed);
    }
    for deed in after {
        kinds.entry(kind(deed)).or_default().1.push(deed);
    }
    let mut found: Vec<Difference> =
        kinds.into_values().flat_map(|(before, after)| pair(before, after)).collect();
    found.sort_by(|one, other| {
        let key =
            |of: &Difference| (of.at(), of.deed().map(|deed| (deed.component.clone(), deed.action.clone())));
        key(one).cmp(&key(other))
    });
    found
}

fn kind(deed: &Deed) -> Kind<'_> {
    (&deed.component, &deed.action, deed.incident)
}

/// The acts of one kind: first those at the same time, then what is left, in order.
fn pair(mut before: Vec<&Deed>, mut after: Vec<&Deed>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |change, before: Option<&Deed>, after: Option<&Deed>| {
        found.push(Difference { change, before: before.cloned(), after: after.cloned() });
    };
    before.retain(|was| match after.iter().position(|is| is.at == was.at) {
        Some(place) => {
            note(Change::Same, Some(was), Some(after.remove(place)));
            false
        }
        None => true,
    });
    let common = before.len().min(after.len());
    for (was, is) in before.drain(..common).zip(after.drain(..common)) {
        note(Change::Moved, Some(was), Some(is));
    }
    for was in before {
        note(Change::Gone, Some(was), None);
    }
    for is in after {
        note(Change::Added, None, Some(is));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(at: i64, incident: u64) -> Deed {
        let (component, action) = (ComponentId::from("web"), "restart".to_owned());
        Deed { tick: 1, at: Time(at), component, action, by: "r/web".into(), reason: String::new(), incident }
    }

    #[test]
    fn an_act_is_moved_only_within_its_incident() {
        let before = [deed(1, 1), deed(5, 1), deed(9, 2)];
        let after = [deed(1, 1), deed(7, 1), deed(20, 3)];
        let found: Vec<_> = compare(&before, &after).iter().map(|one| (one.change, one.at())).collect();
        let at = |at| Some(Time(at));
        assert_eq!(
            found,
            [(Change::Same, at(1)), (Change::Moved, at(5)), (Change::Gone, at(9)), (Change::Added, at(20))]
        );
    }
}
