//! Where TCP is listened on: loopback and nowhere else.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

/// Where to listen: an address of loopback, or nowhere.
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
        "{0} can be reached from other machines, and whoever reaches it would be unknown; listen on loopback (`127.0.0.1:7171`) and put a proxy that knows its users before it"
    )]
    NotLoopback(SocketAddr),
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
        let address: SocketAddr = address.ok_or_else(|| ListenError::NoAddress(text.to_owned()))?;
        if address.ip().is_loopback() {
            Ok(Self::On(address))
        } else {
            Err(ListenError::NotLoopback(address))
        }
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
#[derive(Debug)]
pub struct Tcp {
    pub(super) listener: TcpListener,
    /// Where it really listens: a port of 0 was replaced by a free one.
    pub address: SocketAddr,
}

impl Tcp {
    /// Listens, where that is wanted. Connections wait until a [`super::Server`] serves them.
    ///
    /// # Errors
    /// The address is in use or cannot be had.
    pub async fn bind(listen: Listen) -> Result<Option<Self>, ListenError> {
        let Listen::On(address) = listen else { return Ok(None) };
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Bind { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Some(Self { listener, address }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_on() {
        for (text, taken) in [
            ("127.0.0.1:7171", true),
            ("localhost:80", true),
            ("[::1]:0", true),
            ("off", true),
            ("0.0.0.0:7171", false),
            ("[::]:7171", false),
            ("192.168.0.7:7171", false),
            ("7171", false),
            ("localhost", false),
        ] {
            assert_eq!(text.parse::<Listen>().is_ok(), taken, "{text}");
        }
    }
}
