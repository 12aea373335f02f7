//! The hands with doubles that note what is done to them, refuse, hang and panic.

use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::model::{By, ComponentId, HealStep, ModeId, Reading, RuleId};
use crate::services::{BoxFuture, Control, ControlError};

/// Does what its manner says, and notes every call.
struct Double {
    calls: Mutex<Vec<String>>,
    /// Lays a STOP file when it is stopped.
    stop_file: Option<PathBuf>,
    /// What happens in `start`.
    start: Manner,
}

#[derive(Clone, Copy)]
enum Manner {
    Well,
    Refuses,
    Hangs,
    Panics,
}

impl Double {
    fn note(&self, call: String) {
        self.calls.lock().expect("no panic").push(call);
    }
}

impl Control for Double {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        unreachable!("hands do not probe")
    }

    fn start(&self, workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        self.note(format!("start {workers:?}"));
        match self.start {
            Manner::Well => Box::pin(async { Ok("up".into()) }),
            Manner::Refuses => Box::pin(async { Err(ControlError::Failed("no room".into())) }),
            Manner::Hangs => Box::pin(std::future::pending()),
            Manner::Panics => panic!("a control that falls over"),
        }
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        self.note("stop".into());
        if let Some(file) = &self.stop_file {
            std::fs::write(file, "").expect("STOP is written");
        }
        Box::pin(async { Ok("down".into()) })
    }

    fn scale(&self, workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        self.note(format!("scale {workers}"));
        Box::pin(async { Ok(String::new()) })
    }
}

struct Scene {
    dir: tempfile::TempDir,
    double: Arc<Double>,
    hands: Hands,
}

fn scene(start: Manner, stops: bool) -> Scene {
    let dir = tempfile::tempdir().expect("a directory");
    let stop_file = dir.path().join("STOP");
    let laid = stops.then(|| stop_file.clone());
    let double = Arc::new(Double { calls: Mutex::default(), stop_file: laid, start });
    let all: BTreeMap<ComponentId, Arc<dyn Control>> =
        BTreeMap::from([("web".into(), Arc::clone(&double) as Arc<dyn Control>)]);
    let receivers = BTreeMap::from([("oncall".into(), Receiver::Log)]);
    let hands = Hands { components: Arc::new(all), receivers, stop_file, limit: Duration::from_secs(5) };
    Scene { dir, double, hands }
}

impl Scene {
    async fn perform(&self, act: Act) -> Performed {
        let by = By::Rule { rule: RuleId::from("restart"), component: "web".into() };
        let component = Some(ComponentId::from("web"));
        let proposal = Proposal { by, act, reason: "test".into(), component, attempt: 1, slow: false };
        carry_out(ActId(7), &proposal, &self.hands).await
    }

    fn calls(&self) -> Vec<String> {
        self.double.calls.lock().expect("no panic").clone()
    }
}

fn heal(component: &str, steps: Vec<HealStep>) -> Act {
    Act::Heal { component: component.into(), steps }
}

fn restart() -> Act {
    heal("web", vec![HealStep::Restart { workers: Some(3) }])
}

fn said(performed: &Performed) -> Vec<(&str, bool, &str)> {
    performed.steps.iter().map(|step| (step.step.as_str(), step.ok, step.detail.as_str())).collect()
}

#[tokio::test]
async fn a_restart_stops_then_starts_with_its_workers() {
    let scene = scene(Manner::Well, false);
    let done = scene.perform(restart()).await;
    assert_eq!((done.act, &done.effect), (ActId(7), &Effect::Done));
    assert_eq!(said(&done), [("stop", true, "down"), ("start", true, "up")]);
    assert_eq!(scene.calls(), ["stop", "start Some(3)"]);
}

#[tokio::test]
async fn the_first_failed_step_ends_the_try() {
    let scene = scene(Manner::Refuses, false);
    let act = heal("web", vec![HealStep::Restart { workers: None }, HealStep::Scale { workers: 5 }]);
    let done = scene.perform(act).await;
    assert_eq!(done.effect, Effect::Failed { why: "start failed: no room".into() });
    assert_eq!(scene.calls(), ["stop", "start None"], "no scaling any more");
}

