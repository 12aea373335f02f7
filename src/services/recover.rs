//! Finds the processes of a service of which nothing is written down any more: the data directory was deleted, or
//! a file in it damaged. They know themselves whose they are, and their keepers still keep them.

use std::collections::BTreeMap;

use procfs::process::Process;

use crate::services::cgroup;
use crate::services::identity::{Identity, boot_id};
use crate::services::place::{Place, Slot};
use crate::services::table::Table;
use crate::services::tree::MARK as KEEPER;
use crate::services::worker::Worker;

/// The living process of this worker, written down anew.
pub(super) async fn worker(worker: &Worker) -> Option<Slot> {
    let (place, number) = (worker.place.clone(), worker.number);
    let found = tokio::task::spawn_blocking(move || all(&place, Some(number)));
    found.await.ok()?.remove(&worker.number)
}

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
        if let Some(slot) =
            Some(process).filter(|_| wanted).and_then(|process| slot(place, &table, process, number))
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
/// that it is one; but nobody else has a keeper that runs as Grace's own user.
fn slot(place: &Place, table: &Table, main: Identity, number: u32) -> Option<Slot> {
    let environment = Process::new(main.pid).ok()?.environ().ok()?;
    let keeper = environment.get(std::ffi::OsStr::new(KEEPER))?.to_str()?;
    let (pid, start) = keeper.split_once('.')?;
    let keeper = Identity { pid: pid.parse().ok()?, start: start.parse().ok()? };
    let own = rustix::process::geteuid().as_raw();
    let kept = table.stat(main)?.ppid == keeper.pid && keeper.is_alive();
    if !kept || Process::new(keeper.pid).and_then(|process| process.uid()).ok()? != own {
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
