//! What a recommended change would have done, for whoever asks over HTTP: the change is made on a copy of the live files and
//! played on what the journal recorded, as `grace simulate` does.
//!
//! It is work of seconds beside a Grace that has more important things to do: on a thread of its own that gives way to all
//! others, one at a time, and given up after a while or when nobody waits for it any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::api::Api;
use crate::api::shapes::{ActionLine, EditLine, RehearsalLine};
use crate::engine::Bundle;
use crate::model::{Change, ComponentId, RuleId, Span};
use crate::record::{Reader, Recommendation};
use crate::replay::advise::{Advised, Edit, advised};
use crate::replay::simulate::{Approve, Plan, Rehearsal, Simulation};
use crate::replay::{History, before};

/// It has to be done within this time.
const WITHIN: Duration = Duration::from_secs(30);

/// Rhai's recursion is bounded; this leaves room for it many times over.
const STACK: usize = 16 * 1024 * 1024;

/// It is looked so often, in recorded things, whether anybody still waits.
const LOOK: usize = 256;

/// The lowest priority that there is.
const NICE: i32 = 19;

/// The place of the one rehearsal under way.
#[derive(Debug, Clone)]
pub(super) struct Rehearsals(Arc<Semaphore>);

impl Default for Rehearsals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Rehearses the change of a recommendation on the last so long. Whatever stands in its way is said, and does not hide what is
/// recommended.
pub(super) async fn rehearse(api: &Api, one: &Recommendation, since: Span) -> Result<RehearsalLine, String> {
    let change = one.change.clone().and_then(|change| serde_json::from_value::<Change>(change).ok());
    let (Some(change), Some(rule)) = (change, &one.rule) else {
        return Err("it names no change".into());
    };
    let busy = |_| "another rehearsal is under way; ask again".to_owned();
    let place = Arc::clone(&api.rehearsals.0).try_acquire_owned().map_err(busy)?;
    let (component, rule) = (ComponentId::from(one.component.as_str()), RuleId::from(rule.as_str()));
    let (live, data) = (Arc::clone(&api.handle.published().bundle), api.handle.data().to_owned());
    let (tell, told) = oneshot::channel();
    let work = move |waited: &Waited| {
        let Advised { edits, bundle } =
            advised(&live, (&component, &rule), &change).map_err(|why| why.to_string())?;
        let history = History::Journal(Reader::open(&data).map_err(|why| why.to_string())?);
        let found = play(&history, &bundle, since, waited)?;
        Ok(line(edits, &component, &found))
    };
    on_a_thread(place, tell, work).map_err(|why| format!("it cannot be rehearsed: {why}"))?;
    let late =
        || format!("it took longer than {} s; `grace recommendations show` takes its time", WITHIN.as_secs());
    match tokio::time::timeout(WITHIN, told).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err("the rehearsal broke off; this is a mistake in Grace".into()),
        Err(_) => Err(late()),
    }
}

/// Until when somebody waits.
struct Waited<'w> {
    tell: &'w oneshot::Sender<Result<RehearsalLine, String>>,
    until: Instant,
}

impl Waited<'_> {
    fn is_over(&self) -> bool {
        self.tell.is_closed() || Instant::now() > self.until
    }
}

/// The place is free again once the thread has ended.
fn on_a_thread(
    place: OwnedSemaphorePermit,
    tell: oneshot::Sender<Result<RehearsalLine, String>>,
    work: impl FnOnce(&Waited) -> Result<RehearsalLine, String> + Send + 'static,
) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("rehearsal".into()).stack_size(STACK);
    let begun = thread.spawn(move || {
        let _place = place;
        // Of this thread alone. Where it is refused the work is as bounded as before.
        let _ = setpriority_process(None, NICE);
        let found = work(&Waited { tell: &tell, until: Instant::now() + WITHIN });
        // Who asked may have gone.
        let _ = tell.send(found);
    });
    begun.map(drop)
}

fn play(history: &History, rules: &Bundle, since: Span, waited: &Waited) -> Result<Rehearsal, String> {
    let (odds, last) = history.survey().map_err(|why| why.to_string())?;
    let plan =
        Plan { since: before(last, Some(since)), approve: Approve::Never, inject: Vec::new(), seed: 0 };
    let mut simulation = Simulation::new(rules, None, &plan, &odds);
    for (count, recorded) in history.all(plan.since).map_err(|why| why.to_string())?.enumerate() {
        if count.is_multiple_of(LOOK) && waited.is_over() {
            return Err("nobody waits for it any more".into());
        }
        let recorded = recorded.map_err(|why| why.to_string())?;
        simulation.take(recorded).map_err(|clash| {
            format!("the changed rules cannot take over the recorded state: {}", clash.join("; "))
        })?;
    }
    let found = simulation.finish();
    if found.ticks == 0 { Err("the history holds no tick that can be played".into()) } else { Ok(found) }
}

fn line(edits: Vec<Edit>, component: &ComponentId, found: &Rehearsal) -> RehearsalLine {
    let critical = found.critical.iter().find(|sick| sick.component == *component);
    let certain = found.certain.iter().find(|one| one.component == *component);
    let actions = found
        .actions
        .iter()
        .filter(|count| count.component == *component)
        .map(|count| ActionLine { action: count.action.clone(), before: count.before, after: count.after });
    let edit = |Edit { file, line, before, after }| EditLine { file, line, before, after };
    RehearsalLine {
        edits: edits.into_iter().map(edit).collect(),
        from: found.span.map(|(from, _)| from.to_string()),
        to: found.span.map(|(_, to)| to.to_string()),
        ticks: found.ticks,
        expired: found.expired,
        actions: actions.collect(),
        critical_before_ms: critical.map_or(0, |sick| sick.before_ms.0),
        critical_after_ms: critical.map_or(0, |sick| sick.after_ms.0),
        exact: certain.map_or(1.0, |one| one.exact),
        modelled: certain.map_or(0.0, |one| one.modelled),
        unknown: certain.map_or(0.0, |one| one.unknown),
    }
}
