//! The control kind `process`: programs that Grace starts herself, and that go on without her.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex as Slots, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::model::{ComponentId, ProcessControl, Reading, Record, Span};
use crate::services::cgroup;
use crate::services::control::{BoxFuture, Control, ControlError};
use crate::services::identity::Identity;
use crate::services::place::{Place, Slot};
use crate::services::programs::Programs;
use crate::services::ready;
use crate::services::recover;
use crate::services::report::{News, Reporter};
use crate::services::sight::{self, Sample, count};
use crate::services::table::{Recent, Table};
use crate::services::tree::Tree;
use crate::services::watch::ended;
use crate::services::worker::Worker;

/// More workers than this on one machine are somebody's slip.
pub const MOST_WORKERS: u32 = 256;

/// Ends that are told: of which process of which worker.
pub type Told = BTreeSet<(ComponentId, u32, Identity)>;

/// One service of this kind.
pub(super) struct Process {
    id: ComponentId,
    place: Place,
    control: RwLock<(ProcessControl, u32)>,
    news: Reporter,
    table: Recent,
    /// The ends that the journal held when Grace was started.
    told: Arc<Told>,
    /// One act at a time: a try whose future was dropped lets go of it as well.
    acting: Mutex<()>,
    /// Those whose end is meant: it is no news.
    meant: Slots<BTreeSet<Identity>>,
    exits: AtomicI64,
    last_code: Slots<Option<i32>>,
    last_look: Slots<Option<Sample>>,
    programs: Programs,
    watched: Slots<BTreeMap<u32, Identity>>,
    /// Whose end was told last, of each worker; it is `told` for good when the journal holds it.
    said: Slots<BTreeMap<u32, Identity>>,
}

impl Process {
    /// The service of a component; what of it runs already is taken over.
    pub(super) fn new(
        services: &Path,
        id: &ComponentId,
        (control, workers): (ProcessControl, u32),
        (news, table, told): (Reporter, Recent, Arc<Told>),
    ) -> std::io::Result<Arc<Self>> {
        let place = Place::make(services, id.as_str())?;
        let this = Arc::new(Self {
            id: id.clone(),
            programs: Programs::new(Some(place.program())),
            place,
            control: RwLock::new((control, workers)),
            news,
            table,
            told,
            acting: Mutex::default(),
            meant: Slots::default(),
            exits: AtomicI64::new(0),
            last_code: Slots::default(),
            last_look: Slots::default(),
            watched: Slots::default(),
            said: Slots::default(),
        });
        this.adopt();
        Ok(this)
    }

    /// Another generation says otherwise. What runs goes on as it was started.
    pub(super) fn change(&self, control: ProcessControl, workers: u32) {
        *self.control.write().unwrap_or_else(PoisonError::into_inner) = (control, workers);
    }

    /// Takes over what an earlier Grace started, and tells of what ended without her.
    fn adopt(self: &Arc<Self>) {
        for (number, slot) in recover::all(&self.place).into_iter().filter(|(_, slot)| slot.lives()) {
            let (component, pid) = (self.id.as_str(), slot.main.pid);
            tracing::warn!(component, worker = number, pid, "runs, and nothing was written down of it");
        }
        for worker in self.known() {
            for main in worker.untold() {
                self.tell_late(&worker, main);
            }
            let Some(slot) = worker.slot() else { continue };
            let number = worker.number;
            if slot.lives() {
                let (component, pid) = (self.id.clone(), slot.main.pid);
                tracing::info!(component = component.as_str(), worker = number, pid, "taken over");
                let adopted = Record::ProcessAdopted { component, worker: number, pid };
                self.news.tell(News::Noted(adopted.into()));
                self.watch(worker, slot);
            } else if !worker.is_told(&slot) {
                self.tell_late(&worker, slot.main);
            }
        }
    }

    /// Tells of what ended before, unless the journal holds that already: an earlier Grace may have died in between.
    fn tell_late(self: &Arc<Self>, worker: &Worker, main: Identity) {
        if self.told.contains(&(self.id.clone(), worker.number, main)) {
            worker.written(main);
        } else {
            tokio::spawn(Arc::clone(self).tell_end(worker.clone(), main, false));
        }
    }

    /// The workers of which anything is known.
    fn known(&self) -> Vec<Worker> {
        self.place.workers().into_iter().map(|number| self.worker(number)).collect()
    }

    fn worker(&self, number: u32) -> Worker {
        Worker { place: self.place.clone(), number }
    }

