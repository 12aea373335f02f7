//! `grace validate`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Shared;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::out::{Look, Out};
use crate::config::{self, Loaded};
use crate::engine::Bundle;
use crate::say::{self, Code, Report, Severity};
use crate::services::live;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 valid, 1 invalid, 2 not readable.\n\n\
                  Examples:\n  grace validate\n  grace validate staging --output short\n  \
                  grace validate --live                    on the machine it is for\n  \
                  grace validate --output json | jq '.diagnostics[].message'")]
pub(super) struct Args {
    /// The directory that holds `rules/` and `policies/`, instead of `--config`
    dir: Option<PathBuf>,
    /// Try as well what files cannot show: programs, users, ports, directories; it never acts
    #[arg(long)]
    live: bool,
}

pub(super) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let dir = args.dir.as_ref().unwrap_or(&shared.config);
    let (bundle, report) = match config::load(dir) {
        Ok(Loaded { bundle, mut report }) => {
            if args.live {
                let found = live::check(bundle.components.values(), &report.texts, &shared.data);
                report.diagnostics.extend(found);
                report.tidy();
            }
            (Some(bundle), report)
        }
        Err(report) => (None, *report),
    };
    if out.is_json() {
        let mut value = say::to_json(&report);
        if let (Some(bundle), Some(object)) = (&bundle, value.as_object_mut()) {
            object.insert("generation".into(), json!(bundle.generation));
        }
        out.json(&value)?;
    } else {
        show(out, &report)?;
        out.talk(summary(out, bundle.as_ref(), &report));
    }
    Ok(exit(&report))
}

/// The problems, as they are wanted.
pub(super) fn show(out: Out, report: &Report) -> Result<(), Failure> {
    if out.is_short() {
        return say::short(report).iter().try_for_each(|line| out.line(line));
    }
    if report.diagnostics.is_empty() { Ok(()) } else { out.line(say::human(report, out.has_colour())) }
}

fn summary(out: Out, bundle: Option<&Bundle>, report: &Report) -> String {
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let Some(bundle) = bundle else {
        return format!("{}: {errors} errors, {warnings} warnings", out.paint(Look::Bad, "invalid"));
    };
    let rules: usize = bundle.components.values().map(|component| component.rules.len()).sum();
    let generation: String = bundle.generation.as_str().chars().take(12).collect();
    // With errors here the files are right, and this machine is not.
    let (look, word) = if errors == 0 {
        (Look::Good, "valid".to_owned())
    } else {
        (Look::Bad, format!("valid files, and {errors} errors on this machine"))
    };
    format!(
        "{}: {} components, {rules} rules, {warnings} warnings; generation {generation}",
        out.paint(look, &word),
        bundle.components.len(),
    )
}

/// What cannot be read is another matter than what is wrong.
pub(super) fn exit(report: &Report) -> Exit {
    let unreadable = |code| matches!(code, Code::Unreadable | Code::NoRules);
    if report.diagnostics.iter().any(|found| unreadable(found.code)) {
        return Exit::Usage;
    }
    if report.is_fatal() { Exit::Findings } else { Exit::Clean }
}
