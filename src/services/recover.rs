//! Finds the processes of a service of which nothing is written down any more: the data directory was deleted, or
//! a file in it damaged. Their keepers still have it in hand, and know everything.

use std::collections::BTreeMap;

use procfs::process::{FDTarget, Process};

use crate::services::identity::Identity;
use crate::services::place::{Place, Slot};
use crate::services::table::{Table, identity};

/// What the command line of a keeper is.
const KEEPER: &[u8] = b"grace\0keep\0";

/// A worker of which nothing is written down is told of in less.
const LONGEST: u64 = 64 * 1024;

/// Every worker of this place that a keeper has in hand and of which nothing is written down; now it is again.
pub(super) fn all(place: &Place) -> BTreeMap<u32, Slot> {
    let Ok(dir) = place.dir().canonicalize() else { return BTreeMap::new() };
    let missing = |number: &u32| place.read(*number).is_none();
    let own = Place::at(&dir);
    let kept = keepers(&Table::read())
        .into_iter()
        .filter_map(|keeper| kept(keeper, &own))
        .filter(|(number, _)| missing(number));
    let mut found = BTreeMap::new();
    for (number, mut slot) in kept {
        slot.home = place.home();
        if let Err(why) = place.write(number, &slot) {
            tracing::warn!(%why, "a process that was found again cannot be written down");
        }
        found.insert(number, slot);
    }
    found
}

/// The keepers that run as Grace's own user: nobody else's word counts.
fn keepers(table: &Table) -> Vec<Identity> {
    let own = rustix::process::geteuid().as_raw();
    let is_keeper = |pid: i32| {
        let told = std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|told| told == KEEPER);
        told && Process::new(pid).and_then(|process| process.uid()).is_ok_and(|uid| uid == own)
    };
    table.all().filter(|stat| is_keeper(stat.pid)).map(identity).collect()
}

/// What this keeper has in hand of this place: it holds the lock, though perhaps its folder was deleted, and what it
/// wrote into it is read through its own handle.
fn kept(keeper: Identity, place: &Place) -> Option<(u32, Slot)> {
    let process = Process::new(keeper.pid).ok()?;
    process.fd().ok()?.flatten().find_map(|file| {
        let FDTarget::Path(path) = file.target else { return None };
        let name = path.to_str()?;
        let lock = std::path::Path::new(name.strip_suffix(" (deleted)").unwrap_or(name));
        let number = lock.strip_prefix(place.dir()).ok()?.to_str()?.strip_suffix(".lock")?.parse().ok()?;
        let slot = read(&format!("/proc/{}/fd/{}", keeper.pid, file.fd))?;
        (slot.keeper == keeper && keeper.is_alive()).then_some((number, slot))
    })
}

fn read(path: &str) -> Option<Slot> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LONGEST), &mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
