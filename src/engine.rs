//! One pure step: what was seen and asked goes in, everything that follows from it comes out.

mod types;

pub use types::{Input, State, Step};
