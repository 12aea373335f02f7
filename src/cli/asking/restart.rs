//! `grace restart`

use crate::api::shapes::Restarting;
use crate::cli::asking::answer::post;
use crate::cli::asking::how::How;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;

#[derive(Debug, clap::Args)]
#[command(after_help = "Policies may ask for approval first; then the exit code is 5.\n\n\
                  Examples:\n  grace restart reflection_service\n  \
                  grace restart task_executor --reason 'stuck on job 17'\n  \
                  grace restart task_executor --dry-run            may it, and who would have to approve it?")]
pub(in crate::cli) struct Args {
    /// Which component
    component: String,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let body = Restarting { component: args.component, reason: args.reason };
    post(&args.how, (shared, out), &["api", "health", "restart"], &body)
}
