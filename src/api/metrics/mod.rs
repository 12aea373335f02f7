//! `GET /metrics`: Grace's figures for Prometheus, in its classic text, or as OpenMetrics where that is asked for.
//!
//! Each file here is one subject: it turns what is known into families, and [`SUBJECTS`] lists it. Nothing is counted
//! or looked up when somebody asks: a figure comes from what the supervisor has published, so that a scrape costs no
//! more than its own text. Labels name what the files declare (components, modes) or words of a closed enum, and so
//! there are never more series than the files make.
//!
//! What only grows goes on over restarts: it comes from the figures. While those are made from an older journal, and only
//! then, their families are missing.
//!
//! Names follow Prometheus: base units, `_total` behind counters, `_info` behind what is only text. Times are the wall
//! clock's, as those of Prometheus are.

mod accept;
mod availability;
mod build;
mod components;
mod config;
mod healing;
mod modes;
mod recommendations;
mod recovery;
mod sheet;
mod ticks;

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text, text};
use prometheus_client::registry::Registry;

use crate::api::Api;
use crate::api::problem::{Problem, Problems, code};
use crate::supervisor::Published;
use accept::Form;
use sheet::Sheet;

/// Every subject, in the order of the page.
const SUBJECTS: [fn(&Published, &mut Sheet<'_>) -> fmt::Result; 9] = [
    build::families,
    ticks::families,
    config::families,
    modes::families,
    components::families,
    healing::families,
    availability::families,
    recovery::families,
    recommendations::families,
];

/// What every name begins with.
const PREFIX: &str = "grace";

/// `GET /metrics`
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "metrics",
    responses((status = 200, description = "The figures, as Prometheus reads them", content((String = "text/plain"), (String = "application/openmetrics-text"))), Problems)
)]
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let form = Form::wanted(&headers);
    let page = page(api.handle.published(), form).map_err(|_| {
        let detail = "the figures could not be written down; this is a mistake in Grace";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, detail)
    })?;
    Ok(([(header::CONTENT_TYPE, form.content_type())], page).into_response())
}

/// The whole page.
fn page(known: Arc<Published>, form: Form) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Scrape(known)));
    let mut page = String::new();
    match form {
        Form::Classic => prometheus_text::encode(&mut page, &registry)?,
        Form::OpenMetrics => text::encode(&mut page, &registry)?,
    }
    Ok(page)
}

/// One look at the figures: all of them are of the same moment.
#[derive(Debug)]
struct Scrape(Arc<Published>);

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut sheet = Sheet(encoder);
        SUBJECTS.iter().try_for_each(|subject| subject(&self.0, &mut sheet))
    }
}
