//! Moments: the same instant on Grace's own time line and on the clock of the boot.
//!
//! One is kept with every commit. After a restart it tells how much time really went by, whatever happened to
//! the wall clock meanwhile; after a reboot, or on another machine, it tells nothing.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rustix::time::{ClockId, clock_gettime};

use crate::model::{Span, Time};
use crate::record::error::Fault;
use crate::record::{Clock, chain};

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

/// The first day of the year 9000. No clock comes there, and behind it times have no room left to go on.
const LATEST: Time = Time(221_845_392_000_000);

impl Moment {
    /// Grace's own time `up` after this boot began; nothing where it is another boot, a clock that went back, or a time that
    /// cannot be.
    pub(super) fn then(&self, boot: &str, up: Span) -> Option<Time> {
        let then = (self.boot == boot && up >= self.up).then(|| self.at + Span(up.0 - self.up.0));
        then.filter(|then| *then < LATEST)
    }

    /// What shows that nobody changed one of its numbers: holds and tokens end by them. As with the chain, whoever writes the
    /// whole file anew can make it, too.
    fn seal(&self) -> String {
        let Self { at, boot, up } = self;
        chain::digest(format!("moment {} {boot} {}", at.0, up.0).as_bytes())
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
    if let Some(moment) = clock.moment() {
        let seal = moment.seal();
        let Moment { at, boot, up } = moment;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO moment (id, at, boot, up, seal) VALUES (1, ?1, ?2, ?3, ?4)",
            )?
            .execute(params![at.0, boot, up.0, seal])?;
    }
    Ok(())
}

/// The moment of the last commit, where nobody changed it.
pub(super) fn read(conn: &Connection) -> Result<Option<Moment>, Fault> {
    let whole = sealed(conn)?.filter(|(_, is_whole)| *is_whole);
    Ok(whole.map(|(moment, _)| moment).filter(|moment| !moment.boot.is_empty()))
}

/// Is it the one that was written? A copy of an earlier version has none that is sealed.
pub(super) fn is_whole(conn: &Connection) -> Result<bool, Fault> {
    let seals = "SELECT count(*) FROM pragma_table_info('moment') WHERE name = 'seal'";
    let seals: i64 = conn.query_row(seals, [], |row| row.get(0))?;
    Ok(seals == 0 || sealed(conn)?.is_some_and(|(_, is_whole)| is_whole))
}

/// The moment as it lies there, and whether its seal is the one that it was given.
fn sealed(conn: &Connection) -> Result<Option<(Moment, bool)>, Fault> {
    let moment = conn.query_row("SELECT at, boot, up, seal FROM moment", [], |row| {
        // After a change it may be no text any more.
        let bytes = |column| {
            let value = row.get_ref(column)?.as_bytes_or_null()?.unwrap_or_default();
            Ok::<_, rusqlite::Error>(value.to_vec())
        };
        let boot = String::from_utf8_lossy(&bytes(1)?).into_owned();
        let moment = Moment { at: Time(row.get(0)?), boot, up: Span(row.get(2)?) };
        let is_whole = moment.seal().as_bytes() == bytes(3)?;
        Ok((moment, is_whole))
    });
    Ok(moment.optional()?)
}
