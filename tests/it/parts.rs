//! The four parts in a directory of their own, with everything a test wants to turn and read.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grace::components::{Components, Context, Fault, Receipt};
use grace::govern::{Admission, Because};
use grace::model::{BUILTINS, ComponentId, Reading, Record, Status, Time, Write, Writes};
use grace::record::{Clock, Journal};
use grace::services::{Control, News, Reporter};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const REFLECTION: &str = "reflection_service";
pub(crate) const DATABASE: &str = "database";
pub(crate) const EXECUTOR: &str = "task_executor";
pub(crate) const MESH: &str = "trigger_mesh";

/// What a probe of the shipped rules may take.
pub(crate) const PROBE: Duration = Duration::from_secs(2);

pub(crate) struct Parts {
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Clock,
    pub(crate) admission: watch::Sender<Admission>,
    reports: Arc<Mutex<Vec<ComponentId>>>,
    pub(crate) components: Components,
    // The last to be dropped.
    pub(crate) dir: Arc<TempDir>,
}

impl Parts {
    pub(crate) async fn start() -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().expect("a directory"))).await
    }

    pub(crate) async fn start_in(dir: Arc<TempDir>) -> Self {
        let journal = Arc::new(Journal::open(dir.path()).expect("the journal opens"));
        let clock = Clock::start(None);
        let (admission, admitted) = watch::channel(admission(Writes::Allow, Status::Ok));
        let reports: Arc<Mutex<Vec<ComponentId>>> = Arc::default();
        let noted = Arc::clone(&reports);
        let context = Context {
            dir: dir.path().into(),
            journal: Arc::clone(&journal),
            clock: clock.clone(),
            admission: admitted,
            report: Reporter(Arc::new(move |news| {
                if let News::Failed(id) = news {
                    noted.lock().expect("no panic").push(id);
                }
            })),
            workers: BTreeMap::new(),
        };
        let components = Components::start(context).await.expect("starts");
        Self { journal, clock, admission, reports, components, dir }
    }

    /// Ends as in a crash and starts anew in the same directory.
    pub(crate) async fn crash(self) -> Self {
        let (dir, journal) = (Arc::clone(&self.dir), Arc::downgrade(&self.journal));
        drop(self);
        // A call that was under way has its end; two Graces never write to one journal.
        eventually("nothing is left", async || journal.strong_count() == 0).await;
        Self::start_in(dir).await
    }

    pub(crate) fn part(&self, component: &str) -> Arc<dyn Control> {
        self.components.get(&component.into()).expect("it is one of the four")
    }

    pub(crate) async fn facts(&self, component: &str) -> BTreeMap<String, Reading> {
        self.part(component).facts(PROBE).await
    }

    pub(crate) async fn fact(&self, component: &str, name: &str) -> Reading {
        self.facts(component).await.remove(name).unwrap_or_else(|| panic!("{component} has {name}"))
    }

    pub(crate) async fn number(&self, component: &str, name: &str) -> f64 {
        let reading = self.fact(component, name).await;
        serde_json::to_value(&reading).expect("serialises").as_f64().unwrap_or_else(|| panic!("{reading:?}"))
    }

    pub(crate) async fn inject(&self, component: &str, fault: Fault) {
        self.components.inject(&component.into(), &fault).await.expect("the fault is known");
    }

    pub(crate) async fn restart(&self, component: &str) {
        self.part(component).stop().await.expect("stops");
        self.part(component).start(None).await.expect("starts");
    }

    pub(crate) fn admit(&self, writes: Writes, database: Status) {
        self.admission.send_replace(admission(writes, database));
    }

    pub(crate) fn reports(&self) -> Vec<String> {
        self.reports.lock().expect("no panic").iter().map(ToString::to_string).collect()
    }

    pub(crate) async fn task(&self, text: &str) -> Receipt {
        self.components.gate().write(None, task(text)).await.expect("is accepted")
    }

    /// The texts of all tasks in the working database, in the order of their rows.
    pub(crate) fn tasks(&self) -> Vec<String> {
        self.rows("SELECT text FROM tasks ORDER BY seq")
    }

    /// What stands in the file, whatever the components say.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        let file = self.dir.path().join("grace.db");
        let connection = rusqlite::Connection::open(file).expect("opens");
        connection.busy_timeout(Duration::from_secs(5)).expect("waits");
        let mut statement = connection.prepare(query).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("asks");
        rows.collect::<Result<_, _>>().expect("reads")
    }

    pub(crate) fn append(&self, records: &[Record]) -> i64 {
        self.journal.append(self.clock.wall(), records).expect("appends")
    }

    pub(crate) async fn drained(&self) {
        eventually("everything is drained", async || self.components.gate().queued() == 0).await;
    }
}

pub(crate) fn admission(writes: Writes, database: Status) -> Admission {
    let mode = Because { mode: "some_mode".into(), reason: "a test".into(), since: Time(0) };
    Admission {
        writes,
        no_writes: (writes != Writes::Allow).then(|| mode.clone()),
        no_control: None,
        mode,
        holds: Vec::new(),
        stop: false,
        stop_since: None,
        statuses: BTreeMap::from([(DATABASE.into(), (database, Time(0)))]),
    }
}

pub(crate) fn task(text: &str) -> Write {
    Write::Task { text: text.into(), by: "uid:0".into(), at: Time(0) }
}

/// A record that is carried as `health.component_failed`.
pub(crate) fn failed(component: &str) -> Record {
    Record::StatusChanged {
        component: component.into(),
        from: Status::Ok,
        to: Status::Critical,
        failures: 1,
        reason: "a test".into(),
    }
}

/// Waits for something that takes a moment, and gives up loudly.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn all() -> [&'static str; 4] {
    BUILTINS.each_ref().map(|spec| spec.component)
}

/// Does it end within the time?
pub(crate) async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("{what} takes longer than {limit:?}"))
}
