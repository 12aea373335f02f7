//! Where TCP is listened on: loopback, and with TLS anywhere.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket};

use crate::api::tls::{Tls, TlsError, TlsFiles};

/// Where to listen, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Not on TCP at all.
    Off,
    /// On this address.
    On(SocketAddr),
}

/// Why TCP is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// It is no address.
    #[error("`{0}` is no address; write `127.0.0.1:7171`, `[::1]:7171`, or `off`")]
    NoAddress(String),
    /// It can be reached from elsewhere.
    #[error(
        "{0} can be reached from other machines: that needs `--tls-certificate` and `--tls-key`; or listen on loopback (`127.0.0.1:7171`) and put a proxy before it"
    )]
    NotLoopback(SocketAddr),
    /// There is no TLS to be had.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Somebody else has it.
    #[error("{0} is in use; name another port with `--listen 127.0.0.1:PORT`, or `--listen off`")]
    InUse(SocketAddr),
    /// It cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let local = |port: &str| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
        let address = text.parse().ok().or_else(|| text.strip_prefix("localhost:").and_then(local));
        address.map(Self::On).ok_or_else(|| ListenError::NoAddress(text.to_owned()))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.pad("off"),
            Self::On(address) => fmt::Display::fmt(address, f),
        }
    }
}

/// The TCP listener. It is taken before Grace starts: what cannot work must not have begun to act.
pub struct Tcp {
    pub(super) listener: TcpListener,
    pub(super) tls: Option<Tls>,
    /// Where it really listens: a port of 0 was replaced by a free one.
    pub address: SocketAddr,
}

impl Tcp {
    /// Listens, where that is wanted. Connections wait until a [`super::Server`] serves them.
    ///
    /// # Errors
    /// The address is in use or cannot be had, there is no TLS to be had, or it is missing where others can come.
    pub fn bind(listen: Listen, tls: Option<TlsFiles>) -> Result<Option<Self>, ListenError> {
        let Listen::On(address) = listen else { return Ok(None) };
        let tls = tls.map(Tls::read).transpose()?;
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Bind { address, source },
        };
        let listener = listening(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Some(Self { listener, tls, address }))
    }

    /// The address as a browser wants it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// So many may wait in the kernel's queue until they are accepted. The usual 128 overflow when many come at once, and who is
/// dropped there tries again only a second later.
const WAITING: u32 = 4_096;

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As `TcpListener::bind` does: a new start need not wait for what the old one left.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_tls_only_loopback_is_listened_on() {
        for (text, taken) in [
            ("127.0.0.1:0", true),
            ("localhost:0", true),
            ("[::1]:0", true),
            ("off", true),
            ("0.0.0.0:0", false),
            ("[::]:0", false),
            ("192.168.0.7:0", false),
        ] {
            let listen: Listen = text.parse().expect("an address");
            let refused = matches!(Tcp::bind(listen, None), Err(ListenError::NotLoopback(_)));
            assert_eq!(refused, !taken, "{text}");
        }
        for text in ["7171", "localhost", "", "127.0.0.1"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
