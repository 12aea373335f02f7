//! From nothing to a running supervisor: everything that can fail does so before anything acts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::{oneshot, watch};

use crate::components::{Components, Context};
use crate::config::{Folder, Loaded, watch as follow};
use crate::engine::{Bundle, State, adopt, start_over};
use crate::model::{Effect, Meaning, Occasion, Performed, Record};
use crate::probe::{Eyes, Guard};
use crate::record::{Candidate, Clock, Journal, JournalError, NotedKey, note_audit_key};
use crate::say::Report;
use crate::services::{Identity, News, Recent, Reporter, Services, Told};
use crate::store;
use crate::supervisor::crash_loop::{self, CrashLoop};
use crate::supervisor::generation::{self, Chosen};
use crate::supervisor::lock::{self, Lock};
use crate::supervisor::maker::Maker;
use crate::supervisor::pulse::{Pulse, World};
use crate::supervisor::reach::{Reach, declared};
use crate::supervisor::sealer::{self, Sealer};
use crate::supervisor::signal::{SIGNALS, Signal};
use crate::supervisor::stop;
use crate::supervisor::tally::{self, Reloads, Tally};
use crate::supervisor::warden::Warden;
use crate::supervisor::{Handle, Options, Published, Rejected, StartError, caution, restore};

/// Rhai's recursion and a bundle's size are bounded; this leaves room for both many times over.
const STACK: usize = 16 * 1024 * 1024;

/// A supervisor that runs.
pub struct Running {
    handle: Handle,
    ended: oneshot::Receiver<ExitReason>,
    journal: Arc<Journal>,
    lock: Lock,
    maker: Maker,
}

/// Why a supervisor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitReason {
    /// It was asked to, or its one tick is done; `well` says whether every component works.
    Stopped {
        /// Does every component work?
        well: bool,
    },
    /// The journal failed in a way that only a new start can mend.
    Journal(String),
    /// The thread ended in a way it never should.
    Lost,
}

impl Running {
    /// A way to it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Asks it to stop in good order: acts in flight are finished and recorded.
    pub fn stop(&self, reason: &str) {
        // A full channel means that it is busy; the stop then has to wait like everything else.
        let signals = self.handle.signals.clone();
        let reason = reason.to_owned();
        std::thread::spawn(move || signals.send(Signal::Stop { reason }));
    }

    /// Waits until it has ended, and then ends the four parts.
    pub async fn ended(self) -> ExitReason {
        let reason = self.ended.await.unwrap_or(ExitReason::Lost);
        self.handle.components.shutdown(std::time::Duration::from_secs(5)).await;
        self.maker.end();
        self.journal.fold();
        drop(self.lock);
        reason
    }
}

/// Starts Grace.
///
/// # Errors
/// Whatever keeps her from running; then nothing acted and nothing changed but the journal's own file.
pub async fn start(options: &Options) -> Result<Running, StartError> {
    let ready = prepare(options)?;
    say_which_key_signs(&ready.journal, &options.data, &ready.clock);
    let maker = Maker::start(&ready.journal, &options.data);
    let guard = Arc::new(ready.guard(&options.config));
    let (publish, picture) = watch::channel(Arc::new(ready.picture()));
    let (admit, admission) = watch::channel(unjudged(&ready.bundle, &ready.state));
    let (signals, inbox) = sync_channel(SIGNALS);
    let context = Context {
        dir: options.data.clone(),
        journal: Arc::clone(&ready.journal),
        clock: ready.clock.clone(),
        admission,
        report: reporter(&signals),
        workers: ready
            .bundle
            .components
            .values()
            .filter_map(|component| Some((component.id.clone(), component.workers?)))
            .collect(),
    };
    let components = Arc::new(Components::start(context).await?);
    let to = signals.clone();
    let deliver = move |loaded| to.send(Signal::Files(loaded)).is_ok();
    let files = follow::follow(options.config.clone(), ready.files, deliver).map_err(StartError::Thread)?;
    let handle = Handle {
        guard: Arc::clone(&guard),
        signals,
        files: files.hints(),
        published: picture,
        components: Arc::clone(&components),
        clock: ready.clock.clone(),
        tail: ready.journal.tail(),
        data: options.data.clone(),
        config: options.config.clone(),
        allow_faults: options.allow_faults,
    };
    let table = Recent::default();
    let services =
        Services::new(&options.data, reporter(&handle.signals), table.clone(), told(&ready.journal)?);
    services.declare(declared(&ready.bundle));
    let reach = Arc::new(Reach { components, services });
    let (news, looks) = (reporter(&handle.signals), (Arc::clone(&guard), options.data.as_path()));
    let eyes = Eyes::new(Arc::clone(&reach) as _, ready.clock.clone(), (news, table), looks);
    let world = World {
        journal: Arc::clone(&ready.journal),
        eyes: Arc::new(eyes),
        reach,
        clock: ready.clock,
        runtime: tokio::runtime::Handle::current(),
        signals: handle.signals.clone(),
        publish,
        admit,
        stop_file: stop::file(&options.data),
        config: options.config.clone(),
        sealer: sealer(options, &ready.bundle),
        _warden: Warden::start(options.data.clone(), Arc::clone(&guard)),
        guard,
        stop_services: options.stop_services,
        on_tick: options.on_tick.clone(),
        files,
    };
    let mut pulse = Pulse::new(world, ready.bundle, ready.state, options.interval, ready.interrupted);
    pulse.resume(ready.candidate);
    ready.pending.into_iter().for_each(|loaded| pulse.let_wait(loaded));
    let ended = spawn(pulse, inbox, options.once)?;
    Ok(Running { handle, ended, journal: ready.journal, lock: ready.lock, maker })
}

