//! What a test gives: facts from a time on or after an act, self-reports, failing acts, people's requests,
//! the STOP file.

use crate::config::reader::{Item, Table};
use crate::model::{
    Actor, AdviceDeed, ApprovalId, ClaimKey, ComponentId, FactId, ModeId, Reading, RecommendationId, Request,
    RuleId, Span, TaskDeed, TaskId, Time, Type, Unit, Value,
};
use crate::replay::words::{Names, time};
use crate::say::{Code, suggest};

/// One thing that is given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) when: When,
    pub(super) component: Option<ComponentId>,
    pub(super) facts: Vec<(FactId, Source)>,
    /// The component reports itself.
    pub(super) report: bool,
    /// The component's probes answer so late from then on.
    pub(super) late: Option<Span>,
    /// The act of `on` fails for this reason.
    pub(super) fails: Option<String>,
    /// The act of `on` takes so long.
    pub(super) takes: Span,
    /// A person asks.
    pub(super) asks: Option<(Actor, String, Request)>,
    /// The component stands blocked from before the test.
    pub(super) blocked: bool,
    /// The STOP file comes or goes.
    pub(super) stop: Option<bool>,
    /// The wall clock is stepped by so much, or the machine sleeps so long while Grace's time stands still.
    pub(super) clock: Option<Span>,
    /// Grace does not get to work for so long, while her time goes on.
    pub(super) away: Option<Span>,
}

/// When something is given.
#[derive(Debug, Clone)]
pub(super) enum When {
    /// At a time; none means from the start.
    At(Option<Time>),
    /// Whenever such an act on the component is begun, from a time on and until a second.
    On { kind: String, from: Option<Time>, to: Option<Time> },
}

/// Where a fact comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// It stays as it is.
    Fixed(Reading),
    /// It is the time since then, in the fact's unit; none means since it was given.
    Since(Option<Time>, Unit),
}

pub(super) fn given(names: &Names, item: &Item) -> Option<Given> {
    let table = item.table()?;
    let before = table.file.problems.len();
    let at = table.get("at").and_then(|item| time(&item));
    let on = table.get("on").and_then(|item| item.one_of(&["restart", "scale", "notify"]));
    let to = table.get("to");
    if let Some(item) = to.as_ref().filter(|_| on.is_none()) {
        item.error(Code::BadValue, "`to` is about acts", "name them: `on = \"restart\"`");
    }
    let to = to.and_then(|item| time(&item));
    let component =
        table.get("component").and_then(|item| names.component(&item)).or_else(|| names.own.clone());
    let mut facts = Vec::new();
    for (key, source) in [("set", false), ("since", true)] {
        let Some(entries) = table.get(key).and_then(|item| item.table()) else { continue };
        for (name, span, item) in entries.named() {
            let Some(kind) = fact(names, component.as_ref(), name, span, &entries) else { continue };
            let read = if source { since(&item, &kind) } else { value(&item, &kind).map(Source::Fixed) };
            facts.extend(read.map(|read| (FactId::from(name), read)));
        }
    }
    let asks = ask(names, &table, component.as_ref());
    let given = Given {
        when: on.map_or(When::At(at), |kind| When::On { kind, from: at, to }),
        component,
        facts,
        report: table.get("report").and_then(|item| item.truth()).unwrap_or(false),
        late: table.get("late").and_then(|item| item.duration()),
        fails: table.get("fails").and_then(|item| item.text().map(str::to_owned)),
        takes: table.get("takes").and_then(|item| item.duration()).unwrap_or(Span::ZERO),
        asks,
        blocked: table.get("blocked").and_then(|item| item.truth()).unwrap_or(false),
        stop: table.get("stop").and_then(|item| item.truth()),
        clock: table.get("clock").and_then(|item| jump(&item)),
        away: table.get("away").and_then(|item| item.length()),
    };
    table.finish();
    if table.file.problems.len() == before {
        given.complain(item);
    }
    Some(given)
}

impl Given {
    pub(super) fn fact(
        component: &ComponentId,
        at: Time,
        fact: FactId,
        reading: Reading,
        report: bool,
    ) -> Self {
        Self {
            component: Some(component.clone()),
            facts: vec![(fact, Source::Fixed(reading))],
            report,
            ..Self::nothing(When::At(Some(at)))
        }
    }

    /// Nothing yet, at a time or on an act.
    pub(super) fn nothing(when: When) -> Self {
        Self {
            when,
            component: None,
            facts: Vec::new(),
            report: false,
            late: None,
            fails: None,
            takes: Span::ZERO,
            asks: None,
            blocked: false,
            stop: None,
            clock: None,
            away: None,
        }
    }

