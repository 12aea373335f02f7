//! `Idempotency-Key`: a change that is asked for again with the same key is answered again, and not made again.
//!
//! Answers are kept for a day of Grace's own time and for so many keys, in memory and in a file, so that a restart of Grace
//! makes no key new. A dry run changes nothing: its answers are kept in memory alone.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::api::problem::{Problem, code};
use crate::model::{Span, Time};
use crate::record::{Answers, JournalError, KeptAnswer, Keyed};

/// So long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);
const KEPT_SPAN: Span = Span::minutes(24 * 60);

/// And so many; the oldest go first. One caller's many keys cost nobody else theirs, and what changed nothing, a dry run
/// or a refusal, costs no change its key.
const MOST: usize = 10_000;
const MOST_OF_ONE: usize = 1_000;
const MOST_IDLE_OF_ONE: usize = 100;

/// A longer key is none.
const LONGEST: usize = 255;

/// The header.
pub(super) const HEADER: &str = "idempotency-key";

/// An answer as it was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What is known of a key: for what it was used, and the answer once there is one.
struct Known {
    asked: String,
    answer: Option<Given>,
    since: Instant,
    /// Grace ended before there was an answer.
    cut_short: bool,
    /// It changed nothing.
    idle: bool,
}

impl Known {
    /// May it make room for another? Nobody knows yet what becomes of one that still runs.
    fn has_ended(&self) -> bool {
        self.answer.is_some() || self.cut_short
    }
}

/// Every key, by who used it.
#[derive(Default)]
pub(in crate::api) struct Repeats {
    kept: Mutex<Kept>,
    file: Option<Answers>,
}

#[derive(Default)]
struct Kept {
    known: BTreeMap<(String, String), Known>,
    oldest: VecDeque<(String, String)>,
}

impl Repeats {
    /// Those of this data directory. Where their file cannot be used, keys hold until Grace ends.
    pub(in crate::api) fn of(dir: &Path, now: Time) -> Self {
        let read = || {
            let file = Answers::open(dir)?;
            let known = file.since(now - KEPT_SPAN)?;
            Ok::<_, JournalError>((file, known))
        };
        match read() {
            Ok((file, known)) => {
                let mut kept = Kept::default();
                for one in known {
                    kept.remember(one, now);
                }
                Self { kept: Mutex::new(kept), file: Some(file) }
            }
            Err(error) => {
                tracing::warn!(%error, "answers to requests with an Idempotency-Key are only kept until Grace ends");
                Self::default()
            }
        }
    }

    /// Notes in the file that a change is about to be made. It blocks.
    ///
    /// # Errors
    /// It could not be noted: then it is not made.
    pub(super) fn note(&self, key: &(String, String), asked: &str, now: Time) -> Result<(), Problem> {
        let Some(file) = &self.file else { return Ok(()) };
        file.begin((&key.0, &key.1), asked, now).map_err(|error| {
            self.end(key, None, true);
            let detail = format!("the Idempotency-Key cannot be kept, so nothing was done: {error}");
            Problem::unavailable(code::JOURNAL, detail)
        })
    }

    /// Notes the answer in the file. It blocks.
    pub(super) fn note_end(&self, key: &(String, String), answer: Option<&Given>) {
        let Some(file) = &self.file else { return };
        let answer = answer.map(Given::kept);
        if let Err(error) = file.end((&key.0, &key.1), answer.as_ref()) {
            tracing::warn!(%error, "an answer could not be kept for after a restart");
        }
    }

