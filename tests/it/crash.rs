//! Grace under kill -9 and on disks that fail: nothing acknowledged is lost, nothing is done twice.

mod disks;
mod exact;
pub(crate) mod harness;
mod random;
