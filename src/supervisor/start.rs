//! From nothing to a running supervisor: everything that can fail does so before anything acts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::{oneshot, watch};

use crate::components::{Components, Context, Reporter};
use crate::config::{Folder, Loaded, watch as follow};
use crate::engine::{Bundle, State, adopt, conflicts};
use crate::model::{Effect, Occasion, Performed, Record};
use crate::record::{Clock, Journal, JournalError};
use crate::say::Report;
use crate::store;
use crate::supervisor::lock::{self, Lock};
use crate::supervisor::pulse::{Pulse, World};
use crate::supervisor::signal::Signal;
use crate::supervisor::{Handle, Options, Published, Rejected};

/// More signals than this waiting means that something floods Grace; further ones are refused or dropped.
const SIGNALS: usize = 4096;

/// Rhai's recursion and a bundle's size are bounded; this leaves room for both many times over.
const STACK: usize = 16 * 1024 * 1024;

/// Why Grace did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {source}")]
    DataDirectory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be made.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Another Grace runs on it.
    #[error("another Grace runs on {path}; stop it first, or name another directory with `--data`")]
    AlreadyRunning {
        /// The data directory.
        path: PathBuf,
    },
    /// The journal cannot be used.
    #[error("the journal cannot be used: {0}")]
    Journal(#[from] JournalError),
    /// The files are not valid, and there is no generation to fall back on.
    #[error("the rules and policies are not valid")]
    Config(Box<Report>),
    /// The operating system gives no thread.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

/// A supervisor that runs.
pub struct Running {
    handle: Handle,
    ended: oneshot::Receiver<ExitReason>,
    lock: Lock,
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
    let (publish, picture) = watch::channel(Arc::new(ready.picture()));
    let (admit, admission) = watch::channel(unjudged(&ready.bundle, &ready.state));
    let (signals, inbox) = sync_channel(SIGNALS);
    let context = Context {
        dir: options.data.clone(),
        journal: Arc::clone(&ready.journal),
        clock: ready.clock.clone(),
        admission,
        report: reporter(&signals),
        workers: ready.bundle.components.values().find_map(|component| component.workers).unwrap_or(3),
    };
    let components = Arc::new(Components::start(context).await?);
    let to = signals.clone();
    let deliver = move |loaded| to.send(Signal::Files(loaded)).is_ok();
    let files = follow::follow(options.config.clone(), ready.bundle.files.clone(), deliver)
        .map_err(StartError::Thread)?;
    let handle = Handle {
        signals,
        files: files.hints(),
        published: picture,
        components: Arc::clone(&components),
        clock: ready.clock.clone(),
        data: options.data.clone(),
        allow_faults: options.allow_faults,
    };
    let world = World {
        journal: ready.journal,
        components,
        clock: ready.clock,
        runtime: tokio::runtime::Handle::current(),
        signals: handle.signals.clone(),
        publish,
        admit,
        stop_file: options.data.join("STOP"),
        on_tick: options.on_tick.clone(),
        _files: files,
    };
    let pulse = Pulse::new(world, ready.bundle, ready.state, options.interval, ready.interrupted);
    let ended = spawn(pulse, inbox, options.once)?;
    Ok(Running { handle, ended, lock: ready.lock })
}

/// Everything there is before the first part runs.
struct Ready {
    lock: Lock,
    journal: Arc<Journal>,
    bundle: Arc<Bundle>,
    state: State,
    interrupted: Vec<Performed>,
    rejected: Option<Rejected>,
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
    let journal = Arc::new(Journal::open(&options.data)?);
    let before = journal.state()?;
    if before.is_none() && options.data.join("grace.db").exists() {
        tracing::warn!(
            "the journal is new, and the data directory is not: holds, blocks and claims are forgotten"
        );
    }
    let before = before.unwrap_or_default();
    let (bundle, rejected) = generation(files, options, &journal, &before)?;
    let clock = Clock::start(Some(before.now).filter(|now| now.0 > 0));
    let (state, interrupted) = begin(&bundle, &before, &journal, &clock)?;
    let rejected = rejected.map(|problems| Rejected { at: clock.now(), problems });
    if let Some(rejected) = &rejected {
        let record = Record::GenerationRejected { problems: rejected.problems.clone() };
        journal.append(clock.wall(), &[record])?;
    }
    Ok(Ready { lock, journal, bundle, state, interrupted, rejected, clock })
}

impl Ready {
    /// What everybody may know before the first tick.
    fn picture(&self) -> Published {
        Published {
            bundle: Arc::clone(&self.bundle),
            state: Arc::new(self.state.clone()),
            why: Arc::default(),
            rejected: self.rejected.clone(),
            unwritten: None,
            stop: false,
            overruns: 0,
            started: self.clock.now(),
            wall_ahead_ms: 0,
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

/// The generation to start with: the files', or the last good one where they are broken.
fn generation(
    files: Result<Loaded, Box<Report>>,
    options: &Options,
    journal: &Journal,
    before: &State,
) -> Result<(Arc<Bundle>, Option<Vec<String>>), StartError> {
    let report = match files {
        Ok(Loaded { bundle, report }) => {
            let clash = conflicts(&bundle, before);
            if clash.is_empty() {
                warn(&report);
                return Ok((Arc::new(with_interval(bundle, options)), None));
            }
            let found = clash
                .into_iter()
                .map(|why| crate::say::Diagnostic::error(crate::say::Code::UnknownMode, why));
            Box::new(Report { diagnostics: found.collect(), ..Report::default() })
        }
        Err(report) => report,
    };
    let problems = crate::say::short(&report);
    let last = journal.generation()?.and_then(|(_, files)| Folder::of(&files).compile(None).ok());
    let Some(last) = last else { return Err(StartError::Config(report)) };
    for line in &problems {
        tracing::error!("{line}");
    }
    tracing::error!(
        generation = last.bundle.generation.as_str(),
        "the files are broken: the last good generation is used"
    );
    Ok((Arc::new(with_interval(last.bundle, options)), Some(problems)))
}

/// Says in the log what somebody should look at.
pub(super) fn warn(report: &Report) {
    for line in crate::say::short(report) {
        tracing::warn!("{line}");
    }
}

fn with_interval(mut bundle: Bundle, options: &Options) -> Bundle {
    bundle.system.interval = options.interval.unwrap_or(bundle.system.interval);
    bundle
}

/// Carries the last state over to the generation, and notes which acts were cut short when Grace ended.
fn begin(
    bundle: &Bundle,
    before: &State,
    journal: &Journal,
    clock: &Clock,
) -> Result<(State, Vec<Performed>), StartError> {
    let now = clock.now();
    let interrupted = before.in_flight();
    let old = match journal.generation()? {
        Some((id, files)) if id != bundle.generation => Folder::of(&files).compile(None).ok(),
        _ => None,
    };
    let adopted = adopt(bundle, old.as_ref().map(|old| &old.bundle), before, now);
    let mut records = vec![Record::Started {
        version: env!("CARGO_PKG_VERSION").into(),
        generation: bundle.generation.clone(),
        process: std::process::id(),
        interrupted: interrupted.clone(),
    }];
    records.extend(adopted.records);
    journal.adopt(clock.wall(), &records, &adopted.state)?;
    let cut = |act| Performed { act, effect: Effect::Interrupted, steps: Vec::new() };
    Ok((adopted.state, interrupted.into_iter().map(cut).collect()))
}

/// Before the first tick nobody has judged the parts of this start: the gate defers until then.
fn unjudged(bundle: &Bundle, state: &State) -> crate::model::Admission {
    let mut admission = bundle.admission(state);
    admission.statuses.clear();
    admission
}

fn reporter(signals: &SyncSender<Signal>) -> Reporter {
    let signals = signals.clone();
    Reporter(Arc::new(move |component| {
        // Dropped only when the channel is full: then the next grid tick sees the failure.
        let _ = signals.try_send(Signal::Woke { component, occasion: Occasion::SelfReport });
    }))
}