fn sealer(options: &Options, bundle: &Bundle) -> Sealer {
    let file = options.checkpoints.clone().unwrap_or_else(|| options.data.join(sealer::FILE));
    Sealer::start(options.data.clone(), file, bundle.system.checkpoint)
}

/// Says it loudly where the key that signs is another one than before. That it cannot be told keeps nobody from running.
fn say_which_key_signs(journal: &Journal, data: &std::path::Path, clock: &Clock) {
    match note_audit_key(journal, data, clock.wall()) {
        Ok(Some(NotedKey { seq, key, .. })) => tracing::error!(
            entry = seq,
            key,
            "the key that signs checkpoints is another one: audit.key was deleted or replaced; what was signed before is \
             checked with the key that the entry names"
        ),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "which key signs checkpoints could not be written down"),
    }
}

/// The ends of processes that the journal holds already.
fn told(journal: &Journal) -> Result<Told, JournalError> {
    let told = journal.exits()?.into_iter();
    Ok(told
        .map(|exit| (exit.component, exit.worker, Identity { pid: exit.pid, start: exit.start }))
        .collect())
}

/// Everything there is before the first part runs.
struct Ready {
    lock: Lock,
    journal: Arc<Journal>,
    bundle: Arc<Bundle>,
    /// The files as they lay there at the start.
    files: BTreeMap<String, String>,
    state: State,
    interrupted: Vec<Performed>,
    /// The rules are others than those that were active when Grace ended.
    rules_changed: bool,
    candidate: Option<Candidate>,
    pending: Option<Box<Loaded>>,
    rejected: Option<Rejected>,
    tally: Tally,
    clock: Clock,
}

fn prepare(options: &Options) -> Result<Ready, StartError> {
    let files = Folder::read(&options.config).compile(None);
    if let (Err(report), false) = (&files, Journal::is_in(&options.data)) {
        // Nothing to fall back on: nothing is made, not even a directory.
        return Err(StartError::Config(report.clone()));
    }
    store::directory(&options.data)?;
    let lock = lock::take(&options.data)?;
    restore::finish(&options.data).map_err(|why| StartError::Restore(Box::new(why)))?;
    let journal = Arc::new(Journal::open(&options.data)?);
    let before = journal.state()?;
    let forgotten = caution::forgotten(&journal, before.as_ref(), &options.data)?;
    let before = before.unwrap_or_default();
    let looped = crash_loop(&files, &journal)?;
    let candidate = journal.candidate()?;
    let Chosen { bundle, files, rejected, pending } = generation::choose(
        (files, &options.config),
        &journal,
        (&before, candidate.as_ref()),
        looped.as_ref(),
    )?;
    let bundle = Arc::new(with_interval(bundle, options));
    let cautions = forgotten.into_iter().chain(looped.map(caution::looped)).collect();
    let last = Some(before.now).filter(|now| now.0 > 0);
    let clock = Clock::resume(last, journal.moment()?.as_ref());
    journal.keep_time(&clock);
    let rules_changed = journal.generation()?.is_some_and(|(id, _)| id != bundle.generation);
    let (state, interrupted, activated) = begin(&bundle, &before, (&journal, &clock), cautions)?;
    let last_success = rejected.is_none().then(|| clock.wall());
    let tally =
        Tally { activated, reloads: Reloads { last_success, ..Reloads::default() }, ..Tally::default() };
    let rejected = rejected.map(|problems| Rejected { at: clock.now(), problems });
    if let Some(rejected) = &rejected {
        let record = Record::GenerationRejected { problems: rejected.problems.clone() };
        journal.append(clock.wall(), &[record])?;
    }
    Ok(Ready {
        lock,
        journal,
        bundle,
        files,
        state,
        interrupted,
        rules_changed,
        candidate,
        pending,
        rejected,
        tally,
        clock,
    })
}

