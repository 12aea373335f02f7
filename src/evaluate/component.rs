//! A component as its file declares it: how it is watched, when it is ill, and what to do about it.

use std::collections::BTreeMap;

use crate::condition::Condition;
use crate::model::{
    Change, ComponentId, ControlKind, FactId, FactNames, HealStep, List, ModeId, ProbeKind, ProbeSpec,
    ReceiverId, RuleId, Span, Spot, Type, Window,
};

/// One component with its rules, those written for each component included.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its id: the name of its file.
    pub id: ComponentId,
    /// Its name in texts.
    pub label: String,
    /// How much hangs on it; 1 is a critical component.
    pub tier: i64,
    /// Its own file says that nothing may block it.
    pub protected: bool,
    /// When its downtime is planned: it is held then.
    pub windows: Vec<Window>,
    /// What it needs: it is not healed while one of these is critical.
    pub depends_on: Vec<ComponentId>,
    /// How many workers a restart brings.
    pub workers: Option<u32>,
    /// How it is started and stopped; none where it is a part of Grace, or is only watched.
    pub control: Option<ControlKind>,
    /// How its facts are obtained.
    pub probes: Vec<ProbeSpec>,
    /// The facts its probes give.
    pub facts: BTreeMap<FactId, Type>,
    /// Their names, as its conditions know them: readings that are named by these are found by their place.
    pub names: FactNames,
    /// When it is critical.
    pub critical: Option<Condition>,
    /// When it is degraded.
    pub warn: Option<Condition>,
    /// Its rules, in the order of their ids.
    pub rules: Vec<Rule>,
}

/// What is wrong, what to do, how success is seen, when it is over.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, unique for the component.
    pub id: RuleId,
    /// The file it stands in.
    pub file: String,
    /// What is wrong.
    pub when: Condition,
    /// In how many readings it must hold.
    pub after: u32,
    /// Of how many; the same as `after` means consecutive ones.
    pub of: u32,
    /// What to do, in order.
    pub acts: Vec<Item>,
    /// What to do when the healing failed.
    pub on_failure: Vec<Item>,
    /// How success is seen.
    pub verify: Verify,
    /// How many tries one healing has.
    pub attempts: u32,
    /// It is asked with all the others, and what it wants is written down; it never acts.
    pub shadow: bool,
    /// Why the rule is there.
    pub why: Option<String>,
    /// The healing rule that it looks at, where it is written for each.
    pub healing: Option<RuleId>,
}

/// How the success of a try is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verify {
    /// The first look comes so long after the act.
    pub delay: Span,
    /// It must be well so long after the act at the latest.
    pub within: Span,
}

impl Default for Verify {
    /// At once, and as long as one slot of the usual grid.
    fn default() -> Self {
        Self { delay: Span::ZERO, within: Span::seconds(30) }
    }
}

/// One thing a rule does.
#[derive(Debug, Clone)]
pub struct Item {
    /// What.
    pub what: What,
    /// When the claim it makes is over.
    pub until: Option<Condition>,
}

/// What a rule can do.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Heal the component.
    Heal(HealStep),
    /// Claim a mode.
    SetMode(ModeId),
    /// Allow no automatic healing until a person says so.
    Block,
    /// Tell a receiver.
    Notify(ReceiverId, Text),
    /// Announce an event.
    Event(String),
    /// Ask a person.
    Task(Text),
    /// Recommend a change.
    Recommend(Text, Option<Counsel>),
}

/// What a recommendation about a healing promises, and when it is looked at again.
#[derive(Debug, Clone, PartialEq)]
pub struct Counsel {
    /// The share of tries that should heal.
    pub expects: f64,
    /// Before and after are compared so long after.
    pub review: Span,
    /// The change, where it can be named.
    pub change: Option<Change>,
}

impl Default for Counsel {
    /// Half of the tries, after a week.
    fn default() -> Self {
        Self { expects: 0.5, review: Span::minutes(7 * 24 * 60), change: None }
    }
}

impl What {
    /// In few words, as people and patterns name it: `restart`, `mode read_only`, `notify oncall`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Heal(step) => step.to_string(),
            Self::SetMode(mode) => format!("mode {mode}"),
            Self::Block => "block".into(),
            Self::Notify(receiver, _) => format!("notify {receiver}"),
            Self::Event(event) => format!("event {event}"),
            Self::Task(_) => "task".into(),
            Self::Recommend(..) => "recommend".into(),
        }
    }
}

