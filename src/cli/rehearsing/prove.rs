//! `grace prove`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::history;
use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::cli::terminal::text::cleaned;
use crate::cli::terminal::times;
use crate::record::{JournalError, Reader, Recorded, Verified};
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
    if proof.same + proof.different + proof.unreadable == 0 && proof.broken.is_none() {
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

/// The chain and the decisions, side by side.
fn journal(args: &Args, shared: &Shared, out: Out) -> Result<(Proof, Option<Verified>), Failure> {
    let history = History::Journal(Reader::open(&shared.data)?);
    let walker = Reader::open(&shared.data)?;
    std::thread::scope(|scope| {
        let chain = scope.spawn(move || walker.verify());
        let proof = decide(&history, args, None, out);
        let chain: Result<Verified, JournalError> = chain.join().map_err(|_| Failure::Lost)?;
        let chain = chain?;
        // Where the chain does not hold, causes can only be told with that in mind.
        let proof = if chain.is_whole() { proof? } else { decide(&history, args, Some(&chain), out)? };
        Ok((proof, Some(chain)))
    })
}

fn decide(history: &History, args: &Args, chain: Option<&Verified>, out: Out) -> Result<Proof, Failure> {
    let since = args.since.as_deref().and_then(crate::config::duration);
    let last = match (since, history) {
        (None, _) => None,
        (Some(_), History::Journal(reader)) => reader.last_tick()?,
        (Some(_), _) => history.survey()?.1,
    };
    let since = before(last, since);
    let mut prover = Prover::new(since, chain.and_then(|chain| chain.broken.clone()));
    let read = ahead(history.all(since)?, |all| take(all, &mut prover, out));
    let broken = chain.and_then(|chain| chain.broken.as_ref());
    match (read, broken, history) {
        // What was changed may be nothing that can be read any more: what lies behind it is proved all the same.
        (Err(_), Some(broken), History::Journal(reader)) => {
            prover.passed_by();
            let rest = reader.ticks(broken.seq).map(|one| one.map_err(HistoryError::from));
            // A second such place ends it; what was proved until then is told.
            let _ = take(rest, &mut prover, out);
        }
        (read, ..) => read?,
    }
    out.progress("");
    Ok(prover.finish())
}

fn take(
    all: impl Iterator<Item = Result<Recorded, HistoryError>>,
    prover: &mut Prover,
    out: Out,
) -> Result<(), Failure> {
    let mut ticks = 0_u64;
    for recorded in all {
        let recorded = recorded?;
        if matches!(recorded, Recorded::Tick { .. }) {
            ticks += 1;
            if ticks.is_multiple_of(5_000) {
                out.progress(format_args!("{ticks} ticks decided again"));
            }
        }
        prover.take(recorded);
    }
    Ok(())
}

fn show(proof: &Proof, chain: Option<&Verified>, out: Out) -> Result<(), Failure> {
    let word =
        if proof.holds() { out.paint(Look::Good, "proved") } else { out.paint(Look::Bad, "not proved") };
    let span = proof.span.map(|(from, to)| format!(" from {from} to {to}")).unwrap_or_default();
    out.line(format_args!("{word}: {} ticks{span} give the same bytes", proof.same))?;
    for (count, one, many) in [
        (proof.different, "does not", "do not"),
        (
            proof.expired,
            "cannot be decided again: its readings have expired",
            "cannot be decided again: their readings have expired",
        ),
        (
            proof.unreadable,
            "lies under rules that this version does not take, or whose text was changed",
            "lie under rules that this version does not take, or whose text was changed",
        ),
        (proof.missing, "is left out: its number is missing", "are left out: their numbers are missing"),
    ] {
        if count > 0 {
            out.line(format_args!("  {count} {}", if count == 1 { one } else { many }))?;
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
    if proof.different > kept {
        out.line(format_args!("and {} more", proof.different - kept))?;
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
    out.line(format_args!("tick {} at {} (entry {}){by}: {cause}", one.tick, one.at, one.seq))?;
    out.line(format_args!("  {}", out.paint(Look::Head, &one.field)))?;
    out.line(format_args!("  recorded {}", cleaned(&one.recorded)))?;
    out.line(format_args!("  derived  {}", cleaned(&one.derived)))
}
