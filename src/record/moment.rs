//! Moments: the same instant on Grace's own time line and on the clock of the boot.
//!
//! One is kept with every commit. After a restart it tells how much time really went by, whatever happened to
//! the wall clock meanwhile; after a reboot, or on another machine, it tells nothing.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rustix::time::{ClockId, clock_gettime};

use crate::model::{Span, Time};
use crate::record::Clock;
use crate::record::error::Fault;

/// One instant on two clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// On Grace's own time line.
    pub at: Time,
    /// Which boot of which machine.
    pub boot: String,
    /// Since that boot, sleep and all.
    pub up: Span,
}

impl Moment {
    /// Grace's own time `up` after this boot began; nothing where it is another boot, or a clock that went back.
    pub(super) fn then(&self, boot: &str, up: Span) -> Option<Time> {
        (self.boot == boot && up >= self.up).then(|| self.at + Span(up.0 - self.up.0))
    }
}

/// The kernel's name for this boot, where it tells one.
pub(super) fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// How long ago that was.
pub(super) fn up() -> Span {
    let now = clock_gettime(ClockId::Boottime);
    Span(now.tv_sec.saturating_mul(1_000).saturating_add(now.tv_nsec / 1_000_000))
}

pub(super) fn keep(transaction: &Transaction<'_>, clock: &Clock) -> Result<(), Fault> {
    if let Some(Moment { at, boot, up }) = clock.moment() {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO moment VALUES (1, ?1, ?2, ?3)")?
            .execute(params![at.0, boot, up.0])?;
    }
    Ok(())
}

pub(super) fn read(conn: &Connection) -> Result<Option<Moment>, Fault> {
    let moment = conn.query_row("SELECT at, boot, up FROM moment", [], |row| {
        Ok(Moment { at: Time(row.get(0)?), boot: row.get(1)?, up: Span(row.get(2)?) })
    });
    Ok(moment.optional()?)
}
