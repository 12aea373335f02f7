//! Everything Grace can do, as one closed enum, and who may propose it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    Actor, ApprovalId, ClaimKey, ComponentId, GenerationId, ModeId, NewToken, ReceiverId, RuleId, Span, Time,
    TokenId,
};

/// One exact act. Approvals are bound to its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// An outside effect on a component, step by step; the first that fails ends the try.
    Heal {
        /// The component.
        component: ComponentId,
        /// What to do, in order.
        steps: Vec<HealStep>,
    },
    /// Claim a mode.
    SetMode {
        /// The mode.
        mode: ModeId,
        /// Whose claim it is.
        key: ClaimKey,
        /// The rule's action that holds the condition under which the claim ends by itself.
        spot: Option<Spot>,
        /// When the claim ends by itself.
        #[serde(rename = "for")]
        lasts: Option<Span>,
    },
    /// End a claim.
    Release {
        /// Whose claim.
        key: ClaimKey,
    },
    /// Allow no automatic healing of this component until a person lifts it.
    Block {
        /// The component.
        component: ComponentId,
    },
    /// Lift a block.
    Unblock {
        /// The component.
        component: ComponentId,
    },
    /// Stop every heal act on a component, or on all.
    Hold {
        /// The component; none means all.
        component: Option<ComponentId>,
        /// When the hold ends by itself.
        #[serde(rename = "for")]
        lasts: Option<Span>,
    },
    /// End a hold.
    EndHold {
        /// The component; none means the hold on all.
        component: Option<ComponentId>,
    },
    /// Send no notifications about a component, or about all.
    Silence {
        /// The component; none means all.
        component: Option<ComponentId>,
        /// When the silence ends by itself.
        #[serde(rename = "for")]
        lasts: Option<Span>,
    },
    /// End a silence.
    EndSilence {
        /// The component; none means the silence about all.
        component: Option<ComponentId>,
    },
    /// Make a bearer token.
    MakeToken(Box<NewToken>),
    /// End a bearer token.
    EndToken {
        /// Its name.
        token: TokenId,
    },
    /// Make this set of files the active generation.
    Activate {
        /// Its digest.
        generation: GenerationId,
    },
    /// Send a text to a receiver.
    Notify {
        /// The receiver.
        receiver: ReceiverId,
        /// The text.
        text: String,
        /// The request for approval that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
    },
    /// Announce an event.
    Event {
        /// Its type: `security.suspicious_failures`.
        event: String,
        /// What it is about.
        component: ComponentId,
    },
    /// Ask a person to do something.
    Task {
        /// What to do.
        text: String,
        /// What it is about.
        component: ComponentId,
    },
    /// Recommend a change.
    Recommend {
        /// The recommendation.
        text: String,
        /// What it is about.
        component: ComponentId,
    },
}

/// One step of a healing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum HealStep {
    /// Stop, then start; with this many workers where the component has workers.
    Restart {
        /// How many workers it starts with.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        workers: Option<u32>,
    },
    /// Have this many workers.
    Scale {
        /// How many.
        workers: u32,
    },
}

/// Where in a rule an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    /// Which list of the rule.
    pub list: List,
    /// Which action of the list, from 0.
    pub index: u16,
}

/// The two lists of actions a rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// `do`
    Do,
    /// `on_failure`
    OnFailure,
}

/// The kind of an act, as policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the act of the same name")]
pub enum ActKind {
    Restart,
    Scale,
    SetMode,
    Release,
    Block,
    Unblock,
    Hold,
    Silence,
    Token,
    Activate,
    Notify,
    Event,
    Task,
    Recommend,
}

/// The three classes of act. They are fixed here, in code; no file can move an act to a weaker class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An outside effect: budgeted, verified, counted in the success rate.
    Heal,
    /// A change of Grace's own state, applied inside the step that decides it; idempotent.
    Contain,
    /// Something said once in a firing.
    Tell,
}

impl ActKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Restart,
        Self::Scale,
        Self::SetMode,
        Self::Release,
        Self::Block,
        Self::Unblock,
        Self::Hold,
        Self::Silence,
        Self::Token,
        Self::Activate,
        Self::Notify,
        Self::Event,
        Self::Task,
        Self::Recommend,
    ];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Scale => "scale",
            Self::SetMode => "set_mode",
            Self::Release => "release",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Hold => "hold",
            Self::Silence => "silence",
            Self::Token => "token",
            Self::Activate => "activate",
            Self::Notify => "notify",
            Self::Event => "event",
            Self::Task => "task",
            Self::Recommend => "recommend",
        }
    }

    /// Its class.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Restart | Self::Scale => Class::Heal,
            Self::SetMode
            | Self::Release
            | Self::Block
            | Self::Unblock
            | Self::Hold
            | Self::Silence
            | Self::Token
            | Self::Activate => Class::Contain,
            Self::Notify | Self::Event | Self::Task | Self::Recommend => Class::Tell,
        }
    }
}

impl fmt::Display for ActKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl HealStep {
    /// The kind policies know it by.
    #[must_use]
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Restart { .. } => ActKind::Restart,
            Self::Scale { .. } => ActKind::Scale,
        }
    }
}