/// Looks for a crash loop, as the files define one; where they are broken, as the newest generation does.
fn crash_loop(
    files: &Result<Loaded, Box<Report>>,
    journal: &Journal,
) -> Result<Option<CrashLoop>, JournalError> {
    let limit = match files {
        Ok(loaded) => Some(loaded.bundle.system.crash_loop),
        Err(_) => generation::newest(journal)?.map(|bundle| bundle.system.crash_loop),
    };
    let wall = Clock::start(None).wall();
    limit.map_or(Ok(None), |limit| crash_loop::find(journal, wall, limit))
}

impl Ready {
    /// A guard that knows what the start has found.
    fn guard(&self, config: &std::path::Path) -> Guard {
        let guard = Guard::new(config.to_owned());
        if self.journal.broken().is_some() {
            guard.journal(false);
        }
        if self.rules_changed {
            guard.rules_were_changed();
        }
        guard
    }

    /// What everybody may know before the first tick.
    fn picture(&self) -> Published {
        Published {
            bundle: Arc::clone(&self.bundle),
            state: Arc::new(self.state.clone()),
            admission: Arc::new(unjudged(&self.bundle, &self.state)),
            why: Arc::default(),
            rejected: self.rejected.clone(),
            shadow: None,
            unwritten: None,
            overruns: 0,
            started: self.clock.now(),
            wall_ahead_ms: 0,
            tally: self.tally.clone(),
            figures: self.journal.totals(),
        }
    }
}

fn spawn(
    mut pulse: Pulse,
    inbox: Receiver<Signal>,
    once: bool,
) -> Result<oneshot::Receiver<ExitReason>, StartError> {
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("supervisor".into())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody left to tell is no failure.
            let _ = end.send(pulse.run(&inbox, once));
        })
        .map_err(StartError::Thread)?;
    Ok(ended)
}

fn with_interval(mut bundle: Bundle, options: &Options) -> Bundle {
    bundle.system.interval = options.interval.unwrap_or(bundle.system.interval);
    bundle
}

/// Carries the last state over to the generation, and notes which acts were cut short when Grace ended. Says in
/// which entry the generation became active as well.
fn begin(
    bundle: &Bundle,
    before: &State,
    (journal, clock): (&Journal, &Clock),
    cautions: Vec<caution::Reason>,
) -> Result<(State, Vec<Performed>, i64), StartError> {
    let now = clock.now();
    let interrupted = before.in_flight();
    let old = match journal.generation()? {
        Some((id, files)) if id != bundle.generation => Folder::of(&files).compile(None).ok(),
        _ => None,
    };
    let mut adopted = adopt(bundle, old.as_ref().map(|old| &old.bundle), before, now);
    let meaning = Meaning::default();
    start_over(&mut adopted.state, meaning);
    let mut records = vec![Record::Started {
        version: env!("CARGO_PKG_VERSION").into(),
        generation: bundle.generation.clone(),
        process: std::process::id(),
        interrupted: interrupted.clone(),
        meaning,
    }];
    records.extend(adopted.records);
    records.extend(cautions.into_iter().flat_map(|reason| reason.heed(bundle, &mut adopted.state)));
    let last = journal.adopt(clock.wall(), &records, &adopted.state)?;
    let cut = |act| Performed { act, effect: Effect::Interrupted, steps: Vec::new() };
    let activated = tally::activated(last, &records);
    Ok((adopted.state, interrupted.into_iter().map(cut).collect(), activated))
}

/// Before the first tick nobody has judged the parts of this start: the gate defers until then.
fn unjudged(bundle: &Bundle, state: &State) -> crate::govern::Admission {
    let mut admission = bundle.admission(state, false);
    admission.statuses.clear();
    admission
}

fn reporter(signals: &SyncSender<Signal>) -> Reporter {
    let signals = signals.clone();
    Reporter(Arc::new(move |news| {
        let signal = match news {
            News::Failed(component) => Signal::Woke { component, occasion: Occasion::SelfReport },
            News::Exited(component) => Signal::Woke { component, occasion: Occasion::Exit },
            News::Noted(record) => Signal::Noted(record),
        };
        // Dropped only when the channel is full: then the next grid tick sees the failure.
        let _ = signals.try_send(signal);
    }))
}
