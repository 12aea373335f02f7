//! What every verb takes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::terminal::outputs::Target;

/// What every verb takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Shared {
    /// The directory that holds `rules/` and `policies/`
    #[arg(long, global = true, value_name = "DIR", default_value = ".", env = "GRACE_CONFIG")]
    pub(in crate::cli) config: PathBuf,
    /// The directory of the journal, the working database and the socket
    #[arg(long, global = true, value_name = "DIR", default_value = "./data", env = "GRACE_DATA")]
    pub(in crate::cli) data: PathBuf,
    /// How data is written: human, short or json; `validate` also writes sarif, github and junit, `test` junit,
    /// `simulate`, `report` and `shadow report` markdown; several at once, and into files: `--output human --output
    /// sarif=found.sarif`
    #[arg(long, global = true, value_name = "FORMAT[=FILE]", default_value = "human", env = "GRACE_OUTPUT")]
    pub(in crate::cli) output: Vec<Target>,
}
