//! Lets through who may what a route declares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::api::access::caller::dry_run;
use crate::api::access::repeat::{self, Given};
use crate::api::access::user::{name_of, person_here, with_names};
use crate::api::access::{Peer, Principal, digest};
use crate::api::body::{LARGEST_BODY, LARGEST_SET, read};
use crate::api::problem::{Problem, code};
use crate::api::query::Keys;
use crate::model::{Actor, Permission, Shown};
use crate::supervisor::Published;

/// Asked on behalf of clients whose own tokens are none of ours: what they show is for somebody else.
const ADMISSION: &str = "/api/admission";

/// Where secrets are made.
const TOKENS: &str = "/api/tokens";

/// Where whole sets of files are sent.
const CANDIDATE: &str = "/api/shadow";

/// So much of a token's digest tells it from every other, and stands in the journal with each request.
const TOLD_APART: usize = 16;

/// An answer to a change is short.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Asks who it is, whether they may, whether they do not ask too fast, and whether they asked the same before.
pub(in crate::api) async fn guard(
    State((api, permission, keys)): State<(Api, Permission, Keys)>,
    peer: Peer,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let known = api.handle.published();
    let now = api.handle.clock().now();
    let foreign = request.uri().path().starts_with(ADMISSION);
    let principal = Principal::of((peer, request.headers(), foreign), &known.state.governed, now)
        .inspect_err(|_| api.handle.guard().refused())?;
    let principal = match principal {
        Principal::User(user) if known.bundle.access.asks_for_names() => {
            Principal::User(with_names(user).await)
        }
        other => other,
    };
    if !principal.may(permission, &known.bundle.access) {
        api.handle.guard().refused();
        return Err(principal.refusal(permission));
    }
    keys.check(request.uri())?;
    // Whoever only asks may do so by any method.
    let changes = !Permission::READS.contains(&permission) && !request.method().is_safe();
    let actor = principal.actor().filter(|_| changes);
    let Some(actor) = actor else {
        api.pace.count_read(&principal, known.bundle.access.reads_a_second)?;
        request.extensions_mut().insert(principal);
        return Ok(next.run(request).await);
    };
    let shown = shown(&principal, permission, &known).await;
    let owner = owner(&actor, &shown);
    request.extensions_mut().insert(principal.clone());
    request.extensions_mut().insert(shown);
    api.pace.count(actor.as_str())?;
    let key = repeat::key(request.headers())?;
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == CANDIDATE { LARGEST_SET } else { LARGEST_BODY };
    let bytes = read(&parts.headers, body, most).await?;
    // It may have come slowly: what ended meanwhile changes nothing any more.
    principal.still_stands(&api.handle.published().state.governed, api.handle.clock().now())?;
    match key {
        Some(key) => once(&api, (owner, key), (parts, bytes), next).await,
        None => Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await),
    }
}

/// What the step should know of whoever asks besides the name. Who is meant by `user:NAME` matters to who decides alone.
async fn shown(principal: &Principal, permission: Permission, known: &Published) -> Shown {
    let decides = permission == Permission::Decide && known.bundle.access.asks_for_names();
    let people = if permission == Permission::Decide { people(known).await } else { BTreeMap::new() };
    match principal {
        Principal::User(user) => {
            Shown { user: user.name.clone().filter(|_| decides), people, ..Shown::default() }
        }
        Principal::Token(_, token) => {
            let person = person_here(&token.person).await;
            let user = if decides { name_of(&person).await } else { None };
            // Tokens of before named people in any way.
            let person = (person != token.person).then_some(person);
            Shown { token: token.digest.get(..TOLD_APART).map(str::to_owned), user, person, people }
        }
        Principal::Anonymous | Principal::Stranger => Shown::default(),
    }
}

/// The people of tokens whom this machine names in another way: one person, asked about with two tokens, is not two.
async fn people(known: &Published) -> BTreeMap<Actor, Actor> {
    let named: BTreeSet<&Actor> = known.state.governed.tokens.values().map(|token| &token.person).collect();
    let mut people = BTreeMap::new();
    for person in named {
        let here = person_here(person).await;
        if here != *person {
            people.insert(person.clone(), here);
        }
    }
    people
}