    /// Complains of a time that does not lie in the test: nothing would ever come of it.
    pub(super) fn complain_of_time(&self, item: &Item, start: Time, end: Time) {
        let (When::At(at) | When::On { from: at, .. }) = &self.when;
        let early = at.is_some_and(|at| at < start) && matches!(self.when, When::At(_));
        if early || at.is_some_and(|at| at > end) {
            let help = format!("the test goes from {} to {}", start.clock(), end.clock());
            item.error(Code::BadValue, "the test does not go to this time", help);
        }
    }

    fn complain(&self, item: &Item) {
        let about_act = self.fails.is_some() || self.takes > Span::ZERO;
        let about_grace = self.stop.is_some() || self.clock.is_some() || self.away.is_some();
        let about_probes = self.report || self.late.is_some();
        let asks = self.asks.is_some() || self.blocked;
        let empty = self.facts.is_empty() && !about_probes && !asks && !about_grace && !about_act;
        if empty {
            item.error(
                Code::EmptyTest,
                "nothing is given here",
                "name `set`, `since`, `report`, `late`, `ask`, `blocked`, `fails`, `takes`, `stop`, `clock` or `away`",
            );
        }
        if about_grace && matches!(self.when, When::On { .. }) {
            let help = "say when instead: `at = \"12:00:10\"`";
            item.error(Code::BadValue, "`stop`, `clock` and `away` do not come of an act", help);
        }
        if self.blocked && !matches!(self.when, When::At(None)) {
            let help = "leave the time out; later only rules block: give what they would see";
            item.error(Code::BadValue, "`blocked` says how the test begins", help);
        }
        if about_act && matches!(self.when, When::At(_)) {
            item.error(Code::BadValue, "`fails` and `takes` are about an act", "name it: `on = \"restart\"`");
        }
        if self.component.is_none()
            && (about_probes
                || self.blocked
                || !self.facts.is_empty()
                || matches!(self.when, When::On { .. }))
        {
            item.error(Code::MissingKey, "of which component?", "write `component = \"...\"`");
        }
    }
}

/// A clock is stepped by a year at the most; more is a slip.
const FARTHEST: Span = Span::minutes(366 * 24 * 60);

/// A step of the wall clock, forwards or backwards.
fn jump(item: &Item) -> Option<Span> {
    let text = item.text()?;
    let (sign, length) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(length), _) => (1, length),
        (_, Some(length)) => (-1, length),
        _ => (1, text),
    };
    let length = crate::config::duration(length).filter(|length| *length > Span::ZERO && *length <= FARTHEST);
    if length.is_none() {
        let message = format!("the clock cannot be stepped by `{text}`");
        let help = "write forwards or backwards how far, at most a year: \"+2h\", \"-5m\"";
        item.error(Code::BadValue, message, help);
    }
    length.map(|length| Span(sign * length.0))
}

/// The type of a fact that the component has.
pub(super) fn fact(
    names: &Names,
    component: Option<&ComponentId>,
    name: &str,
    span: std::ops::Range<usize>,
    table: &Table,
) -> Option<Type> {
    let known = component.and_then(|id| names.bundle.components.get(id)).map(|known| &known.facts)?;
    let kind = known.get(&FactId::from(name)).cloned();
    if kind.is_none() {
        let help = suggest(name, known.keys().map(FactId::as_str));
        table.file.error(Code::UnknownFact, span, format!("there is no fact `{name}`"), help);
    }
    kind
}

fn since(item: &Item, kind: &Type) -> Option<Source> {
    let Type::Measure(Some(unit @ (Unit::Seconds | Unit::Milliseconds))) = kind else {
        item.error(Code::UnitMismatch, "only a time can grow", "name a fact that ends in `_s` or `_ms`");
        return None;
    };
    if item.value.as_str() == Some("now") {
        return Some(Source::Since(None, *unit));
    }
    time(item).map(|at| Source::Since(Some(at), *unit))
}

fn value(item: &Item, kind: &Type) -> Option<Reading> {
    use toml::de::DeValue;
    match (item.value, kind) {
        (DeValue::Boolean(value), Type::Bool) => Some(Reading::from(*value)),
        (DeValue::Integer(_), Type::Count) => item.count(i64::MIN..=i64::MAX).map(Reading::from),
        (DeValue::Integer(_) | DeValue::Float(_), Type::Measure(_)) => item.number().map(Reading::float),
        (DeValue::String(word), _) if parse_word(word, kind).is_some() => parse_word(word, kind),
        // A text that is one of the words for a reading that is not there.
        (DeValue::Table(_), Type::Text { .. }) => literal(item),
        _ => {
            let help = if matches!(kind, Type::Text { .. }) {
                "or \"missing\", or \"failed\" where Grace could not look; { text = \"failed\" } where it reads so"
            } else {
                "or \"missing\", or \"failed\" where Grace could not look"
            };
            item.error(Code::WrongType, format!("`{}` wants {kind}", item.name), help);
            None
        }
    }
}

