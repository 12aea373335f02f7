//! A whole Grace inside the test: her loop, her parts, her journal, with the shipped rules on a fast grid.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use grace::components::Fault;
use grace::model::{Answer, Asked, ComponentId, Request, Span, Status};
use grace::record::{Reader, Recorded};
use grace::replay::History;
use grace::replay::prove::prove;
use grace::supervisor::{ExitReason, Handle, OnTick, Options, Published, Running, StartError, start};

use crate::scenarios::laid_over;

/// How long anything may take on a busy machine before the test gives up.
const PATIENCE: Duration = Duration::from_secs(40);

struct Grace {
    config: tempfile::TempDir,
    data: tempfile::TempDir,
}

impl Grace {
    fn new() -> Self {
        let config = laid_over(Path::new("/nowhere"));
        // On a fast grid the shipped windows and waits would make the tests slow.
        let budgets = "component = { budget = [{ max = 100, within = \"10m\" }] }\nbackoff = { base = \"200ms\", cap = \"1s\" }\n";
        fs::write(config.path().join("policies/budgets.toml"), budgets).expect("written");
        Self { config, data: tempfile::tempdir().expect("a folder") }
    }

    fn options(&self) -> Options {
        Options {
            config: self.config.path().into(),
            data: self.data.path().into(),
            interval: Some(Span(200)),
            allow_faults: true,
            once: false,
            checkpoints: None,
            stop_services: false,
            on_tick: OnTick::default(),
        }
    }

    async fn start(&self) -> Running {
        start(&self.options()).await.expect("starts")
    }

    fn reader(&self) -> Reader {
        Reader::open(self.data.path()).expect("a journal")
    }
}

