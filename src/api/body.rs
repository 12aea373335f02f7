//! Taking requests apart: bodies and queries, with a problem for everything that is not as it should be.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::api::access::told_secret;
use crate::api::problem::{Problem, code};
use crate::model::Span;

/// The largest body: four times the longest task.
pub(super) const LARGEST_BODY: usize = 64 * 1024;

/// The largest set of files: those of a generation, with room for how JSON writes them.
pub(super) const LARGEST_SET: usize = 8 * 1024 * 1024;

/// A body has to be there within this time, however slowly it drips.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// The longest reason, in bytes: a sentence or two for the journal, not a file.
const LONGEST_REASON: usize = 2 * 1024;

/// The body as JSON of this shape.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        json(request, LARGEST_BODY).await.map(Self)
    }
}

/// The same, of a whole set of files.
pub(super) struct Large<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Large<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        json(request, LARGEST_SET).await.map(Self)
    }
}

async fn json<T: DeserializeOwned>(request: Request, most: usize) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    is_json(&parts.headers)?;
    let bytes = read(&parts.headers, body, most).await?;
    let text = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
    // What is a list would be read field by field, whatever its values are meant to be.
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid("the body is a list, and should be an object: `{...}`"));
    }
    if let Some(problem) = told_secret(text).map_err(|error| malformed(&error))? {
        return Err(problem);
    }
    serde_json::from_slice(text).map_err(|error| malformed(&error))
}

/// The query as this shape.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let uri = without_dry_run(&parts.uri);
        let query = Query::try_from_uri(uri.as_ref().unwrap_or(&parts.uri));
        query.map(|Query(shape)| Self(shape)).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, code::INVALID, format!("the query: {}", error.body_text()))
        })
    }
}

/// The same without what says that it is a dry run: that is read elsewhere.
fn without_dry_run(uri: &Uri) -> Option<Uri> {
    let query = uri.query().filter(|query| query.contains("dry_run"))?;
    let kept: Vec<&str> = query.split('&').filter(|word| word.split('=').next() != Some("dry_run")).collect();
    format!("{}?{}", uri.path(), kept.join("&")).parse().ok()
}

/// What varies in a path.
pub(super) struct Segment<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(varies)| Self(varies)).map_err(|error| astray(&error))
    }
}

/// Two things that vary in a path.
pub(super) struct Pair(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Pair {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        path.map(|Path((one, other))| Self(one, other)).map_err(|error| astray(&error))
    }
}

/// What is no number is the name of nothing.
fn astray(error: &PathRejection) -> Problem {
    Problem::not_found(format!("there is nothing of this name: {}", error.body_text()))
}

/// A form of a foreign page could be sent without asking; JSON could not.
fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let found = if kind.is_empty() { "none is given".to_owned() } else { format!("it is `{kind}`") };
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code::INVALID,
        format!("the content type must be `application/json`; {found}"),
    ))
}

pub(super) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("a body may have {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::INVALID, detail)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => Err(too_large()),
        Ok(Err(_)) => {
            let detail =
                "the body did not come whole: a chunk is not as it should be, or the connection ended";
            Err(Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail))
        }
        Err(_) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, code::TIMED_OUT, "the body did not come in time"))
        }
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    if error.is_data() {
        return Problem::invalid(format!("the body: {error}"));
    }
    let detail = format!("the body is not valid JSON: {error}");
    Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail)
}

/// The reason a person gives, or the default where a body may come without one.
pub(super) fn reason(given: Option<String>, default: &str) -> Result<String, Problem> {
    let reason = given.unwrap_or_else(|| default.to_owned());
    let reason = plain("reason", &reason)?;
    if reason.is_empty() {
        return Err(Problem::invalid("`reason` is empty: say why, the journal keeps it"));
    }
    if reason.len() > LONGEST_REASON {
        return Err(Problem::invalid(format!("`reason` may have {LONGEST_REASON} bytes")));
    }
    Ok(reason)
}

/// What a person writes for people: lines of text, and nothing that moves a cursor or ends a string where it is read.
pub(super) fn plain(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let stray = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    match stray {
        None => Ok(text.to_owned()),
        Some(stray) => Err(Problem::invalid(format!(
            "`{field}` has the control character U+{:04X}: write plain text, of control characters only new lines and tabs",
            u32::from(stray)
        ))),
    }
}

/// A duration as people write it.
pub(super) fn span(field: &str, text: &str) -> Result<Span, Problem> {
    crate::config::duration(text).filter(|span| span.0 > 0).ok_or_else(|| {
        Problem::invalid(format!("`{field}` is `{text}`: write a duration such as \"30s\", \"2m\" or \"1h\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_trimmed_and_never_empty() {
        assert_eq!(reason(Some(" why ".into()), "x"), Ok("why".into()));
        assert_eq!(reason(None, "x"), Ok("x".into()));
        assert!(reason(Some("  ".into()), "x").is_err());
        assert!(reason(Some("y".repeat(LONGEST_REASON + 1)), "x").is_err());
    }

    #[test]
    fn a_text_for_people_has_lines_and_tabs_and_no_other_control_characters() {
        assert_eq!(
            plain("text", "  one\r\n\ttwo, д, \u{2066}x\u{2069}\n"),
            Ok("one\n\ttwo, д, \u{2066}x\u{2069}".into())
        );
        for stray in ['\0', '\u{1b}', '\u{7}', '\r', '\u{7f}', '\u{9b}'] {
            let problem = reason(Some(format!("a{stray}b")), "x").expect_err("refused");
            assert!(
                problem
                    .detail
                    .contains(&format!("`reason` has the control character U+{:04X}", u32::from(stray))),
                "{problem:?}"
            );
        }
    }

    #[test]
    fn only_json_passes_as_json() {
        for (given, passes) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::CONTENT_TYPE, given.parse().expect("a header"));
            }
            assert_eq!(is_json(&headers).is_ok(), passes, "{given:?}");
        }
    }
}