/// `{ text = "failed" }`: the text itself, whatever the word would mean.
fn literal(item: &Item) -> Option<Reading> {
    let table = item.table()?;
    let text =
        table.need("text", "write what it reads: `{ text = \"failed\" }`").and_then(|item| item.text());
    table.finish();
    text.map(|text| Reading::Value(Value::text(text)))
}

/// Does this text stand for a reading that is not there?
pub(super) fn is_word(text: &str) -> bool {
    matches!(text, "missing" | "failed")
}

/// A reading as series and texts write it.
pub(super) fn parse_word(word: &str, kind: &Type) -> Option<Reading> {
    match (word, kind) {
        ("missing", _) => Some(Reading::Missing),
        ("failed", _) => Some(Reading::Failed { failed: "the test says so".into() }),
        ("true", Type::Bool) => Some(Reading::from(true)),
        ("false", Type::Bool) => Some(Reading::from(false)),
        (number, Type::Count) => number.parse::<i64>().ok().map(Reading::from),
        (number, Type::Measure(_)) => number.parse::<f64>().ok().map(Reading::float),
        (text, Type::Text { .. }) => Some(Reading::Value(Value::text(text))),
        _ => None,
    }
}

/// Who asks where the test does not say.
pub(super) const SOMEBODY: &str = "uid:1000";

const ASKS: [&str; 17] = [
    "restart",
    "scale",
    "mode",
    "release",
    "unblock",
    "hold",
    "end_hold",
    "silence",
    "end_silence",
    "run",
    "acknowledge",
    "assign",
    "close",
    "accept",
    "decline",
    "approve",
    "deny",
];

fn ask(names: &Names, table: &Table, component: Option<&ComponentId>) -> Option<(Actor, String, Request)> {
    let actor = table.get("actor").and_then(|item| item.text()).unwrap_or(SOMEBODY);
    let mode = table.get("mode").and_then(|item| names.mode(&item));
    let lasts = table.get("for").and_then(|item| item.duration());
    let number =
        |key| table.get(key).and_then(|item| item.whole(1..1_000_000)).and_then(|id| u64::try_from(id).ok());
    let (approval, workers) = (number("approval").map(ApprovalId), number("workers"));
    let claim = table.get("claim").and_then(|item| item.text()).map(ClaimKey::written);
    let break_glass = table.get("break_glass").and_then(|item| item.truth()).unwrap_or(false);
    let task = number("task").map(TaskId);
    let recommendation = number("recommendation").map(RecommendationId);
    let advice = |what| recommendation.map(|recommendation| Request::Recommendation { recommendation, what });
    let who = table.get("who").and_then(|item| item.text()).map(str::to_owned);
    let rule = table.get("rule").and_then(|item| item.text()).map(RuleId::from);
    let item = table.get("ask")?;
    let asked = item.one_of(&ASKS)?;
    let of = component.cloned();
    let request = match asked.as_str() {
        "restart" => of.map(|component| Request::Restart { component }),
        "scale" => of.zip(workers).and_then(|(component, workers)| {
            Some(Request::Scale { component, workers: u32::try_from(workers).ok()? })
        }),
        "mode" => mode.map(|mode| Request::SetMode { mode: ModeId::from(mode), lasts, revision: None }),
        "release" => claim.map(|key| Request::Release { key, revision: None }),
        "unblock" => of.map(|component| Request::Unblock { component }),
        "silence" => Some(Request::Silence { component: of, lasts }),
        "end_silence" => Some(Request::EndSilence { component: of }),
        "run" => of.zip(rule).map(|(component, rule)| Request::Run { rule, component }),
        "hold" => Some(Request::Hold { component: of, lasts }),
        "end_hold" => Some(Request::EndHold { component: of }),
        "acknowledge" => task.map(|task| Request::Task { task, what: TaskDeed::Acknowledge }),
        "assign" => task.zip(who).map(|(task, to)| Request::Task { task, what: TaskDeed::Assign { to } }),
        "close" => task.map(|task| Request::Task { task, what: TaskDeed::Close }),
        "accept" => advice(AdviceDeed::Accept),
        "decline" => advice(AdviceDeed::Decline),
        "approve" => approval.map(|approval| Request::Approve { approval, break_glass, act_hash: None }),
        _ => approval.map(|approval| Request::Deny { approval }),
    };
    if request.is_none() {
        item.error(
            Code::MissingKey,
            format!("`{asked}` needs to know of what"),
            "name `component`, `mode`, `claim`, `workers`, `rule`, `task`, `who`, `recommendation` or `approval`",
        );
    }
    request.map(|request| (Actor::from(actor), "the test asks".to_owned(), request))
}
