//! Where a request comes from, and whether it is meant for us.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::problem::{Problem, code};
use crate::govern::LocalUser;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Peer {
    /// The unix socket: the kernel says who it is.
    Socket(LocalUser),
    /// Loopback TCP: anybody on this machine.
    Loopback,
    /// TLS from anywhere.
    Remote,
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A request without a peer did not come through a listener of ours: it gets the least.
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Remote))
    }
}

/// Lets through what is meant for us.
pub(in crate::api) async fn is_meant_for_us(
    peer: Peer,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let proxied = request.uri().path().starts_with(PROXIED);
    are_alone(request.headers(), proxied)?;
    match peer {
        Peer::Socket(_) => {}
        // A proxy may ask under the name by which its client asked it. What it is told somebody unknown may know, and
        // nothing happens.
        Peer::Loopback if proxied => {}
        Peer::Loopback => names_loopback(request.uri(), request.headers())?,
        Peer::Remote => is_of_our_own(request.uri(), request.headers())?,
    }
    Ok(next.run(request).await)
}

/// What says who is meant, who asks, or what is asked is there once: who stands in front of us may have read another one than
/// we do. What a proxy's client shows is for the application.
fn are_alone(headers: &HeaderMap, proxied: bool) -> Result<(), Problem> {
    let once = if proxied { ONCE.get(..1) } else { ONCE.get(..) };
    let mut once = once.unwrap_or_default().iter();
    match once.find(|name| headers.get_all(**name).iter().count() > 1) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("there is more than one header {name}: nobody can tell which one is meant");
            Err(Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail))
        }
    }
}

/// The headers of which there may be one.
const ONCE: [&str; 6] =
    ["Host", "Origin", "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"];

/// Where proxies ask.
pub(super) const PROXIED: &str = "/api/admission/proxy";

/// A page of another site has no business here. The certificate has said already by which name we are meant.
fn is_of_our_own(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = uri.authority().map(|authority| authority.as_str().to_owned());
    let host = host.or_else(|| text(headers, &header::HOST)).unwrap_or_default();
    match text(headers, &header::ORIGIN) {
        Some(origin) if origin.strip_prefix("https://") != Some(&host) => {
            let detail = format!("the origin `{origin}` is another site");
            Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, code::FOREIGN_HOST, detail))
        }
        _ => Ok(()),
    }
}

/// A page of a foreign site can make its name point to loopback, and then reads what we answer (DNS
/// rebinding). The name it calls us by gives it away.
fn names_loopback(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
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
    let parts = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let port_at = authority.find(':').unwrap_or(authority.len());
    let (host, port) = parts.unwrap_or_else(|| authority.split_at(port_at));
    if !port.is_empty() && !is_port(port) {
        return false;
    }
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_port(text: &str) -> bool {
    let digits = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix(':').filter(digits).is_some_and(|port| port.parse::<u16>().is_ok())
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
            ("127.0.0.1:7171@evil.example", false),
            ("localhost:7171@evil.example", false),
            ("127.0.0.1:7171.evil.example", false),
            ("localhost:7171.evil.example", false),
            ("127.0.0.1:@evil.example", false),
            ("127.0.0.1:+80", false),
            ("127.0.0.1:65536", false),
            ("127.0.0.1:", false),
            ("192.168.0.7:7171", false),
            ("[::1]evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), ours, "{host}");
        }
    }
}
