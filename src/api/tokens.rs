//! Bearer tokens: listing, making, revoking. The secret goes to whoever makes one, once, and its digest to the journal.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::Api;
use crate::api::access::{Caller, SECRET_MARK, digest, person_here};
use crate::api::body::{Json, Params, Segment, reason, span};
use crate::api::problem::{Problem, Problems, code};
use crate::api::reply::{elsewhere, stale};
use crate::api::shapes::{MadeToken, MakingToken, Reply, TokenLine, Word};
use crate::model::{Actor, Answer, NewToken, Request, Role, Span, TokenId};

/// A token that nobody thought about further ends by itself after this.
const USUALLY: Span = Span::minutes(90 * 24 * 60);

/// The word for a token that only a person ends.
const EVER: &str = "ever";

/// The longest name of a token, and of a person.
const LONGEST: usize = 64;

/// Random bytes in a secret: 256 bits.
const BYTES: usize = 32;

/// `GET /api/tokens`
#[utoipa::path(get, path = "/api/tokens", tag = "tokens",
    responses((status = 200, description = "Every token, without its secret", body = Vec<TokenLine>), Problems))]
pub(super) async fn list(State(api): State<Api>) -> Body<Vec<TokenLine>> {
    let known = api.handle.published();
    let lines = known.state.governed.tokens.iter().map(|(id, token)| TokenLine {
        name: id.to_string(),
        role: token.role.to_string(),
        person: token.person.to_string(),
        made_by: token.by.to_string(),
        since: token.since.to_string(),
        expires: token.expires.map(|at| at.to_string()),
    });
    Body(lines.collect())
}

/// `POST /api/tokens`
#[utoipa::path(post, path = "/api/tokens", tag = "tokens", request_body = MakingToken,
    responses((status = 200, description = "What would become of a dry run", body = MadeToken), (status = 201, description = "The token is made; its secret is shown once", body = MadeToken),
        (status = 202, description = "The token waits for approval", body = MadeToken,
        headers(("Location" = String, description = "Where it goes on"))), Problems))]
pub(super) async fn make(
    State(api): State<Api>,
    caller: Caller,
    Json(asked): Json<MakingToken>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "a token was asked for")?;
    let token = name(&asked.name)?;
    let role = Role::named(&asked.role).ok_or_else(|| {
        let known = crate::say::suggest(&asked.role, Role::ALL.map(Role::word));
        Problem::invalid(format!("there is no role `{}`; {known}", asked.role.escape_debug()))
    })?;
    let person = match asked.person {
        Some(text) => Some(person(text).await?),
        None => None,
    };
    let lasts = match asked.lasts.as_deref() {
        None => Some(USUALLY),
        Some(EVER) => None,
        Some(text) => Some(span("for", text)?),
    };
    let secret = secret()?;
    let new = NewToken { token, role, digest: digest(&secret), person, lasts };
    let request = Request::MakeToken(Box::new(new));
    let dry_run = caller.dry_run;
    let (status, mut reply) = match api.answer(&caller, reason, request).await? {
        Answer::Done { says } => (StatusCode::CREATED, Reply::new(Word::Success, says)),
        Answer::Waiting { approval, gate } => {
            let mut reply = Reply::new(Word::WaitingForApproval, gate.to_string());
            reply.approval = Some(approval.0);
            (StatusCode::ACCEPTED, reply)
        }
        Answer::Refused { verdict, gate } => return Err(Problem::refused(verdict, &gate)),
        Answer::Stale { says } => return Err(stale(says)),
        Answer::Unknown { says } => return Err(Problem::new(StatusCode::CONFLICT, code::REFUSED, says)),
        Answer::InParts { verdict, says } => return Err(Problem::withheld(verdict, says)),
        Answer::Started { .. } => return Err(Problem::invalid("a token is nothing that runs")),
    };
    reply.dry_run = dry_run;
    let status = if dry_run { StatusCode::OK } else { status };
    let secret = (!dry_run).then_some(secret);
    let place = reply.approval.filter(|_| !dry_run).map(|approval| format!("/api/approvals/{approval}"));
    let response = (status, Body(MadeToken { reply, secret })).into_response();
    Ok(match place {
        Some(place) => elsewhere(response, &place),
        None => response,
    })
}

/// The query of `DELETE /api/tokens/{name}`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Revoking {
    /// Why.
    reason: Option<String>,
}

/// `DELETE /api/tokens/{name}`
#[utoipa::path(delete, path = "/api/tokens/{name}", tag = "tokens",
    params(("name" = String, Path, description = "Its name"), Revoking),
    responses((status = 200, description = "The token is none any more", body = Reply),
        (status = 202, description = "It waits for approval", body = Reply,
        headers(("Location" = String, description = "Where it goes on"))), Problems))]
pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Segment(name): Segment<String>,
    Params(asked): Params<Revoking>,
) -> Result<Response, Problem> {
    let reason = reason(asked.reason, "the token was revoked")?;
    api.ask(caller, reason, Request::EndToken { token: name.into() }).await
}

fn name(text: &str) -> Result<TokenId, Problem> {
    let may = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    let first = |text: &str| !text.starts_with(['_', '-']);
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(may) && first(text) {
        return Ok(TokenId::from(text));
    }
    let detail =
        format!("`name` has 1 to {LONGEST} of a-z, 0-9, `_` and `-`, and begins with a letter or digit");
    Err(Problem::invalid(detail))
}

/// A person as an admin names one, in the one spelling that people are told apart by: `ann`, `user:Ann`, `UID:01001` and `1001`
/// are `uid:1001` where that is a user of this machine. What looks like a token would be asked for whose it is.
async fn person(text: String) -> Result<Actor, Problem> {
    let plain = (1..=LONGEST).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    let of_user = text.get(..USER.len()).is_some_and(|mark| mark.eq_ignore_ascii_case(USER));
    let person = person_here(&Actor::from(text)).await;
    if !plain || TokenId::behind(&person).is_some() {
        return Err(Problem::invalid(format!(
            "`person` has 1 to {LONGEST} letters, such as `ann` or `uid:1000`"
        )));
    }
    if person.user().is_some() {
        return Ok(person);
    }
    if person.as_str().starts_with("uid:") {
        return Err(Problem::invalid("`person` as `uid:NUMBER` has the number of a user of this machine"));
    }
    if of_user {
        return Err(Problem::invalid(format!(
            "there is no user `{}` on this machine",
            person.as_str().escape_debug()
        )));
    }
    Ok(person)
}

/// What only users of this machine are called by.
const USER: &str = "user:";

fn secret() -> Result<String, Problem> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::unavailable(code::INTERNAL, format!("the system has no random numbers to give: {error}"))
    })?;
    Ok(format!("{SECRET_MARK}{}", hex::encode(bytes)))
}
