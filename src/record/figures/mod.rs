//! What the figures are made of, kept beside the chain.
//!
//! The writer folds each entry into the figures as it writes it (`live`), and with the first tick of a new hour it keeps
//! what the hour came to, in the same transaction (`keep`). The hour under way is in memory, and folded anew from its
//! entries at a start (`follow`). What was kept for another version, or for entries that are not there, is made anew from
//! all entries, beside the ticks (`make`). Whether what was kept is what the entries come to, an audit asks (`fits`). Whoever asks for a window (`window`, `exported`) adds up hours (`found`); only
//! the hours in which a window begins and ends, and the one under way, are folded from their entries.
//!
//! Figures never keep anything from being recorded: where they cannot be made they are missing, and the log says so.

mod exported;
mod fits;
mod follow;
mod found;
mod keep;
mod live;
mod make;
mod portion;
mod window;

pub use exported::{ExportedError, figures_of};
pub(super) use live::Live;
pub use make::Making;
pub use window::{FiguresError, Since};
