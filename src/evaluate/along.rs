//! Two lists in the order of their ids, gone through side by side: cheaper than to seek every id.

use std::cmp::Ordering;
use std::iter::Peekable;

/// A list in the order of its ids that is gone through along with another one.
pub(super) struct Along<I: Iterator>(Peekable<I>);

impl<'i, K: Ord + 'i, T, I: Iterator<Item = (&'i K, T)>> Along<I> {
    pub(super) fn new(all: impl IntoIterator<IntoIter = I>) -> Self {
        Self(all.into_iter().peekable())
    }

    /// What stands under an id, where something does. The next one that is asked for comes behind it.
    pub(super) fn at(&mut self, id: &K) -> Option<T> {
        while let Some((next, _)) = self.0.peek() {
            match (*next).cmp(id) {
                Ordering::Less => self.0.next(),
                Ordering::Equal => return self.0.next().map(|(_, found)| found),
                Ordering::Greater => return None,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::ComponentId;

    #[test]
    fn what_is_missing_on_either_side_is_passed_by() {
        let ids = |names: &[&str]| names.iter().map(|name| ComponentId::from(*name)).collect::<Vec<_>>();
        let known: BTreeMap<ComponentId, usize> = ids(&["a", "b", "d", "f"]).into_iter().zip(0..).collect();
        let mut along = Along::new(&known);
        let found: Vec<_> = ids(&["0", "b", "c", "f", "g"]).iter().map(|id| along.at(id).copied()).collect();
        assert_eq!(found, [None, Some(1), None, Some(3), None]);
    }
}
