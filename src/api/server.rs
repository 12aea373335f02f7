//! Serves the router: a bounded number of connections, each with a bound on how long it may keep us waiting.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use crate::api::accept::{Accept, Plain, Secret};
use crate::api::patient::Patient;
use crate::api::router::router;
use crate::api::{Api, SocketError, Tcp, socket};
use crate::supervisor::Handle;

/// Connections on each way in. The next one waits in the kernel's queue.
const CONNECTIONS: u32 = 64;

/// The head of a request has to be there within this time, and a connection at rest is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// A head may have so many bytes; also what a connection holds in memory at the most.
const HEAD_BYTES: usize = 16 * 1024;

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

/// One way in: its accept loop, and the places of its connections.
struct Door {
    places: Arc<Semaphore>,
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
            // Every connection gives its place back.
            let _ = tokio::time::timeout_at(deadline, door.places.acquire_many(CONNECTIONS)).await;
        }
    }
}

fn open(listener: impl Accept, router: &Router, closing: &watch::Sender<bool>) -> Door {
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let task = tokio::spawn(accept(listener, router.clone(), Arc::clone(&places), closing.subscribe()));
    Door { places, task }
}

async fn accept(
    listener: impl Accept,
    router: Router,
    places: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
) {
    let listener = Arc::new(listener);
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((raw, peer)) => {
                let (listener, closing) = (Arc::clone(&listener), closing.clone());
                let router = router.clone().layer(Extension(peer));
                tokio::spawn(async move {
                    // Whoever does not get through the greeting in time is the client's affair.
                    if let Ok(Ok(stream)) = timeout(HEAD_WITHIN, listener.greet(raw)).await {
                        serve(stream, router, place, closing).await;
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

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    _place: OwnedSemaphorePermit,
    mut closing: watch::Receiver<bool>,
) {
    // HTTP/1 alone: with a choice of versions the head's time would begin only after the first bytes.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(
        TokioIo::new(Patient::new(stream, READS_WITHIN)),
        TowerToHyperService::new(router)
    ));
    tokio::select! {
        // Whatever ends a connection early is the client's affair.
        _ = connection.as_mut() => return,
        _ = closing.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