/// A text with `{label}`, `{component}`, `{rule}`, `{status}`, `{signals}`, `{healing}` and `{success}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl Text {
    /// The names that braces may hold.
    pub const NAMES: [&'static str; 7] =
        ["label", "component", "rule", "status", "signals", "healing", "success"];

    /// The text for this component, rule and status; what history says is only asked for where it speaks of it.
    #[must_use]
    pub fn render(
        &self,
        component: &Component,
        rule: &Rule,
        status: crate::model::Status,
        history: impl Fn(&str) -> String,
    ) -> String {
        let mut text = self
            .0
            .replace("{label}", &component.label)
            .replace("{component}", component.id.as_str())
            .replace("{rule}", rule.id.as_str())
            .replace("{status}", status.word())
            .replace("{healing}", rule.about().as_str());
        for name in ["signals", "success"] {
            let place = format!("{{{name}}}");
            if text.contains(&place) {
                text = text.replace(&place, &history(name));
            }
        }
        text
    }
}

impl Component {
    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// Is it critical, or warned of, where it was when the component was the other one?
    #[must_use]
    pub fn is_judged_as(&self, before: &Self) -> bool {
        self.critical == before.critical && self.warn == before.warn
    }

    /// Does this rule of it heal as it did when the component was the other one?
    #[must_use]
    pub fn heals_as(&self, before: &Self, rule: &RuleId) -> bool {
        let Some((then, now)) = before.rule(rule).zip(self.rule(rule)) else { return false };
        let asked = |rule: &Rule| (rule.after, rule.of, rule.attempts, rule.verify, rule.shadow);
        self.is_judged_as(before)
            && self.control == before.control
            && then.when == now.when
            && asked(then) == asked(now)
            && then.steps() == now.steps()
    }

    /// May a rule block it? There has to be automatic healing that could be stopped.
    #[must_use]
    pub fn can_be_blocked(&self) -> bool {
        !self.protected && self.rules.iter().any(|rule| rule.heals() && !rule.shadow)
    }

    /// Does it look at Grace herself, so that its signals are about everything?
    #[must_use]
    pub fn is_guard(&self) -> bool {
        self.probes.iter().any(|probe| probe.kind == ProbeKind::Guard)
    }

    /// How a person's restart is verified: as the component's first healing rule says.
    #[must_use]
    pub fn verify(&self) -> Verify {
        self.rules
            .iter()
            .find(|rule| rule.heals() && !rule.shadow)
            .map(|rule| rule.verify)
            .unwrap_or_default()
    }
}

impl Rule {
    /// The id of a rule that is written for each healing: its own name, and that of the healing rule.
    #[must_use]
    pub fn of_healing(name: &str, healing: &RuleId) -> RuleId {
        RuleId::from(format!("{name}.{healing}"))
    }

    /// The name of its table.
    #[must_use]
    pub fn table(&self) -> &str {
        let id = self.id.as_str();
        let behind = self.healing.as_ref().and_then(|healing| id.strip_suffix(healing.as_str()));
        behind.and_then(|rest| rest.strip_suffix('.')).unwrap_or(id)
    }

    /// The healing rule that it is about: itself, where it is not written for others.
    #[must_use]
    pub fn about(&self) -> &RuleId {
        self.healing.as_ref().unwrap_or(&self.id)
    }

    /// Does it heal?
    #[must_use]
    pub fn heals(&self) -> bool {
        self.acts.iter().any(|item| matches!(item.what, What::Heal(_)))
    }

    /// Where its first heal step stands: there a shadow rule notes that its try was told.
    #[must_use]
    pub fn heal_spot(&self) -> Option<Spot> {
        let place = self.acts.iter().position(|item| matches!(item.what, What::Heal(_)))?;
        Some(Spot { list: List::Do, index: u16::try_from(place).ok()? })
    }

    /// Its heal steps, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<HealStep> {
        let heal = |item: &Item| match &item.what {
            What::Heal(step) => Some(step.clone()),
            _ => None,
        };
        self.acts.iter().filter_map(heal).collect()
    }

    /// Everything it does when it fires, in the words of [`Act::label`](crate::model::Act::label).
    #[must_use]
    pub fn wants(&self) -> Vec<String> {
        let steps: Vec<String> = self.steps().iter().map(ToString::to_string).collect();
        let heals = (!steps.is_empty()).then(|| steps.join(", "));
        let says = |item: &Item| match &item.what {
            What::Heal(_) => None,
            What::SetMode(mode) => Some(format!("set_mode {mode}")),
            What::Block => Some("block".to_owned()),
            What::Notify(receiver, _) => Some(format!("notify {receiver}")),
            What::Event(event) => Some(format!("event {event}")),
            What::Task(_) => Some("task".to_owned()),
            What::Recommend(..) => Some("recommend".to_owned()),
        };
        self.acts.iter().filter_map(says).chain(heals).collect()
    }

    /// The list of actions of this name.
    #[must_use]
    pub fn list(&self, list: List) -> &[Item] {
        match list {
            List::Do => &self.acts,
            List::OnFailure => &self.on_failure,
        }
    }
}
