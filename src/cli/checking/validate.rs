//! `grace validate`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::checking::{mend, places};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out, Output};
use crate::cli::terminal::outputs::{self, Target};
use crate::cli::terminal::shared::Shared;
use crate::config::{Folder, Loaded, watch};
use crate::engine::Bundle;
use crate::say::{self, Code, Report, Severity};
use crate::services::live;

/// The forms of its report.
pub(in crate::cli) const CAN: [Output; 6] =
    [Output::Human, Output::Short, Output::Json, Output::Sarif, Output::Github, Output::Junit];

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 valid, 1 invalid, 2 not readable.\n\
                  A warning that is meant is allowed by a comment: `# allow(GR4201): why`.\n\n\
                  Examples:\n  grace validate\n  grace validate staging production --output short\n  \
                  grace validate rules/web.toml            the whole set, and what is said of this file\n  \
                  grace validate --deny-warnings --output human --output sarif=found.sarif\n  \
                  grace validate --fix                     mend what can only be meant in one way\n  \
                  grace validate --watch                   again with every save\n  \
                  grace validate --live                    on the machine it is for\n  \
                  grace validate --output json | jq '.diagnostics[].message'\n  \
                  grace explain GR2103                     what a code means")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line are what they are")]
pub(in crate::cli) struct Args {
    /// Directories that hold `rules/` and `policies/`, or files in them; instead of `--config`
    paths: Vec<PathBuf>,
    /// Warnings are findings as well
    #[arg(long)]
    deny_warnings: bool,
    /// Mend what can only be meant in one way, in the files themselves
    #[arg(long)]
    fix: bool,
    /// Try as well what files cannot show: programs, users, ports, directories, who can write the files; it never acts
    #[arg(long)]
    live: bool,
    /// Look again with every save, until it is interrupted
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
}

/// One directory, looked at.
struct Looked {
    dir: PathBuf,
    report: Report,
    bundle: Option<Bundle>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let places = places::sort(&args.paths, &shared.config)?;
    let stdout = outputs::on_stdout(&shared.output, &CAN)?;
    if args.fix {
        for (dir, only) in &places {
            mend::mend(dir, only, out)?;
        }
    }
    if args.watch {
        let [(dir, only)] = &places.iter().collect::<Vec<_>>()[..] else {
            return Err(Failure::Usage("one directory can be watched at a time".into()));
        };
        return follow(args, (dir, only), shared, (stdout, out.streaming()));
    }
    let mut looked = Vec::new();
    for (dir, only) in &places {
        looked.push(look(dir, only, args.live.then_some(shared.data.as_path())));
    }
    tell(&looked, &shared.output, (stdout, out))?;
    Ok(worst(&looked, args.deny_warnings))
}

/// Loads a directory and keeps what is said of the wanted files.
fn look(dir: &Path, only: &BTreeSet<String>, live: Option<&Path>) -> Looked {
    // On the machine it is for it also counts who can write the files.
    let folder = if live.is_some() { Folder::read(dir) } else { Folder::anywhere(dir) };
    let (bundle, mut report) = match folder.compile(None) {
        Ok(Loaded { bundle, mut report, .. }) => {
            if let Some(data) = live {
                report.diagnostics.extend(live::check(bundle.components.values(), &report.texts, data));
                let notify = &bundle.notify;
                let (receivers, heartbeat) = (notify.receivers.values(), notify.heartbeat.as_ref());
                report.diagnostics.extend(live::receivers(receivers, heartbeat, &report.texts));
                report.tidy();
            }
            (Some(bundle), report)
        }
        Err(report) => (None, *report),
    };
    places::keep(&mut report, only);
    Looked { dir: dir.to_owned(), report, bundle }
}

fn tell(looked: &[Looked], targets: &[Target], (stdout, out): (Option<Output>, Out)) -> Result<(), Failure> {
    outputs::write_files(targets, |format| text(format, looked, false))?;
    if let Some(format) = stdout {
        outputs::write_stdout(out, &text(format, looked, out.has_colour())?)?;
    }
    if stdout.is_none_or(|format| matches!(format, Output::Human | Output::Short)) {
        for one in looked {
            out.talk(summary(out, one));
        }
    }
    Ok(())
}

