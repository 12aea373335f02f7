//! `grace prove`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::keeping::audit::UNSAID;
use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::history;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::text::cleaned;
use crate::cli::terminal::times;
use crate::record::{Broken, JournalError, Passed, Reader, Recorded, Verified};
use crate::replay::prove::{Cause, Different, Proof, Prover};
use crate::replay::{History, HistoryError, ahead, before};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Walks along the journal's chain, and decides every recorded tick again, under the rules that were active. \
                  Works whether Grace runs or not, and changes nothing.\n\n\
                  Exit codes: 0 everything that was recorded is what those rules say; 1 something is not; 2 nothing can be \
                  read.\n\n\
                  Examples:\n  grace prove\n  grace prove --since 24h --data /var/lib/grace\n  grace prove --history history.jsonl"
)]
pub(in crate::cli) struct Args {
    /// Only the last so long
    #[arg(long, value_name = "DURATION", value_parser = times::duration)]
    since: Option<String>,
    /// An exported history (`grace audit export`) instead of the journal; it has no chain
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let (proof, chain) = confined(|| match &args.history {
        Some(path) => {
            let history = history::open(Some(path), shared, out)?;
            Ok((decide(&history, args, None, out)?, None))
        }
        None => journal(args, shared, out),
    })?;
    if proof.same + proof.different + proof.unreadable + proof.uncovered + proof.lost == 0
        && proof.broken.is_none()
    {
        return Err(Failure::Usage("the history holds no tick that can be decided again".into()));
    }
    let exit = if proof.holds() { Exit::Clean } else { Exit::Findings };
    if out.is_json() {
        out.json(&json!({ "format_version": 1, "holds": proof.holds(), "proof": proof, "chain": chain }))?;
        return Ok(exit);
    }
    show(&proof, chain.as_ref(), out)?;
    Ok(exit)
}

/// A tenth of what everybody else gets.
const BEHIND: i32 = 10;

/// The chain and the decisions, side by side.
fn journal(args: &Args, shared: &Shared, out: Out) -> Result<(Proof, Option<Verified>), Failure> {
    let reader = Reader::open(&shared.data)?;
    let walker = Reader::open(&shared.data)?;
    let whole = args.since.is_none();
    std::thread::scope(|scope| {
        let chain = scope.spawn(move || {
            // The decisions are the longer way: the chain takes what they leave of the processors.
            let _ = rustix::process::nice(BEHIND);
            if whole { walker.verify_beside() } else { walker.verify() }
        });
        let history = History::Journal(reader);
        let proof = decide(&history, args, None, out);
        let chain: Result<Verified, JournalError> = chain.join().map_err(|_| Failure::Lost)?;
        let mut chain = chain?;
        let proof = match (proof, history) {
            (Ok(proof), _) if chain.is_whole() => proof,
            // Where the chain does not hold, causes can only be told with that in mind.
            (proof, History::Journal(reader)) => {
                // It may be readings that nobody can take apart.
                if proof.is_err() && whole {
                    chain = reader.verify()?;
                }
                pass(&reader, args, chain.broken.clone(), out)?
            }
            (proof, _) => proof?,
        };
        Ok((proof, Some(chain)))
    })
}

fn decide(history: &History, args: &Args, broken: Option<Broken>, out: Out) -> Result<Proof, Failure> {
    let since = args.since.as_deref().and_then(crate::config::duration);
    let last = match (since, history) {
        (None, _) => None,
        (Some(_), History::Journal(reader)) => reader.last_tick()?,
        (Some(_), _) => history.survey()?.1,
    };
    let since = before(last, since);
    let mut prover = Prover::new(since, broken);
    let all = history.all(since)?.map(|one| one.map(Ok));
    take(all, &mut prover, out)?;
    Ok(prover.finish())
}

/// What was changed may be nothing that can be read any more: what lies behind it is proved all the same.
fn pass(reader: &Reader, args: &Args, broken: Option<Broken>, out: Out) -> Result<Proof, Failure> {
    let since = args.since.as_deref().and_then(crate::config::duration);
    let since = if since.is_some() { before(reader.last_tick()?, since) } else { None };
    let mut prover = Prover::new(since, broken);
    // A kept state that cannot be read keeps nobody from beginning at the beginning.
    let mut ticks = reader.ticks_since(since).unwrap_or_else(|_| reader.ticks(0));
    let all = std::iter::from_fn(move || {
        let read = ticks.next()?;
        Some(match read {
            Ok(recorded) => Ok(Ok(recorded)),
            Err(why) => ticks.pass_by().map(Err).ok_or(HistoryError::from(why)),
        })
    });
    take(all, &mut prover, out)?;
    Ok(prover.finish())
}