    fn living(&self) -> Vec<(Worker, Slot)> {
        self.known().into_iter().filter_map(|worker| Some((worker.clone(), worker.living()?))).collect()
    }

    fn control(&self) -> ProcessControl {
        self.control.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// How many workers there should be: as somebody last said, or as the file says.
    fn wanted(&self) -> u32 {
        let declared = self.control.read().unwrap_or_else(PoisonError::into_inner).1;
        self.place.wanted(declared).unwrap_or(declared)
    }

    fn watch(self: &Arc<Self>, worker: Worker, slot: Slot) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.insert(worker.number, slot.main) != Some(slot.main) {
            drop(watched);
            tokio::spawn(Arc::clone(self).follow(worker, slot));
        }
    }

    /// Waits for the end of a worker, and tells of it: at once that it ended, then how.
    async fn follow(self: Arc<Self>, worker: Worker, slot: Slot) {
        ended(slot.main).await;
        let asked = self.meant.lock().unwrap_or_else(PoisonError::into_inner).remove(&slot.main);
        if !asked {
            self.exits.fetch_add(1, Ordering::Relaxed);
            self.news.tell(News::Exited(self.id.clone()));
        }
        self.tell_end(worker, slot.main, asked).await;
    }

    async fn tell_end(self: Arc<Self>, worker: Worker, main: Identity, asked: bool) {
        let end = worker.end_of(main).await;
        let code = end.as_ref().map(|end| end.code);
        *self.last_code.lock().unwrap_or_else(PoisonError::into_inner) = code;
        let lasted =
            end.as_ref().filter(|end| end.since_ms > 0).map_or(0, |end| (end.at_ms - end.since_ms).max(0));
        let exited = Record::ProcessExited {
            component: self.id.clone(),
            worker: worker.number,
            pid: main.pid,
            start: main.start,
            code,
            lasted: Span(lasted),
            asked,
            output: end.map(|end| end.output).unwrap_or_default(),
        };
        self.news.tell(News::Noted(exited.into()));
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(worker.number, main);
    }

    async fn start_all(self: &Arc<Self>, wanted: u32) -> Result<String, ControlError> {
        let control = self.control();
        let before = self.living().len();
        // Nothing is written down of one, or nothing sensible: perhaps somebody took that away, and it lives.
        if (0..wanted).any(|number| self.worker(number).slot().is_none()) {
            self.recover().await?;
        }
        for number in 0..wanted {
            let worker = self.worker(number);
            let slot = worker.start(self.id.as_str(), &control).await.map_err(ControlError::Failed)?;
            // Before it may end again.
            self.binary_changed(&[slot.main]);
            self.watch(worker, slot);
        }
        let pids: Vec<String> = self.living().iter().map(|(_, slot)| slot.main.pid.to_string()).collect();
        let word = if before == pids.len() { "runs already" } else { "runs" };
        Ok(format!("{word}: pid {}", pids.join(", ")))
    }