#[tokio::test]
async fn stop_is_seen_between_stop_and_start() {
    let scene = scene(Manner::Well, true);
    let done = scene.perform(restart()).await;
    assert_eq!(done.effect, Effect::Withheld { why: "STOP was found before `start`".into() });
    assert_eq!(said(&done), [("stop", true, "down")]);
    assert_eq!(scene.calls(), ["stop"]);
}

#[tokio::test]
async fn stop_before_the_first_effect_withholds_all_of_it() {
    let scene = scene(Manner::Well, false);
    std::fs::write(scene.dir.path().join("STOP"), "").expect("STOP is written");
    for act in [restart(), Act::Notify { receiver: "oncall".into(), text: "hello".into(), approval: None }] {
        let done = scene.perform(act).await;
        assert!(matches!(done.effect, Effect::Withheld { .. }) && done.steps.is_empty(), "{done:?}");
    }
    assert!(scene.calls().is_empty());
}

#[tokio::test]
async fn where_nobody_can_tell_whether_there_is_a_stop_nothing_is_done() {
    let mut scene = scene(Manner::Well, false);
    let file = scene.dir.path().join("file");
    std::fs::write(&file, "").expect("written");
    // A file in the place of a directory: asking is an error, not a no.
    scene.hands.stop_file = Path::new(&file).join("STOP");
    let done = scene.perform(restart()).await;
    assert!(matches!(done.effect, Effect::Withheld { .. }), "{done:?}");
    assert!(scene.calls().is_empty());
}

#[tokio::test]
async fn a_control_that_hangs_is_cut_off_and_its_step_says_so() {
    let mut scene = scene(Manner::Hangs, false);
    scene.hands.limit = Duration::from_millis(500);
    let done = scene.perform(restart()).await;
    assert_eq!(done.effect, Effect::TimedOut);
    let last = done.steps.last().expect("the step in which it hung");
    // The limit is the act's: what came before took its share of it, and on a busy machine a large one.
    assert!(last.step == "start" && !last.ok && last.took.0 >= 50, "{last:?}");
}

#[tokio::test]
async fn a_control_that_panics_is_a_failed_step() {
    let done = scene(Manner::Panics, false).perform(restart()).await;
    assert_eq!(done.effect, Effect::Failed { why: "start failed: the control panicked".into() });
}

#[tokio::test]
async fn scaling_is_one_step() {
    let scene = scene(Manner::Well, false);
    let done = scene.perform(heal("web", vec![HealStep::Scale { workers: 5 }])).await;
    assert_eq!((done.effect, scene.calls()), (Effect::Done, vec!["scale 5".to_owned()]));
}

#[tokio::test]
async fn a_component_or_receiver_that_is_not_there_is_a_clear_failure() {
    let scene = scene(Manner::Well, false);
    let done = scene.perform(heal("gone", vec![HealStep::Restart { workers: None }])).await;
    assert_eq!(done.effect, Effect::Failed { why: "check failed: there is no control of gone".into() });
    let done =
        scene.perform(Act::Notify { receiver: "nobody".into(), text: "hello".into(), approval: None }).await;
    assert_eq!(done.effect, Effect::Failed { why: "there is no receiver called nobody".into() });
}

#[tokio::test]
async fn a_notification_is_sent_to_the_log() {
    let done = scene(Manner::Well, false)
        .perform(Act::Notify { receiver: "oncall".into(), text: "x".into(), approval: None })
        .await;
    assert_eq!(
        (done.effect.clone(), said(&done)),
        (Effect::Done, vec![("send", true, "written to the log")])
    );
}

#[tokio::test]
async fn what_the_engine_does_itself_is_refused_here() {
    let scene = scene(Manner::Well, false);
    let done = scene.perform(Act::Block { component: "web".into() }).await;
    let Effect::Failed { why } = done.effect else { panic!("refused") };
    assert!(why.contains("block") && why.contains("recorded"), "{why}");
    let key = crate::model::ClaimKey::person();
    let mode = Act::SetMode { mode: ModeId::from("read_only"), key, spot: None, lasts: None };
    assert!(matches!(scene.perform(mode).await.effect, Effect::Failed { .. }));
    assert!(scene.calls().is_empty());
}