/// Takes what was recorded, and what was passed by.
fn take(
    all: impl Iterator<Item = Result<Result<Recorded, Passed>, HistoryError>> + Send,
    prover: &mut Prover,
    out: Out,
) -> Result<(), Failure> {
    let mut ticks = 0_u64;
    ahead(all, |one| {
        let recorded = match one {
            Ok(recorded) => recorded,
            Err(Passed { tick, .. }) => {
                prover.passed_by(*tick);
                return Ok(());
            }
        };
        if matches!(recorded, Recorded::Tick { .. }) {
            ticks += 1;
            if ticks.is_multiple_of(5_000) {
                out.progress(format_args!("{ticks} ticks decided again"));
            }
        }
        prover.take(recorded);
        Ok::<(), Failure>(())
    })?;
    out.progress("");
    Ok(())
}

/// How many ticks are not as they should be, in words for one and for many.
fn ticks(proof: &Proof) -> [(u64, &'static str, &'static str); 7] {
    [
        (proof.different, "does not", "do not"),
        (
            proof.expired,
            "cannot be decided again: its readings have expired",
            "cannot be decided again: their readings have expired",
        ),
        (
            proof.behind,
            "cannot be decided again: it lies behind something that has expired or is gone, before the next state that was kept",
            "cannot be decided again: they lie behind something that has expired or is gone, before the next state that was kept",
        ),
        (
            proof.unreadable,
            "lies under rules that this version does not take, or whose text was changed",
            "lie under rules that this version does not take, or whose text was changed",
        ),
        (
            proof.uncovered,
            "cannot be decided again: it, or something before it, cannot be read any more",
            "cannot be decided again: they, or something before them, cannot be read any more",
        ),
        (
            proof.lost,
            "cannot be decided again: its readings are gone and have not expired",
            "cannot be decided again: their readings are gone and have not expired",
        ),
        (proof.missing, "is left out: its number is missing", "are left out: their numbers are missing"),
    ]
}

fn show(proof: &Proof, chain: Option<&Verified>, out: Out) -> Result<(), Failure> {
    let word =
        if proof.holds() { out.paint(Look::Good, "proved") } else { out.paint(Look::Bad, "not proved") };
    let span = proof.span.map(|(from, to)| format!(" from {from} to {to}")).unwrap_or_default();
    out.line(format_args!("{word}: {} ticks{span} give the same bytes", proof.same))?;
    for (count, one, many) in ticks(proof) {
        if count > 0 {
            out.line(format_args!("  {count} {}", if count == 1 { one } else { many }))?;
        }
    }
    if proof.unsaid > 0 {
        out.line(format_args!("  {} {UNSAID}", proof.unsaid))?;
    }
    for (count, one, many) in [
        (proof.adopted, "start or reload gives", "starts and reloads give"),
        (proof.adopted_otherwise, "start or reload does not give", "starts and reloads do not give"),
    ] {
        if count > 0 {
            out.line(format_args!("  {count} {} the same bytes", if count == 1 { one } else { many }))?;
        }
    }
    let versions: Vec<&str> = proof.versions.iter().map(String::as_str).collect();
    if let (generations @ 1.., versions) = (proof.generations.len(), versions.join(", ")) {
        let word = if generations == 1 { "generation" } else { "generations" };
        let by = if versions.is_empty() { String::new() } else { format!(", by version {versions}") };
        out.line(format_args!("  decided under {generations} {word}{by}"))?;
    }
    if chain.is_none() {
        out.line("  no chain: an export cannot show that nobody changed it")?;
    }
    if let Some(chain) = chain {
        match &chain.broken {
            None => out.line(format_args!("  chain: {} entries hold, head {}", chain.entries, chain.head))?,
            Some(broken) => {
                out.line(format_args!("  chain: {}: {broken}", out.paint(Look::Bad, "broken")))?;
            }
        }
    }
    proof.differences.iter().try_for_each(|one| difference(one, out))?;
    let kept = u64::try_from(proof.differences.len()).unwrap_or(u64::MAX);
    let all = proof.different + proof.adopted_otherwise;
    if all > kept {
        out.line(format_args!("and {} more", all - kept))?;
    }
    Ok(())
}

fn difference(one: &Different, out: Out) -> Result<(), Failure> {
    let by = one.by.as_ref().map(|by| format!(" of {}", cleaned(by))).unwrap_or_default();
    let cause = match &one.cause {
        Cause::Tampering => "the journal was changed".to_owned(),
        Cause::Version { version } => format!("version {version} of Grace decided it"),
        Cause::Defect => "the same version decides otherwise: a defect, or a forged journal".to_owned(),
    };
    let what = if one.adoption { "start or reload after tick" } else { "tick" };
    out.line(format_args!("{what} {} at {} (entry {}){by}: {cause}", one.tick, one.at, one.seq))?;
    out.line(format_args!("  {}", out.paint(Look::Head, &one.field)))?;
    out.line(format_args!("  recorded {}", cleaned(&one.recorded)))?;
    out.line(format_args!("  derived  {}", cleaned(&one.derived)))
}
