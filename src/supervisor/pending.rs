//! Files that wait, whole and valid, until somebody approves that they become active.

use tokio::sync::oneshot;

use crate::config::Loaded;
use crate::model::{Act, Request};
use crate::supervisor::pulse::Pulse;

impl Pulse {
    /// Keeps files, and asks for their activation with the next tick.
    pub(super) fn let_wait(&mut self, loaded: Box<Loaded>) {
        let generation = Some(loaded.bundle.generation.clone());
        self.pending = Some(loaded);
        self.ask_as_files(Request::Activate { generation });
    }

    /// The files changed again: what waited is void.
    pub(super) fn forget_pending(&mut self) {
        if self.pending.take().is_some() {
            self.ask_as_files(Request::Activate { generation: None });
        }
    }

    fn ask_as_files(&mut self, request: Request) {
        // Nobody waits for the answer: what follows from it is in the state.
        let (reply, _) = oneshot::channel();
        self.ask("configuration".into(), "the files changed".into(), request, reply);
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
                format!("generation {short} was not approved; save the files again to have it asked anew")
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
