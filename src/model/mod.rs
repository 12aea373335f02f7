//! Words that several stages share: plain data, closed enums, ordered maps. Nothing here decides or does.

mod access;
mod act;
mod claim;
mod events;
mod facts;
mod id;
mod known;
mod launch;
mod meaning;
mod origin;
mod outcome;
mod probe;
mod receiver;
mod recommendation;
mod record;
mod request;
mod schema;
mod snapshot;
mod status;
mod task;
mod time;
mod value;
mod why;
mod window;
mod write;

pub use access::{NewToken, Permission, Role, Token};
pub use act::{Act, ActKind, By, Class, HealStep, List, Proposal, Side, Spot, act_of, expiry};
pub use claim::{Claim, ClaimKey, Writes};
pub use facts::{FactNames, Facts};
pub use id::{
    ActId, Actor, ApprovalId, ComponentId, FactId, GenerationId, IncidentId, ModeId, PolicyId, ReceiverId,
    RecommendationId, RuleId, TaskId, TokenId,
};
pub use known::Known;
pub use launch::{
    CommandControl, ControlKind, Launch, Limit, ProcessControl, Setting, StopSignal, Surroundings,
};
pub use meaning::Meaning;
pub use origin::Origin;
pub use outcome::{Effect, HealResult, HealingResult, Outcome, Performed, StepDone};
pub use probe::{CommandProbe, FileProbe, Format, HttpProbe, ProbeKind, ProbeSpec, TcpProbe, Whose};
pub use receiver::{Heartbeat, Receiver, Webhook};
pub use recommendation::{Advice, AdviceDeed, Change, Effectiveness, Hits, Tally};
pub use record::{Record, Taken};
pub use request::{Answer, Answered, Asked, Request, Shown};
pub use schema::{BUILTINS, BuiltinSpec, FactSpec, Shape, builtin};
pub use snapshot::{Readings, Snapshot};
pub use status::{Occasion, Status};
pub use task::TaskDeed;
pub use time::{Span, Time};
pub use value::{Reading, Type, Unit, Value};
pub use why::{Gate, Verdict, Why};
pub use window::Window;
pub use write::{Job, Write};
