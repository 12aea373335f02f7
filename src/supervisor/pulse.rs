//! The pulse: waits for the next tick or signal, takes a snapshot, steps, commits, and only then lets act.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::config::Loaded;
use crate::config::watch::Follower;
use crate::engine::{Agenda, Bundle, HANDS, Input, Schedule, State, step};
use crate::govern::Admission;
use crate::model::{Answer, Asked, Meaning, Performed, Record, Snapshot, Span, Time};
use crate::probe::{Eyes, Guard, Target};
use crate::record::{Clock, Done, Journal, JournalError};
use crate::supervisor::candidate::Shadow;
use crate::supervisor::heartbeat::Heart;
use crate::supervisor::loud;
use crate::supervisor::reach::Reach;
use crate::supervisor::sealer::{Sealer, disrupts};
use crate::supervisor::signal::{SIGNALS, Signal};
use crate::supervisor::stop;
use crate::supervisor::warden::Warden;
use crate::supervisor::{AskError, ExitReason, LastTick, OnTick, Published};

/// A tick waits so long for probes at the most; slower ones are late and come with a tick of their own. So
/// one slow probe delays nobody.
const PATIENCE: Span = Span(500);

/// So many requests are taken in one tick; more wait for the next.
const REQUESTS: usize = 256;

/// What the pulse reaches.
pub(super) struct World {
    pub(super) journal: Arc<Journal>,
    pub(super) reach: Arc<Reach>,
    pub(super) eyes: Arc<Eyes>,
    pub(super) clock: Clock,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) signals: SyncSender<Signal>,
    pub(super) publish: watch::Sender<Arc<Published>>,
    pub(super) admit: watch::Sender<Admission>,
    pub(super) stop_file: PathBuf,
    /// Where the files lie.
    pub(super) config: PathBuf,
    pub(super) sealer: Sealer,
    pub(super) guard: Arc<Guard>,
    /// Looks after the journal for as long as the pulse lives.
    pub(super) _warden: Warden,
    pub(super) stop_services: bool,
    pub(super) on_tick: OnTick,
    /// Follows the files for as long as the pulse lives.
    pub(super) files: Follower,
}

/// A request that waits for its tick, and who waits for the answer.
type Waiting = (Asked, oneshot::Sender<Result<Answer, AskError>>);

/// The loop and everything it owns.
pub(super) struct Pulse {
    pub(super) world: World,
    pub(super) bundle: Arc<Bundle>,
    pub(super) state: State,
    pub(super) schedule: Schedule,
    pub(super) interval: Option<Span>,
    fresh: Snapshot,
    pub(super) performed: Vec<Performed>,
    asked: Vec<Waiting>,
    /// What the journal should hold and no step decides; written with the next tick at the latest.
    pub(super) noted: Vec<Record>,
    pub(super) published: Published,
    /// Files that wait until somebody approves them.
    pub(super) pending: Option<Box<Loaded>>,
    /// The candidate that runs beside.
    pub(super) shadow: Option<Shadow>,
    /// The files that were read last are refused as half of its promotion.
    pub(super) torn: bool,
    ticket: u64,
    pub(super) stopping: Option<String>,
    pub(super) fatal: Option<String>,
    pub(super) expired: Time,
    /// There may be more to let go.
    pub(super) expiring: bool,
    heart: Heart,
}

impl Pulse {
    pub(super) fn new(
        world: World,
        bundle: Arc<Bundle>,
        state: State,
        interval: Option<Span>,
        interrupted: Vec<Performed>,
    ) -> Self {
        let published = Published::clone(&world.publish.borrow());
        Self {
            schedule: Schedule::new(bundle.system.interval),
            bundle,
            state,
            interval,
            fresh: Snapshot::new(),
            performed: interrupted,
            asked: Vec::new(),
            noted: Vec::new(),
            published,
            pending: None,
            shadow: None,
            torn: false,
            ticket: 0,
            stopping: None,
            fatal: None,
            // Right after the first tick, and then every so often.
            expired: Time(0),
            expiring: false,
            heart: Heart::default(),
            world,
        }
    }

