//! `GET /api/events`: the journal's events as a list, or followed as server-sent events.
//!
//! The newest events are read once for everybody who follows ([`live`]). A follower takes them as its connection does: a slow
//! one falls behind and then reads the journal by itself, waits for itself and harms nobody, and after any restart it goes
//! on behind the last number it saw.

mod live;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, StreamExt, once, unfold};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::{Peer, Principal};
use crate::api::body::Params;
pub(super) use crate::api::events::live::{Newest, start};
use crate::api::events::live::{Next, Told};
use crate::api::paging::entry;
use crate::api::problem::{Problem, Problems, code};
use crate::components::Pattern;
use crate::model::Permission;
use crate::record::{Event, JournalError, Reader};

/// So many events a list has where nothing is said.
const USUALLY: usize = 100;

/// So many it has at the most.
const MOST: usize = 1_000;

/// So many events are looked at with one query.
const BATCH: usize = 200;

/// So many events a follower holds in memory that is far behind.
const AHEAD: usize = 50;

/// A sign of life for whoever follows in silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The query of `GET /api/events`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those behind this entry of the journal.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// Only those whose type fits: `health.*`.
    pattern: Option<String>,
    /// So many at the most; only of a list.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// `GET /api/events`
#[utoipa::path(
    get,
    path = "/api/events",
    tag = "events",
    params(Wanted, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was seen: a stream goes on behind it", minimum = 0)),
    responses((status = 200, description = "A list; with `Accept: text/event-stream` the events as they come; one of the type `reset` comes first where `Last-Event-ID` or `after` lies behind the journal's end", content((Vec<Event> = "application/cloudevents-batch+json"), (String = "text/event-stream"))), Problems)
)]
pub(super) async fn events(
    State(api): State<Api>,
    peer: Peer,
    Extension(principal): Extension<Principal>,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pattern = Arc::new(Pattern::new(wanted.pattern.as_deref().unwrap_or("*")));
    entry("after", wanted.after)?;
    if accepts_stream(&headers) {
        if wanted.limit.is_some() {
            return Err(wrong("`limit` is for a list, and a stream has no end: leave it out"));
        }
        return follow(api, (&peer, &principal), wanted.after, pattern, &headers);
    }
    let (after, limit) = (wanted.after.unwrap_or(0), wanted.limit.unwrap_or(USUALLY));
    if limit == 0 || limit > MOST {
        return Err(Problem::invalid(format!("`limit` is {limit}: it may be 1 to {MOST}")));
    }
    let (events, _) = api.journal.read(move |journal| page(journal, after, &pattern, limit)).await?;
    let kind = "application/cloudevents-batch+json";
    let body = serde_json::to_string(&events).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

fn wrong(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code::INVALID, detail)
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // One with no weight (`;q=0`) is what is not wanted.
    let wants = |one: &str| {
        let (kind, more) = one.split_once(';').unwrap_or((one, ""));
        let weight = more.split(';').find_map(|part| part.trim().strip_prefix("q="));
        let is_wanted = weight.is_none_or(|weight| weight.trim().parse() != Ok(0.0));
        kind.trim().eq_ignore_ascii_case("text/event-stream") && is_wanted
    };
    accept.is_some_and(|accept| accept.split(',').any(wants))
}

/// The wanted events after an entry, and the last entry that was looked at.
///
/// # Errors
/// The journal cannot be read.
pub fn page(
    journal: &Reader,
    mut after: i64,
    pattern: &Pattern,
    limit: usize,
) -> Result<(Vec<Event>, i64), JournalError> {
    let mut found = Vec::new();
    loop {
        let batch = journal.events_after(after, BATCH)?;
        let is_last = batch.len() < BATCH;
        for event in batch {
            after = event.seq();
            if pattern.wants(&event.kind) {
                found.push(event);
                if found.len() >= limit {
                    return Ok((found, after));
                }
            }
        }
        if is_last {
            return Ok((found, after));
        }
    }
}

/// Where a follower is.
struct Follower {
    api: Api,
    after: i64,
    pattern: Arc<Pattern>,
    ahead: VecDeque<Event>,
    newest: watch::Receiver<Arc<Newest>>,
    closing: watch::Receiver<bool>,
    /// Who follows: when their token ends, or they may read no more, so does the stream.
    principal: Principal,
    _place: OwnedSemaphorePermit,
}