impl Act {
    /// The kinds of the act; a healing has one for each of its steps.
    pub fn kinds(&self) -> impl Iterator<Item = ActKind> + '_ {
        let (steps, own): (&[HealStep], _) = match self {
            Self::Heal { steps, .. } => (steps, None),
            Self::SetMode { .. } => (&[], Some(ActKind::SetMode)),
            Self::Release { .. } | Self::EndHold { .. } => (&[], Some(ActKind::Release)),
            Self::Block { .. } => (&[], Some(ActKind::Block)),
            Self::Unblock { .. } => (&[], Some(ActKind::Unblock)),
            Self::Hold { .. } => (&[], Some(ActKind::Hold)),
            Self::Silence { .. } | Self::EndSilence { .. } => (&[], Some(ActKind::Silence)),
            Self::MakeToken(_) | Self::EndToken { .. } => (&[], Some(ActKind::Token)),
            Self::Activate { .. } => (&[], Some(ActKind::Activate)),
            Self::Notify { .. } => (&[], Some(ActKind::Notify)),
            Self::Event { .. } => (&[], Some(ActKind::Event)),
            Self::Task { .. } => (&[], Some(ActKind::Task)),
            Self::Recommend { .. } => (&[], Some(ActKind::Recommend)),
        };
        steps.iter().map(HealStep::kind).chain(own)
    }

    /// The class of the act.
    #[must_use]
    pub fn class(&self) -> Class {
        self.kinds().next().map_or(Class::Heal, ActKind::class)
    }

    /// The act in few words: `restart`, `set_mode read_only`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Heal { steps, .. } => steps.iter().map(HealStep::to_string).collect::<Vec<_>>().join(", "),
            Self::SetMode { mode, .. } => format!("set_mode {mode}"),
            Self::Release { key } => format!("release {key}"),
            Self::Block { .. } => "block".into(),
            Self::Unblock { .. } => "unblock".into(),
            Self::Hold { component, .. } => format!("hold {}", all_or(component.as_ref())),
            Self::EndHold { component } => format!("end hold {}", all_or(component.as_ref())),
            Self::Silence { component, .. } => format!("silence {}", all_or(component.as_ref())),
            Self::EndSilence { component } => format!("end silence {}", all_or(component.as_ref())),
            Self::MakeToken(new) => format!("make token {} ({})", new.token, new.role),
            Self::EndToken { token } => format!("revoke token {token}"),
            Self::Activate { generation } => format!("activate generation {}", generation.short()),
            Self::Notify { receiver, .. } => format!("notify {receiver}"),
            Self::Event { event, .. } => format!("event {event}"),
            Self::Task { .. } => "task".into(),
            Self::Recommend { .. } => "recommend".into(),
        }
    }
}

impl Act {
    /// The act as whoever decides about it has to know it: the label, and for how long and for whom it is.
    #[must_use]
    pub fn words(&self) -> String {
        let label = self.label();
        let time = |lasts: &Option<Span>| lasts.map_or("for ever".to_owned(), |lasts| format!("for {lasts}"));
        match self {
            // A mode without one stands until somebody ends it, and the lowest is no claim at all.
            Self::Hold { lasts, .. }
            | Self::Silence { lasts, .. }
            | Self::SetMode { lasts: lasts @ Some(_), .. } => {
                format!("{label} {}", time(lasts))
            }
            Self::MakeToken(new) => {
                let person = new.person.as_ref().map_or("whoever asks", Actor::as_str);
                format!("{label} of {person} {}", time(&new.lasts))
            }
            _ => label,
        }
    }
}

/// `restart of database`; an act that names its component says it once.
#[must_use]
pub fn act_of(words: &str, component: Option<&str>) -> String {
    match component.filter(|component| words.split(' ').all(|word| word != *component)) {
        Some(component) => format!("{words} of {component}"),
        None => words.to_owned(),
    }
}

fn all_or(component: Option<&ComponentId>) -> &str {
    component.map_or("all", ComponentId::as_str)
}

impl fmt::Display for HealStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart { .. } => f.write_str("restart"),
            Self::Scale { workers } => write!(f, "scale {workers}"),
        }
    }
}

/// Who proposes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum By {
    /// A rule, for one component.
    Rule {
        /// The rule.
        rule: RuleId,
        /// The component.
        component: ComponentId,
    },
    /// A person.
    Person {
        /// Who.
        actor: Actor,
    },
}

impl By {
    /// The word policies use: `rule` or `person`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rule { .. } => "rule",
            Self::Person { .. } => "person",
        }
    }

    /// The key of this one's claim on a mode.
    #[must_use]
    pub fn claim_key(&self) -> ClaimKey {
        match self {
            Self::Rule { rule, component } => ClaimKey::rule(rule, component),
            Self::Person { .. } => ClaimKey::person(),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { rule, component } => write!(f, "{rule}/{component}"),
            Self::Person { actor } => write!(f, "{actor}"),
        }
    }
}

/// Something that somebody wants done. It does nothing: governance turns it into a permit, or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who wants it.
    pub by: By,
    /// What exactly.
    pub act: Act,
    /// Why.
    pub reason: String,
    /// The component it is about, if it is about one.
    pub component: Option<ComponentId>,
    /// Which try of the healing this is, from 1; 0 for everything that is no try.
    pub attempt: u32,
    /// One of the slow tries that follow a failed healing.
    pub slow: bool,
}

/// Who makes an act that the other does not: the candidate generation, which only says so, or the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is what its word says")]
pub enum Side {
    Candidate,
    Live,
}

/// When a mode claim, hold or approval ends by itself.
#[must_use]
pub fn expiry(now: Time, lasts: Option<Span>) -> Option<Time> {
    lasts.map(|lasts| now + lasts)
}
