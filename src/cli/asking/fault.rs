//! `grace fault`

use crate::api::shapes::Faulting;
use crate::cli::asking::answer::post;
use crate::cli::asking::how::How;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times::duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace fault inject reflection_service hang --age 3m\n  \
                  grace fault inject task_executor kill-workers\n  \
                  grace fault inject database slow --by 2s\n  grace fault inject trigger_mesh drop\n  \
                  grace fault clear database\n  \
                  grace fault inject database down --dry-run")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a component fail
    Inject {
        /// Which component
        component: String,
        /// How: hang, stop, kill-workers, down, slow, fail-writes, drop
        fault: String,
        /// How long a `hang` seems to last already
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        age: Option<String>,
        /// How much longer each call takes with `slow`
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        by: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// End the fault
    Clear {
        /// Which component
        component: String,
        #[command(flatten)]
        how: How,
    },
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let (body, how) = match args.verb {
        Verb::Inject { component, fault, age, by, how } => (Faulting { component, fault, age, by }, how),
        Verb::Clear { component, how } => {
            (Faulting { component, fault: "clear".into(), age: None, by: None }, how)
        }
    };
    post(&how, (shared, out), &["api", "faults"], &body)
}