    /// Takes a key for a request, whose digest is given; gives the answer where there was one already.
    ///
    /// # Errors
    /// The key was used for another request, or the first one is not answered yet.
    pub(super) fn begin(&self, key: &(String, String), asked: &str) -> Result<Option<Given>, Problem> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget();
        match kept.known.get(key) {
            Some(known) if known.asked != asked => {
                let detail = "this Idempotency-Key was used for another request";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code::KEY_REUSED, detail))
            }
            Some(Known { answer: Some(given), .. }) => Ok(Some(given.clone())),
            Some(Known { cut_short: true, .. }) => {
                let detail = "Grace ended while she worked on the first request with this Idempotency-Key: look what became \
                              of it (`grace audit tail`), and take another key for another try";
                Err(Problem::new(StatusCode::CONFLICT, code::OVER, detail))
            }
            Some(_) => {
                let detail = "the first request with this Idempotency-Key is not answered yet";
                Err(Problem::new(StatusCode::CONFLICT, code::BUSY, detail))
            }
            None => {
                let (asked, since) = (asked.to_owned(), Instant::now());
                let known = Known { asked, answer: None, since, cut_short: false, idle: false };
                kept.known.insert(key.clone(), known);
                kept.oldest.push_back(key.clone());
                Ok(None)
            }
        }
    }

    /// Keeps the answer, and whether nothing came of it; without an answer the key is free again, for nothing was done.
    pub(super) fn end(&self, key: &(String, String), answer: Option<Given>, idle: bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match (answer, kept.known.get_mut(key)) {
            (Some(answer), Some(known)) => {
                known.answer = Some(answer);
                known.idle = idle;
                kept.make_room(&key.0, idle);
            }
            (None, _) => {
                kept.known.remove(key);
                kept.oldest.retain(|other| other != key);
            }
            (Some(_), None) => {}
        }
    }
}

impl Given {
    fn kept(&self) -> KeptAnswer {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        KeptAnswer { status: self.status.as_u16(), headers: headers.collect(), body: self.body.to_vec() }
    }

    fn again(kept: KeptAnswer) -> Option<Self> {
        let header = |(name, value): (String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        let headers = kept.headers.into_iter().filter_map(header).collect();
        Some(Self { status: StatusCode::from_u16(kept.status).ok()?, headers, body: kept.body.into() })
    }
}

impl Kept {
    /// Takes up what an earlier Grace was asked.
    fn remember(&mut self, one: Keyed, now: Time) {
        let age = (now - one.at).max(Span::ZERO).to_std();
        let since = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        let answer = one.answer.and_then(Given::again);
        let (key, cut_short) = ((one.caller, one.key), answer.is_none());
        // A conflict may stand for a token that was made, and whose secret is kept nowhere.
        let refused = |given: &Given| !given.status.is_success() && given.status != StatusCode::CONFLICT;
        let idle = answer.as_ref().is_some_and(refused);
        self.oldest.push_back(key.clone());
        self.known.insert(key, Known { asked: one.asked, answer, since, cut_short, idle });
    }

    /// Lets go the oldest of this caller, of those that changed something or of the others, until they are as many as may be.
    fn make_room(&mut self, caller: &str, idle: bool) {
        let most = if idle { MOST_IDLE_OF_ONE } else { MOST_OF_ONE };
        let known = &self.known;
        let own = |key: &(String, String)| {
            key.0 == caller && known.get(key).is_some_and(|known| known.has_ended() && known.idle == idle)
        };
        let own: Vec<usize> =
            self.oldest.iter().enumerate().filter(|(_, key)| own(key)).map(|(at, _)| at).collect();
        for at in own.iter().take(own.len().saturating_sub(most)).rev() {
            self.let_go(*at);
        }
    }

    fn let_go(&mut self, at: usize) {
        if let Some(key) = self.oldest.remove(at) {
            self.known.remove(&key);
        }
    }

