//! May this write (or restart, deploy, migrate) happen now? In a form that programs, shell scripts and proxies can use.
//!
//! The answer comes from what the last step published, for what STOP stops with a look whether it lies there: no lock, no waiting. nginx asks with `auth_request`, Envoy
//! with `ext_authz`; both send the client's own request along, and by its method they are told whether it may pass.

use axum::Json as Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::schema::{AllOfBuilder, Object, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::api::Api;
use crate::api::body::{Json, Params};
use crate::api::problem::{Problem, code, one_of};
use crate::api::shapes::{AdmissionNow, AskingAdmission, Decision};
use crate::govern::{Admission, Admitted, Deed};
use crate::model::{ComponentId, Time};
use crate::say::suggest;

/// What a proxy passes on of the answer.
const DECISION: HeaderName = HeaderName::from_static("x-grace-decision");
const MODE: HeaderName = HeaderName::from_static("x-grace-mode");
const REASON: HeaderName = HeaderName::from_static("x-grace-reason");

/// The method of the client's request, where the proxy asks with another.
const ORIGINAL_METHOD: &str = "x-original-method";

/// The status of a refusal where nobody asks for another.
const REFUSED: u16 = StatusCode::SERVICE_UNAVAILABLE.as_u16();

/// The one that Envoy takes for a refusal: from 500 on it finds that nobody answered, and may let pass what it asked about.
const REFUSED_FOR_ENVOY: u16 = StatusCode::FORBIDDEN.as_u16();

/// A refusal: a problem that also says what an answer says. Its code is `not_admitted`.
#[derive(Serialize)]
struct Refusal {
    #[serde(flatten)]
    problem: Problem,
    #[serde(flatten)]
    now: AdmissionNow,
}

/// What stands in a body that is no admission: it may not happen, or it could not be asked. The code tells which.
pub(super) struct NoAdmission;

impl PartialSchema for NoAdmission {
    fn schema() -> RefOr<Schema> {
        let with = |code: Object, all: AllOfBuilder| {
            let problem = Ref::from_schema_name(Problem::name());
            let code = ObjectBuilder::new().property("code", code).required("code");
            RefOr::T(Schema::AllOf(all.item(problem).item(code).build()))
        };
        let now = AllOfBuilder::new().item(Ref::from_schema_name(AdmissionNow::name()));
        let refusal = with(one_of([code::NOT_ADMITTED]), now);
        let others = code::ALL.iter().copied().filter(|word| *word != code::NOT_ADMITTED);
        let other = with(one_of(others), AllOfBuilder::new());
        OneOfBuilder::new().item(refusal).item(other).into()
    }
}

impl ToSchema for NoAdmission {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Problem::name().into(), Problem::schema()));
        schemas.push((AdmissionNow::name().into(), AdmissionNow::schema()));
        AdmissionNow::schemas(schemas);
    }
}

/// What admission may answer besides: a refusal has the status that was asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only stands in the OpenAPI document")]
enum Refusals {
    /// It may not, or the question is none.
    #[response(status = "4XX", content_type = "application/problem+json", headers(
        ("Retry-After" = u64, description = "So many seconds later it may be asked again"),
        ("WWW-Authenticate" = String, description = "How whoever asks says who it is"),
        ("Allow" = String, description = "The methods that there are at this path"),
        ("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
        ("X-Grace-Mode" = String, description = "The mode"),
        ("X-Grace-Reason" = String, description = "Why not"),
    ))]
    Refused(NoAdmission),
    /// It may not, or Grace cannot answer now: `not_admitted` tells the one from the other.
    #[response(status = "5XX", content_type = "application/problem+json", headers(
        ("Retry-After" = u64, description = "So many seconds later it may be asked again"),
        ("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
        ("X-Grace-Mode" = String, description = "The mode"),
        ("X-Grace-Reason" = String, description = "Why not"),
    ))]
    Unavailable(NoAdmission),
}

/// `GET /api/admission`
#[utoipa::path(get, path = "/api/admission", tag = "admission", params(AskingAdmission),
    responses((status = 200, description = "It may", body = AdmissionNow,
        headers(("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
            ("X-Grace-Mode" = String, description = "The mode"), ("X-Grace-Reason" = String, description = "Its reason"))), Refusals))]
pub(super) async fn ask(
    State(api): State<Api>,
    Params(asked): Params<AskingAdmission>,
) -> Result<Response, Problem> {
    answer(&api, &asked)
}

/// `POST /api/admission`
#[utoipa::path(post, path = "/api/admission", tag = "admission", request_body = AskingAdmission,
    responses((status = 200, description = "It may", body = AdmissionNow,
        headers(("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
            ("X-Grace-Mode" = String, description = "The mode"), ("X-Grace-Reason" = String, description = "Its reason"))), Refusals))]
pub(super) async fn ask_with_body(
    State(api): State<Api>,
    Json(asked): Json<AskingAdmission>,
) -> Result<Response, Problem> {
    answer(&api, &asked)
}

/// `/api/admission/proxy`, by any method, also one that the document has no word for.
#[utoipa::path(method(get, post, put, patch, delete, options), path = "/api/admission/proxy", tag = "admission",
    params(AskingAdmission, ("X-Original-Method" = Option<String>, Header, description = "The method of the client's request, where the proxy asks with another")),
    responses((status = 200, description = "The client's request may pass", body = AdmissionNow,
        headers(("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
            ("X-Grace-Mode" = String, description = "The mode"), ("X-Grace-Reason" = String, description = "Its reason"))), Refusals))]
pub(super) async fn proxy(
    State(api): State<Api>,
    method: Method,
    headers: HeaderMap,
    Params(asked): Params<AskingAdmission>,
) -> Result<Response, Problem> {
    answer(&api, &by_method(original(&headers, &method), asked))
}