    /// Runs until Grace is asked to stop, or the journal fails for good.
    pub(super) fn run(&mut self, inbox: &Receiver<Signal>, once: bool) -> ExitReason {
        while self.stopping.is_none() && self.fatal.is_none() {
            let now = self.now();
            let next = self.schedule.next(now);
            if now >= next {
                self.tick(inbox);
                if once && self.is_quiet() {
                    self.stopping = Some("its one tick is done".into());
                }
                self.housekeep();
            } else {
                self.listen(inbox, next - now);
            }
            self.catch_up(inbox);
        }
        self.farewell(inbox)
    }

    /// Takes what waits already, and waits for nothing: where each tick takes longer than the grid allows, nobody would
    /// be heard else, not even who wants an end.
    fn catch_up(&mut self, inbox: &Receiver<Signal>) {
        for signal in inbox.try_iter().take(SIGNALS) {
            self.hear(signal);
        }
    }

    pub(super) fn now(&self) -> Time {
        self.world.clock.now()
    }

    /// Did every look come back and into a tick, is nothing in flight and nothing to be verified?
    fn is_quiet(&self) -> bool {
        let seen = !self.schedule.is_looking() && self.fresh.is_empty();
        seen && self.state.tick > 0 && self.state.in_flight().is_empty() && self.state.health.tries.is_empty()
    }

