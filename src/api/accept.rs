//! The ways in: the unix socket, TCP on loopback, and TLS from anywhere. Each knows where its callers come from.

use std::io::Result;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::server::TlsStream;

use crate::api::access::{Peer, local_user};
use crate::api::tls::Tls;

/// Waits for one connection after the other.
pub(super) trait Accept: Send + Sync + 'static {
    type Raw: Send + 'static;
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    fn accept(&self) -> impl Future<Output = Result<(Self::Raw, Peer)>> + Send;

    /// What takes time for one connection, and must not keep the next one waiting.
    fn greet(&self, raw: Self::Raw) -> impl Future<Output = Result<Self::Stream>> + Send;
}

/// TCP on loopback, as it comes.
pub(super) struct Plain(pub(super) TcpListener);

/// TCP from anywhere, under TLS.
pub(super) struct Secret(pub(super) TcpListener, pub(super) Tls);

impl Accept for Plain {
    type Raw = TcpStream;
    type Stream = TcpStream;
    async fn accept(&self) -> Result<(TcpStream, Peer)> {
        Ok((self.0.accept().await?.0, Peer::Loopback))
    }
    async fn greet(&self, raw: TcpStream) -> Result<TcpStream> {
        Ok(raw)
    }
}

impl Accept for Secret {
    type Raw = TcpStream;
    type Stream = TlsStream<TcpStream>;
    async fn accept(&self) -> Result<(TcpStream, Peer)> {
        Ok((self.0.accept().await?.0, Peer::Remote))
    }
    async fn greet(&self, raw: TcpStream) -> Result<Self::Stream> {
        self.1.greet(raw).await
    }
}

impl Accept for UnixListener {
    type Raw = UnixStream;
    type Stream = UnixStream;
    async fn accept(&self) -> Result<(UnixStream, Peer)> {
        let (stream, _) = UnixListener::accept(self).await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, Peer::Socket(local_user(uid))))
    }
    async fn greet(&self, raw: UnixStream) -> Result<UnixStream> {
        Ok(raw)
    }
}
