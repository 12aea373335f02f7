//! Was the time that is asked for one in which Grace looked at all?

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Span, Time};
use crate::record::Recorded;
use crate::replay::explain::{FindError, Tick};
use crate::replay::source::History;

/// Ticks that are further apart than so many of the grid's are no ordinary neighbours.
const ORDINARY: i64 = 4;

/// A time in which Grace made no tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Idle {
    /// The last tick before it.
    pub from: String,
    /// The first tick behind it; none where the record ends.
    pub to: Option<String>,
    /// Grace started in between: she did not run.
    pub stopped: bool,
}

impl Idle {
    /// What that means for the answer.
    #[must_use]
    pub fn says(&self) -> String {
        let Self { from, to, stopped } = self;
        let what = if *stopped { "did not run, or made no tick," } else { "made no tick" };
        let time = match to {
            Some(to) => format!("from {from} to {to}"),
            None => format!("that is recorded behind {from}"),
        };
        format!("Grace {what} {time}; what follows is what she knew at {from}")
    }
}

/// The time without a tick in which the asked one lies that this tick is the answer for; none where it lies so near to it
/// as ticks usually do.
///
/// # Errors
/// The history cannot be read.
pub fn idle(history: &History, tick: &Tick, (from, asked): (Time, Time)) -> Result<Option<Idle>, FindError> {
    let (last, grid) = (tick.input.now, tick.input.grid.unwrap_or(tick.bundle.system.interval));
    if last >= from {
        return Ok(None);
    }
    let (mut next, mut stopped) = (None, false);
    for recorded in history.all(Some(last))? {
        match recorded? {
            Recorded::Tick { input, .. } if input.now > last => {
                next = Some(input.now);
                break;
            }
            Recorded::Tick { .. } => stopped = false,
            Recorded::Started { .. } => stopped = true,
            // When that tick was is not known any more.
            Recorded::Expired { tick: gone, .. } if gone > tick.input.tick => return Ok(None),
            _ => {}
        }
    }
    let far = match next {
        Some(next) => (next - last).0 > ORDINARY * grid.0,
        // The next one may be on its way.
        None => asked - last > Span(grid.0 + Span::seconds(1).0),
    };
    let said = Idle { from: last.to_string(), to: next.map(|next| next.to_string()), stopped };
    Ok(far.then_some(said))
}
