//! The figures: uptime, how healing goes, how long it takes, and the modes, over windows of time.
//!
//! A fold ([`Fold`]) goes through the journal's entries in their order. It adds up how long each component was how, hour
//! by hour ([`Bucket`]), and keeps what is over ([`Closed`]). [`Gather`] makes the figures of a window of them
//! ([`Figures`]), and every surface shows those. The journal keeps what the fold made, so that a report over months reads
//! hours, not ticks.
//!
//! # What the figures mean
//!
//! - *What a tick saw holds until the next one.* A component is up in `ok` and `warn`, down in `critical`; `unknown` is
//!   neither. Uptime is up / (up + down); of no time there is no uptime.
//! - *Unobserved* is the time from the last tick before a stop or a crash to the first one after it, and the time between
//!   two ticks that are more than four grids apart. It is neither up nor down, and no mode's.
//! - *Planned* is downtime while a person holds the component, or all: neither up nor down. What works while it is held is
//!   up. A silence is no hold.
//! - *Recovery* goes from an incident's begin to its end, without the time in which it was held; an incident that was held
//!   all along has none. The time in which Grace did not look is in it: nobody knows when it was well again.
//! - *Detection* goes from the last tick of the grid that saw the component well to the incident's begin: it took at most
//!   so long. *Reaction* goes from there to the first act, without the time in which it was held, as recovery does;
//!   *healing* goes from the intent of the act that healed to its end.
//! - *Success* is `healed`, of `healed`, `relapsed`, `no_effect`, `worse`, `failed` and `timed_out`. What healed by itself
//!   is not the act's doing, and of `unknown` nobody can say: neither is counted, both are shown. A try that relapses
//!   after the window's end counts as relapsed.
//! - *Each healing rule* has its own success, with the ends of Wilson's interval of 95 %: of few tries a share says little.
//! - *Recommendations* count where somebody had accepted them: the hit rate is `helped`, of those that can be judged.
//! - *Downtime caused* by a try on a component that worked when it began is the time until the try's end in which ticks
//!   saw it `critical` or `unknown`, or what its steps took, whichever is longer. *Downtime ended* by a try that healed
//!   goes from the incident's begin to the try's end, without the time in which it was held.
//! - *Consecutive failures* are counted as the engine counts them.
//!
//! All of it goes by Grace's own time, which a stepped wall clock does not move and which stands still while the machine
//! sleeps: a suspend has no length here, and shows as a step of the clock. A window holds what happened behind its begin,
//! and up to and with its end, so that windows which follow each other count everything once.
//!
//! A component's figures end with the generation that declared it last; over a window in which it was declared they are
//! still shown.

mod closed;
mod course;
mod document;
mod fold;
mod gather;
pub mod interval;
pub mod number;
mod seen;
mod spent;
mod totals;

pub use closed::{Closed, Incident, Life, Move, Review, Stepped, Stretch, Try};
pub use document::{
    Component, Figures, Healing, Lengths, Measures, ModeTime, Modes, Reviews, Transition, Window,
};
pub use fold::{Bucket, Fold, HOUR, Hour};
pub use gather::{Asked, Gather, NoFigures};
pub use number::Percent;
pub use seen::{Seen, Terms};
pub use spent::Spent;
pub use totals::{BOUNDS, Total, Totals};

/// The version of what the fold makes: what another one made is made anew.
pub const VERSION: i64 = 6;
