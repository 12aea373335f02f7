//! The names a condition may use, with their types: what a status, a rule or a policy sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ActKind, ComponentId, FactId, FactNames, RuleId, Span, Status, Type, Unit, Value};

/// What a name in a condition stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Symbol {
    /// A fact of the component's own probes.
    Fact(FactId),
    /// Is the component's status this one?
    Status(Status),
    /// Consecutive critical readings.
    Failures,
    /// The component's tier.
    Tier,
    /// The component's id.
    Component,
    /// The mode.
    Mode,
    /// Incidents begun in the last so long, the open one included.
    Incidents(Span),
    /// Tries that ended in the last so long.
    Heals(Span),
    /// Of those, the tries that did not help.
    FailedHeals(Span),
    /// Of those, the tries that healed and did not last.
    Relapses(Span),
    /// Kinds of signals of an attack in the last so long, about the component or about Grace herself.
    Signals(Span),
    /// Other components with an incident that began in the last so long.
    Spread(Span),
    /// Those of them whose incident began before the component's own: of one tick, those whose ids come first.
    SpreadBefore(Span),
    /// Those of them that failed before it, where nobody wanted to hear of any of these, and of this one somebody does.
    Unheard(Span),
    /// Components that are critical by their last known status, this one included.
    CriticalNow,
    /// Does one of these facts, which tell that something changed between two starts, read true?
    Changed(Vec<FactId>),
    /// How the last tries of this healing rule ended.
    Tally(RuleId, TallySymbol),
    /// Something of another component.
    Other(ComponentId, OtherSymbol),
    /// Who proposes: `rule` or `person`.
    By,
    /// The rule or person that proposes.
    Actor,
    /// The kind of the proposed act.
    ActionKind,
    /// Is less permitted after the act than before?
    ActionStricter,
}

/// What can be asked of the last tries of a healing rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TallySymbol {
    /// How many ended and count.
    Closed,
    /// The share that healed and lasted.
    SuccessRatio,
    /// The share that healed and did not last.
    RelapseRatio,
}

/// What can be asked of another component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherSymbol {
    /// Its status, as a word.
    Status,
    /// Its consecutive critical readings.
    Failures,
    /// One of its facts.
    Fact(FactId),
}

/// What a name means: something to be read, or a value that is known at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Named {
    Symbol(Symbol),
    Constant(Value),
}

/// A function over the component's history.
#[derive(Clone, Copy)]
pub(super) struct HistoryFunction {
    pub(super) name: &'static str,
    pub(super) symbol: fn(Span) -> Symbol,
}

/// The functions over history that conditions of rules see.
pub(super) const HISTORY: [HistoryFunction; 8] = [
    HistoryFunction { name: "incidents", symbol: Symbol::Incidents },
    HistoryFunction { name: "heals", symbol: Symbol::Heals },
    HistoryFunction { name: "failed_heals", symbol: Symbol::FailedHeals },
    HistoryFunction { name: "relapses", symbol: Symbol::Relapses },
    HistoryFunction { name: "signals", symbol: Symbol::Signals },
    HistoryFunction { name: "spread", symbol: Symbol::Spread },
    HistoryFunction { name: "spread_before", symbol: Symbol::SpreadBefore },
    HistoryFunction { name: "unheard", symbol: Symbol::Unheard },
];

/// The names a condition may use.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    names: BTreeMap<String, (Named, Type)>,
    row: FactNames,
    history: bool,
    others: Option<Arc<BTreeMap<ComponentId, BTreeMap<FactId, Type>>>>,
    hidden: Vec<String>,
    others_hidden: bool,
}

impl Vocabulary {
    /// What a status sees: the component's facts and thresholds.
    #[must_use]
    pub fn of_status() -> Self {
        Self::default()
    }

    /// What a rule sees besides: statuses, failures, tier, mode, history and the other components.
    #[must_use]
    pub fn of_rule(modes: &[&str], others: Arc<BTreeMap<ComponentId, BTreeMap<FactId, Type>>>) -> Self {
        let mut seen = Self { history: true, others: Some(others), ..Self::default() };
        for status in Status::ALL {
            seen.symbol(status.word(), Symbol::Status(status), Type::Bool);
        }
        seen.symbol("failures", Symbol::Failures, Type::Count);
        seen.symbol("critical_now", Symbol::CriticalNow, Type::Count);
        seen.symbol("changed", Symbol::Changed(Vec::new()), Type::Bool);
        seen.symbol("tier", Symbol::Tier, Type::Count);
        seen.symbol("component", Symbol::Component, Type::any_text());
        seen.symbol("mode", Symbol::Mode, Type::words(modes.iter().copied()));
        seen
    }

    /// What a policy sees: who proposes what in which mode; and for which component, where its acts have one.
    #[must_use]
    pub fn of_policy(modes: &[&str], components: Option<&[&str]>) -> Self {
        let mut seen = Self::default();
        seen.symbol("by", Symbol::By, Type::words(["rule", "person"]));
        seen.symbol("actor", Symbol::Actor, Type::any_text());
        seen.symbol("mode", Symbol::Mode, Type::words(modes.iter().copied()));
        seen.symbol("action.kind", Symbol::ActionKind, Type::words(ActKind::ALL.map(ActKind::word)));
        seen.symbol("action.stricter", Symbol::ActionStricter, Type::Bool);
        if let Some(components) = components {
            seen.symbol("tier", Symbol::Tier, Type::Count);
            seen.symbol("component", Symbol::Component, Type::words(components.iter().copied()));
        }
        seen
    }

