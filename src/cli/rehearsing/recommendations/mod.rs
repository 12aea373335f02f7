//! `grace recommendations`: what the meta-loop recommends, rehearsed on what was recorded, and what came of it.

mod human;
mod rehearse;

use serde::Serialize;

use crate::api::shapes::{HitsLine, Minding, Recommendations};
use crate::cli::asking::answer::post;
use crate::cli::asking::client::asking;
use crate::cli::asking::how::How;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::times;
use crate::figures::interval::wilson;
use crate::model::{Change, Tally};
use crate::record::Recommendation;

use rehearse::{Rehearsed, Stage};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rules in rules/meta.toml look at every rule that heals. Where a change can be named, it is made on a copy of the \
                  files in --config and played on what the journal recorded, as `grace simulate` does, before it is shown. Accepting \
                  changes nothing by itself: the change is an edit of the files like any other. At the review date the tries since \
                  are held against those before, and the verdict is written down.\n\n\
                  Exit codes: 0 done, or nothing is recommended; 2 refused or not readable; 3 Grace does not run.\n\n\
                  Examples:\n  grace recommendations\n  grace recommendations show 3 --since 90d\n  \
                  grace recommendations accept 3 --reason 'it restarts too early'\n  \
                  grace recommendations decline 4 --reason 'the disk was broken'\n  grace recommendations accept 3 --dry-run\n  \
                  grace recommendations --all --output json"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Those that are reviewed or declined as well
    #[arg(long)]
    all: bool,
    /// Rehearse on the last so long
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = times::duration, global = true)]
    since: String,
    /// Show them without a rehearsal
    #[arg(long, global = true)]
    no_rehearsal: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show one
    Show {
        /// Its number
        id: u64,
    },
    /// Say that it is taken: what comes from now on is held against what was before
    Accept {
        /// Its number
        id: u64,
        /// Why; the journal keeps it
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Say that it is not taken
    Decline {
        /// Its number
        id: u64,
        /// Why; the journal keeps it
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        how: How,
    },
}

/// Everything there is to show.
#[derive(Serialize)]
struct Shown {
    recommendations: Vec<One>,
    /// What became of those that were accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<HitsLine>,
}

/// One recommendation, and what its change would have done.
#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    recommendation: Recommendation,
    /// The shares between which the true one lies, with 95 %: before, and since.
    before: Option<[f64; 2]>,
    after: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal: Option<Rehearsed>,
    /// Why there is none, though a change is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_rehearsed: Option<String>,
}

impl One {
    fn is_open(&self) -> bool {
        matches!(self.recommendation.state.as_str(), "open" | "accepted")
    }

    /// The change that it names.
    fn change(&self) -> Option<Change> {
        serde_json::from_value(self.recommendation.change.clone()?).ok()
    }
}

impl From<Recommendation> for One {
    fn from(recommendation: Recommendation) -> Self {
        let tally = |closed: Option<u64>, healed: Option<u64>| {
            let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            wilson(Tally { closed: number(closed?), healed: number(healed?) })
        };
        let before = tally(recommendation.closed_before, recommendation.healed_before);
        let after = tally(recommendation.closed_after, recommendation.healed_after);
        Self { recommendation, before, after, rehearsal: None, not_rehearsed: None }
    }
}

pub(in crate::cli) fn run(args: Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let Args { verb, all, since, no_rehearsal } = args;
    let mut shown = match verb {
        Some(Verb::Accept { id, reason, how }) => {
            let path = &["api", "recommendations", &id.to_string(), "accept"];
            return post(&how, (shared, out), path, &Minding { reason });
        }
        Some(Verb::Decline { id, reason, how }) => {
            let path = &["api", "recommendations", &id.to_string(), "decline"];
            return post(&how, (shared, out), path, &Minding { reason: Some(reason) });
        }
        Some(Verb::Show { id }) => one(id, shared, out)?,
        None => list(all, shared, out)?,
    };
    if !no_rehearsal {
        rehearse::each(&mut shown.recommendations, &Stage::new(shared, &since, out));
    }
    if out.is_json() {
        out.json(&shown)?;
    } else {
        human::show(&shown, all, &since, out)?;
    }
    Ok(Exit::Clean)
}

fn one(id: u64, shared: &Shared, out: Out) -> Result<Shown, Failure> {
    let id = id.to_string();
    let path = &["api", "recommendations", &id];
    let found = asking(shared, out, |client, _| async move { client.get::<Recommendation>(path).await })?;
    Ok(Shown { recommendations: vec![found.into()], hits: None })
}

fn list(all: bool, shared: &Shared, out: Out) -> Result<Shown, Failure> {
    let path = &["api", "recommendations"];
    let found = asking(shared, out, |client, _| async move { client.get::<Recommendations>(path).await })?;
    let mut recommendations: Vec<One> = found.recommendations.into_iter().map(One::from).collect();
    if !all {
        recommendations.retain(One::is_open);
    }
    Ok(Shown { recommendations, hits: Some(found.hits) })
}
