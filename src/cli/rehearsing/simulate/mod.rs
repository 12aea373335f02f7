//! `grace simulate`

mod certain;
mod gates;
mod human;
mod markdown;
mod names;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::checking::{diff, validate};
use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::history;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Out, Output};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::{outputs, times};
use crate::config::Folder;
use crate::engine::Bundle;
use crate::model::{Span, Time};
use crate::record::Recorded;
use crate::replay::simulate::{Approve, Inject, Plan, Rehearsal, Simulation};
use crate::replay::{History, ahead, before};

use gates::Gates;
pub(super) use markdown::escaped;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Plays what a journal recorded through the rules in --config, with the engine that runs in production. \
                  Nothing is probed, done or written. After the first act that differs from the record, its component's \
                  future is modelled by the recorded success rate of that act; the report says how much is exact.\n\n\
                  Where the rules are those that were active, each tick is held against the record: if the record contradicts \
                  itself, a warning names the first such tick, and so it does where readings, ticks or states are gone that have not expired.\n\n\
                  Exit codes: 0 nothing differs, or every gate holds; 1 something differs and no gate was named, a gate \
                  does not hold, or the record contradicts itself or has holes; 2 something cannot be read.\n\n\
                  Examples:\n  grace simulate --since 30d\n  grace simulate --config /srv/new --compare running\n  \
                  grace simulate --compare main --max-actions 20 --forbid 'restart database' --output markdown\n  \
                  grace simulate --inject 'down database for 5m every 1d' --seed 7\n  \
                  grace simulate --history rules/database.test.toml::scenario_2_database_connection_lost"
)]
pub(in crate::cli) struct Args {
    /// Only the last so long of the history
    #[arg(long, value_name = "DURATION", value_parser = times::duration)]
    since: Option<String>,
    /// An exported history (`grace audit export`), or a rule test (`FILE.test.toml::NAME`), instead of the journal
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// What the rules are compared with: `running` (what was recorded), a directory, or a revision of git
    #[arg(long, value_name = "running|DIR|REV", default_value = "running")]
    compare: String,
    /// Who answers requests for approval that nobody answers in the record, be they new or not: `never`, `auto`, or a TOML file with the
    /// lists `approve` and `deny` of names such as `restart database`, or patterns such as `restart *`
    #[arg(long, value_name = "never|auto|FILE", default_value = "never")]
    approve: String,
    /// A fault that the record does not have: `down COMPONENT for 5m every 1d`, `failing-heals COMPONENT|all 30%`,
    /// `slow-heals COMPONENT|all 45s`, `lost-probes COMPONENT|all 1%`, `clock 1h every 7d`; may be repeated
    #[arg(long, value_name = "FAULT")]
    inject: Vec<Inject>,
    /// Where chance comes from: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Show every act of the run, not only those that differ
    #[arg(long)]
    timeline: bool,
    #[command(flatten)]
    gates: Gates,
}

/// The forms of its report.
pub(in crate::cli) const CAN: [Output; 4] = [Output::Human, Output::Short, Output::Json, Output::Markdown];

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let stdout = outputs::on_stdout(&shared.output, &CAN)?;
    let rules = match compile(Folder::anywhere(&shared.config)) {
        Ok(rules) => rules,
        Err(report) => return refuse(out, &shared.config.display().to_string(), &report),
    };
    let gates = args.gates.read(&rules)?;
    let other = match args.compare.as_str() {
        "running" => None,
        name => match compile(Folder::of(&diff::files(name, &shared.config)?)) {
            Ok(other) => Some(other),
            Err(report) => return refuse(out, name, &report),
        },
    };
    for fault in &args.inject {
        let checked = std::iter::once(&rules).chain(&other).try_for_each(|rules| fault.check(rules));
        checked.map_err(|why| Failure::Usage(why.to_string()))?;
    }
    let known: Vec<&Bundle> = std::iter::once(&rules).chain(&other).collect();
    let approve = approve(&args.approve, &known)?;
    let since = args.since.as_deref().and_then(crate::config::duration);
    let plan = Plan { since: None, approve, inject: args.inject.clone(), seed: args.seed };
    let found = confined(|| {
        let history = history::open(args.history.as_deref(), shared, out)?;
        play(&history, (&rules, other.as_ref()), plan, since, out)
    })?;
    let broken = gates.check(&found);
    let told =
        Told { found: &found, broken: &broken, rules: &rules, compared: &args.compare, all: args.timeline };
    outputs::write_files(&shared.output, |format| told.text(format, None))?;
    if let Some(format) = stdout {
        outputs::write_stdout(out, &told.text(format, Some(out))?)?;
    }
    let fails = if gates.is_empty() { !found.is_same() } else { !broken.is_empty() };
    Ok(if fails || found.is_doubtful() { Exit::Findings } else { Exit::Clean })
}

