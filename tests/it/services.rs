//! Real processes under the real binary: started, kept, found again, and ended with all that belongs to them.

mod examples;
mod hostile;
pub(crate) mod house;

pub(crate) use house::skip;
mod input;
mod life;
mod lost;
