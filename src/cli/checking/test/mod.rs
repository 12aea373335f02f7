//! `grace test`

mod junit;
mod measure;
mod rewrite;
mod show;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::checking::{places, validate};
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::outputs;
use crate::cli::terminal::shared::Shared;
use crate::replay::{Coverage, Mutated, Pattern, Suite, Tested, Updates};
use crate::say;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tests stand beside the rules, in rules/<id>.test.toml, and run on virtual time through the \
                  production engine.\nExit codes: 0 all pass, 1 some fail, are invalid or say too little, 2 not \
                  readable.\n\n\
                  Examples:\n  grace test\n  grace test rules/hunter.test.toml\n  grace test --run 'scenario_*' --verbose\n  \
                  grace test --coverage=100 --mutate=90"
)]
pub(in crate::cli) struct Args {
    /// Directories that hold `rules/` and `policies/`, or single `rules/<id>.test.toml`, instead of `--config`
    paths: Vec<PathBuf>,
    /// Only tests whose `file::name` contains this; with `*`, those that it matches
    #[arg(long, value_name = "PATTERN")]
    run: Option<String>,
    /// Show what happened in tests that pass, too
    #[arg(long, short)]
    verbose: bool,
    /// Say which rules, branches and policies no test has seen; less than MIN percent is a failure
    #[arg(long, value_name = "MIN", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = percent)]
    coverage: Option<f64>,
    /// Change the rules a little, again and again, and say which changes no test notices; less than MIN percent
    /// noticed is a failure
    #[arg(long, value_name = "MIN", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = percent)]
    mutate: Option<f64>,
    /// Write the expectations of failing tests anew, as it happened
    #[arg(long, conflicts_with_all = ["coverage", "mutate"])]
    update: bool,
}

/// The forms of its report.
pub(in crate::cli) const CAN: [Output; 4] = [Output::Human, Output::Short, Output::Json, Output::Junit];

/// What came of one configuration.
#[derive(Debug)]
struct Ran {
    dir: PathBuf,
    tested: Tested,
    coverage: Option<Coverage>,
    mutated: Option<Mutated>,
    updates: Option<Updates>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let places = places::sort(&args.paths, &shared.config)?;
    let stdout = outputs::on_stdout(&shared.output, &CAN)?;
    let pattern = args.run.as_deref().map(Pattern::new);
    let mut all = Vec::new();
    for (dir, only) in &places {
        all.push(one(args, dir, &|| Suite::load(dir, only, pattern.as_ref()), out)?);
    }
    outputs::write_files(&shared.output, |format| text(format, &all, args, None))?;
    if let Some(format) = stdout {
        outputs::write_stdout(out, &text(format, &all, args, Some(out))?)?;
    }
    if stdout.is_none_or(|format| matches!(format, Output::Human | Output::Short)) {
        out.talk(show::summary(out, &all, args));
    }
    Ok(all.iter().map(|ran| exit(ran, args)).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Findings))
}

fn one(args: &Args, dir: &Path, load: &dyn Fn() -> Suite, out: Out) -> Result<Ran, Failure> {
    let mut suite = load();
    let dir = dir.to_owned();
    let mut ran = Ran { dir, tested: suite.run(), coverage: None, mutated: None, updates: None };
    if args.update && !ran.tested.report.is_fatal() {
        let updates = suite.updates();
        rewrite::write(&ran.dir, &updates)?;
        if !updates.files.is_empty() {
            suite = load();
            ran.tested = suite.run();
        }
        ran.updates = Some(updates);
    }
    ran.coverage = args.coverage.map(|_| suite.coverage());
    // With a failing test everything would be noticed.
    if args.mutate.is_some() && ran.tested.passed() {
        let progress = |done, of| out.progress(format_args!("{done} of {of} mutants tried"));
        ran.mutated = Some(suite.mutate(progress));
        out.progress("");
    }
    Ok(ran)
}

/// The results in a form; colours where they go to a terminal.
fn text(format: Output, all: &[Ran], args: &Args, out: Option<Out>) -> Result<String, Failure> {
    let pen = show::Pen(out);
    match format {
        Output::Human => Ok(all.iter().map(|ran| show::human(pen, ran, args)).collect()),
        Output::Junit => Ok(junit::xml(all.iter().map(|ran| (&ran.tested, short_of(ran, args))))),
        Output::Json => serde_json::to_string_pretty(&as_json(all, args))
            .map_err(|error| Failure::Answer(error.to_string())),
        _ => Ok(all.iter().map(show::short).collect()),
    }
}

/// What the tests reach too little of, a sentence for each.
fn short_of(ran: &Ran, args: &Args) -> Vec<String> {
    let measured = [
        ("coverage", args.coverage, ran.coverage.as_ref().map(Coverage::percent)),
        ("noticed mutants", args.mutate, ran.mutated.as_ref().map(Mutated::percent)),
    ];
    let little = measured.into_iter().filter_map(|(what, min, percent)| {
        let (min, percent) = min.zip(percent).filter(|(min, percent)| percent < min)?;
        Some(format!("{what}: {percent:.1} %, and at least {min} % is wanted"))
    });
    little.collect()
}

fn passed(ran: &Ran, args: &Args) -> bool {
    ran.tested.passed() && short_of(ran, args).is_empty()
}

fn exit(ran: &Ran, args: &Args) -> Exit {
    match validate::exit(&ran.tested.report) {
        Exit::Clean if !passed(ran, args) => Exit::Findings,
        exit => exit,
    }
}

fn as_json(all: &[Ran], args: &Args) -> serde_json::Value {
    let results = all.iter().flat_map(|ran| &ran.tested.results).map(show::result);
    let reports = all.iter().map(|ran| (ran.dir.as_path(), &ran.tested.report));
    let coverage = all.iter().filter_map(|ran| ran.coverage.as_ref()).map(measure::coverage_json);
    let mutants = all.iter().filter_map(|ran| ran.mutated.as_ref()).map(measure::mutated_json);
    json!({
        "format_version": 1,
        "passed": all.iter().all(|ran| passed(ran, args)),
        "short_of": all.iter().flat_map(|ran| short_of(ran, args)).collect::<Vec<_>>(),
        "results": results.collect::<Vec<_>>(),
        "report": say::to_json(&places::joined(reports, all.len() > 1)),
        "left_alone": all.iter().filter_map(|ran| ran.updates.as_ref()).flat_map(|updates| &updates.left).collect::<Vec<_>>(),
        "coverage": coverage.collect::<Vec<_>>(),
        "mutants": mutants.collect::<Vec<_>>(),
    })
}

/// A percentage as people write it.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "write a percentage from 0 to 100".into())
}