/// Whose a key is: a token that only has the name of an earlier one has none of its keys.
pub(in crate::api) fn owner(actor: &Actor, shown: &Shown) -> String {
    shown.token.as_ref().map_or_else(|| actor.to_string(), |token| format!("{actor} {token}"))
}

/// Makes a change that has a key of its own, unless it was made before.
async fn once(
    api: &Api,
    key: (String, String),
    (parts, bytes): (Parts, Vec<u8>),
    next: Next,
) -> Result<Response, Problem> {
    // What a dry run says is forgotten with Grace.
    let lasts = !dry_run(&parts.uri)?;
    let asked = compared(&parts, &bytes);
    if let Some(given) = api.repeats.begin(&key, &asked)? {
        return Ok(response(given));
    }
    let secret = lasts && parts.uri.path() == TOKENS;
    // In a task of its own: a caller who goes away in the middle still gets the answer with the next try.
    let api = api.clone();
    let work = async move {
        if lasts {
            let (repeats, key, now) = (Arc::clone(&api.repeats), key.clone(), api.handle.clock().now());
            blocking(move || repeats.note(&key, &asked, now)).await??;
        }
        let answered = next.run(Request::from_parts(parts, Body::from(bytes))).await;
        let (head, body) = answered.into_parts();
        let body = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
        let given = Given { status: head.status, headers: head.headers, body };
        // What failed may be tried again.
        let kept = (!given.status.is_server_error()).then(|| kept(&given, secret));
        let idle = !lasts || !given.status.is_success();
        if lasts {
            let (repeats, key, kept) = (Arc::clone(&api.repeats), key.clone(), kept.clone());
            let _ = blocking(move || repeats.note_end(&key, kept.as_ref())).await;
        }
        api.repeats.end(&key, kept, idle);
        Ok(given)
    };
    let given = tokio::spawn(work).await;
    given.map_err(|_| Problem::unavailable(code::STOPPING, "Grace is stopping"))?.map(response)
}

/// What makes a request the same as another, as a digest: what is asked, and under which precondition.
fn compared(parts: &Parts, body: &[u8]) -> String {
    let mut asked = format!("{} {} {}", parts.method, parts.uri, digest(body)).into_bytes();
    for precondition in parts.headers.get_all(header::IF_MATCH) {
        asked.push(b' ');
        asked.extend_from_slice(precondition.as_bytes());
    }
    digest(asked)
}

/// What is answered to the same request again: the same, but for a secret that was shown, which is kept nowhere.
fn kept(given: &Given, secret: bool) -> Given {
    match given.status {
        StatusCode::ACCEPTED if secret => shown_once(
            "a token was asked for with this key, and its secret was shown then; it waits for approval: have that denied, or \
             revoke the token once it is made, and ask for another",
        ),
        status if secret && status.is_success() => shown_once(
            "a token was made with this key, and its secret was shown then; revoke it, and make another",
        ),
        _ => given.clone(),
    }
}

/// Does what blocks on a thread that may.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|_| Problem::unavailable(code::STOPPING, "Grace is stopping"))
}

fn shown_once(detail: &str) -> Given {
    let problem = Problem::new(StatusCode::CONFLICT, code::OVER, detail);
    let body = serde_json::to_vec(&problem).unwrap_or_default().into();
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    Given { status: StatusCode::CONFLICT, headers: headers.into_iter().collect(), body }
}

fn response(given: Given) -> Response {
    let mut response = Response::new(Body::from(given.body));
    *response.status_mut() = given.status;
    *response.headers_mut() = given.headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_with_a_secret_is_told_in_another_way() {
        for (status, secret, says) in [
            (201, true, "a token was made with this key"),
            (202, true, "it waits for approval"),
            (202, false, "as it was"),
            (409, true, "as it was"),
            (422, true, "as it was"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let given = Given { status, headers: [].into_iter().collect(), body: "as it was".into() };
            let again = kept(&given, secret);
            assert!(String::from_utf8_lossy(&again.body).contains(says), "{status}: {again:?}");
            assert_eq!(again.status, if says == "as it was" { status } else { StatusCode::CONFLICT });
        }
    }
}
