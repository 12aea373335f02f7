//! The services of the active generation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::{ComponentId, ControlKind, ProcessControl, Reading, Record};
use crate::services::command::Commanded;
use crate::services::control::{BoxFuture, Control, ControlError, Controls};
use crate::services::place::Place;
use crate::services::process::{Handle, Process};
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
    known: Mutex<BTreeMap<ComponentId, Known>>,
}

#[derive(Clone)]
enum Known {
    Process(Arc<Process>),
    Command(Arc<Commanded>),
    Broken(Arc<Broken>),
}

/// A service that Grace cannot keep, and why.
struct Broken {
    why: String,
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
    /// No service yet. What is written down of processes lies in the data directory.
    #[must_use]
    pub fn new(data: &Path, news: Reporter, table: Recent) -> Self {
        Self { dir: data.join("services"), news, table, known: Mutex::default() }
    }

    /// Makes the services what a generation declares. Nothing is started or stopped by that: what runs is
    /// taken over, and of what nobody declares any more only the log tells.
    pub fn declare(&self, declared: Declared) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = BTreeMap::new();
        for (id, (control, workers)) in declared {
            let before = known.remove(&id);
            match self.one(&id, control, workers, before) {
                Ok(one) => {
                    now.insert(id, one);
                }
                Err(error) => {
                    tracing::error!(component = id.as_str(), %error, "cannot be kept");
                    now.insert(id.clone(), Known::Broken(Arc::new(Broken { why: error.to_string() })));
                }
            }
        }
        *known = now;
        self.name_strangers(&known);
    }

    fn one(
        &self,
        id: &ComponentId,
        control: ControlKind,
        workers: u32,
        before: Option<Known>,
    ) -> std::io::Result<Known> {
        Ok(match (control, before) {
            (ControlKind::Process(control), Some(Known::Process(process))) => {
                process.change(control, workers);
                Known::Process(process)
            }
            (ControlKind::Process(control), _) => Known::Process(Process::new(
                &self.dir,
                id,
                (control, workers),
                (self.news.clone(), self.table.clone()),
            )?),
            (ControlKind::Command(control), _) => {
                Known::Command(Arc::new(Commanded { id: id.clone(), control }))
            }
        })
    }

    /// Every service of the kind, and whatever of others was started once and not declared since.
    fn all(&self) -> Vec<Arc<Process>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Arc<Process>> = Vec::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let id = ComponentId::from(name);
            if !matches!(known.get(&id), Some(Known::Process(_))) {
                let stranger = (ProcessControl::unknown(), 1);
                let told = (self.news.clone(), self.table.clone());
                all.extend(Process::new(&self.dir, &id, stranger, told).inspect_err(|error| {
                    tracing::error!(component = id.as_str(), %error, "cannot be stopped");
                }));
            }
        }
        all.extend(known.values().filter_map(|one| {
            if let Known::Process(process) = one { Some(Arc::clone(process)) } else { None }
        }));
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
            if let Record::ProcessExited { component, worker, pid, .. } = record {
                let place = Place::at(&self.dir.join(component.as_str()));
                Worker { place, number: *worker }.written(*pid);
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
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match known.get(component)? {
            Known::Process(process) => Arc::new(Handle(Arc::clone(process))),
            Known::Command(command) => Arc::clone(command) as Arc<dyn Control>,
            Known::Broken(broken) => Arc::clone(broken) as Arc<dyn Control>,
        })
    }
}
