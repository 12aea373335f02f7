//! Serves the router: a bounded number of connections, each with a bound on how long it may keep us waiting.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::AddExtension;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tower_layer::Layer;

use crate::api::accept::{Accept, Plain, Secret};
use crate::api::access::Peer;
use crate::api::guests::{Guest, Guests};
use crate::api::patient::Patient;
use crate::api::router::router;
use crate::api::worded::{HEAD_BYTES, Worded};
use crate::api::{Api, SocketError, Tcp, socket};
use crate::supervisor::Handle;

/// Connections on each way in, at the most and where hardly any files may be open. The next one takes the place of whoever
/// is at rest, or waits in the kernel's queue.
const MOST: u32 = 2_048;
const FEWEST: u32 = 64;

/// The head of a request has to be there within this time, and a connection at rest is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// More headers do not fit into the bytes of a head: the shortest has a letter, a colon and the end of its line.
const HEADERS: usize = HEAD_BYTES / 4;

/// Whoever reads nothing of an answer for so long is hung up on. Longer than the signs of life of a stream are
/// apart, so that a stalled follower is found.
const READS_WITHIN: Duration = Duration::from_mins(1);

/// The pause after an accept that failed, for want of file descriptors as a rule.
const PAUSE: Duration = Duration::from_millis(200);

/// The running server.
pub struct Server {
    data: PathBuf,
    socket: PathBuf,
    /// The file that the socket's path meant when it was bound.
    bound: Option<(u64, u64)>,
    address: Option<SocketAddr>,
    url: Option<String>,
    closing: watch::Sender<bool>,
    doors: Vec<Door>,
}

/// One way in: its accept loop, and who is connected.
struct Door {
    guests: Arc<Guests>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Makes the socket, and serves it and TCP.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(handle: &Handle, tcp: Option<Tcp>) -> Result<Self, SocketError> {
        let data = handle.data().to_owned();
        let group = handle.published().bundle.system.socket_group.clone();
        let (listener, socket) = socket::bind(&data, group.as_deref())?;
        let (closing, closed) = watch::channel(false);
        let router = router(Api::new(handle.clone(), closed));
        let (address, url) = (tcp.as_ref().map(|tcp| tcp.address), tcp.as_ref().map(Tcp::url));
        let mut doors = vec![open(listener, &router, &closing)];
        doors.extend(tcp.map(|Tcp { listener, tls, .. }| match tls {
            None => open(Plain(listener), &router, &closing),
            Some(tls) => open(Secret(listener, tls), &router, &closing),
        }));
        let bound = socket::identity(&socket);
        Ok(Self { data, socket, bound, address, url, closing, doors })
    }

    /// Where TCP is listened on.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The same as a browser wants it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Where the socket lies.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Takes no more connections, lets go whoever waits or follows, and waits for answers under way.
    pub async fn stop(self, within: Duration) {
        self.closing.send_replace(true);
        socket::remove(&self.data, &self.socket, self.bound);
        let deadline = tokio::time::Instant::now() + within;
        for door in self.doors {
            door.task.abort();
            let _ = tokio::time::timeout_at(deadline, door.guests.all_gone(connections())).await;
        }
    }
}

/// So many connections a way in has: a quarter of what this process may have open, for files, services and probes need
/// theirs.
pub(super) fn connections() -> u32 {
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u32::try_from(open / 4).unwrap_or(MOST).clamp(FEWEST, MOST)
}

fn open(listener: impl Accept, router: &Router, closing: &watch::Sender<bool>) -> Door {
    let guests = Guests::new(connections() as usize);
    let task = tokio::spawn(accept(listener, router.clone(), Arc::clone(&guests), closing.subscribe()));
    Door { guests, task }
}

async fn accept(listener: impl Accept, router: Router, guests: Arc<Guests>, closing: watch::Receiver<bool>) {
    let listener = Arc::new(listener);
    loop {
        let place = guests.place().await;
        match listener.accept().await {
            Ok((raw, peer)) => {
                let (listener, closing) = (Arc::clone(&listener), closing.clone());
                let guest = guests.welcome(place);
                // Around the router as it is: `Router::layer` would copy every route for each connection.
                let service = Extension(Arc::clone(&guest)).layer(Extension(peer).layer(router.clone()));
                tokio::spawn(async move {
                    // Whoever does not get through the greeting in time is the client's affair.
                    let greeted = timeout(HEAD_WITHIN, listener.greet(raw));
                    let stream = tokio::select! {
                        greeted = greeted => greeted,
                        () = guest.sent_away() => return,
                    };
                    if let Ok(Ok(stream)) = stream {
                        serve(stream, service, guest, closing).await;
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The router, with who is connected.
type Attended = AddExtension<AddExtension<Router, Peer>, Arc<Guest>>;

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    service: Attended,
    guest: Arc<Guest>,
    mut closing: watch::Receiver<bool>,
) {
    // HTTP/1 alone: with a choice of versions the head's time would begin only after the first bytes.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    // The bytes are also what a connection holds in memory at the most.
    builder.http1().max_buf_size(HEAD_BYTES).max_headers(HEADERS);
    let mut connection = std::pin::pin!(builder.serve_connection(
        TokioIo::new(Worded::new(Patient::new(stream, READS_WITHIN))),
        TowerToHyperService::new(service)
    ));
    tokio::select! {
        // Whatever ends a connection early is the client's affair.
        _ = connection.as_mut() => return,
        () = guest.sent_away() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
