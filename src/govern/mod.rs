//! Policies, modes and budgets turn proposals into decisions and permits.

mod permit;

pub use permit::Permit;
