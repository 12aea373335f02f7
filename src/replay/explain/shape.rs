//! The answer, as programs read it: plain data, times in RFC 3339.

use serde::Serialize;
use utoipa::ToSchema;

use crate::condition::{Part, Truth};
use crate::govern::GateKind;
use crate::model::{ActId, GenerationId, HealResult, ModeId, Occasion, Record, Status, Unit, Value};
use crate::replay::Contradiction;
use crate::replay::explain::{Ending, Flip, Idle, Tick};

/// The version of the form.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Why a rule acted or did not, or why an act was made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// The version of this form.
    pub format_version: u32,
    /// The answer in one sentence.
    pub summary: String,
    /// The rule and its component: `restart/web`.
    pub rule: Option<String>,
    /// The act that was asked about.
    #[schema(value_type = Option<u64>)]
    pub act: Option<ActId>,
    /// Did it act in this tick?
    pub acted: bool,
    /// The number of the tick.
    pub tick: u64,
    /// Its time.
    pub at: String,
    /// The rules and policies of then.
    #[schema(value_type = String)]
    pub generation: GenerationId,
    /// The mode in which the tick began; conditions see this one.
    #[schema(value_type = String)]
    pub mode: ModeId,
    /// What was read of the component.
    pub seen: Option<Seen>,
    /// Why the rule is there, as its file says.
    pub why: Option<String>,
    /// What the rule's `when` said: `true`, `false` or `unknown`.
    #[schema(value_type = Option<String>)]
    pub truth: Option<&'static str>,
    /// The rule's `when`, the conditions of the statuses that it asks for, and the `until` of its claim.
    pub conditions: Vec<Asked>,
    /// What it did in this tick.
    pub did: Vec<Deed>,
    /// The claim of the rule that stands after the tick.
    pub claim: Option<Claimed>,
    /// What the gates of governance were asked, or would have been.
    pub about: Option<String>,
    /// Every gate, in the order in which they are asked.
    pub gates: Vec<Gate>,
    /// The smallest change that would have led elsewhere.
    pub flip: Option<Flip>,
    /// How the act ended, where it is known.
    pub ended: Option<Ended>,
    /// The time that was asked for lies where Grace made no tick: this is what she knew at the last one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
    /// The record says that something else came out, of this tick or of one shortly before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradiction: Option<Contradiction>,
}

/// What was read of a component.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Seen {
    /// The component.
    pub component: String,
    /// Its status.
    #[schema(value_type = String)]
    pub status: Status,
    /// Since when.
    pub since: String,
    /// The condition that makes the status, where one is true: `critical` or `warn`.
    #[schema(value_type = Option<String>)]
    pub because: Option<&'static str>,
    /// Consecutive critical readings.
    pub failures: u32,
    /// When it was read.
    pub taken_at: String,
    /// Why it was read.
    #[schema(value_type = String)]
    pub occasion: Occasion,
    /// Was it read for this tick? Otherwise the readings are those of an earlier one.
    pub fresh: bool,
    /// Each fact.
    pub facts: Vec<Fact>,
}

/// One reading.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fact {
    /// The fact.
    pub fact: String,
    /// Its value; nothing where it could not be read.
    #[schema(value_type = Option<serde_json::Value>)]
    pub value: Option<Value>,
    /// Its unit.
    #[schema(value_type = Option<String>)]
    pub unit: Option<Unit>,
    /// Why there is no value.
    pub lacks: Option<String>,
}

/// A condition, and what it said.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Asked {
    /// Which condition: `when`, `critical`, `until`.
    pub condition: String,
    /// `true`, `false` or `unknown`.
    #[schema(value_type = String)]
    pub truth: &'static str,
    /// Every part with its value.
    pub tree: Part,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deed {
    /// The act's number; nothing for what followed from an act.
    #[schema(value_type = Option<u64>)]
    pub act: Option<ActId>,
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// A claim on a mode.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Claimed {
    /// Its key.
    pub key: String,
    /// The mode.
    #[schema(value_type = String)]
    pub mode: ModeId,
    /// Since when.
    pub since: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself, where a time says that.
    pub expires: Option<String>,
    /// The condition that ends it.
    pub until: Option<String>,
    /// The smallest change with which it would have ended in this tick.
    pub ends: Option<Flip>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Gate {
    /// Its name.
    pub gate: String,
    /// Open, closed or not asked.
    pub state: GateState,
    /// What it would have said, where it was not asked.
    pub would: Option<GateState>,
    /// Is it the one that stopped the rule?
    pub decided: bool,
    /// What it says.
    pub says: String,
    /// When it opens by itself.
    pub until: Option<String>,
    /// How it opens.
    pub opens: Option<String>,
    /// The policies that are about it, for the gate of policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
}

/// How a gate stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// It let the rule through.
    Open,
    /// It did not.
    Closed,
    /// Nobody asked it.
    NotAsked,
}