    /// What keepers have in hand, of whom nothing was written down; now it is again.
    async fn recover(&self) -> Result<(), ControlError> {
        let place = self.place.clone();
        let found = tokio::task::spawn_blocking(move || place.again().map(|()| recover::all(&place))).await;
        match found {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(why)) => Err(ControlError::Failed(format!("{}: {why}", self.place.dir().display()))),
            Err(_) => Err(ControlError::Failed("Grace is ending".into())),
        }
    }

    /// Ends the workers from this number on, all at the same time.
    async fn stop_from(&self, first: u32) -> Result<usize, ControlError> {
        let control = self.control();
        let surplus: Vec<Worker> = self.known().into_iter().filter(|worker| worker.number >= first).collect();
        let living = surplus.iter().filter_map(Worker::living).map(|slot| slot.main);
        self.meant.lock().unwrap_or_else(PoisonError::into_inner).extend(living);
        let ends = futures_util::future::join_all(surplus.iter().map(|worker| worker.stop(&control))).await;
        let mut stopped = 0;
        for end in ends {
            stopped += usize::from(end.map_err(ControlError::Failed)?);
        }
        Ok(stopped)
    }

    /// Waits until the ends of all that has ended are told, but not for long.
    pub(super) async fn all_told(&self) {
        for _ in 0..200 {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut ended = self.known().into_iter().filter_map(|worker| Some((worker.slot()?, worker)));
            if ended.all(|(slot, worker)| {
                slot.lives() || said.get(&worker.number) == Some(&slot.main) || worker.is_told(&slot)
            }) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Everything that can be seen of it. Of what does not run nobody looks through the whole table: an exit
    /// is to be healed at once.
    fn look(&self) -> BTreeMap<String, Reading> {
        let slots: Vec<Slot> = self.known().into_iter().filter_map(|worker| worker.slot()).collect();
        let mains: Vec<Identity> = slots.iter().filter(|slot| slot.lives()).map(|slot| slot.main).collect();
        let table = if mains.is_empty() { Arc::default() } else { self.table.table() };
        let mut last = self.last_look.lock().unwrap_or_else(PoisonError::into_inner);
        let mut facts = sight::facts(&mains, &table, &mut last);
        drop(last);
        let orphans: usize = slots.iter().map(|slot| self.orphans(slot, &table)).sum();
        let code = *self.last_code.lock().unwrap_or_else(PoisonError::into_inner);
        facts.extend([
            ("binary_changed".to_owned(), self.binary_changed(&mains)),
            ("wanted".to_owned(), i64::from(self.wanted()).into()),
            ("orphans".to_owned(), count(orphans)),
            ("exits".to_owned(), self.exits.load(Ordering::Relaxed).into()),
            ("exit_code".to_owned(), code.map_or(Reading::Missing, |code| i64::from(code).into())),
        ]);
        facts
    }

    /// Is the program another one than before? Where the file names one by its whole path, that one; a script is what
    /// counts, and not what runs it.
    fn binary_changed(&self, mains: &[Identity]) -> Reading {
        let named = || self.control().launch.argv.into_iter().next().filter(|first| first.starts_with('/'));
        let youngest = mains.iter().max_by_key(|main| main.start).copied();
        self.programs.changed(youngest, |main| named().map_or_else(|| main.program(), PathBuf::from))
    }

    /// How many processes outlived the one that began them, or left its family.
    fn orphans(&self, slot: &Slot, table: &Table) -> usize {
        let tree = Tree::of(slot);
        if slot.closed {
            return 0;
        }
        if !slot.lives() {
            // Everything of it is an orphan, and its group knows how much that is.
            return match &slot.group {
                Some(group) => cgroup::size(group),
                None => tree.members(&self.table.table()).len(),
            };
        }
        let family = table.descendants(&[slot.main]);
        tree.members(table).iter().filter(|one| **one != slot.main && !family.contains(one)).count()
    }

    fn want(&self, workers: u32) -> Result<(), ControlError> {
        if workers == 0 || workers > MOST_WORKERS {
            return Err(ControlError::Failed(format!(
                "{} takes 1 to {MOST_WORKERS} workers, not {workers}",
                self.id
            )));
        }
        let declared = self.control.read().unwrap_or_else(PoisonError::into_inner).1;
        self.place.want(workers, declared).map_err(|why| ControlError::Failed(why.to_string()))
    }
}

/// What stands behind the trait: the service, shared with those who follow its workers.
pub(super) struct Handle(pub(super) Arc<Process>);

impl Control for Handle {
    fn facts(&self, _within: Duration) -> BoxFuture<'_, BTreeMap<String, Reading>> {
        let process = Arc::clone(&self.0);
        Box::pin(async move { tokio::task::spawn_blocking(move || process.look()).await.unwrap_or_default() })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), ControlError>> {
        let launch = self.0.control().launch;
        Box::pin(async move {
            let checked = tokio::task::spawn_blocking(move || ready::check(&launch)).await;
            checked.unwrap_or_else(|_| Err("Grace is ending".into())).map_err(ControlError::Failed)
        })
    }

    fn start(&self, workers: Option<u32>) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let _one = self.0.acting.lock().await;
            if let Some(workers) = workers {
                self.0.want(workers)?;
            }
            self.0.start_all(self.0.wanted()).await
        })
    }

    fn stop(&self) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let _one = self.0.acting.lock().await;
            Ok(format!("{} stopped", self.0.stop_from(0).await?))
        })
    }

    fn most_workers(&self) -> Option<u32> {
        Some(MOST_WORKERS)
    }

    fn scale(&self, workers: u32) -> BoxFuture<'_, Result<String, ControlError>> {
        Box::pin(async move {
            let _one = self.0.acting.lock().await;
            self.0.want(workers)?;
            self.0.stop_from(workers).await?;
            self.0.start_all(workers).await
        })
    }
}