async fn until(handle: &Handle, what: &str, holds: impl Fn(&Published) -> bool) {
    let begun = Instant::now();
    while !holds(&handle.published()) {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn status(published: &Published, id: &str) -> Option<Status> {
    published.state.health.components.get(id).map(|own| own.status)
}

async fn all_well(handle: &Handle) {
    until(handle, "everything is well", |published| {
        let all = &published.state.health.components;
        all.len() == 5 && all.values().all(|own| own.status.works() && own.incident.is_none())
    })
    .await;
}

async fn stopped(running: Running) {
    running.stop("the test is over");
    assert!(matches!(running.ended().await, ExitReason::Stopped { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_healed_by_the_shipped_rules() {
    let grace = Grace::new();
    let running = grace.start().await;
    let handle = running.handle();
    all_well(&handle).await;
    for (id, fault) in [
        ("reflection_service", Fault::Hang { age: Span::minutes(3) }),
        ("task_executor", Fault::KillWorkers),
        ("trigger_mesh", Fault::Stop),
        ("trigger_mesh", Fault::Drop),
    ] {
        let component = ComponentId::from(id);
        handle.components().inject(&component, &fault).await.expect("injected");
        until(&handle, "it is seen", |published| status(published, id) == Some(Status::Critical)).await;
        all_well(&handle).await;
    }
    let actions = grace.reader().healing_actions(100).expect("rows");
    assert_eq!(actions.len(), 4, "{actions:?}");
    assert!(actions.iter().all(|action| action.result.as_deref() == Some("success")), "{actions:?}");
    assert!(
        actions.iter().all(|action| action.steps.iter().map(|step| step.step.as_str()).eq(["stop", "start"]))
    );
    stopped(running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_is_read_only_and_then_normal_and_no_dependant_is_healed() {
    let grace = Grace::new();
    let running = grace.start().await;
    let handle = running.handle();
    all_well(&handle).await;
    let database = ComponentId::from("database");
    handle.components().inject(&database, &Fault::Down).await.expect("injected");
    until(&handle, "read_only", |published| published.state.governed.mode.as_str() == "read_only").await;
    handle.components().inject(&database, &Fault::Clear).await.expect("cleared");
    until(&handle, "normal", |published| published.state.governed.mode.as_str() == "normal").await;
    all_well(&handle).await;
    let moves: Vec<String> =
        grace.reader().mode_changes(10).expect("rows").into_iter().rev().map(|row| row.to_mode).collect();
    assert_eq!(moves, ["read_only", "normal"]);
    assert!(grace.reader().healing_actions(10).expect("rows").is_empty());
    stopped(running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_grace_on_the_same_data_directory_is_refused_before_it_does_anything() {
    let grace = Grace::new();
    let running = grace.start().await;
    all_well(&running.handle()).await;
    let second = start(&grace.options()).await;
    assert!(matches!(second.err(), Some(StartError::AlreadyRunning { .. })));
    stopped(running).await;
    let third = grace.start().await;
    all_well(&third.handle()).await;
    stopped(third).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_keeps_the_last_good_generation_and_a_good_one_takes_over() {
    let grace = Grace::new();
    let running = grace.start().await;
    let handle = running.handle();
    all_well(&handle).await;
    let first = handle.published().bundle.generation.clone();
    let file = grace.config.path().join("rules/database.toml");
    let good = fs::read_to_string(&file).expect("read");
    let bads: [(&str, String); 4] = [
        ("misspelt", good.replace("ping.connected", "ping.conected")),
        ("cut off", good[..good.len() / 2].to_owned()),
        ("empty", String::new()),
        ("no TOML", "= = =".to_owned()),
    ];
    for (name, bad) in bads {
        fs::write(&file, bad).expect("written");
        until(&handle, name, |published| published.rejected.is_some()).await;
        assert_eq!(handle.published().bundle.generation, first, "{name}");
        // Swapped by rename, as editors do.
        let swap = grace.config.path().join("rules/.database.toml.swp");
        fs::write(&swap, &good).expect("written");
        fs::rename(&swap, &file).expect("swapped");
        until(&handle, "mended", |published| published.rejected.is_none()).await;
    }
    fs::write(&file, good.replace("250ms", "300ms")).expect("written");
    until(&handle, "the new generation", |published| published.bundle.generation != first).await;
    all_well(&handle).await;
    fs::remove_dir_all(grace.config.path().join("rules")).expect("removed");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(handle.published().bundle.components.len() == 5, "a vanished folder changes nothing");
    stopped(running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grace_starts_on_the_last_good_generation_when_the_files_are_broken() {
    let grace = Grace::new();
    stopped(grace.start().await).await;
    fs::write(grace.config.path().join("rules/database.toml"), "= = =").expect("written");
    let running = grace.start().await;
    all_well(&running.handle()).await;
    assert!(running.handle().published().rejected.is_some());
    stopped(running).await;
    let fresh = Grace::new();
    fs::write(fresh.config.path().join("rules/database.toml"), "= = =").expect("written");
    assert!(matches!(start(&fresh.options()).await.err(), Some(StartError::Config(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_and_hold_stop_heal_acts_and_status_says_why() {
    let grace = Grace::new();
    let running = grace.start().await;
    let handle = running.handle();
    all_well(&handle).await;
    fs::write(grace.data.path().join("STOP"), "").expect("written");
    let mesh = ComponentId::from("trigger_mesh");
    handle.components().inject(&mesh, &Fault::Stop).await.expect("injected");
    until(&handle, "it waits for STOP", |published| {
        let why = published.why.get("trigger_mesh").and_then(|rules| rules.get("restart"));
        why.is_some_and(|why| why.to_string().contains("STOP"))
    })
    .await;
    let asked = Request::Scale { component: "task_executor".into(), workers: 4 };
    let answer = handle.ask(Asked::by("uid:0".into(), "a test".into(), asked)).await.expect("answered");
    assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
    assert!(grace.reader().healing_actions(10).expect("rows").is_empty());
    fs::remove_file(grace.data.path().join("STOP")).expect("removed");
    all_well(&handle).await;
    stopped(running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_is_decided_again_byte_for_byte_after_a_restart_too() {
    let grace = Grace::new();
    for _ in 0..2 {
        let running = grace.start().await;
        let handle = running.handle();
        all_well(&handle).await;
        handle.components().inject(&"task_executor".into(), &Fault::KillWorkers).await.expect("injected");
        until(&handle, "seen", |published| status(published, "task_executor") == Some(Status::Critical))
            .await;
        all_well(&handle).await;
        let asked = Request::SetMode { mode: "read_only".into(), lasts: Some(Span(400)), revision: None };
        handle.ask(Asked::by("uid:0".into(), "a test".into(), asked)).await.expect("answered");
        until(&handle, "normal", |published| published.state.governed.mode.as_str() == "normal").await;
        stopped(running).await;
    }
    let found = prove(&grace.reader()).expect("read");
    assert!(found.holds(), "{:?}", found.differences);
    assert!(found.same >= 10 && found.expired == 0, "{found:?}");
    let verified = grace.reader().verify().expect("read");
    assert!(verified.is_whole(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_happens_there_is_one_tick_in_a_slot_and_it_has_readings() {
    let grace = Grace::new();
    let running =
        start(&Options { interval: Some(Span::seconds(2)), ..grace.options() }).await.expect("starts");
    let handle = running.handle();
    until(&handle, "some ticks", |published| published.state.tick >= 5).await;
    stopped(running).await;
    let ticks = History::Journal(grace.reader());
    let ticks = ticks.all(None).expect("read").filter_map(|recorded| match recorded.expect("read") {
        Recorded::Tick { input, .. } => Some(input),
        _ => None,
    });
    let empty = ticks.filter(|input| input.snapshot.is_empty()).count();
    // On a busy machine all of them may be slow in one.
    assert!(empty <= 1, "{empty} ticks looked at nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tick_and_its_consequences() {
    let grace = Grace::new();
    let running = start(&Options { once: true, ..grace.options() }).await.expect("starts");
    assert_eq!(running.ended().await, ExitReason::Stopped { well: true });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_of_a_restart_ends_every_intent_once() {
    let grace = Grace::new();
    // Three failures in a row are meant here.
    fs::remove_file(grace.config.path().join("rules/hunter.toml")).expect("removed");
    for _ in 0..3 {
        let running = grace.start().await;
        let handle = running.handle();
        all_well(&handle).await;
        let reflection = ComponentId::from("reflection_service");
        handle.components().inject(&reflection, &Fault::Stop).await.expect("injected");
        until(&handle, "a try is under way", |published| !published.state.health.tries.is_empty()).await;
        stopped(running).await;
    }
    let running = grace.start().await;
    all_well(&running.handle()).await;
    until(&running.handle(), "no try is open", |published| published.state.health.tries.is_empty()).await;
    stopped(running).await;
    let actions = grace.reader().healing_actions(100).expect("rows");
    assert_eq!(actions.len(), 3, "{actions:?}");
    assert!(actions.iter().all(|action| action.result.is_some()), "{actions:?}");
    assert!(grace.reader().verify().expect("read").is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_was_deleted_or_replaced_ends_grace_before_anything_acts() {
    let grace = Grace::new();
    let running = grace.start().await;
    all_well(&running.handle()).await;
    let (there, moved) = (grace.data.path().join("journal.db"), grace.data.path().join("moved.db"));
    fs::rename(&there, &moved).expect("moved");
    assert!(matches!(running.ended().await, ExitReason::Journal(why) if why.contains("deleted or replaced")));
    fs::rename(&moved, &there).expect("moved back");
    let again = grace.start().await;
    all_well(&again.handle()).await;
    stopped(again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_everybody_can_write_is_refused_until_its_mode_is_mended() {
    use std::os::unix::fs::PermissionsExt;
    let grace = Grace::new();
    let running = grace.start().await;
    let handle = running.handle();
    all_well(&handle).await;
    let file = grace.config.path().join("rules/database.toml");
    for _ in 0..2 {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("changed");
        until(&handle, "refused", |published| published.rejected.is_some()).await;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
        until(&handle, "mended", |published| published.rejected.is_none()).await;
    }
    // A folder that is swapped for another is still followed.
    let (rules, other) = (grace.config.path().join("rules"), grace.config.path().join("other"));
    fs::create_dir(&other).expect("made");
    for entry in fs::read_dir(&rules).expect("a folder").flatten() {
        fs::copy(entry.path(), other.join(entry.file_name())).expect("copied");
    }
    fs::rename(&rules, grace.config.path().join("old")).expect("moved");
    fs::rename(&other, &rules).expect("moved");
    tokio::time::sleep(Duration::from_millis(300)).await;
    fs::write(&file, "= = =").expect("written");
    until(&handle, "refused", |published| published.rejected.is_some()).await;
    stopped(running).await;
}
