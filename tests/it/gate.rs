//! The write gate: nothing acknowledged is lost, everything is there once, in order.

use std::sync::Arc;
use std::time::Duration;

use grace::components::{Fault, GateError, Receipt};
use grace::model::{Span, Status, Writes};

use crate::parts::{DATABASE, Parts, task, within};

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("task {number:04}")).collect()
}

async fn write_all(parts: &Parts, texts: &[String]) {
    for text in texts {
        parts.task(text).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_done_at_once_when_all_is_well() {
    let parts = Parts::start().await;
    parts.drained().await;
    assert_eq!(parts.task("one").await, Receipt::Done);
    assert_eq!(parts.tasks(), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_that_refuses_says_which_why_and_since_when() {
    let parts = Parts::start().await;
    parts.admit(Writes::Reject, Status::Ok);
    let error = parts.components.gate().write(None, task("no")).await.expect_err("refused");
    assert!(matches!(error, GateError::Refused { .. }), "{error}");
    assert_eq!(error.to_string(), "some_mode refuses writes since 1970-01-01T00:00:00Z: a test");
    parts.admit(Writes::Allow, Status::Ok);
    parts.drained().await;
    assert!(parts.tasks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_that_queues_defers_and_its_end_drains_in_order() {
    let parts = Parts::start().await;
    parts.admit(Writes::Queue, Status::Ok);
    let texts = numbered(100);
    for text in &texts {
        assert!(matches!(parts.task(text).await, Receipt::Deferred { .. }));
    }
    assert!(parts.tasks().is_empty());
    assert!(parts.number(DATABASE, "queued_writes").await >= 100.0);
    parts.admit(Writes::Allow, Status::Ok);
    parts.drained().await;
    assert_eq!(parts.tasks(), texts);
    assert_eq!(parts.journal.deferred(1).expect("reads"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_judged_ill_is_not_written_to_even_when_it_could_be() {
    let parts = Parts::start().await;
    for status in [Status::Critical, Status::Unknown] {
        parts.admit(Writes::Allow, status);
        assert!(matches!(parts.task("waits").await, Receipt::Deferred { .. }), "{status}");
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(parts.tasks().is_empty(), "the drain waits as well");
    parts.admit(Writes::Allow, Status::Warn);
    parts.drained().await;
    assert_eq!(parts.tasks().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_from_before_to_after_an_outage_are_there_once_and_in_order() {
    for fault in [Fault::Down, Fault::FailWrites] {
        let parts = Parts::start().await;
        let texts = numbered(60);
        write_all(&parts, &texts[..20]).await;
        parts.inject(DATABASE, fault).await;
        // Nobody has noticed yet: the status is still good.
        write_all(&parts, &texts[20..30]).await;
        parts.admit(Writes::Queue, Status::Critical);
        write_all(&parts, &texts[30..40]).await;
        parts.inject(DATABASE, Fault::Clear).await;
        parts.admit(Writes::Allow, Status::Ok);
        write_all(&parts, &texts[40..]).await;
        parts.drained().await;
        assert_eq!(parts.tasks(), texts, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_timed_out_and_is_done_late_is_there_once() {
    let parts = Parts::start().await;
    parts.drained().await;
    parts.inject(DATABASE, Fault::Slow { by: Span(1_300) }).await;
    let receipt = within(Duration::from_secs(3), "a write", parts.task("slow")).await;
    assert!(matches!(receipt, Receipt::Deferred { .. }), "{receipt:?}");
    parts.task("behind it").await;
    parts.inject(DATABASE, Fault::Clear).await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["slow", "behind it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_through_many_outages_keep_each_their_order() {
    let parts = Arc::new(Parts::start().await);
    let writers = (0..8).map(|writer| {
        let parts = Arc::clone(&parts);
        tokio::spawn(async move {
            for number in 0..40 {
                parts.task(&format!("{writer} {number:02}")).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for fault in [Fault::Down, Fault::Clear, Fault::FailWrites, Fault::Clear, Fault::Down, Fault::Clear] {
        parts.inject(DATABASE, fault).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    for writer in writers {
        writer.await.expect("writes");
    }
    parts.drained().await;
    let done = parts.tasks();
    assert_eq!(done.len(), 8 * 40);
    for writer in 0..8 {
        let own: Vec<_> = done.iter().filter(|text| text.starts_with(&format!("{writer} "))).collect();
        assert_eq!(own.len(), 40, "writer {writer}");
        assert!(own.is_sorted(), "writer {writer}: {own:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_the_drain_loses_and_doubles_nothing() {
    let mut parts = Parts::start().await;
    parts.admit(Writes::Queue, Status::Ok);
    let texts = numbered(400);
    write_all(&parts, &texts).await;
    // Several crashes, each a little later in the drain.
    for pause in [0, 2, 5, 10, 20] {
        parts.admit(Writes::Allow, Status::Ok);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        parts = parts.crash().await;
    }
    parts.drained().await;
    assert_eq!(parts.tasks(), texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_known_again_after_a_crash_and_new_writes_go_behind_it() {
    let parts = Parts::start().await;
    parts.inject(DATABASE, Fault::Down).await;
    parts.task("old").await;
    let parts = parts.crash().await;
    parts.task("new").await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["old", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_write_whether_done_or_deferred() {
    let parts = Parts::start().await;
    let gate = parts.components.gate();
    let write = async |text: &str| gate.write(Some("the key".into()), task(text)).await.expect("accepted");
    write("first").await;
    write("first").await;
    parts.admit(Writes::Queue, Status::Ok);
    let (one, two) = (write("first").await, write("first").await);
    assert_eq!(one, two, "the same entry of the journal");
    parts.admit(Writes::Allow, Status::Ok);
    parts.drained().await;
    write("first").await;
    assert_eq!(parts.tasks(), ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_who_goes_away_in_the_middle_harms_nobody() {
    let parts = Parts::start().await;
    parts.drained().await;
    parts.inject(DATABASE, Fault::Slow { by: Span(300) }).await;
    for _ in 0..3 {
        let gate = parts.components.gate();
        let gone = tokio::time::timeout(Duration::from_millis(5), gate.write(None, task("gone"))).await;
        assert!(gone.is_err());
    }
    parts.inject(DATABASE, Fault::Clear).await;
    parts.task("stays").await;
    parts.drained().await;
    assert_eq!(parts.tasks().iter().filter(|text| *text == "stays").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_neither_database_nor_journal_takes_is_not_acknowledged() {
    let parts = Parts::start().await;
    parts.drained().await;
    parts.inject(DATABASE, Fault::Down).await;
    let other = rusqlite::Connection::open(parts.dir.path().join("journal.db")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks the journal");
    let refused = parts.components.gate().write(None, task("lost")).await;
    assert!(matches!(refused, Err(GateError::Journal(_))), "{refused:?}");
    other.execute_batch("ROLLBACK").expect("lets go");
    parts.inject(DATABASE, Fault::Clear).await;
    parts.task("kept").await;
    parts.drained().await;
    assert_eq!(parts.tasks(), ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_too_long_is_refused_before_it_waits_anywhere() {
    let parts = Parts::start().await;
    let gate = parts.components.gate();
    for (key, text) in [(None, "x".repeat(20_000)), (Some("k".repeat(300)), "short".into())] {
        let error = gate.write(key, task(&text)).await.expect_err("refused");
        assert!(matches!(error, GateError::TooLong { .. }), "{error}");
    }
}
