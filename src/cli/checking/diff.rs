//! `grace diff`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::checking::{revision, validate};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::config::{Folder, diff};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is worth the same is no difference: comments, order, the way a value is written.\n\
                  Exit codes: 0 no difference, 1 differences, 2 not readable.\n\n\
                  Examples:\n  grace diff /etc/grace .\n  grace diff HEAD~1              that commit against the files here\n  \
                  grace diff main feature --output json"
)]
pub(in crate::cli) struct Args {
    /// A directory that holds `rules/` and `policies/`, or a revision of git
    before: String,
    /// The same, to compare with; `--config` where it is left out
    after: Option<String>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let before = files(&args.before, &shared.config)?;
    let after = match &args.after {
        Some(after) => files(after, &shared.config)?,
        None => folder(&shared.config)?,
    };
    let changes = match diff::diff(&before, &after) {
        Ok(changes) => changes,
        Err(report) => {
            validate::show(out, &report)?;
            return Ok(Exit::Usage);
        }
    };
    if out.is_json() {
        out.json(&json!({ "format_version": 1, "different": !changes.is_empty(), "changes": changes }))?;
    } else {
        let mut last = "";
        for change in &changes {
            if change.subject != last {
                out.line(out.paint(Look::Head, &change.subject))?;
                last = &change.subject;
            }
            let name = if change.key.is_empty() { "itself" } else { &change.key };
            if let Some(before) = &change.before {
                out.line(out.paint(Look::Bad, &format!("  - {name} = {before}")))?;
            }
            if let Some(after) = &change.after {
                out.line(out.paint(Look::Good, &format!("  + {name} = {after}")))?;
            }
        }
        let word = if changes.len() == 1 { "difference" } else { "differences" };
        out.talk(format_args!("{} {word}", changes.len()));
    }
    Ok(if changes.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// The files of a directory, else of a revision in the repository that holds the configuration.
pub(in crate::cli) fn files(name: &str, config: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let dir = PathBuf::from(name);
    if dir.is_dir() { folder(&dir) } else { revision::files(name, config) }
}

fn folder(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    if !dir.join("rules").is_dir() && !dir.join("policies").is_dir() {
        return Err(Failure::Usage(format!("{} holds neither `rules/` nor `policies/`", dir.display())));
    }
    Ok(Folder::read(dir).into_files())
}