    fn forget(&mut self) {
        let is_old = |known: &Known| known.since.elapsed() > KEPT;
        while self.oldest.front().is_some_and(|first| self.known.get(first).is_none_or(is_old)) {
            self.let_go(0);
        }
        while self.oldest.len() >= MOST {
            let first = |idle: bool| {
                let may_go = |known: &Known| known.has_ended() && (known.idle || !idle);
                self.oldest.iter().position(|key| self.known.get(key).is_none_or(may_go))
            };
            let Some(at) = first(true).or_else(|| first(false)) else { return };
            self.let_go(at);
        }
    }
}

/// The key of a request, where it has one.
pub(in crate::api) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(HEADER) else { return Ok(None) };
    let key = given.to_str().ok().map(str::trim).filter(|key| (1..=LONGEST).contains(&key.len()));
    let wrong =
        || Problem::new(StatusCode::BAD_REQUEST, code::INVALID, "an Idempotency-Key has 1 to 255 letters");
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        Given { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from_static(b"x") }
    }

    #[test]
    fn a_key_is_for_one_request_and_one_answer() {
        let (repeats, key) = (Repeats::default(), ("uid:0".to_owned(), "k".to_owned()));
        assert!(repeats.begin(&key, "one").expect("new").is_none());
        assert_eq!(repeats.begin(&key, "one").expect_err("runs").status, 409);
        repeats.end(&key, Some(given()), false);
        assert!(repeats.begin(&key, "one").expect("answered").is_some());
        assert_eq!(repeats.begin(&key, "two").expect_err("another").status, 422);
        let other = ("uid:1".to_owned(), "k".to_owned());
        assert!(repeats.begin(&other, "two").expect("somebody else's").is_none());
        repeats.end(&other, None, true);
        assert!(repeats.begin(&other, "three").expect("free again").is_none());
    }

    fn used(repeats: &Repeats, (caller, key): (&str, &str), idle: bool) {
        let key = (caller.to_owned(), key.to_owned());
        assert!(repeats.begin(&key, "a").expect("no other").is_none(), "{key:?}");
        repeats.end(&key, Some(given()), idle);
    }

    fn has(repeats: &Repeats, (caller, key): (&str, &str)) -> bool {
        let kept = repeats.kept.lock().expect("no panic");
        assert_eq!(kept.known.len(), kept.oldest.len());
        kept.known.contains_key(&(caller.to_owned(), key.to_owned()))
    }

    #[test]
    fn no_more_are_kept_than_may() {
        let repeats = Repeats::default();
        used(&repeats, ("y", "0"), false);
        for number in 0..MOST_OF_ONE + 10 {
            used(&repeats, ("x", &number.to_string()), false);
        }
        assert_eq!(repeats.kept.lock().expect("no panic").known.len(), MOST_OF_ONE + 1);
        assert!(!has(&repeats, ("x", "9")) && has(&repeats, ("x", "10")), "the oldest go first");
        assert!(has(&repeats, ("y", "0")), "and nobody else's");
    }

    #[test]
    fn what_changed_nothing_costs_no_change_its_key() {
        let repeats = Repeats::default();
        let runs = ("x".to_owned(), "runs".to_owned());
        repeats.begin(&runs, "a").expect("new");
        for number in 0..MOST_OF_ONE {
            used(&repeats, ("x", &number.to_string()), false);
        }
        for number in 0..MOST_OF_ONE + 10 {
            used(&repeats, ("x", &format!("idle-{number}")), true);
        }
        assert!(has(&repeats, ("x", "0")), "a change keeps its key");
        assert!(!has(&repeats, ("x", "idle-0")) && has(&repeats, ("x", "idle-1009")), "the oldest go first");
        used(&repeats, ("x", "one more"), false);
        assert!(!has(&repeats, ("x", "0")), "changes count among themselves");
        assert!(has(&repeats, ("x", "runs")), "what runs is not forgotten");
    }

    #[test]
    fn what_changed_nothing_goes_first_where_all_places_are_taken() {
        let repeats = Repeats::default();
        let callers: Vec<String> = (0..MOST / MOST_OF_ONE).map(|number| number.to_string()).collect();
        repeats.begin(&("0".to_owned(), "runs".to_owned()), "a").expect("new");
        for (caller, number) in
            callers.iter().flat_map(|caller| (0..MOST_OF_ONE - 1).map(move |n| (caller, n)))
        {
            let key = (caller.clone(), number.to_string());
            let known = Known {
                asked: "a".into(),
                answer: Some(given()),
                since: Instant::now(),
                cut_short: false,
                idle: false,
            };
            let mut kept = repeats.kept.lock().expect("no panic");
            kept.oldest.push_back(key.clone());
            kept.known.insert(key, known);
        }
        for number in 0..20 {
            used(&repeats, ("z", &number.to_string()), true);
        }
        assert!(has(&repeats, ("0", "0")) && !has(&repeats, ("z", "0")) && has(&repeats, ("z", "19")));
        for number in 20..40 {
            used(&repeats, ("y", &number.to_string()), false);
        }
        assert!(has(&repeats, ("0", "runs")) && !has(&repeats, ("0", "0")) && has(&repeats, ("9", "998")));
    }
}