    /// Says which facts tell that something changed between two starts.
    /// A status sees its own facts alone.
    pub fn changes(&mut self, facts: &[FactId]) {
        if !self.history {
            return;
        }
        self.symbol("changed", Symbol::Changed(facts.to_vec()), Type::Bool);
    }

    /// Says which healing rule it is about.
    pub fn healing(&mut self, rule: &RuleId) {
        let tally = |asked| Symbol::Tally(rule.clone(), asked);
        self.symbol("closed", tally(TallySymbol::Closed), Type::Count);
        let ratio = || Type::Measure(Some(Unit::Ratio));
        self.symbol("success_ratio", tally(TallySymbol::SuccessRatio), ratio());
        self.symbol("relapse_ratio", tally(TallySymbol::RelapseRatio), ratio());
    }

    /// Says which components there are, as one list for all, so that the name of another is a mistake.
    pub fn components(&mut self, names: &Type) {
        self.symbol("component", Symbol::Component, names.clone());
    }

    /// Adds a fact of the component.
    pub fn fact(&mut self, fact: &FactId, kind: Type) {
        self.symbol(fact.as_str(), Symbol::Fact(fact.clone()), kind);
    }

    /// Says that the component's readings come in a row that is named by these, in their order: conditions find facts
    /// by their places then.
    pub fn in_row(&mut self, names: &FactNames) {
        self.row = Arc::clone(names);
    }

    pub(super) fn row(&self) -> FactNames {
        Arc::clone(&self.row)
    }

    /// Adds a threshold, known as `threshold.name`.
    pub fn threshold(&mut self, name: &str, value: Value) {
        let kind = match &value {
            Value::Bool(_) => Type::Bool,
            Value::Text(_) => Type::any_text(),
            Value::Int(_) | Value::Float(_) if Unit::of_name(name).is_some() => {
                Type::Measure(Unit::of_name(name))
            }
            Value::Int(_) => Type::Count,
            Value::Float(_) => Type::Measure(None),
        };
        self.names.insert(format!("threshold.{name}"), (Named::Constant(value), kind));
    }

    /// Says that a declaration is broken, and so that every name that begins like this may be right.
    pub fn hide(&mut self, beginning: &str) {
        self.hidden.push(beginning.to_owned());
    }

    /// Says that files are broken, and so that every other component and its facts may be right.
    pub fn hide_others(&mut self) {
        self.others_hidden = true;
    }

    fn symbol(&mut self, name: &str, symbol: Symbol, kind: Type) {
        self.names.insert(name.to_owned(), (Named::Symbol(symbol), kind));
    }

    pub(super) fn find(&self, path: &str) -> Option<(Named, Type)> {
        self.names.get(path).cloned()
    }

    /// Every name with its type, for people.
    #[must_use]
    pub fn listed(&self) -> Vec<(String, Type)> {
        self.names.iter().map(|(name, (_, kind))| (name.clone(), kind.clone())).collect()
    }

    /// The functions over history that are seen, for people.
    pub fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.history().iter().map(|function| function.name)
    }

    /// Can other components be asked?
    #[must_use]
    pub fn sees_others(&self) -> bool {
        self.others.is_some()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    pub(super) fn hides(&self, path: &str) -> bool {
        self.hidden.iter().any(|beginning| path.starts_with(beginning))
    }

    pub(super) fn hides_others(&self) -> bool {
        self.others_hidden
    }

    pub(super) fn history(&self) -> &'static [HistoryFunction] {
        if self.history { &HISTORY } else { &[] }
    }

    pub(super) fn others(&self) -> Option<&BTreeMap<ComponentId, BTreeMap<FactId, Type>>> {
        self.others.as_deref()
    }
}

/// Words that Rhai keeps for itself or that conditions use: no probe, fact or threshold can be called so.
const RESERVED: &[&str] = &[
    "as",
    "async",
    "await",
    "begin",
    "break",
    "call",
    "case",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "default",
    "do",
    "each",
    "else",
    "end",
    "eval",
    "exit",
    "export",
    "false",
    "fn",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "include",
    "is",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "let",
    "loop",
    "macro",
    "match",
    "module",
    "namespace",
    "new",
    "nil",
    "null",
    "package",
    "print",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "then",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "type_of",
    "unless",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Is this word one of Rhai's, and so never the beginning of an expression?
pub(super) fn keyword(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Is this word no name for a probe, fact or threshold?
#[must_use]
pub fn reserved(word: &str) -> bool {
    const OURS: &[&str] = &[
        "threshold",
        "action",
        "ok",
        "warn",
        "critical",
        "unknown",
        "failures",
        "tier",
        "component",
        "mode",
        "actor",
    ];
    RESERVED.contains(&word) || OURS.contains(&word)
}
