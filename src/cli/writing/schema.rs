//! `grace schema`

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::cli::terminal::columns::{Cell, columns, head, plain};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::replace;
use crate::config::grammar::FileKind;
use crate::config::schema::{self, facts};
use crate::model::FactSpec;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Editors that read a schema complete keys, show what they mean, and mark what is wrong. `grace init` writes \
                  the files that\nlet taplo and tombi find them.\n\n\
                  Examples:\n  grace schema --list\n  grace schema rules > rules.json\n  \
                  grace schema --dir schema                one file for each kind\n  \
                  grace schema facts                       what conditions can speak of\n  \
                  grace schema facts --output json | jq '.probes[] | select(.kind == \"http\")'"
)]
pub(in crate::cli) struct Args {
    /// Which; without it, what there is
    #[arg(value_name = "NAME", conflicts_with_all = ["list", "dir"])]
    name: Option<Name>,
    /// Show what there is, and the files that each is for
    #[arg(long, conflicts_with = "dir")]
    list: bool,
    /// Write all schemas into this directory, over those of an older version
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Of(FileKind),
    Facts,
}

impl ValueEnum for Name {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Of(FileKind::Rules),
            Self::Of(FileKind::Test),
            Self::Of(FileKind::Modes),
            Self::Of(FileKind::Governance),
            Self::Of(FileKind::Budgets),
            Self::Of(FileKind::System),
            Self::Of(FileKind::Notify),
            Self::Of(FileKind::Access),
            Self::Facts,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Of(kind) => PossibleValue::new(kind.word()),
            Self::Facts => PossibleValue::new("facts").help("facts, names and functions, with type and unit"),
        })
    }
}

pub(in crate::cli) fn run(args: &Args, out: Out) -> Result<Exit, Failure> {
    match (&args.dir, args.name) {
        (Some(dir), _) => write_all(dir, out)?,
        (None, Some(Name::Of(kind))) => out.json(&schema::of(kind))?,
        (None, Some(Name::Facts)) if out.is_json() => out.json(&facts::to_json())?,
        (None, Some(Name::Facts)) => show_facts(out)?,
        (None, None) => list(out)?,
    }
    Ok(Exit::Clean)
}

/// The schemas as files: name and text.
pub(super) fn files() -> Result<Vec<(String, String)>, Failure> {
    let one = |(kind, word, _): (FileKind, &str, &str)| {
        let text = serde_json::to_string_pretty(&schema::of(kind));
        let text = text.map_err(|error| Failure::Answer(error.to_string()))?;
        Ok((format!("{word}.json"), text + "\n"))
    };
    FileKind::ALL.into_iter().map(one).collect()
}

fn write_all(dir: &Path, out: Out) -> Result<(), Failure> {
    let cannot = |path: &Path, error| Failure::Usage(format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(dir).map_err(|error| cannot(dir, error))?;
    for (name, text) in files()? {
        let path = dir.join(name);
        let written =
            if path.exists() { replace::replace(&path, text.as_bytes()) } else { fs::write(&path, text) };
        written.map_err(|error| cannot(&path, error))?;
        out.line(path.display())?;
    }
    Ok(())
}

fn list(out: Out) -> Result<(), Failure> {
    if out.is_json() {
        let all = FileKind::ALL.map(|(_, name, files)| serde_json::json!({ "name": name, "files": files }));
        return out.json(&all);
    }
    let mut rows = vec![head(&["name", "files"])];
    rows.extend(FileKind::ALL.map(|(_, name, files)| plain(&[name, files])));
    rows.push(plain(&["facts", "(what conditions can speak of, as a table)"]));
    columns(out, &rows).iter().try_for_each(|line| out.line(line))
}

fn show_facts(out: Out) -> Result<(), Failure> {
    for probe in facts::probes() {
        let of = probe.of.map(|of| format!(" ({of})")).unwrap_or_default();
        out.line(out.paint(Look::Head, &format!("probe kind {}{of}", probe.kind)))?;
        let rows: Vec<Vec<Cell>> = probe.facts.iter().map(fact_row).collect();
        columns(out, &rows).iter().try_for_each(|line| out.line(format_args!("  {line}")))?;
    }
    for (place, seen) in facts::conditions() {
        let besides =
            if place.starts_with("policy") { "" } else { "; besides `probe.fact` and `threshold.NAME`" };
        out.line(out.paint(Look::Head, &format!("conditions of a {place}{besides}")))?;
        let rows: Vec<Vec<Cell>> =
            seen.iter().map(|seen| row(&seen.name, facts::words(&seen.kind), seen.says)).collect();
        columns(out, &rows).iter().try_for_each(|line| out.line(format_args!("  {line}")))?;
    }
    Ok(())
}

fn fact_row(fact: &FactSpec) -> Vec<Cell> {
    row(&fact.name, facts::words(&fact.kind()), fact.says)
}

fn row(name: &str, (kind, unit): (&str, Option<&str>), says: &str) -> Vec<Cell> {
    plain(&[name, kind, unit.unwrap_or("-"), says])
}
