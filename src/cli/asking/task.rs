//! `grace task`

use crate::api::shapes::{NewTask, Tasks};
use crate::cli::asking::answer::post;
use crate::cli::asking::client::asking;
use crate::cli::terminal::columns::{columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::record::Clock;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  grace task add 'Look at the disk of node 3'\n  grace task list")]
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
    },
    /// List the newest tasks, of rules and of people
    List,
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    match args.verb {
        Verb::Add { text } => post(shared, out, &["api", "tasks"], &NewTask { text, key: None }),
        Verb::List => list(shared, out),
    }
}

fn list(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let path = &["api", "tasks"];
    let tasks = asking(shared, out, |client, _| async move { client.get::<Tasks>(path).await })?;
    if out.is_json() {
        out.json(&tasks)?;
        return Ok(Exit::Clean);
    }
    let now = Clock::start(None).now();
    let mut rows = vec![head(&["SINCE", "BY", "TASK"])];
    rows.extend(tasks.tasks.iter().map(|task| plain(&[&times::both(&task.at, now), &task.by, &task.text])));
    if tasks.tasks.is_empty() {
        out.line("there are no tasks")?;
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
