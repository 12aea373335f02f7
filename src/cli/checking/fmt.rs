//! `grace fmt`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::cli::checking::validate;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::replace;
use crate::cli::terminal::shared::Shared;
use crate::config::format::format;
use crate::config::grammar::FileKind;
use crate::config::{MAX_FILE, rule_files};
use crate::say::{self, Code, Diagnostic, Place, Report};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tables and keys come in the order of the grammar, `=` stands below `=`, one empty line divides tables. \
                  Comments stay with\nwhat they belong to, values stay as they are spelt, and what a file means never changes.\n\
                  Exit codes: 0 in form (or made so), 1 --check or --diff found others, or a file is no TOML; 2 not readable.\n\n\
                  Examples:\n  grace fmt                                rules/ and policies/ of --config\n  \
                  grace fmt --check --diff                 in CI: what would change?\n  \
                  grace fmt rules/web.toml\n  \
                  grace fmt - --as rules/web.toml < web.toml"
)]
pub(in crate::cli) struct Args {
    /// Configuration folders, folders of files, or files, instead of `--config`; `-` is stdin, and goes to stdout
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; list the files that are not in form
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
    /// What stdin is: the path that it will have
    #[arg(long = "as", value_name = "PATH")]
    as_path: Option<PathBuf>,
}

/// What became of one file.
enum Became {
    InForm,
    Other { before: String, after: String },
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return stdin(args, out);
    }
    let own = [shared.config.clone()];
    let named = if args.paths.is_empty() { own.as_slice() } else { args.paths.as_slice() };
    let mut files = Vec::new();
    for path in named {
        files.extend(rule_files(path).map_err(Failure::Usage)?);
    }
    let (mut report, mut other) = (Report::default(), Vec::new());
    for path in &files {
        match one(path) {
            Ok(Became::InForm) => {}
            Ok(Became::Other { before, after }) => {
                show(args, out, path, &before, &after)?;
                if !args.check && !args.diff {
                    replace::replace(path, after.as_bytes())
                        .map_err(|error| cannot("write", path, &error))?;
                }
                other.push(path.display().to_string());
            }
            Err(found) => {
                report.diagnostics.extend(found.diagnostics);
                report.texts.extend(found.texts);
            }
        }
    }
    tell(args, out, &report, files.len(), &other)
}

fn one(path: &Path) -> Result<Became, Report> {
    let name = path.display().to_string();
    // Who stands in `rules/` names a file without its folder.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(kind) = FileKind::of_path(&whole) else { return Err(foreign(&name)) };
    let before = read(path)?;
    let after = format(&name, &before, Some(kind)).map_err(|report| *report)?;
    Ok(if before == after { Became::InForm } else { Became::Other { before, after } })
}

/// Another program's file is not Grace's to write.
fn foreign(name: &str) -> Report {
    let found = Diagnostic::error(Code::NotAFile, "is no rule, policy or test file");
    let help =
        "rules lie in `rules/`, policies in `policies/`, and tests end in `.test.toml`; or use `- --as PATH`";
    let found = found.at(Place::new(&name.into(), 0..0)).help(help);
    Report { diagnostics: vec![found], ..Report::default() }
}

/// The text of a file; whatever keeps it from being read is a problem like any other.
fn read(path: &Path) -> Result<String, Report> {
    let place = Place::new(&Arc::from(path.display().to_string()), 0..0);
    let wrong = |code, message: String, help: &str| Report {
        diagnostics: vec![Diagnostic::error(code, message).at(place.clone()).help(help)],
        ..Report::default()
    };
    let unreadable = |error: io::Error| {
        wrong(Code::Unreadable, format!("cannot be read: {error}"), "check the file and its permissions")
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(wrong(
            Code::NotAFile,
            "is not a regular file".into(),
            "rules and policies are plain files",
        ));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    read.map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
        let message = format!("has more than {MAX_FILE} bytes");
        return Err(wrong(Code::TooLarge, message, "split it into several files"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to());
        wrong(Code::NotUtf8, message, "save it as UTF-8")
    })
}

fn show(args: &Args, out: Out, path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(());
    }
    if args.diff {
        let name = path.display().to_string();
        return unified(out, &name, before, after);
    }
    let verb = if args.check { "not in form" } else { "brought into form" };
    out.line(format_args!("{verb}: {}", path.display()))
}

/// What would change, as `diff -u` writes it.
fn unified(out: Out, name: &str, before: &str, after: &str) -> Result<(), Failure> {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().header(name, name).to_string();
    let painted = text.lines().map(|line| match line.chars().next() {
        Some('-') => out.paint(Look::Bad, line),
        Some('+') => out.paint(Look::Good, line),
        Some('@') => out.paint(Look::Dim, line),
        _ => line.to_owned(),
    });
    painted.into_iter().try_for_each(|line| out.line(line))
}

fn tell(args: &Args, out: Out, report: &Report, files: usize, other: &[String]) -> Result<Exit, Failure> {
    let looked_only = args.check || args.diff;
    if out.is_json() {
        out.json(&json!({
            "format_version": 1,
            "files": files,
            "not_in_form": if looked_only { other } else { &[] },
            "brought_into_form": if looked_only { &[] } else { other },
            "report": say::to_json(report),
        }))?;
    } else {
        validate::show(out, report)?;
        let verb = if looked_only { "not in form" } else { "brought into form" };
        out.talk(format_args!(
            "{files} files, {} {verb}, {} left alone",
            other.len(),
            report.diagnostics.len()
        ));
    }
    Ok(match validate::exit(report) {
        Exit::Clean if looked_only && !other.is_empty() => Exit::Findings,
        exit => exit,
    })
}

fn stdin(args: &Args, out: Out) -> Result<Exit, Failure> {
    if args.paths.len() > 1 {
        return Err(Failure::Usage("`-` is stdin alone; name files in another call".into()));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Usage(format!("cannot read stdin: {error}")))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(Failure::Usage(format!("stdin has more than {MAX_FILE} bytes")));
    }
    let before = String::from_utf8(bytes).map_err(|_| Failure::Usage("stdin is not UTF-8".into()))?;
    let name = args.as_path.as_ref().map_or_else(|| "<stdin>".into(), |path| path.display().to_string());
    let after = match format(&name, &before, args.as_path.as_deref().and_then(FileKind::of_path)) {
        Ok(after) => after,
        Err(report) => {
            // stdout is for the text alone.
            out.talk(say::human(&report, false));
            return Ok(Exit::Findings);
        }
    };
    if args.diff {
        unified(out, &name, &before, &after)?;
    } else if !args.check {
        let mut stdout = io::stdout().lock();
        stdout.write_all(after.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)?;
    }
    let other = before != after && (args.check || args.diff);
    Ok(if other { Exit::Findings } else { Exit::Clean })
}

fn cannot(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("cannot {verb} {}: {error}", path.display()))
}
