//! The bodies that go over the wire: what the API writes and the command line reads are the same types.
//! Times are RFC 3339 in UTC. Bodies that come in refuse unknown fields.

mod admission;
mod approval;
mod asked;
mod listed;
mod recommended;
mod reply;
mod shadow;
mod status;
mod token;

pub use admission::{AdmissionNow, AskingAdmission, Decision};
pub use approval::{ApprovalLine, ApprovalShown, EvidenceLine, Reach};
pub use asked::{
    Approving, Assigning, Faulting, Holding, Lifting, Minding, NewTask, Releasing, Restarting, Scaling,
    SettingMode,
};
pub use listed::{BlockLine, ClaimLine, HoldLine, ModeNow, TaskLine, Tasks};
pub use recommended::{ActionLine, EditLine, HitsLine, RecommendationShown, Recommendations, RehearsalLine};
pub use reply::{Reply, Word};
pub use shadow::{CandidateLine, SettingCandidate, ShadowNow};
pub use status::{Clock, HealthCheck, Rejection, RuleLine, Status, WriteGate};
pub use token::{MadeToken, MakingToken, TokenLine};
