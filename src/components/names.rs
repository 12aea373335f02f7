//! The names of the four parts, once.

/// Looks back every ten seconds.
pub(crate) const REFLECTION: &str = "reflection_service";
/// Grace's own working database.
pub(crate) const DATABASE: &str = "database";
/// Workers on a durable queue.
pub(crate) const EXECUTOR: &str = "task_executor";
/// The event bus.
pub(crate) const MESH: &str = "trigger_mesh";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BUILTINS;

    #[test]
    fn these_are_exactly_the_built_ins_that_files_can_name() {
        let mut ours = [REFLECTION, DATABASE, EXECUTOR, MESH];
        let mut known = BUILTINS.each_ref().map(|spec| spec.component);
        ours.sort_unstable();
        known.sort_unstable();
        assert_eq!(ours, known);
    }
}