/// The method of the client's request, by the header where there is one. Two of them, or what is no text, name no method that
/// only looks: whom the proxy could not understand may be about to write.
fn original<'h>(headers: &'h HeaderMap, method: &'h Method) -> &'h str {
    let mut named = headers.get_all(ORIGINAL_METHOD).iter();
    match (named.next(), named.next()) {
        (None, _) => method.as_str(),
        (Some(one), None) => one.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => "",
    }
}

/// The methods that only look, by HTTP and by what extends it (`WebDAV`, versions, search). Whatever else there is may write.
const LOOKS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"];

/// Whoever only looks may always.
fn by_method(method: &str, asked: AskingAdmission) -> AskingAdmission {
    let looks = LOOKS.iter().any(|safe| safe.eq_ignore_ascii_case(method));
    let action = if looks { Some(Deed::Read.word().to_owned()) } else { asked.action.clone() };
    AskingAdmission { action, ..asked }
}

/// `/api/admission/proxy/`: what Envoy asks about the client's root.
#[utoipa::path(method(get, post, put, patch, delete, options), path = "/api/admission/proxy/", tag = "admission",
    responses((status = 200, description = "The client's request may pass", body = AdmissionNow,
        headers(("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
            ("X-Grace-Mode" = String, description = "The mode"), ("X-Grace-Reason" = String, description = "Its reason"))), Refusals))]
pub(super) async fn proxy_of_root(State(api): State<Api>, method: Method) -> Result<Response, Problem> {
    for_envoy(&api, &method)
}

/// `/api/admission/proxy/...`, by any method: Envoy puts the path of the client's request behind ours, and its query too,
/// which is the client's and says nothing here. What may not pass is refused with 403.
#[utoipa::path(method(get, post, put, patch, delete, options), path = "/api/admission/proxy/{*path}", tag = "admission",
    params(("path" = String, Path, description = "The path of the client's request")),
    responses((status = 200, description = "The client's request may pass", body = AdmissionNow,
        headers(("X-Grace-Decision" = Decision, description = "The decision, for a proxy to pass on"),
            ("X-Grace-Mode" = String, description = "The mode"), ("X-Grace-Reason" = String, description = "Its reason"))), Refusals))]
pub(super) async fn proxy_with_path(State(api): State<Api>, method: Method) -> Result<Response, Problem> {
    for_envoy(&api, &method)
}

/// It asks by the method of the client, whose headers say nothing here.
fn for_envoy(api: &Api, method: &Method) -> Result<Response, Problem> {
    let asked = AskingAdmission { refuse_with: Some(REFUSED_FOR_ENVOY), ..AskingAdmission::default() };
    answer(api, &by_method(method.as_str(), asked))
}

fn answer(api: &Api, asked: &AskingAdmission) -> Result<Response, Problem> {
    let word = asked.action.as_deref().unwrap_or(Deed::Write.word());
    let deed = Deed::named(word).ok_or_else(|| {
        Problem::invalid(format!("there is no action `{word}`; {}", suggest(word, Deed::ALL.map(Deed::word))))
    })?;
    if let Some(component) = &asked.component {
        api.known_component(component)?;
    }
    let status = asked.refuse_with.unwrap_or(REFUSED);
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error());
    let status = status.ok_or_else(|| Problem::invalid("`refuse_with` is a status from 400 to 599"))?;
    let known = api.handle.published();
    let component = asked.component.as_deref().map(ComponentId::from);
    let admitted = match &known.unwritten {
        // What is known is as old as the last tick that could be written.
        Some(why) if deed != Deed::Read => {
            Admitted::Later(format!("Grace cannot write her journal: {why}"), None)
        }
        _ if deed.controls() => {
            let (stop, since) = api.handle.stop();
            known.admission.seen(stop, since).may(deed, component.as_ref())
        }
        _ => known.admission.may(deed, component.as_ref()),
    };
    let now = told(&known.admission, (deed, asked.component.clone()), admitted, api.handle.clock().now());
    Ok(dressed(now, status))
}

fn told(
    admission: &Admission,
    (deed, component): (Deed, Option<String>),
    admitted: Admitted,
    now: Time,
) -> AdmissionNow {
    let mode = &admission.mode;
    let (decision, reason, again) = match admitted {
        Admitted::Allow => (Decision::Allow, mode.reason.clone(), None),
        Admitted::Deny(why) => (Decision::Deny, why, None),
        Admitted::Later(why, until) => {
            let wait = until.map_or(Admission::AGAIN, |until| until - now);
            (Decision::Retry, why, Some(u64::try_from(wait.0 / 1000).unwrap_or(0).max(1)))
        }
    };
    AdmissionNow {
        decision,
        action: deed.word().into(),
        component,
        mode: mode.mode.to_string(),
        reason,
        since: mode.since.to_string(),
        retry_after_s: again,
    }
}

fn dressed(now: AdmissionNow, refused: StatusCode) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(DECISION, HeaderValue::from_static(now.decision.word()));
    headers.extend(header_text(&now.mode).map(|mode| (MODE, mode)));
    headers.extend(header_text(&now.reason).map(|reason| (REASON, reason)));
    if let Some(seconds) = now.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if now.decision == Decision::Allow {
        return (headers, Body(now)).into_response();
    }
    let problem = Problem::new(refused, code::NOT_ADMITTED, now.reason.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let body = serde_json::to_string(&Refusal { problem, now }).unwrap_or_default();
    (refused, headers, body).into_response()
}

/// A text as a header may hold it: people write reasons in every script, and with line breaks.
fn header_text(text: &str) -> Option<HeaderValue> {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    HeaderValue::try_from(plain).ok()
}