/// A policy that is about an act.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Policy {
    /// Its id.
    pub policy: String,
    /// The kind of act.
    #[schema(value_type = String)]
    pub action: &'static str,
    /// `allow`, `review` or `deny`.
    #[schema(value_type = String)]
    pub effect: &'static str,
    /// What its `when` said; one without applies always.
    #[schema(value_type = String)]
    pub applies: &'static str,
    /// Did it decide?
    pub decided: bool,
    /// Its `when`.
    pub tree: Option<Part>,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ended {
    /// When.
    pub at: String,
    /// The outcome, or the result of what has none.
    pub outcome: String,
    /// What is known of it.
    pub detail: String,
    /// When what it had healed failed again, so soon that it counts as not healed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relapsed_at: Option<String>,
}

impl Gate {
    /// Is it closed, or would it have been?
    #[must_use]
    pub fn stops(&self) -> bool {
        self.would.unwrap_or(self.state) == GateState::Closed
    }
}

/// The word for a truth.
pub(super) fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}

/// The name of a gate.
pub(super) fn name(kind: GateKind) -> &'static str {
    match kind {
        GateKind::Stop => "stop",
        GateKind::Hold => "hold",
        GateKind::Silence => "silence",
        GateKind::Block => "block",
        GateKind::Dependency => "dependency",
        GateKind::Mode => "mode",
        GateKind::Policy => "policy",
        GateKind::Approval => "approval",
        GateKind::InFlight => "in_flight",
        GateKind::Crowded => "crowded",
        GateKind::SlowTry => "slow_try",
        GateKind::Backoff => "backoff",
        GateKind::Budget => "budget",
    }
}

/// An answer that says only which tick it is about.
pub(super) fn blank(tick: &Tick) -> Explanation {
    Explanation {
        format_version: FORMAT_VERSION,
        summary: String::new(),
        rule: None,
        act: None,
        acted: false,
        tick: tick.input.tick,
        at: tick.step.state.now.to_string(),
        generation: tick.bundle.generation.clone(),
        mode: tick.before.governed.mode.clone(),
        seen: None,
        why: None,
        truth: None,
        conditions: Vec::new(),
        did: Vec::new(),
        claim: None,
        about: None,
        gates: Vec::new(),
        flip: None,
        ended: None,
        idle: None,
        contradiction: tick.contradiction.clone(),
    }
}

/// A value with its unit, as sentences say it.
#[must_use]
pub fn shown(value: &Value, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Seconds) => format!("{value} s"),
        Some(Unit::Milliseconds) => format!("{value} ms"),
        Some(Unit::Bytes) => format!("{value} bytes"),
        Some(Unit::Ratio) | None => value.to_string(),
    }
}

impl Explanation {
    /// Adds that the time that was asked for lies where Grace made no tick.
    #[must_use]
    pub fn with_idle(self, idle: Option<Idle>) -> Self {
        Self { idle, ..self }
    }

    /// Adds how the act ended.
    #[must_use]
    pub fn with_end(mut self, end: Option<Ending>) -> Self {
        if let Some(Ending { at, record, relapsed, contradiction }) = end {
            self.ended = ended(&record).map(|(outcome, detail)| Ended {
                at: at.to_string(),
                outcome,
                detail,
                relapsed_at: relapsed.map(|at| at.to_string()),
            });
            self.contradiction = self.contradiction.or(contradiction);
        }
        self
    }
}

/// The outcome of an act and what is said of it.
fn ended(record: &Record) -> Option<(String, String)> {
    let Record::End { outcome, result, detail, .. } = record else { return None };
    let word = match outcome {
        Some(outcome) => outcome.to_string(),
        None if *result == HealResult::Success => "success".into(),
        None => "failed".into(),
    };
    Some((word, detail.clone()))
}
