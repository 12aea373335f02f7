//! The services of the active generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::{ComponentId, ControlKind, ProcessControl, Reading, Record};
use crate::services::command::Commanded;
use crate::services::control::{BoxFuture, Control, ControlError, Controls};
use crate::services::identity::Identity;
use crate::services::place::Place;
use crate::services::process::{Handle, Process, Told};
use crate::services::report::Reporter;
use crate::services::table::Recent;
use crate::services::worker::Worker;

/// What the files say of each service: its control, and how many workers it has.
pub type Declared = BTreeMap<ComponentId, (ControlKind, u32)>;

/// Every service that is none of Grace's own parts.
pub struct Services {
    dir: PathBuf,
    news: Reporter,
    table: Recent,
    told: Arc<Told>,
    known: Mutex<BTreeMap<ComponentId, Known>>,
    /// What was started once and is not declared any more; it may be again.
    strangers: Mutex<BTreeMap<ComponentId, Arc<Process>>>,
}

#[derive(Clone)]
enum Known {
    Process(Arc<Process>),
    Command(Arc<Commanded>),
    Broken(Arc<Broken>),
}

impl Known {
    fn process(&self) -> Option<Arc<Process>> {
        if let Self::Process(process) = self { Some(Arc::clone(process)) } else { None }
    }
}

/// A service that Grace cannot keep, and why; she tries again whenever somebody wants something of it.
struct Broken {
    why: String,
    control: ProcessControl,
    workers: u32,
}

impl Broken {
    fn refuse(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async { Err(ControlError::Failed(self.why.clone())) })
    }
}

impl Control for Broken {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        // Nobody can tell: every fact is missing.
        Box::pin(async { BTreeMap::new() })
    }

    fn start(&self, _workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        self.refuse()
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        self.refuse()
    }

    fn scale(&self, _workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        self.refuse()
    }
}

impl Services {
    /// No service yet. What is written down of processes lies in the data directory; the ends that the journal holds
    /// are not `told` again.
    #[must_use]
    pub fn new(data: &Path, news: Reporter, table: Recent, told: Told) -> Self {
        let (dir, told) = (data.join("services"), Arc::new(told));
        Self { dir, news, table, told, known: Mutex::default(), strangers: Mutex::default() }
    }

    /// Makes the services what a generation declares. Nothing is started or stopped by that: what runs is
    /// taken over, and of what nobody declares any more only the log tells.
    pub fn declare(&self, declared: Declared) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeMap::new();
        for (id, (control, workers)) in declared {
            let before = known.remove(&id);
            let one = self.one(&id, control, workers, before);
            if let Known::Broken(broken) = &one {
                tracing::error!(component = id.as_str(), error = broken.why, "cannot be kept");
            }
            now.insert(id, one);
        }
        let gone = known.iter().filter_map(|(id, one)| Some((id.clone(), one.process()?)));
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).extend(gone);
        *known = now;
        self.name_strangers(&known);
    }

    /// The service of a component as it was, or is found, with this control.
    fn process(
        &self,
        id: &ComponentId,
        control: ProcessControl,
        workers: u32,
    ) -> std::io::Result<Arc<Process>> {
        let before = self.strangers.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(process) = before {
            process.change(control, workers);
            return Ok(process);
        }
        let told = (self.news.clone(), self.table.clone(), Arc::clone(&self.told));
        Process::new(&self.dir, id, (control, workers), told)
    }

    fn one(&self, id: &ComponentId, control: ControlKind, workers: u32, before: Option<Known>) -> Known {
        match (control, before) {
            (ControlKind::Process(control), Some(Known::Process(process))) => {
                process.change(control, workers);
                Known::Process(process)
            }
            (ControlKind::Process(control), _) => self.kept(id, control, workers),
            (ControlKind::Command(control), before) => {
                if let Some(process) = before.and_then(|before| before.process()) {
                    self.strangers.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), process);
                }
                Known::Command(Arc::new(Commanded { id: id.clone(), control }))
            }
        }
    }

    fn kept(&self, id: &ComponentId, control: ProcessControl, workers: u32) -> Known {
        match self.process(id, control.clone(), workers) {
            Ok(process) => Known::Process(process),
            Err(error) => Known::Broken(Arc::new(Broken { why: error.to_string(), control, workers })),
        }
    }

    /// Every service of the kind, and whatever of others was started once and not declared since.
    fn all(&self) -> Vec<Arc<Process>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Arc<Process>> = Vec::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let id = ComponentId::from(name);
            if !matches!(known.get(&id), Some(Known::Process(_))) {
                let stranger = self.process(&id, ProcessControl::unknown(), 1).inspect_err(|error| {
                    tracing::error!(component = id.as_str(), %error, "cannot be stopped");
                });
                all.extend(stranger);
            }
        }
        all.extend(known.values().filter_map(Known::process));
        all
    }

    /// Processes that run for a component nobody declares: they go on, and somebody should know.
    fn name_strangers(&self, known: &BTreeMap<ComponentId, Known>) {
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if matches!(known.get(name.as_str()), Some(Known::Process(_))) {
                continue;
            }
            let place = Place::at(&entry.path());
            for slot in place.workers().into_iter().filter_map(|number| place.read(number)) {
                if slot.lives() {
                    let pid = slot.main.pid;
                    tracing::warn!(component = name, pid, "runs on, and no rule file declares its process");
                }
            }
        }
    }

    /// The journal holds these: the ends among them are told for good.
    pub fn written(&self, records: &[Record]) {
        for record in records {
            if let Record::ProcessExited { component, worker, pid, start, .. } = record {
                let place = Place::at(&self.dir.join(component.as_str()));
                Worker { place, number: *worker }.written(Identity { pid: *pid, start: *start });
            }
        }
    }

    /// Ends every process that Grace started, each as its file says; those that no file declares any more as well.
    pub async fn end_all(&self, within: Duration) {
        let ends = self.all().into_iter().map(|process| async move {
            let stopped = Handle(Arc::clone(&process)).stop().await;
            process.all_told().await;
            stopped
        });
        let all = futures_util::future::join_all(ends);
        let Ok(ends) = tokio::time::timeout(within, all).await else {
            return tracing::error!("the services did not end in time");
        };
        for error in ends.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "a service could not be stopped");
        }
    }
}

impl Controls for Services {
    fn control(&self, component: &ComponentId) -> Option<Arc<dyn Control>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // What was in the way may be mended by now.
        if let Some(Known::Broken(broken)) = known.get(component) {
            let again = self.kept(component, broken.control.clone(), broken.workers);
            known.insert(component.clone(), again);
        }
        Some(match known.get(component)? {
            Known::Process(process) => Arc::new(Handle(Arc::clone(process))),
            Known::Command(command) => Arc::clone(command) as Arc<dyn Control>,
            Known::Broken(broken) => Arc::clone(broken) as Arc<dyn Control>,
        })
    }
}
