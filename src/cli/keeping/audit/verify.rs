//! `grace audit verify` and `grace audit key`

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::terminal::exit::Exit;
use crate::cli::terminal::failure::Failure;
use crate::cli::terminal::out::{Look, Out};
use crate::cli::terminal::shared::Shared;
use crate::record::{Broken, Damage, Key, Reader, Signed, Verified, Verifier, Walked, origin, walk_export};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An export of entries instead of the journal: no data directory is needed
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Signed checkpoints, any number of them: the newest must still be true
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
}

pub(super) fn run(args: &Args, shared: &Shared, out: Out) -> Result<Exit, Failure> {
    let signed = args.checkpoint.as_deref().map(|file| newest(file, args, shared)).transpose()?;
    let found = match &args.export {
        Some(path) => of_export(path, signed.as_ref())?,
        None => of_journal(shared, signed.as_ref())?,
    };
    tell(&Told { found, signed: signed.map(|signed| signed.seq) }, args.export.is_none(), out)
}

/// The newest of the checkpoints; each of them has to hold.
fn newest(file: &Path, args: &Args, shared: &Shared) -> Result<Signed, Failure> {
    let read = std::fs::read_to_string(file);
    let text = read.map_err(|why| Failure::Unread { path: file.to_owned(), why })?;
    let verifier = match &args.key {
        Some(key) => key.clone(),
        None => own_key(shared)?,
    };
    verifier.newest(&text).map_err(|why| Failure::Finding(format!("{}: {why}", file.display())))
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

fn of_journal(shared: &Shared, signed: Option<&Signed>) -> Result<Verified, Failure> {
    let reader = Reader::open(&shared.data)?;
    let mut found = reader.verify()?;
    let Some(signed) = signed else { return Ok(found) };
    if let Some(own) = origin(&reader)?.filter(|own| *own != signed.origin) {
        return Err(of_another(&own, &signed.origin));
    }
    let hash = reader.hash_of(signed.seq)?;
    found.broken = first(found.broken, missed(signed, hash.as_deref()));
    Ok(found)
}

fn of_export(path: &Path, signed: Option<&Signed>) -> Result<Verified, Failure> {
    let (mut hash, mut first_hash) = (None, None);
    let walked = walk_export(path, |seq, found| {
        if seq == 1 {
            first_hash = Some(found.to_owned());
        }
        if signed.is_some_and(|signed| signed.seq == seq) {
            hash = Some(found.to_owned());
        }
    });
    let walked = walked.map_err(|why| Failure::Unread { path: path.to_owned(), why })?;
    let Walked { entries, head, mut broken } = walked;
    if let Some(signed) = signed {
        let own = first_hash.map(|hash| crate::record::origin_of(&hash));
        if let Some(own) = own.filter(|own| *own != signed.origin) {
            return Err(of_another(&own, &signed.origin));
        }
        broken = first(broken, missed(signed, hash.as_deref()));
    }
    Ok(Verified { entries, readings: 0, expired: 0, head, broken })
}

fn of_another(own: &str, signed: &str) -> Failure {
    Failure::Finding(format!("the checkpoints are those of {signed}, and this is {own}: another journal"))
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

fn tell(told: &Told, with_readings: bool, out: Out) -> Result<Exit, Failure> {
    let Told { found, signed } = told;
    let exit = if found.is_whole() { Exit::Clean } else { Exit::Findings };
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
            out.line(format_args!("  {} entries before it hold", found.entries))?;
        }
    }
    if let (Some(seq), true) = (signed, found.is_whole()) {
        out.line(format_args!("  signed: everything up to entry {seq} is what was signed"))?;
    }
    if with_readings {
        out.line(format_args!("  readings: {} hold, {} have expired", found.readings, found.expired))?;
    }
    out.line(format_args!("  head: {}", found.head))?;
    Ok(exit)
}
