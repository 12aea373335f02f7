//! What the recommended changes would have done: each is made on a copy of the files, and played on the journal.

use serde::Serialize;

use crate::cli::rehearsing::confine::confined;
use crate::cli::rehearsing::recommendations::One;
use crate::cli::rehearsing::{history, simulate};
use crate::cli::terminal::out::Out;
use crate::cli::terminal::shared::Shared;
use crate::config::{Folder, duration};
use crate::engine::Bundle;
use crate::model::{ComponentId, RuleId, Span, Time};
use crate::replay::advise::{Advised, Edit, advised};
use crate::replay::simulate::{ActionCount, Approve, Plan, Rehearsal};

/// So many are rehearsed in one go: each goes through the whole history.
const MOST: usize = 5;

/// What a change would have done.
#[derive(Debug, Serialize)]
pub(super) struct Rehearsed {
    /// The edit that it is.
    pub(super) edits: Vec<Edit>,
    /// The first and the last tick that were played.
    pub(super) span: Option<(Time, Time)>,
    /// Ticks that could not be played, because their readings have expired.
    pub(super) expired: u64,
    /// What would have been done more or less often to the component, or about it.
    pub(super) actions: Vec<ActionCount>,
    /// How long it was critical, and how long it would have been.
    pub(super) critical_before_ms: Span,
    pub(super) critical_after_ms: Span,
    /// The shares of its time that are exact, modelled by recorded success rates, and unknown.
    pub(super) exact: f64,
    pub(super) modelled: f64,
    pub(super) unknown: f64,
}

/// What rehearsals need.
pub(super) struct Stage<'s> {
    shared: &'s Shared,
    since: Option<Span>,
    out: Out,
}

impl<'s> Stage<'s> {
    pub(super) fn new(shared: &'s Shared, since: &str, out: Out) -> Self {
        Self { shared, since: duration(since), out }
    }
}

/// Rehearses every one that is open and names a change.
pub(super) fn each(all: &mut [One], stage: &Stage) {
    let mut open: Vec<&mut One> =
        all.iter_mut().filter(|one| one.is_open() && one.change().is_some()).collect();
    if open.is_empty() {
        return;
    }
    let files = Folder::anywhere(&stage.shared.config).compile(None);
    let files = files.map(|loaded| loaded.bundle).map_err(|report| {
        let first = crate::say::reasons(&report).into_iter().next().unwrap_or_default();
        format!("the files in {} are not valid: {first}", stage.shared.config.display())
    });
    for (count, one) in open.iter_mut().enumerate() {
        let found = match &files {
            Ok(_) if count >= MOST => {
                Err(format!("only {MOST} are rehearsed at a time: `grace recommendations show N`"))
            }
            Ok(files) => rehearse(files, one, stage),
            Err(why) => Err(why.clone()),
        };
        match found {
            Ok(rehearsed) => one.rehearsal = Some(rehearsed),
            Err(why) => one.not_rehearsed = Some(why),
        }
    }
}

/// One. Whatever stands in its way is said, and does not hide what is recommended.
fn rehearse(files: &Bundle, one: &One, stage: &Stage) -> Result<Rehearsed, String> {
    let change = one.recommendation.changes()?;
    let Some(rule) = &one.recommendation.rule else { return Err("it is about no rule".into()) };
    let component = ComponentId::from(one.recommendation.component.as_str());
    let rule = RuleId::from(rule.as_str());
    let Advised { edits, bundle } =
        advised(files, (&component, &rule), &change).map_err(|why| why.to_string())?;
    let plan = Plan { since: None, approve: Approve::Never, inject: Vec::new(), seed: 0 };
    let found = confined(|| {
        let history = history::open(None, stage.shared, stage.out)?;
        simulate::play(&history, (&bundle, None), plan, stage.since, stage.out)
    });
    found.map(|found| told(edits, &component, &found)).map_err(|why| why.to_string())
}

fn told(edits: Vec<Edit>, component: &ComponentId, found: &Rehearsal) -> Rehearsed {
    let critical = found.critical.iter().find(|sick| sick.component == *component);
    let certain = found.certain.iter().find(|one| one.component == *component);
    Rehearsed {
        edits,
        span: found.span,
        expired: found.expired,
        actions: found.actions.iter().filter(|count| count.component == *component).cloned().collect(),
        critical_before_ms: critical.map_or(Span::ZERO, |sick| sick.before_ms),
        critical_after_ms: critical.map_or(Span::ZERO, |sick| sick.after_ms),
        exact: certain.map_or(1.0, |one| one.exact),
        modelled: certain.map_or(0.0, |one| one.modelled),
        unknown: certain.map_or(0.0, |one| one.unknown),
    }
}