fn compile(folder: Folder) -> Result<Bundle, Box<crate::say::Report>> {
    folder.compile(None).map(|loaded| loaded.bundle)
}

fn refuse(out: Out, name: &str, report: &crate::say::Report) -> Result<Exit, Failure> {
    validate::show(out, report)?;
    out.talk(format_args!("grace: the rules of {name} are not valid; nothing was simulated"));
    Ok(Exit::Usage)
}

/// Who approves: a word, or a file of wishes.
fn approve(word: &str, rules: &[&Bundle]) -> Result<Approve, Failure> {
    match word {
        "never" => Ok(Approve::Never),
        "auto" => Ok(Approve::Auto),
        file => gates::wishes(Path::new(file), rules).map(Approve::Wishes),
    }
}

/// Goes through the history, and says how far it is.
pub(super) fn play(
    history: &History,
    (rules, other): (&Bundle, Option<&Bundle>),
    mut plan: Plan,
    since: Option<Span>,
    out: Out,
) -> Result<Rehearsal, Failure> {
    let (odds, last) = history.survey()?;
    plan.since = plan.since.max(before(last, since));
    let mut simulation = Simulation::new(rules, other, &plan, &odds);
    let mut far = Far { ticks: 0, first: None, last, out };
    ahead(history.all(plan.since)?, |recorded| {
        far.note(recorded);
        simulation.take(recorded).map_err(|clash| {
            let clash = clash.join("; ");
            Failure::Usage(format!("these rules cannot take over the recorded state: {clash}"))
        })
    })?;
    out.progress("");
    let found = simulation.finish();
    if found.ticks == 0 {
        let mut says = vec!["the history holds no tick that can be played".to_owned()];
        says.extend(found.warnings());
        return Err(Failure::Usage(says.join(": ")));
    }
    Ok(found)
}

/// How far it is.
struct Far {
    ticks: u64,
    first: Option<Time>,
    last: Option<Time>,
    out: Out,
}

impl Far {
    fn note(&mut self, recorded: &Recorded) {
        let Recorded::Tick { input, .. } = recorded else { return };
        self.ticks += 1;
        let from = *self.first.get_or_insert(input.now);
        if self.ticks.is_multiple_of(5_000)
            && let Some(last) = self.last
        {
            let percent = (input.now - from).0.saturating_mul(100) / (last - from).0.max(1);
            self.out.progress(format_args!("{} ticks, {percent} %", self.ticks));
        }
    }
}

/// Everything there is to tell.
pub(super) struct Told<'t> {
    pub(super) found: &'t Rehearsal,
    /// The gates that do not hold.
    pub(super) broken: &'t [String],
    pub(super) rules: &'t Bundle,
    pub(super) compared: &'t str,
    /// Show what is the same, too.
    pub(super) all: bool,
}

impl Told<'_> {
    pub(super) fn text(&self, format: Output, out: Option<Out>) -> Result<String, Failure> {
        match format {
            Output::Json => serde_json::to_string_pretty(&json!({
                "format_version": gates::FORMAT_VERSION,
                "generation": self.rules.generation,
                "compared_with": self.compared,
                "same": self.found.is_same(),
                "gates_broken": self.broken,
                "headline": self.found.headline(),
                "simulation": self.found,
            }))
            .map_err(|error| Failure::Answer(error.to_string())),
            Output::Markdown => Ok(markdown::text(self)),
            Output::Short => Ok(human::short(self)),
            _ => Ok(human::text(self, out)),
        }
    }
}
