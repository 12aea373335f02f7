//! HTTP: one router on the unix socket and on loopback TCP.
//!
//! Every route declares the permission it asks for (`routes`), and who may it is asked before its handler runs (`access`). Every
//! request that changes something becomes a question to the supervisor, meets the same policies as a rule, and
//! is answered once its step is durable (`reply`). Lists come from what the supervisor last published and
//! from the journal, which is read through connections of its own. Nothing here decides anything.
//!
//! What goes over the wire is [`shapes`]; what goes wrong is a [`Problem`].

mod accept;
mod access;
mod admission;
mod approvals;
mod body;
mod events;
mod faults;
mod figures;
mod guests;
mod health;
mod holds;
mod journal;
mod listed;
mod listen;
mod metrics;
mod modes;
mod paging;
mod patient;
mod probes;
mod problem;
mod query;
mod recommendations;
mod rehearsal;
mod reply;
mod router;
mod routes;
mod rules;
mod server;
mod shadow;
pub mod shapes;
mod socket;
mod status;
mod tasks;
mod tls;
mod tokens;
mod touched;
mod waiting;
mod weighed;
mod worded;

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub use events::page as events_page;
pub use listen::{Listen, ListenError, Tcp};
pub use problem::{Problem, code};
pub use server::Server;
pub use socket::{SocketError, find as find_socket};
pub use tls::{TlsError, TlsFiles};

use crate::supervisor::Handle;
use access::{Pace, Peer, Repeats};
use journal::Journal;

/// What handlers reach. Each layer of each request takes it along: one count to turn, not one for each of its parts.
#[derive(Clone)]
struct Api(Arc<Reach>);

impl Deref for Api {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.0
    }
}

struct Reach {
    handle: Handle,
    journal: Journal,
    newest: watch::Receiver<Arc<events::Newest>>,
    /// True once Grace is stopping: whoever waits or follows is let go.
    closing: watch::Receiver<bool>,
    streams: Streams,
    exports: Streams,
    pace: Arc<Pace>,
    repeats: Arc<Repeats>,
    rehearsals: rehearsal::Rehearsals,
}

/// So many exports of the journal run at the same time on each way in: each holds a batch of entries.
const EXPORTS: usize = 16;

/// Places for followers of events, or for exports. TCP has its own, so that nobody there can crowd out the socket.
#[derive(Clone)]
struct Streams {
    socket: Arc<Semaphore>,
    loopback: Arc<Semaphore>,
}

impl Streams {
    /// A place, where there is one for whoever comes this way.
    fn place(&self, peer: &Peer) -> Option<OwnedSemaphorePermit> {
        let places = match peer {
            Peer::Socket(_) => &self.socket,
            Peer::Loopback | Peer::Remote => &self.loopback,
        };
        Arc::clone(places).try_acquire_owned().ok()
    }
}

impl Api {
    fn new(handle: Handle, closing: watch::Receiver<bool>) -> Self {
        let repeats = Repeats::of(handle.data(), handle.clock().now());
        let journal = Journal::new(handle.data().to_owned(), handle.tail());
        let newest = events::start(journal.clone(), handle.tail());
        // Half of the connections, so that followers leave room for those who ask.
        let places = || Arc::new(Semaphore::new(server::connections() as usize / 2));
        let exports = || Arc::new(Semaphore::new(EXPORTS));
        Self(Arc::new(Reach {
            handle,
            journal,
            newest,
            closing,
            streams: Streams { socket: places(), loopback: places() },
            exports: Streams { socket: exports(), loopback: exports() },
            pace: Pace::new().into(),
            repeats: Arc::new(repeats),
            rehearsals: rehearsal::Rehearsals::default(),
        }))
    }
}