/// The report in a form.
fn text(format: Output, looked: &[Looked], colour: bool) -> Result<String, Failure> {
    // What other programs read they look for from where they stand; people know what they asked for.
    let whole = looked.len() > 1 || format.is_report();
    let report = &places::joined(looked.iter().map(|looked| (looked.dir.as_path(), &looked.report)), whole);
    Ok(match format {
        // No verb that comes here offers Markdown.
        Output::Human | Output::Markdown => say::human(report, colour),
        Output::Short => say::short(report).join("\n"),
        Output::Github => say::github(report),
        Output::Junit => say::junit(report),
        Output::Sarif => pretty(&say::sarif(report))?,
        Output::Json => {
            let mut value = say::to_json(report);
            if let ([Looked { bundle: Some(bundle), .. }], Some(object)) = (looked, value.as_object_mut()) {
                object.insert("generation".into(), json!(bundle.generation));
            }
            pretty(&value)?
        }
    })
}

fn pretty(value: &serde_json::Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|error| Failure::Answer(error.to_string()))
}

/// The problems, as they are wanted.
pub(in crate::cli) fn show(out: Out, report: &Report) -> Result<(), Failure> {
    let text =
        if out.is_short() { say::short(report).join("\n") } else { say::human(report, out.has_colour()) };
    outputs::write_stdout(out, &text)
}

fn summary(out: Out, looked: &Looked) -> String {
    let count = |severity, word: &str| {
        let count = looked.report.count(severity);
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    };
    let (errors, warnings) = (count(Severity::Error, "error"), count(Severity::Warning, "warning"));
    let Some(bundle) = &looked.bundle else {
        return format!("{}: {errors}, {warnings}", out.paint(Look::Bad, "invalid"));
    };
    let rules: usize = bundle.components.values().map(|component| component.rules.len()).sum();
    let generation: String = bundle.generation.as_str().chars().take(12).collect();
    // With errors here the files are right, and this machine is not.
    let (look, word) = if looked.report.is_fatal() {
        (Look::Bad, format!("valid files, and {errors} on this machine"))
    } else {
        (Look::Good, "valid".to_owned())
    };
    format!(
        "{}: {} components, {rules} rules, {warnings}; generation {generation}",
        out.paint(look, &word),
        bundle.components.len(),
    )
}

fn worst(looked: &[Looked], deny_warnings: bool) -> Exit {
    let exits = looked.iter().map(|looked| match exit(&looked.report) {
        Exit::Clean if deny_warnings && looked.report.count(Severity::Warning) > 0 => Exit::Findings,
        exit => exit,
    });
    exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Clean)
}

/// What cannot be read is another matter than what is wrong.
pub(super) fn exit(report: &Report) -> Exit {
    let unreadable = |code| matches!(code, Code::Unreadable | Code::NoRules);
    if report.diagnostics.iter().any(|found| unreadable(found.code)) {
        return Exit::Usage;
    }
    if report.is_fatal() { Exit::Findings } else { Exit::Clean }
}

/// Looks again with every save, until somebody interrupts or nobody reads on.
fn follow(
    args: &Args,
    (dir, only): (&Path, &BTreeSet<String>),
    shared: &Shared,
    to: (Option<Output>, Out),
) -> Result<Exit, Failure> {
    let (news, saved) = std::sync::mpsc::channel();
    let show = || {
        let looked = [look(dir, only, args.live.then_some(shared.data.as_path()))];
        tell(&looked, &shared.output, to).map(|()| worst(&looked, args.deny_warnings))
    };
    let first = Folder::read(dir).into_files();
    let follower = watch::follow(dir.to_owned(), first, move |_| news.send(()).is_ok());
    let _follower = follower.map_err(Failure::Runtime)?;
    let mut exit = show()?;
    to.1.talk("watching; interrupt to end");
    while saved.recv().is_ok() {
        exit = show()?;
    }
    Ok(exit)
}
