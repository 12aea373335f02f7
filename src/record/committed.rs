//! The proof that something is durable.

/// Something that stands in the journal, on the disk.
///
/// Only [`crate::record::Journal::commit`] makes one, after its transaction; so code that acts before it has
/// written down that it will act does not compile:
///
/// ```compile_fail,E0423
/// fn forge(permit: grace::govern::Permit) -> grace::record::Committed<grace::govern::Permit> {
///     grace::record::Committed(permit)
/// }
/// ```
///
/// Nor can it be spent twice:
///
/// ```compile_fail,E0308
/// use grace::{govern::Permit, record::Committed};
/// fn twice(permit: &Committed<Permit>) -> Committed<Permit> {
///     permit.clone()
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Committed<T>(T);

impl<T> Committed<T> {
    pub(super) fn new(durable: T) -> Self {
        Self(durable)
    }

    /// What is durable.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What is durable, without the proof.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}
