//! The kind `process`, for processes that somebody else starts: by the number in a file, or by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use crate::model::{ComponentId, Reading, Whose};
use crate::probe::{Eyes, Found};
use crate::services::{Identity, Programs, Table, find, sight, user};

impl Eyes {
    /// Looks at them, and from then on notices at once when one of them ends.
    pub(super) async fn processes(&self, component: &ComponentId, probe: &str, whose: &Whose) -> Found {
        let key = (component.clone(), probe.to_owned());
        let before = self.samples.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied().flatten();
        let (whose, table) = (whose.clone(), self.table.clone());
        let look = tokio::task::spawn_blocking(move || {
            let table = table.table();
            let believed = before.map(|sample| sample.oldest);
            let mains = mains(&whose, &table, believed)?;
            let mut sample = before;
            let facts = sight::facts(&mains, &table, &mut sample);
            Ok::<_, String>((mains, facts, sample))
        });
        let (mains, mut facts, sample) = look.await.map_err(|_| "Grace is ending".to_owned())??;
        let youngest = mains.iter().max_by_key(|main| main.start).copied();
        let mut known = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let programs = known.entry(key.clone()).or_insert_with(|| Programs::new(None));
        facts.insert("binary_changed".to_owned(), programs.changed(youngest, Identity::program));
        drop(known);
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).insert(key, sample);
        self.watch.over(component, &mains);
        complete(&mut facts);
        Ok(facts)
    }
}

fn mains(whose: &Whose, table: &Table, believed: Option<Identity>) -> Result<Vec<Identity>, String> {
    match whose {
        // The control knows its own; it is asked before.
        Whose::Own => Ok(Vec::new()),
        Whose::PidFile { path, name } => {
            Ok(find::by_pid_file(Path::new(path), name.as_deref(), believed)?.into_iter().collect())
        }
        // Who was there a moment ago may have ended since.
        Whose::Name { name, user } => {
            let uid = user.as_deref().map(user::find).transpose()?.map(|user| user.uid.as_raw());
            Ok(find::by_name(table, name, uid).into_iter().filter(|found| found.is_alive()).collect())
        }
    }
}

/// What only who starts a process can know: how many are wanted, and how they ended.
fn complete(facts: &mut BTreeMap<String, Reading>) {
    facts.insert("wanted".to_owned(), Reading::from(1));
    facts.insert("orphans".to_owned(), Reading::from(0));
}
