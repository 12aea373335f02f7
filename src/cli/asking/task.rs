//! `grace task`

use crate::api::shapes::{Assigning, Minding, NewTask, Tasks};
use crate::cli::asking::answer::post;
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rules give tasks to people, and people each other. One that nobody acknowledges is told to somebody else: see \
                  `tasks` in policies/notify.toml.\n\n\
                  Examples:\n  grace task add 'Look at the disk of node 3'\n  grace task list\n  \
                  grace task acknowledge 12\n  grace task assign 12 ann --reason 'she knows the disks'\n  \
                  grace task close p7 --reason 'a new disk'\n  \
                  grace task assign 12 ann --dry-run"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Note a task; when this exits 0 the task is durable
    Add {
        /// What is to be done
        text: String,
        #[command(flatten)]
        how: How,
    },
    /// List the tasks that nobody closed, of rules and of people
    List {
        /// Closed ones as well
        #[arg(long)]
        all: bool,
    },
    /// Say that you have seen it
    #[command(visible_alias = "ack")]
    Acknowledge {
        /// Which, as `list` names it
        id: String,
        /// Why; the journal keeps it
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Give it to somebody
    Assign {
        /// Which, as `list` names it
        id: String,
        /// To whom
        to: String,
        /// Why; the journal keeps it
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Say that there is nothing more to do
    Close {
        /// Which, as `list` names it
        id: String,
        /// What came of it; the journal keeps it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        how: How,
    },
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    match args.verb {
        Verb::Add { text, how } => post(&how, (shared, out), &["api", "tasks"], &NewTask { text, key: None }),
        Verb::List { all } => list(all, shared, out),
        Verb::Acknowledge { id, reason, how } => {
            post(&how, (shared, out), &["api", "tasks", &id, "acknowledge"], &Minding { reason })
        }
        Verb::Assign { id, to, reason, how } => {
            post(&how, (shared, out), &["api", "tasks", &id, "assign"], &Assigning { to, reason })
        }
        Verb::Close { id, reason, how } => {
            post(&how, (shared, out), &["api", "tasks", &id, "close"], &Minding { reason: Some(reason) })
        }
    }
}

fn list(all: bool, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "tasks"];
    let mut tasks = asking(shared, out, |client, _| async move { client.get::<Tasks>(path).await })?;
    if !all {
        tasks.tasks.retain(|task| task.state != "closed");
    }
    if out.is_json() {
        out.json(&tasks)?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    let mut rows = vec![head(&["ID", "SINCE", "STATE", "BY", "TASK"])];
    rows.extend(tasks.tasks.iter().map(|task| {
        let id = task.id.as_deref().unwrap_or("-");
        let state = task.assigned_to.as_ref().filter(|_| task.state != "closed");
        let state = state.map_or_else(|| task.state.clone(), |to| format!("assigned to {to}"));
        plain(&[id, &times::both(&task.at, now), &state, &task.by, &task.text])
    }));
    if tasks.tasks.is_empty() {
        out.line(if all { "there are no tasks" } else { "no task is open" })?;
    } else {
        for line in columns(out, &rows) {
            out.line(line)?;
        }
    }
    if let Some(missing) = &tasks.missing {
        out.talk(format_args!("people's tasks are missing: {missing}"));
    }
    if tasks.waiting > 0 {
        out.talk(format_args!("{} writes wait for the database, tasks may be among them", tasks.waiting));
    }
    Ok(Exit::Clean)
}
