//! `grace restart`

use crate::api::shapes::Restarting;
use crate::cli::answer::post;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::shared::Shared;

#[derive(Debug, clap::Args)]
#[command(after_help = "Policies may ask for approval first; then the exit code is 5.\n\n\
                  Examples:\n  grace restart reflection_service\n  \
                  grace restart task_executor --reason 'stuck on job 17'")]
pub(super) struct Args {
    /// Which component
    component: String,
    /// Why; the journal keeps it
    #[arg(long)]
    reason: Option<String>,
}

pub(super) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let body = Restarting { component: args.component, reason: args.reason };
    post(shared, out, &["api", "health", "restart"], &body)
}
