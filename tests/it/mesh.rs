//! The trigger mesh: everybody gets everything they want, at their own pace, after any restart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grace::components::{Fault, Handler, SubscribeError, Subscription};
use grace::model::Reading;
use grace::record::Event;
use grace::services::BoxFuture;

use crate::parts::{MESH, Parts, eventually, failed};

/// Notes the numbers of what it gets; waits while it is told to, panics where it is told to.
#[derive(Default)]
struct Double {
    seen: Mutex<Vec<i64>>,
    waits: AtomicBool,
    panics_at: Mutex<Option<i64>>,
}

impl Handler for Double {
    fn handle<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while self.waits.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let panics_at = *self.panics_at.lock().expect("whole");
            assert_ne!(panics_at, Some(event.seq()), "as it was told");
            self.seen.lock().expect("whole").push(event.seq());
        })
    }
}

impl Double {
    fn seen(&self) -> Vec<i64> {
        self.seen.lock().expect("whole").clone()
    }
}

async fn subscribe(parts: &Parts, name: &str, pattern: &str) -> Arc<Double> {
    let double = Arc::new(Double::default());
    parts.components.subscribe(name, pattern, Arc::clone(&double) as _).await.expect("subscribes");
    double
}

fn listed(parts: &Parts, name: &str) -> Subscription {
    let all = parts.components.subscriptions();
    all.into_iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name} is listed"))
}

/// Appends so many failures, and nothing else that the test's patterns want.
fn happen(parts: &Parts, count: usize) -> Vec<i64> {
    (0..count).map(|_| parts.append(&[failed("web")])).collect()
}

const FAILURES: &str = "health.component_failed";

#[tokio::test(flavor = "multi_thread")]
async fn the_three_handlers_are_subscribed_and_listed() {
    let parts = Parts::start().await;
    assert_eq!(parts.fact(MESH, "subscribers").await, Reading::from(3));
    let names: Vec<_> = parts.components.subscriptions().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["governance", "hunter", "meta_loop"]);
    happen(&parts, 2);
    eventually("the hunter counted", async || {
        listed(&parts, "hunter").figures.get(FAILURES) == Some(&2) && listed(&parts, "hunter").lag == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_what_its_pattern_wants_in_order() {
    let parts = Parts::start().await;
    let (some, none) =
        (subscribe(&parts, "some", "health.*").await, subscribe(&parts, "none", "never.*").await);
    let wanted = happen(&parts, 300);
    eventually("all came", async || some.seen().len() >= 300).await;
    assert_eq!(some.seen(), wanted);
    assert!(none.seen().is_empty());
    eventually("who wants nothing has no lag", async || listed(&parts, "none").lag == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_subscriber_lags_alone_and_loses_nothing() {
    let parts = Parts::start().await;
    let (slow, quick) =
        (subscribe(&parts, "slow", FAILURES).await, subscribe(&parts, "quick", FAILURES).await);
    slow.waits.store(true, Ordering::Relaxed);
    let wanted = happen(&parts, 500);
    eventually("the quick one has all", async || quick.seen() == wanted).await;
    assert!(listed(&parts, "slow").lag >= 400, "{:?}", listed(&parts, "slow"));
    assert_eq!(parts.fact(MESH, "routing").await, Reading::from(true), "and the mesh is well");
    slow.waits.store(false, Ordering::Relaxed);
    eventually("the slow one has all", async || slow.seen() == wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_ends_reports_itself_and_a_restart_subscribes_everybody_where_they_were() {
    let parts = Parts::start().await;
    let double = subscribe(&parts, "double", FAILURES).await;
    let mut wanted = happen(&parts, 10);
    eventually("the first came", async || double.seen() == wanted).await;
    parts.inject(MESH, Fault::Stop).await;
    assert_eq!(parts.reports(), [MESH]);
    let facts = parts.facts(MESH).await;
    assert_eq!((&facts["running"], &facts["routing"]), (&false.into(), &false.into()));
    assert_eq!(facts["subscribers"], Reading::from(0));
    wanted.extend(happen(&parts, 10));
    parts.restart(MESH).await;
    assert_eq!(parts.fact(MESH, "subscribers").await, Reading::from(4));
    assert_eq!(parts.fact(MESH, "routing").await, Reading::from(true));
    eventually("what happened meanwhile came", async || double.seen() == wanted).await;
    assert_eq!(parts.reports().len(), 1, "a restart is no failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_router_silently_lost_come_after_its_restart() {
    let parts = Parts::start().await;
    let double = subscribe(&parts, "double", FAILURES).await;
    parts.inject(MESH, Fault::Drop).await;
    let wanted = happen(&parts, 10);
    eventually("they are lost", async || parts.number(MESH, "dropped").await >= 10.0).await;
    let facts = parts.facts(MESH).await;
    assert_eq!((&facts["running"], &facts["routing"]), (&true.into(), &false.into()));
    assert!(double.seen().is_empty() && parts.reports().is_empty(), "and nobody says so");
    parts.restart(MESH).await;
    eventually("they come", async || double.seen() == wanted).await;
    assert_eq!(parts.fact(MESH, "dropped").await, Reading::from(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_loses_one_event_and_kills_nobody() {
    let parts = Parts::start().await;
    let double = subscribe(&parts, "double", FAILURES).await;
    parts.drained().await;
    let next = *parts.journal.tail().borrow() + 1;
    *double.panics_at.lock().expect("whole") = Some(next);
    let happened = happen(&parts, 3);
    assert_eq!(happened[0], next);
    eventually("the others came", async || double.seen() == happened[1..]).await;
    eventually("it is counted", async || listed(&parts, "double").failed == 1).await;
    assert_eq!(parts.fact(MESH, "routing").await, Reading::from(true));
    assert!(parts.reports().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_in_the_middle_of_which_the_mesh_restarts_comes_again() {
    let parts = Parts::start().await;
    let double = subscribe(&parts, "double", FAILURES).await;
    double.waits.store(true, Ordering::Relaxed);
    let wanted = happen(&parts, 3);
    eventually("it is in the middle", async || listed(&parts, "double").lag > 0).await;
    parts.restart(MESH).await;
    double.waits.store(false, Ordering::Relaxed);
    eventually("all came", async || double.seen().ends_with(&wanted)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_subscriber_goes_on_from_its_saved_cursor() {
    let parts = Parts::start().await;
    let double = subscribe(&parts, "double", FAILURES).await;
    let first = happen(&parts, 5);
    eventually("the first came", async || double.seen() == first).await;
    eventually("that is saved", async || parts.journal.cursor("double").expect("reads") >= first[4]).await;
    let parts = parts.crash().await;
    let second = happen(&parts, 5);
    let double = subscribe(&parts, "double", FAILURES).await;
    eventually("only the second came", async || double.seen() == second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_is_subscribed_once() {
    let parts = Parts::start().await;
    let again = parts.components.subscribe("hunter", "*", Arc::new(Double::default())).await;
    assert!(matches!(again, Err(SubscribeError::Taken(_))), "{again:?}");
}
