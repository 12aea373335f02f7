//! Every route, and what lies around all of them: who asks, time-outs, panics, headers.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::api::access::{is_meant_for_us, keeps_secrets};
use crate::api::guests::attend;
use crate::api::problem::{Problem, Problems, code};
use crate::api::routes::{BEARER, Declared, Routes, documented, route};
use crate::api::weighed::Shared;
use crate::api::{
    Api, admission, approvals, events, faults, figures, health, holds, listed, metrics, modes, probes,
    recommendations, rules, shadow, status, tasks, tokens,
};
use crate::model::Permission;

/// Any answer has begun within this time; the longest wait for an act is shorter.
const WITHIN: Duration = Duration::from_secs(75);

/// The document without its routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Grace", description = "Keeps services healthy by rules that people can read, test, rehearse and audit. \
        Who asks for a change is named by the unix socket or by a token; each is journalled with its reason."),
    components(schemas(Problem, admission::NoAdmission)),
    modifiers(&Tokens)
)]
struct Document;

/// How a caller over TCP says who asks.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of `grace token create`. Over the unix socket none is needed."));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    }
}

/// Every route, with the permission it asks for.
fn declared(api: Api) -> Routes {
    use Permission::{Administer, Decide, Health, Metrics, Mode, Operate, Read};
    Routes::new(api)
        .needs(Health, route!(status::show))
        .needs(Health, route!(figures::show))
        .needs(Operate, route!(health::restart))
        .needs(Mode, route!(modes::show))
        .needs(Operate, route!(modes::set))
        .needs(Operate, route!(modes::release))
        .needs(Mode, route!(admission::ask))
        .needs(Mode, route!(admission::ask_with_body))
        .needs_by_any(Mode, route!(admission::proxy), admission::proxy)
        .needs_by_any(Mode, route!(admission::proxy_of_root), admission::proxy_of_root)
        .needs_by_any(Mode, route!(admission::proxy_with_path), admission::proxy_with_path)
        .needs(Operate, route!(health::scale))
        .needs(Read, route!(approvals::list))
        .needs(Decide, route!(approvals::approve))
        .needs(Decide, route!(approvals::deny))
        .needs(Read, route!(approvals::one))
        .needs(Health, route!(rules::components))
        .needs(Health, route!(rules::component))
        .needs(Read, route!(rules::list))
        .needs(Read, route!(rules::explained))
        .needs(Read, route!(listed::actions))
        .needs(Read, route!(listed::action))
        .needs(Read, route!(listed::incidents))
        .needs(Read, route!(listed::generations))
        .needs(Read, route!(listed::journal))
        .needs(Read, route!(holds::blocked))
        .needs(Operate, route!(rules::run))
        .needs(Read, route!(holds::silent))
        .needs(Operate, route!(holds::silence))
        .needs(Operate, route!(holds::end_silence))
        .needs(Read, route!(holds::list))
        .needs(Operate, route!(holds::hold))
        .needs(Operate, route!(holds::end))
        .needs(Operate, route!(holds::lift))
        .needs(Read, route!(shadow::show))
        .needs(Administer, route!(shadow::set))
        .needs(Administer, route!(shadow::end))
        .needs(Administer, route!(shadow::promote))
        .needs(Read, route!(tasks::list))
        .needs(Operate, route!(tasks::add))
        .needs(Operate, route!(tasks::acknowledge))
        .needs(Operate, route!(tasks::assign))
        .needs(Operate, route!(tasks::close))
        .needs(Read, route!(recommendations::list))
        .needs(Read, route!(recommendations::one))
        .needs(Operate, route!(recommendations::accept))
        .needs(Operate, route!(recommendations::decline))
        .needs(Administer, route!(tokens::list))
        .needs(Administer, route!(tokens::make))
        .needs(Administer, route!(tokens::revoke))
        .needs(Administer, route!(faults::inject))
        .needs(Read, route!(events::events))
        .needs(Metrics, route!(metrics::show))
        .open(route!(openapi))
        .open(route!(probes::live))
        .open(route!(probes::ready))
}

/// The one router of socket and TCP.
pub(super) fn router(api: Api) -> Router {
    let (router, declared) = declared(api.clone()).done();
    let declared: Arc<[Declared]> = declared.into();
    let known = Arc::clone(&declared);
    let document = Written::by(move || written(&documented(Document::openapi(), &declared)));
    router
        .fallback(async move |uri: Uri| unknown_route(&uri, &known))
        .method_not_allowed_fallback(unknown_method)
        .layer(Extension(document))
        .layer(from_fn(is_meant_for_us))
        .layer(from_fn(keeps_secrets))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(dressed))
        .layer(from_fn(attend))
        .with_state(api)
}

/// The document as it is served: made when somebody asks for it first, and once, for anybody may ask as often as they like.
#[derive(Clone)]
struct Written(Arc<LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>>);

impl Written {
    fn by(make: impl FnOnce() -> String + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(move || make().into()))))
    }
}

/// The document with its keys in order: the same bytes from every build.
fn written(document: &utoipa::openapi::OpenApi) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// `GET /openapi.json`
#[utoipa::path(get, path = "/openapi.json", tag = "probes",
    responses((status = 200, description = "This document", body = serde_json::Value), Problems))]
async fn openapi(Extension(Written(document)): Extension<Written>) -> Response {
    // The same bytes for everybody: whoever never reads them costs nothing.
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, Extension(Shared), Bytes::clone(&document)).into_response()
}

fn unknown_route(uri: &Uri, known: &[Declared]) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    let known: BTreeSet<&str> = known.iter().map(|declared| declared.path.as_str()).collect();
    let help = crate::say::suggest(&path, known);
    Problem::not_found(format!("there is nothing at `{path}`; {help}"))
}

async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}; the header Allow says what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, code::INVALID, detail)
}

async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(WITHIN, next.run(request)).await.unwrap_or_else(|_| {
        let detail = "the answer took too long; the journal knows what became of it";
        Problem::new(StatusCode::GATEWAY_TIMEOUT, code::TIMED_OUT, detail).into_response()
    })
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request met a mistake in Grace");
    let detail = "this is a mistake in Grace, and nothing of her is lost; the log says more";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, detail).into_response()
}

/// What is answered before the body was read.
const EARLY: [StatusCode; 5] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::TOO_MANY_REQUESTS,
];

/// What every answer says of itself: of this moment, and exactly what it claims to be.
async fn dressed(request: Request, next: Next) -> Response {
    let has_body = !http_body::Body::is_end_stream(request.body());
    let mut response = next.run(request).await;
    let unread = has_body && EARLY.contains(&response.status());
    let headers = response.headers_mut();
    if unread {
        // The body may be on its way still, and nobody reads it: whoever sends it learns that the connection ends.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(HeaderName::from_static("x-content-type-options"), nosniff);
    response
}
