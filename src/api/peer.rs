//! Who asks, and what may be asked from there: the unix socket names its peer, TCP only answers reads.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::problem::{Problem, code};
use crate::model::Actor;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// The unix socket: the kernel says who it is.
    Socket(Actor),
    /// Loopback TCP: anybody on this machine.
    Loopback,
}

/// The person who asks. There is none on TCP.
pub(super) struct Caller(pub(super) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A request without a peer did not come through a listener of ours: it gets the least.
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Loopback))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Peer::from_request_parts(parts, state).await? {
            Peer::Socket(actor) => Ok(Self(actor)),
            Peer::Loopback => Err(reads_only()),
        }
    }
}

/// Lets through what may be asked from where it comes.
pub(super) async fn guard(peer: Peer, request: Request, next: Next) -> Result<Response, Problem> {
    if peer == Peer::Loopback {
        is_meant_for_us(request.uri(), request.headers())?;
        is_read(request.method())?;
    }
    Ok(next.run(request).await)
}

fn is_read(method: &Method) -> Result<(), Problem> {
    if method.is_safe() { Ok(()) } else { Err(reads_only()) }
}

fn reads_only() -> Problem {
    let detail = "TCP only answers reads: whoever changes something must be known. Use the `grace` command, \
                  or `curl --unix-socket DATA/grace.sock`";
    Problem::new(StatusCode::FORBIDDEN, code::READS_ONLY, detail)
}

/// A page of a foreign site can make its name point to loopback, and then reads what we answer (DNS
/// rebinding). The name it calls us by gives it away.
fn is_meant_for_us(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let foreign = |what: &str, found: &str| {
        let detail = format!("{what} `{found}` is not this machine; use `127.0.0.1` or `localhost`");
        Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, code::FOREIGN_HOST, detail))
    };
    let host = uri.authority().map(|authority| authority.as_str().to_owned());
    let host = host.or_else(|| text(headers, &header::HOST));
    match host {
        Some(host) if is_loopback(&host) => {}
        host => return foreign("the host", host.as_deref().unwrap_or_default()),
    }
    match text(headers, &header::ORIGIN) {
        Some(origin) if !origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)) => {
            foreign("the origin", &origin)
        }
        _ => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Is this `host` or `host:port` a name of loopback?
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) if port.is_empty() || is_port(port) => host,
        Some(_) => return false,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_are_ours() {
        for (host, ours) in [
            ("127.0.0.1:7171", true),
            ("127.0.0.1", true),
            ("localhost:7171", true),
            ("LOCALHOST", true),
            ("[::1]:7171", true),
            ("[::1]", true),
            ("evil.example", false),
            ("evil.example:7171", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1@evil.example", false),
            ("192.168.0.7:7171", false),
            ("[::1]evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), ours, "{host}");
        }
    }
}
