//! `grace explain`

mod absence;
mod human;

use std::path::PathBuf;

use crate::cli::checking::codes;
use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::history;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::model::ActId;
use crate::replay::explain::{
    Absence, At, Explanation, FindError, Question, Tick, action_named, end_of, explain, idle, last_of,
    rule_named, tick_at, tick_of, why_none,
};
use crate::replay::{Contradiction, History};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A rule is named `rule/component`, or by one of both where that is enough. The tick is decided again from \
                  what the journal recorded, whether Grace runs or not; nothing is probed, done or written. Without --at \
                  it is the newest tick, and for an act the one that made it.\n\n\
                  Exit codes: 0 it is explained; 1 it is, and a warning says that the record contradicts itself there or shortly before, or it \
                  cannot be, because the record has a hole there; 2 something cannot be read, or has expired.\n\n\
                  Examples:\n  grace explain restart/task_executor\n  grace explain 12                    act 12\n  \
                  grace explain why-not restart/task_executor --at 14:01:00\n  \
                  grace explain why-not restart/database --at 14:01:00   which rules could have, and what was done instead\n  \
                  grace explain read_only --at '5m ago' --output json\n  \
                  grace explain read_only/database --at 14:01:00 \\\n    \
                  --history rules/database.test.toml::scenario_2_database_connection_lost\n  \
                  grace explain GR2103                what a code of `grace validate` means\n  \
                  grace explain                       all codes"
)]
pub(in crate::cli) struct Args {
    /// A rule, the number of an act, `why-not`, or a code such as GR2103; without it all codes are listed
    what: Option<String>,
    /// Behind `why-not`: the rule, or an action such as `restart` or `restart/database`
    rule: Option<String>,
    /// When: RFC 3339, a time of day in UTC (the newest in the history), or so long before the newest tick (`5m ago`)
    #[arg(long, value_name = "TIME")]
    at: Option<At>,
    /// An exported history (`grace audit export`), or a rule test (`FILE.test.toml::NAME`), instead of the journal
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

/// What is asked for.
enum Want<'a> {
    /// The page of a code, or all codes.
    Code(Option<&'a str>),
    Act(ActId),
    Rule(&'a str),
    /// Why something was not done: a rule, or an action.
    Not(&'a str),
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let file = args.history.as_deref();
    let told = match wanted(args)? {
        Want::Code(word) => return codes::run(word, out),
        Want::Act(_) if args.at.is_some() => {
            return Err(Failure::Usage("an act has its own time: leave `--at` out".into()));
        }
        Want::Act(act) => confined(|| of_act(&history::open(file, shared, out)?, act))?,
        Want::Rule(word) => confined(|| of_rule(&history::open(file, shared, out)?, word, args.at))?,
        Want::Not(word) => match confined(|| why_not(&history::open(file, shared, out)?, word, args.at))? {
            Answer::Rule(told) => *told,
            Answer::Action(told) => return absent(&told, out),
        },
    };
    if out.is_json() {
        out.json(&told)?;
    } else if out.is_short() {
        out.line(human::short(&told))?;
    } else {
        out.line(human::text(&told, out))?;
    }
    Ok(exit(told.contradiction.as_ref()))
}

/// Why an action was not done.
fn absent(told: &Absence, out: Out) -> Result<Exit, Failure> {
    if out.is_json() {
        out.json(told)?;
    } else if out.is_short() {
        out.line(absence::short(told))?;
    } else {
        out.line(absence::text(told, out))?;
    }
    Ok(exit(told.contradiction.as_ref()))
}

fn exit(contradiction: Option<&Contradiction>) -> Exit {
    if contradiction.is_some_and(Contradiction::is_finding) { Exit::Findings } else { Exit::Clean }
}

/// The first word decides.
fn wanted(args: &Args) -> Result<Want<'_>, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    let timed = args.at.is_some() || args.history.is_some();
    match (args.what.as_deref(), args.rule.as_deref()) {
        (Some("why-not"), Some(word)) => Ok(Want::Not(word)),
        (Some("why-not"), None) => {
            usage("say which rule or action: `grace explain why-not RULE/COMPONENT`, `... why-not restart`")
        }
        (_, Some(_)) => usage("only `why-not` takes a rule behind it"),
        (None, None) if timed => usage("say which rule or act"),
        (Some(word), None) if codes::is_code(word) && timed => usage("a code has no time and no history"),
        (None, None) => Ok(Want::Code(None)),
        (Some(word), None) if codes::is_code(word) => Ok(Want::Code(Some(word))),
        (Some("0"), None) => {
            usage("there is no act 0: acts are numbered from 1 on; `grace events` shows their numbers")
        }
        (Some(word), None) => Ok(word.parse().map_or(Want::Rule(word), |number| Want::Act(ActId(number)))),
    }
}

fn of_act(history: &History, act: ActId) -> Result<Explanation, Failure> {
    let tick = tick_of(history, act).map_err(lost)?;
    let told = answer(&tick, &Question::Act(act))?;
    Ok(told.with_end(end_of(history, act, tick.input.now).map_err(lost)?))
}

fn of_rule(history: &History, word: &str, at: Option<At>) -> Result<Explanation, Failure> {
    let last = last_of(history).map_err(lost)?;
    let within = at.map_or((last, last), |at| at.within(last));
    // A step that followed within the same second says nothing of what the rule did.
    let about = |tick: &Tick| rule_named(&tick.bundle, word).is_ok_and(|(rule, on)| tick.wanted(&rule, &on));
    let tick = tick_at(history, within, about).map_err(lost)?;
    let (rule, component) = rule_named(&tick.bundle, word).map_err(|why| Failure::Usage(why.to_string()))?;
    let idle = idle(history, &tick, within).map_err(lost)?;
    Ok(answer(&tick, &Question::Rule(rule, component))?.with_idle(idle))
}

/// What is told of something that was not done.
enum Answer {
    Rule(Box<Explanation>),
    Action(Box<Absence>),
}

fn why_not(history: &History, word: &str, at: Option<At>) -> Result<Answer, Failure> {
    let last = last_of(history).map_err(lost)?;
    let within = at.map_or((last, last), |at| at.within(last));
    let about = |tick: &Tick| action_named(&tick.bundle, word).is_some_and(|action| tick.wanted_on(&action));
    let tick = tick_at(history, within, about).map_err(lost)?;
    match action_named(&tick.bundle, word) {
        Some(action) => {
            let idle = idle(history, &tick, within).map_err(lost)?;
            Ok(Answer::Action(Box::new(Absence { idle, ..why_none(&tick, &action) })))
        }
        None => Ok(Answer::Rule(Box::new(of_rule(history, word, at)?))),
    }
}

fn answer(tick: &Tick, question: &Question) -> Result<Explanation, Failure> {
    explain(tick, question).map_err(|why| Failure::Usage(why.to_string()))
}

fn lost(why: FindError) -> Failure {
    match why {
        FindError::History(why) => why.into(),
        hole @ (FindError::Lost { .. } | FindError::ActLost { .. }) => Failure::Finding(hole.to_string()),
        other => Failure::Usage(other.to_string()),
    }
}
