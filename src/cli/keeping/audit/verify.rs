//! `grace audit verify` and `grace audit key`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::record::{
    Broken, Damage, Key, NotedKey, Reader, Signed, Verified, Verifier, Walked, origin, walk_export,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An export of entries instead of the journal: no data directory is needed
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Signed checkpoints, any number of them: each must still be true
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The key that checks them, as `grace audit key` printed it; else the one in the data directory
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    key: Option<Verifier>,
}

/// What was found.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    found: Verified,
    /// What was signed, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<i64>,
    /// Where the key that signs became another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys_changed: Vec<NotedKey>,
}

pub(super) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let signed = args.checkpoint.as_deref().map(|file| checkpoints(file, args, shared)).transpose()?;
    let signed = signed.unwrap_or_default();
    let (found, keys_changed) = match &args.export {
        Some(path) => (of_export(path, &signed)?, Vec::new()),
        None => of_journal(shared, &signed)?,
    };
    let signed = signed.last().map(|newest| newest.seq);
    tell(&Told { found, signed, keys_changed }, args.export.is_none(), out)
}

/// The checkpoints, the oldest first; each of them has to hold.
fn checkpoints(file: &Path, args: &Args, shared: &Shared) -> Result<Vec<Signed>, Failure> {
    let read = std::fs::read_to_string(file);
    let text = read.map_err(|why| Failure::Unread { path: file.to_owned(), why })?;
    let verifier = match &args.key {
        Some(key) => key.clone(),
        None => own_key(shared)?,
    };
    verifier.all(&text).map_err(|why| Failure::Finding(format!("{}: {why}", file.display())))
}

fn own_key(shared: &Shared) -> Result<Verifier, Failure> {
    let key = Key::there(&shared.data).map_err(|why| Failure::Usage(why.to_string()))?;
    Ok(key.verifier().clone())
}

pub(super) fn key(shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let verifier = own_key(shared)?;
    if out.is_json() {
        out.json(&serde_json::json!({ "name": verifier.name(), "key": verifier.to_string() }))?;
    } else {
        out.line(&verifier)?;
    }
    Ok(Exit::Clean)
}

fn of_journal(shared: &Shared, signed: &[Signed]) -> Result<(Verified, Vec<NotedKey>), Failure> {
    let reader = Reader::open(&shared.data)?;
    let mut found = reader.verify()?;
    if found.is_whole() && found.altered.is_empty() {
        found.altered = reader.altered_figures()?;
    }
    // Where the tables are gone there are no keys to tell of either.
    let mut keys = if found.is_whole() { reader.audit_keys()? } else { Vec::new() };
    let named = keys.last().map(|newest| newest.key.clone());
    // A copy elsewhere holds no key, and who verifies may not read it.
    if let (Some(named), Ok(own)) = (named, Key::there(&shared.data))
        && own.verifier().to_string() != named
    {
        found.altered.push("the key in `audit.key` is not the one that the journal names".into());
    }
    keys.retain(|one| one.before.is_some());
    if !signed.is_empty() {
        is_of(origin(&reader)?.as_deref(), signed)?;
    }
    for one in signed {
        let hash = reader.hash_of(one.seq)?;
        found.broken = first(found.broken, missed(one, hash.as_deref()));
    }
    Ok((found, keys))
}

fn of_export(path: &Path, signed: &[Signed]) -> Result<Verified, Failure> {
    let (mut hashes, mut first_hash) = (BTreeMap::new(), None);
    let wanted: BTreeSet<i64> = signed.iter().map(|one| one.seq).collect();
    let walked = walk_export(path, |seq, found| {
        if seq == 1 {
            first_hash = Some(found.to_owned());
        }
        if wanted.contains(&seq) {
            hashes.insert(seq, found.to_owned());
        }
    });
    let walked = walked.map_err(|why| Failure::Unread { path: path.to_owned(), why })?;
    let Walked { entries, head, mut broken } = walked;
    let own = first_hash.map(|hash| crate::record::origin_of(&hash));
    is_of(own.as_deref(), signed)?;
    for one in signed {
        broken = first(broken, missed(one, hashes.get(&one.seq).map(String::as_str)));
    }
    Ok(Verified { entries, head, broken, ..Verified::default() })
}

/// Are all of them of this journal?
fn is_of(own: Option<&str>, signed: &[Signed]) -> Result<(), Failure> {
    let other = own.and_then(|own| Some((own, signed.iter().find(|one| one.origin != own)?)));
    match other {
        None => Ok(()),
        Some((own, Signed { origin, .. })) => Err(Failure::Finding(format!(
            "the checkpoints are those of {origin}, and this is {own}: another journal"
        ))),
    }
}

/// What was signed and is not there.
fn missed(signed: &Signed, hash: Option<&str>) -> Option<Broken> {
    let damage = match hash {
        None => Damage::End,
        Some(hash) if hash != signed.hash => Damage::Signed,
        Some(_) => return None,
    };
    Some(Broken { seq: signed.seq, damage })
}

/// The one that comes first.
fn first(one: Option<Broken>, other: Option<Broken>) -> Option<Broken> {
    one.into_iter().chain(other).min_by_key(|broken| broken.seq)
}

/// Behind the number of those ticks.
pub(in crate::cli) const UNSAID: &str = "ticks do not say which state came of them: only the first versions wrote such, and nothing shows that it was one";

fn tell(told: &Told, with_readings: bool, out: Out) -> Result<Exit, Failure> {
    let Told { found, signed, keys_changed } = told;
    let exit = if found.is_whole() && found.altered.is_empty() { Exit::Clean } else { Exit::Findings };
    if out.is_json() {
        out.json(told)?;
        return Ok(exit);
    }
    match &found.broken {
        None => {
            out.line(format_args!("{}: {} entries hold", out.paint(Look::Good, "whole"), found.entries))?;
        }
        Some(broken) => {
            out.line(format_args!("{}: {broken}", out.paint(Look::Bad, "broken")))?;
            let before = u64::try_from(broken.seq.saturating_sub(1)).unwrap_or(0);
            out.line(format_args!("  {} entries before it hold", found.entries.min(before)))?;
        }
    }
    for what in &found.altered {
        out.line(format_args!("{}: {what}", out.paint(Look::Bad, "altered")))?;
    }
    for NotedKey { seq, at, key, before } in keys_changed {
        let before = before.as_deref().unwrap_or_default();
        let word = out.paint(Look::Bad, "another key");
        out.line(format_args!(
            "{word}: from entry {seq} on ({at}) {key} signs; `--key {before}` checks what was signed before"
        ))?;
    }
    if let (Some(seq), true) = (signed, found.is_whole()) {
        out.line(format_args!("  signed: everything up to entry {seq} is what was signed"))?;
    }
    if with_readings {
        out.line(format_args!("  readings: {} hold, {} have expired", found.readings, found.expired))?;
    }
    if found.unsaid > 0 {
        out.line(format_args!("  {} {UNSAID}", found.unsaid))?;
    }
    out.line(format_args!("  head: {}", found.head))?;
    Ok(exit)
}
