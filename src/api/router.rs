//! Every route, and what lies around all of them: who asks, time-outs, panics, headers.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::routes;

use crate::api::access::{is_meant_for_us, keeps_secrets};
use crate::api::guests::attend;
use crate::api::problem::{Problem, Problems, code};
use crate::api::routes::{BEARER, Routes};
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
    components(schemas(Problem)),
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
    Routes::new(api, Document::openapi())
        .needs(Health, routes!(status::show))
        .needs(Health, routes!(figures::show))
        .needs(Operate, routes!(health::restart))
        .needs(Mode, routes!(modes::show))
        .needs(Operate, routes!(modes::set))
        .needs(Operate, routes!(modes::release))
        .needs(Mode, routes!(admission::ask))
        .needs(Mode, routes!(admission::ask_with_body))
        .needs(Mode, routes!(admission::proxy))
        .needs(Mode, routes!(admission::proxy_of_root))
        .needs(Mode, routes!(admission::proxy_with_path))
        .needs(Operate, routes!(health::scale))
        .needs(Read, routes!(approvals::list))
        .needs(Decide, routes!(approvals::approve))
        .needs(Decide, routes!(approvals::deny))
        .needs(Read, routes!(approvals::one))
        .needs(Health, routes!(rules::components))
        .needs(Health, routes!(rules::component))
        .needs(Read, routes!(rules::list))
        .needs(Read, routes!(rules::explained))
        .needs(Read, routes!(listed::actions))
        .needs(Read, routes!(listed::action))
        .needs(Read, routes!(listed::incidents))
        .needs(Read, routes!(listed::generations))
        .needs(Read, routes!(listed::journal))
        .needs(Read, routes!(holds::blocked))
        .needs(Operate, routes!(rules::run))
        .needs(Read, routes!(holds::silent))
        .needs(Operate, routes!(holds::silence))
        .needs(Operate, routes!(holds::end_silence))
        .needs(Read, routes!(holds::list))
        .needs(Operate, routes!(holds::hold))
        .needs(Operate, routes!(holds::end))
        .needs(Operate, routes!(holds::lift))
        .needs(Read, routes!(shadow::show))
        .needs(Administer, routes!(shadow::set))
        .needs(Administer, routes!(shadow::end))
        .needs(Administer, routes!(shadow::promote))
        .needs(Read, routes!(tasks::list))
        .needs(Operate, routes!(tasks::add))
        .needs(Operate, routes!(tasks::acknowledge))
        .needs(Operate, routes!(tasks::assign))
        .needs(Operate, routes!(tasks::close))
        .needs(Read, routes!(recommendations::list))
        .needs(Read, routes!(recommendations::one))
        .needs(Operate, routes!(recommendations::accept))
        .needs(Operate, routes!(recommendations::decline))
        .needs(Administer, routes!(tokens::list))
        .needs(Administer, routes!(tokens::make))
        .needs(Administer, routes!(tokens::revoke))
        .needs(Administer, routes!(faults::inject))
        .needs(Read, routes!(events::events))
        .needs(Metrics, routes!(metrics::show))
        .open(routes!(openapi))
        .open(routes!(probes::live))
        .open(routes!(probes::ready))
}

/// The one router of socket and TCP.
pub(super) fn router(api: Api) -> Router {
    let (router, paths) = declared(api.clone()).done();
    let (router, mut document) = router.split_for_parts();
    without_stars(&mut document);
    let paths: Arc<[String]> = paths.into();
    router
        .fallback(async move |uri: Uri| unknown_route(&uri, &paths))
        .method_not_allowed_fallback(unknown_method)
        .layer(Extension(Written(written(&document).into())))
        .layer(from_fn(is_meant_for_us))
        .layer(from_fn(keeps_secrets))
        .layer(from_fn(in_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(dressed))
        .layer(from_fn(attend))
        .with_state(api)
}

/// The `OpenAPI` document as it is served.
#[derive(Clone)]
struct Written(Arc<str>);

/// What axum calls a path that takes the rest: the document has no word for it.
fn without_stars(document: &mut utoipa::openapi::OpenApi) {
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
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
    ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

fn unknown_route(uri: &Uri, known: &[String]) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    let help = crate::say::suggest(&path, known.iter().map(String::as_str));
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
