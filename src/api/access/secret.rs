//! The form of a token's secret, and that it is told nowhere but in the header Authorization: a request that carries one in its
//! method, its path, its query, a header that Grace reads or its body is refused before anything of it is kept, logged or said back.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderName, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode;
use serde_json::Value;

use crate::api::access::peer::PROXIED;
use crate::api::problem::Problem;

/// What a secret begins with, so that scanners for secrets find one that leaked.
pub(in crate::api) const SECRET_MARK: &str = "grace_";

/// So many hexadecimal digits behind the mark are a secret, or half of one, which is as bad.
const DIGITS: usize = 32;

/// The headers that Grace reads, Authorization apart: what they hold may be kept or said back.
const READ: [HeaderName; 8] = [
    header::HOST,
    header::ORIGIN,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::ACCEPT,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
];

/// Is there something in it that has the form of a secret?
fn holds_one(bytes: &[u8]) -> bool {
    let mark = SECRET_MARK.as_bytes();
    let behind = |at: usize| bytes.get(at + mark.len()..at + mark.len() + DIGITS);
    let begins = bytes.windows(mark.len()).enumerate().filter(|(_, word)| word.eq_ignore_ascii_case(mark));
    begins
        .map(|(at, _)| behind(at))
        .any(|digits| digits.is_some_and(|all| all.iter().all(u8::is_ascii_hexdigit)))
}

/// Lets through what carries no secret in its method, its path, its query or its headers. What a proxy passes on is its client's, and
/// nothing of it is kept or said back.
pub(in crate::api) async fn keeps_secrets(request: Request, next: Next) -> Result<Response, Problem> {
    // A method that nobody takes is said back, wherever it is asked.
    if holds_one(request.method().as_str().as_bytes()) {
        return Err(told("the method"));
    }
    if !request.uri().path().starts_with(PROXIED) {
        check_uri(request.uri())?;
        let headers = request.headers();
        for name in READ {
            if headers.get_all(&name).iter().any(|value| holds_one(value.as_bytes())) {
                return Err(told(&format!("the header `{name}`")));
            }
        }
    }
    Ok(next.run(request).await)
}

fn check_uri(uri: &Uri) -> Result<(), Problem> {
    let spelt = |text: &str| holds_one(&Cow::from(percent_decode(text.as_bytes())));
    if spelt(uri.path()) || uri.authority().is_some_and(|authority| spelt(authority.as_str())) {
        return Err(told("the path"));
    }
    for (key, value) in
        uri.query().unwrap_or_default().split('&').map(|word| word.split_once('=').unwrap_or((word, "")))
    {
        if spelt(key) {
            return Err(told("the name of a key in the query"));
        }
        if spelt(value) {
            return Err(told(&format!("`{key}`")));
        }
    }
    Ok(())
}

/// What is to be said to a body with a secret in it. It is asked before the shape is read: what is wrong with that would be said
/// back.
///
/// # Errors
/// There may be one in it, and it is no JSON.
pub(in crate::api) fn told_secret(body: &[u8]) -> Result<Option<Problem>, serde_json::Error> {
    // Only an escape can hide one.
    let escaped = body.windows(2).any(|pair| pair == b"\\u");
    if !escaped && !holds_one(body) {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(body)?;
    Ok(field(&body, "").map(|place| told(&place)))
}

/// Where in the body a secret stands.
fn field(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::String(text) => holds_one(text.as_bytes()).then(|| format!("`{name}`")),
        Value::Array(all) => all.iter().find_map(|one| field(one, name)),
        Value::Object(all) => all.iter().find_map(|(key, one)| {
            if holds_one(key.as_bytes()) { Some("the name of a field".into()) } else { field(one, key) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn told(place: &str) -> Problem {
    Problem::invalid(format!(
        "{place}: this is a token's secret, and belongs into the header Authorization alone; nothing was done or kept. Whoever \
         read along knows it now: revoke the token by its name (`grace token list`), and make another"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_form() {
        let digits = "0123456789abcdef".repeat(4);
        for (text, is_one) in [
            (format!("grace_{digits}"), true),
            (format!("see GRACE_{}.", digits.to_uppercase()), true),
            (format!("grace_grace_{digits}"), true),
            (format!("grace_{}", &digits[..DIGITS]), true),
            (format!("grace_{}", &digits[..DIGITS - 1]), false),
            (format!("grace_x{digits}"), false),
            (digits, false),
            ("grace_".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(holds_one(text.as_bytes()), is_one, "{text}");
        }
    }

    #[test]
    fn the_place_is_named_and_never_the_secret() {
        let secret = format!("grace_{}", "0a".repeat(32));
        let hidden = secret.replace('g', "\\u0067");
        for (body, place) in [
            (format!(r#"{{"reason": "{secret}"}}"#), "`reason`"),
            (format!(r#"{{"reason": "{hidden}"}}"#), "`reason`"),
            (format!(r#"{{"files": {{"a.toml": ["x", "{secret}"]}}}}"#), "`a.toml`"),
            (format!(r#"{{"{secret}": 1}}"#), "the name of a field"),
        ] {
            let problem = told_secret(body.as_bytes()).expect("JSON").expect("a secret");
            assert!(problem.detail.starts_with(place) && !problem.detail.contains("0a0a"), "{problem:?}");
        }
        assert!(told_secret(format!("{{\"{secret}\": x").as_bytes()).is_err(), "no JSON");
        assert!(matches!(told_secret(br#"{"reason": "caf\u00e9"}"#), Ok(None)));
        let spelt = secret.replace('r', "%72");
        for (path, place) in [
            (format!("/api/tokens/{spelt}"), "the path"),
            (format!("/x?reason={spelt}"), "`reason`"),
            (format!("/x?{spelt}"), "the name of a key"),
        ] {
            let problem = check_uri(&path.parse().expect("a path")).expect_err("a secret");
            assert!(problem.detail.starts_with(place) && !problem.detail.contains("0a0a"), "{problem:?}");
        }
    }
}
