//! `grace backup` and `grace restore`

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::store::Manifest;
use crate::supervisor;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether Grace runs or not. The backup is proven before it gets its name: both databases are \
                  checked, the journal's chain is walked, the file is read back. It needs twice its room for a moment, \
                  beside FILE. Rule and policy files are not part of it; the journal holds the text of each generation.\n\n\
                  Exit codes: 0 made, 1 a database does not hold, 2 it cannot be made.\n\n\
                  Examples:\n  grace backup /var/backups/grace.tar --data /var/lib/grace\n  \
                  grace backup \"grace-$(date +%F).tar\" --output json | jq .manifest.journal"
)]
pub(in crate::cli) struct Args {
    /// The file to write: a tar of both databases and a manifest
    file: PathBuf,
    /// Replace the file where it is there already
    #[arg(long)]
    force: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything is checked before anything is touched. Grace must not run on the data directory. Killed in \
                  the middle, either nothing happened yet, or the next `grace run` or `grace restore` ends it.\n\n\
                  Exit codes: 0 restored, 1 the backup does not hold, 2 it cannot be restored here.\n\n\
                  Examples:\n  grace restore grace.tar --data /var/lib/grace\n  grace restore grace.tar --force"
)]
pub(in crate::cli) struct RestoreArgs {
    /// The file that `grace backup` wrote
    file: PathBuf,
    /// Move databases that are there aside (`journal.db.before-restore-TIME`)
    #[arg(long)]
    force: bool,
}

/// What was written.
#[derive(Serialize)]
struct Made<'m> {
    file: &'m PathBuf,
    manifest: Manifest,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let made = supervisor::backup(&shared.data, &args.file, args.force, &mut |name, done, all| {
        out.progress(format_args!("{name}: {} %", (100 * done).checked_div(all).unwrap_or(100)));
    });
    out.progress("");
    let manifest = made?;
    if out.is_json() {
        out.json(&Made { file: &args.file, manifest })?;
        return Ok(Exit::Clean);
    }
    out.line(format_args!("{}: {}", out.paint(Look::Good, "whole"), args.file.display()))?;
    describe(&manifest, out)?;
    Ok(Exit::Clean)
}

pub(in crate::cli) fn restore(args: &RestoreArgs, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let restored = supervisor::restore(&shared.data, &args.file, args.force)?;
    if out.is_json() {
        out.json(&restored)?;
        return Ok(Exit::Clean);
    }
    out.line(format_args!("{}: {}", out.paint(Look::Good, "restored"), shared.data.display()))?;
    describe(&restored.manifest, out)?;
    restored
        .moved_aside
        .iter()
        .try_for_each(|path| out.line(format_args!("  moved aside: {}", path.display())))?;
    Ok(Exit::Clean)
}

fn describe(manifest: &Manifest, out: Out) -> Result<(), Failure> {
    let Manifest { grace_version, created, files, journal, .. } = manifest;
    out.line(format_args!("  of {created}, by Grace {grace_version}"))?;
    for (name, member) in files {
        out.line(format_args!("  {name}: {} bytes, version {}", member.size, member.schema_version))?;
    }
    out.line(format_args!("  journal: {} entries, head: {}", journal.last_seq, journal.head))
}
