//! Each of the four parts: what all have in common, then what each can do and how it fails.

use std::time::Duration;

use grace::components::{Fault, FaultError};
use grace::model::{Job, Reading, Record, Span, Status, Time, Write, Writes, builtin};
use grace::services::ControlError;

use crate::parts::{DATABASE, EXECUTOR, MESH, PROBE, Parts, REFLECTION, all, eventually, failed, within};

fn yes() -> Reading {
    Reading::from(true)
}

fn no() -> Reading {
    Reading::from(false)
}

// ---- What all have in common ----

#[tokio::test(flavor = "multi_thread")]
async fn each_gives_exactly_the_facts_that_rules_can_name_with_their_types() {
    let parts = Parts::start().await;
    for component in all() {
        let facts = parts.facts(component).await;
        let declared = builtin(component).expect("declared").facts;
        assert_eq!(facts.len(), declared.len(), "{component}: {facts:?}");
        for spec in declared {
            let value = facts[&*spec.name].value().unwrap_or_else(|| panic!("{component}.{}", spec.name));
            let (healthy, is) = (spec.healthy_value(), value);
            assert_eq!(std::mem::discriminant(&healthy), std::mem::discriminant(is), "{}", spec.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_can_be_started_and_stopped_twice_and_works_again_afterwards() {
    let parts = Parts::start().await;
    for component in all() {
        let part = parts.part(component);
        for _ in 0..2 {
            within(Duration::from_secs(5), component, part.start(None)).await.expect(component);
        }
        for _ in 0..2 {
            within(Duration::from_secs(5), component, part.stop()).await.expect(component);
        }
        within(PROBE * 2, component, part.facts(PROBE)).await;
        part.start(None).await.expect(component);
    }
    healthy(&parts).await;
    assert!(parts.reports().is_empty(), "nobody failed: {:?}", parts.reports());
}

async fn healthy(parts: &Parts) {
    assert_eq!(parts.fact(DATABASE, "connected").await, yes());
    assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(3));
    assert_eq!(parts.fact(MESH, "routing").await, yes());
    assert_eq!(parts.fact(REFLECTION, "running").await, yes());
    assert!(parts.number(REFLECTION, "age_s").await < 5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_has_workers_can_be_scaled() {
    let parts = Parts::start().await;
    for component in all() {
        let scaled = parts.part(component).scale(2).await;
        let supported = component == EXECUTOR;
        assert_eq!(scaled.is_ok(), supported, "{component}");
        if !supported {
            assert!(matches!(scaled, Err(ControlError::NotSupported { .. })), "{scaled:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_says_which_faults_it_knows() {
    let parts = Parts::start().await;
    for component in all() {
        let mut known = 0;
        for word in Fault::WORDS {
            let fault = Fault::parse(word, None, Some(Span(1))).expect(word);
            match parts.components.inject(&component.into(), &fault).await {
                Ok(_) | Err(FaultError::NotRunning { .. }) => known += 1,
                Err(error @ FaultError::NotKnown { .. }) => {
                    let text = error.to_string();
                    assert!(text.contains(component) && text.contains("it knows"), "{text}");
                }
                Err(error) => panic!("{component} {word}: {error}"),
            }
        }
        assert!(known >= 2, "{component} knows {known}");
    }
    let gone = parts.components.inject(&"gone".into(), &Fault::Stop).await;
    assert!(matches!(gone, Err(FaultError::NoSuchComponent { .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_down_at_once_can_all_be_restarted() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Down).await;
    parts.inject(EXECUTOR, Fault::KillWorkers).await;
    parts.inject(MESH, Fault::Stop).await;
    parts.inject(REFLECTION, Fault::Stop).await;
    for component in all() {
        within(PROBE * 2, component, parts.facts(component)).await;
    }
    parts.inject(DATABASE, Fault::Clear).await;
    for component in [EXECUTOR, MESH, REFLECTION] {
        parts.restart(component).await;
    }
    healthy(&parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_in_good_order_is_nobodys_failure_and_loses_nothing() {
    let parts = Parts::start().await;
    parts.task("before").await;
    within(Duration::from_secs(5), "the end", parts.components.shutdown(Duration::from_secs(4))).await;
    assert!(parts.reports().is_empty(), "{:?}", parts.reports());
    let parts = parts.crash().await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["before"]);
}

// ---- The database ----

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_a_fact_reported_by_nobody_and_ends_when_it_recovers() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Down).await;
    assert_eq!(parts.fact(DATABASE, "connected").await, no());
    parts.restart(DATABASE).await;
    assert_eq!(parts.fact(DATABASE, "connected").await, no(), "no restart brings it back");
    parts.inject(DATABASE, Fault::Clear).await;
    assert_eq!(parts.fact(DATABASE, "connected").await, yes());
    assert!(parts.reports().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_is_connected_and_its_latency_says_how_slow() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Slow { by: Span(150) }).await;
    let facts = parts.facts(DATABASE).await;
    assert_eq!(facts["connected"], yes());
    assert!(parts.number(DATABASE, "latency_ms").await >= 150.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_connection_and_the_time_that_was_waited() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Slow { by: Span::minutes(60) }).await;
    let patience = Duration::from_millis(200);
    let facts = within(patience * 3, "the ping", parts.part(DATABASE).facts(patience)).await;
    assert_eq!(facts["connected"], no());
    let latency = serde_json::to_value(&facts["latency_ms"]).expect("serialises").as_f64().expect("a number");
    assert!((200.0..600.0).contains(&latency), "{latency}");
    within(Duration::from_secs(4), "stopping it", parts.part(DATABASE).stop()).await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_still_answers() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::FailWrites).await;
    parts.task("waits").await;
    assert_eq!(parts.fact(DATABASE, "connected").await, yes());
    assert!(parts.number(DATABASE, "queued_writes").await >= 1.0);
    parts.inject(DATABASE, Fault::Clear).await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["waits"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_deleted_under_the_connection_is_a_lost_connection() {
    let parts = Parts::start().await;
    parts.drained().await;
    std::fs::remove_file(parts.dir.path().join("grace.db")).expect("removed");
    assert_eq!(parts.fact(DATABASE, "connected").await, no());
    parts.task("is not written into nothing").await;
    assert!(parts.components.gate().queued() >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_a_patient_and_no_reason_not_to_start() {
    let dir = std::sync::Arc::new(tempfile::tempdir().expect("a directory"));
    let file = dir.path().join("grace.db");
    std::fs::write(&file, "this is not a database, however long one looks at it").expect("written");
    let parts = Parts::start_in(dir).await;
    assert_eq!(parts.fact(DATABASE, "connected").await, no());
    parts.task("waits").await;
    std::fs::remove_file(&file).expect("removed");
    eventually("it connects by itself", async || parts.fact(DATABASE, "connected").await == yes()).await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["waits"]);
}

// ---- The executor ----

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_last_worker_is_reported_at_once_and_a_restart_brings_them_back() {
    let parts = Parts::start().await;
    parts.inject(EXECUTOR, Fault::KillWorkers).await;
    assert_eq!(parts.reports(), [EXECUTOR]);
    assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(0));
    assert_eq!(parts.fact(EXECUTOR, "wanted").await, Reading::from(3));
    parts.part(EXECUTOR).stop().await.expect("stops");
    parts.part(EXECUTOR).start(Some(3)).await.expect("starts");
    assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(3));
    assert_eq!(parts.reports().len(), 1, "a stop is no failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_goes_up_and_down_and_is_remembered_by_the_next_start() {
    let parts = Parts::start().await;
    for workers in [5, 1, 4] {
        parts.part(EXECUTOR).scale(workers).await.expect("scales");
        assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(i64::from(workers)));
    }
    parts.restart(EXECUTOR).await;
    assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(4));
    for workers in [0, 65] {
        let refused = parts.part(EXECUTOR).scale(workers).await;
        assert!(matches!(refused, Err(ControlError::Failed(_))), "{workers}: {refused:?}");
    }
    assert!(parts.reports().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_workers_are_alive_and_stuck_and_a_restart_takes_up_their_jobs() {
    let parts = Parts::start().await;
    parts.drained().await;
    parts.inject(EXECUTOR, Fault::Hang { age: Span::minutes(3) }).await;
    eventually("all are stuck", async || parts.fact(EXECUTOR, "stuck").await == Reading::from(3)).await;
    assert_eq!(parts.fact(EXECUTOR, "workers").await, Reading::from(3));
    let job = Job::Deliver { receiver: "oncall".into(), text: "hello".into() };
    let at = parts.clock.now() - Span::seconds(90);
    parts.components.gate().write(Some("j".into()), Write::Job { job, at }).await.expect("accepted");
    assert_eq!(parts.fact(EXECUTOR, "queued").await, Reading::from(1));
    assert!(parts.number(EXECUTOR, "oldest_queued_s").await >= 90.0);
    assert!(parts.reports().is_empty(), "a hang does not report itself");
    parts.restart(EXECUTOR).await;
    eventually("the job is done", async || {
        parts.rows("SELECT result FROM jobs WHERE done_at") == ["delivered"]
    })
    .await;
    assert_eq!(parts.fact(EXECUTOR, "stuck").await, Reading::from(0));
    assert_eq!(parts.fact(EXECUTOR, "queued").await, Reading::from(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_be_asked_for_is_missing_and_not_empty() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Down).await;
    let facts = parts.facts(EXECUTOR).await;
    assert_eq!((&facts["queued"], &facts["oldest_queued_s"]), (&Reading::Missing, &Reading::Missing));
    assert_eq!(facts["workers"], Reading::from(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_wait_while_writes_wait_and_are_done_once_afterwards() {
    let parts = Parts::start().await;
    parts.drained().await;
    parts.admit(Writes::Queue, Status::Ok);
    for number in 0..20 {
        let job = Job::Deliver { receiver: "oncall".into(), text: format!("{number}") };
        let write = Write::Job { job, at: Time(0) };
        parts.components.gate().write(Some(format!("job {number:02}")), write).await.expect("accepted");
    }
    parts.admit(Writes::Allow, Status::Ok);
    let done = "SELECT key FROM jobs WHERE done_at ORDER BY seq";
    eventually("all are done", async || parts.rows(done).len() == 20).await;
    assert!(parts.rows(done).is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_ended_is_summed_up_once() {
    let parts = Parts::start().await;
    parts.drained().await;
    let (component, incident) = ("web".into(), grace::model::IncidentId(1));
    let began = parts.clock.now() - Span::seconds(65);
    parts.append(&[
        failed("other"),
        Record::IncidentBegun { component, incident },
        failed("web"),
        Record::IncidentEnded { component: "web".into(), incident, began },
    ]);
    let summaries = "SELECT summary FROM incident_summaries";
    eventually("it is summed up", async || parts.rows(summaries).len() == 1).await;
    let text = parts.rows(summaries).remove(0);
    assert!(text.starts_with("web failed and is well again after 1m 5s"), "{text}");
    assert!(text.ends_with("without a try to heal it. Meanwhile: health.component_failed 1"), "{text}");
}

// ---- The reflection service ----

#[tokio::test(flavor = "multi_thread")]
async fn it_reflects_right_at_the_start() {
    let parts = Parts::start().await;
    parts.drained().await;
    assert!(parts.number(REFLECTION, "reflections").await >= 1.0);
    let texts = parts.rows("SELECT text FROM reflections");
    assert_eq!(texts, ["Happened: nothing. Keeps failing: nothing. Changed: nothing."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_looks_alive_reports_nothing_and_only_its_age_tells() {
    let parts = Parts::start().await;
    parts.inject(REFLECTION, Fault::Hang { age: Span::minutes(3) }).await;
    assert_eq!(parts.fact(REFLECTION, "running").await, yes());
    let age = parts.number(REFLECTION, "age_s").await;
    assert!((180.0..185.0).contains(&age), "{age}");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(parts.number(REFLECTION, "age_s").await > age, "and it grows");
    assert!(parts.reports().is_empty());
    parts.restart(REFLECTION).await;
    assert!(parts.number(REFLECTION, "age_s").await < 1.0, "it reflects at its start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_that_ended_does_not_run() {
    let parts = Parts::start().await;
    parts.inject(REFLECTION, Fault::Stop).await;
    assert_eq!(parts.fact(REFLECTION, "running").await, no());
    parts.part(REFLECTION).start(None).await.expect("starts");
    assert_eq!(parts.fact(REFLECTION, "running").await, yes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflection_that_the_mode_refuses_is_no_failure_of_the_service() {
    let parts = Parts::start().await;
    let reflections = parts.number(REFLECTION, "reflections").await;
    parts.inject(REFLECTION, Fault::Hang { age: Span::minutes(3) }).await;
    parts.admit(Writes::Reject, Status::Ok);
    assert!(parts.number(REFLECTION, "age_s").await >= 180.0, "a hang is one, in every mode");
    parts.restart(REFLECTION).await;
    assert!(parts.number(REFLECTION, "age_s").await < 5.0, "it tried, and nothing failed");
    assert!(parts.number(REFLECTION, "reflections").await <= reflections, "and nothing was stored");
    parts.admit(Writes::Queue, Status::Ok);
    parts.restart(REFLECTION).await;
    assert!(parts.number(REFLECTION, "age_s").await < 1.0, "deferred is accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_happened_and_what_keeps_failing() {
    let parts = Parts::start().await;
    parts.append(&[failed("web"), failed("web")]);
    parts.restart(REFLECTION).await;
    parts.drained().await;
    let text = parts.rows("SELECT text FROM reflections ORDER BY seq DESC LIMIT 1").remove(0);
    assert!(text.contains("health.component_failed web (2 times)"), "{text}");
    assert!(text.contains("Keeps failing: web (2 times)"), "{text}");
}