    /// Waits for a signal.
    pub(super) fn listen(&mut self, inbox: &Receiver<Signal>, patience: Span) {
        // Rounded up: waking a millisecond early would only mean to wait once more.
        match inbox.recv_timeout(patience.to_std() + Duration::from_millis(1)) {
            Ok(signal) => self.hear(signal),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                self.stopping = Some("nobody can reach it any more".into());
            }
        }
    }

    fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Looked { component, readings } => {
                self.schedule.answered(&component);
                self.fresh.insert(component, readings);
            }
            Signal::Woke { component, occasion } => self.schedule.wake(component, occasion),
            Signal::Noted(record) => self.note(*record),
            Signal::Performed(report) => {
                self.performed.push(report);
                self.schedule.urgent();
            }
            Signal::Asked { asked, reply } => self.ask(*asked, reply),
            Signal::Shadow { asked, ask, reply } => self.ask_shadow(asked, ask, reply),
            Signal::Files(loaded) => self.reload(loaded),
            // Who asked may have gone; then nobody needs the answer.
            Signal::Reread { reply } => drop(reply.send(self.published.rejected.is_none())),
            Signal::Stop { reason } => self.stopping = Some(reason),
        }
    }

    pub(super) fn ask(&mut self, asked: Asked, reply: oneshot::Sender<Result<Answer, AskError>>) {
        if self.asked.len() >= REQUESTS {
            // Who asked may have gone; then nobody needs the answer.
            let _ = reply.send(Err(AskError::Closed("too many requests wait")));
            return;
        }
        self.ticket += 1;
        self.asked.push((Asked { ticket: self.ticket, ..asked }, reply));
        self.schedule.soon();
    }

    /// One tick: a snapshot, a step, a commit, and then what follows from it.
    fn tick(&mut self, inbox: &Receiver<Signal>) {
        let (now, began) = (self.now(), Instant::now());
        let agenda = self.schedule.begin(now);
        self.look(&agenda);
        self.gather(inbox, now + PATIENCE.min(Span(self.bundle.system.interval.0 / 4)));
        self.schedule.taken();
        let input = self.input(now);
        let step = step(&self.bundle, &self.state, &input);
        let wall = self.world.clock.wall();
        let shown =
            self.shadow.as_ref().map(|_| (self.state.governed.approvals.clone(), step.records.clone()));
        let disrupts = disrupts(&step.records);
        let lines = loud::lines(&step.records);
        match self.world.journal.commit(wall, &input, step) {
            Ok(done) => {
                loud::say(lines);
                self.published.tally.last_tick = Some(LastTick { at: wall, took: began.elapsed() });
                self.follow_up(done);
                self.world.on_tick.call();
                self.heart.beat(self.bundle.notify.heartbeat.as_ref(), self.state.now, &self.world.runtime);
                if disrupts {
                    self.world.sealer.now();
                }
                if let Some((waiting, records)) = shown {
                    self.beside(&waiting, &input, &records);
                }
            }
            Err(error) => self.not_written(input, &error),
        }
        // After the step, so that an act never waits for them.
        self.write_notes();
    }

    /// Sends the probes out. A component whose last look is still under way is not looked at twice.
    fn look(&mut self, agenda: &Agenda) {
        for (id, component) in &self.bundle.components {
            let Some(occasion) = agenda.occasion(id) else { continue };
            if !self.schedule.look(id) {
                continue;
            }
            let target = Target { component: id.clone(), probes: component.probes.clone(), occasion };
            let (eyes, signals) = (Arc::clone(&self.world.eyes), self.world.signals.clone());
            self.world.runtime.spawn(async move {
                let (component, readings) = eyes.look(target).await;
                // A full channel loses one look; the component is then missing until it is probed again.
                let _ = signals.try_send(Signal::Looked { component, readings });
            });
        }
    }

    /// Waits until every probe that is out has answered, but not longer than patience allows.
    fn gather(&mut self, inbox: &Receiver<Signal>, until: Time) {
        while self.schedule.is_looking() && self.stopping.is_none() {
            let left = until - self.now();
            if left <= Span::ZERO {
                // Whoever is late comes with a tick of its own.
                return;
            }
            self.listen(inbox, left);
        }
    }

    pub(super) fn input(&mut self, now: Time) -> Input {
        Input {
            tick: self.state.tick + 1,
            now,
            snapshot: std::mem::take(&mut self.fresh),
            performed: std::mem::take(&mut self.performed),
            asked: self.asked.iter().map(|(asked, _)| asked.clone()).collect(),
            stop: stop::is_set(&self.world.stop_file),
            grid: self.interval,
            meaning: Meaning::default(),
        }
    }

    /// The step is durable: from here on everybody may know, and hands may act.
    fn follow_up(&mut self, done: Done) {
        self.state = done.state;
        self.schedule.due(self.state.due());
        self.published.why = Arc::new(done.why);
        self.published.unwritten = None;
        self.published.figures = self.world.journal.totals();
        self.publish();
        for permit in done.permits {
            self.perform(permit);
        }
        let mut waiting: BTreeMap<u64, _> =
            self.asked.drain(..).map(|(asked, reply)| (asked.ticket, reply)).collect();
        for answered in done.answers {
            if let Some(reply) = waiting.remove(&answered.ticket) {
                // Who asked may have gone; the journal has the answer.
                let _ = reply.send(Ok(answered.answer));
            }
        }
        self.look_at_pending();
    }

    fn perform(&self, permit: crate::record::Committed<crate::govern::Permit>) {
        let hands = crate::act::Hands {
            components: Arc::clone(&self.world.reach) as _,
            receivers: self.bundle.notify.receivers.clone(),
            stop_file: self.world.stop_file.clone(),
            limit: HANDS.to_std(),
        };
        let signals = self.world.signals.clone();
        self.world.runtime.spawn(async move {
            let performed = crate::act::perform(permit, &hands).await;
            // The report must arrive: a blocking send on a thread that may block.
            let sent = tokio::task::spawn_blocking(move || signals.send(Signal::Performed(performed))).await;
            if !matches!(sent, Ok(Ok(()))) {
                tracing::warn!("an act ended after Grace did; the next start will find it interrupted");
            }
        });
    }

    /// This could not be written: nothing of it acts, nothing is forgotten, everybody is told.
    fn not_written(&mut self, input: Input, error: &JournalError) {
        tracing::error!(%error, "this tick could not be written: nothing acts in it");
        if error.is_fatal() {
            self.fatal = Some(error.to_string());
        }
        // What the hands and probes said is kept for the next tick; what people asked is refused.
        self.performed = input.performed;
        for (component, readings) in input.snapshot {
            self.fresh.entry(component).or_insert(readings);
        }
        for (_, reply) in self.asked.drain(..) {
            let _ = reply.send(Err(AskError::NotWritten));
        }
        self.published.unwritten = Some(error.to_string());
        self.publish();
    }

    pub(super) fn publish(&mut self) {
        self.published.shadow = self.shadow.as_ref().map(|shadow| shadow.told.clone());
        self.published.bundle = Arc::clone(&self.bundle);
        self.published.state = Arc::new(self.state.clone());
        let stop = stop::is_set(&self.world.stop_file);
        self.published.overruns = self.schedule.overruns();
        let mut admission = self.bundle.admission(&self.state, stop);
        admission.stop_since = stop::since(&self.world.stop_file);
        self.published.admission = Arc::new(admission.clone());
        self.world.admit.send_replace(admission);
        self.world.publish.send_replace(Arc::new(self.published.clone()));
    }
}
