//! Policies, modes and budgets turn proposals into decisions and permits.
//!
//! A proposal meets its gates in this order: STOP, holds and silences, blocks and dependencies, the mode, the policies
//! (deny beats review beats allow, and what nothing matches is denied), and last the brakes. Further gates
//! (storms, flapping, ladders) belong between the mode and the policies.

mod access;
mod admission;
mod approvals;
mod brakes;
mod contain;
mod desk;
mod ground;
mod inspect;
mod modes;
mod permit;
mod policy;
mod settle;
mod silence;
mod state;
mod stricter;
mod tokens;

pub use access::{Access, LocalUser, Member};
pub use admission::{Admission, Admitted, Because, Deed};
pub use approvals::{ApprovalError, Terms};
pub use brakes::{Accounts, Backoff, Brakes, Budget, Flight, Spent, Used};
pub use desk::{About, Decision, Desk, Policies, Ruled};
pub use inspect::{GateKind, Inspected};
pub use modes::{Edges, Mode, Modes, Permitted};
pub use permit::Permit;
pub use policy::{Policy, PolicyEffect, Question, deciding};
pub use state::{Approval, Block, Changed, Evidence, Governed, Hold};
pub use tokens::MOST_TOKENS;