fn follow(
    api: Api,
    (peer, principal): (&Peer, &Principal),
    after: Option<i64>,
    pattern: Arc<Pattern>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let full = || Problem::unavailable(code::BUSY, "as many follow events as may; try again later");
    let place = api.streams.place(peer).ok_or_else(full)?;
    // A follower that comes back names the last it saw; the query stands there since it first came.
    let (newest, closing) = (api.newest.clone(), api.closing.clone());
    let asked = resumed(headers)?.or(after);
    let head = *api.handle.tail().borrow();
    // Whoever has seen what this journal does not hold has seen another one: it would wait for ever.
    let reset = asked.filter(|after| *after > head).map(|after| Reset { after, head });
    let after = if reset.is_some() { head } else { asked.unwrap_or_else(|| newest.borrow().last) };
    let (ahead, principal) = (VecDeque::new(), principal.clone());
    let follower = Follower { api, after, pattern, ahead, newest, closing, principal, _place: place };
    Ok(Sse::new(stream(follower, reset)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn resumed(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let mut given = headers.get_all("last-event-id").iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(wrong("Last-Event-ID stands there more than once: it is the number of one entry"));
    }
    let given = String::from_utf8_lossy(value.as_bytes());
    let given = given.trim();
    if given.is_empty() {
        return Ok(None);
    }
    let number = given.parse().ok().filter(|number| *number >= 0);
    let wrong =
        || wrong(format!("Last-Event-ID is `{}`: it is the number of an entry", given.escape_debug()));
    number.map(Some).ok_or_else(wrong)
}

/// The first event, of the type `reset`, for a follower who names an entry behind the journal's end: it goes on at the end.
#[derive(Serialize)]
struct Reset {
    /// What the follower named.
    after: i64,
    /// The journal's last entry.
    head: i64,
}

/// First where the stream is, so that whoever loses it before its first event comes back to the same place;
/// then event after event.
fn stream(follower: Follower, reset: Option<Reset>) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    let here = sse::Event::default().id(follower.after.to_string());
    let here = match reset.and_then(|reset| serde_json::to_string(&reset).ok()) {
        Some(text) => here.event("reset").data(text),
        None => here,
    };
    let events = unfold(follower, |mut follower| async {
        let told = follower.next().await?;
        Some((Ok(sse::Event::default().id(told.seq.to_string()).data(&told.text)), follower))
    });
    once(async { Ok(here) }).chain(events)
}

impl Follower {
    /// The next event; none when Grace is stopping or the journal cannot be read: whoever follows comes back.
    async fn next(&mut self) -> Option<Arc<Told>> {
        loop {
            if self.is_over() {
                return None;
            }
            if let Some(event) = self.ahead.pop_front() {
                return Some(Told::of(event).into());
            }
            let newest = Arc::clone(&self.newest.borrow_and_update());
            match newest.behind(self.after, &self.pattern) {
                Next::Event(told) => {
                    self.after = told.seq;
                    return Some(told);
                }
                Next::Nothing => {
                    self.after = self.after.max(newest.last);
                    if !self.wait().await {
                        return None;
                    }
                }
                Next::Older => {
                    let (after, pattern) = (self.after, Arc::clone(&self.pattern));
                    let read =
                        self.api.journal.read(move |journal| page(journal, after, &pattern, AHEAD)).await;
                    let (events, seen) = read.ok()?;
                    // Only where the journal had no more of them has all of it been looked at.
                    let whole = events.len() < AHEAD;
                    self.after = if whole { seen.max(newest.floor) } else { seen };
                    self.ahead = events.into();
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        let (known, now) = (self.api.handle.published(), self.api.handle.clock().now());
        let stands = self.principal.still_stands(&known.state.governed, now).is_ok();
        !stands || !self.principal.may(Permission::Read, &known.bundle.access)
    }

    /// Waits until there may be more; false when there will be none.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            more = self.newest.changed() => more.is_ok(),
            _ = self.closing.wait_for(|closing| *closing) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_stream_is_for_who_wants_one() {
        for (accept, is_wanted) in [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream; q=0.5", true),
            ("application/json, text/event-stream;q=0", false),
            ("text/event-stream;charset=utf-8;q=0.0", false),
            ("text/event-streams", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepts_stream(&headers), is_wanted, "{accept}");
        }
    }
}
