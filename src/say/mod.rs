//! How a problem becomes a sentence: codes, places, excerpts, the nearest right thing. The command line and
//! the API say a problem with the same words, because both ask here.

mod code;
mod diagnostic;
mod draw;
mod fix;
mod github;
mod junit;
mod nearest;
mod sarif;

pub use code::Code;
pub use diagnostic::{Diagnostic, Place, Report, Severity, line_column, plain};
pub use draw::{human, reasons, short, to_json};
pub use fix::{Edit, Fix, fixed};
pub use github::github;
pub use junit::junit;
pub use nearest::{meant, nearest, suggest};
pub use sarif::sarif;
