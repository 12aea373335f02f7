//! Files that wait, whole and valid, until somebody approves that they become active.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use crate::config::{Loaded, changes, files_changed};
use crate::model::{Act, Actor, Asked, Request};
use crate::supervisor::pulse::Pulse;

impl Pulse {
    /// Keeps files, and asks for their activation with the next tick.
    pub(super) fn let_wait(&mut self, loaded: Box<Loaded>) {
        let (before, after) = (&self.bundle.files, &loaded.bundle.files);
        let files = files_changed(before, after);
        let reason = format!("the files changed: {}", listed(&files));
        let request = Request::Activate {
            generation: Some(loaded.bundle.generation.clone()),
            changes: changes(before, after),
            editors: self.editors(&loaded, &files),
        };
        self.pending = Some(loaded);
        self.ask_as_files(reason, request);
    }

    /// Who edited the files, as far as that is known: whose those are that changed, and who promoted the set. Whose a file
    /// was that is gone nobody knows.
    fn editors(&self, loaded: &Loaded, files: &[(String, &str)]) -> BTreeSet<Actor> {
        let owners = files.iter().filter_map(|(name, _)| loaded.owners.get(name));
        let mut editors: BTreeSet<Actor> = owners.map(|uid| Actor::from(format!("uid:{uid}"))).collect();
        let promoted = self.shadow.as_ref().filter(|shadow| {
            shadow.told.generation == loaded.bundle.generation && shadow.promoting.is_some()
        });
        if let Some(shadow) = promoted {
            editors.extend(shadow.promoting.iter().map(|(actor, _)| actor.clone()));
            editors.extend(shadow.promoter.clone());
        }
        editors
    }

    /// The files changed again: what waited is void.
    pub(super) fn forget_pending(&mut self) {
        if self.pending.take().is_some() {
            let nothing =
                Request::Activate { generation: None, changes: Vec::new(), editors: BTreeSet::new() };
            self.ask_as_files("the files changed".into(), nothing);
        }
    }

    fn ask_as_files(&mut self, reason: String, request: Request) {
        // Nobody waits for the answer: what follows from it is in the state.
        let (reply, _) = oneshot::channel();
        self.ask(Asked::by("configuration".into(), reason, request), reply);
    }

    /// A step is done: takes over what was approved, and tells what became of what was not.
    pub(super) fn look_at_pending(&mut self) {
        let Some(loaded) = &self.pending else { return };
        let (governed, generation) = (&self.state.governed, &loaded.bundle.generation);
        if governed.activation.as_ref() == Some(generation) {
            // The state may have changed meanwhile: everything is looked at again.
            return self.pending.take().into_iter().for_each(|loaded| self.reload(Ok(loaded)));
        }
        let about = |act: &Act| matches!(act, Act::Activate { generation: of } if of == generation);
        let waits = governed.approvals.iter().find(|(_, known)| about(&known.proposal.act));
        let short = generation.short();
        let says = match waits {
            Some((id, _)) => format!(
                "generation {short} waits for approval {id}: `grace approve {id} --reason ...` makes it active"
            ),
            None => {
                format!(
                    "generation {short} was not approved; change the files, or send SIGHUP (`systemctl reload grace`) to have it \
                     asked anew"
                )
            }
        };
        if waits.is_none() {
            self.pending = None;
        }
        self.tell_of_pending(says);
    }

    fn tell_of_pending(&mut self, says: String) {
        let Some(rejected) = &mut self.published.rejected else { return };
        if rejected.problems != [says.as_str()] {
            tracing::warn!("{says}");
            rejected.problems = vec![says];
            self.publish();
        }
    }
}

/// The names of the files for a sentence; a long list is cut, and says so.
fn listed(files: &[(String, &str)]) -> String {
    const SHOWN: usize = 6;
    let names: Vec<&str> = files.iter().take(SHOWN).map(|(name, _)| name.as_str()).collect();
    let more = files.len().saturating_sub(SHOWN);
    if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
}
