//! `GET /api/figures`: the figures of a window, as `grace report` tells them.

use axum::Json as Body;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::body::Params;
use crate::api::problem::{Problem, Problems, code};
use crate::figures::{Figures, NoFigures};
use crate::model::Time;
use crate::record::{FiguresError, Since};

/// The query of `GET /api/figures`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The last so long (`24h`, `30d`), or from a time on (RFC 3339); 30 days where nothing is said.
    since: Option<String>,
    /// Up to a time; up to the last tick where nothing is said.
    until: Option<String>,
    /// Only this component.
    component: Option<String>,
}

/// `GET /api/figures`
#[utoipa::path(get, path = "/api/figures", tag = "figures", params(Which),
    responses((status = 200, description = "The figures of a window, up to the last tick", body = Figures), Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    Params(which): Params<Which>,
) -> Result<Body<Figures>, Problem> {
    // Until they are made, each answer would go through the whole journal.
    if api.handle.published().figures.is_none() {
        let says = "the figures are being made from an older journal: ask again when they are, or use `grace report`";
        return Err(Problem::unavailable(code::BUSY, says));
    }
    let since = which.since.as_deref().map(str::parse).transpose();
    let since = since.map_err(|says| Problem::invalid(format!("`since`: {says}")))?;
    let since = Some(since.unwrap_or(Since::USUALLY));
    let until = which.until.as_deref().map(until).transpose()?;
    let only = which.component;
    let found = api.journal.read(move |journal| match journal.figures(since, until, only.as_deref()) {
        Ok(figures) => Ok(Ok(figures)),
        Err(FiguresError::None(why)) => Ok(Err(why)),
        Err(FiguresError::Journal(why)) => Err(why),
    });
    Ok(Body(found.await??))
}

fn until(text: &str) -> Result<Time, Problem> {
    let wrong = || Problem::invalid(format!("`until` is `{text}`: write a time as RFC 3339 does"));
    Time::parse(text).ok_or_else(wrong)
}

impl From<NoFigures> for Problem {
    fn from(why: NoFigures) -> Self {
        match why {
            NoFigures::NoTicks | NoFigures::Component { .. } => Self::not_found(why.to_string()),
            _ => Self::invalid(why.to_string()),
        }
    }
}
