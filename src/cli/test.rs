//! `grace test`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Shared;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::out::{Look, Out, Output};
use crate::cli::validate;
use crate::replay::{TestResult, Tested, run_tests};
use crate::say;

/// The forms of its report.
pub(super) const CAN: [Output; 3] = [Output::Human, Output::Short, Output::Json];

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tests stand beside the rules, in rules/<id>.test.toml, and run on virtual time through the \
                  production engine.\nExit codes: 0 all pass, 1 some fail or are invalid, 2 not readable.\n\n\
                  Examples:\n  grace test\n  grace test --only 'scenario 1' --verbose"
)]
pub(super) struct Args {
    /// The directory that holds `rules/` and `policies/`, instead of `--config`
    dir: Option<PathBuf>,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Show what happened in tests that pass, too
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let tested = run_tests(args.dir.as_ref().unwrap_or(&shared.config), args.only.as_deref());
    if out.is_json() {
        out.json(&as_json(&tested))?;
    } else {
        validate::show(out, &tested.report)?;
        tested.results.iter().try_for_each(|result| show(out, result, args.verbose))?;
        let failed = tested.results.iter().filter(|result| !result.passed()).count();
        let (ran, word) = (tested.results.len(), if tested.passed() { "passed" } else { "failed" });
        let look = if tested.passed() { Look::Good } else { Look::Bad };
        out.talk(format_args!("{}: {ran} tests ran, {failed} failed", out.paint(look, word)));
    }
    Ok(match validate::exit(&tested.report) {
        Exit::Clean if !tested.passed() => Exit::Findings,
        exit => exit,
    })
}

fn show(out: Out, result: &TestResult, verbose: bool) -> Result<(), Failure> {
    let word = if result.passed() { out.paint(Look::Good, "ok") } else { out.paint(Look::Bad, "FAILED") };
    out.line(format_args!("{word} {}: {}", result.file, result.name))?;
    result.failures.iter().try_for_each(|failure| out.line(format_args!("    {failure}")))?;
    if verbose || !result.passed() {
        result.timeline.lines().try_for_each(|line| out.line(format_args!("    | {line}")))?;
    }
    Ok(())
}

fn as_json(tested: &Tested) -> serde_json::Value {
    let results = tested.results.iter().map(|result| {
        json!({
            "file": result.file,
            "name": result.name,
            "passed": result.passed(),
            "failures": result.failures,
            "timeline": result.timeline,
        })
    });
    json!({
        "format_version": 1,
        "passed": tested.passed(),
        "results": results.collect::<Vec<_>>(),
        "report": say::to_json(&tested.report),
    })
}
