//! Everything that goes wrong over HTTP, said as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoResponses, ToSchema};

use crate::model::{Gate, Verdict};
use crate::record::JournalError;
use crate::supervisor::AskError;

/// One problem. `code` is stable, `detail` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status and `code` say what kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong and what to do, as a sentence.
    pub detail: String,
    /// What programs go by.
    #[schema(schema_with = any_code)]
    pub code: String,
}

/// Any of the words of [`code`].
fn any_code() -> Object {
    one_of(code::ALL.iter().copied())
}

/// One of these words of [`code`].
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    let words: Vec<&str> = words.into_iter().collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// What every route may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only stands in the OpenAPI document")]
pub(super) enum Problems {
    /// The request cannot be carried out; nothing was done.
    #[response(status = "4XX", content_type = "application/problem+json", headers(
        ("Retry-After" = u64, description = "So many seconds later it may be asked again"),
        ("WWW-Authenticate" = String, description = "How whoever asks says who it is"),
        ("Allow" = String, description = "The methods that there are at this path"),
    ))]
    Refused(Problem),
    /// Grace cannot answer now.
    #[response(status = "5XX", content_type = "application/problem+json", headers(
        ("Retry-After" = u64, description = "So many seconds later it may be asked again"),
    ))]
    Failed(Problem),
}

/// The words of [`Problem::code`], and the list of all of them.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// The words of [`Problem::code`].
        pub mod code {
            $($(#[$doc])* pub const $name: &str = $word;)*

            /// All of them.
            pub const ALL: &[&str] = &[$($name,)*];
        }
    };
}

codes! {
    /// The body, the query or a word in them is not what it should be.
    INVALID = "invalid";
    /// There is no such thing.
    NOT_FOUND = "not_found";
    /// A gate of governance refused it; nothing was done.
    REFUSED = "refused";
    /// The mode refuses writes.
    REFUSED_BY_MODE = "refused_by_mode";
    /// Nobody knows who asks; the socket or a token would say so.
    UNKNOWN_CALLER = "unknown_caller";
    /// Who asks has no role that may.
    FORBIDDEN = "forbidden";
    /// `If-Match` names a revision that is not the one there is.
    STALE = "stale";
    /// What was to be decided is over; the detail says why.
    OVER = "over";
    /// An `Idempotency-Key` was used for another request.
    KEY_REUSED = "key_reused";
    /// Who asks does so too fast.
    TOO_FAST = "too_fast";
    /// The request names a host that is not this one.
    FOREIGN_HOST = "foreign_host";
    /// It may not happen now; `decision` says whether to come back.
    NOT_ADMITTED = "not_admitted";
    /// Grace was started without `--allow-faults`.
    FAULTS_NOT_ALLOWED = "faults_not_allowed";
    /// Grace is stopping.
    STOPPING = "stopping";
    /// Too many do the same at once.
    BUSY = "busy";
    /// The journal can be neither written nor read.
    JOURNAL = "journal";
    /// It took too long.
    TIMED_OUT = "timed_out";
    /// A mistake in Grace.
    INTERNAL = "internal";
    /// Grace is up and not ready to work.
    NOT_READY = "not_ready";
}

impl Problem {
    /// A problem with this status, code and sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Problem").into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
        }
    }

    /// The request is understood, and something in it cannot be.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::INVALID, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, detail)
    }

    pub(super) fn unavailable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// What a gate says. What only has to wait is a conflict with the moment, the rest is forbidden.
    pub(super) fn refused(verdict: Verdict, gate: &Gate) -> Self {
        Self::withheld(verdict, gate.to_string())
    }

    /// The same, in these words.
    pub(super) fn withheld(verdict: Verdict, says: String) -> Self {
        let status = if verdict == Verdict::Wait { StatusCode::CONFLICT } else { StatusCode::FORBIDDEN };
        Self::new(status, code::REFUSED, says)
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let code = match error {
            AskError::Closed(_) => code::STOPPING,
            AskError::NotWritten => code::JOURNAL,
        };
        Self::unavailable(code, error.to_string())
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        Self::unavailable(code::JOURNAL, format!("the journal cannot be read: {error}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"grace\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::TOO_MANY_REQUESTS || self.code == code::BUSY {
            // Every pace here allows a good many in a second, and crowds are soon gone.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
