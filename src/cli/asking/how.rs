//! How a change is asked for: in earnest, or only to hear what would become of it.

use crate::cli::terminal::failure::Failure;

/// How a change is asked for.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct How {
    /// Only say what would become of it, and do nothing; the exit code says it, too
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Only while the mode and its claims are of this revision.
    #[arg(skip)]
    pub(super) revision: Option<String>,
}

impl How {
    /// Nothing is asked for, so there is nothing to try either.
    pub(in crate::cli) fn tries_nothing(&self, says: &str) -> Result<(), Failure> {
        if self.dry_run {
            Err(Failure::Usage(format!("`--dry-run` needs a change to try: {says}")))
        } else {
            Ok(())
        }
    }
}
