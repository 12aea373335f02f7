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
use crate::model::{ComponentId, RuleId, Span};
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

/// The place of the one rehearsal under way, and how long it may take.
#[derive(Debug, Clone)]
pub(super) struct Rehearsals {
    place: Arc<Semaphore>,
    within: Duration,
}

impl Default for Rehearsals {
    fn default() -> Self {
        Self::within(WITHIN)
    }
}

impl Rehearsals {
    fn within(within: Duration) -> Self {
        Self { place: Arc::new(Semaphore::new(1)), within }
    }

    /// Does it on a thread of its own, and waits for it.
    async fn run(&self, work: impl FnOnce(&Waited) -> Answered + Send + 'static) -> Answered {
        let busy = |_| "another rehearsal is under way; ask again".to_owned();
        let place = Arc::clone(&self.place).try_acquire_owned().map_err(busy)?;
        let (tell, told) = oneshot::channel();
        let until = Instant::now() + self.within;
        on_a_thread(place, move || {
            let found = work(&Waited { tell: &tell, until });
            // Who asked may have gone.
            let _ = tell.send(found);
        })
        .map_err(|why| format!("it cannot be rehearsed: {why}"))?;
        match tokio::time::timeout(self.within, told).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err("the rehearsal broke off; this is a mistake in Grace".into()),
            Err(_) => Err(format!(
                "it took longer than {} s; `grace recommendations show` takes its time",
                self.within.as_secs()
            )),
        }
    }
}

/// What a rehearsal found, or why it found nothing.
type Answered = Result<RehearsalLine, String>;

/// Rehearses the change of a recommendation on the last so long. Whatever stands in its way is said, and does not hide what is
/// recommended.
pub(super) async fn rehearse(api: &Api, one: &Recommendation, since: Span) -> Answered {
    let change = one.changes()?;
    let Some(rule) = &one.rule else { return Err("it is about no rule".into()) };
    let (component, rule) = (ComponentId::from(one.component.as_str()), RuleId::from(rule.as_str()));
    let (live, data) = (Arc::clone(&api.handle.published().bundle), api.handle.data().to_owned());
    let work = move |waited: &Waited| {
        let Advised { edits, bundle } =
            advised(&live, (&component, &rule), &change).map_err(|why| why.to_string())?;
        let history = History::Journal(Reader::open(&data).map_err(|why| why.to_string())?);
        let found = play(&history, &bundle, since, waited)?;
        Ok(line(edits, &component, &found))
    };
    api.rehearsals.run(work).await
}

/// Until when somebody waits.
struct Waited<'w> {
    tell: &'w oneshot::Sender<Answered>,
    until: Instant,
}

impl Waited<'_> {
    fn is_over(&self) -> bool {
        self.tell.is_closed() || Instant::now() > self.until
    }
}

/// The place is free again once the thread has ended.
fn on_a_thread(place: OwnedSemaphorePermit, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("rehearsal".into()).stack_size(STACK);
    let begun = thread.spawn(move || {
        let _place = place;
        // Of this thread alone. Where it is refused the work is as bounded as before.
        let _ = setpriority_process(None, NICE);
        work();
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
        simulation.take(&recorded).map_err(|clash| {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::mpsc;

    use super::*;
    use crate::replay::Suite;

    const LONG: Duration = Duration::from_mins(1);

    fn found() -> RehearsalLine {
        RehearsalLine {
            edits: Vec::new(),
            from: None,
            to: None,
            ticks: 7,
            expired: 0,
            actions: Vec::new(),
            critical_before_ms: 0,
            critical_after_ms: 0,
            exact: 1.0,
            modelled: 0.0,
            unknown: 0.0,
        }
    }

    /// Until nobody waits for it any more, as a rehearsal of years does.
    fn endless(waited: &Waited) -> Answered {
        while !waited.is_over() {
            std::thread::yield_now();
        }
        Err("nobody waits for it any more".into())
    }

    /// The place is free as soon as the thread has ended, which is a moment later than its answer.
    async fn free(rehearsals: &Rehearsals) {
        let place = tokio::time::timeout(LONG, rehearsals.place.acquire()).await;
        drop(place.expect("free again").expect("open"));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_and_the_next_one_has_the_place() {
        let rehearsals = Rehearsals::within(Duration::from_millis(20));
        let late = rehearsals.run(endless).await.expect_err("too long");
        assert!(
            late == "it took longer than 0 s; `grace recommendations show` takes its time"
                || late.starts_with("nobody"),
            "{late}"
        );
        free(&rehearsals).await;
        let rehearsals = Rehearsals { within: LONG, ..rehearsals };
        assert_eq!(rehearsals.run(|_| Ok(found())).await.expect("found").ticks, 7);
        assert_eq!(Rehearsals::default().within, Duration::from_secs(30));
    }

    #[tokio::test]
    async fn one_is_under_way_at_a_time_and_a_second_is_told_so() {
        let rehearsals = Rehearsals::within(LONG);
        let (begun, begins) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let first = rehearsals.clone();
        let first = tokio::spawn(async move {
            first
                .run(move |_| {
                    begun.send(()).expect("somebody waits");
                    let _ = ended.recv();
                    Ok(found())
                })
                .await
        });
        tokio::task::spawn_blocking(move || begins.recv().expect("it begins")).await.expect("it begins");
        let second = rehearsals.run(|_| Ok(found())).await.expect_err("busy");
        assert_eq!(second, "another rehearsal is under way; ask again");
        end.send(()).expect("it waits");
        assert_eq!(first.await.expect("ended").expect("found").ticks, 7);
        free(&rehearsals).await;
    }

    #[tokio::test]
    async fn whoever_goes_away_or_a_mistake_leaves_the_place_to_others() {
        let rehearsals = Rehearsals::within(LONG);
        let asked = tokio::time::timeout(Duration::from_millis(20), rehearsals.run(endless)).await;
        assert!(asked.is_err(), "nobody waited so long");
        free(&rehearsals).await;
        let broken = rehearsals.run(|_| panic!("a mistake")).await.expect_err("broken off");
        assert!(broken.contains("broke off"), "{broken}");
        free(&rehearsals).await;
    }

    /// What a rehearsal looks at while it plays; before the first thing that was recorded it looks as well.
    #[test]
    fn it_is_played_as_long_as_somebody_waits() {
        let root = Path::new(".");
        let tests = Suite::load(root, &BTreeSet::from(["rules/meta.test.toml".to_owned()]), None);
        let history = History::Read(tests.histories().remove(0).1);
        let rules = crate::config::load(root).expect("the shipped rules").bundle;
        let day = Span::minutes(24 * 60);
        let (tell, told) = oneshot::channel();
        let until = Instant::now() + LONG;
        let found = play(&history, &rules, day, &Waited { tell: &tell, until }).expect("played");
        assert!(found.ticks > 100, "{}", found.ticks);
        let late = play(&history, &rules, day, &Waited { tell: &tell, until: Instant::now() });
        assert_eq!(late.err().as_deref(), Some("nobody waits for it any more"));
        drop(told);
        let gone = play(&history, &rules, day, &Waited { tell: &tell, until });
        assert_eq!(gone.err().as_deref(), Some("nobody waits for it any more"));
    }
}
