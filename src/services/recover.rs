//! Finds the processes of a service of which nothing is written down any more: the data directory was deleted, or
//! a file in it damaged. They know themselves whose they are, and their keepers still keep them.

use std::collections::BTreeMap;

use procfs::process::{FDTarget, Process};

use crate::services::cgroup;
use crate::services::identity::{Identity, boot_id};
use crate::services::place::{Place, Slot};
use crate::services::table::Table;
use crate::services::tree::MARK as KEEPER;

/// Every living process of this place of which nothing is written down, by its worker, written down anew.
pub(super) fn all(place: &Place, only: Option<u32>) -> BTreeMap<u32, Slot> {
    let table = Table::read();
    // The mark of worker 0 without its number.
    let beginning = place.mark(0);
    let beginning = beginning.trim_end_matches('0');
    let mut found = BTreeMap::new();
    for (process, rest) in table.begun_with(beginning) {
        let Ok(number) = rest.parse::<u32>() else { continue };
        let wanted = only.is_none_or(|only| only == number) && place.read(number).is_none();
        let slot = Some(process).filter(|_| wanted).and_then(|main| slot(place, &table, main, number));
        // What it began and left behind has the same environment; the first of them is the one.
        if let Some(slot) = slot
            && found.get(&number).is_none_or(|one: &Slot| slot.main.start < one.main.start)
        {
            found.insert(number, slot);
        }
    }
    for (number, slot) in &found {
        if let Err(why) = place.write(*number, slot) {
            tracing::warn!(%why, "a process that was found again cannot be written down");
        }
    }
    found
}

/// What would have been written down, where this is a keeper's own program. Anybody can say of a process of theirs
/// that it is one; but only a keeper of Grace's own user holds the lock of this worker.
fn slot(place: &Place, table: &Table, main: Identity, number: u32) -> Option<Slot> {
    let environment = Process::new(main.pid).ok()?.environ().ok()?;
    let keeper = environment.get(std::ffi::OsStr::new(KEEPER))?.to_str()?;
    let (pid, start) = keeper.split_once('.')?;
    let keeper = Identity { pid: pid.parse().ok()?, start: start.parse().ok()? };
    let kept = table.stat(main)?.ppid == keeper.pid && keeper.is_alive();
    if !kept || !is_keeper(keeper, place, number)? {
        return None;
    }
    let component = place.dir().file_name()?.to_str()?;
    let group = cgroup::find(&cgroup::name(component, number, keeper.pid));
    Some(Slot {
        boot: boot_id(),
        keeper,
        main,
        group,
        since_ms: 0,
        end: None,
        closed: false,
        home: place.home(),
    })
}

/// Does this process of Grace's own user hold this worker's lock, though perhaps its folder was deleted?
fn is_keeper(keeper: Identity, place: &Place, number: u32) -> Option<bool> {
    let process = Process::new(keeper.pid).ok()?;
    let own = process.uid().ok()? == rustix::process::geteuid().as_raw();
    let lock = Place::at(&place.dir().canonicalize().ok()?).lock_file(number);
    let deleted = format!("{} (deleted)", lock.display());
    let mut open = process.fd().ok()?.flatten();
    let holds = open.any(|file| match file.target {
        FDTarget::Path(path) => path == lock || path.as_os_str() == deleted.as_str(),
        _ => false,
    });
    Some(own && holds)
}
